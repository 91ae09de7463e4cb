//! Who has an account here. A real shop has a database; passwords are kept as Argon2 hashes either way.

use crate::goods::Taste;
use crate::refusal::Refusal;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use std::sync::{Arc, PoisonError, RwLock};
use thin_session::UserId;
use tokio::sync::Semaphore;

pub(crate) struct Users {
    all: RwLock<Vec<User>>,
    /// How many passwords may be hashed at once: each takes a processor and 19 MiB.
    hashing: Arc<Semaphore>,
}

#[derive(Clone)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) taste: Taste,
    password: String,
}

/// The accounts that everybody may try.
pub(crate) const DEMO: [(&str, &str); 2] = [("Ada", "analytical-engine"), ("Bob", "bricks-and-mortar")];

/// Their hashes, made beforehand so that the shop opens at once.
const DEMO_HASHES: [&str; 2] = [
    "$argon2id$v=19$m=19456,t=2,p=1$wprINm29Ym3l8ky2GovRPg$0OaSNzc+Mkq7itB7Idh3quQuNHQuYn6Rv7vmLUGQPio",
    "$argon2id$v=19$m=19456,t=2,p=1$PlyTnYsOrha0vqapRjB3QA$Se+rB9zLtkAiKCyAV6ZjXCNNIw8s8x67yrAQy2ypndY",
];

impl Users {
    const MAX: usize = 10_000;
    const HASHING: usize = 4;
    pub(crate) const MAX_NAME: usize = 30;
    pub(crate) const MIN_PASSWORD: usize = 8;
    pub(crate) const MAX_PASSWORD: usize = 100;

    pub(crate) fn new() -> Self {
        let tastes = [Taste::Tea, Taste::Desk];
        let demo =
            (1u64..).zip(DEMO).zip(DEMO_HASHES).zip(tastes).filter_map(|(((id, (name, _)), password), taste)| {
                let id = UserId::new(id).ok()?;
                Some(User { id, name: name.to_owned(), taste, password: password.to_owned() })
            });
        Self { all: RwLock::new(demo.collect()), hashing: Arc::new(Semaphore::new(Self::HASHING)) }
    }

    /// The user of this id; none if it is of an earlier run of this process, whose users are gone.
    pub(crate) fn find(&self, id: &UserId) -> Option<User> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).iter().find(|user| user.id == *id).cloned()
    }

    /// The user of this name, if the password is theirs.
    pub(crate) async fn verify(&self, name: &str, password: String) -> Result<UserId, Refusal> {
        const WRONG: Refusal = Refusal::Form("That is not the right name or not the right password.");
        if password.len() > Self::MAX_PASSWORD {
            return Err(WRONG);
        }
        let name = name.trim().to_lowercase();
        let user =
            self.all.read().unwrap_or_else(PoisonError::into_inner).iter().find(|user| is_named(user, &name)).cloned();
        self.check(user, password).await.ok_or(WRONG)
    }

    /// Whether the password is the one of this user, who is signed in.
    pub(crate) async fn verify_again(&self, id: &UserId, password: String) -> Result<(), Refusal> {
        const WRONG: Refusal = Refusal::Form("That is not the right password.");
        if password.len() > Self::MAX_PASSWORD {
            return Err(WRONG);
        }
        self.check(self.find(id), password).await.map(drop).ok_or(WRONG)
    }

    async fn check(&self, user: Option<User>, password: String) -> Option<UserId> {
        // For a stranger's name too, so that the time it takes does not tell whose names are known.
        let hash = user.as_ref().map_or_else(|| DEMO_HASHES[0].to_owned(), |user| user.password.clone());
        let verify = move || {
            let hash = PasswordHash::new(&hash)?;
            Argon2::default().verify_password(password.as_bytes(), &hash)
        };
        match (user, self.off_the_runtime(verify).await) {
            (Some(user), Some(Ok(()))) => Some(user.id),
            _ => None,
        }
    }

    /// Opens an account.
    pub(crate) async fn add(&self, name: String, password: String, taste: Taste) -> Result<UserId, Refusal> {
        let name = crate::text::line(&name, Self::MAX_NAME).ok_or(Refusal::Form("A name has 1 to 30 characters."))?;
        let password = self.hash(password).await?;
        // Random, since a session in Redis may outlive this process: whoever is the third user tomorrow is not today's.
        let Ok(id) = UserId::new(rand::random::<u64>()) else { return Err(Refusal::Closed) };
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        if all.iter().any(|user| is_named(user, &name.to_lowercase())) {
            return Err(Refusal::Form("Somebody of that name is here already. Please take another."));
        }
        if all.len() >= Self::MAX {
            return Err(Refusal::Closed);
        }
        all.push(User { id: id.clone(), name, taste, password });
        Ok(id)
    }

    /// Another password in the place of this one. From then on `verify` knows no other.
    pub(crate) async fn change_password(&self, id: &UserId, old: String, new: String) -> Result<(), Refusal> {
        let before = self.find(id).map(|user| user.password);
        self.verify_again(id, old).await?;
        let new = self.hash(new).await?;
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        match all.iter_mut().find(|user| user.id == *id) {
            Some(user) if Some(&user.password) == before.as_ref() => user.password = new,
            Some(_) => return Err(Refusal::Form("Your password has just been changed elsewhere.")),
            None => return Err(Refusal::Form("We do not know this account any more.")),
        }
        Ok(())
    }

    async fn hash(&self, password: String) -> Result<String, Refusal> {
        if !(Self::MIN_PASSWORD..=Self::MAX_PASSWORD).contains(&password.len()) {
            return Err(Refusal::Form("A password has 8 to 100 characters."));
        }
        let hash = move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string());
        let Some(Ok(hash)) = self.off_the_runtime(hash).await else { return Err(Refusal::Closed) };
        Ok(hash)
    }

    /// Hashes where it holds nobody up; none if that was a panic.
    async fn off_the_runtime<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let permit = Arc::clone(&self.hashing).acquire_owned().await.ok()?;
        let work = move || {
            let _permit = permit; // held to the end of the work, also if the client goes away
            work()
        };
        tokio::task::spawn_blocking(work).await.ok()
    }
}

fn is_named(user: &User, lower_case: &str) -> bool {
    user.name.to_lowercase() == lower_case
}

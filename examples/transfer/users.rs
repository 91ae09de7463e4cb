//! Who has an account here. A real bank has a database; passwords are kept as Argon2 hashes either way.

use crate::refusal::Refusal;
use argon2::Argon2;
use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use std::sync::Arc;
use thin_session::UserId;
use tokio::sync::Semaphore;

pub(crate) struct Users {
    all: Vec<User>,
    /// How many passwords may be hashed at once: each takes a processor and 19 MiB.
    hashing: Arc<Semaphore>,
}

pub(crate) struct User {
    id: UserId,
    pub(crate) name: &'static str,
    hash: &'static str,
}

/// The accounts that everybody may try.
pub(crate) const DEMO: [(&str, &str); 2] = [("Ada", "analytical-engine"), ("Bob", "bricks-and-mortar")];

/// Their hashes, made beforehand so that the bank opens at once.
const DEMO_HASHES: [&str; 2] = [
    "$argon2id$v=19$m=19456,t=2,p=1$wprINm29Ym3l8ky2GovRPg$0OaSNzc+Mkq7itB7Idh3quQuNHQuYn6Rv7vmLUGQPio",
    "$argon2id$v=19$m=19456,t=2,p=1$PlyTnYsOrha0vqapRjB3QA$Se+rB9zLtkAiKCyAV6ZjXCNNIw8s8x67yrAQy2ypndY",
];

impl Users {
    const HASHING: usize = 4;
    pub(crate) const MAX_NAME: usize = 30;
    pub(crate) const MAX_PASSWORD: usize = 100;

    pub(crate) fn new() -> Self {
        // The same numbers in every run, as sessions outlive it.
        let demo = (1u64..).zip(DEMO).zip(DEMO_HASHES).filter_map(|((id, (name, _)), hash)| {
            let id = UserId::new(id).ok()?;
            Some(User { id, name, hash })
        });
        Self { all: demo.collect(), hashing: Arc::new(Semaphore::new(Self::HASHING)) }
    }

    /// The user of this id.
    pub(crate) fn find(&self, id: &UserId) -> Option<&User> {
        self.all.iter().find(|user| user.id == *id)
    }

    /// The user of this name, if the password is theirs.
    pub(crate) async fn verify(&self, name: &str, password: String) -> Result<UserId, Refusal> {
        const WRONG: Refusal = Refusal::Form("That is not the right name or not the right password.");
        if password.len() > Self::MAX_PASSWORD {
            return Err(WRONG);
        }
        let name = name.trim().to_lowercase();
        let user = self.all.iter().find(|user| user.name.to_lowercase() == name);
        // For a stranger's name too, so that the time it takes does not tell whose names are known.
        let hash = user.map_or(DEMO_HASHES[0], |user| user.hash);
        let Ok(permit) = Arc::clone(&self.hashing).acquire_owned().await else { return Err(WRONG) };
        let verify = move || {
            let _permit = permit; // held to the end of the work, also if the client goes away
            let hash = PasswordHash::new(hash)?;
            Argon2::default().verify_password(password.as_bytes(), &hash)
        };
        match (user, tokio::task::spawn_blocking(verify).await) {
            (Some(user), Ok(Ok(()))) => Ok(user.id.clone()),
            _ => Err(WRONG),
        }
    }
}

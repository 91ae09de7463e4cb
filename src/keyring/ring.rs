//! The keys of an application: one seals, several open.

use super::cipher::Cipher;
use super::key::{Key, expand};
use super::secret::{KeyError, Secret};
use crate::id::{KeyId, UserDigest, UserId};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use std::sync::Arc;

/// The keys that seal cookies and records.
///
/// * The **current** secret seals. It, and every other that is added by [`also_opening`](Self::also_opening), opens. The
///   key is named by what it sealed, never found by trial.
/// * The **lasting** secret never changes. It decides what the store knows a user by and where their sessions live, which
///   must stay the same when the current one is rotated; and it seals user sessions, which outlive many rotations.
///
/// To rotate without signing anybody out: deploy the next secret to all processes with `also_opening`; then make it the
/// current one, with the old one in `also_opening`; drop the old one when the longest limit of a session, and the visitor
/// cookie's lifetime, have passed.
///
/// ```
/// use thin_session::{Keyring, Secret};
///
/// # let [lasting, current, previous] = std::array::from_fn(|_| Secret::generate());
/// let keys = Keyring::new(lasting, current)?.also_opening(previous)?;
/// # Ok::<(), thin_session::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Keyring {
    current: Arc<Key>,
    others: Vec<Arc<Key>>,
    refused: Vec<KeyId>,
    lasting: Arc<LastingKey>,
}

/// Names users to the store, and sessions to the log, by keyed digests: neither can be searched for. Seals what lasts for
/// months.
struct LastingKey {
    id: KeyId,
    users: Hmac<Sha256>,
    logs: Hmac<Sha256>,
    user_sessions: Cipher,
    outgoing: Cipher,
}

/// What a keyring says to the id of a key.
#[derive(Debug)]
pub(crate) enum Known<'a> {
    Opens(&'a Key),
    /// Its secret has leaked: whatever it sealed counts as ended.
    Refused,
    /// Perhaps the key of a newer release.
    Unknown,
}

impl Keyring {
    /// A ring with its two secrets.
    ///
    /// # Errors
    ///
    /// If they are the same.
    pub fn new(lasting: Secret, current: Secret) -> Result<Self, KeyError> {
        let key = Key::derive(&current);
        let lasting = LastingKey::derive(&lasting);
        if lasting.id == key.id() {
            return Err(KeyError::Duplicate);
        }
        Ok(Self { current: Arc::new(key), others: Vec::new(), refused: Vec::new(), lasting: Arc::new(lasting) })
    }

    /// A ring of new random secrets that nobody keeps: a restart signs everybody out. For development and tests.
    pub fn generate() -> Self {
        Self {
            current: Arc::new(Key::derive(&Secret::generate())),
            others: Vec::new(),
            refused: Vec::new(),
            lasting: Arc::new(LastingKey::derive(&Secret::generate())),
        }
    }

    /// Opens what this secret sealed, but does not seal with it: a former one, or the next one, which all processes
    /// must know before the first seals with it.
    ///
    /// # Errors
    ///
    /// If it is in the ring already.
    pub fn also_opening(mut self, secret: Secret) -> Result<Self, KeyError> {
        let key = Key::derive(&secret);
        self.check_new(key.id())?;
        self.others.push(Arc::new(key));
        Ok(self)
    }

    /// Treats whatever this secret sealed as ended: for a secret that has leaked.
    ///
    /// # Errors
    ///
    /// If it is in the ring already.
    pub fn refusing(mut self, secret: Secret) -> Result<Self, KeyError> {
        let id = Key::derive(&secret).id();
        self.check_new(id)?;
        self.refused.push(id);
        Ok(self)
    }

    fn check_new(&self, id: KeyId) -> Result<(), KeyError> {
        let taken = self.lasting.id == id || self.refused.contains(&id) || matches!(self.find(id), Known::Opens(_));
        if taken { Err(KeyError::Duplicate) } else { Ok(()) }
    }

    /// The key that seals.
    pub(crate) fn current(&self) -> &Key {
        &self.current
    }

    /// The key of this name.
    pub(crate) fn find(&self, id: KeyId) -> Known<'_> {
        if let Some(key) = std::iter::once(&self.current).chain(&self.others).find(|key| key.id() == id) {
            return Known::Opens(key);
        }
        if self.refused.contains(&id) { Known::Refused } else { Known::Unknown }
    }

    /// What stores know a user by: the same for all time, whatever is rotated.
    pub(crate) fn digest_of(&self, user: &UserId) -> UserDigest {
        UserDigest::from_bytes(keyed(&self.lasting.users, user.as_str().as_bytes()))
    }

    /// The name of the key that seals what lasts.
    pub(crate) fn lasting_id(&self) -> KeyId {
        self.lasting.id
    }

    /// Seals user sessions.
    pub(crate) fn user_sessions(&self) -> &Cipher {
        &self.lasting.user_sessions
    }

    /// Seals what has ended, on its way to the archive.
    pub(crate) fn outgoing(&self) -> &Cipher {
        &self.lasting.outgoing
    }

    /// What logs know a session by. It stands in no store and no cookie.
    pub(crate) fn log_name(&self, digest: &[u8]) -> u64 {
        u64::from_be_bytes(keyed(&self.lasting.logs, digest))
    }
}

impl LastingKey {
    fn derive(secret: &Secret) -> Self {
        let hmac = |label| Hmac::new_from_slice(&*expand::<32>(secret, label)).expect("HMAC takes keys of any length");
        Self {
            id: KeyId::from_bytes(*expand(secret, "key id")),
            users: hmac("user digest"),
            logs: hmac("log name"),
            user_sessions: Cipher::new(&expand(secret, "user session record")),
            outgoing: Cipher::new(&expand(secret, "ended session on its way to the archive")),
        }
    }
}

/// The first bytes of a keyed digest.
fn keyed<const N: usize>(key: &Hmac<Sha256>, content: &[u8]) -> [u8; N] {
    let mut digest = key.clone();
    digest.update(content);
    let whole = <[u8; 32]>::from(digest.finalize().into_bytes());
    std::array::from_fn(|i| whole[i])
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("opens", &(1 + self.others.len())).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_stands_in_one_place_only() {
        let [a, b] = [Secret::generate(), Secret::generate()];
        assert_eq!(Keyring::new(a.clone(), a.clone()).err(), Some(KeyError::Duplicate));
        let ring = Keyring::new(a.clone(), b.clone()).unwrap();
        for known in [a, b] {
            assert_eq!(ring.clone().also_opening(known.clone()).err(), Some(KeyError::Duplicate));
            assert_eq!(ring.clone().refusing(known).err(), Some(KeyError::Duplicate));
        }
    }

    #[test]
    fn a_users_digest_survives_rotation() {
        let [lasting, old, new] = std::array::from_fn(|_| Secret::generate());
        let before = Keyring::new(lasting.clone(), old.clone()).unwrap();
        let after = Keyring::new(lasting, new).unwrap().also_opening(old).unwrap();
        let user = UserId::new(7).unwrap();
        assert_eq!(before.digest_of(&user), after.digest_of(&user));
    }
}

//! One revocation, and its bytes.

use crate::clock::Timestamp;
use crate::id::{Epoch, SessionHandle, UserDigest};
use crate::record::{Malformed, Reader};

/// News for all processes: whose cookies count no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revocation {
    pub(crate) revoked: Revoked,
    /// When the last cookie that it concerns has expired, and it can be forgotten.
    pub(crate) until: Timestamp,
}

/// Whose cookies count no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Revoked {
    /// One session's.
    Session(SessionHandle),
    /// All that one user signed in before this epoch, but for the session of this handle.
    User(UserDigest, Epoch, Option<SessionHandle>),
    /// All that anybody signed in before this epoch.
    Everybody(Epoch),
}

const SESSION: u8 = 0;
const USER: u8 = 1;
const USER_BUT_ONE: u8 = 2;
const EVERYBODY: u8 = 3;

impl Revocation {
    /// Whose cookies count no more.
    pub fn revoked(&self) -> Revoked {
        self.revoked
    }

    /// When a store may forget it.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// The bytes to hand on.
    pub fn to_bytes(&self) -> Vec<u8> {
        let until = self.until.to_bytes();
        match &self.revoked {
            Revoked::Session(handle) => [&[SESSION][..], &until, handle.as_bytes()].concat(),
            Revoked::User(user, epoch, None) => [&[USER][..], &until, user.as_bytes(), &epoch.to_bytes()].concat(),
            Revoked::User(user, epoch, Some(kept)) => {
                [&[USER_BUT_ONE][..], &until, user.as_bytes(), &epoch.to_bytes(), kept.as_bytes()].concat()
            }
            Revoked::Everybody(epoch) => [&[EVERYBODY][..], &until, &epoch.to_bytes()].concat(),
        }
    }

    /// The revocation of these bytes.
    ///
    /// # Errors
    ///
    /// If they are not one, or of a kind that only a newer release knows.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "revocation");
        let kind = reader.byte()?;
        let until = Timestamp::from_bytes(reader.array()?);
        let revoked = match kind {
            SESSION => Revoked::Session(SessionHandle::from_bytes(reader.array()?)),
            USER | USER_BUT_ONE => {
                let (user, epoch) = (UserDigest::from_bytes(reader.array()?), Epoch::from_bytes(reader.array()?));
                let kept = if kind == USER_BUT_ONE { Some(SessionHandle::from_bytes(reader.array()?)) } else { None };
                Revoked::User(user, epoch, kept)
            }
            EVERYBODY => Revoked::Everybody(Epoch::from_bytes(reader.array()?)),
            _ => return reader.malformed(),
        };
        if reader.is_empty() { Ok(Self { revoked, until }) } else { reader.malformed() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn each() -> [(Revocation, &'static [u8]); 4] {
        let (handle, user) = (SessionHandle::from_bytes([b'h'; 16]), UserDigest::from_bytes([b'u'; 16]));
        let (until, epoch) = (Timestamp::from_millis(2_000_000_000_000), Epoch::from_u64(7));
        let bytes: [&[u8]; 4] = [
            b"\x00\x01\xd1\xa9\x4a\x20\x00hhhhhhhhhhhhhhhh",
            b"\x01\x01\xd1\xa9\x4a\x20\x00uuuuuuuuuuuuuuuu\x00\x00\x00\x00\x00\x07",
            b"\x02\x01\xd1\xa9\x4a\x20\x00uuuuuuuuuuuuuuuu\x00\x00\x00\x00\x00\x07hhhhhhhhhhhhhhhh",
            b"\x03\x01\xd1\xa9\x4a\x20\x00\x00\x00\x00\x00\x00\x07",
        ];
        let all = [
            Revoked::Session(handle),
            Revoked::User(user, epoch, None),
            Revoked::User(user, epoch, Some(handle)),
            Revoked::Everybody(epoch),
        ];
        let mut bytes = bytes.into_iter();
        all.map(|revoked| (Revocation { revoked, until }, bytes.next().unwrap()))
    }

    #[test]
    fn frozen_bytes() {
        for (revocation, bytes) in each() {
            assert_eq!(revocation.to_bytes(), bytes);
            assert_eq!(Revocation::from_bytes(bytes), Ok(revocation));
        }
    }

    #[test]
    fn what_is_cut_or_longer_is_refused() {
        for (_, bytes) in each() {
            for length in 0..bytes.len() {
                assert!(Revocation::from_bytes(&bytes[..length]).is_err());
            }
            assert!(Revocation::from_bytes(&[bytes, b"x"].concat()).is_err());
        }
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(revocation) = Revocation::from_bytes(&bytes) {
                prop_assert_eq!(revocation.to_bytes(), bytes);
            }
        }
    }
}

//! What the cookies hold, and how it is sealed.
//!
//! A value is the base64url form of version (1 byte), key id (4), nonce (24), ciphertext and tag (16). It is bound to
//! the application's layer, the cookie's name, its purpose, version and key. The plaintext has a fixed size for each
//! purpose, so that its length tells nothing, and begins with its own expiry.

use super::policy::{CookieKind, CookiePolicy};
use super::scan::Candidates;
use crate::clock::Timestamp;
use crate::id::{KeyId, SessionHandle, SessionId, Shard, UserId, nonce, redacted};
use crate::keyring::{AssociatedData, Keyring, Known, NONCE_SIZE, TAG_SIZE};
use crate::record::{Malformed, Reader};
use crate::telemetry;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const VERSION: u8 = 1;
const OVERHEAD: usize = 1 + KeyId::SIZE + NONCE_SIZE + TAG_SIZE;

/// What a kind of cookie holds.
pub(crate) trait Token: Sized + PartialEq {
    /// Bytes of its plaintext.
    const SIZE: usize;
    /// Characters of its sealed form.
    const SEALED_LEN: usize = (OVERHEAD + Self::SIZE).div_ceil(3) * 4 - (3 - (OVERHEAD + Self::SIZE) % 3) % 3;

    fn encode(&self) -> Vec<u8>;
    fn decode(plain: &[u8]) -> Result<Self, Malformed>;
    fn expires(&self) -> Timestamp;
}

/// Which session this browser has. In the anonymous and the signed-in cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionToken {
    pub(crate) expires: Timestamp,
    pub(crate) shard: Shard,
    pub(crate) id: SessionId,
}

redacted!(SessionToken);

/// Who this browser belongs to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct VisitorToken {
    pub(crate) expires: Timestamp,
    /// The session that the sign-in began.
    pub(crate) handle: SessionHandle,
    pub(crate) user: UserId,
}

redacted!(VisitorToken);

impl Token for SessionToken {
    const SIZE: usize = Timestamp::SIZE + 2 + SessionId::SIZE;

    fn encode(&self) -> Vec<u8> {
        [&self.expires.to_bytes()[..], &self.shard.0.to_be_bytes(), self.id.as_bytes()].concat()
    }

    fn decode(plain: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(plain, "session token");
        let expires = Timestamp::from_bytes(reader.array()?);
        let shard = Shard(u16::from_be_bytes(reader.array()?));
        Ok(Self { expires, shard, id: SessionId::from_bytes(reader.array()?) })
    }

    fn expires(&self) -> Timestamp {
        self.expires
    }
}

impl Token for VisitorToken {
    const SIZE: usize = Timestamp::SIZE + SessionHandle::SIZE + 1 + UserId::MAX_LEN;

    fn encode(&self) -> Vec<u8> {
        let user = self.user.as_str().as_bytes();
        // A user id has at most 64 bytes, so that its length fits.
        let length = user.len().to_le_bytes()[0];
        let mut plain = [&self.expires.to_bytes()[..], self.handle.as_bytes(), &[length], user].concat();
        plain.resize(Self::SIZE, 0);
        plain
    }

    fn decode(plain: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(plain, "visitor token");
        let expires = Timestamp::from_bytes(reader.array()?);
        let handle = SessionHandle::from_bytes(reader.array()?);
        let user = UserId::new(reader.text()?).or_else(|_| reader.malformed())?;
        if reader.take(UserId::MAX_LEN - user.as_str().len())?.iter().any(|byte| *byte != 0) {
            return reader.malformed();
        }
        Ok(Self { expires, handle, user })
    }

    fn expires(&self) -> Timestamp {
        self.expires
    }
}

/// The value for a `Set-Cookie`.
pub(crate) fn seal<T: Token>(
    keys: &Keyring,
    realm: &str,
    policy: &CookiePolicy,
    kind: CookieKind,
    token: &T,
) -> String {
    let (key, nonce) = (keys.current(), nonce::<NONCE_SIZE>());
    let mut bytes = Vec::with_capacity(OVERHEAD + T::SIZE);
    bytes.push(VERSION);
    bytes.extend_from_slice(key.id().as_bytes());
    bytes.extend_from_slice(&nonce);
    let data = associated_data(realm, policy, kind, key.id());
    key.cipher(kind.purpose()).seal(&nonce, &data, &token.encode(), &mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the cookies under one name come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opened<T> {
    /// None opens, or what opens has expired.
    None,
    One(T),
    /// Several open and differ: at most one of them is this browser's, and nobody can tell which.
    Several(Vec<T>),
}

/// Opens all candidates; the same token twice is one.
pub(crate) fn open<T: Token>(
    keys: &Keyring,
    realm: &str,
    policy: &CookiePolicy,
    kind: CookieKind,
    candidates: &Candidates,
    now: Timestamp,
) -> Opened<T> {
    let mut opened: Vec<T> = Vec::new();
    for candidate in candidates.iter() {
        match open_one::<T>(keys, realm, policy, kind, candidate) {
            Ok(token) if token.expires() <= now => telemetry::cookie_refused("expired"),
            Ok(token) if !opened.contains(&token) => opened.push(token),
            Ok(_) => {}
            Err(why) => telemetry::cookie_refused(why),
        }
    }
    match opened.len() {
        0 | 1 => opened.pop().map_or(Opened::None, Opened::One),
        _ => {
            telemetry::two_cookies();
            Opened::Several(opened)
        }
    }
}

fn open_one<T: Token>(
    keys: &Keyring,
    realm: &str,
    policy: &CookiePolicy,
    kind: CookieKind,
    candidate: &[u8],
) -> Result<T, &'static str> {
    let bytes = URL_SAFE_NO_PAD.decode(candidate).map_err(|_| "not base64url")?;
    let malformed = |_| "malformed";
    let mut reader = Reader::new(&bytes, "sealed cookie");
    if reader.byte().map_err(malformed)? != VERSION {
        return Err("unknown version");
    }
    let key_id = KeyId::from_bytes(reader.array().map_err(malformed)?);
    let nonce = reader.array().map_err(malformed)?;
    let key = match keys.find(key_id) {
        Known::Opens(key) => key,
        Known::Refused => return Err("sealed under a refused key"),
        Known::Unknown => return Err("sealed under an unknown key"),
    };
    let data = associated_data(realm, policy, kind, key_id);
    let plain = key.cipher(kind.purpose()).open(&nonce, &data, reader.rest()).ok_or("does not open")?;
    if plain.len() != T::SIZE {
        return Err("malformed");
    }
    T::decode(&plain).map_err(malformed)
}

fn associated_data(realm: &str, policy: &CookiePolicy, kind: CookieKind, key: KeyId) -> AssociatedData {
    AssociatedData::new(kind.purpose().label())
        .field(realm.as_bytes())
        .field(policy.name(kind).as_bytes())
        .field(&[VERSION])
        .field(key.as_bytes())
}

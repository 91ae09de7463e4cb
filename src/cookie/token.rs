//! What the cookies hold, and how it is sealed.
//!
//! A value is the base64url form of version (1 byte), key id (4), nonce (24), ciphertext and tag (16). It is bound to
//! the application's layer, the cookie's name, its purpose, version and key. The plaintext has a fixed size for each
//! purpose, so that its length tells nothing, and begins with its own expiry.

use super::base64url;
use super::policy::{CookieKind, CookiePolicy};
use super::scan::Candidates;
use crate::clock::Timestamp;
use crate::id::{Epoch, KeyId, SessionHandle, SessionId, Shard, UserDigest, UserId, nonce, redacted};
use crate::keyring::{AssociatedData, Keyring, Known, NONCE_SIZE, TAG_SIZE};
use crate::record::{Malformed, Reader};
use crate::telemetry;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const VERSION: u8 = 1;
const OVERHEAD: usize = 1 + KeyId::SIZE + NONCE_SIZE + TAG_SIZE;
/// Room for the longest value, before base64, and for a byte more: what is too long is seen to be.
const ROOM: usize = OVERHEAD + VisitorToken::SIZE + 1;

/// What a kind of cookie holds.
pub(crate) trait Token: Sized + PartialEq {
    /// Bytes of its plaintext.
    const SIZE: usize;
    /// Characters of its sealed form: four for three bytes, with no bits to spare in the last, so that every value has one spelling.
    const SEALED_LEN: usize = {
        let bytes = OVERHEAD + Self::SIZE;
        assert!(bytes.is_multiple_of(3), "the last character of the sealed form has bits to spare");
        bytes / 3 * 4
    };

    fn encode(&self) -> Vec<u8>;
    fn decode(plain: &[u8]) -> Result<Self, Malformed>;
    fn expires(&self) -> Timestamp;
}

/// Which session this browser has. In the anonymous cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionToken {
    pub(crate) expires: Timestamp,
    pub(crate) shard: Shard,
    pub(crate) id: SessionId,
}

redacted!(SessionToken);

/// Which signed-in session this browser has, and whose, so that it can be ended without being read. In the signed-in
/// cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoginToken {
    pub(crate) expires: Timestamp,
    pub(crate) id: SessionId,
    pub(crate) login: Login,
}

redacted!(LoginToken);

/// Whose a signed-in session is, and its public name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: UserDigest,
    pub(crate) handle: SessionHandle,
}

redacted!(Login);

/// Who this browser belongs to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct VisitorToken {
    pub(crate) expires: Timestamp,
    /// When the user signed in: a lifetime that was lowered since holds at once.
    pub(crate) issued: Timestamp,
    /// The session that the sign-in began.
    pub(crate) login: Login,
    /// The user's epoch at the sign-in.
    pub(crate) stamp: Epoch,
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

impl Token for LoginToken {
    const SIZE: usize = Timestamp::SIZE + SessionId::SIZE + Login::SIZE;

    fn encode(&self) -> Vec<u8> {
        [&self.expires.to_bytes()[..], self.id.as_bytes(), &self.login.encode()].concat()
    }

    fn decode(plain: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(plain, "login token");
        let expires = Timestamp::from_bytes(reader.array()?);
        let id = SessionId::from_bytes(reader.array()?);
        Ok(Self { expires, id, login: Login::read(&mut reader)? })
    }

    fn expires(&self) -> Timestamp {
        self.expires
    }
}

impl Login {
    const SIZE: usize = UserDigest::SIZE + SessionHandle::SIZE;

    fn encode(&self) -> Vec<u8> {
        [self.user.as_bytes(), &self.handle.as_bytes()[..]].concat()
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let user = UserDigest::from_bytes(reader.array()?);
        Ok(Self { user, handle: SessionHandle::from_bytes(reader.array()?) })
    }
}

impl VisitorToken {
    /// The longest user id, and what it takes for a text in which no bit is to spare.
    const USER: usize = UserId::MAX_LEN + 2;
}

impl Token for VisitorToken {
    const SIZE: usize = 2 * Timestamp::SIZE + Login::SIZE + Timestamp::SIZE + 1 + Self::USER;

    fn encode(&self) -> Vec<u8> {
        let user = self.user.as_str().as_bytes();
        // A user id has at most 64 bytes, so that its length fits.
        let length = user.len().to_le_bytes()[0];
        let times = [self.expires.to_bytes(), self.issued.to_bytes()];
        let stamp = self.stamp.to_bytes();
        let mut plain = [times.as_flattened(), &self.login.encode(), &stamp, &[length], user].concat();
        plain.resize(Self::SIZE, 0);
        plain
    }

    fn decode(plain: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(plain, "visitor token");
        let expires = Timestamp::from_bytes(reader.array()?);
        let issued = Timestamp::from_bytes(reader.array()?);
        let login = Login::read(&mut reader)?;
        let stamp = Epoch::from_bytes(reader.array()?);
        let user = UserId::of_text(reader.text()?).or_else(|_| reader.malformed())?;
        let spare = Self::USER - user.as_str().len();
        if reader.take(spare)? != &[0; Self::USER][..spare] {
            return reader.malformed();
        }
        Ok(Self { expires, issued, login, stamp, user })
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

impl<T: PartialEq> Opened<T> {
    /// One more; the same twice is one.
    fn with(self, token: T) -> Self {
        match self {
            Self::None => Self::One(token),
            Self::One(known) if known == token => Self::One(known),
            Self::One(known) => Self::Several(vec![known, token]),
            Self::Several(mut known) => {
                if !known.contains(&token) {
                    known.push(token);
                }
                Self::Several(known)
            }
        }
    }
}

impl<T> Opened<T> {
    pub(crate) fn map<U>(self, f: impl Fn(T) -> U) -> Opened<U> {
        match self {
            Self::None => Opened::None,
            Self::One(token) => Opened::One(f(token)),
            Self::Several(tokens) => Opened::Several(tokens.into_iter().map(f).collect()),
        }
    }
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
    let mut opened = Opened::None;
    for candidate in candidates.iter() {
        match open_one::<T>(keys, realm, policy, kind, candidate) {
            Ok(token) if token.expires() <= now => telemetry::cookie_refused("expired"),
            Ok(token) => opened = opened.with(token),
            Err(why) => telemetry::cookie_refused(why),
        }
    }
    if matches!(opened, Opened::Several(_)) {
        telemetry::two_cookies();
    }
    opened
}

fn open_one<T: Token>(
    keys: &Keyring,
    realm: &str,
    policy: &CookiePolicy,
    kind: CookieKind,
    candidate: &[u8],
) -> Result<T, &'static str> {
    let mut room = [0; ROOM];
    let bytes = base64url::decode(candidate, &mut room).ok_or("not base64url")?;
    let malformed = |_| "malformed";
    let ([version, head @ ..], sealed) = bytes.split_first_chunk_mut::<{ OVERHEAD - TAG_SIZE }>().ok_or("malformed")?;
    if *version != VERSION {
        return Err("unknown version");
    }
    let mut head = Reader::new(head, "sealed cookie");
    let key_id = KeyId::from_bytes(head.array().map_err(malformed)?);
    let nonce = head.array().map_err(malformed)?;
    let key = match keys.find(key_id) {
        Known::Opens(key) => key,
        Known::Refused => return Err("sealed under a refused key"),
        Known::Unknown => return Err("sealed under an unknown key"),
    };
    let data = associated_data(realm, policy, kind, key_id);
    let plain = key.cipher(kind.purpose()).open_in_place(&nonce, &data, sealed).ok_or("does not open")?;
    if plain.len() != T::SIZE {
        return Err("malformed");
    }
    T::decode(plain).map_err(malformed)
}

fn associated_data(realm: &str, policy: &CookiePolicy, kind: CookieKind, key: KeyId) -> AssociatedData {
    AssociatedData::new(kind.purpose().label())
        .field(realm.as_bytes())
        .field(policy.name(kind).as_bytes())
        .field(&[VERSION])
        .field(key.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::scan::{Wanted, scan};
    use super::*;
    use crate::keyring::{Purpose, Secret};
    use proptest::prelude::*;
    use std::time::Duration;

    const LASTING: &str = "kH2mS0xg2nGgJr9qS4mZbKk0tq8pQ1w7c3eVhX5yUzo=";
    const CURRENT: &str = "3p1mJ7yqk0Vb9GmC2tX8sR5dLw6uNf4hQzE1aYoKxIc=";
    const OTHER: &str = "Zr8Qw2Lk5TnXv0JcBy7Hm4PfGs1DaUe9KoRi6NxStVg=";

    /// Cookies made once, of every kind and with both sorts of name: what was sealed must open for ever.
    const FROZEN: [(&str, CookieKind, &str); 4] = [
        (
            "",
            CookieKind::Visitor,
            "AXyIvNGFgvewD9IZPIcHlhHfsehhGJOknTSKrjiWaKLDKdvhael9k4w6fQrgfCwvtz8Mt6Uf0hDWI6YEhnHGYV4Fez\
             4tVvM2-fa0Iy5dLhZYAiPHu8CRxuxJDgGE-gjRsjgwekqnxOBK_d4fVOw9flWE-BmCftZnij1tVRcZ3Ek_gM8xTB1F\
             kjIDB3jqm8Nel_2iiy4P97rvRtxgYGStJvPJ",
        ),
        (
            "",
            CookieKind::Anonymous,
            "AXyIvNEibhenCGJyrt4mbJEN30Apx67bY61ADvxt4jxRskLZ43fZMsR-B1g0oqsDmw0t0T2yqOk55qe2lqTyWjJOp8g2",
        ),
        (
            "",
            CookieKind::SignedIn,
            "AXyIvNFi54CKjf3t9wOXxiP0zYKnmICYdIGTvBFKIOdnHpZNy_hYXXSlavaKYiunTlPuJDCj8sgf1fUzuz4wveuc6E\
             T3rnDxm5DQobh2uvHLN7IIDhEBjeTBvlilgT-aW5Rf",
        ),
        (
            "admin",
            CookieKind::SignedIn,
            "AXyIvNF3HAEspJFkRY1kY7yjnpDmjY_n6yld3n-MzBhHyHTNlLcp_5z3s7H0NTHZSkMLNByMmQVt0cufvW8Pj6X7bH\
             MRQWkIKgON6qhkgcakkY-NjjwcvzOjjWoXvmjqsi5O",
        ),
    ];

    fn secret(text: &str) -> Secret {
        Secret::from_base64(text).unwrap()
    }

    fn keys() -> Keyring {
        Keyring::new(secret(LASTING), secret(CURRENT)).unwrap()
    }

    fn moment() -> Timestamp {
        Timestamp::from_millis(2_000_000_000_000)
    }

    fn session_token() -> SessionToken {
        SessionToken { expires: moment(), shard: Shard(0xabcd), id: SessionId::from_bytes(*b"a session's id..") }
    }

    fn login() -> Login {
        Login {
            user: UserDigest::from_bytes(*b"a user's digest."),
            handle: SessionHandle::from_bytes(*b"a session handle"),
        }
    }

    fn login_token() -> LoginToken {
        LoginToken { expires: moment(), id: SessionId::from_bytes(*b"a session's id.."), login: login() }
    }

    fn visitor_token() -> VisitorToken {
        let (stamp, user) = (Epoch::from_u64(1_999_999_999_999), UserId::new("ada").unwrap());
        let issued = Timestamp::from_millis(1_999_999_999_998);
        VisitorToken { expires: moment(), issued, login: login(), stamp, user }
    }

    /// A layer's cookie of one kind: what a sealed value is bound to.
    #[derive(Clone)]
    struct Place {
        keys: Keyring,
        realm: &'static str,
        policy: CookiePolicy,
        kind: CookieKind,
    }

    impl Place {
        fn of(realm: &'static str, kind: CookieKind) -> Self {
            Self { keys: keys(), realm, policy: CookiePolicy::new(realm), kind }
        }

        fn seal(&self, token: &impl Token) -> String {
            seal(&self.keys, self.realm, &self.policy, self.kind, token)
        }

        fn open_one<T: Token>(&self, text: impl AsRef<[u8]>) -> Result<T, &'static str> {
            open_one(&self.keys, self.realm, &self.policy, self.kind, text.as_ref())
        }

        /// As the layer does it, with all values that came under the cookie's name.
        fn open<T: Token>(&self, values: &[&str], now: Timestamp) -> Opened<T> {
            let name = self.policy.name(self.kind);
            let header = values.iter().map(|value| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
            let [found] = scan([header.as_bytes()].into_iter(), [Wanted { name, length: T::SEALED_LEN }]);
            open(&self.keys, self.realm, &self.policy, self.kind, &found, now)
        }

        /// Whether it is accepted as what this kind of cookie holds.
        fn opens(&self, text: impl AsRef<[u8]>) -> bool {
            match self.kind {
                CookieKind::Visitor => self.open_one::<VisitorToken>(text).is_ok(),
                CookieKind::Anonymous => self.open_one::<SessionToken>(text).is_ok(),
                CookieKind::SignedIn => self.open_one::<LoginToken>(text).is_ok(),
            }
        }
    }

    fn frozen() -> impl Iterator<Item = (Place, &'static str)> {
        FROZEN.into_iter().map(|(realm, kind, text)| (Place::of(realm, kind), text))
    }

    /// A plaintext of any bytes, in the place of a `T`: what only who has the key could seal.
    #[derive(PartialEq)]
    struct Forged(Vec<u8>);

    impl Token for Forged {
        const SIZE: usize = 0;

        fn encode(&self) -> Vec<u8> {
            self.0.clone()
        }

        fn decode(_: &[u8]) -> Result<Self, Malformed> {
            unreachable!("forged tokens are opened as real ones")
        }

        fn expires(&self) -> Timestamp {
            moment()
        }
    }

    #[test]
    fn frozen_cookies_open() {
        for (place, text) in frozen() {
            match place.kind {
                CookieKind::Visitor => assert_eq!(place.open_one(text), Ok(visitor_token())),
                CookieKind::Anonymous => assert_eq!(place.open_one(text), Ok(session_token())),
                CookieKind::SignedIn => assert_eq!(place.open_one(text), Ok(login_token())),
            }
        }
    }

    #[test]
    fn every_sealed_value_has_the_length_that_is_looked_for() {
        for length in 1..=UserId::MAX_LEN {
            let visitor = VisitorToken { user: UserId::new("u".repeat(length)).unwrap(), ..visitor_token() };
            let place = Place::of("", CookieKind::Visitor);
            let text = place.seal(&visitor);
            assert_eq!(text.len(), VisitorToken::SEALED_LEN);
            assert_eq!(place.open_one(text), Ok(visitor));
        }
        assert_eq!(Place::of("", CookieKind::Anonymous).seal(&session_token()).len(), SessionToken::SEALED_LEN);
        assert_eq!(Place::of("", CookieKind::SignedIn).seal(&login_token()).len(), LoginToken::SEALED_LEN);
        let lengths = [VisitorToken::SEALED_LEN, SessionToken::SEALED_LEN, LoginToken::SEALED_LEN];
        assert_eq!(lengths, [216, 92, 132]);
        // No bits to spare in the last character: every value has one spelling.
        assert_eq!(lengths.map(|length| length % 4), [0; 3]);
    }

    #[test]
    fn no_two_seals_of_one_token_are_alike() {
        let place = Place::of("", CookieKind::Anonymous);
        assert_ne!(place.seal(&session_token()), place.seal(&session_token()));
    }

    #[test]
    fn every_flip_of_one_bit_is_refused() {
        for (place, text) in frozen() {
            let bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(!place.opens(URL_SAFE_NO_PAD.encode(flipped)), "{:?}, bit {bit}", place.kind);
            }
        }
    }

    #[test]
    fn every_substitution_of_one_character_is_refused() {
        for (place, text) in frozen() {
            for at in 0..text.len() {
                let mut bytes = text.as_bytes().to_vec();
                for other in (0..=u8::MAX).filter(|other| *other != text.as_bytes()[at]) {
                    bytes[at] = other;
                    assert!(!place.opens(&bytes), "{:?}, {other:#04x} at {at}", place.kind);
                }
            }
        }
    }

    #[test]
    fn a_shorter_or_longer_text_is_refused() {
        for (place, text) in frozen() {
            for length in 0..text.len() {
                assert!(!place.opens(&text[..length]), "{:?}, cut to {length}", place.kind);
                assert!(!place.opens(&text[text.len() - length..]), "{:?}, the last {length}", place.kind);
            }
            for byte in 0..=u8::MAX {
                assert!(!place.opens([text.as_bytes(), &[byte]].concat()), "{:?}, then {byte:#04x}", place.kind);
                assert!(!place.opens([&[byte], text.as_bytes()].concat()), "{:?}, after {byte:#04x}", place.kind);
            }
            for more in ["=", "==", "===", "AAAA", "\r\n", "%3D", text] {
                assert!(!place.opens(format!("{text}{more}")), "{:?}, then {more:?}", place.kind);
            }
        }
    }

    #[test]
    fn bytes_before_the_seal_and_after_it_are_refused() {
        for (place, text) in frozen() {
            let bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
            for length in 0..bytes.len() {
                assert!(!place.opens(URL_SAFE_NO_PAD.encode(&bytes[..length])), "{:?}, cut to {length}", place.kind);
            }
            for more in 1..=2 * TAG_SIZE {
                let longer = [&bytes, &vec![0; more][..]].concat();
                assert!(!place.opens(URL_SAFE_NO_PAD.encode(longer)), "{:?}, {more} more", place.kind);
            }
        }
    }

    #[test]
    fn another_spelling_of_the_same_bytes_is_refused() {
        for (place, text) in frozen() {
            let bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
            let standard = base64::engine::general_purpose::STANDARD.encode(bytes);
            assert!(standard != text, "the frozen cookies tell both alphabets apart");
            assert!(!place.opens(standard));
            assert!(!place.opens(format!("\"{text}\"")));
            assert!(!place.opens(text.to_lowercase()) && !place.opens(text.to_uppercase()));
        }
    }

    #[test]
    fn a_tag_of_zeros_is_refused() {
        for (place, text) in frozen() {
            let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
            let tag = bytes.len() - TAG_SIZE;
            bytes[tag..].fill(0);
            assert!(!place.opens(URL_SAFE_NO_PAD.encode(&bytes)));
            bytes[1 + KeyId::SIZE..].fill(0);
            assert!(!place.opens(URL_SAFE_NO_PAD.encode(&bytes)));
        }
    }

    /// The same plaintext in every place, so that nothing but the place can make the difference.
    #[test]
    fn a_value_opens_in_its_own_place_only() {
        let both = [keys(), Keyring::new(secret(LASTING), secret(OTHER)).unwrap()];
        let mut places = Vec::new();
        for keys in both {
            for realm in ["", "admin", "admin-"] {
                for policy in [CookiePolicy::new(""), CookiePolicy::new("admin"), plain_http()] {
                    let place = |kind| Place { keys: keys.clone(), realm, policy: policy.clone(), kind };
                    places.extend(CookieKind::ALL.map(place));
                }
            }
        }
        for (sealed_in, from) in places.iter().enumerate() {
            let text = from.seal(&session_token());
            for (opened_in, to) in places.iter().enumerate() {
                assert_eq!(to.open_one::<SessionToken>(&text).is_ok(), sealed_in == opened_in);
            }
        }
    }

    /// Under the same associated data, so that nothing but the derived key can make the difference.
    #[test]
    fn what_another_purpose_sealed_does_not_open() {
        for (place, _) in frozen() {
            for purpose in [Purpose::Visitor, Purpose::Anonymous, Purpose::SignedIn, Purpose::Record] {
                let (key, nonce) = (place.keys.current(), nonce::<NONCE_SIZE>());
                let data = associated_data(place.realm, &place.policy, place.kind, key.id());
                let plain = match place.kind {
                    CookieKind::Visitor => visitor_token().encode(),
                    CookieKind::Anonymous => session_token().encode(),
                    CookieKind::SignedIn => login_token().encode(),
                };
                let mut bytes = [&[VERSION], &key.id().as_bytes()[..], &nonce].concat();
                key.cipher(purpose).seal(&nonce, &data, &plain, &mut bytes);
                assert_eq!(place.opens(URL_SAFE_NO_PAD.encode(bytes)), purpose == place.kind.purpose(), "{purpose:?}");
            }
        }
    }

    fn plain_http() -> CookiePolicy {
        let mut policy = CookiePolicy::new("");
        policy.insecure = true;
        policy.rename("");
        policy
    }

    #[test]
    fn a_cookie_opens_until_it_expires() {
        opens_until_it_expires(CookieKind::Anonymous, &session_token());
        opens_until_it_expires(CookieKind::SignedIn, &login_token());
        opens_until_it_expires(CookieKind::Visitor, &visitor_token());
    }

    fn opens_until_it_expires<T: Token>(kind: CookieKind, token: &T) {
        let place = Place::of("", kind);
        let text = place.seal(token);
        let just_before = Timestamp::from_millis(2_000_000_000_000 - 1);
        assert!(matches!(place.open::<T>(&[&text], just_before), Opened::One(found) if found == *token));
        for late in [moment(), moment().plus(Duration::from_millis(1)), moment().plus(Duration::MAX)] {
            assert!(matches!(place.open::<T>(&[&text], late), Opened::None));
        }
    }

    #[test]
    fn former_and_future_keys_open_and_unknown_or_refused_ones_do_not() {
        let place = Place::of("", CookieKind::Anonymous);
        let text = place.seal(&session_token());
        let with = |keys: Keyring| Place { keys, ..place.clone() }.open_one::<SessionToken>(&text);
        let other = || Keyring::new(secret(LASTING), secret(OTHER)).unwrap();
        assert_eq!(with(other().also_opening(secret(CURRENT)).unwrap()), Ok(session_token()));
        assert_eq!(with(other()), Err("sealed under an unknown key"));
        assert_eq!(with(other().refusing(secret(CURRENT)).unwrap()), Err("sealed under a refused key"));
        // A lasting secret places users; it opens nothing.
        assert_eq!(with(Keyring::new(secret(CURRENT), secret(OTHER)).unwrap()), Err("sealed under an unknown key"));
    }

    #[test]
    fn the_version_is_looked_at_first() {
        let (place, text) = frozen().next().unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
        bytes[0] = VERSION + 1;
        assert_eq!(place.open_one::<VisitorToken>(URL_SAFE_NO_PAD.encode(bytes)), Err("unknown version"));
    }

    #[test]
    fn a_sealed_plaintext_that_is_not_exactly_a_token_is_refused() {
        let place = Place::of("", CookieKind::Visitor);
        let plain = visitor_token().encode();
        let user = 3 * Timestamp::SIZE + Login::SIZE;
        let changed = |at: usize, byte: u8| {
            let mut plain = plain.clone();
            plain[at] = byte;
            plain
        };
        let padding = user + 1 + "ada".len();
        let mut forged: Vec<_> = (padding..VisitorToken::SIZE).map(|at| changed(at, 1)).collect();
        forged.extend([0, 1, 2, 65, 127, 128, 131, 255].map(|length| changed(user, length)));
        forged.push(changed(user + 1, 0xff));
        forged.extend([plain[..plain.len() - 1].to_vec(), [&plain[..], &[0]].concat(), Vec::new()]);
        // The right length, written in two bytes.
        forged.push([&plain[..user], &[0x83, 0], &plain[user + 1..plain.len() - 1]].concat());
        for plain in forged {
            let text = place.seal(&Forged(plain.clone()));
            assert_eq!(place.open_one::<VisitorToken>(text), Err("malformed"), "{plain:?}");
        }
        let text = place.seal(&Forged(plain));
        assert_eq!(place.open_one::<SessionToken>(&text), Err("malformed"));
        assert_eq!(place.open_one(&text), Ok(visitor_token()));
    }

    #[test]
    fn equal_tokens_are_one_and_different_ones_are_several() {
        let place = Place::of("", CookieKind::Anonymous);
        let (mine, theirs) = (session_token(), SessionToken { shard: Shard(1), ..session_token() });
        let [first, again, planted] = [&mine, &mine, &theirs].map(|token| place.seal(token));
        let junk = "A".repeat(SessionToken::SEALED_LEN);
        let open = |values: &[&str]| place.open::<SessionToken>(values, Timestamp::default());
        assert_eq!(open(&[&first, &again]), Opened::One(mine));
        assert_eq!(open(&[&junk, &first, &junk, &again]), Opened::One(mine));
        assert_eq!(open(&[&first, &planted, &again]), Opened::Several(vec![mine, theirs]));
        assert_eq!(open(&[&junk]), Opened::None);
        assert_eq!(open(&[]), Opened::None);
    }

    proptest! {
        #[test]
        fn random_bytes_are_refused_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let place = Place::of("", CookieKind::SignedIn);
            prop_assert!(!place.opens(&bytes));
            let with_a_true_head = [&[VERSION], &place.keys.current().id().as_bytes()[..], &bytes].concat();
            prop_assert!(!place.opens(URL_SAFE_NO_PAD.encode(with_a_true_head)));
        }

        #[test]
        fn a_plaintext_of_any_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            prop_assert_eq!(SessionToken::decode(&bytes).is_ok(), bytes.len() >= SessionToken::SIZE);
            let _ = VisitorToken::decode(&bytes);
        }
    }
}

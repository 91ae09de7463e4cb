//! What reads bytes of strangers, to be fed with any: each of these panics if a property does not hold. `fuzz/` and
//! `tests/fuzzing` drive them.

use crate::archive::EndedSession;
use crate::clock::Timestamp;
use crate::cookie::{self, CookieKind, CookiePolicy, LoginToken, Opened, SessionToken, Token, VisitorToken, Wanted};
use crate::data::{self, MESSAGE_PACK, UserSessionData};
use crate::id::{Digest, SessionHandle, UserDigest, UserId};
use crate::keyring::{Keyring, Secret};
use crate::record::{Body, EndReason, Entry, Malformed, Marker, Parted, Past, Slot, UserBody};
use crate::sealing::{self, Place};
use crate::store::{Outgoing, Owner, Revocation};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::LazyLock;
use uuid::Uuid;

const NAME: &str = "__Host-Http-session";

/// Always the same, so that a corpus can hold cookies that open.
static KEYS: LazyLock<Keyring> = LazyLock::new(|| {
    let secret = |text| Secret::from_base64(text).expect("it is one");
    let lasting = secret("kH2mS0xg2nGgJr9qS4mZbKk0tq8pQ1w7c3eVhX5yUzo=");
    Keyring::new(lasting, secret("3p1mJ7yqk0Vb9GmC2tX8sR5dLw6uNf4hQzE1aYoKxIc=")).expect("they differ")
});

/// The values of `Cookie` headers, one a line: what is found in them is what the grammar says, read character by character.
pub fn scanner(data: &[u8]) {
    for length in [1, 4] {
        let headers = || data.split(|byte| *byte == b'\n');
        let [found, other] = cookie::scan(headers(), [Wanted { name: NAME, length }, Wanted { name: "a", length }]);
        for (found, name) in [(found, NAME), (other, "a")] {
            let expected = headers().flat_map(|header| by_the_grammar(header, name.as_bytes()));
            let expected: Vec<_> = expected.filter(|value| value.len() == length).take(4).collect();
            assert!(found.iter().eq(expected.iter().map(Vec::as_slice)), "{name} in {}", data.escape_ascii());
        }
    }
}

/// RFC 6265bis, section 5.6, for the receiving side: pairs end at a semicolon, names at the first equals sign, and space and tab
/// around a pair are not of it.
fn by_the_grammar(header: &[u8], wanted: &[u8]) -> Vec<Vec<u8>> {
    let (mut values, mut name, mut value, mut in_value) = (Vec::new(), Vec::new(), Vec::new(), false);
    for byte in header.iter().chain(b";") {
        match byte {
            b';' => {
                // What is left out at the end was kept until here, as more could have followed.
                let pair = if in_value { &mut value } else { &mut name };
                while pair.last().is_some_and(|last: &u8| matches!(last, b' ' | b'\t')) {
                    pair.pop();
                }
                if in_value && name == wanted {
                    values.push(value.clone());
                }
                name.clear();
                value.clear();
                in_value = false;
            }
            b'=' if !in_value => in_value = true,
            b' ' | b'\t' if !in_value && name.is_empty() => {}
            byte if in_value => value.push(*byte),
            byte => name.push(*byte),
        }
    }
    values
}

/// Anything as the value of each cookie: what does not carry our tag does not open.
pub fn opener(data: &[u8]) {
    let policy = CookiePolicy::new("");
    opens_none::<SessionToken>(&policy, CookieKind::Anonymous, data);
    opens_none::<LoginToken>(&policy, CookieKind::SignedIn, data);
    opens_none::<VisitorToken>(&policy, CookieKind::Visitor, data);
}

fn opens_none<T: Token>(policy: &CookiePolicy, kind: CookieKind, data: &[u8]) {
    assert!(matches!(open::<T>(policy, kind, data), Opened::None), "{kind:?}: {}", data.escape_ascii());
}

/// A cookie of any length but none, as if the scanner had let it through.
fn open<T: Token>(policy: &CookiePolicy, kind: CookieKind, value: &[u8]) -> Opened<T> {
    if value.is_empty() {
        return Opened::None;
    }
    let header = [policy.name(kind).as_bytes(), b"=", value].concat();
    let [found] = cookie::scan([&header[..]].into_iter(), [Wanted { name: policy.name(kind), length: value.len() }]);
    cookie::open(&KEYS, "", policy, kind, &found, Timestamp::default())
}

/// Anything as the plaintext of each cookie, under our own tag: it is refused, or it is a token that comes back.
pub fn sealed(data: &[u8]) {
    let policy = CookiePolicy::new("");
    comes_back::<SessionToken>(&policy, CookieKind::Anonymous, data);
    comes_back::<LoginToken>(&policy, CookieKind::SignedIn, data);
    comes_back::<VisitorToken>(&policy, CookieKind::Visitor, data);
}

fn comes_back<T: Token>(policy: &CookiePolicy, kind: CookieKind, data: &[u8]) {
    let mut fitting = data.to_vec();
    fitting.resize(T::SIZE, 0);
    for plain in [data, &fitting] {
        let value = cookie::seal(&KEYS, "", policy, kind, &Raw::<T>(plain.to_vec(), PhantomData));
        let Opened::One(token) = open::<T>(policy, kind, value.as_bytes()) else { continue };
        assert_eq!(plain.len(), T::SIZE, "{kind:?}");
        let again = T::decode(&token.encode());
        assert!(again.is_ok_and(|again| again == token), "{kind:?}: {}", data.escape_ascii());
    }
}

/// A token whose plaintext is anything.
struct Raw<T>(Vec<u8>, PhantomData<T>);

impl<T> PartialEq for Raw<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: Token> Token for Raw<T> {
    const SIZE: usize = T::SIZE;

    fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn decode(plain: &[u8]) -> Result<Self, Malformed> {
        Ok(Self(plain.to_vec(), PhantomData))
    }

    fn expires(&self) -> Timestamp {
        Timestamp::default()
    }
}

/// Anything as what a store answers, as what was sealed in it, and as a value: it is refused, or it comes back.
pub fn record(data: &[u8]) {
    if let Ok(entry) = Entry::from_bytes(data)
        && let Ok((header, rest)) = entry.parse()
    {
        let place = Place { realm: "", digest: Digest::from_bytes([7; 16]) };
        let opened = sealing::open(&KEYS, place, &header, rest);
        assert!(!matches!(opened, Ok(sealing::Opened::Body(_))), "nobody has sealed {}", data.escape_ascii());
        assert!(sealing::open_user_session(&KEYS, place, &header, rest).is_err());
        let ended = entry.ended(&Marker::ended(EndReason::SignedOut));
        assert!(!ended.is_live() && ended.parse().is_ok_and(|(of, _)| of.knows(header.write_id)));
    }
    if let Ok(body) = Body::decode(data) {
        assert!(Body::decode(&body.encode()).is_ok_and(|again| again == body));
    }
    if let Ok(past) = Past::decode(Uuid::nil(), data) {
        assert!(Past::decode(Uuid::nil(), &past.encode()).is_ok_and(|again| again == past));
        let _ = EndedSession::of_user_session(&past);
    }
    if let Ok(parted) = Parted::decode(data) {
        assert_eq!(parted.encode(), data);
        let outgoing = Outgoing { id: Uuid::nil(), sealed: [&[Outgoing::PARTED][..], data].concat() };
        assert!(sealing::open_outgoing(&KEYS, "", &outgoing).is_err(), "nobody has sealed {}", data.escape_ascii());
    }
    if let Ok(body) = UserBody::decode(data) {
        assert!(UserBody::decode(&body.encode()).is_ok_and(|again| again == body));
    }
    if let Ok(news) = Revocation::from_bytes(data) {
        assert_eq!(Revocation::from_bytes(&news.to_bytes()), Ok(news));
    }
    value(data);
}

/// Lists, maps, text, numbers and nothing.
#[derive(Default)]
struct Value(Inner);

type Inner = Vec<(String, Option<BTreeMap<String, i64>>, Option<f32>)>;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Inner::deserialize(deserializer).map(Self)
    }
}

impl UserSessionData for Value {
    const KIND: &'static str = "value";
}

/// Anything as the bytes of a slot, read as a type and as JSON for the archive.
fn value(data: &[u8]) {
    let bytes = data.to_vec();
    let slot = Slot { name: Value::KIND.into(), version: 1, codec: MESSAGE_PACK, drop_at_sign_in: false, bytes };
    if let Ok(value) = data::read::<Value>(&slot) {
        assert!(data::encode(&value).is_ok());
    }
    let created = Timestamp::default();
    let user = UserId::new("user").expect("it is short");
    let body = UserBody { created, user, updates: 1, idle: std::time::Duration::ZERO, is_completing: false, slot };
    let past = Past { id: Uuid::nil(), reason: EndReason::Completed, ended: created, body };
    if let Ok(ended) = EndedSession::of_user_session(&past) {
        assert!(ended.decode::<serde_json::Value>().is_ok(), "it is JSON: {}", ended.payload);
    }
}

/// Anything as a secret, as the handle of a session, as a user's id and as a member of an index.
pub fn keys(data: &[u8]) {
    let _ = Secret::from_bytes(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Secret::from_base64(text);
        if let Ok(handle) = text.parse::<SessionHandle>() {
            assert_eq!(handle.to_string(), text.to_lowercase());
        }
        assert_eq!(UserId::new(text).is_ok(), (1..=UserId::MAX_LEN).contains(&text.len()));
    }
    let owner = Owner::new("", UserDigest::from_bytes([7; 16]));
    if let Ok(member) = owner.member(data) {
        assert_eq!(&member.to_bytes()[..], data);
    }
}

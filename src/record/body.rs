//! The part of a record that is sealed: whose session it is, and its typed slots.

use super::bytes::{Malformed, Reader, put_number, put_prefixed};
use crate::clock::Timestamp;
use crate::id::{Epoch, Label, SessionHandle, UserId, redacted};
use std::borrow::Cow;

/// A session's content.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) created: Timestamp,
    /// Who is signed in; none for an anonymous session.
    pub(crate) authentication: Option<Authentication>,
    /// In the order in which they were first written; no two of one name.
    pub(crate) slots: Vec<Slot>,
}

redacted!(Body);

/// Who is signed in, and since when.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Authentication {
    pub(crate) user: UserId,
    pub(crate) handle: SessionHandle,
    /// When the user last proved who they are.
    pub(crate) at: Timestamp,
    /// The user's epoch then.
    pub(crate) stamp: Epoch,
    /// What lists of devices call it; may be empty.
    pub(crate) label: Label,
}

redacted!(Authentication);

/// One typed value, as bytes. Slots of types that this binary does not know are carried along untouched.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Borrowed from its type where it was encoded, owned where it was read.
    pub(crate) name: Cow<'static, str>,
    pub(crate) version: u32,
    pub(crate) codec: Codec,
    /// Whether it stays behind when an anonymous visitor signs in. Kept with the value, since the handler that signs
    /// in need not know its type.
    pub(crate) drop_at_sign_in: bool,
    pub(crate) bytes: Vec<u8>,
}

redacted!(Slot);

/// How a slot's bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Codec(pub(crate) u8);

const SIGNED_IN: u8 = 0b1;
const DROP_AT_SIGN_IN: u8 = 0b1000_0000;

impl Body {
    /// Sets a slot, in its old place if it had one.
    pub(crate) fn set(&mut self, slot: Slot) {
        match self.slots.iter_mut().find(|old| old.name == slot.name) {
            Some(old) => *old = slot,
            None => self.slots.push(slot),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.slots.retain(|slot| slot.name != name);
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.slots.iter().map(|slot| slot.bytes.len() + 24).sum::<usize>());
        out.push(if self.authentication.is_some() { SIGNED_IN } else { 0 });
        out.extend_from_slice(&self.created.to_bytes());
        if let Some(authentication) = &self.authentication {
            put_prefixed(&mut out, authentication.user.as_str().as_bytes());
            out.extend_from_slice(authentication.handle.as_bytes());
            out.extend_from_slice(&authentication.at.to_bytes());
            out.extend_from_slice(&authentication.stamp.to_bytes());
            put_prefixed(&mut out, authentication.label.as_str().as_bytes());
        }
        self.slots.iter().for_each(|slot| slot.put(&mut out));
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "body of a record");
        let flags = reader.byte()?;
        if flags & !SIGNED_IN != 0 {
            return reader.malformed();
        }
        let created = Timestamp::from_bytes(reader.array()?);
        let authentication = if flags == SIGNED_IN { Some(Authentication::read(&mut reader)?) } else { None };
        let mut slots = Vec::new();
        while !reader.is_empty() {
            slots.push(Slot::read(&mut reader)?);
        }
        Ok(Self { created, authentication, slots })
    }
}

impl Authentication {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let user = UserId::of_text(reader.text()?).or_else(|_| reader.malformed())?;
        let handle = SessionHandle::from_bytes(reader.array()?);
        let at = Timestamp::from_bytes(reader.array()?);
        let stamp = Epoch::from_bytes(reader.array()?);
        Ok(Self { user, handle, at, stamp, label: Label::new(reader.text()?) })
    }
}

impl Slot {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_prefixed(out, self.name.as_bytes());
        put_number(out, self.version);
        out.push(self.codec.0 | if self.drop_at_sign_in { DROP_AT_SIGN_IN } else { 0 });
        put_prefixed(out, &self.bytes);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let name = Cow::Owned(reader.text()?.to_owned());
        let version = reader.number()?;
        let flags = reader.byte()?;
        Ok(Self {
            name,
            version,
            codec: Codec(flags & !DROP_AT_SIGN_IN),
            drop_at_sign_in: flags & DROP_AT_SIGN_IN != 0,
            bytes: reader.prefixed()?.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANONYMOUS: &[u8] = b"\x00\
        \x01\xd1\xa9\x4a\x20\x00\
        \x04cart\x01\x01\x03tea\
        \x04hint\xac\x02\x81\x00";

    const SIGNED_IN_AND_EMPTY: &[u8] = b"\x01\
        \x01\xd1\xa9\x4a\x20\x00\
        \x03adaa session handle\x01\xd1\xa9\x4a\x1f\xff\
        \x00\x00\x00\x00\x00\x07\x05phone";

    fn anonymous() -> Body {
        let slot = |name, version, drop_at_sign_in, bytes: &[u8]| Slot {
            name: Cow::Borrowed(name),
            version,
            codec: Codec(1),
            drop_at_sign_in,
            bytes: bytes.to_vec(),
        };
        let slots = vec![slot("cart", 1, false, b"tea"), slot("hint", 300, true, b"")];
        Body { created: Timestamp::from_millis(2_000_000_000_000), authentication: None, slots }
    }

    fn signed_in() -> Body {
        let authentication = Authentication {
            user: UserId::new("ada").unwrap(),
            handle: SessionHandle::from_bytes(*b"a session handle"),
            at: Timestamp::from_millis(1_999_999_999_999),
            stamp: Epoch::from_u64(7),
            label: Label::new("phone"),
        };
        Body { authentication: Some(authentication), slots: Vec::new(), ..anonymous() }
    }

    #[test]
    fn frozen_bytes() {
        for (body, bytes) in [(anonymous(), ANONYMOUS), (signed_in(), SIGNED_IN_AND_EMPTY)] {
            assert_eq!(body.encode(), bytes);
            assert_eq!(Body::decode(bytes), Ok(body));
        }
    }

    #[test]
    fn a_body_that_is_cut_is_refused_or_ends_with_a_whole_slot() {
        let ends: Vec<_> = (0..=2)
            .map(|count| Body { slots: anonymous().slots[..count].to_vec(), ..anonymous() }.encode().len())
            .collect();
        for length in 0..=ANONYMOUS.len() {
            assert_eq!(Body::decode(&ANONYMOUS[..length]).is_ok(), ends.contains(&length), "{length} bytes");
        }
        for length in 0..SIGNED_IN_AND_EMPTY.len() {
            assert!(Body::decode(&SIGNED_IN_AND_EMPTY[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn flags_of_the_future_are_refused() {
        for flags in 0..=u8::MAX {
            let bytes = [&[flags], &SIGNED_IN_AND_EMPTY[1..]].concat();
            assert!(flags & !SIGNED_IN == 0 || Body::decode(&bytes).is_err(), "{flags:#010b}");
        }
    }

    #[test]
    fn a_slot_is_set_in_its_old_place_and_removed_alone() {
        let mut body = anonymous();
        body.set(Slot { version: 2, ..body.slots[0].clone() });
        body.set(Slot { name: "new".into(), ..body.slots[1].clone() });
        let names = |body: &Body| body.slots.iter().map(|slot| slot.name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&body), ["cart", "hint", "new"]);
        assert_eq!(body.slots[0].version, 2);
        body.remove("hint");
        assert_eq!(names(&body), ["cart", "new"]);
    }

    fn any_slot() -> impl Strategy<Value = Slot> {
        let bytes = proptest::collection::vec(any::<u8>(), 0..200);
        ("\\PC{1,20}", any::<u32>(), 0u8..0x80, any::<bool>(), bytes).prop_map(
            |(name, version, codec, drop_at_sign_in, bytes)| Slot {
                name: Cow::Owned(name),
                version,
                codec: Codec(codec),
                drop_at_sign_in,
                bytes,
            },
        )
    }

    fn any_body() -> impl Strategy<Value = Body> {
        let moment = || (0u64..1 << 48).prop_map(Timestamp::from_millis);
        let times = (moment(), (0u64..1 << 48).prop_map(Epoch::from_u64));
        let authentication =
            ("\\PC{1,16}", any::<[u8; 16]>(), times, "\\PC{0,80}").prop_map(|(user, handle, (at, stamp), label)| {
                Authentication {
                    user: UserId::new(user).unwrap(),
                    handle: SessionHandle::from_bytes(handle),
                    at,
                    stamp,
                    label: Label::new(&label),
                }
            });
        (moment(), proptest::option::of(authentication), proptest::collection::vec(any_slot(), 0..4))
            .prop_map(|(created, authentication, slots)| Body { created, authentication, slots })
    }

    proptest! {
        #[test]
        fn every_body_comes_back(body in any_body()) {
            prop_assert!(Body::decode(&body.encode()) == Ok(body));
        }

        #[test]
        fn a_changed_body_never_panics(body in any_body(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = body.encode();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = Body::decode(&bytes);
            let _ = Body::decode(&bytes[..at]);
        }

        #[test]
        fn bytes_of_any_kind_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
            bytes[0] &= SIGNED_IN;
            let _ = Body::decode(&bytes);
        }
    }
}

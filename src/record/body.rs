//! The part of a record that is sealed: whose session it is, and its typed slots.

use super::bytes::{Malformed, Reader, put_number, put_prefixed};
use crate::clock::Timestamp;
use crate::id::{SessionHandle, UserId, redacted};
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
        }
        for slot in &self.slots {
            put_prefixed(&mut out, slot.name.as_bytes());
            put_number(&mut out, slot.version);
            out.push(slot.codec.0 | if slot.drop_at_sign_in { DROP_AT_SIGN_IN } else { 0 });
            put_prefixed(&mut out, &slot.bytes);
        }
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
        let user = UserId::new(reader.text()?).or_else(|_| reader.malformed())?;
        let handle = SessionHandle::from_bytes(reader.array()?);
        Ok(Self { user, handle, at: Timestamp::from_bytes(reader.array()?) })
    }
}

impl Slot {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
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

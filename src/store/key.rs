//! Names of entries in a store.

use crate::id::{Digest, SessionId, Shard, UserDigest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// The name of a session's entry. Tells nothing about the session: it holds a digest of its id, or for a user session of the
/// user and the kind.
///
/// `Display` gives it as text, `ts:{tag}:s:digest`, or with an `l` for a user session. The tag in braces is the hash tag of Redis Cluster: one of 256, chosen
/// so that shard i falls into the slots 64 i to 64 i + 63, and that whatever belongs to one user stays on one node.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    realm: &'static str,
    shard: u8,
    is_lasting: bool,
    digest: Digest,
}

impl Key {
    pub(crate) fn new(realm: &'static str, shard: Shard, id: &SessionId) -> Self {
        Self { realm, shard: shard.index(), is_lasting: false, digest: id.digest(realm) }
    }

    /// Where a user has sessions of this kind, one at a time.
    pub(crate) fn of_user_session(realm: &'static str, user: &UserDigest, kind: &str) -> Self {
        let digest = user.place_of(kind, realm);
        Self { realm, shard: user.shard().index(), is_lasting: true, digest }
    }

    /// The key of a user session in a shard, by its [digest](Self::digest).
    pub fn of_user_session_digest(realm: &'static str, shard: u8, digest: [u8; 16]) -> Self {
        Self { realm, shard, is_lasting: true, digest: Digest::from_bytes(digest) }
    }

    /// The layer's name; empty unless it has one.
    pub fn realm(&self) -> &'static str {
        self.realm
    }

    /// Which of the 256 shards the entry is in.
    pub fn shard(&self) -> u8 {
        self.shard
    }

    /// The digest alone: enough of a name where shards do not matter.
    pub fn digest(&self) -> &[u8; 16] {
        self.digest.as_bytes()
    }

    fn name_of_kind(&self, kind: &str) -> String {
        Name { realm: self.realm, shard: self.shard, kind, digest: Some(self.digest()) }.text()
    }

    /// The key as text.
    pub(crate) fn name(&self) -> String {
        self.name_of_kind(if self.is_lasting { "l" } else { "s" })
    }

    pub(crate) fn session_digest(&self) -> Digest {
        self.digest
    }

    /// What keeps the entry once more, for the archive: `ts:{tag}:c:digest`.
    #[cfg(feature = "redis")]
    pub(crate) fn copy_name(&self) -> String {
        self.name_of_kind("c")
    }

    #[cfg(feature = "redis")]
    pub(crate) fn of_session_digest(realm: &'static str, shard: u8, digest: [u8; 16]) -> Self {
        Self::from_digest(realm, shard, Digest::from_bytes(digest))
    }

    pub(super) fn from_digest(realm: &'static str, shard: u8, digest: Digest) -> Self {
        Self { realm, shard, is_lasting: false, digest }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// `ts:{tag}:kind:digest`, with the layer's name if it has one; without a digest where there is one of a kind in a shard.
pub(super) struct Name<'a> {
    pub(super) realm: &'a str,
    pub(super) shard: u8,
    pub(super) kind: &'a str,
    pub(super) digest: Option<&'a [u8; 16]>,
}

impl Name<'_> {
    /// Put together by hand: each request to Redis names a key, and formats cost more than the digest.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(40 + self.realm.len());
        text.push_str("ts");
        if !self.realm.is_empty() {
            text.push('-');
            text.push_str(self.realm);
        }
        text.push_str(":{");
        text.extend(TAGS[usize::from(self.shard)].map(char::from));
        text.push_str("}:");
        text.push_str(self.kind);
        if let Some(digest) = self.digest {
            text.push(':');
            // 22 characters for its 16 bytes.
            URL_SAFE_NO_PAD.encode_string(digest, &mut text);
        }
        text
    }
}

/// The news of a shard, `ts:{tag}:n`.
#[cfg(feature = "redis")]
pub(crate) fn news_name(realm: &str, shard: u8) -> String {
    Name { realm, shard, kind: "n", digest: None }.text()
}

/// What has ended in a shard and waits for the archive, `ts:{tag}:o`.
#[cfg(feature = "redis")]
pub(crate) fn outbox_name(realm: &str, shard: u8) -> String {
    Name { realm, shard, kind: "o", digest: None }.text()
}

/// At which user sessions of a shard to look, and when, `ts:{tag}:d`.
#[cfg(feature = "redis")]
pub(crate) fn due_name(realm: &str, shard: u8) -> String {
    Name { realm, shard, kind: "d", digest: None }.text()
}

/// At which browsers' sessions of a shard to look, as their time may have run out, `ts:{tag}:x`.
#[cfg(feature = "redis")]
pub(crate) fn expiries_name(realm: &str, shard: u8) -> String {
    Name { realm, shard, kind: "x", digest: None }.text()
}

/// What shows that a store is still the one that it was, `ts:{tag}:mark` with the tag of the first shard.
#[cfg(feature = "redis")]
pub(crate) fn mark_name(realm: &str) -> String {
    Name { realm, shard: 0, kind: "mark", digest: None }.text()
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("shard", &self.shard).finish_non_exhaustive()
    }
}

/// For each shard the first pair of letters and digits that Redis Cluster puts into its 64 slots.
const TAGS: [[u8; 2]; 256] = tags();

const fn tags() -> [[u8; 2]; 256] {
    const ALPHABET: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut tags = [[0; 2]; 256];
    let mut pair = 0;
    while pair < 62 * 62 {
        let tag = [ALPHABET[pair / 62], ALPHABET[pair % 62]];
        let shard = (slot(tag) >> 6) as usize;
        if tags[shard][0] == 0 {
            tags[shard] = tag;
        }
        pair += 1;
    }
    let mut shard = 0;
    while shard < 256 {
        assert!(tags[shard][0] != 0, "two letters or digits reach every shard");
        shard += 1;
    }
    tags
}

/// The Redis Cluster slot of a two-byte hash tag: CRC-16/XMODEM modulo 16,384 (Redis Cluster specification, appendix A).
const fn slot(tag: [u8; 2]) -> u16 {
    let mut crc = 0u16;
    let mut i = 0;
    while i < 2 {
        crc ^= (tag[i] as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 != 0 { (crc << 1) ^ 0x1021 } else { crc << 1 };
            bit += 1;
        }
        i += 1;
    }
    crc % 16_384
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_take_their_slots_in_order() {
        for (shard, tag) in TAGS.iter().enumerate() {
            assert_eq!(usize::from(slot(*tag)) / 64, shard);
        }
    }

    /// As a division of polynomials, all bits at once: another way to the same than that which made the tags.
    #[test]
    fn slots_are_what_redis_cluster_makes_of_two_bytes() {
        for tag in 0..=u16::MAX {
            let remainder = (16..32).rev().fold(u32::from(tag) << 16, |rest, bit| {
                if rest >> bit & 1 == 1 { rest ^ (0x1_1021 << (bit - 16)) } else { rest }
            });
            assert_eq!(u32::from(slot(tag.to_be_bytes())), remainder & 0x3fff, "{tag:#06x}");
        }
    }

    #[test]
    fn each_shard_has_the_first_pair_of_its_slots() {
        let letters = || (b'0'..=b'9').chain(b'a'..=b'z').chain(b'A'..=b'Z');
        for (shard, tag) in TAGS.iter().enumerate() {
            let mut pairs = letters().flat_map(|a| letters().map(move |b| [a, b]));
            assert_eq!(pairs.find(|pair| usize::from(slot(*pair)) / 64 == shard), Some(*tag));
        }
    }

    #[test]
    fn frozen_names() {
        let id = SessionId::from_bytes([7; 16]);
        assert_eq!(Key::new("", Shard(0x0100), &id).to_string(), "ts:{14}:s:12HUBq8qSloV9nySQ3jtiA");
        assert_eq!(Key::new("admin", Shard(0xffff), &id).to_string(), "ts-admin:{1L}:s:g7TGpK94cdntyE8E5eelig");
    }

    #[test]
    fn a_key_says_where_it_is() {
        let id = SessionId::from_bytes([7; 16]);
        for (realm, shard, index) in [("", Shard(0x0100), 1), ("admin", Shard(0xffff), 255)] {
            let key = Key::new(realm, shard, &id);
            assert_eq!((key.realm(), key.shard(), key.digest()), (realm, index, id.digest(realm).as_bytes()));
        }
    }

    #[cfg(feature = "redis")]
    #[test]
    fn frozen_names_for_redis() {
        let key = Key::new("", Shard(0x0100), &SessionId::from_bytes([7; 16]));
        assert_eq!(key.name(), "ts:{14}:s:12HUBq8qSloV9nySQ3jtiA");
        assert_eq!(key.copy_name(), "ts:{14}:c:12HUBq8qSloV9nySQ3jtiA");
        let lasting = Key::of_user_session_digest("admin", 255, *key.digest());
        assert_eq!(lasting.name(), "ts-admin:{1L}:l:12HUBq8qSloV9nySQ3jtiA");
    }

    #[cfg(feature = "redis")]
    #[test]
    fn frozen_names_of_what_a_shard_has_one_of() {
        assert_eq!(news_name("", 1), "ts:{14}:n");
        assert_eq!(news_name("admin", 255), "ts-admin:{1L}:n");
        assert_eq!(outbox_name("", 1), "ts:{14}:o");
        assert_eq!(outbox_name("admin", 255), "ts-admin:{1L}:o");
        assert_eq!(due_name("", 1), "ts:{14}:d");
        assert_eq!(due_name("admin", 255), "ts-admin:{1L}:d");
        assert_eq!(expiries_name("", 1), "ts:{14}:x");
        assert_eq!(expiries_name("admin", 255), "ts-admin:{1L}:x");
        assert_eq!(mark_name(""), "ts:{4L}:mark");
        assert_eq!(mark_name("admin"), "ts-admin:{4L}:mark");
    }
}

//! What is stored, under a key: bound to its place, and to the write that made it.

mod outgoing;
mod session;
mod user_session;

pub(crate) use outgoing::{open_outgoing, seal_outgoing};
pub(crate) use session::{Opened, archival_of, open, open_destination, seal, seal_destination};
pub(crate) use user_session::{id_of_user_session, mark_user_session, open_user_session, seal_user_session};

use crate::id::{Digest, WriteId};
use crate::keyring::{AssociatedData, NONCE_SIZE};
use crate::record::FORMAT;

/// The application and the place that a record belongs to: it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) realm: &'a str,
    pub(crate) digest: Digest,
}

impl Place<'_> {
    fn data(&self, kind: &'static str) -> AssociatedData {
        AssociatedData::new(kind).field(self.realm.as_bytes()).field(self.digest.as_bytes()).field(&[FORMAT])
    }
}

fn nonce(digest: Digest, write_id: WriteId) -> [u8; NONCE_SIZE] {
    let mut nonce = [0; NONCE_SIZE];
    let (of_key, of_write) = nonce.split_at_mut(NONCE_SIZE - WriteId::SIZE);
    of_key.copy_from_slice(&digest.as_bytes()[..NONCE_SIZE - WriteId::SIZE]);
    of_write.copy_from_slice(write_id.as_bytes());
    nonce
}

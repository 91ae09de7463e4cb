//! A record's body under a key, bound to its place and to the write that made it.

use crate::clock::Timestamp;
use crate::error::{SessionError, SessionErrorKind};
use crate::id::{Digest, KeyId, WriteId};
use crate::keyring::{AssociatedData, Keyring, Known, NONCE_SIZE, Purpose};
use crate::record::{Body, Entry, FORMAT, Header, History, Malformed, State};
use crate::telemetry;

/// The application and the place that a record belongs to: it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) realm: &'a str,
    pub(crate) digest: Digest,
}

/// What opening a record comes to when nothing went wrong.
#[derive(Debug)]
pub(crate) enum Opened {
    Body(Body),
    /// Sealed under a key whose secret has leaked.
    Refused,
}

/// Seals a body under the current key and a write id of its own.
///
/// The nonce is half of the digest and the write id: it need not be stored, and it never comes twice, since a write id
/// belongs to one sealing.
pub(crate) fn seal(
    keys: &Keyring,
    place: Place<'_>,
    deadline: Timestamp,
    touched: Timestamp,
    history: History,
    body: &Body,
) -> Entry {
    let (key, write_id) = (keys.current(), WriteId::random());
    let header = Header { format: FORMAT, state: State::Live, write_id, deadline, touched, key_id: key.id(), history };
    let mut sealed = Vec::new();
    key.cipher(Purpose::Record).seal(
        &nonce(place.digest, write_id),
        &place.record_data(deadline),
        &body.encode(),
        &mut sealed,
    );
    Entry::new(&header, &sealed)
}

/// Opens the body of a live record.
///
/// # Errors
///
/// [`SessionErrorKind::Newer`] for a format or key that this process does not know; unavailable if what the store
/// answered is not what was stored here, which must never pass for an empty session.
pub(crate) fn open(keys: &Keyring, place: Place<'_>, header: &Header, sealed: &[u8]) -> Result<Opened, SessionError> {
    if header.format != FORMAT {
        telemetry::record_refused("unknown format");
        return Err(SessionErrorKind::newer().into());
    }
    let key = match keys.find(header.key_id) {
        Known::Opens(key) => key,
        Known::Refused => {
            telemetry::record_refused("sealed under a refused key");
            return Ok(Opened::Refused);
        }
        Known::Unknown => {
            telemetry::record_refused("sealed under an unknown key");
            return Err(SessionErrorKind::newer().into());
        }
    };
    let nonce = nonce(place.digest, header.write_id);
    let data = place.record_data(header.deadline);
    let body = key
        .cipher(Purpose::Record)
        .open(&nonce, &data, sealed)
        .ok_or(Malformed("record: it was not sealed for this session"))
        .and_then(|plain| Body::decode(&plain));
    match body {
        Ok(body) => Ok(Opened::Body(body)),
        Err(error) => {
            telemetry::record_refused("not sealed for this session");
            Err(SessionError::with_source(SessionErrorKind::unavailable(), error))
        }
    }
}

/// Seals the destination of a moved session, for the marker in the old one's place.
pub(crate) fn seal_destination(keys: &Keyring, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
    let (key, write_id) = (keys.current(), WriteId::random());
    let mut out = [key.id().as_bytes(), &write_id.as_bytes()[..]].concat();
    let data = place.data("destination of a session");
    key.cipher(Purpose::Record).seal(&nonce(place.digest, write_id), &data, plain, &mut out);
    out
}

/// The destination that a marker holds; none if it does not open.
pub(crate) fn open_destination(keys: &Keyring, place: Place<'_>, tail: &[u8]) -> Option<Vec<u8>> {
    let (key_id, rest) = tail.split_first_chunk::<{ KeyId::SIZE }>()?;
    let (write_id, sealed) = rest.split_first_chunk::<{ WriteId::SIZE }>()?;
    let Known::Opens(key) = keys.find(KeyId::from_bytes(*key_id)) else { return None };
    let nonce = nonce(place.digest, WriteId::from_bytes(*write_id));
    key.cipher(Purpose::Record).open(&nonce, &place.data("destination of a session"), sealed)
}

impl Place<'_> {
    fn data(&self, kind: &'static str) -> AssociatedData {
        AssociatedData::new(kind).field(self.realm.as_bytes()).field(self.digest.as_bytes()).field(&[FORMAT])
    }

    /// What a store may change in a live record's header, the time of the last touch, is left out.
    fn record_data(&self, deadline: Timestamp) -> AssociatedData {
        self.data("session record").field(&deadline.to_bytes())
    }
}

fn nonce(digest: Digest, write_id: WriteId) -> [u8; NONCE_SIZE] {
    let mut nonce = [0; NONCE_SIZE];
    let (of_key, of_write) = nonce.split_at_mut(NONCE_SIZE - WriteId::SIZE);
    of_key.copy_from_slice(&digest.as_bytes()[..NONCE_SIZE - WriteId::SIZE]);
    of_write.copy_from_slice(write_id.as_bytes());
    nonce
}

//! A session that belongs to a user, under the key that lasts. Its id stands before what is sealed, and is bound to it.

use super::{Place, nonce};
use crate::clock::Timestamp;
use crate::error::{SessionError, SessionErrorKind};
use crate::id::WriteId;
use crate::keyring::{AssociatedData, Keyring};
use crate::record::{EndReason, Entry, FORMAT, Header, History, Malformed, State, UserBody};
use crate::telemetry;
use uuid::Uuid;

/// Seals a body under a write id of its own, as [`seal`](super::seal) does.
pub(crate) fn seal_user_session(
    keys: &Keyring,
    place: Place<'_>,
    id: Uuid,
    deadline: Timestamp,
    touched: Timestamp,
    history: History,
    body: &UserBody,
) -> Entry {
    let header = header(keys, State::Live, deadline, touched, history);
    let mut rest = id.as_bytes().to_vec();
    let data = place.user_session_data(deadline, id);
    keys.user_sessions().seal(&nonce(place.digest, header.write_id), &data, &body.encode(), &mut rest);
    Entry::new(&header, &rest)
}

/// What a user session leaves: a write of its own, so that whoever sent it finds out whether it was applied.
pub(crate) fn mark_user_session(
    keys: &Keyring,
    id: Uuid,
    deadline: Timestamp,
    touched: Timestamp,
    history: History,
    reason: EndReason,
) -> Entry {
    let header = header(keys, State::Ended, deadline, touched, history);
    Entry::new(&header, &[id.as_bytes(), &[reason as u8][..]].concat())
}

/// The id of a user session, live or ended.
pub(crate) fn id_of_user_session(rest: &[u8]) -> Result<Uuid, Malformed> {
    let (id, _) = rest.split_first_chunk().ok_or(Malformed("user session: it has no id"))?;
    Ok(Uuid::from_bytes(*id))
}

/// Opens a live user session.
///
/// # Errors
///
/// As [`open`](super::open).
pub(crate) fn open_user_session(
    keys: &Keyring,
    place: Place<'_>,
    header: &Header,
    rest: &[u8],
) -> Result<UserBody, SessionError> {
    if header.format != FORMAT || header.key_id != keys.lasting_id() {
        telemetry::record_refused("unknown format, or sealed under another lasting key");
        return Err(SessionErrorKind::newer().into());
    }
    let id = id_of_user_session(rest)?;
    let sealed = &rest[id.as_bytes().len()..];
    let data = place.user_session_data(header.deadline, id);
    let body = keys
        .user_sessions()
        .open(&nonce(place.digest, header.write_id), &data, sealed)
        .ok_or(Malformed("user session: it was not sealed for this user"))
        .and_then(|plain| UserBody::decode(&plain))
        .inspect_err(|_| telemetry::record_refused("not sealed for this user"))?;
    Ok(body)
}

fn header(keys: &Keyring, state: State, deadline: Timestamp, touched: Timestamp, history: History) -> Header {
    let (write_id, key_id) = (WriteId::random(), keys.lasting_id());
    Header { format: FORMAT, state, write_id, deadline, touched, key_id, history }
}

impl Place<'_> {
    fn user_session_data(&self, deadline: Timestamp, id: Uuid) -> AssociatedData {
        self.data("user session").field(&deadline.to_bytes()).field(id.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{UserDigest, UserId};
    use crate::keyring::Secret;
    use crate::record::{Codec, Slot};
    use crate::store::Key;
    use std::time::Duration;

    fn place(realm: &'static str, user: u8, kind: &str) -> Place<'static> {
        let key = Key::of_user_session(realm, &UserDigest::from_bytes([user; 16]), kind);
        Place { realm, digest: key.session_digest() }
    }

    fn body() -> UserBody {
        let slot = Slot {
            name: "transfer".into(),
            version: 1,
            codec: Codec(1),
            drop_at_sign_in: false,
            bytes: b"money".to_vec(),
        };
        let user = UserId::new("ada").unwrap();
        UserBody {
            created: Timestamp::from_millis(7),
            user,
            updates: 3,
            idle: Duration::from_secs(60),
            is_completing: false,
            slot,
        }
    }

    fn sealed(keys: &Keyring, place: Place<'_>) -> Vec<u8> {
        let at = Timestamp::from_millis(2_000_000_000_000);
        let id = Uuid::from_bytes([5; 16]);
        seal_user_session(keys, place, id, at, at, History::default(), &body()).into_bytes().into()
    }

    fn read(keys: &Keyring, place: Place<'_>, bytes: &[u8]) -> Result<UserBody, SessionError> {
        let (header, rest) = Header::parse(bytes)?;
        open_user_session(keys, place, &header, rest)
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_and_nowhere_else() {
        let (keys, here) = (Keyring::generate(), place("", 1, "transfer"));
        let bytes = sealed(&keys, here);
        assert_eq!(read(&keys, here, &bytes).unwrap(), body());
        assert_eq!(Header::parse(&bytes).and_then(|(_, rest)| id_of_user_session(rest)), Ok(Uuid::from_bytes([5; 16])));
        for elsewhere in [place("admin", 1, "transfer"), place("", 2, "transfer"), place("", 1, "visit")] {
            assert!(read(&keys, elsewhere, &bytes).is_err_and(|error| error.is_unavailable()));
        }
        let other = read(&Keyring::generate(), here, &bytes).unwrap_err();
        assert_eq!(*other.kind(), SessionErrorKind::newer());
    }

    #[test]
    fn it_opens_after_the_current_secret_was_rotated() {
        let [lasting, old, new] = std::array::from_fn(|_| Secret::generate());
        let bytes = sealed(&Keyring::new(lasting.clone(), old).unwrap(), place("", 1, "transfer"));
        assert!(read(&Keyring::new(lasting, new).unwrap(), place("", 1, "transfer"), &bytes).is_ok());
    }

    #[test]
    fn every_flip_of_one_bit_is_refused_but_for_what_a_store_changes() {
        let (keys, here) = (Keyring::generate(), place("", 1, "transfer"));
        let whole = sealed(&keys, here);
        // Format, write id, deadline, key; and from the id on.
        for at in [0..1, 2..20, 27..whole.len()].into_iter().flatten() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                assert!(read(&keys, here, &bytes).is_err(), "bit {bit} of byte {at}");
            }
        }
        for length in 0..whole.len() {
            assert!(read(&keys, here, &whole[..length]).is_err(), "{length} bytes");
        }
    }
}

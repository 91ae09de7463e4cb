//! A session that has ended, on its way to the archive.

use super::AssociatedData;
use crate::error::{SessionError, SessionErrorKind};
use crate::id::{KeyId, nonce};
use crate::keyring::{Keyring, NONCE_SIZE};
use crate::record::{Malformed, Past};
use crate::store::Outgoing;
use uuid::Uuid;

/// Seals what an archive is to have of a session.
pub(crate) fn seal_outgoing(keys: &Keyring, realm: &str, past: &Past) -> Outgoing {
    let nonce = nonce::<NONCE_SIZE>();
    let mut sealed = [keys.lasting_id().as_bytes(), &nonce[..]].concat();
    keys.outgoing().seal(&nonce, &data(realm, past.id), &past.encode(), &mut sealed);
    Outgoing { id: past.id, sealed }
}

/// Opens it again.
///
/// # Errors
///
/// [`SessionErrorKind::Newer`] under another lasting key; unavailable if it is not what was sealed.
pub(crate) fn open_outgoing(keys: &Keyring, realm: &str, outgoing: &Outgoing) -> Result<Past, SessionError> {
    let short = Malformed("ended session: too short");
    let Some((key_id, rest)) = outgoing.sealed.split_first_chunk() else { return Err(short.into()) };
    if KeyId::from_bytes(*key_id) != keys.lasting_id() {
        return Err(SessionErrorKind::newer().into());
    }
    let Some((nonce, sealed)) = rest.split_first_chunk() else { return Err(short.into()) };
    let plain = keys.outgoing().open(nonce, &data(realm, outgoing.id), sealed);
    Ok(Past::decode(outgoing.id, &plain.ok_or(Malformed("ended session: it was not sealed here"))?)?)
}

fn data(realm: &str, id: Uuid) -> AssociatedData {
    AssociatedData::new("ended session").field(realm.as_bytes()).field(id.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::id::UserId;
    use crate::record::{Codec, EndReason, Slot, UserBody};
    use std::time::Duration;

    #[test]
    fn it_opens_under_its_key_id_and_layer_and_nothing_else_does() {
        let slot = Slot { name: "t".into(), version: 1, codec: Codec(1), drop_at_sign_in: false, bytes: vec![0xc0] };
        let user = UserId::new("ada").unwrap();
        let body = UserBody {
            created: Timestamp::from_millis(7),
            user,
            updates: 3,
            idle: Duration::from_secs(60),
            is_completing: false,
            slot,
        };
        let ended = Timestamp::from_millis(9);
        let past = Past { id: Uuid::from_bytes([5; 16]), reason: EndReason::Abandoned, ended, body };
        let keys = Keyring::generate();
        let outgoing = seal_outgoing(&keys, "", &past);
        assert_eq!(open_outgoing(&keys, "", &outgoing).unwrap(), past);

        assert!(open_outgoing(&keys, "admin", &outgoing).is_err());
        assert!(open_outgoing(&Keyring::generate(), "", &outgoing).is_err());
        assert!(open_outgoing(&keys, "", &Outgoing { id: Uuid::from_bytes([6; 16]), ..outgoing.clone() }).is_err());
        for at in 0..outgoing.sealed.len() {
            let mut flipped = outgoing.clone();
            flipped.sealed[at] ^= 1;
            assert!(open_outgoing(&keys, "", &flipped).is_err(), "byte {at}");
            assert!(open_outgoing(&keys, "", &Outgoing { sealed: outgoing.sealed[..at].to_vec(), ..flipped }).is_err());
        }
    }
}

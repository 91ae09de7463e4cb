//! A session that has ended, on its way to the archive: a user session is sealed for it, a browser's session goes as it stood.

use super::session::{Opened, archival_of, open};
use super::{AssociatedData, Place};
use crate::error::{SessionError, SessionErrorKind};
use crate::id::{KeyId, nonce};
use crate::keyring::{Keyring, NONCE_SIZE};
use crate::record::{Departed, Malformed, Parted, Past};
use crate::store::Outgoing;
use uuid::Uuid;

/// What stands first in what [`seal_outgoing`] has sealed. A store puts [`Outgoing::PARTED`] before a record.
const SEALED: u8 = 0;

/// Seals what an archive is to have of a user session.
pub(crate) fn seal_outgoing(keys: &Keyring, realm: &str, past: &Past) -> Outgoing {
    let nonce = nonce::<NONCE_SIZE>();
    let mut sealed = [&[SEALED][..], keys.lasting_id().as_bytes(), &nonce].concat();
    keys.outgoing().seal(&nonce, &data(realm, past.id), &past.encode(), &mut sealed);
    Outgoing { id: past.id, sealed }
}

/// Opens it again.
///
/// # Errors
///
/// [`SessionErrorKind::Newer`] under a key that is not known; unavailable if it is not what was sealed.
pub(crate) fn open_outgoing(keys: &Keyring, realm: &str, outgoing: &Outgoing) -> Result<Departed, SessionError> {
    match outgoing.sealed.split_first() {
        Some((&SEALED, sealed)) => open_user_session(keys, realm, outgoing.id, sealed).map(Departed::UserSession),
        Some((&Outgoing::PARTED, parted)) => open_session(keys, realm, outgoing.id, parted),
        Some(_) => Err(SessionErrorKind::newer().into()),
        None => Err(SHORT.into()),
    }
}

const SHORT: Malformed = Malformed("ended session: too short");

fn open_user_session(keys: &Keyring, realm: &str, id: Uuid, sealed: &[u8]) -> Result<Past, SessionError> {
    let Some((key_id, rest)) = sealed.split_first_chunk() else { return Err(SHORT.into()) };
    if KeyId::from_bytes(*key_id) != keys.lasting_id() {
        return Err(SessionErrorKind::newer().into());
    }
    let Some((nonce, sealed)) = rest.split_first_chunk() else { return Err(SHORT.into()) };
    let plain = keys.outgoing().open(nonce, &data(realm, id), sealed);
    Ok(Past::decode(id, &plain.ok_or(Malformed("ended session: it was not sealed here"))?)?)
}

/// That a store wrote it proves nothing: the id is bound to what is sealed, reason and time are the store's word.
fn open_session(keys: &Keyring, realm: &str, id: Uuid, parted: &[u8]) -> Result<Departed, SessionError> {
    let Parted { reason, ended, digest, entry } = Parted::decode(parted)?;
    let (header, rest) = entry.parse()?;
    let archival = archival_of(&header, rest)?.filter(|archival| archival.id == id);
    let archival = archival.ok_or(Malformed("ended session: under another id than its own"))?;
    match open(keys, Place { realm, digest }, &header, rest)? {
        Opened::Body(body) => Ok(Departed::Session { archival, reason, ended, body }),
        Opened::Refused => Err(Malformed("ended session: sealed under a refused key").into()),
    }
}

fn data(realm: &str, id: Uuid) -> AssociatedData {
    AssociatedData::new("ended session").field(realm.as_bytes()).field(id.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::id::{SessionId, UserId};
    use crate::keyring::Secret;
    use crate::record::{Archival, Body, Codec, EndReason, History, Slot, UserBody};
    use crate::sealing::seal;
    use std::time::Duration;

    #[test]
    fn a_browsers_session_opens_under_its_own_id_and_layer_as_it_stood() {
        let secrets: [_; 3] = std::array::from_fn(|_| Secret::generate());
        let [lasting, old, new] = secrets;
        let keys = Keyring::new(lasting.clone(), old.clone()).unwrap();
        let at = Timestamp::from_millis(9);
        let digest = SessionId::from_bytes([7; 16]).digest("");
        let archival = Archival { id: Uuid::from_bytes([5; 16]), updates: 3 };
        let body = Body { created: at, authentication: None, slots: Vec::new() };
        let sealed = |archival| {
            let entry = seal(&keys, Place { realm: "", digest }, at, at, History::default(), &body, archival);
            let parted = Parted { reason: EndReason::Expired, ended: at, digest, entry };
            let sealed = [&[Outgoing::PARTED][..], &parted.encode()].concat();
            Outgoing { id: Uuid::from_bytes([5; 16]), sealed }
        };
        let outgoing = sealed(Some(&archival));
        let departed = Departed::Session { archival, reason: EndReason::Expired, ended: at, body: body.clone() };
        assert_eq!(open_outgoing(&keys, "", &outgoing).unwrap(), departed);

        let refused = |result: Result<Departed, SessionError>| result.is_err_and(|error| error.is_unavailable());
        assert!(refused(open_outgoing(&keys, "admin", &outgoing)));
        let under_another = Outgoing { id: Uuid::from_bytes([6; 16]), ..outgoing.clone() };
        assert!(refused(open_outgoing(&keys, "", &under_another)));
        assert!(refused(open_outgoing(&keys, "", &sealed(None))));
        let refusing = Keyring::new(lasting, new).unwrap().refusing(old).unwrap();
        assert!(refused(open_outgoing(&refusing, "", &outgoing)));

        let with = |sealed: &[u8]| Outgoing { sealed: sealed.to_vec(), ..outgoing.clone() };
        assert!(refused(open_outgoing(&keys, "", &with(&[]))));
        let newer = open_outgoing(&keys, "", &with(&[2])).unwrap_err();
        assert_eq!(*newer.kind(), SessionErrorKind::newer());
    }

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
        assert_eq!(open_outgoing(&keys, "", &outgoing).unwrap(), Departed::UserSession(past));

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

//! A browser's session.

use super::{Place, nonce};
use crate::clock::Timestamp;
use crate::error::{SessionError, SessionErrorKind};
use crate::id::{KeyId, WriteId};
use crate::keyring::{AssociatedData, Keyring, Known, Purpose};
use crate::record::{ARCHIVED, Archival, Body, Entry, FORMAT, Header, History, Malformed, State};
use crate::telemetry;

/// What opening a record comes to when nothing went wrong.
#[derive(Debug)]
pub(crate) enum Opened {
    Body(Body),
    /// Sealed under a key whose secret has leaked.
    Refused,
}

/// Seals a body under the current key and a write id of its own; of a session that goes to the archive, with what the store needs
/// for that.
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
    archival: Option<&Archival>,
) -> Entry {
    let (key, write_id) = (keys.current(), WriteId::random());
    let format = if archival.is_some() { ARCHIVED } else { FORMAT };
    let header = Header { format, state: State::Live, write_id, deadline, touched, key_id: key.id(), history };
    let mut rest = archival.map_or_else(Vec::new, |archival| archival.to_bytes().to_vec());
    let data = place.record_data(deadline, archival);
    key.cipher(Purpose::Record).seal(&nonce(place.digest, write_id), &data, &body.encode(), &mut rest);
    Entry::new(&header, &rest)
}

/// By what the archive knows the session of a live record, if it goes there when it ends.
pub(crate) fn archival_of(header: &Header, rest: &[u8]) -> Result<Option<Archival>, Malformed> {
    if header.format == ARCHIVED { Archival::split(rest).map(|(archival, _)| Some(archival)) } else { Ok(None) }
}

/// Opens the body of a live record.
///
/// # Errors
///
/// [`SessionErrorKind::Newer`] for a format or key that this process does not know; unavailable if what the store
/// answered is not what was stored here, which must never pass for an empty session.
pub(crate) fn open(keys: &Keyring, place: Place<'_>, header: &Header, rest: &[u8]) -> Result<Opened, SessionError> {
    let (archival, sealed) = match header.format {
        FORMAT => (None, rest),
        ARCHIVED => Archival::split(rest).map(|(archival, sealed)| (Some(archival), sealed))?,
        _ => {
            telemetry::record_refused("unknown format");
            return Err(SessionErrorKind::newer().into());
        }
    };
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
    let data = place.record_data(header.deadline, archival.as_ref());
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
///
/// # Errors
///
/// [`SessionErrorKind::Newer`] for a key that this process does not know.
pub(crate) fn open_destination(keys: &Keyring, place: Place<'_>, tail: &[u8]) -> Result<Option<Vec<u8>>, SessionError> {
    let Some((key_id, rest)) = tail.split_first_chunk::<{ KeyId::SIZE }>() else { return Ok(None) };
    let Some((write_id, sealed)) = rest.split_first_chunk::<{ WriteId::SIZE }>() else { return Ok(None) };
    let key = match keys.find(KeyId::from_bytes(*key_id)) {
        Known::Opens(key) => key,
        Known::Refused => return Ok(None),
        Known::Unknown => {
            telemetry::record_refused("marker sealed under an unknown key");
            return Err(SessionErrorKind::newer().into());
        }
    };
    let nonce = nonce(place.digest, WriteId::from_bytes(*write_id));
    Ok(key.cipher(Purpose::Record).open(&nonce, &place.data("destination of a session"), sealed))
}

impl Place<'_> {
    /// The time of the last touch is left out, since a store changes it; write id and key are bound by the nonce and by
    /// the choice of the key. History and state are not bound: a store that lies about them could as well have lost the
    /// record.
    fn record_data(&self, deadline: Timestamp, archival: Option<&Archival>) -> AssociatedData {
        match archival {
            None => self.data("session record").field(&deadline.to_bytes()),
            Some(archival) => {
                self.data("archived session record").field(&deadline.to_bytes()).field(&archival.to_bytes())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Epoch, Label, SessionHandle, SessionId, UserId};
    use crate::keyring::Secret;
    use crate::record::{Authentication, Codec, Slot, offset};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use std::collections::HashSet;
    use std::time::Duration;
    use uuid::Uuid;

    /// The destination, if the marker opens.
    fn destination(keys: &Keyring, place: Place<'_>, tail: &[u8]) -> Option<Vec<u8>> {
        open_destination(keys, place, tail).ok().flatten()
    }

    const LASTING: &str = "kH2mS0xg2nGgJr9qS4mZbKk0tq8pQ1w7c3eVhX5yUzo=";
    const CURRENT: &str = "3p1mJ7yqk0Vb9GmC2tX8sR5dLw6uNf4hQzE1aYoKxIc=";
    const OTHER: &str = "Zr8Qw2Lk5TnXv0JcBy7Hm4PfGs1DaUe9KoRi6NxStVg=";

    /// A record and the destination in a marker, sealed once: what was stored must open for ever.
    const RECORD: &str = "AQAjz/5S4Fb6pUWXtGEB0alKIAAB0alKIAABfIi80WJlZm9yZW8aHJQMsBeZimW7/GZIMGlOVM6I0BwP2xiwwtD28Q\
        jE1KxMsM0Ot8fIXUxu5/l+askJrHUo6Y7Wc0+4pQjCWyAWuOY7lqsi6Q==";
    const DESTINATION: &str = "fIi80WQsgmRnseRzsFeJ0K8yTryW8VSBTaKsK+NkJPyObquk2r2HHO8STviV";

    fn secret(text: &str) -> Secret {
        Secret::from_base64(text).unwrap()
    }

    fn keys() -> Keyring {
        Keyring::new(secret(LASTING), secret(CURRENT)).unwrap()
    }

    fn place(realm: &str) -> Place<'_> {
        Place { realm, digest: SessionId::from_bytes(*b"a session's id..").digest(realm) }
    }

    fn deadline() -> Timestamp {
        Timestamp::from_millis(2_000_000_000_000)
    }

    fn body() -> Body {
        let authentication = Authentication {
            user: UserId::new("ada").unwrap(),
            handle: SessionHandle::from_bytes(*b"a session handle"),
            at: deadline(),
            stamp: Epoch::from_u64(7),
            label: Label::new("phone"),
        };
        let cart =
            Slot { name: "cart".into(), version: 1, codec: Codec(1), drop_at_sign_in: false, bytes: b"tea".to_vec() };
        Body { created: deadline(), authentication: Some(authentication), slots: vec![cart] }
    }

    fn sealed() -> Entry {
        let history = History::default().following(WriteId::from_bytes(*b"before______"), Duration::ZERO);
        seal(&keys(), place(""), deadline(), deadline(), history, &body(), None)
    }

    fn archived() -> Entry {
        let archival = Archival { id: Uuid::from_bytes(*b"sixteen bytes id"), updates: 3 };
        seal(&keys(), place(""), deadline(), deadline(), History::default(), &body(), Some(&archival))
    }

    fn frozen() -> Vec<u8> {
        STANDARD.decode(RECORD).unwrap()
    }

    /// Reads a stored value like the layer does.
    fn read(keys: &Keyring, place: Place<'_>, bytes: &[u8]) -> Result<Opened, SessionError> {
        let (header, rest) = Header::parse(bytes)?;
        open(keys, place, &header, rest)
    }

    fn opens(bytes: &[u8]) -> bool {
        matches!(read(&keys(), place(""), bytes), Ok(Opened::Body(found)) if found == body())
    }

    /// Never an empty session, never another content: an error that says "unavailable".
    #[track_caller]
    fn assert_refused(result: Result<Opened, SessionError>, what: &str) {
        assert!(result.is_err_and(|error| error.is_unavailable()), "{what}");
    }

    #[track_caller]
    fn assert_newer(result: Result<Opened, SessionError>) {
        assert!(result.is_err_and(|error| matches!(error.kind(), SessionErrorKind::Newer { .. })));
    }

    #[test]
    fn a_frozen_record_and_destination_open() {
        assert!(opens(&frozen()));
        let tail = STANDARD.decode(DESTINATION).unwrap();
        assert_eq!(destination(&keys(), place(""), &tail).as_deref(), Some(&b"where it went"[..]));
    }

    #[test]
    fn what_is_sealed_opens() {
        assert!(opens(sealed().as_bytes()));
        let tail = seal_destination(&keys(), place(""), b"where it went");
        assert_eq!(destination(&keys(), place(""), &tail).as_deref(), Some(&b"where it went"[..]));
    }

    #[test]
    fn every_flip_of_one_bit_is_refused_where_a_store_has_nothing_to_change() {
        const KEY_ID: usize = offset::HISTORY_LEN + 1;
        let authentic = [offset::WRITE_ID..offset::TOUCHED, offset::HISTORY_LEN..offset::HISTORY];
        let sealed = offset::HISTORY + History::PREFIX..frozen().len();
        for at in authentic.into_iter().chain([0..offset::STATE, sealed]).flatten() {
            for bit in 0..8 {
                let mut bytes = frozen();
                bytes[at] ^= 1 << bit;
                let read = read(&keys(), place(""), &bytes);
                match at {
                    // Another format or key may be one of the next release.
                    0 | KEY_ID..offset::HISTORY => assert_newer(read),
                    _ => assert_refused(read, &format!("bit {bit} of byte {at}")),
                }
            }
        }
    }

    #[test]
    fn what_the_archive_will_know_it_by_is_bound_to_it() {
        let whole = archived().into_bytes();
        assert!(opens(&whole));
        let (header, rest) = Header::parse(&whole).unwrap();
        assert_eq!(archival_of(&header, rest).unwrap(), archived().archival());
        for at in [0].into_iter().chain(offset::HISTORY..whole.len()) {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                assert!(!opens(&bytes), "bit {bit} of byte {at}");
            }
        }
        for length in 0..whole.len() {
            assert_refused(read(&keys(), place(""), &whole[..length]), &format!("{length} bytes"));
        }
    }

    #[test]
    fn a_touched_record_opens() {
        let mut touched = Entry::from_bytes(frozen()).unwrap();
        touched.touch(Timestamp::from_millis(7));
        assert_ne!(touched.as_bytes(), frozen());
        assert!(opens(touched.as_bytes()));
    }

    #[test]
    fn a_record_that_is_cut_or_longer_is_refused() {
        let whole = frozen();
        for length in 0..whole.len() {
            assert_refused(read(&keys(), place(""), &whole[..length]), &format!("{length} bytes"));
        }
        for more in 1..=64 {
            assert_refused(read(&keys(), place(""), &[&whole[..], &vec![0; more]].concat()), &format!("{more} more"));
        }
    }

    #[test]
    fn a_value_moved_to_another_key_or_realm_does_not_open() {
        let elsewhere = SessionId::from_bytes([7; SessionId::SIZE]).digest("");
        let admin = Place { realm: "admin", ..place("") };
        let tail = STANDARD.decode(DESTINATION).unwrap();
        for other in [Place { digest: elsewhere, ..place("") }, admin, place("admin")] {
            assert_refused(read(&keys(), other, &frozen()), "another place");
            assert_eq!(destination(&keys(), other, &tail), None);
        }
    }

    #[test]
    fn the_body_of_one_write_does_not_open_under_the_header_of_another() {
        let [first, second] = [sealed(), sealed()];
        let header = offset::HISTORY + History::PREFIX;
        let mixed = [&first.as_bytes()[..header], &second.as_bytes()[header..]].concat();
        assert_refused(read(&keys(), place(""), &mixed), "two writes in one");
    }

    #[test]
    fn a_record_does_not_open_as_a_destination_nor_the_other_way_round() {
        let (header, rest) = Header::parse(&frozen()).map(|(header, rest)| (header, rest.to_vec())).unwrap();
        let tail = [header.key_id.as_bytes(), &header.write_id.as_bytes()[..], &rest].concat();
        assert_eq!(destination(&keys(), place(""), &tail), None);

        let destination = STANDARD.decode(DESTINATION).unwrap();
        let (key_id, rest) = destination.split_first_chunk().unwrap();
        let (write_id, rest) = rest.split_first_chunk().unwrap();
        let (key_id, write_id) = (KeyId::from_bytes(*key_id), WriteId::from_bytes(*write_id));
        assert_refused(open(&keys(), place(""), &Header { key_id, write_id, ..header }, rest), "a destination");
    }

    #[test]
    fn what_an_unknown_key_sealed_is_newer_and_what_a_refused_one_sealed_has_ended() {
        let other = || Keyring::new(secret(LASTING), secret(OTHER)).unwrap();
        let tail = STANDARD.decode(DESTINATION).unwrap();
        assert_newer(read(&other(), place(""), &frozen()));
        let error = open_destination(&other(), place(""), &tail).unwrap_err();
        assert_eq!(*error.kind(), SessionErrorKind::newer());

        let refusing = other().refusing(secret(CURRENT)).unwrap();
        assert!(matches!(read(&refusing, place(""), &frozen()), Ok(Opened::Refused)));
        assert_eq!(destination(&refusing, place(""), &tail), None);

        let rotated = other().also_opening(secret(CURRENT)).unwrap();
        assert!(matches!(read(&rotated, place(""), &frozen()), Ok(Opened::Body(_))));
        assert!(destination(&rotated, place(""), &tail).is_some());
    }

    #[test]
    fn a_key_that_is_known_but_did_not_seal_it_does_not_open() {
        let both = keys().also_opening(secret(OTHER)).unwrap();
        let other = Keyring::new(secret(LASTING), secret(OTHER)).unwrap().current().id();
        let (header, sealed) = Header::parse(&frozen()).map(|(header, rest)| (header, rest.to_vec())).unwrap();
        assert_refused(open(&both, place(""), &Header { key_id: other, ..header }, &sealed), "under the other key");
    }

    #[test]
    fn every_sealing_has_a_write_id_of_its_own() {
        let count = 1000;
        let ids: HashSet<_> = (0..count).map(|_| sealed().write_id()).collect();
        assert_eq!(ids.len(), count);
        let tails: HashSet<_> = (0..count).map(|_| seal_destination(&keys(), place(""), b"")).collect();
        assert_eq!(tails.len(), count);
    }

    #[test]
    fn every_change_of_a_destination_is_refused() {
        let tail = STANDARD.decode(DESTINATION).unwrap();
        for bit in 0..tail.len() * 8 {
            let mut flipped = tail.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(destination(&keys(), place(""), &flipped), None, "bit {bit}");
        }
        for length in 0..tail.len() {
            assert_eq!(destination(&keys(), place(""), &tail[..length]), None, "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_do_not_open_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let key_id = *keys().current().id().as_bytes();
            prop_assert_eq!(destination(&keys(), place(""), &[&key_id[..], &bytes].concat()), None);
            let header = Header::parse(&frozen()).map(|(header, _)| header).unwrap();
            prop_assert!(open(&keys(), place(""), &header, &bytes).is_err());
        }
    }
}

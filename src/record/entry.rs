//! What a store keeps under a key.

use super::archival::Archival;
use super::bytes::Malformed;
use super::header::{ARCHIVED, Header, State, offset};
use super::history::History;
use crate::clock::Timestamp;
use crate::id::WriteId;
use std::fmt;
use std::time::Duration;

/// What a store keeps under a key: a session, or the marker that an ended one leaves for two minutes.
///
/// Opaque bytes with a header in front. A store compares the [`write_id`](Self::write_id) and
/// [`is_live`](Self::is_live), and never looks further.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry(Box<[u8]>);

impl Entry {
    /// Longer values were not written by this crate and are refused.
    pub const MAX_SIZE: usize = 128 * 1024;

    /// The entry that a store kept as `bytes`.
    ///
    /// # Errors
    ///
    /// If they are not an entry.
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Result<Self, Malformed> {
        let bytes = bytes.into();
        if bytes.len() > Self::MAX_SIZE {
            return Err(Malformed("entry: longer than any that is written"));
        }
        Header::parse(&bytes)?;
        Ok(Self(bytes))
    }

    /// An entry made in this process, whose header is known to be in order.
    pub(crate) fn new(header: &Header, rest: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(offset::HISTORY + History::MAX * History::PREFIX + rest.len());
        header.put(&mut bytes);
        bytes.extend_from_slice(rest);
        Self(bytes.into_boxed_slice())
    }

    /// The bytes to keep.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes to keep.
    pub fn into_bytes(self) -> Box<[u8]> {
        self.0
    }

    /// Names the write that left this entry.
    pub fn write_id(&self) -> WriteId {
        WriteId::from_bytes(self.field(offset::WRITE_ID))
    }

    /// Whether this is a session; otherwise it is a marker, under which nothing may be created or committed.
    pub fn is_live(&self) -> bool {
        self.0[offset::STATE] == State::Live as u8
    }

    /// Whether this is a marker of a session that goes on under another key.
    #[cfg(feature = "redis")]
    pub(crate) fn is_moved(&self) -> bool {
        self.0[offset::STATE] == State::Moved as u8
    }

    /// Whether it goes to the archive when it ends, whoever ends it: see [`Outgoing`](crate::store::Outgoing).
    pub fn goes_to_archive(&self) -> bool {
        self.0[0] == ARCHIVED
    }

    /// By what the archive will know the session.
    pub(crate) fn archival(&self) -> Option<Archival> {
        let (_, rest) = self.parse().ok().filter(|_| self.goes_to_archive())?;
        Archival::split(rest).ok().map(|(archival, _)| archival)
    }

    /// Bytes without those that come and go with the pace of writes.
    pub(crate) fn size(&self) -> usize {
        self.0.len() - usize::from(self.0[offset::HISTORY_LEN]) * History::PREFIX
    }

    /// Whether it was written more than once, or took the place of another.
    pub(crate) fn was_written_again(&self) -> bool {
        self.0[offset::HISTORY_LEN] > 0
    }

    /// When the session ends whatever happens.
    pub fn deadline(&self) -> Timestamp {
        Timestamp::from_bytes(self.field(offset::DEADLINE))
    }

    /// The last activity that was noted.
    pub fn touched(&self) -> Timestamp {
        Timestamp::from_bytes(self.field(offset::TOUCHED))
    }

    /// Notes activity. Leaves everything else, the write id too, as it is.
    pub fn touch(&mut self, now: Timestamp) {
        self.0[offset::TOUCHED..][..Timestamp::SIZE].copy_from_slice(&now.to_bytes());
    }

    /// This entry's header as a marker.
    pub fn ended(&self, marker: &Marker) -> Self {
        let header = offset::HISTORY + usize::from(self.0[offset::HISTORY_LEN]) * History::PREFIX;
        let mut bytes = self.0[..header].to_vec();
        bytes[offset::STATE] = marker.state as u8;
        bytes.extend_from_slice(&marker.tail);
        Self(bytes.into_boxed_slice())
    }

    pub(crate) fn header(&self) -> Result<Header, Malformed> {
        self.parse().map(|(header, _)| header)
    }

    /// The header and what follows it.
    pub(crate) fn parse(&self) -> Result<(Header, &[u8]), Malformed> {
        Header::parse(&self.0)
    }

    fn field<const N: usize>(&self, at: usize) -> [u8; N] {
        std::array::from_fn(|i| self.0[at + i])
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("live", &self.is_live()).field("size", &self.0.len()).finish()
    }
}

/// What ending leaves in a record's place: its header with another state, and a tail.
///
/// A marker is kept for [`Marker::KEPT`]. Reads take it as absent; the tail is how a resent ending recognises itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Marker {
    pub(crate) state: State,
    tail: Box<[u8]>,
}

impl Marker {
    /// How long a store keeps a marker: longer than any request that began before it.
    pub const KEPT: Duration = Duration::from_secs(120);

    /// The session has ended.
    pub(crate) fn ended(reason: EndReason) -> Self {
        Self { state: State::Ended, tail: Box::new([reason as u8]) }
    }

    /// The session goes on under another id, which `destination` holds sealed.
    pub(crate) fn moved(destination: Vec<u8>) -> Self {
        Self { state: State::Moved, tail: destination.into_boxed_slice() }
    }

    /// The byte that takes the state's place in the header.
    pub fn state(&self) -> u8 {
        self.state as u8
    }

    /// Whether the session has ended, and does not go on elsewhere.
    pub fn is_end(&self) -> bool {
        self.state == State::Ended
    }

    /// The bytes that take the body's place.
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }
}

impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Marker").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// Signed out.
    SignedOut = 1,
    /// Somebody else signed in over it.
    Replaced = 2,
    /// Begun, but the response left without its cookie.
    Unclaimed = 3,
    /// Ended by its user from elsewhere, or by an operator.
    Revoked = 4,
    /// Made room for another, since its user had as many as allowed.
    Evicted = 5,
    /// Signed out, with the visitor still recognised. Not the same marker: who signs out for good after that is told apart.
    SignedOutRemembered = 6,
    /// Of a user session: what it was for was done.
    Completed = 7,
    /// Of a user session: what it was for was given up.
    Abandoned = 8,
    /// Its time had run out.
    Expired = 9,
}

impl EndReason {
    const ALL: [Self; 9] = [
        Self::SignedOut,
        Self::Replaced,
        Self::Unclaimed,
        Self::Revoked,
        Self::Evicted,
        Self::SignedOutRemembered,
        Self::Completed,
        Self::Abandoned,
        Self::Expired,
    ];

    pub(crate) fn from_byte(byte: u8) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|reason| *reason as u8 == byte).ok_or(Malformed("reason of an ending"))
    }

    /// What [`as_str`](Self::as_str) says. Both ways to sign out read alike, and are one here.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn from_words(words: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == words).ok_or(Malformed("reason of an ending"))
    }

    /// In a few words, for people; the same in every release.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut | Self::SignedOutRemembered => "signed out",
            Self::Replaced => "replaced by another sign-in",
            Self::Unclaimed => "its cookie could not be sent",
            Self::Revoked => "revoked",
            Self::Evicted => "evicted",
            Self::Completed => "completed",
            Self::Abandoned => "abandoned",
            Self::Expired => "expired",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::KeyId;
    use crate::record::FORMAT;
    use proptest::prelude::*;

    /// A record that was written twice.
    fn live() -> Entry {
        let history = History::default().following(WriteId::from_bytes(*b"before______"), Duration::ZERO);
        let header = Header {
            format: FORMAT,
            state: State::Live,
            write_id: WriteId::from_bytes(*b"write id now"),
            deadline: Timestamp::from_millis(2_000_000_000_000),
            touched: Timestamp::from_millis(1_999_999_999_999),
            key_id: KeyId::from_bytes(*b"key1"),
            history,
        };
        Entry::new(&header, b"sealed")
    }

    const ENDED: &[u8] = b"\x01\x01write id now\x01\xd1\xa9\x4a\x20\x00\x01\xd1\xa9\x4a\x1f\xff\x01key1before\x01";
    const MOVED: &[u8] = b"\x01\x02write id now\x01\xd1\xa9\x4a\x20\x00\x01\xd1\xa9\x4a\x1f\xff\x01key1beforewhere";

    #[test]
    fn frozen_markers() {
        let moved = Marker::moved(b"where".to_vec());
        for (marker, bytes) in [(Marker::ended(EndReason::SignedOut), ENDED), (moved, MOVED)] {
            let ended = live().ended(&marker);
            assert_eq!(ended.as_bytes(), bytes);
            assert!(!ended.is_live());
            assert_eq!(Entry::from_bytes(bytes), Ok(ended));
            // What a script does with the two parts comes to the same.
            assert_eq!((marker.state(), marker.tail()), (bytes[offset::STATE], &bytes[offset::HISTORY + 6..]));
        }
        let tails = EndReason::ALL.map(|reason| Marker::ended(reason).tail().to_vec());
        assert_eq!(tails, [[1], [2], [3], [4], [5], [6], [7], [8], [9]]);
        let reasons = EndReason::ALL.map(|reason| EndReason::from_byte(reason as u8));
        assert_eq!(reasons, EndReason::ALL.map(Ok));
        assert!([0, 10, u8::MAX].into_iter().all(|byte| EndReason::from_byte(byte).is_err()));
    }

    #[test]
    fn a_marker_knows_the_writes_that_went_before_it() {
        let ended = live().ended(&Marker::ended(EndReason::SignedOut)).header().unwrap();
        assert!(ended.knows(live().write_id()));
        assert!(ended.knows(WriteId::from_bytes(*b"before______")));
    }

    #[test]
    fn a_touch_changes_the_time_of_the_last_touch_and_nothing_else() {
        let mut touched = live();
        touched.touch(Timestamp::from_millis(7));
        assert_eq!(touched.touched(), Timestamp::from_millis(7));
        touched.touch(live().touched());
        assert_eq!(touched, live());
    }

    #[test]
    fn what_is_longer_than_any_record_is_refused() {
        let padded = |length: usize| {
            let mut bytes = live().into_bytes().into_vec();
            bytes.resize(length, 0);
            Entry::from_bytes(bytes)
        };
        assert_eq!(Entry::MAX_SIZE, 131_072);
        assert!(padded(Entry::MAX_SIZE).is_ok());
        assert!(padded(Entry::MAX_SIZE + 1).is_err());
    }

    #[test]
    fn its_size_does_not_change_with_the_pace_of_writes() {
        let first = |rest: &[u8]| Entry::new(&Header { history: History::default(), ..live().header().unwrap() }, rest);
        assert_eq!((live().size(), first(b"sealed").size(), first(b"").size()), (37, 37, 31));
        assert!(live().was_written_again() && !first(b"sealed").was_written_again());
    }

    #[test]
    fn only_the_format_for_it_says_that_it_goes_to_the_archive() {
        let archival = Archival { id: uuid::Uuid::from_bytes([5; 16]), updates: 3 };
        let of = |format| Entry::new(&Header { format, ..live().header().unwrap() }, &archival.to_bytes());
        assert!(of(ARCHIVED).goes_to_archive() && !of(FORMAT).goes_to_archive());
        assert_eq!((of(ARCHIVED).archival(), of(FORMAT).archival()), (Some(archival), None));
    }

    #[test]
    fn only_one_of_the_markers_is_an_end() {
        assert!(Marker::ended(EndReason::Expired).is_end() && !Marker::moved(b"where".to_vec()).is_end());
    }

    #[test]
    fn reasons_are_words_that_last() {
        let words = [
            "signed out",
            "replaced by another sign-in",
            "its cookie could not be sent",
            "revoked",
            "evicted",
            "signed out",
            "completed",
            "abandoned",
            "expired",
        ];
        assert_eq!(EndReason::ALL.map(EndReason::as_str), words);
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    #[test]
    fn reasons_come_back_from_their_words() {
        for reason in EndReason::ALL {
            assert_eq!(EndReason::from_words(reason.as_str()).map(EndReason::as_str), Ok(reason.as_str()));
        }
        assert!(EndReason::from_words("Expired").is_err());
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", live()), "Entry { live: true, size: 43 }");
        assert_eq!(format!("{:?}", Marker::moved(b"where".to_vec())), "Marker { state: Moved, .. }");
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_are_refused_or_usable(
            head in (0u8..4, 0u8..20),
            mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            if bytes.len() > offset::HISTORY_LEN {
                (bytes[offset::STATE], bytes[offset::HISTORY_LEN]) = head;
            }
            if let Ok(mut entry) = Entry::from_bytes(bytes.clone()) {
                prop_assert_eq!(entry.as_bytes(), &bytes[..]);
                let (header, _) = entry.parse().unwrap();
                prop_assert_eq!(header.write_id, entry.write_id());
                prop_assert_eq!(header.touched, entry.touched());
                prop_assert_eq!(header.state == State::Live, entry.is_live());
                prop_assert!(Entry::from_bytes(entry.ended(&Marker::moved(bytes)).into_bytes()).is_ok());
                entry.touch(Timestamp::default());
            }
        }
    }
}

//! Which of a user's sessions are asked for.

use super::{End, EndReason, EndedSession, HistoryEntry, Timestamp};
use std::cmp::Reverse;
use std::time::SystemTime;
use uuid::Uuid;

/// A page of a user's sessions, the one that began last in front: those that are active, and those that have ended. What is asked about
/// how they ended leaves out the active ones. Pages that follow each other by the ids of their first or
/// last have neither gaps nor duplicates, whatever comes in meanwhile.
///
/// ```
/// use thin_session::{EndReason, HistoryPage};
/// # let last_of_the_page_before = uuid::Uuid::max();
///
/// let page = HistoryPage::of(20).of_kind("transfer").because(EndReason::Completed).before(last_of_the_page_before);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryPage<'a> {
    /// How many at most.
    pub limit: usize,
    /// Where the page begins or ends.
    pub place: Place,
    /// Only those of this kind.
    pub kind: Option<&'a str>,
    /// Only those that ended for this reason.
    pub reason: Option<EndReason>,
    /// Only those that ended then or later.
    pub since: Option<Timestamp>,
    /// Only those that ended earlier.
    pub until: Option<Timestamp>,
    /// None of those that are active. An archive, which has none of them, need not ask.
    pub only_ended: bool,
}

/// Where a page begins or ends. An id that is not there is a place between the others all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// With the one that began last.
    Latest,
    /// Below this one: the next of those that began earlier.
    Before(Uuid),
    /// Above this one: the next of those that began later, and not the latest of all.
    After(Uuid),
}

impl<'a> HistoryPage<'a> {
    /// The latest, at most so many.
    pub const fn of(limit: usize) -> Self {
        Self { limit, place: Place::Latest, kind: None, reason: None, since: None, until: None, only_ended: false }
    }

    /// Of those that began before the one of this id: the last of the page before.
    #[must_use]
    pub const fn before(self, id: Uuid) -> Self {
        Self { place: Place::Before(id), ..self }
    }

    /// Of those that began after the one of this id: the first of the page that this one is to come before.
    #[must_use]
    pub const fn after(self, id: Uuid) -> Self {
        Self { place: Place::After(id), ..self }
    }

    /// Only those of this kind, [`UserSessionData::KIND`](crate::UserSessionData::KIND).
    #[must_use]
    pub const fn of_kind(self, kind: &'a str) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// Only those that ended for this reason.
    #[must_use]
    pub const fn because(self, reason: EndReason) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// Only those that ended from then on, and before that: to the millisecond.
    #[must_use]
    pub fn ended_between(self, from: SystemTime, to: SystemTime) -> Self {
        Self { since: Some(from.into()), until: Some(to.into()), ..self }
    }

    /// Only those that have ended.
    #[must_use]
    pub const fn only_ended(self) -> Self {
        Self { only_ended: true, ..self }
    }

    /// The lowest and the highest id that can be on it; none if none can.
    pub fn ids(&self) -> Option<(Uuid, Uuid)> {
        let (lowest, highest) = (Uuid::nil(), Uuid::max());
        match self.place {
            Place::Latest => Some((lowest, highest)),
            Place::Before(id) => Some((lowest, Uuid::from_u128(id.as_u128().checked_sub(1)?))),
            Place::After(id) => Some((Uuid::from_u128(id.as_u128().checked_add(1)?), highest)),
        }
    }

    /// Whether a session of the user that has ended can be on it.
    pub fn has(&self, ended: &EndedSession) -> bool {
        self.names(ended.id, &ended.kind) && self.ends(ended.reason, ended.ended)
    }

    /// Whether a session of the user can be on it.
    pub(crate) fn shows(&self, entry: &HistoryEntry) -> bool {
        let asks_for_an_end = self.only_ended || self.reason.is_some() || self.since.is_some() || self.until.is_some();
        let as_asked = |end: &End| self.ends(end.reason, end.at.into());
        self.names(entry.id, &entry.kind) && entry.end.as_ref().map_or(!asks_for_an_end, as_asked)
    }

    /// Whether one that is still where active ones are can be on it: one whose time has run out is, also as that.
    pub(crate) fn may_have_active(&self) -> bool {
        self.reason.is_none_or(|reason| reason == EndReason::Expired)
    }

    fn names(&self, id: Uuid, kind: &str) -> bool {
        self.ids().is_some_and(|(lowest, highest)| lowest <= id && id <= highest)
            && self.kind.is_none_or(|asked| asked == kind)
    }

    fn ends(&self, reason: EndReason, ended: Timestamp) -> bool {
        // Both ways to sign out read alike, and are one here.
        self.reason.is_none_or(|asked| asked.as_str() == reason.as_str())
            && self.since.is_none_or(|since| since <= ended)
            && self.until.is_none_or(|until| ended < until)
    }

    /// The page, if these are all that can be on it: each once, in order, and no more than its limit. Of several of one id the
    /// first stays.
    pub(crate) fn cut<T>(&self, mut sessions: Vec<T>, id: impl Fn(&T) -> Uuid) -> Vec<T> {
        sessions.sort_by_key(|session| Reverse(id(session)));
        sessions.dedup_by_key(|session| id(session));
        match self.place {
            Place::Latest | Place::Before(_) => sessions.truncate(self.limit),
            Place::After(_) => drop(sessions.drain(..sessions.len().saturating_sub(self.limit))),
        }
        sessions
    }
}

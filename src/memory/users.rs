//! What a shard does with the sessions of a user. Time is an argument here too.

use super::shard::{Shard, Times};
use crate::store::{
    Admission, Admitted, Departure, Entry, Epoch, Key, Member, Outcome, Owner, Revocation, Sweep, Swept, Timestamp,
};

impl Shard {
    /// Whether an admission can go ahead, or why it is refused. Changes nothing.
    pub(super) fn may_admit(&self, owner: &Owner, admission: &Admission<'_>, now: Timestamp) -> Result<(), Admitted> {
        if let Some(found) = self.get(&admission.member.key, now) {
            return Err(Admitted::Found(found.clone()));
        }
        let account = self.account(owner);
        let epoch = account.map_or(Epoch::default(), |account| account.epoch(now));
        if epoch > admission.epoch {
            return Err(Admitted::Outdated { epoch, now });
        }
        if let Some(departure) = admission.predecessor {
            let found = self.get(&departure.member.key, now);
            if !found.is_some_and(|found| found.is_live() && as_expected(found, departure)) {
                return Err(Admitted::Predecessor(found.cloned()));
            }
        }
        let leaves =
            |key: &Key| admission.predecessor.iter().copied().chain(admission.evicted).any(|of| of.member.key == *key);
        let seats = account.map_or(&[][..], |account| account.seats());
        let others = seats.iter().filter(|seat| seat.deadline > now && !leaves(&seat.member.key)).count();
        if others < admission.limit { Ok(()) } else { Err(Admitted::Full) }
    }

    /// Admits what [`may_admit`](Self::may_admit) has let through under the same lock. Answers whether an entry was
    /// replaced, which had expired, and the news.
    pub(super) fn admit(
        &mut self,
        owner: &Owner,
        admission: &Admission<'_>,
        expires: Timestamp,
        times: Times,
    ) -> (bool, Vec<Revocation>) {
        let (now, key) = (times.now, admission.member.key);
        let mut news = Vec::new();
        for departure in admission.predecessor.into_iter().chain(admission.evicted) {
            if self.lives(&departure.member.key, now) {
                news.extend(self.depart(owner, departure, times).1);
            } else {
                self.trim(owner, now, |seat, _| seat.member.key != departure.member.key);
            }
        }
        self.trim(owner, now, |seat, lives| seat.member.key != key && (lives || seat.deadline > now));
        let replaced = self.put(&key, admission.entry.clone(), expires);
        let account = self.account_mut(owner);
        account.raise(admission.epoch, admission.epoch_until, now);
        account.seat(admission.member, admission.entry.deadline());
        (replaced, news)
    }

    /// Ends a session, if it is as expected. Answers the news too.
    pub(super) fn depart(
        &mut self,
        owner: &Owner,
        departure: &Departure,
        times: Times,
    ) -> (Outcome, Option<Revocation>) {
        let Departure { member, expected, marker, news } = departure;
        let outcome = self.end(&member.key, *expected, marker, times);
        if matches!(outcome, Outcome::Found(_)) {
            return (outcome, None);
        }
        self.trim(owner, times.now, |seat, _| seat.member.key != member.key);
        (outcome, *news)
    }

    /// The sessions that live; the index forgets the others.
    pub(super) fn members(&mut self, owner: &Owner, now: Timestamp) -> Vec<(Member, Entry)> {
        self.trim(owner, now, |_, lives| lives);
        let members = self.account(owner).into_iter().flat_map(|account| account.members());
        members.filter_map(|member| Some((*member, self.get(&member.key, now)?.clone()))).collect()
    }

    /// Ends all but one, if that one lives.
    pub(super) fn end_all(&mut self, owner: &Owner, sweep: &Sweep, times: Times) -> Option<Swept> {
        let now = times.now;
        let members = self.account(owner).into_iter().flat_map(|account| account.members().copied());
        let (kept, others): (Vec<_>, Vec<_>) =
            members.partition(|member| sweep.except == Some(member.handle) && self.lives(&member.key, now));
        if sweep.except.is_some() && kept.is_empty() {
            return None;
        }
        let mut ended = 0;
        for member in others {
            let outcome = self.end(&member.key, None, &sweep.marker, times);
            ended += u64::from(outcome == Outcome::Applied);
        }
        let account = self.account_mut(owner);
        account.retain(|seat| kept.contains(&seat.member));
        let epoch = account.epoch(now).next(now);
        account.raise(epoch, sweep.until, now);
        Some(Swept { ended, news: sweep.news(owner, epoch) })
    }
}

fn as_expected(found: &Entry, departure: &Departure) -> bool {
    departure.expected.is_none_or(|id| found.write_id() == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::id::{KeyId, SessionHandle, SessionId, Shard as Place, UserDigest, WriteId};
    use crate::record::{EndReason, FORMAT, Header, History, State};
    use crate::store::Marker;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3600);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn entry(deadline: Timestamp) -> Entry {
        let (history, key_id) = (History::default(), KeyId::from_bytes([0; 4]));
        let (state, write_id, touched) = (State::Live, WriteId::random(), Timestamp::default());
        Entry::new(&Header { format: FORMAT, state, write_id, deadline, touched, key_id, history }, b"body")
    }

    fn times(clock: &Clock) -> Times {
        Times { now: clock.now(), marker: clock.now().plus(Marker::KEPT) }
    }

    #[test]
    fn an_account_goes_with_all_that_it_remembers() {
        let (mut shard, clock) = (Shard::default(), Clock::manual());
        let owner = Owner::new("", UserDigest::from_bytes([1; 16]));
        let member = |id| Member {
            key: Key::new("", Place(0x0101), &SessionId::from_bytes([id; 16])),
            handle: SessionHandle::from_bytes([id; 16]),
        };
        let departure = |id| {
            let marker = Marker::ended(EndReason::SignedOut);
            Departure { member: member(id), expected: None, marker, news: None }
        };
        let admit = |shard: &mut Shard, id, keep_for| {
            let (now, entry) = (clock.now(), entry(clock.now().plus(DAY)));
            let (epoch, epoch_until, limit) = (Epoch::default(), now, 1);
            let (predecessor, evicted, member) = (None, &[][..], member(id));
            let admission =
                Admission { member, entry: &entry, keep_for, epoch, epoch_until, limit, predecessor, evicted };
            assert_eq!(shard.may_admit(&owner, &admission, now), Ok(()));
            shard.admit(&owner, &admission, now.plus(keep_for), times(&clock));
        };

        admit(&mut shard, 1, HOUR);
        let (outcome, _) = shard.depart(&owner, &departure(1), times(&clock));
        assert_eq!(outcome, Outcome::Applied);
        assert!(shard.account(&owner).is_none(), "the last has departed");

        admit(&mut shard, 2, HOUR);
        clock.advance(HOUR);
        shard.sweep(clock.now());
        assert!(shard.account(&owner).is_some(), "before its deadline the index may name one that has gone");
        clock.advance(DAY);
        shard.sweep(clock.now());
        assert!(shard.account(&owner).is_none(), "swept with the shard");

        admit(&mut shard, 3, HOUR);
        clock.advance(HOUR);
        assert_eq!(shard.members(&owner, clock.now()), []);
        assert!(shard.account(&owner).is_none(), "healed");

        let sweep = Sweep { except: None, marker: departure(1).marker, until: clock.now().plus(HOUR) };
        assert!(shard.end_all(&owner, &sweep, times(&clock)).is_some());
        clock.advance(DAY + HOUR - Duration::from_millis(1));
        shard.sweep(clock.now());
        assert!(shard.account(&owner).is_some(), "its epoch has not run out");
        clock.advance(Duration::from_millis(1));
        shard.sweep(clock.now());
        assert!(shard.account(&owner).is_none());
    }
}

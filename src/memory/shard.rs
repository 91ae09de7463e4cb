//! One of the parts that are locked apart from each other. Time is an argument.

use super::account::{Account, Seat};
use super::due::Due;
use super::outbox::Outbox;
use crate::store::{Entry, Key, Marker, Outcome, Outgoing, Owner, Timestamp, WriteId};
use std::collections::{HashMap, HashSet, hash_map};
use std::time::Duration;

#[derive(Default)]
pub(super) struct Shard {
    entries: HashMap<[u8; 16], Kept>,
    /// Of users with sessions, or with an epoch that has not run out. They do not count as sessions do.
    accounts: HashMap<Owner, Account>,
    /// Those that go to the archive when their time has run out, and some that have ended.
    archived: HashSet<Key>,
    pub(super) outbox: Outbox,
    pub(super) due: Due,
    swept: Timestamp,
}

struct Kept {
    entry: Entry,
    expires: Timestamp,
}

/// The time, and what follows from it.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) now: Timestamp,
    /// Until when a marker is kept that is left now.
    pub(super) marker: Timestamp,
}

impl Shard {
    /// A shard is swept at most this often, when something is created in it.
    const SWEEP_EVERY: Duration = Duration::from_secs(60);

    /// What is there and has not expired.
    pub(super) fn get(&self, key: &Key, now: Timestamp) -> Option<&Entry> {
        self.entries.get(key.digest()).filter(|kept| kept.expires > now).map(|kept| &kept.entry)
    }

    /// Answers whether something was there, which can only have been expired.
    pub(super) fn put(&mut self, key: &Key, entry: Entry, expires: Timestamp) -> bool {
        if entry.goes_to_archive() {
            self.archived.insert(*key);
        }
        self.entries.insert(*key.digest(), Kept { entry, expires }).is_some()
    }

    /// Puts a marker in the place of a live entry, of the expected write if one is.
    pub(super) fn end(&mut self, key: &Key, expected: Option<WriteId>, marker: &Marker, times: Times) -> Outcome {
        let mut outgoing = None;
        let outcome = self.replace(key, expected, times.now, |live| {
            outgoing = Outgoing::of(key, live, marker, times.now);
            (live.ended(marker), times.marker)
        });
        if let Some(outgoing) = outgoing {
            self.outbox.put(key.realm(), outgoing);
        }
        outcome
    }

    /// Replaces a live entry, of the expected write if one is.
    pub(super) fn replace(
        &mut self,
        key: &Key,
        expected: Option<WriteId>,
        now: Timestamp,
        new: impl FnOnce(&Entry) -> (Entry, Timestamp),
    ) -> Outcome {
        let Some(kept) = self.entries.get_mut(key.digest()).filter(|kept| kept.expires > now) else {
            return Outcome::Absent;
        };
        let as_expected = expected.is_none_or(|id| kept.entry.write_id() == id);
        if !kept.entry.is_live() || !as_expected {
            return Outcome::Found(kept.entry.clone());
        }
        let (entry, expires) = new(&kept.entry);
        *kept = Kept { entry, expires };
        Outcome::Applied
    }

    pub(super) fn touch(
        &mut self,
        key: &Key,
        seen: Timestamp,
        touched: Timestamp,
        expires: Timestamp,
        now: Timestamp,
    ) -> bool {
        let live = self.entries.get_mut(key.digest()).filter(|kept| kept.expires > now && kept.entry.is_live());
        let Some(kept) = live.filter(|kept| kept.entry.touched() == seen) else { return false };
        kept.entry.touch(touched);
        kept.expires = expires;
        true
    }

    /// Whether a session is there.
    pub(super) fn lives(&self, key: &Key, now: Timestamp) -> bool {
        lives(&self.entries, key, now)
    }

    pub(super) fn account(&self, owner: &Owner) -> Option<&Account> {
        self.accounts.get(owner)
    }

    pub(super) fn account_mut(&mut self, owner: &Owner) -> &mut Account {
        self.accounts.entry(*owner).or_default()
    }

    /// Takes out of the index of a user's sessions those that are not to be kept. It is said of each whether it lives.
    pub(super) fn trim(&mut self, owner: &Owner, now: Timestamp, keep: impl Fn(&Seat, bool) -> bool) {
        if let hash_map::Entry::Occupied(mut account) = self.accounts.entry(*owner) {
            account.get_mut().retain(|seat| keep(seat, lives(&self.entries, &seat.member.key, now)));
            if account.get().is_empty(now) {
                account.remove();
            }
        }
    }

    /// Removes what has expired and answers how many entries that were.
    pub(super) fn sweep(&mut self, now: Timestamp) -> usize {
        let before = self.entries.len();
        self.retire(now);
        self.entries.retain(|_, kept| kept.expires > now);
        self.accounts.retain(|_, account| {
            account.retain(|seat| seat.deadline > now || lives(&self.entries, &seat.member.key, now));
            !account.is_empty(now)
        });
        self.swept = now;
        before - self.entries.len()
    }

    /// Puts into the outbox what goes there and has expired.
    fn retire(&mut self, now: Timestamp) {
        let Self { entries, archived, outbox, .. } = self;
        archived.retain(|key| match entries.get(key.digest()) {
            Some(Kept { entry, expires }) if *expires <= now => {
                if let Some(outgoing) = Outgoing::expired(key, entry, *expires) {
                    outbox.put(key.realm(), outgoing);
                }
                false
            }
            Some(kept) => kept.entry.is_live(),
            None => false,
        });
    }

    /// When the next entry expires.
    pub(super) fn earliest(&self) -> Option<Timestamp> {
        self.entries.values().map(|kept| kept.expires).min()
    }

    pub(super) fn sweep_if_due(&mut self, now: Timestamp) -> usize {
        if now.since(self.swept) < Self::SWEEP_EVERY { 0 } else { self.sweep(now) }
    }
}

fn lives(entries: &HashMap<[u8; 16], Kept>, key: &Key, now: Timestamp) -> bool {
    entries.get(key.digest()).is_some_and(|kept| kept.expires > now && kept.entry.is_live())
}

//! What is in an account: booked by the ids of completed transfers, so that each is booked once.
//!
//! The books are in the memory of this process, and no more than a copy: what was sent is what the archive says was completed. A
//! real bank has a database, and books in the same way, by the id.

use crate::money::Money;
use crate::transfer::{Order, Transfer};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use thin_session::{EndReason, HistoryPage, SessionError, Sessions, UserId, UserSessionData};
use uuid::Uuid;

pub(crate) struct Bank(Mutex<BTreeMap<UserId, Account>>);

/// A user's account, as far as it was read.
#[derive(Clone, Default)]
pub(crate) struct Account {
    booked: BTreeMap<Uuid, Booking>,
    /// Whether the archive was read.
    is_read: bool,
    /// Transfers that were being sent when they were last heard of. As long as there are any, the archive is read again.
    expected: BTreeSet<Uuid>,
}

#[derive(Clone)]
pub(crate) struct Booking {
    pub(crate) at: SystemTime,
    pub(crate) order: Order,
}

impl Bank {
    /// What everybody begins with.
    const OPENING: Money = Money::euros(10_000);
    /// How many sessions are read at a time.
    const PAGE: usize = 100;

    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    /// A user's account. Costs nothing once it was read from the archive.
    pub(crate) async fn account(&self, user: &UserId, sessions: &Sessions) -> Result<Account, SessionError> {
        if let Some(account) = self.accounts().get(user).filter(|account| account.is_up_to_date()) {
            return Ok(account.clone());
        }
        // Also those that were given up: they are not to be expected any more.
        let mut next = HistoryPage::of(Self::PAGE).of_kind(Transfer::KIND).only_ended();
        loop {
            let page = sessions.history(user, &next).await?;
            for past in &page {
                let sent = past.end.filter(|end| end.reason == EndReason::Completed);
                match sent.zip(past.decode().ok().as_ref().and_then(Transfer::order)) {
                    Some((end, order)) => self.book(user, past.id, end.at, order),
                    None => self.forget(user, past.id),
                }
            }
            match page.last() {
                Some(last) if page.len() == Self::PAGE => next = next.before(last.id),
                _ => break,
            }
        }
        let mut accounts = self.accounts();
        let account = accounts.entry(user.clone()).or_default();
        account.is_read = true;
        Ok(account.clone())
    }

    /// Notes that a transfer is being sent. However that ends, if nobody knows how, or the client hangs up: it is looked for in
    /// the archive until it is found there, as each transfer is in the end.
    pub(crate) fn expect(&self, user: &UserId, id: Uuid) {
        self.accounts().entry(user.clone()).or_default().expected.insert(id);
    }

    /// Books what was sent; what is booked already stays as it is. It is not asked any more whether the money is there: that was
    /// before it was sent, and sent is sent.
    pub(crate) fn book(&self, user: &UserId, id: Uuid, at: SystemTime, order: Order) {
        let mut accounts = self.accounts();
        let account = accounts.entry(user.clone()).or_default();
        account.booked.entry(id).or_insert(Booking { at, order });
        account.expected.remove(&id);
    }

    /// What has ended otherwise is not to be booked any more.
    fn forget(&self, user: &UserId, id: Uuid) {
        self.accounts().get_mut(user).map(|account| account.expected.remove(&id));
    }

    /// Each change is one step, so that a panic elsewhere leaves nothing half done.
    fn accounts(&self) -> MutexGuard<'_, BTreeMap<UserId, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    pub(crate) fn is_up_to_date(&self) -> bool {
        self.is_read && self.expected.is_empty()
    }

    pub(crate) fn balance(&self) -> Money {
        Bank::OPENING.less(self.booked.values().map(|booking| booking.order.amount).sum())
    }

    pub(crate) fn find(&self, id: Uuid) -> Option<&Booking> {
        self.booked.get(&id)
    }

    /// What was booked, the transfer that began last in front.
    pub(crate) fn bookings(&self) -> impl Iterator<Item = (&Uuid, &Booking)> {
        self.booked.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::Recipient;

    #[test]
    fn what_comes_twice_is_booked_once() {
        let (bank, ada, id) = (Bank::new(), UserId::new(1u64).expect("an id"), Uuid::now_v7());
        let recipient = Recipient::typed("Charles", "GB82 WEST 1234 5698 7654 32").expect("somebody");
        let order = |euros| Order { recipient: recipient.clone(), amount: Money::euros(euros), note: String::new() };
        bank.book(&ada, id, SystemTime::now(), order(10));
        bank.book(&ada, id, SystemTime::now(), order(99));
        let balance = |bank: &Bank| bank.accounts()[&ada].balance();
        assert_eq!(balance(&bank), Money::euros(9990));
        bank.book(&ada, Uuid::now_v7(), SystemTime::now(), order(1));
        assert_eq!(balance(&bank), Money::euros(9989));
    }
}

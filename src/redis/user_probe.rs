//! The same for all that sessions of users, and news, need.

use super::connection::{Carrier, Connection};
use super::failure::Failure;
use super::feed::mark;
use super::names::Names;
use super::news::publish_in;
use super::operations::remove;
use super::positions::Positions;
use super::probe::{KEPT, Unfit, entry, is};
use super::user_scripts::{Call, MARK};
use super::users::{admit, depart, end_all, members};
use crate::clock::{Clock, Timestamp};
use crate::id::{Epoch, SessionHandle, SessionId, UserDigest, nonce};
use crate::record::EndReason;
use crate::store::{
    Admission, Admitted, Departure, Entry, Key, Marker, Member, Outcome, Owner, Revocation, Revoked, Sweep,
};
use std::time::Duration;

const ADMIT: &str = "sign in (EVALSHA, GET, GETRANGE, PEXPIRE, PTTL, SET, XADD, XRANGE, ZADD, ZCOUNT, ZREM, \
                     ZREMRANGEBYSCORE, ZSCORE)";
const DEPART: &str = "sign out (EVALSHA, GET, GETRANGE, PEXPIRE, PTTL, SET, XADD, XRANGE, ZREM)";
const LIST: &str = "list sessions (GET, ZRANGE)";
const END_ALL: &str = "end all sessions (EVALSHA, GET, GETRANGE, PEXPIRE, PTTL, SET, TIME, XADD, XRANGE, ZRANGE, ZREM)";
const TELL: &str = "tell news (EVALSHA, GET, PEXPIRE, PTTL, SET, XADD, XDEL, XRANGE)";
const READ: &str = "read news (XREAD)";
const MARKED: &str = "mark the store (EVALSHA, GET, PERSIST, SET)";

/// A user that there is not, with two sessions one after the other.
struct Trial {
    names: Names,
    members: [Member; 2],
    until: Timestamp,
}

/// Carries out everything once, on keys of its own.
pub(super) async fn probe(redis: &Connection) -> Result<(), Unfit> {
    let trial = Trial::new();
    let carried_out = trial.carry_out(redis).await;
    let removed = trial.remove(redis).await.map_err(|failure| Unfit::Failed("remove (PEXPIRE)", failure));
    carried_out.and(removed)
}

impl Trial {
    fn new() -> Self {
        let user = UserDigest::from_bytes(nonce());
        let member = || {
            let key = Key::new("", user.shard(), &SessionId::random());
            Member { key, handle: SessionHandle::random() }
        };
        let names = Names::on_trial(&Owner::new("", user));
        Self { names, members: [member(), member()], until: Clock::system().now().plus(KEPT) }
    }

    async fn carry_out(&self, redis: &Connection) -> Result<(), Unfit> {
        let (names, until) = (&self.names, self.until);
        let [first, second] = [entry(until), entry(until)];
        let [old, new] = self.members.map(|member| self.departure(member));
        let news = Revocation { revoked: Revoked::Session(old.member.handle), until };
        let sweep = Sweep { except: None, marker: old.marker.clone(), until };

        is(admit(redis, names, &self.admission(&first, old.member, None)).await, &Admitted::Admitted, ADMIT)?;
        let again = admit(redis, names, &self.admission(&second, new.member, Some(&old))).await;
        is(again, &Admitted::Admitted, ADMIT)?;
        is(members(redis, names).await, &vec![(new.member, second)], LIST)?;
        is(depart(redis, names, &new).await, &Outcome::Applied, DEPART)?;
        let swept = end_all(redis, names, &sweep).await;
        is(swept.map(|swept| swept.map(|swept| swept.ended)), &Some(0), END_ALL)?;
        is(publish_in(redis, &names.news, &news).await, &(), TELL)?;

        let mut positions = Positions::of(vec![names.news.clone()]);
        let read = redis.run(&positions.command(Duration::ZERO), |reply| positions.advance(reply)).await;
        is(read.map(|mut batch| batch.news.pop().map(|(_, last)| last)), &Some(news.to_bytes()), READ)?;
        let (own, mut call) = (nonce::<16>(), Call::on([&self.mark_name()]));
        is(call.bytes(own).run(&MARK, redis, mark).await, &own.to_vec(), MARKED)
    }

    /// Of two, one after the other, there is room for one only.
    fn admission<'a>(&self, entry: &'a Entry, member: Member, predecessor: Option<&'a Departure>) -> Admission<'a> {
        let epoch = Epoch::from_u64(1);
        Admission { member, entry, keep_for: KEPT, epoch, epoch_until: self.until, limit: 1, predecessor, evicted: &[] }
    }

    fn departure(&self, member: Member) -> Departure {
        let news = Revocation { revoked: Revoked::Session(member.handle), until: self.until };
        Departure { member, expected: None, marker: Marker::ended(EndReason::Unclaimed), news: Some(news) }
    }

    fn mark_name(&self) -> String {
        format!("{}:mark", self.names.index)
    }

    async fn remove(&self, redis: &Connection) -> Result<(), Failure> {
        let names = &self.names;
        for member in &self.members {
            remove(redis, &names.record(&member.key).name()).await?;
        }
        for name in [&names.index, &names.epoch, &names.news, &self.mark_name()] {
            remove(redis, name).await?;
        }
        Ok(())
    }
}

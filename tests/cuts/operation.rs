//! Each operation of a store, on what is prepared for it.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use thin_session::RedisStore;
use thin_session::store::{
    Admission, Admitted, Answer, Departure, Entry, Epoch, Key, LastingStore, Member, Outcome, Outgoing, Owner,
    Replaced, Replacement, Revoked, Standing, Store, Sweep, Timestamp,
};
use thin_session::testing;
use thin_session::testing::conformance::entries::{KEPT, Parts, TOUCHED, at, id, key, live, parts};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Load,
    Create,
    Commit,
    Touch,
    End,
    Admit,
    Succeed,
    Depart,
    Members,
    EndAll,
    Publish,
    LoadBoth,
    Replace,
    Complete,
    Renew,
    Outbox,
    Sent,
}

const HOUR: Duration = Duration::from_secs(3600);

/// The session that most are about, and one that is not there.
const ANONYMOUS: u8 = 1;
const NEW: u8 = 2;

/// About when the tests began.
static BEGAN: LazyLock<u64> = LazyLock::new(|| {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    u64::try_from(since.as_millis()).expect("not that late")
});

fn later() -> Timestamp {
    at(*BEGAN + 10 * 3_600_000)
}

fn owner() -> Owner {
    testing::owner("", [0xad; 16])
}

fn member(number: u8) -> Member {
    testing::member(&owner(), [number; 16], [number; 16])
}

/// One of a user, which does not run out.
fn lasting(number: u16) -> Entry {
    Parts { touched: *BEGAN, ..parts(number) }.with_deadline(later()).entry()
}

fn job() -> Key {
    testing::user_session_key(&owner(), "job")
}

fn outgoing(number: u8) -> Outgoing {
    Outgoing { id: Uuid::from_bytes([number; 16]), sealed: vec![number; 40] }
}

fn admission(member: Member, entry: &Entry) -> Admission<'_> {
    let (epoch, epoch_until, limit, predecessor) = (Epoch::default(), later(), 100, None);
    Admission { member, entry, keep_for: KEPT, epoch, epoch_until, limit, predecessor, evicted: &[] }
}

fn departure(number: u8) -> Departure {
    let member = member(number);
    let news = Some(testing::revocation(Revoked::Session(member.handle), later()));
    Departure { member, expected: None, marker: testing::ended_marker(), news }
}

fn replacement<'a>(expected: Option<u16>, entry: &'a Entry, outgoing: Option<&'a Outgoing>) -> Replacement<'a> {
    let (asked_by, expected) = (Some(member(1).key), expected.map(|number| lasting(number).write_id()));
    let look_in = Some(HOUR);
    Replacement { asked_by, expected, standing: Standing::Any, entry, keep_for: KEPT, outgoing, look_in }
}

/// An anonymous session; a user's, and a user session that it has begun; and one that waits in the outbox.
pub(crate) async fn prepare(store: &RedisStore) {
    assert_eq!(store.create(&key(ANONYMOUS), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.admit(&owner(), &admission(member(1), &lasting(11))).await.unwrap(), Admitted::Admitted);
    let (entry, waits) = (lasting(21), outgoing(1));
    assert_eq!(store.replace(&job(), &replacement(None, &entry, Some(&waits))).await.unwrap(), Replaced::Applied);
}

impl Operation {
    pub(crate) const ALL: [Self; 17] = [
        Self::Load,
        Self::Create,
        Self::Commit,
        Self::Touch,
        Self::End,
        Self::Admit,
        Self::Succeed,
        Self::Depart,
        Self::Members,
        Self::EndAll,
        Self::Publish,
        Self::LoadBoth,
        Self::Replace,
        Self::Complete,
        Self::Renew,
        Self::Outbox,
        Self::Sent,
    ];

    pub(crate) fn writes(self) -> bool {
        !matches!(self, Self::Load | Self::Members | Self::LoadBoth | Self::Outbox)
    }

    /// Whether it is one request on the wire.
    pub(crate) fn is_one_request(self) -> bool {
        !matches!(self, Self::Members | Self::EndAll | Self::LoadBoth | Self::Renew)
    }

    /// Carries it out on what is prepared.
    pub(crate) async fn on(self, store: &RedisStore) -> Answer<()> {
        match self {
            Self::Load => assert_eq!(store.load(&key(ANONYMOUS)).await?, Some(live(1))),
            Self::Create => assert_eq!(store.create(&key(NEW), &live(2), KEPT).await?, Outcome::Applied),
            Self::Commit => {
                assert_eq!(store.commit(&key(ANONYMOUS), id(1), &live(2), KEPT).await?, Outcome::Applied);
            }
            Self::Touch => assert!(store.touch(&key(ANONYMOUS), at(TOUCHED), at(TOUCHED + 1), KEPT).await?),
            Self::End => {
                assert_eq!(store.end(&key(ANONYMOUS), None, &testing::ended_marker()).await?, Outcome::Applied);
            }
            Self::Admit => {
                assert_eq!(store.admit(&owner(), &admission(member(2), &lasting(12))).await?, Admitted::Admitted);
            }
            Self::Succeed => {
                let (entry, gives_way) = (lasting(12), departure(1));
                let admission = Admission { predecessor: Some(&gives_way), ..admission(member(2), &entry) };
                assert_eq!(store.admit(&owner(), &admission).await?, Admitted::Admitted);
            }
            Self::Depart => assert_eq!(store.depart(&owner(), &departure(1)).await?, Outcome::Applied),
            Self::Members => assert_eq!(store.members(&owner()).await?, [(member(1), lasting(11))]),
            Self::EndAll => {
                let sweep = Sweep { except: None, marker: testing::ended_marker(), until: later() };
                assert_eq!(store.end_all(&owner(), &sweep).await?.map(|swept| swept.ended), Some(1));
            }
            Self::Publish => {
                let handle = member(1).handle;
                store.publish("", &testing::revocation(Revoked::Session(handle), later())).await?;
            }
            Self::LoadBoth => {
                let [session, user_session] = store.load_both(&member(1).key, &job()).await?;
                assert_eq!(session, Some(lasting(11)));
                assert_eq!(user_session.map(|entry| entry.write_id()), Some(lasting(21).write_id()));
            }
            Self::Replace => {
                let entry = lasting(22);
                assert_eq!(store.replace(&job(), &replacement(Some(21), &entry, None)).await?, Replaced::Applied);
            }
            Self::Complete => {
                let (entry, goes) = (lasting(22).ended(&testing::ended_marker()), outgoing(2));
                assert_eq!(
                    store.replace(&job(), &replacement(Some(21), &entry, Some(&goes))).await?,
                    Replaced::Applied
                );
            }
            Self::Renew => {
                let touched = store.load(&job()).await?.expect("it is there").touched();
                assert!(store.renew(&job(), touched, HOUR, KEPT).await?);
            }
            Self::Outbox => {
                let waiting = store.outbox("", owner().shard(), 10).await?;
                assert_eq!(waiting.iter().map(|waits| waits.id).collect::<Vec<_>>(), [outgoing(1).id]);
            }
            Self::Sent => store.sent("", owner().shard(), &[outgoing(1).id]).await?,
        }
        Ok(())
    }
}

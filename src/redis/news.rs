//! Telling news: to a shard's stream, which every process follows.

use super::connection::Carrier;
use super::failure::Failure;
use super::user_scripts::{Call, TELL};
use super::users::{kept, past};
use crate::clock::Clock;
use crate::store::{Owner, Revocation, Revoked, news_name};
use redis::Value;

/// Tells news that stand alone.
pub(super) async fn publish(redis: &impl Carrier, realm: &'static str, news: &Revocation) -> Result<(), Failure> {
    publish_in(redis, &news_name(realm, home(news)), news).await
}

/// The same, in a stream of this name.
pub(super) async fn publish_in(redis: &impl Carrier, stream: &str, news: &Revocation) -> Result<(), Failure> {
    let now = Clock::system().now();
    let mut call = Call::on([stream, stream]);
    call.number(past(now)).bytes(news.to_bytes()).number(kept(news.until, now)).bytes([]);
    call.run(&TELL, redis, told).await
}

/// Tells again what a store has lost, all of one shard, and puts the epochs of users back where they were.
pub(super) async fn give_back(
    redis: &impl Carrier,
    realm: &'static str,
    shard: u8,
    lost: &[Revocation],
) -> Result<(), Failure> {
    let now = Clock::system().now();
    let stream = news_name(realm, shard);
    let mut call = Call::on([&stream]);
    call.number(past(now));
    for news in lost {
        call.bytes(news.to_bytes()).number(kept(news.until, now));
        match news.revoked {
            Revoked::User(user, epoch, _) => {
                call.key(Owner::new(realm, user).epoch_name()).number(epoch.as_u64());
            }
            Revoked::Session(_) | Revoked::Everybody(_) => {
                call.key(&stream).bytes([]);
            }
        }
    }
    call.run(&TELL, redis, told).await
}

/// The shard in which news are told that no user's script tells.
pub(super) fn home(news: &Revocation) -> u8 {
    match &news.revoked {
        Revoked::Session(handle) => handle.as_bytes()[0],
        Revoked::User(user, ..) => user.shard().index(),
        Revoked::Everybody(_) => 0,
    }
}

fn told(reply: Value) -> Option<()> {
    (reply == Value::Int(1)).then_some(())
}

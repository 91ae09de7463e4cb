//! Which commands a request sends.

use crate::cases::Case;
use crate::client::Browser;
use crate::report::Wire;
use crate::subjects::{self, Keeps, OURS};
use testbed::{Proxy, RedisServer};

/// Each is looked at so often, and the least counts: a new connection introduces itself, and stores listen on theirs.
const TRIES: usize = 5;

pub async fn run() -> Vec<Wire> {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.addr());
    let mut all = Vec::new();
    for subject in subjects::all(&proxy.url()).await {
        if subject.keeps != Keeps::InRedis {
            continue;
        }
        let mut router = subject.router.clone();
        let mut least: Vec<(Case, Vec<String>)> = Vec::new();
        for _ in 0..TRIES {
            let mut browser = Browser::default();
            for case in [Case::Plain, Case::Create, Case::PlainWithCookies, Case::Read, Case::Update, Case::SignOut] {
                let before = proxy.commands().len();
                browser.visit(&mut router, case).await;
                let mut commands = proxy.commands().split_off(before);
                // A revocation is listened for on a connection of its own.
                commands.retain(|command| !command.starts_with("XREAD"));
                match least.iter_mut().find(|(known, _)| *known == case) {
                    Some((_, known)) if known.len() > commands.len() => *known = commands,
                    Some(_) => {}
                    None => least.push((case, commands)),
                }
            }
        }
        for (case, commands) in least {
            all.push(Wire { subject: subject.name.to_owned(), case, commands });
        }
    }
    assert!(all.iter().any(|wire| wire.subject == OURS));
    all
}

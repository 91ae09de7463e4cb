//! What `connect` finds out.

use super::{Operation, told};
use crate::bench::{connect, ttl};
use crate::entries::key;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testbed::{Proxy, RedisServer};
use thin_session::RedisStore;
use tokio::time::Instant;

const PASSWORD: &str = "correct-horse";

/// All that sessions need, as the documentation has it.
const NEEDED: [&str; 25] = [
    "get",
    "set",
    "getrange",
    "setrange",
    "pexpire",
    "pttl",
    "persist",
    "zadd",
    "zcount",
    "zrange",
    "zrangebyscore",
    "zrem",
    "zremrangebyscore",
    "zscore",
    "xadd",
    "xdel",
    "xrange",
    "xread",
    "hset",
    "hdel",
    "hrandfield",
    "hlen",
    "time",
    "eval",
    "evalsha",
];

/// The address for a user `app` who may do what `rules` say.
fn user(server: &RedisServer, rules: &[String]) -> String {
    let password = format!(">{PASSWORD}");
    let mut command: Vec<&[u8]> = vec![b"ACL", b"SETUSER", b"app", b"reset", b"on", password.as_bytes()];
    command.extend(rules.iter().map(String::as_bytes));
    assert_eq!(server.command(&command).text(), "OK");
    server.url().replace("//", &format!("//app:{PASSWORD}@"))
}

fn allowed(commands: impl Iterator<Item = &'static str>) -> Vec<String> {
    commands.map(|command| format!("+{command}")).chain(["~ts*".into()]).collect()
}

#[tokio::test]
async fn the_rights_in_the_documentation_are_enough() {
    let server = RedisServer::start();
    let url = user(&server, &allowed(NEEDED.into_iter()));
    let store = connect(&url).await;
    for operation in [Operation::Create, Operation::Touch, Operation::Commit, Operation::End, Operation::Load] {
        operation.on(&store, &key(0)).await.unwrap();
    }
}

/// Whether Redis knows the scripts already or not.
#[tokio::test]
async fn every_right_that_is_missing_shows_at_once() {
    let server = RedisServer::start();
    for known in [false, true] {
        for missing in NEEDED {
            let _ = server.command(&[b"SCRIPT", b"FLUSH"]);
            if known {
                connect(&server.url()).await;
            }
            let url = user(&server, &allowed(NEEDED.into_iter().filter(|command| *command != missing)));
            let error = refusal(&url).await;
            assert!(error.contains("allow") && error.contains(&missing.to_uppercase()), "{missing}: {error}");
            assert!(!error.contains(PASSWORD), "{error}");
        }
    }
    for key in server.keys() {
        assert!(ttl(&server, &key) != -1, "a probe stays for ever");
    }
}

/// Why Redis cannot be used. Not because the machine that runs the tests is too busy for its 250 ms.
async fn refusal(url: &str) -> String {
    let give_up = Instant::now() + testbed::LIMIT;
    loop {
        let error = told(&RedisStore::connect(url).await.unwrap_err());
        if !error.contains("did not answer") && !error.contains("could not be reached") {
            return error;
        }
        assert!(Instant::now() < give_up, "{error}");
    }
}

#[tokio::test]
async fn without_eval_it_says_so() {
    let server = RedisServer::start();
    let url = user(&server, &["~*".into(), "+@all".into(), "-eval".into()]);
    let error = RedisStore::connect(&url).await.unwrap_err();
    assert!(!error.maybe_applied());
    assert!(
        told(&error).contains("must be reachable, and allow EVAL") && told(&error).contains("'eval'"),
        "{}",
        told(&error)
    );
}

#[tokio::test]
async fn keys_that_are_not_allowed_show_at_once() {
    let server = RedisServer::start();
    let url = user(&server, &["~other:*".into(), "+@all".into()]);
    assert!(told(&RedisStore::connect(&url).await.unwrap_err()).contains("create"));
}

#[tokio::test]
async fn nothing_stays_of_the_trial() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.addr());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    proxy.on_request(move |request| {
        let keys = request.words.iter().filter(|word| word.starts_with(b"ts"));
        log.lock().unwrap().extend(keys.map(|key| String::from_utf8(key.clone()).unwrap()));
        testbed::Fault::Pass
    });
    connect(&proxy.url()).await;
    assert!(server.keys().is_empty());
    let seen = seen.lock().unwrap();
    assert!(
        !seen.is_empty() && seen.iter().all(|key| key.starts_with("ts:{") && key[6..].starts_with("}:probe:")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_replica_will_not_do() {
    let server = RedisServer::start();
    let _ = server.command(&[b"REPLICAOF", b"127.0.0.1", b"1"]);
    assert!(told(&RedisStore::connect(&server.url()).await.unwrap_err()).contains("replica"));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let server = RedisServer::start();
    server.freeze();
    let begin = Instant::now();
    assert!(!RedisStore::connect(&server.url()).await.unwrap_err().maybe_applied());
    assert!(begin.elapsed() < Duration::from_millis(600), "{:?}", begin.elapsed());
    assert!(
        !RedisStore::connect(&format!("redis://127.0.0.1:{}", testbed::free_port())).await.unwrap_err().maybe_applied()
    );
}

#[tokio::test]
async fn no_error_holds_the_password() {
    let server = RedisServer::start();
    let right = user(&server, &["~*".into(), "+@all".into()]);
    let store = connect(&right).await;
    assert!(!format!("{store:?}").contains(PASSWORD));

    let host = right.rsplit('@').next().unwrap().trim_end_matches('/');
    let free = testbed::free_port();
    for url in [
        format!("redis://nobody:{PASSWORD}@{host}"),
        format!("redis://:{PASSWORD}@{host}"),
        format!("redis://app:{PASSWORD}@{host}?protocol=resp3&db=x{PASSWORD}"),
        format!("redis://nobody:{PASSWORD}@{host}?protocol=resp3"),
        format!("redis://app:{PASSWORD}@{host}/99"),
        format!("redis://app:{PASSWORD}@{host}/{PASSWORD}"),
        format!("redis://app:{PASSWORD}@127.0.0.1:{free}"),
        format!("rediss://app:{PASSWORD}@{host}"),
        format!("redis://app:{PASSWORD}@{host}:99:99"),
        format!("redis://app:{PASSWORD}"),
        format!("redis://app:{PASSWORD}@no-such-host.invalid"),
        format!("http://app:{PASSWORD}@{host}"),
        format!("app:{PASSWORD}@{host}"),
        PASSWORD.to_owned(),
        format!("redis://app:{PASSWORD}%ff@{host}"),
    ] {
        if let Err(error) = RedisStore::connect(&url).await {
            assert!(!told(&error).contains(PASSWORD), "{url}: {}", told(&error));
            assert!(!error.maybe_applied());
        } else {
            assert!(url.contains("db=x"), "{url}");
        }
    }
}

#[tokio::test]
async fn a_policy_that_may_evict_is_warned_of() {
    let server = RedisServer::start();
    assert!(logged(&server.url()).await.is_empty());
    let _ = server.command(&[b"CONFIG", b"SET", b"maxmemory-policy", b"volatile-lru"]);
    let warning = logged(&server.url()).await;
    assert!(
        warning.contains("WARN") && warning.contains("volatile-lru") && warning.contains("noeviction"),
        "{warning}"
    );

    let mut rules = allowed(NEEDED.into_iter());
    assert!(!logged(&user(&server, &rules)).await.contains("WARN"));
    rules.push("+config|get".into());
    assert!(logged(&user(&server, &rules)).await.contains("volatile-lru"));
}

#[tokio::test]
async fn a_full_server_can_be_connected_to_and_is_warned_of() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    Operation::Create.on(&store, &key(0)).await.unwrap();
    let _ = server.command(&[b"CONFIG", b"SET", b"maxmemory", b"1"]);
    let warning = logged(&server.url()).await;
    assert!(warning.contains("WARN") && warning.contains("OOM"), "{warning}");
    Operation::Load.on(&connect(&server.url()).await, &key(0)).await.unwrap();
}

/// What connecting logs.
async fn logged(url: &str) -> String {
    let log = Log::default();
    let _guard = log.keep();
    connect(url).await;
    log.text()
}

/// What is logged on this thread.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Goes on until the guard is dropped.
    pub(super) fn keep(&self) -> tracing::subscriber::DefaultGuard {
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::DEBUG);
        tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

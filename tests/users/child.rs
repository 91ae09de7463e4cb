//! Servers in processes of their own: this program once more, running only [`child`].

use crate::site::{Site, connect, keyring, pages, serve};
use axum::Router;
use axum::http::{HeaderValue, Method, header};
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{self, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use testbed::Client;
use thin_session::SessionLayer;
use tokio::time::sleep;

const CHILD: &str = "THIN_SESSION_USERS_CHILD";

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(120);

/// A server in a process of its own.
pub(crate) struct Child {
    process: process::Child,
    lines: BufReader<TcpStream>,
}

impl Child {
    /// Starts one that reaches its Redis by this way, and waits until it is ready.
    pub(crate) fn start(site: &Site, redis: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound").to_string();
        let [lasting, current] = &site.secrets;
        let process = Command::new(env::current_exe().expect("this program has a path"))
            .args(["--exact", "child::child", "--nocapture"])
            .env(CHILD, [&address, redis, lasting, current].join(" "))
            .stdout(Stdio::null())
            .spawn()
            .expect("this program can be started");
        let (stream, _) = listener.accept().expect("the child connects");
        stream.set_read_timeout(Some(LIMIT)).expect("a timeout can be set");
        Self { process, lines: BufReader::new(stream) }
    }

    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.lines.get_mut(), "{line}").expect("the child listens");
    }

    pub(crate) fn hear(&mut self) -> String {
        read(&mut self.lines).expect("the child answers in time")
    }

    /// The answer, if it has come by now.
    pub(crate) fn heard(&mut self) -> Option<String> {
        let wait = |stream: &TcpStream, time| stream.set_read_timeout(Some(time)).expect("a timeout can be set");
        wait(self.lines.get_ref(), Duration::from_millis(1));
        let has_come = self.lines.fill_buf().is_ok_and(|bytes| !bytes.is_empty());
        wait(self.lines.get_ref(), LIMIT);
        has_come.then(|| self.hear())
    }

    /// As an operator or a lack of memory would: it does nothing more.
    pub(crate) fn kill(&mut self) {
        // Either fails only if it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// No test, but the other process, until its parent hangs up. Does nothing when it is run as a test.
#[test]
fn child() {
    let Ok(told) = env::var(CHILD) else { return };
    let [parent, redis, lasting, current]: [String; 4] =
        told.split(' ').map(str::to_owned).collect::<Vec<_>>().try_into().expect("four words");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime can be built");
    let server = runtime.block_on(async {
        let layer = SessionLayer::new(connect(&redis).await, keyring(&[lasting, current]));
        serve(&layer.store_deadline(Duration::from_secs(20)).expect("it is in bounds"), pages())
    });
    // Only now, as the parent takes it that who calls is ready.
    let mut parent = BufReader::new(TcpStream::connect(parent).expect("the parent listens"));
    while let Some(line) = read(&mut parent) {
        let (verb, rest) = line.split_once(' ').expect("what to do, and with what");
        let told = match verb {
            "post" => {
                let (path, cookies) = rest.split_once(' ').expect("where, and the cookies");
                runtime.block_on(post(&server, path, cookies))
            }
            "watch" => {
                let cookies: Vec<_> = (0..rest.parse().expect("a number")).map_while(|_| read(&mut parent)).collect();
                runtime.block_on(watch(&server, &cookies, &mut parent))
            }
            _ => panic!("what is {verb}?"),
        };
        writeln!(parent.get_mut(), "{told}").expect("the parent listens");
    }
}

fn read(lines: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = lines.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

fn sending(server: &Router, cookies: &str) -> Client {
    let mut browser = Client::new(server.clone());
    browser.headers.insert(header::COOKIE, HeaderValue::from_str(cookies).expect("a cookie is visible ASCII"));
    browser
}

async fn post(server: &Router, path: &str, cookies: &str) -> String {
    sending(server, cookies).ask(Method::POST, path).await.status.to_string()
}

/// Looks every millisecond whether the visitor is recognised whose turn it is. Answers when each was found not to be, in
/// millionths of a second.
async fn watch(server: &Router, cookies: &[String], parent: &mut BufReader<TcpStream>) -> String {
    let browsers: Vec<_> = cookies.iter().map(|cookie| sending(server, cookie)).collect();
    for browser in &browsers {
        assert!(is_recognised(browser).await, "nothing has been revoked so far");
    }
    writeln!(parent.get_mut(), "ready").expect("the parent listens");
    let mut found = Vec::new();
    for browser in &browsers {
        while is_recognised(browser).await {
            sleep(Duration::from_millis(1)).await;
        }
        found.push(micros().to_string());
    }
    found.join(" ")
}

async fn is_recognised(browser: &Client) -> bool {
    !browser.ask(Method::GET, "/hello").await.body.is_empty()
}

/// What time it is, for all processes of a machine.
pub(crate) fn micros() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970");
    u64::try_from(now.as_micros()).expect("it is long until then")
}

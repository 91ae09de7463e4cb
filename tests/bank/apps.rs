//! An application of several processes, which are killed at any moment and started again. Each is this program once more,
//! running only [`app`].

use crate::forms;
use crate::shop::{self, tell_kind};
use crate::site::Site;
use axum::middleware::map_response;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::{self, Runtime};
use tokio::sync::watch;

const APP: &str = "THIN_SESSION_BANK_APP";

/// How long one may take to start.
const LIMIT: Duration = Duration::from_secs(120);

/// A process of the application.
pub(crate) struct App {
    process: process::Child,
    addr: SocketAddr,
    /// It ends when this does.
    _line: BufReader<TcpStream>,
}

impl App {
    /// Starts one, and waits until it serves.
    pub(crate) fn start(site: &Site) -> Self {
        let (process, mut line) = start_child("apps::app", APP, &site.told());
        let mut port = String::new();
        line.read_line(&mut port).expect("the child says where it is");
        let addr = (Ipv4Addr::LOCALHOST, port.trim().parse().expect("a port")).into();
        Self { process, addr, _line: line }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// As an operator or a lack of memory would: it does nothing more.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Either fails only if it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.end();
    }
}

/// This program once more, running only what acts as another process; and the line to it.
pub(crate) fn start_child(test: &str, variable: &str, told: &str) -> (process::Child, BufReader<TcpStream>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    let process = Command::new(env::current_exe().expect("this program has a path"))
        .args(["--exact", test, "--nocapture"])
        .env(variable, format!("{address} {told}"))
        .stdout(Stdio::null())
        .spawn()
        .expect("this program can be started");
    let (stream, _) = listener.accept().expect("the child connects");
    stream.set_read_timeout(Some(LIMIT)).expect("a timeout can be set");
    (process, BufReader::new(stream))
}

/// No test, but a process of the application: goes on until its parent hangs up. Does nothing when it is run as a test.
#[test]
fn app() {
    let Ok(told) = env::var(APP) else { return };
    let (parent, site) = told.split_once(' ').expect("where its parent is");
    let site = Site::heard(site.split(' '));
    // So that its parent need not wait for one that has died.
    let mut parent = TcpStream::connect(parent).expect("the parent listens");
    let numbers = PrometheusBuilder::new().install_recorder().expect("there is no other");
    let runtime = runtime();
    let port = runtime.block_on(async {
        let pages = shop::routes().merge(forms::pages()).route("/numbers", get(async move || numbers.render()));
        let layer = site.layer().await.archive_browser_sessions();
        let server = pages.layer(layer).layer(map_response(tell_kind));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        tokio::spawn(async move { axum::serve(listener, server).await });
        port
    });
    writeln!(parent, "{port}").expect("the parent listens");
    let _ = parent.read(&mut [0]);
}

pub(crate) fn runtime() -> Runtime {
    runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime can be built")
}

/// Some processes of one application.
pub(crate) struct Crew {
    site: Site,
    apps: Mutex<Vec<Option<App>>>,
    /// How many answers it has given.
    answers: watch::Sender<usize>,
    kills: AtomicUsize,
}

impl Crew {
    pub(crate) async fn start(site: &Site, size: usize) -> Arc<Self> {
        let of = site.clone();
        let apps = tokio::task::spawn_blocking(move || (0..size).map(|_| Some(App::start(&of))).collect());
        Arc::new(Self {
            site: site.clone(),
            apps: Mutex::new(apps.await.expect("all start")),
            answers: watch::Sender::default(),
            kills: AtomicUsize::new(0),
        })
    }

    /// Those that are up.
    pub(crate) fn addrs(&self) -> Vec<SocketAddr> {
        self.apps.lock().expect("nobody panics with it").iter().flatten().map(App::addr).collect()
    }

    /// Any of them.
    pub(crate) fn anyone(&self) -> SocketAddr {
        let up = self.addrs();
        up[rand::random_range(0..up.len())]
    }

    /// Notes an answer.
    pub(crate) fn answered(&self) {
        self.answers.send_modify(|answers| *answers += 1);
    }

    /// How many were killed.
    pub(crate) fn kills(&self) -> usize {
        self.kills.load(Ordering::SeqCst)
    }

    /// Kills all of them.
    pub(crate) fn is_gone(&self) {
        self.apps.lock().expect("nobody panics with it").clear();
    }

    /// Kills one or another and starts it again, as work goes on and not as time does. Ends when it is dropped.
    pub(crate) async fn is_killed_again_and_again(self: Arc<Self>) {
        loop {
            let next = *self.answers.borrow() + rand::random_range(1..60);
            let mut answers = self.answers.subscribe();
            answers.wait_for(|answers| *answers >= next).await.expect("this is the sender");
            // Not between two requests, but at any moment of one.
            tokio::time::sleep(Duration::from_micros(rand::random_range(0..20_000))).await;
            let crew = Arc::clone(&self);
            tokio::task::spawn_blocking(move || crew.kill_one()).await.expect("it starts again");
        }
    }

    fn kill_one(&self) {
        let apps = || self.apps.lock().expect("nobody panics with it");
        let which = rand::random_range(0..apps().len());
        let app = apps()[which].take();
        app.expect("only one is away at a time").kill();
        self.kills.fetch_add(1, Ordering::SeqCst);
        let app = App::start(&self.site);
        apps()[which] = Some(app);
    }
}

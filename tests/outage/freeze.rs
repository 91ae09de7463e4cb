//! Pages that need no store, while Redis stands still and other handlers wait for it.

use super::{session_pages_recover, shopper};
use axum::http::{Method, StatusCode};
use std::env;
use std::fs::OpenOptions;
use std::future::Future;
use std::io::Write as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use testbed::{Answer, Client, RedisServer, wait_until};
use tokio::task::JoinSet;

/// How often somebody asks for a page that needs the store, whether it is there or not.
const OTHERS: Duration = Duration::from_millis(20);
/// How many times as long as otherwise pages may take while Redis stands still, in the median; and how long none of them may.
const RATIO: f64 = 1.10;
const LONGEST: Duration = Duration::from_millis(50);

/// A page that needs no store: its address, what it says, and whether the browser has cookies.
struct Page {
    name: &'static str,
    path: &'static str,
    says: &'static str,
    with_cookies: bool,
}

const PAGES: [Page; 4] = [
    Page { name: "a route that asks for nothing", path: "/nothing", says: "nothing", with_cookies: true },
    Page { name: "the same, without cookies", path: "/nothing", says: "nothing", with_cookies: false },
    Page { name: "`Visitor`", path: "/visitor", says: "ada", with_cookies: true },
    Page { name: "`LazySession` that is not loaded", path: "/lazy", says: "lazy", with_cookies: true },
];

impl Page {
    fn browser(&self, browser: &Client) -> Client {
        let mut browser = browser.clone();
        if !self.with_cookies {
            browser.cookies.clear();
        }
        browser
    }

    fn check(&self, answer: &Answer) {
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, self.says), "{}", self.name);
    }
}

/// Requests that need the store, in flight until they are answered.
struct Others {
    browser: Client,
    in_flight: Arc<AtomicU64>,
    all: JoinSet<Answer>,
}

impl Others {
    fn of(browser: &Client) -> Self {
        Self { browser: browser.clone(), in_flight: Arc::default(), all: JoinSet::new() }
    }

    fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::SeqCst)
    }

    fn ask(&mut self) {
        let (browser, in_flight) = (self.browser.clone(), Arc::clone(&self.in_flight));
        let asked = if self.all.len().is_multiple_of(2) { (Method::GET, "/cart") } else { (Method::POST, "/add") };
        self.all.spawn(async move {
            in_flight.fetch_add(1, Ordering::SeqCst);
            let answer = browser.ask(asked.0, asked.1).await;
            in_flight.fetch_sub(1, Ordering::SeqCst);
            answer
        });
    }
}

/// The answer, if it comes without waiting for anything at all.
fn at_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_without_a_store_waits_for_anything_while_others_wait_for_the_store() {
    let server = RedisServer::start();
    let browser = shopper(&server).await;
    server.freeze();
    let mut asked = 0;
    loop {
        let mut others = Others::of(&browser);
        (0..40).for_each(|_| others.ask());
        tokio::task::block_in_place(|| wait_until("others to wait", || others.in_flight() > 0));
        for page in PAGES.iter().cycle().take(400) {
            let browser = page.browser(&browser);
            let answer = at_once(browser.ask(Method::GET, page.path));
            page.check(&answer.unwrap_or_else(|| panic!("{} waits", page.name)));
            asked += 1;
            tokio::task::yield_now().await;
        }
        let waited = others.in_flight();
        for answer in others.all.join_all().await {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "the store is frozen");
        }
        // On a machine that is busy they may have been answered meanwhile.
        if waited > 0 {
            break;
        }
    }
    assert!(asked >= 400);
    server.thaw();
}

/// What the pages took in one half of a round, in which Redis is frozen or not.
struct Half {
    medians: [Duration; PAGES.len()],
    slowest: Duration,
    /// Of tasks that do nothing: how busy the machine was.
    slowest_idle: Duration,
    asked: usize,
    /// How many others were in flight at most.
    others: u64,
}

async fn half(browser: &Client, lasts: Duration) -> Half {
    let browsers = PAGES.each_ref().map(|page| page.browser(browser));
    let (mut taken, mut idle, mut others) = (PAGES.map(|_| Vec::new()), Vec::new(), Others::of(browser));
    let (began, mut asked, mut most) = (Instant::now(), 0, 0);
    while began.elapsed() < lasts {
        while began.elapsed() > OTHERS * asked {
            others.ask();
            asked += 1;
        }
        for ((page, browser), taken) in PAGES.iter().zip(&browsers).zip(&mut taken) {
            let browser = browser.clone();
            let asked = Instant::now();
            // A task of its own, as a server makes one of each connection.
            let answer = tokio::spawn(async move { at_once(browser.ask(Method::GET, page.path)) }).await;
            taken.push(asked.elapsed());
            page.check(&answer.expect("a page does not panic").unwrap_or_else(|| panic!("{} waits", page.name)));
        }
        let asked = Instant::now();
        tokio::spawn(async {}).await.expect("it does nothing");
        idle.push(asked.elapsed());
        most = most.max(others.in_flight());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    others.all.join_all().await;
    let slowest = |of: &[Duration]| of.iter().max().copied().unwrap_or_default();
    let (all, slowest_idle) = (taken.concat(), slowest(&idle));
    Half { medians: taken.map(median), slowest: slowest(&all), slowest_idle, asked: all.len(), others: most }
}

fn median<T: Copy + PartialOrd>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).expect("they have an order"));
    values[values.len() / 2]
}

/// Rounds of two halves, of which one is frozen and comes first in every other round. As many others ask for the store in both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_without_a_store_take_as_long_while_it_is_frozen() {
    let is_full = env::var_os("THIN_SESSION_FULL").is_some();
    let (rounds, lasts) = if is_full { (30, Duration::from_secs(1)) } else { (2, Duration::from_millis(100)) };
    let server = RedisServer::start();
    let mut browser = shopper(&server).await;
    half(&browser, lasts / 4).await;
    let [mut running, mut frozen] = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        for is_frozen in [round % 2 == 0, round % 2 != 0] {
            if !is_frozen {
                running.push(half(&browser, lasts).await);
                continue;
            }
            server.freeze();
            frozen.push(half(&browser, lasts).await);
            server.thaw();
            session_pages_recover(&mut browser).await;
        }
    }
    let ratios = told(&running, &frozen);
    if is_full {
        assert!(ratios.iter().all(|ratio| *ratio <= RATIO), "{ratios:?}");
        assert!(most(&frozen, |half| half.slowest) <= LONGEST, "{:?}", most(&frozen, |half| half.slowest));
        assert!(median(frozen.iter().map(|half| half.others).collect()) > 10, "others were waiting");
    }
}

/// Reports how the halves went, and answers of each page how many times as long it took, in the median of all rounds.
fn told(running: &[Half], frozen: &[Half]) -> Vec<f64> {
    let mut ratios = Vec::new();
    for (number, page) in PAGES.iter().enumerate() {
        let [running, frozen] = [running, frozen]
            .map(|halves| halves.iter().map(|half| half.medians[number].as_secs_f64()).collect::<Vec<_>>());
        let ratio = median(frozen.iter().zip(&running).map(|(frozen, running)| frozen / running).collect());
        let [running, frozen] = [running, frozen].map(|seconds| 1e6 * median(seconds));
        report(&format!("| {} | {running:.0} µs | {frozen:.0} µs | {ratio:.3} |", page.name));
        ratios.push(ratio);
    }
    let both = |what: &str, of: fn(&Half) -> Duration| {
        let [running, frozen] = [running, frozen].map(|halves| 1e3 * most(halves, of).as_secs_f64());
        report(&format!("| {what} | {running:.1} ms | {frozen:.1} ms | |"));
    };
    both("the slowest of all", |half| half.slowest);
    both("the slowest of a quarter as many tasks that do nothing", |half| half.slowest_idle);
    let [all, all_frozen] = [running, frozen].map(|halves| halves.iter().map(|half| half.asked).sum::<usize>());
    report(&format!("| that waited for anything | 0 of {all} | 0 of {all_frozen} | |"));
    let [others, others_frozen] =
        [running, frozen].map(|halves| median(halves.iter().map(|half| half.others).collect()));
    report(&format!(
        "| others in flight at most, in the median of {} rounds | {others} | {others_frozen} | |",
        frozen.len()
    ));
    ratios
}

fn most(halves: &[Half], of: fn(&Half) -> Duration) -> Duration {
    halves.iter().map(of).max().unwrap_or_default()
}

/// A line for the campaign's report, if there is to be one.
fn report(line: &str) {
    let Some(file) = env::var_os("THIN_SESSION_REPORT") else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(file).expect("the report can be written");
    writeln!(file, "{line}").expect("the report can be written");
}

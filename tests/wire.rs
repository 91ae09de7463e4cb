//! How many requests each HTTP request puts on the wire, counted by a proxy between the store and a real Redis; and what
//! a process sends while nobody asks, which waits for news on a connection of its own.

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testbed::{Client, Fault, Proxy, RedisServer, Request, wait_until};
use thin_session::{
    Clock, Keyring, LazySession, Peek, RedisStore, Session, SessionData, SessionError, SessionHandle, SessionLayer,
    Sessions, SignedIn, UserId, Visitor,
};

#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: u32,
}

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

#[derive(Default, Serialize, Deserialize)]
struct Theme {
    dark: bool,
}

impl SessionData for Theme {
    const NAME: &'static str = "theme";
}

async fn add(mut cart: Session<Cart>) -> Result<(), SessionError> {
    cart.update(|cart| cart.items += 1).await
}

async fn change_nothing(mut cart: Session<Cart>) -> Result<(), SessionError> {
    cart.update(|_| ()).await
}

async fn add_and_theme(mut both: Session<(Cart, Theme)>) -> Result<(), SessionError> {
    both.update(|(cart, theme)| {
        cart.items += 1;
        theme.dark = !theme.dark;
    })
    .await
}

async fn sign_in(mut visitor: Visitor, Path(user): Path<String>) -> Result<(), SessionError> {
    visitor.sign_in(UserId::new(user)?).await.map(drop)
}

async fn prove(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.reauthenticated().await.map(drop)
}

async fn sign_out(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_out().await
}

/// The sessions of Ada, for a page that asks nobody who they are.
async fn list(sessions: Sessions) -> Result<String, SessionError> {
    Ok(sessions.list(&UserId::new("ada")?).await?.len().to_string())
}

async fn end_one(sessions: Sessions, Path(handle): Path<SessionHandle>) -> Result<String, SessionError> {
    Ok(sessions.end(&UserId::new("ada")?, &handle).await?.to_string())
}

async fn end_all(sessions: Sessions) -> Result<String, SessionError> {
    Ok(sessions.end_all(&UserId::new("ada")?).await?.to_string())
}

async fn end_others(keep: SignedIn, sessions: Sessions) -> Result<String, SessionError> {
    Ok(sessions.end_others(&keep).await?.to_string())
}

/// Sessions that a user may have.
const CAP: usize = 3;
/// The connection that all requests share is made with the store.
const SHARED: u64 = 1;
/// The one that waits for news, when the layer is put around routes.
const FOLLOWING: u64 = 2;

struct Bench {
    server: RedisServer,
    proxy: Proxy,
    wire: Arc<Mutex<Vec<Request>>>,
    clock: Clock,
    browser: Client,
}

impl Bench {
    async fn new() -> Self {
        let server = RedisServer::start();
        let proxy = Proxy::start(server.addr());
        let store = RedisStore::connect(&proxy.url()).await.expect("Redis is there");
        let (clock, layer) = (Clock::manual(), SessionLayer::new(store, Keyring::generate()));
        let app = Router::new()
            .route("/nothing", get(async || "nothing"))
            .route("/visitor", get(async |visitor: Visitor| visitor.user_id().is_some().to_string()))
            .route("/cart", get(async |cart: Session<Cart>| cart.items.to_string()))
            .route("/peek", get(async |cart: Peek<Cart>| cart.items.to_string()))
            .route("/lazy", get(async |_: LazySession<Cart>| "not loaded"))
            .route("/thrice", get(async |_: Session<Cart>, _: Session<Theme>, _: Option<SignedIn>| "one load"))
            .route("/signed-in", get(async |_: SignedIn| "signed in"))
            .route("/add", post(add))
            .route("/both", post(add_and_theme))
            .route("/change-nothing", post(change_nothing))
            .route("/sign-in/{user}", post(sign_in))
            .route("/prove", post(prove))
            .route("/sign-out", post(sign_out))
            .route("/sign-out-remembering", post(async |mut visitor: Visitor| visitor.sign_out_remembering().await))
            .route("/handle", get(async |who: SignedIn| who.session().to_string()))
            .route("/list", get(list))
            .route("/end/{handle}", post(end_one))
            .route("/end-all", post(end_all))
            .route("/end-others", post(end_others))
            .layer(layer.clock(clock.clone()).max_sessions_per_user(CAP).expect("it is in bounds"));
        let bench = Self { server, proxy, wire: Arc::default(), clock, browser: Client::new(app) };
        let wire = Arc::clone(&bench.wire);
        bench.proxy.on_request(move |request| {
            wire.lock().unwrap().push(request.clone());
            Fault::Pass
        });
        bench
    }

    /// A browser that has never been here.
    fn newcomer(&self) -> Client {
        let mut client = self.browser.clone();
        client.cookies.clear();
        client
    }

    /// A browser in which Ada has signed in.
    async fn device(&self) -> Client {
        let mut client = self.newcomer();
        assert_eq!(client.post("/sign-in/ada").await.status, 200);
        client
    }

    /// The keys of all sessions.
    fn sessions(&self) -> Vec<Vec<u8>> {
        let keys = self.server.keys().into_iter();
        keys.filter(|key| key.windows(3).any(|part| part == b":s:")).collect()
    }

    fn sent_on(&self, connection: u64) -> Vec<Request> {
        self.wire.lock().unwrap().iter().filter(|request| request.connection == connection).cloned().collect()
    }

    /// A bench whose browser has a cart in its session.
    async fn with_cart() -> Self {
        let mut bench = Self::new().await;
        bench.browser.post("/add").await;
        bench
    }

    /// Sends a request and answers how many it put on the wire.
    async fn count(&mut self, method: &str, path: &str) -> usize {
        self.asked(method, path).await.len()
    }

    /// Sends a request and answers what it put on the wire.
    async fn asked(&mut self, method: &str, path: &str) -> Vec<String> {
        self.wire.lock().unwrap().clear();
        let answer = match method {
            "GET" => self.browser.get(path).await,
            _ => self.browser.post(path).await,
        };
        assert!(answer.status.is_success() || answer.status.as_u16() == 401, "{path}: {}", answer.status);
        assert!(self.proxy.connections() <= FOLLOWING, "no other connection");
        self.sent_on(SHARED).iter().map(Request::name).collect()
    }
}

#[tokio::test]
async fn a_route_that_names_nothing_sends_nothing() {
    let mut bench = Bench::with_cart().await;
    assert_eq!(bench.count("GET", "/nothing").await, 0);
}

#[tokio::test]
async fn a_visitor_sends_nothing() {
    let mut bench = Bench::with_cart().await;
    assert_eq!(bench.count("GET", "/visitor").await, 0);
    bench.browser.post("/sign-in/ada").await;
    assert_eq!(bench.count("GET", "/visitor").await, 0);
    assert_eq!(bench.browser.get("/visitor").await.text(), "true");
}

#[tokio::test]
async fn without_a_cookie_a_session_sends_nothing() {
    let mut bench = Bench::new().await;
    for path in ["/cart", "/peek", "/lazy", "/thrice", "/signed-in"] {
        assert_eq!(bench.count("GET", path).await, 0, "{path}");
    }
    assert_eq!(bench.count("POST", "/change-nothing").await, 0);
    assert_eq!(bench.count("POST", "/sign-out").await, 0);
}

#[tokio::test]
async fn a_session_is_one_request() {
    let mut bench = Bench::with_cart().await;
    for path in ["/cart", "/peek", "/thrice", "/signed-in"] {
        assert_eq!(bench.count("GET", path).await, 1, "{path}");
    }
    assert_eq!(bench.count("GET", "/lazy").await, 0);
    assert_eq!(bench.count("POST", "/change-nothing").await, 1);
}

#[tokio::test]
async fn an_update_is_two() {
    let mut bench = Bench::with_cart().await;
    assert_eq!(bench.count("POST", "/add").await, 2);
    assert_eq!(bench.count("POST", "/both").await, 2);
    assert_eq!(bench.browser.get("/cart").await.text(), "3");
}

#[tokio::test]
async fn a_first_write_is_one() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.count("POST", "/add").await, 1);
}

#[tokio::test]
async fn a_sign_out_is_one_and_two_if_the_session_has_moved() {
    let mut bench = Bench::with_cart().await;
    assert_eq!(bench.count("POST", "/sign-out").await, 1);
    bench.browser.post("/sign-in/ada").await;
    assert_eq!(bench.count("POST", "/sign-out").await, 1, "with the index and the news");

    for (first, then) in [("/add", "/sign-in/ada"), ("/sign-in/ada", "/prove")] {
        bench.browser.post(first).await;
        let before = bench.browser.clone();
        bench.browser.post(then).await;
        let after = bench.browser.clone();
        bench.browser = before;
        assert_eq!(bench.count("POST", "/sign-out").await, 2, "{then}");
        bench.browser = after;
        assert_eq!(bench.browser.get("/signed-in").await.status, 401);
        bench.browser.cookies.clear();
    }
}

/// The index is asked for the session, and its record is read; where it has gone, all are told that its visitor is nobody's. What
/// all know already takes none.
#[tokio::test]
async fn a_sign_out_with_nothing_but_the_visitors_cookie_is_three_and_two_without_a_session() {
    for (before, expected) in [("/add", 3), ("/sign-out-remembering", 2)] {
        let mut bench = Bench::new().await;
        bench.browser.post("/sign-in/ada").await;
        let mut visitor = bench.browser.cookies.clone();
        visitor.retain(|name, _| name.ends_with("visitor"));
        bench.browser.post(before).await;
        for count in [expected, 0] {
            bench.browser.cookies = visitor.clone();
            assert_eq!(bench.count("POST", "/sign-out").await, count, "{before}");
        }
    }
}

#[tokio::test]
async fn a_sign_in_is_one_for_a_new_visitor_and_three_with_a_session() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.count("POST", "/sign-in/ada").await, 1);
    let mut bench = Bench::with_cart().await;
    assert_eq!(bench.count("POST", "/sign-in/ada").await, 3);
    assert_eq!(bench.browser.get("/cart").await.text(), "1");
}

/// The session is read, and then the new one takes its place.
#[tokio::test]
async fn a_sign_in_again_and_a_reauthentication_are_two() {
    let mut bench = Bench::with_cart().await;
    bench.browser.post("/sign-in/ada").await;
    for path in ["/sign-in/ada", "/prove"] {
        assert_eq!(bench.asked("POST", path).await, ["GET", "EVALSHA"], "{path}");
    }
    assert_eq!(bench.browser.get("/cart").await.text(), "1");
    // Hers is in another shard than his, and ends apart.
    assert_eq!(bench.count("POST", "/sign-in/bob").await, 3);
}

/// The store says that there are too many; those are looked at, and some end with the sign-in itself.
#[tokio::test]
async fn a_sign_in_over_the_cap_is_four_and_reads_each_session_of_the_user() {
    let mut bench = Bench::new().await;
    let mut first = bench.device().await;
    for _ in 1..CAP {
        bench.clock.advance(Duration::from_secs(1));
        bench.device().await;
    }
    let reads = vec!["GET"; CAP];
    let expected = [&["EVALSHA", "ZRANGE"][..], &reads, &["EVALSHA"]].concat();
    assert_eq!(bench.asked("POST", "/sign-in/ada").await, expected);
    assert_eq!(bench.browser.get("/list").await.text(), CAP.to_string());
    assert_eq!(first.get("/signed-in").await.status, 401, "the oldest has ended");
    // In the place of another of the same user there is room.
    assert_eq!(bench.count("POST", "/sign-in/ada").await, 2);
}

/// The reads of a list go in one go.
#[tokio::test]
async fn a_list_is_one_and_one_for_each_session() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.asked("GET", "/list").await, ["ZRANGE"]);
    for many in 1..=CAP {
        bench.device().await;
        let expected = [&["ZRANGE"][..], &vec!["GET"; many]].concat();
        assert_eq!(bench.asked("GET", "/list").await, expected);
    }
    // One that has gone without a word is healed, once.
    let key = bench.sessions().remove(0);
    assert_eq!(bench.server.command(&[b"DEL", &key]).int(), 1);
    assert_eq!(bench.asked("GET", "/list").await, ["ZRANGE", "GET", "GET", "GET", "ZREM"]);
    assert_eq!(bench.asked("GET", "/list").await, ["ZRANGE", "GET", "GET"]);
}

#[tokio::test]
async fn an_end_by_handle_is_a_list_and_one() {
    let mut bench = Bench::new().await;
    let (mut first, mut other) = (bench.device().await, bench.device().await);
    let path = format!("/end/{}", first.get("/handle").await.text());
    assert_eq!(bench.asked("POST", &path).await, ["ZRANGE", "GET", "GET", "EVALSHA"]);
    assert_eq!(
        (first.get("/signed-in").await.status.as_u16(), other.get("/signed-in").await.status.as_u16()),
        (401, 200)
    );
    assert_eq!(bench.asked("POST", &path).await, ["ZRANGE", "GET"], "it has left the index");
}

/// What there is, in one go; then all of it as one script.
#[tokio::test]
async fn the_end_of_all_is_four_however_many_there_are() {
    let mut bench = Bench::new().await;
    let expected = ["ZRANGE", "GET", "TIME", "EVALSHA"];
    assert_eq!(bench.asked("POST", "/end-all").await, expected);
    for _ in 0..CAP {
        bench.device().await;
    }
    assert_eq!(bench.asked("POST", "/end-all").await, expected);
    assert_eq!(bench.browser.get("/list").await.text(), "0");

    bench.device().await;
    bench.browser = bench.device().await;
    assert_eq!(bench.asked("POST", "/end-others").await, [&["GET"][..], &expected].concat());
    assert_eq!(bench.browser.get("/list").await.text(), "1");
}

/// One look is two requests: whether the store is the one that it was, and what is new, which waits for most of a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_nobody_asks_there_is_one_look_a_second_on_one_connection() {
    const LOOKS: usize = 4;
    const WAIT: Duration = Duration::from_millis(900);
    // From the start, so that a process that comes up knows what is revoked when the first request comes.
    let bench = Bench::new().await;
    let looks = || bench.sent_on(FOLLOWING).iter().filter(|request| request.name() == "XREAD").count();
    wait_until("the first look", || looks() > 0);
    let (begun, before) = (Instant::now(), looks());
    wait_until("some more", || looks() >= before + LOOKS);
    // The first of them may have been about to come.
    assert!(begun.elapsed() > WAIT * (LOOKS as u32 - 1), "{LOOKS} looks in {:?}", begun.elapsed());

    let sent = bench.sent_on(FOLLOWING);
    let first = sent.iter().position(|request| request.name().starts_with("EVAL")).expect("it looks for the mark");
    for pair in sent[first..].chunks(2) {
        assert!(pair[0].words.contains(&b"ts:{4L}:mark".to_vec()), "{:?}", pair[0].words);
        assert!(pair.len() == 1 || pair[1].words.iter().filter(|word| word.ends_with(b"}:n")).count() == 256);
    }
    let greeting = sent[..first].iter().map(Request::name);
    assert!(greeting.clone().all(|name| ["CLIENT", "HELLO"].contains(&&*name)), "{:?}", greeting.collect::<Vec<_>>());
    assert_eq!((bench.proxy.connections(), bench.sent_on(SHARED).len()), (2, 0));
}

#[tokio::test]
async fn a_forged_or_foreign_cookie_sends_nothing() {
    let mut stranger = Bench::with_cart().await.browser;
    let mut bench = Bench::with_cart().await;
    let own = bench.browser.cookies.clone();
    for (name, value) in &own {
        let mut forged = value.clone().into_bytes();
        forged[20] ^= 1;
        bench.browser.cookies.insert(name.clone(), String::from_utf8(forged).unwrap());
    }
    assert_eq!(bench.count("GET", "/cart").await, 0);

    stranger.get("/nothing").await;
    bench.browser.cookies = stranger.cookies;
    assert_eq!(bench.count("GET", "/cart").await, 0);
}

#[tokio::test]
async fn a_cookie_past_its_absolute_limit_sends_nothing() {
    let mut bench = Bench::with_cart().await;
    bench.clock.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(bench.count("GET", "/cart").await, 0);
}

#[tokio::test]
async fn an_idled_out_session_is_one() {
    let mut bench = Bench::with_cart().await;
    // What expiry does.
    let [key] = bench.sessions().try_into().expect("one session is stored");
    assert_eq!(bench.server.command(&[b"DEL", &key]).int(), 1);
    assert_eq!(bench.count("GET", "/cart").await, 1);
}

#[tokio::test]
async fn activity_adds_one_once_in_a_tenth_of_the_idle_limit() {
    let mut bench = Bench::with_cart().await;
    let tenth = Duration::from_secs(24 * 3600 / 10);
    bench.clock.advance(tenth - Duration::from_millis(1));
    assert_eq!(bench.count("GET", "/cart").await, 1);
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.count("GET", "/peek").await, 1);
    assert_eq!(bench.count("GET", "/cart").await, 2);
    assert_eq!(bench.count("GET", "/cart").await, 1);
}

//! What the shop counts, at a door of its own, and the dashboard that shows it.

use crate::{HONEY, Shopper as _, TEAPOT, is_of_the_feed};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;
use testbed::{Example, Fault, Http, LIMIT, Proxy, RedisServer, free_port};

const DASHBOARD: &str = include_str!("../../examples/shop/grafana.json");

/// A shop, and where its numbers are.
fn open(args: &[&str], variables: &[(&str, &str)]) -> (Example, SocketAddr) {
    let metrics = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let addr = metrics.to_string();
    let args: Vec<&str> = args.iter().copied().chain(["--metrics", &addr]).collect();
    (Example::start_with("shop", &args, variables), metrics)
}

/// The names in a text that begin as all of the crate's do.
fn names(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c));
    words.filter(|word| word.starts_with("thin_session_")).map(str::to_owned).collect()
}

/// All lines of numbers, without the comments.
async fn scraped(metrics: SocketAddr) -> String {
    let answer = Http::new(metrics).open("/metrics").await;
    assert!(answer.has_status(200).header("content-type").is_some_and(|kind| kind.starts_with("text/plain")));
    answer.body.lines().filter(|line| !line.starts_with('#')).map(|line| line.to_owned() + "\n").collect()
}

/// Everything that the dashboard asks for.
fn expressions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    let panels = dashboard["panels"].as_array().expect("it has panels");
    let mut expressions = Vec::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        for target in panel["targets"].as_array().expect("a panel has targets") {
            expressions.push(target["expr"].as_str().expect("a target has an expression").to_owned());
        }
    }
    assert!(expressions.len() > 15, "{expressions:?}");
    expressions
}

/// The labels that an expression sorts by, and those that it selects.
fn labels(expression: &str) -> BTreeSet<&str> {
    let within =
        |begin, end| expression.split(begin).skip(1).map(move |rest: &str| rest.split(end).next().unwrap_or(""));
    let sorted = within("by (", ')').flat_map(|list| list.split(", "));
    let selected = within("{", '}').filter_map(|selector| selector.split(['=', '!']).next());
    sorted.chain(selected).collect()
}

#[tokio::test]
async fn numbers_are_told_at_their_own_door_only() {
    let (shop, metrics) = open(&[], &[]);
    let mut browser = Http::new(shop.addr());
    browser.add(TEAPOT).await.leads_to("/");
    browser.open("/cart").await.says("1 store call,");
    browser.open("/metrics").await.has_status(404);
    let numbers = scraped(metrics).await;
    for line in [
        "thin_session_store_calls_total{operation=\"create\",outcome=\"answered\"} 1\n",
        "thin_session_store_calls_total{operation=\"load\",outcome=\"answered\"} 1\n",
        "thin_session_created_total{signed_in=\"false\"} 1\n",
        "thin_session_store_seconds_bucket{operation=\"load\",le=\"1\"} 1\n",
        "thin_session_record_bytes_bucket{operation=\"create\",le=\"65536\"} 1\n",
    ] {
        assert!(numbers.contains(line), "no {line:?} in\n{numbers}");
    }
    assert!(!numbers.contains("quantile="), "histograms have buckets:\n{numbers}");
    Http::new(metrics).open("/cart").await.has_status(404);
}

/// Two shops on one store, and all that can happen to their sessions.
#[tokio::test]
async fn the_dashboard_shows_what_is_counted() {
    let secret = || STANDARD.encode(rand::random::<[u8; 32]>());
    let (lasting, current) = (secret(), secret());
    let keys = [("SESSION_LASTING_SECRET", lasting.as_str()), ("SESSION_SECRET", current.as_str())];
    let server = RedisServer::start();
    let proxy = Proxy::start(server.addr());
    let (shop, metrics) = open(&["--redis", &proxy.url()], &keys);
    let (other, others_metrics) = open(&["--redis", &server.url()], &keys);

    let deadline = Instant::now() + LIMIT;
    let mut ada = Http::new(shop.addr());
    ada.add(TEAPOT).await.leads_to("/");
    ada.add(HONEY).await.leads_to("/");

    // Two tabs of one visitor at once, until they meet: a conflict.
    let mut round = 0;
    while !scraped(metrics).await.contains("thin_session_conflicts_total") {
        let amount = (round % 9 + 1).to_string();
        let change = |product| [("product", product), ("amount", amount.as_str())];
        let (teapots, honeys) = (change(TEAPOT), change(HONEY));
        let tabs = tokio::join!(ada.ask("POST", "/cart/change", &teapots), ada.ask("POST", "/cart/change", &honeys));
        tabs.0.leads_to("/cart");
        tabs.1.leads_to("/cart");
        assert!(Instant::now() < deadline, "no conflict after {round} rounds");
        round += 1;
    }

    // Signing in, and the end of another device's, which the other shop hears of.
    ada.sign_in("Ada", "/my").await.leads_to("/my");
    ada.clone().at(other.addr()).open("/cart").await.says("Teapot");
    let mut phone = Http::new(shop.addr());
    // What it hears with its first look, it may have been told long ago: that is not counted.
    while !scraped(others_metrics).await.contains("thin_session_revocation_lag_seconds") {
        phone.sign_in("Ada", "/my").await.leads_to("/my");
        ada.submit("/account/devices/end-others", &[]).await.leads_to("/account");
        assert!(Instant::now() < deadline, "the other shop has not heard of it:\n{}", scraped(others_metrics).await);
    }
    phone.sign_in("Ada", "/my").await.leads_to("/my");
    phone.sign_out().await;
    ada.open("/account").await.says("This one");

    // A cookie that somebody made up.
    let mut stranger = ada.clone();
    stranger.cookies.values_mut().for_each(|cookie| *cookie = cookie.chars().rev().collect());
    stranger.open("/cart").await.says("There is nothing in it yet");

    // Replies are lost, until the visitor is told that nobody knows.
    proxy.on_request(|request| match request.name().as_str() {
        "EVALSHA" if !is_of_the_feed(request) => Fault::LoseReply,
        _ => Fault::Pass,
    });
    let unknown = ada.add(TEAPOT).await;
    proxy.no_faults();
    unknown.has_status(503);

    // A record that is damaged.
    let mut damaged = Http::new(other.addr());
    let before = server.keys();
    damaged.add(TEAPOT).await.leads_to("/");
    let keys: Vec<_> = server.keys().into_iter().filter(|key| !before.contains(key)).collect();
    let [key] = keys.as_slice() else { panic!("one more session has one more key: {}", keys.len()) };
    let _ = server.command(&[b"SETRANGE", key, b"60", b"damaged"]);
    damaged.open("/cart").await;

    let numbers = scraped(metrics).await + &scraped(others_metrics).await;
    let counted = names(&numbers);
    let mut shown = BTreeSet::new();
    for expression in expressions() {
        let names = names(&expression);
        assert_eq!(names.len(), 1, "{expression}");
        for name in names {
            let line = numbers.lines().find(|line| line.split(['{', ' ']).next() == Some(&name));
            let line = line.unwrap_or_else(|| panic!("{name} is on the dashboard, and never counted:\n{numbers}"));
            for label in labels(&expression) {
                assert!(line.contains(&format!("{label}=\"")), "no label {label:?} in {line}");
            }
            shown.insert(name);
        }
    }
    for name in counted {
        let bucket = name.strip_suffix("_sum").or(name.strip_suffix("_count")).map(|name| format!("{name}_bucket"));
        assert!(shown.contains(&bucket.unwrap_or(name.clone())), "{name} is counted, and not on the dashboard");
    }
}

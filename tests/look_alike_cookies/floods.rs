//! A megabyte of cookies, as a proxy without limits would let it pass.

use super::common::{Call, log, log_of_this_thread};
use super::site::{SESSION, Site, junk, pair};
use std::time::{Duration, Instant};

const MEGABYTE: usize = 1 << 20;

fn flood(of: &str, bytes: usize) -> Vec<u8> {
    of.repeat(bytes / of.len()).into_bytes()
}

/// What a flood may consist of. None of it is a candidate for our cookie.
fn units() -> Vec<String> {
    let named = |value: &str| format!("{SESSION}={value};");
    let mut units =
        ["a=;", ";", "=", " ", "\t", " ;\t", "a", "__Host-Http-", "__Host-Http-session"].map(Into::into).to_vec();
    units.extend(["", " ", "=", "\"", "A"].map(named));
    units.extend([named(&"A".repeat(91)), named(&"A".repeat(93)), format!("{SESSION}=")]);
    units
}

#[tokio::test]
async fn no_flood_is_ours_drops_ours_or_takes_longer_than_it_is_long() {
    let site = Site::new();
    let mine = pair(&site.visitor_with("mine").await, SESSION).into_bytes();
    for unit in units() {
        for bytes in [MEGABYTE / 100, MEGABYTE / 10, MEGABYTE] {
            assert_takes_ten_times_as_long_as_a_tenth(&site, &unit, bytes).await;
        }
        let flood = flood(&unit, MEGABYTE);
        assert_eq!(site.note(std::slice::from_ref(&flood)).await, (String::new(), vec![]), "{unit:?} alone");
        let expected = (String::from("mine"), vec![Call::Load]);
        let half = &flood[..flood.len() / 2];
        let around = [half, &b"; "[..], &mine, b"; ", half].concat();
        assert_eq!(site.note(&[around]).await, expected, "{unit:?} around ours");
        assert_eq!(
            site.note(&[half.to_vec(), mine.clone(), half.to_vec()]).await,
            expected,
            "{unit:?} in other headers"
        );
    }
}

/// Whatever is quadratic takes a hundred times as long. The fastest of several runs is compared, so that a busy machine
/// has to disturb every one of them.
async fn assert_takes_ten_times_as_long_as_a_tenth(site: &Site, unit: &str, bytes: usize) {
    let (short, long) = (flood(unit, bytes / 10), flood(unit, bytes));
    let mut ratios = Vec::new();
    while ratios.last().is_none_or(|ratio| *ratio > 40.0) {
        assert!(ratios.len() < 10, "{unit:?}: {bytes} bytes take {ratios:.0?} times as long as a tenth of them");
        let (short, long) = (fastest(site, &short).await, fastest(site, &long).await);
        ratios.push(long.as_secs_f64() / short.as_secs_f64());
    }
}

async fn fastest(site: &Site, cookies: &[u8]) -> Duration {
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let started = Instant::now();
        site.note(&[cookies.to_vec()]).await;
        fastest = fastest.min(started.elapsed());
    }
    fastest
}

#[tokio::test]
async fn four_candidates_are_opened_and_no_more() {
    log_of_this_thread();
    let site = Site::new();
    let mine = pair(&site.visitor_with("mine").await, SESSION);
    let flood = String::from_utf8(flood(&format!("{SESSION}={};", junk('A')), MEGABYTE)).expect("it is text");
    for (cookies, note, calls) in [
        (format!("{mine}; {flood}"), "mine", vec![Call::Load]),
        // Ours comes fifth, or ten thousandth. It is not found, and that is all: reading sets no cookie.
        (format!("{flood}; {mine}"), "", vec![]),
    ] {
        log();
        assert_eq!(site.note(&[cookies.into()]).await, (note.to_owned(), calls));
        let opened = log().matches("cookie refused").count() + usize::from(note == "mine");
        assert_eq!(opened, 4);
    }
}

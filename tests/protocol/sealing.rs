//! A write id belongs to one sealing: whatever is sealed again gets a new one. Protocol 11.
//!
//! Half of the nonce is made of it. Two plaintexts under one nonce would be as good as in the clear.

use super::gate::{Delayed, Op, Step};
use super::shop::{Shop, elsewhere, ok, on_each_store};
use std::collections::HashMap;
use thin_session::store::Entry;

/// Everything that makes a record anew: conflicts, lost replies, copying again, signing in and again.
async fn a_write_id_never_names_two_records(shop: Shop) {
    let mut browser = shop.browser();
    shop.gate.plan(Op::Create, [Step::LoseReply, Step::LoseRequest]);
    ok(browser.post("/count").await);
    for _ in 0..8 {
        let conflict = Step::before(elsewhere(&browser, "/count"));
        let lost = Step::Delay(Delayed::default());
        shop.gate.plan(Op::Commit, [Step::LoseReply, lost, conflict]);
        ok(browser.post("/count").await);
    }
    for (path, at) in [("/sign-in/ada", Op::End), ("/sign-in/ada", Op::Admit), ("/reauthenticate", Op::Admit)] {
        let changed = || Step::before(elsewhere(&browser, "/count"));
        shop.gate.plan(at, [changed(), changed(), Step::LoseReply]);
        ok(browser.post(path).await);
    }
    // A server that has not heard that all of hers were ended learns it when she signs in, and seals with another epoch.
    shop.ending_all_of_adas().await;
    shop.let_time_pass().await;
    let mut other = shop.browser();
    for path in ["/sign-in/ada", "/sign-in/bob"] {
        shop.gate.plan(Op::Admit, [Step::LoseReply, Step::LoseRequest]);
        ok(other.post(path).await);
    }
    let entries: Vec<_> = shop.gate.calls().into_iter().filter_map(|call| Some((call.key?, call.entry?))).collect();
    let mut known: HashMap<_, Entry> = HashMap::new();
    for (key, entry) in &entries {
        let first = known.entry((*key, entry.write_id())).or_insert_with(|| entry.clone());
        assert_eq!(first.as_bytes(), entry.as_bytes(), "one write id, two records");
    }
    assert!(entries.len() > known.len() + 8, "writes were sent again");
    assert!(known.len() > 30, "records were made anew");
}

/// The destination in the marker of a moved session is sealed too: under a nonce of its own, never the record's.
async fn a_marker_is_the_same_however_often_it_is_sent_and_another_for_another_move(shop: Shop) {
    let (mut tails, mut browser) = (Vec::new(), shop.browser());
    for number in 0..8 {
        // First over an anonymous session, then over that of the same user.
        let op = if number % 2 == 0 { Op::End } else { Op::Admit };
        if op == Op::End {
            browser = shop.browser_with_tea().await;
        }
        let before = shop.gate.calls().len();
        shop.gate.plan(op, [Step::LoseRequest, Step::LoseReply]);
        ok(browser.post("/sign-in/ada").await);
        let sent: Vec<_> = shop.gate.calls().drain(before..).flat_map(|call| call.markers).collect();
        assert!(sent.len() == 3 && sent.iter().all(|marker| *marker == sent[0]), "the same three times");
        tails.push(sent[0].tail().to_vec());
    }
    tails.sort();
    tails.dedup();
    assert_eq!(tails.len(), 8);
    assert!(tails.iter().all(|tail| !tail.windows(3).any(|part| part == b"ada")));
}

on_each_store! {
    a_write_id_never_names_two_records,
    a_marker_is_the_same_however_often_it_is_sent_and_another_for_another_move,
}

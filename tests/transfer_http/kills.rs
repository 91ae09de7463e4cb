//! A bank that is killed in mid-transfer, again and again at random moments: no step that it acknowledged is lost.

use crate::customer::Customer as _;
use crate::restarts::Folder;
use crate::{IPHONE, at};
use rand::RngExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use testbed::{Example, Http, wait_until};

/// How often it is killed: a few times, and with `THIN_SESSION_FULL` in the environment as often as `scripts/campaign` wants.
fn kills() -> u32 {
    if std::env::var_os("THIN_SESSION_FULL").is_some() { 100 } else { 8 }
}

fn note(step: u32) -> String {
    format!("step {step} of many")
}

/// Takes steps until the bank is gone. Notes which was sent last, and which was acknowledged last.
async fn walk(phone: Http, seen: String, sent: Arc<AtomicU32>, acknowledged: Arc<AtomicU32>) {
    loop {
        let step = sent.fetch_add(1, Ordering::SeqCst) + 1;
        let fields = [("note", note(step)), ("seen", seen.clone())];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let Some(answer) = phone.ask_mortal("POST", "/transfer/note", &fields).await else { return };
        answer.leads_to("/transfer/confirm");
        acknowledged.store(step, Ordering::SeqCst);
    }
}

/// The step that the last page shows.
async fn found(phone: &mut Http) -> u32 {
    let page = phone.open("/transfer/confirm").await;
    let (before, _) = page.has_status(200).body.split_once(" of many").expect("it shows the note");
    before.rsplit("step ").next().and_then(|number| number.parse().ok()).expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_mid_transfer_it_loses_no_step_that_it_acknowledged() {
    let folder = Folder::new("kills");
    let data = folder.data();
    let args = ["--data", &data];
    let mut bank = Example::start("transfer", &args);
    let mut phone = at(&bank, IPHONE, "Ada").await;
    phone.fill_in("12.50").await;
    phone.write(&note(0)).await.leads_to("/transfer/confirm");

    let [sent, acknowledged] = [(); 2].map(|()| Arc::new(AtomicU32::new(0)));
    for kill in 0..kills() {
        let seen = phone.open("/transfer/note").await.hidden("seen").to_owned();
        let walker = tokio::spawn(walk(phone.clone(), seen, Arc::clone(&sent), Arc::clone(&acknowledged)));
        // As work goes on and not as time does; and then not between two steps, but at any moment of one.
        let next = acknowledged.load(Ordering::SeqCst) + rand::rng().random_range(2..20);
        let has_walked = || acknowledged.load(Ordering::SeqCst) >= next;
        tokio::task::block_in_place(|| wait_until("steps to be acknowledged", has_walked));
        tokio::time::sleep(Duration::from_micros(rand::rng().random_range(0..15_000))).await;
        drop(bank);
        walker.await.expect("whoever walks into nothing stops");

        bank = Example::start("transfer", &args);
        phone = phone.at(bank.addr());
        let (found, sent, acknowledged) =
            (found(&mut phone).await, sent.load(Ordering::SeqCst), acknowledged.load(Ordering::SeqCst));
        assert!((acknowledged..=sent).contains(&found), "kill {kill}: {found}, of {acknowledged} to {sent}");
    }
    assert!(acknowledged.load(Ordering::SeqCst) > kills(), "it was in mid-transfer");
    let page = phone.open("/transfer/confirm").await;
    let receipt = phone.send(&page).await;
    phone.open(receipt.has_status(303).header("location").expect("it leads on")).await.has_status(200).says("12.50");
}

/// The same at the last step, which is two: a transfer is sent once, or is still to be sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_sends_it_sends_once_or_not_yet() {
    let folder = Folder::new("sends");
    let data = folder.data();
    let args = ["--data", &data];
    let mut bank = Example::start("transfer", &args);
    let mut phone = at(&bank, IPHONE, "Ada").await;
    let mut sent = 0;
    for kill in 0..kills().min(19) {
        phone.fill_in("1.00").await;
        let page = phone.open("/transfer/confirm").await;
        let (tab, seen) = (phone.clone(), page.hidden("seen").to_owned());
        let sending =
            tokio::spawn(
                async move { tab.ask_mortal("POST", "/transfer/confirm", &[("seen", &seen)]).await.is_some() },
            );
        tokio::time::sleep(Duration::from_micros(rand::rng().random_range(0..15_000))).await;
        drop(bank);
        let acknowledged = sending.await.expect("it comes back");

        bank = Example::start("transfer", &args);
        phone = phone.at(bank.addr());
        let history = phone.open("/history").await.count(">Sent</strong>");
        assert!(history == sent || history == sent + 1, "kill {kill}: {history} sent after {sent}");
        assert!(!acknowledged || history == sent + 1, "kill {kill}: acknowledged, and not sent");
        sent = history;
        let home = phone.open("/").await;
        let balance = 10_000 - sent;
        home.says(&format!("{},{:03}.00", balance / 1000, balance % 1000));
        if home.body.contains(crate::UNDER_WAY) {
            // Perhaps it was being sent: whoever asks again waits a moment, and sends it then.
            let mut again = phone.send(&page).await;
            for _ in 0..100 {
                if again.status == 303 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
                let page = phone.open("/transfer/confirm").await;
                again = phone.send(&page).await;
            }
            again.has_status(303);
            sent += 1;
        }
    }
}

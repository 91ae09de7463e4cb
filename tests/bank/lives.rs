//! What users do, and what the archive must have of it in the end. A way to end is a line of [`WAYS`].

use crate::apps::Crew;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use testbed::{Http, HttpAnswer};
use thin_session::EndReason;
use thin_session::archive::EndedSession;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// How long any answer may take to come, with all processes that are killed meanwhile.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

type Way = for<'a> fn(&'a mut Life) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// From no session to one that has ended, or that nobody will touch again.
pub(crate) const WAYS: &[Way] = &[
    |life| Box::pin(life.fills_in_and("/form-completed", EndReason::Completed)),
    |life| Box::pin(life.fills_in_and("/form-sent", EndReason::Completed)),
    |life| Box::pin(life.is_refused_and_abandons()),
    |life| Box::pin(life.fills_in_and("/form-abandoned", EndReason::Abandoned)),
    |life| Box::pin(life.fills_in_and_leaves()),
];

/// A session that has ended, as the archive is to have it: why, how often it was changed, what it held.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    reason: EndReason,
    updates: u32,
    payload: String,
}

/// A user at a browser, who asks again until there is an answer.
pub(crate) struct Life {
    pub(crate) user: String,
    browser: Http,
    crew: Arc<Crew>,
    /// What has ended, the first in front.
    pub(crate) told: Vec<Told>,
    /// What the one that has not holds.
    fields: Vec<String>,
}

impl Life {
    /// Signs in.
    pub(crate) async fn begin(crew: &Arc<Crew>, user: &str) -> Self {
        let browser = Http::new(crew.anyone());
        let (user, crew) = (user.to_owned(), Arc::clone(crew));
        let mut life = Self { user, browser, crew, told: Vec::new(), fields: Vec::new() };
        life.signs_in().await;
        life
    }

    async fn signs_in(&mut self) {
        let path = format!("/sign-in/{}", self.user);
        let answer = self.asks(&path, &[]).await.expect("it is not refused");
        for cookie in answer.all("set-cookie") {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.browser.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Signs out, and in again: the browser's session ends, the user's goes on.
    pub(crate) async fn signs_out_and_in(&mut self) {
        self.asks("/sign-out", &[]).await.expect("it is not refused");
        self.browser.cookies.clear();
        self.signs_in().await;
    }

    /// Its fields are told apart by how many have ended before.
    async fn fills_in(&mut self) {
        for _ in 0..rand::random_range(1..=3) {
            let field = format!("{}-{}", self.told.len(), self.fields.len());
            self.asks(&format!("/form/{field}"), &[]).await.expect("it is not refused");
            self.fields.push(field);
        }
    }

    /// It has ended, and will be archived with what it holds.
    fn has_ended(&mut self, reason: EndReason) {
        let fields: Vec<_> = self.fields.drain(..).map(|field| format!("{field:?}")).collect();
        let (updates, payload) = (u32::try_from(fields.len()).expect("not so many"), format!("[{}]", fields.join(",")));
        self.told.push(Told { reason, updates, payload });
    }

    async fn fills_in_and(&mut self, path: &str, reason: EndReason) {
        self.fills_in().await;
        self.ends(path, reason).await;
    }

    pub(crate) async fn fills_in_one_and_completes(&mut self) {
        let field = self.told.len().to_string();
        self.asks(&format!("/form/{field}"), &[]).await.expect("it is not refused");
        self.fields.push(field);
        self.ends("/form-completed", EndReason::Completed).await;
    }

    /// One who is told that it was done before asks once more than needed.
    async fn ends(&mut self, path: &str, reason: EndReason) {
        let _done = self.asks(path, &["Ended"]).await;
        self.has_ended(reason);
    }

    /// What a quota has refused is as it was.
    async fn is_refused_and_abandons(&mut self) {
        self.fills_in().await;
        let answer = self.asks("/form-not-sent", &[]).await.expect("it is not refused");
        assert_eq!(answer.body, "too many");
        self.fills_in_and("/form-abandoned", EndReason::Abandoned).await;
    }

    pub(crate) async fn fills_in_and_leaves(&mut self) {
        self.fills_in().await;
        self.has_ended(EndReason::Expired);
    }

    /// Asks one process or another until one answers. None if that is a refusal of one of these kinds, which only somebody gets who
    /// has asked before.
    async fn asks(&mut self, path: &str, refusals: &[&str]) -> Option<HttpAnswer> {
        let give_up = Instant::now() + LIMIT;
        for tries in 0.. {
            let answer = self.browser.at(self.crew.anyone()).ask_mortal("POST", path, &[]).await;
            self.crew.answered();
            let kind = answer.as_ref().and_then(|answer| answer.header("kind")).map(str::to_owned);
            match (answer, kind) {
                (Some(answer), None) => {
                    answer.has_status(200);
                    return Some(answer);
                }
                (_, Some(kind)) if tries > 0 && refusals.contains(&&*kind) => return None,
                (_, Some(kind)) => assert!(passes(&kind), "{} at {path}: {kind}", self.user),
                (None, None) => {}
            }
            assert!(Instant::now() < give_up, "{} has no answer from {path}", self.user);
            sleep(PAUSE).await;
        }
        unreachable!("it asks until there is an answer")
    }
}

/// Whether it is worth trying again.
fn passes(kind: &str) -> bool {
    kind.starts_with("Unavailable") || ["Unknown", "Contended"].contains(&kind)
}

impl Told {
    pub(crate) fn of(ended: &EndedSession) -> Self {
        Self { reason: ended.reason, updates: ended.updates, payload: ended.payload.clone() }
    }
}

/// Does this for all users at once. Answers by user.
pub(crate) async fn all<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    users: usize,
    mut does: impl FnMut(usize) -> F,
) -> Vec<T> {
    let mut all: JoinSet<(usize, T)> = (0..users)
        .map(|user| {
            let done = does(user);
            async move { (user, done.await) }
        })
        .collect();
    let mut done = Vec::new();
    while let Some(one) = all.join_next().await {
        done.push(one.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
    }
    done.sort_by_key(|(user, _)| *user);
    done.into_iter().map(|(_, done)| done).collect()
}

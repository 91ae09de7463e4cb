//! Sending many requests at once.

use crate::cases::Case;
use crate::client::Browser;
use crate::subjects;
use axum::Router;
use std::thread::JoinHandle;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// Browsers that send their requests one after the other, each so many times.
pub type Batch = Vec<Browser>;

/// Where a router runs.
pub enum Engine {
    /// In this runtime.
    Here(Router),
    /// On a single-threaded runtime of its own for each core, with a router and a connection in each.
    Apart(Vec<Worker>),
}

pub struct Worker {
    jobs: mpsc::UnboundedSender<Job>,
    _thread: JoinHandle<()>,
}

struct Job {
    case: Case,
    batches: Vec<Batch>,
    times: usize,
    done: oneshot::Sender<Vec<Batch>>,
}

impl Engine {
    pub fn apart(name: &'static str, redis: &str, workers: usize) -> Self {
        Self::Apart((0..workers).map(|_| Worker::start(name, redis.to_owned())).collect())
    }

    /// Runs all batches at once.
    pub async fn run(&self, case: Case, batches: Vec<Batch>, times: usize) -> Vec<Batch> {
        match self {
            Self::Here(router) => visit_all(router, case, batches, times).await,
            Self::Apart(workers) => {
                let mut shares: Vec<Vec<Batch>> = workers.iter().map(|_| Vec::new()).collect();
                for (i, batch) in batches.into_iter().enumerate() {
                    shares[i % workers.len()].push(batch);
                }
                let mut done = Vec::new();
                for (worker, share) in workers.iter().zip(shares) {
                    done.push(worker.send(case, share, times));
                }
                let mut all = Vec::new();
                for share in done {
                    all.extend(share.await.expect("the worker goes on"));
                }
                all
            }
        }
    }
}

impl Worker {
    fn start(name: &'static str, redis: String) -> Self {
        let (jobs, mut waiting) = mpsc::unbounded_channel::<Job>();
        let work = async move {
            let router = subjects::apart(name, &redis).await;
            while let Some(Job { case, batches, times, done }) = waiting.recv().await {
                let _ = done.send(visit_all(&router, case, batches, times).await);
            }
        };
        let thread = std::thread::spawn(|| {
            Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work);
        });
        Self { jobs, _thread: thread }
    }

    fn send(&self, case: Case, batches: Vec<Batch>, times: usize) -> oneshot::Receiver<Vec<Batch>> {
        let (done, answer) = oneshot::channel();
        self.jobs.send(Job { case, batches, times, done }).ok().expect("the worker goes on");
        answer
    }
}

async fn visit_all(router: &Router, case: Case, batches: Vec<Batch>, times: usize) -> Vec<Batch> {
    let mut tasks = JoinSet::new();
    for mut batch in batches {
        let mut router = router.clone();
        tasks.spawn(async move {
            for _ in 0..times {
                for browser in &mut batch {
                    browser.visit(&mut router, case).await;
                }
            }
            batch
        });
    }
    tasks.join_all().await
}

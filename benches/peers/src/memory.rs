//! What a stored session takes.

use crate::cases::Case;
use crate::client::Browser;
use crate::engine::Engine;
use crate::report::Memory;
use crate::subjects::{self, Keeps};
use testbed::RedisServer;

const SESSIONS: usize = 100_000;
const IN_FLIGHT: usize = 64;

/// The memory that Redis says it uses, with a server for each subject.
pub async fn in_redis() -> Vec<Memory> {
    let mut all = Vec::new();
    for i in 0.. {
        let server = RedisServer::start();
        let mut subjects = subjects::all(&server.url()).await;
        if i == subjects.len() {
            break;
        }
        let subject = subjects.swap_remove(i);
        if subject.keeps != Keeps::InRedis {
            continue;
        }
        eprintln!("memory in Redis: {}", subject.name);
        let before = used_memory(&server);
        create(Engine::Here(subject.router)).await;
        let bytes = (used_memory(&server) - before) / SESSIONS as f64;
        all.push(Memory { subject: subject.name.to_owned(), bytes });
    }
    all
}

/// The resident memory that this process has more, for one subject.
pub async fn resident(name: &str) -> Memory {
    let server = RedisServer::start();
    let subjects = subjects::all(&server.url()).await;
    let subject = subjects.into_iter().find(|subject| subject.name == name).expect("one of all");
    // So that what is there once is there.
    let engine = Engine::Here(subject.router);
    engine.run(Case::Create, vec![vec![Browser::default(); 20]; IN_FLIGHT], 1).await;
    let before = resident_memory();
    create(engine).await;
    Memory { subject: name.to_owned(), bytes: (resident_memory() - before) / SESSIONS as f64 }
}

/// In small portions, since browsers and tasks take memory too.
async fn create(engine: Engine) {
    let portion = 25;
    for _ in 0..SESSIONS.div_ceil(IN_FLIGHT * portion) {
        engine.run(Case::Create, vec![vec![Browser::default(); portion]; IN_FLIGHT], 1).await;
    }
}

fn used_memory(server: &RedisServer) -> f64 {
    let info = server.command(&[b"INFO", b"memory"]).text();
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).expect("the server says so");
    line.trim().parse().expect("a number")
}

fn resident_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the kernel says so");
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    kilobytes * 1024.0
}

//! What a turn takes.

use crate::report::Topology;
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use std::time::{Duration, Instant};
use testbed::RedisServer;

/// On one core: the time that application and server have run, which together fill the core, whoever else runs on it meanwhile. On two:
/// the time that passes.
pub struct Stopwatch {
    began: Instant,
    processes: Option<[ClockId; 2]>,
}

impl Stopwatch {
    pub fn new(topology: Topology, server: &RedisServer) -> Self {
        let processes = (topology == Topology::OneCore).then(|| {
            let info = server.command(&[b"INFO", b"server"]).text();
            let id = info.lines().find_map(|line| line.strip_prefix("process_id:")).expect("the server says so");
            let server = Pid::from_raw(id.trim().parse().expect("a number"));
            [ClockId::CLOCK_PROCESS_CPUTIME_ID, clock_getcpuclockid(server).expect("the server runs")]
        });
        Self { began: Instant::now(), processes }
    }

    pub fn now(&self) -> Duration {
        let run = |clock| Duration::from(clock_gettime(clock).expect("the process runs"));
        self.processes.map_or_else(|| self.began.elapsed(), |clocks| clocks.into_iter().map(run).sum())
    }
}

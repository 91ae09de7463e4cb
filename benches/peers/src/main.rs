//! thin-session beside its peers, in one process: see `scripts/bench`.
//!
//! Ratios, not times: the subjects take turns of some milliseconds, round by round, and the median of the rounds counts.
//! On one core it is the time that application and server run, so that it does not matter who else uses the machine.

mod cart;
mod cases;
mod client;
mod crowd;
mod engine;
mod growth;
mod measure;
mod memory;
mod plot;
mod report;
mod stopwatch;
mod subjects;
mod wire;

use report::{Report, Topology};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::process::{Command, Stdio};
use testbed::RedisServer;
use tokio::runtime::{Builder, Runtime};

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["all", rounds, folder] => all(rounds, Path::new(folder)),
        ["one", rounds, ref names @ ..] => {
            answer(&single().block_on(measure::run(Topology::OneCore, number(rounds), names)));
        }
        ["two", rounds, ref names @ ..] => {
            answer(&several().block_on(measure::run(Topology::TwoCores, number(rounds), names)));
        }
        ["growth", rounds] => answer(&single().block_on(growth::run(number(rounds)))),
        ["crowd", rounds] => answer(&several().block_on(crowd::run(number(rounds)))),
        ["wire"] => answer(&single().block_on(wire::run())),
        ["redis-memory"] => answer(&single().block_on(memory::in_redis())),
        ["resident", name] => answer(&single().block_on(memory::resident(name))),
        ["steady", subject, case, in_flight, times] => {
            single().block_on(measure::steady(subject, case, number(in_flight), number(times)));
        }
        ["plot", json, svg] => {
            let report = std::fs::read(json).expect("the report can be read");
            let report: Report = serde_json::from_slice(&report).expect("it is a report");
            std::fs::write(svg, plot::svg(&report)).expect("the plot can be written");
        }
        _ => {
            eprintln!(
                "usage: peers all ROUNDS FOLDER, or a part of it: one ROUNDS [NAME…], two ROUNDS [NAME…], growth ROUNDS, crowd ROUNDS, wire, redis-memory, resident NAME, \
                 steady NAME CASE IN_FLIGHT TIMES for a profiler"
            );
            std::process::exit(2);
        }
    }
}

/// Each part in a process of its own, so that one leaves the next nothing behind.
fn all(rounds: &str, folder: &Path) {
    let mut rows: Vec<report::Row> = part(Some("0"), &["one", rounds]);
    rows.extend(part::<Vec<_>>(Some("0,1"), &["two", rounds]));
    let resident = [subjects::OURS_MEMORY, subjects::TOWER_SESSIONS_MEMORY, subjects::AXUM_SESSION_MEMORY];
    let report = Report {
        server: server(),
        rows,
        wire: part(None, &["wire"]),
        in_redis: part(None, &["redis-memory"]),
        resident: resident.iter().map(|name| part(None, &["resident", name])).collect(),
        growth: part(Some("0"), &["growth", rounds]),
        crowd: part(Some("0,1"), &["crowd", rounds]),
    };
    std::fs::create_dir_all(folder).expect("the folder can be made");
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).expect("the report can be written");
    write("peers.json", serde_json::to_string_pretty(&report).expect("it is plain data"));
    write("peers.svg", plot::svg(&report));
    write("peers.md", report.markdown());
    println!("{}", report.markdown());
}

fn part<T: DeserializeOwned>(cores: Option<&str>, arguments: &[&str]) -> T {
    let own = std::env::current_exe().expect("this program has a path");
    let mut command = match cores {
        Some(cores) => {
            let mut pinned = Command::new("taskset");
            pinned.args(["--cpu-list", cores]).arg(own);
            pinned
        }
        None => Command::new(own),
    };
    let output = command.args(arguments).stderr(Stdio::inherit()).output().expect("taskset of util-linux is there");
    assert!(output.status.success(), "{arguments:?} failed");
    serde_json::from_slice(&output.stdout).expect("it answers JSON")
}

fn answer(result: &impl serde::Serialize) {
    println!("{}", serde_json::to_string(result).expect("it is plain data"));
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn several() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn server() -> String {
    let info = RedisServer::start().command(&[b"INFO", b"server"]).text();
    let of = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    match (of("valkey_version:"), of("redis_version:")) {
        (Some(version), _) => format!("Valkey {version}"),
        (None, version) => format!("Redis {}", version.unwrap_or("of an unknown version")),
    }
}

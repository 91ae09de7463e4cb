//! What the hot paths cost, in instructions: counted by callgrind, so that no clock and no other load matters.
//!
//! Compared with `tests/counted/instructions.txt`. After a change that is meant, or with another compiler, write it anew:
//!
//! ```sh
//! RENEW=1 cargo test --test instructions
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each is run with both numbers of requests, and the difference counts: what happens once does not.
const TIMES: [u64; 2] = [200, 1200];

/// How much more is a regression, in per cent.
const MARGIN: f64 = 3.0;
/// The same where the numbers come from another compiler, C library or processor.
const MARGIN_ELSEWHERE: f64 = 20.0;

const PATHS: [&str; 3] = ["untouched", "visitor", "read"];

#[test]
fn the_hot_paths_take_no_more_instructions_than_they_did() {
    let Some(valgrind) = version("valgrind") else {
        eprintln!("skipped: valgrind is not installed");
        return;
    };
    let program = build();
    let count = |path: &str| {
        let [few, many] = TIMES.map(|times| instructions(&program, path, times));
        (many - few) as f64 / (TIMES[1] - TIMES[0]) as f64
    };
    let bare = count("bare");
    // What the layer adds to the service that it is around.
    let found: BTreeMap<_, _> = PATHS.iter().map(|path| (path.to_string(), count(path) - bare)).collect();
    let machine = machine(&valgrind);
    let numbers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counted/instructions.txt");
    if std::env::var_os("RENEW").is_some() {
        let lines: String = found.iter().map(|(path, count)| format!("{path} {count:.0}\n")).collect();
        fs::write(&numbers, format!("# {machine}\n{lines}")).expect("the numbers can be written");
        return;
    }

    let known = fs::read_to_string(&numbers).expect("the numbers can be read");
    let margin = if known.contains(&machine) { MARGIN } else { MARGIN_ELSEWHERE };
    let mut worse = Vec::new();
    for (path, count) in &found {
        let known = known.lines().find_map(|line| line.strip_prefix(path.as_str())).expect("each path has a number");
        let known: f64 = known.trim().parse().expect("a number");
        let more = (count / known - 1.0) * 100.0;
        eprintln!("{path}: {count:.0} instructions, {more:+.1} % (at most {margin} %)");
        if more > margin {
            worse.push(format!("{path}: {count:.0} instructions instead of {known:.0}"));
        }
        if more < -margin {
            eprintln!("{path} has become better; write that down with RENEW=1");
        }
    }
    assert!(worse.is_empty(), "{worse:?}; on {machine}. If that is meant: RENEW=1 cargo test --test instructions");
}

/// Optimised as for release, which tests are not.
fn build() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", "counted", "--package", "counted", "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo is there");
    assert!(status.success(), "the program cannot be built");
    target.join("counted/counted")
}

fn instructions(program: &Path, path: &str, times: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([path, &times.to_string()])
        .output()
        .expect("valgrind is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{path}: {said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected : ")).expect("callgrind says how many").1;
    collected.trim().parse().expect("a number")
}

/// What the numbers depend on beside this crate.
fn machine(valgrind: &str) -> String {
    let rustc = version("rustc").expect("rustc is there");
    let libc = version("ldd").unwrap_or_default();
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = processor.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    let has = |flag: &&str| flags.split_whitespace().any(|known| known == *flag);
    let flags: Vec<_> = ["aes", "avx2", "bmi2", "pclmulqdq", "vaes"].into_iter().filter(has).collect();
    format!("{rustc}; {libc}; {valgrind}; {} {}", std::env::consts::ARCH, flags.join(" "))
}

/// The first line of what a program says of itself, if it is there.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

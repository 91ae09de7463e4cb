//! What reads bytes of strangers is fed with mutations of a corpus, on stable Rust and without looking at what they reach: the
//! targets are those of `fuzz/`, where a nightly toolchain can look.
//!
//! A failure names its input, which then belongs into the corpus.

mod mutation;

use mutation::Mutator;
use std::env;
use std::fs;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};
use thin_session::testing::fuzz;

/// How often each target runs, unless it is to run for a time: `THIN_SESSION_FUZZ_SECONDS`.
const RUNS: u64 = 4_000;

/// No input takes longer, on however busy a machine.
const SLOW: Duration = Duration::from_secs(1);

fn seconds() -> Option<u64> {
    env::var("THIN_SESSION_FUZZ_SECONDS").ok().map(|seconds| seconds.parse().expect("it is a number"))
}

/// The files of a corpus, in order.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("there is a corpus").map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("it can be read")).collect()
}

fn fuzz(name: &'static str, target: fn(&[u8])) {
    let corpus = corpus(name);
    assert!(corpus.len() >= 3, "there is something to begin with");
    let run = |input: &[u8]| {
        let begun = Instant::now();
        let went = catch_unwind(AssertUnwindSafe(|| target(input)));
        assert!(went.is_ok(), "{name} does not hold for b\"{}\"", input.escape_ascii());
        assert!(begun.elapsed() < SLOW, "{name} took {:?} for b\"{}\"", begun.elapsed(), input.escape_ascii());
    };
    corpus.iter().for_each(|input| run(input));
    let mut mutator = Mutator::new(&corpus, rand::random());
    let (begun, mut runs) = (Instant::now(), 0);
    loop {
        let enough = match seconds() {
            None => runs >= RUNS,
            Some(seconds) => runs % 1024 == 0 && begun.elapsed() >= Duration::from_secs(seconds),
        };
        if enough {
            break;
        }
        run(mutator.next());
        runs += 1;
    }
    if let Some(file) = env::var_os("THIN_SESSION_REPORT") {
        let mut file = OpenOptions::new().create(true).append(true).open(file).expect("the report can be written");
        writeln!(file, "| {name} | {runs} | {} s |", begun.elapsed().as_secs()).expect("the report can be written");
    }
}

#[test]
fn the_scanner_of_cookies_finds_what_the_grammar_says() {
    fuzz("scanner", fuzz::scanner);
}

#[test]
fn the_opener_opens_nothing_without_a_tag() {
    fuzz("opener", fuzz::opener);
}

#[test]
fn under_a_valid_tag_it_is_refused_or_a_token() {
    fuzz("sealed", fuzz::sealed);
}

#[test]
fn records_are_refused_or_come_back() {
    fuzz("record", fuzz::record);
}

#[test]
fn keys_are_refused_or_are_what_they_say() {
    fuzz("keys", fuzz::keys);
}

/// A scanner that trims other spaces, or a name in another place, would be found.
#[test]
fn inputs_that_tell_other_spaces_apart_are_tried() {
    let wrong = |data: &[u8]| data.windows(3).any(|three| three[0] == b';' && three[1] == 0x0b && three[2] == b'a');
    let corpus = corpus("scanner");
    let mut mutator = Mutator::new(&corpus, 1);
    assert!((0..200_000).any(|_| wrong(mutator.next())), "inputs like that are tried");
}

//! Everything that anybody could read: of all tests in this process, since what one of them hides, none may show.

use std::error::Error;
use std::fmt::Debug;
use std::io::{Result, Write};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use testbed::Answer;
use thin_session::SessionErrorKind;
use tracing_subscriber::fmt::format::FmtSpan;

static EVIDENCE: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// What stores are given to keep, where names of sessions and users belong: such as are no use to anybody else.
static STORED: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// Apart from the rest: here is the one place where cookies belong.
static SET_COOKIES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        lock(&EVIDENCE).write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Begins to collect the log: every level and target, spans with their fields too.
pub(crate) fn begin_to_log() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let all = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_span_events(FmtSpan::FULL);
        all.with_ansi(false).with_writer(|| Log).init();
    });
}

pub(crate) fn evidence() -> Vec<u8> {
    lock(&EVIDENCE).clone()
}

pub(crate) fn stored() -> Vec<u8> {
    lock(&STORED).clone()
}

pub(crate) fn set_cookies() -> Vec<u8> {
    lock(&SET_COOKIES).clone()
}

/// Collects what a value shows of itself.
pub(crate) fn note(value: &impl Debug) {
    note_bytes(format!("{value:?} {value:#?}").as_bytes());
}

/// Collects an error with all its causes.
pub(crate) fn note_error(error: &(dyn Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        note_bytes(format!("{error} {error:?} {error:#?}").as_bytes());
        next = error.source();
    }
}

pub(crate) fn note_bytes(bytes: &[u8]) {
    let mut evidence = lock(&EVIDENCE);
    evidence.extend_from_slice(bytes);
    evidence.push(b'\n');
}

/// Collects what a store is given.
pub(crate) fn note_stored(bytes: &[u8]) {
    lock(&STORED).extend([bytes, b"\n"].concat());
}

/// Collects a response.
pub(crate) fn note_answer(answer: &Answer) {
    note(&answer.status);
    for (name, value) in &answer.headers {
        let into = if name == "set-cookie" { &SET_COOKIES } else { &EVIDENCE };
        lock(into).extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
    }
    note_bytes(&answer.body);
}

/// Collects what an application finds in a response's extensions.
pub(crate) async fn note_kind(response: axum::response::Response) -> axum::response::Response {
    if let Some(kind) = response.extensions().get::<SessionErrorKind>() {
        note_error(kind);
    }
    note(response.extensions());
    response
}

fn lock(buffer: &'static Mutex<Vec<u8>>) -> MutexGuard<'static, Vec<u8>> {
    buffer.lock().unwrap_or_else(PoisonError::into_inner)
}

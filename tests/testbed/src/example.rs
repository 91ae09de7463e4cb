//! An example of the crate, as a program of its own.

use crate::process::Process;
use crate::wait::wait_until;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use tempfile::NamedTempFile;

/// A running example that serves HTTP and has printed where.
#[derive(Debug)]
pub struct Example {
    process: Process,
    addr: SocketAddr,
}

impl Example {
    /// Starts the example of this name on a free port, and waits until it serves. It must take `--addr` and print an
    /// address such as `http://localhost:3000/`.
    ///
    /// # Panics
    ///
    /// If it is not built, or does not begin to serve.
    pub fn start(name: &str, args: &[&str]) -> Self {
        Self::start_with(name, args, &[])
    }

    /// The same, with these environment variables beside those of the test.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with(name: &str, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let program = path(name);
        let output = NamedTempFile::new().expect("a temporary file");
        let args: Vec<String> = ["--addr", "127.0.0.1:0"].iter().chain(args).map(|arg| (*arg).to_owned()).collect();
        let mut process = Process::spawn_with(
            program.to_str().expect("the path is text"),
            &args,
            variables,
            output.reopen().expect("it can be opened again"),
        );
        let mut port = None;
        wait_until(&format!("{name} to print its address"), || {
            let printed = printed(output.path());
            assert!(process.ended().is_none(), "{name} ended: {printed}");
            port = port_in(&printed);
            port.is_some()
        });
        let port = port.expect("it was waited for");
        Self { process, addr: (Ipv4Addr::LOCALHOST, port).into() }
    }

    /// Where it serves.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it serves, as a browser has it: under `localhost`, where secure cookies are taken without TLS.
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.addr.port())
    }

    /// Presses ctrl-c, and waits for the end.
    pub fn interrupt(mut self) -> ExitStatus {
        self.process.signal("INT");
        let mut status = None;
        wait_until("the example to end", || {
            status = self.process.ended();
            status.is_some()
        });
        status.expect("it was waited for")
    }
}

/// Cargo builds examples beside the tests.
fn path(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let target = test.ancestors().nth(2).expect("tests are built into a folder of a folder");
    let program = target.join("examples").join(name);
    assert!(program.exists(), "{} is not built: run `cargo build --examples` first", program.display());
    program
}

fn printed(output: &Path) -> String {
    String::from_utf8_lossy(&fs::read(output).expect("a file can be read")).into_owned()
}

fn port_in(printed: &str) -> Option<u16> {
    let (_, rest) = printed.split_once("http://localhost:")?;
    rest.split_once('/')?.0.parse().ok()
}

//! A Redis server of a test's own.

use std::env;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;

use tempfile::TempDir;

use crate::port::Port;
use crate::process::Process;
use crate::resp::{Reply, call};
use crate::wait::wait_until;

/// How often a start is tried on another port when a stranger took the first.
const ATTEMPTS: usize = 20;

/// What `setpriv` ends with when it does not find the program.
const NOT_FOUND: i32 = 127;

/// Names another program to be started in place of `redis-server`: another version, or another server that speaks the same.
const PROGRAM: &str = "THIN_SESSION_REDIS_SERVER";

/// A `redis-server` with a port and a folder of its own.
///
/// Another program is started if the environment variable `THIN_SESSION_REDIS_SERVER` names one. It has to become the server, as
/// `exec` does it, and not to start it as a child.
///
/// Dropping it kills it and removes the folder; it is killed as well when the
/// test process ends in any other way.
#[derive(Debug)]
pub struct RedisServer {
    // First, since fields go in this order: the process before what it uses.
    process: Option<Process>,
    folder: TempDir,
    port: Port,
    args: Vec<String>,
}

impl RedisServer {
    /// Starts a server that keeps nothing on disk, and waits until it answers.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with further command line arguments, which win over its own,
    /// such as `["--appendonly", "yes"]`.
    ///
    /// # Panics
    ///
    /// When the server is not installed, does not like the arguments, or does
    /// not answer in time; one that asks for a password never does.
    #[must_use]
    pub fn start_with(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let (port, process) = (0..ATTEMPTS)
            .find_map(|_| {
                let port = Port::claim();
                let process = launch(&port, folder.path(), &args, answers)?;
                Some((port, process))
            })
            .expect("a port stays free until redis-server has bound it");
        Self { process: Some(process), folder, port, args }
    }

    /// Starts one that keeps what it is told, and that takes some seconds to read that again when it is
    /// [started again](Self::restart_loading).
    ///
    /// # Panics
    ///
    /// As [`start_with`](Self::start_with).
    #[must_use]
    pub fn start_slow_to_load() -> Self {
        const FILL: &[u8] = b"for i = 1, 60000 do redis.call('SET', i, '') end return 'OK'";
        // It waits a little after each entry, and looks up from its file after each 1024 of them.
        let server = Self::start_with(&["--appendonly", "yes", "--appendfsync", "no", "--key-load-delay", "1"]);
        assert_eq!(server.command(&[b"EVAL", FILL, b"0"]).text(), "OK");
        server
    }

    /// Where it is reached, as `redis://127.0.0.1:PORT/`.
    #[must_use]
    pub fn url(&self) -> String {
        self.port.url()
    }

    /// Where it is reached, as an address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.port.addr()
    }

    /// Kills it on the spot; its port stays claimed, and refuses connections.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again, killing it first if need be: same port, same folder,
    /// same arguments. Without arguments that say otherwise, it comes up empty.
    pub fn restart(&mut self) {
        self.start_again(answers);
    }

    /// The same, but comes back as soon as it says anything: it may be reading its files yet, and refuse everything with
    /// `LOADING`.
    pub fn restart_loading(&mut self) {
        self.start_again(speaks);
    }

    /// Whether it is still reading its files.
    #[must_use]
    pub fn is_loading(&self) -> bool {
        matches!(self.command(&[b"PING"]), Reply::Error(words) if words.starts_with("LOADING"))
    }

    /// Lets it read the rest of its files as fast as it can, and waits for that.
    pub fn finish_loading(&self) {
        assert_eq!(self.command(&[b"CONFIG", b"SET", b"key-load-delay", b"0"]).text(), "OK");
        wait_until("redis-server to have loaded", || answers(self.addr()));
    }

    fn start_again(&mut self, is_up: fn(SocketAddr) -> bool) {
        self.kill();
        let process = launch(&self.port, self.folder.path(), &self.args, is_up);
        self.process = Some(process.expect("the port is still free"));
    }

    /// Stops it from running: it still accepts connections, as the kernel does
    /// that, but says nothing until [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        let process = self.running();
        process.signal("STOP");
        wait_until("redis-server to freeze", || process.is_stopped());
    }

    /// Lets it run on after [`freeze`](Self::freeze), and waits until it answers.
    pub fn thaw(&self) {
        self.running().signal("CONT");
        wait_until("redis-server to thaw", || answers(self.addr()));
    }

    /// Sends one command on a connection of its own, past any proxy.
    ///
    /// # Panics
    ///
    /// When no reply comes, as from a server that is killed or frozen.
    #[track_caller]
    #[must_use = "the reply may be an error"]
    pub fn command(&self, args: &[&[u8]]) -> Reply {
        match call(self.addr(), args) {
            Ok(reply) => reply,
            Err(error) => panic!("no reply from the server: {error}"),
        }
    }

    /// The names of all keys of database 0, in no particular order.
    #[must_use]
    pub fn keys(&self) -> Vec<Vec<u8>> {
        let names = self.command(&[b"KEYS", b"*"]).items();
        names.into_iter().map(Reply::bytes).collect()
    }

    /// The bytes of all of database 0, to look for something that must not be
    /// there: each key's name, and its value as `GET` has it, or as `DUMP` has
    /// it if it is not a string.
    #[must_use]
    pub fn dump(&self) -> Vec<u8> {
        let (mut all, mut keys) = (Vec::new(), self.keys());
        // In an order of its own: what is there alike reads alike.
        keys.sort_unstable();
        for key in keys {
            let string = self.command(&[b"TYPE", &key]).text() == "string";
            let get: &[u8] = if string { b"GET" } else { b"DUMP" };
            all.extend_from_slice(&key);
            all.push(b'\n');
            // Nil if the key has expired since it was listed.
            if let Reply::Bytes(value) = self.command(&[get, &key]) {
                all.extend_from_slice(&value);
            }
            all.push(b'\n');
        }
        all
    }

    fn running(&self) -> &Process {
        self.process.as_ref().expect("the server is not killed")
    }
}

/// Starts a server and waits until it is up; `None` if its port was taken.
fn launch(port: &Port, folder: &Path, args: &[String], is_up: fn(SocketAddr) -> bool) -> Option<Process> {
    let log = folder.join("redis.log");
    let output = File::create(&log).expect("a log file can be made");
    let program = env::var(PROGRAM).unwrap_or_else(|_| "redis-server".to_owned());
    let mut process = Process::spawn(&program, &arguments(port, folder, args), output);

    let mut end = None;
    wait_until("redis-server to answer", || {
        end = process.ended();
        end.is_some() || (is_up(port.addr()) && is_served_by(port.addr(), process.id()))
    });

    let Some(status) = end else {
        return Some(process);
    };
    assert!(
        status.code() != Some(NOT_FOUND),
        "{program} is not installed: run ./scripts/test, which installs redis-server"
    );
    let log = fs::read_to_string(log).expect("the log file can be read");
    assert!(log.contains("Address already in use"), "redis-server ended with {status}:\n{log}");
    None
}

fn arguments(port: &Port, folder: &Path, further: &[String]) -> Vec<String> {
    let folder = folder.to_str().expect("the temporary folder is UTF-8");
    let number = port.addr().port().to_string();
    let own = [
        ["--bind", "127.0.0.1"],
        ["--port", &number],
        ["--dir", folder],
        ["--save", ""],
        ["--appendonly", "no"],
        // A `DUMP` that is compressed hides what `dump` is there to find.
        ["--rdbcompression", "no"],
    ];
    let own = own.as_flattened().iter().map(ToString::to_string);
    own.chain(further.iter().cloned()).collect()
}

fn answers(addr: SocketAddr) -> bool {
    call(addr, &[b"PING"]).is_ok_and(|reply| reply == Reply::Status("PONG".into()))
}

fn speaks(addr: SocketAddr) -> bool {
    call(addr, &[b"PING"]).is_ok()
}

/// Whether it is this process that answers, not a stranger that took the port
/// while ours has yet to find that out.
fn is_served_by(addr: SocketAddr, id: u32) -> bool {
    let own = format!("process_id:{id}");
    call(addr, &[b"INFO", b"server"]).is_ok_and(|info| info.text().lines().any(|line| line == own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_a_stranger_is_not_taken_for_ours() {
        let stranger = RedisServer::start();
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        assert!(launch(&stranger.port, folder.path(), &[], answers).is_none());
    }
}

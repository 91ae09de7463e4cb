//! A Postgres server of a test's own.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::port::Port;
use crate::process::Process;
use crate::wait::wait_until;

/// A Postgres with a port and a folder of its own, which keeps nothing through a loss of power.
///
/// Postgres refuses to be root: if the test is, the server runs as the user `postgres`. It is killed when dropped, or when
/// the test process ends in any way, and its folder is removed then.
#[derive(Debug)]
pub struct PostgresServer {
    // First, since fields go in this order: the process before what it uses.
    process: Option<Process>,
    folder: Folder,
    port: Port,
    settings: Vec<String>,
    databases: AtomicU32,
}

/// A folder that goes with its owner, whatever that dies of: a shell waits for the end of a pipe, and sweeps.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    broom: process::Child,
}

impl PostgresServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    ///
    /// When Postgres is not installed, or does not answer in time.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with further settings, which win over its own, such as `["fsync=on"]`.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start), and when it does not like the settings.
    #[must_use]
    pub fn start_with(settings: &[&str]) -> Self {
        let (folder, port) = (Folder::new(), Port::claim());
        let data = folder.path.join("data");
        let initdb = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"];
        let mut command = as_postgres(&program("initdb"));
        let output = command.args(initdb).arg(&data).current_dir(&folder.path).output().expect("setpriv is there");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let settings = settings.iter().map(ToString::to_string).collect();
        let mut server = Self { process: None, folder, port, settings, databases: AtomicU32::new(0) };
        server.restart();
        server
    }

    /// One that all tests of this program share, each with a [database](Self::database) of its own.
    pub fn shared() -> &'static Self {
        static SERVER: OnceLock<PostgresServer> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    /// Makes an empty database, and answers where it is reached.
    #[must_use]
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.command(&self.url(), &format!("CREATE DATABASE {name}"));
        self.url_of(&name)
    }

    /// Where its first database is reached, as `postgres://postgres@127.0.0.1:PORT/postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.addr())
    }

    /// Where it is reached, as an address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.port.addr()
    }

    /// Carries out a command in the database of this URL, and answers with rows as lines, and columns between bars.
    ///
    /// # Panics
    ///
    /// When it is refused.
    #[track_caller]
    pub fn command(&self, url: &str, command: &str) -> String {
        query(url, command).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Kills it on the spot with all that works for it; its port stays claimed, and refuses connections.
    pub fn kill(&mut self) {
        let Some(process) = self.process.take() else { return };
        let family = family(process.id());
        drop(process);
        for child in &family {
            signal("KILL", *child);
        }
        wait_until("all of Postgres to be gone", || family.iter().all(|child| !is_alive(*child)));
    }

    /// Shuts it down as `pg_ctl stop -m immediate` does, in the middle of whatever it does.
    pub fn stop_immediately(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        process.signal("QUIT");
        wait_until("Postgres to shut down", || process.ended().is_some());
    }

    /// The processes that work for clients.
    #[must_use]
    pub fn backends(&self) -> Vec<u32> {
        let works = |child: &u32| {
            let name = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&name).contains("127.0.0.1")
        };
        family(self.running().id()).into_iter().filter(works).collect()
    }

    /// Kills one of [these](Self::backends), as a fault of its own would. Postgres then ends all others, and starts over by
    /// itself with what was committed.
    pub fn kill_backend(&self, backend: u32) {
        signal("KILL", backend);
    }

    /// Waits until it answers, as after [`kill_backend`](Self::kill_backend).
    pub fn wait_until_up(&self) {
        wait_until("Postgres to answer", || query(&self.url(), "SELECT 1").is_ok());
    }

    /// Starts it again, killing it first if need be, with what it had on disk.
    pub fn restart(&mut self) {
        self.kill();
        let data = self.folder.path.join("data");
        let log = self.folder.path.join("postgres.log");
        let output = File::options().create(true).append(true).open(&log).expect("a log file can be made");
        let settings = [
            "fsync=off",
            "full_page_writes=off",
            "max_connections=300",
            "shared_buffers=32MB",
            "unix_socket_directories=",
            "listen_addresses=127.0.0.1",
            &format!("port={}", self.addr().port()),
        ];
        let mut args = own_user();
        args.extend(["--pdeathsig", "KILL", "--"].map(str::to_owned));
        args.extend([program("postgres").display().to_string(), "-D".to_owned(), data.display().to_string()]);
        let settings = settings.into_iter().chain(self.settings.iter().map(String::as_str));
        args.extend(settings.flat_map(|setting| ["-c".to_owned(), setting.to_owned()]));
        let mut process = Process::spawn("setpriv", &args, output);
        let (url, own) = (self.url(), data.display().to_string());
        wait_until("Postgres to answer", || {
            let log = || fs::read_to_string(&log).unwrap_or_default();
            assert!(process.ended().is_none(), "Postgres ended:\n{}", log());
            query(&url, "SHOW data_directory").is_ok_and(|found| found == own)
        });
        self.process = Some(process);
    }

    /// Stops it from running: it still accepts connections, as the kernel does that, but says nothing until
    /// [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        let process = self.running();
        process.signal("STOP");
        wait_until("Postgres to freeze", || process.is_stopped());
        // From here on it has no more children.
        for child in family(process.id()) {
            signal("STOP", child);
        }
    }

    /// Lets it run on after [`freeze`](Self::freeze), and waits until it answers.
    pub fn thaw(&self) {
        for process in family(self.running().id()).into_iter().chain([self.running().id()]) {
            signal("CONT", process);
        }
        self.wait_until_up();
    }

    fn running(&self) -> &Process {
        self.process.as_ref().expect("the server is not killed")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Folder {
    fn new() -> Self {
        let parent = Path::new("/var/tmp");
        let path = tempfile::Builder::new().prefix("testbed-").tempdir_in(parent).expect("a folder can be made").keep();
        if !own_user().is_empty() {
            let status = Command::new("chown").arg("postgres").arg(&path).status().expect("chown is there");
            assert!(status.success(), "the user postgres comes with Postgres");
        }
        // Once more if something was still written there.
        let sweep = "read _; until rm -rf -- \"$0\" 2>/dev/null; do sleep 0.1; done";
        let mut broom = Command::new("sh");
        broom.args([OsStr::new("-c"), OsStr::new(sweep), path.as_os_str()]).stdin(Stdio::piped());
        // Not one of the terminal's, which would send it what it sends the test.
        std::os::unix::process::CommandExt::process_group(&mut broom, 0);
        let broom = broom.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a shell can be started");
        Self { path, broom }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.broom.stdin.take());
        let _ = self.broom.wait();
    }
}

/// What makes of root the user that Postgres may be; nothing for anybody else.
fn own_user() -> Vec<String> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let change = ["--reuid=postgres", "--regid=postgres", "--clear-groups"];
    if is_root { change.map(str::to_owned).into() } else { Vec::new() }
}

fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(own_user()).args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Debian keeps the programs of each version in a folder of its own.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).max();
    let on_path = || {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.exists())
    };
    newest.or_else(on_path).expect("Postgres is not installed: run ./scripts/test, which installs it")
}

fn query(url: &str, command: &str) -> Result<String, String> {
    let options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"];
    let output = Command::new(program("psql"))
        .env("PGCONNECT_TIMEOUT", "5")
        .args(options)
        .args(["--dbname", url, "--command", command])
        .output()
        .map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// The processes that this one has started and that live.
fn family(id: u32) -> Vec<u32> {
    let ids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|child| stat(*child).is_some_and(|(_, parent)| parent == id)).collect()
}

fn is_alive(id: u32) -> bool {
    stat(id).is_some_and(|(state, _)| state != 'Z')
}

/// The state of a process, and whose child it is.
fn stat(id: u32) -> Option<(char, u32)> {
    // `42 (name) S 1 …`, where the name may hold anything, even `)`.
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit(") ").next()?.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn signal(name: &str, process: u32) {
    // It may have ended by itself.
    let _ = Command::new("sh").args(["-c", &format!("kill -{name} {process} 2>/dev/null")]).status();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_killed_and_started_again_with_what_it_had_and_nothing_stays_behind() {
        let mut server = PostgresServer::start();
        let url = server.database();
        server.command(&url, "CREATE TABLE t (n INT)");
        server.command(&url, "INSERT INTO t VALUES (1), (2)");
        server.kill();
        assert!(query(&url, "SELECT 1").is_err());
        server.restart();
        assert_eq!(server.command(&url, "SELECT n, n + 1 FROM t ORDER BY n"), "1|2\n2|3");
        server.freeze();
        server.thaw();
        server.stop_immediately();
        assert!(query(&url, "SELECT 1").is_err());
        server.restart();
        assert_eq!(server.command(&url, "SELECT count(*) FROM t"), "2");
        let folder = server.folder.path.clone();
        assert!(folder.exists());
        drop(server);
        assert!(!folder.exists());
    }
}

//! A child process that cannot outlive the test.

use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

/// A running program; dropping it kills and reaps it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    keeper: Option<Keeper>,
}

/// The thread that started the child, and the channel whose end ends it.
///
/// `setpriv --pdeathsig` has the kernel kill the child when the *thread* that
/// started it ends. The thread of a test may end before its server is to, so
/// each child gets a thread of its own, which does nothing but stay alive.
#[derive(Debug)]
struct Keeper {
    life: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Process {
    /// Starts `program`, with everything it prints going to `output`.
    pub fn spawn(program: &str, args: &[String], output: File) -> Self {
        Self::spawn_with(program, args, &[], output)
    }

    /// The same, with these environment variables beside those of the test.
    pub fn spawn_with(program: &str, args: &[String], variables: &[(&str, &str)], output: File) -> Self {
        let errors = output.try_clone().expect("a file handle can be doubled");
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--", program])
            .args(args)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);

        let (life, until_dropped) = mpsc::channel();
        let (started, child) = mpsc::channel();
        let thread = thread::spawn(move || {
            // Whoever waits on the other side of both channels outlives this.
            let _ = started.send(command.spawn());
            let _ = until_dropped.recv();
        });
        let child =
            child.recv().expect("the keeper sends before it waits").expect("setpriv of util-linux can be started");
        Self { child, keeper: Some(Keeper { life, thread }) }
    }

    /// The number by which the kernel knows it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be asked about")
    }

    /// Sends the signal of this name, such as `STOP`.
    pub fn signal(&self, name: &str) {
        // By way of the shell: its own `kill` is there wherever a shell is.
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.id())])
            .status()
            .expect("a shell can be started");
        assert!(status.success(), "kill -{name}: {status}");
    }

    /// Whether it is stopped, as after `SIGSTOP`.
    pub fn is_stopped(&self) -> bool {
        // `42 (name) T 1 …`, where the name may hold anything, even `)`.
        fs::read_to_string(format!("/proc/{}/stat", self.id()))
            .is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|s| s.starts_with('T')))
    }

    fn end_keeper(&mut self) {
        if let Some(Keeper { life, thread }) = self.keeper.take() {
            drop(life);
            let _ = thread.join();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either fails only for a child that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.end_keeper();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    const SIGKILL: i32 = 9;

    #[test]
    fn the_child_dies_with_the_thread_that_started_it() {
        let output = tempfile::tempfile().expect("a temporary file");
        let mut process = Process::spawn("sleep", &["600".into()], output);
        // Only once setpriv has become sleep has it asked for the signal.
        crate::wait::wait_until("setpriv to become sleep", || {
            fs::read_to_string(format!("/proc/{}/comm", process.id())).is_ok_and(|name| name == "sleep\n")
        });

        process.end_keeper();

        let status = process.child.wait().expect("a child can be waited for");
        assert_eq!(status.signal(), Some(SIGKILL));
    }
}

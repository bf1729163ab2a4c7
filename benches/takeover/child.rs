//! The process under test: started, watched from outside, killed at the end.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A second in which the process takes less than this share of a core: it is done.
pub(crate) const IDLE_SHARE: f64 = 0.15;
/// Clock ticks of `/proc` are hundredths of a second on every Linux that this runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process that ends with this value.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts a command line; what it says goes to a file beside the run's other files.
    pub(crate) fn start(
        words: &[String],
        environment: &[(&str, &str)],
        log: &std::path::Path,
    ) -> Self {
        let log = std::fs::File::create(log).unwrap();
        let child = Command::new(&words[0])
            .args(&words[1..])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        Self(child.unwrap_or_else(|error| panic!("{}: {error}", words[0])))
    }

    /// CPU-seconds so far, user and system, of the process and of children it waited for.
    pub(crate) fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        // The name of the program may hold spaces; what follows its bracket does not.
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(4)
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .sum();
        ticks as f64 / TICKS_PER_SECOND
    }

    /// Waits until it has nothing left to do: a second that takes little of a core.
    pub(crate) fn settle(&self) {
        loop {
            let before = self.cpu();
            pause(1_000);
            if self.cpu() - before < IDLE_SHARE {
                return;
            }
        }
    }

    /// Panics if it has ended by itself.
    pub(crate) fn must_live(&mut self) {
        let ended = self.0.try_wait().unwrap();
        assert!(ended.is_none(), "the process under test ended: {ended:?}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already; there is nothing to do about it here.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Runs a command to its end; it must succeed.
pub(crate) fn run(words: &[String], environment: &[(&str, &str)]) {
    let output = Command::new(&words[0])
        .args(&words[1..])
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", words[0]));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", words.join(" "));
}

/// Waits between two looks at a process.
pub(crate) fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

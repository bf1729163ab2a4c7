//! The process under test: started, watched from outside, killed at the end.

use deskwarden::edge::clock::Deadline;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A second in which the process takes less than this share of a core: it is done.
pub(crate) const IDLE_SHARE: f64 = 0.15;
/// Clock ticks of `/proc` are hundredths of a second on every Linux that this runs on.
const TICKS_PER_SECOND: f64 = 100.0;
/// Of what a process said, where it ended.
const LAST_LINES: usize = 10;
/// Deskwarden ends within its grace of 30 s.
const STOP_MAX: Duration = Duration::from_secs(60);

/// A process that ends with this value.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command line; what it says goes to a file beside the run's other files.
    pub(crate) fn start(words: &[String], environment: &[(&str, &str)], path: &Path) -> Self {
        let log = std::fs::File::create(path).unwrap();
        let child = Command::new(&words[0])
            .args(&words[1..])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        Self {
            child: child.unwrap_or_else(|error| panic!("{}: {error}", words[0])),
            log: path.to_owned(),
        }
    }

    /// What it said so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// CPU-seconds so far, user and system, of the process and of children it waited for.
    pub(crate) fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
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

    /// Resident memory in MiB.
    pub(crate) fn resident(&self) -> f64 {
        self.memory("VmRSS:")
    }

    /// The most that it was so far.
    pub(crate) fn peak(&self) -> f64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = line.and_then(|rest| rest.split_whitespace().next());
        kib.unwrap().parse::<f64>().unwrap() / 1_024.0
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

    /// Panics if it has ended by itself, with the last that it said.
    pub(crate) fn must_live(&mut self) {
        if let Some(ended) = self.child.try_wait().unwrap() {
            let said = self.said();
            let lines: Vec<&str> = said.lines().collect();
            let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
            panic!("the process under test ended: {ended}\n{last}");
        }
    }

    /// Lets it end as it does when it is asked to; it must do so cleanly.
    pub(crate) fn stop(mut self) {
        let id = self.child.id().to_string();
        run(&["kill".to_owned(), "-TERM".to_owned(), id], &[]);
        let deadline = Deadline::after(STOP_MAX);
        let ended = loop {
            if let Some(ended) = self.child.try_wait().unwrap() {
                break ended;
            }
            assert!(!deadline.has_passed(), "it does not end: {}", self.said());
            pause(10);
        };
        assert!(ended.success(), "it ended badly: {ended}\n{}", self.said());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already; there is nothing to do about it here.
        self.child.kill().ok();
        self.child.wait().ok();
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

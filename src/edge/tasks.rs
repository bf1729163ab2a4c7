//! Threads under supervision: one that ends, ends the process; a stop drains the others with grace.

use crate::edge::log::LogError;
use crate::edge::stages::LoopError;
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

/// Time that threads have to finish their cycle, commit and leave: below the 30 s after which
/// Kubernetes kills.
pub const GRACE: Duration = Duration::from_secs(25);

/// Tells a thread that it is to end. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A stop and what sets it. Dropping the setter is a stop too.
    #[must_use]
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Whether to end now.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Becomes ready once it is to end.
    pub async fn wait(mut self) {
        // An error is a dropped setter: a stop too.
        drop(self.0.wait_for(|stop| *stop).await);
    }
}

/// How a thread ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It returned without an error.
    Returned,
    /// It returned an error.
    Failed {
        /// What it said.
        fault: String,
        /// Somebody else has its identity: nothing may be written any more.
        is_fenced: bool,
    },
    /// It panicked.
    Panicked(String),
}

/// An error of a thread, with what it means for the exit code.
#[derive(Debug, thiserror::Error)]
#[error("{fault}")]
pub struct TaskError {
    /// What happened.
    pub fault: String,
    /// Somebody else has the identity of this thread.
    pub is_fenced: bool,
}

impl From<LogError> for TaskError {
    fn from(error: LogError) -> Self {
        Self {
            is_fenced: error.is_fenced(),
            fault: error.to_string(),
        }
    }
}

impl From<LoopError> for TaskError {
    fn from(error: LoopError) -> Self {
        Self {
            // What failed again and again asks for a clean start too.
            is_fenced: matches!(error, LoopError::Fenced(_) | LoopError::Repeated(_)),
            fault: error.to_string(),
        }
    }
}

impl From<std::io::Error> for TaskError {
    fn from(error: std::io::Error) -> Self {
        Self {
            fault: error.to_string(),
            is_fenced: false,
        }
    }
}

/// What ended the process, and whether everybody came home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What it began with.
    pub cause: Cause,
    /// Threads that failed on the way out, beside the cause.
    pub failed: Vec<(String, End)>,
    /// Threads that were still running when the grace was over.
    pub left: Vec<String>,
}

/// What the end began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// From outside: a signal, or the work was done.
    Asked(&'static str),
    /// A thread ended by itself.
    Thread(String, End),
}

impl Ending {
    /// 0 clean, 1 a thread failed, 75 fenced or not drained in time.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let of_cause = match &self.cause {
            Cause::Asked(_) => None,
            Cause::Thread(_, end) => Some(end),
        };
        let ends = || of_cause.into_iter().chain(self.failed.iter().map(|f| &f.1));
        let is_fenced = |end: &End| {
            matches!(
                end,
                End::Failed {
                    is_fenced: true,
                    ..
                }
            )
        };
        if !self.left.is_empty() || ends().any(is_fenced) {
            return 75;
        }
        // A thread that returns by itself leaves work undone, whatever it says.
        u8::from(of_cause.is_some() || !self.failed.is_empty())
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Asked(why) => write!(f, "asked to stop ({why})")?,
            Cause::Thread(name, end) => write!(f, "thread {name} {end}")?,
        }
        for (name, end) in &self.failed {
            write!(f, "; then thread {name} {end}")?;
        }
        if self.left.is_empty() {
            f.write_str("; all threads drained")
        } else {
            write!(f, "; not drained in time: {}", self.left.join(", "))
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned => f.write_str("returned"),
            Self::Failed { fault, .. } => write!(f, "failed: {fault}"),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
        }
    }
}

/// The supervised threads of the process.
#[derive(Debug)]
pub struct Tasks {
    setter: watch::Sender<bool>,
    stop: Stop,
    running: Vec<String>,
    // Unbounded, and yet never longer than the number of threads: each says one word.
    told: mpsc::UnboundedSender<(String, End)>,
    ended: mpsc::UnboundedReceiver<(String, End)>,
}

impl Default for Tasks {
    fn default() -> Self {
        let (setter, stop) = Stop::new();
        let (told, ended) = mpsc::unbounded_channel();
        Self {
            setter,
            stop,
            running: Vec::new(),
            told,
            ended,
        }
    }
}

impl Tasks {
    /// What the threads are told to stop with.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Starts a thread. Its name is that of the logs.
    pub fn thread<F>(&mut self, name: impl Into<String>, body: F) -> std::io::Result<()>
    where
        F: FnOnce(Stop) -> Result<(), TaskError> + Send + 'static,
    {
        let name = name.into();
        let (told, stop, of_thread) = (self.told.clone(), self.stop(), name.clone());
        std::thread::Builder::new()
            .name(name.clone())
            .spawn(move || {
                let end = match catch_unwind(AssertUnwindSafe(|| body(stop))) {
                    Ok(Ok(())) => End::Returned,
                    Ok(Err(TaskError { fault, is_fenced })) => End::Failed { fault, is_fenced },
                    Err(panic) => End::Panicked(message(&*panic)),
                };
                // Nobody listens only after the grace, when the process ends anyway.
                drop(told.send((of_thread, end)));
            })?;
        self.running.push(name);
        Ok(())
    }

    /// Waits until `asked` is ready or a thread ends, then stops all and drains them. Blocks.
    pub fn run(
        self,
        asked: impl Future<Output = std::io::Result<&'static str>>,
        grace: Duration,
    ) -> std::io::Result<Ending> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(self.supervise(asked, grace))
    }

    async fn supervise(
        mut self,
        asked: impl Future<Output = std::io::Result<&'static str>>,
        grace: Duration,
    ) -> std::io::Result<Ending> {
        let cause = tokio::select! {
            biased;
            Some((name, end)) = self.ended.recv() => {
                self.running.retain(|n| *n != name);
                Cause::Thread(name, end)
            }
            why = asked => Cause::Asked(why?),
        };
        self.setter.send_replace(true);
        let mut failed = Vec::new();
        let drain = async {
            while !self.running.is_empty() {
                let Some((name, end)) = self.ended.recv().await else {
                    break;
                };
                self.running.retain(|n| *n != name);
                if end != End::Returned {
                    failed.push((name, end));
                }
            }
        };
        // Over time or not shows in what is still running.
        drop(tokio::time::timeout(grace, drain).await);
        Ok(Ending {
            cause,
            failed,
            left: self.running,
        })
    }
}

/// Ready at the first SIGTERM or SIGINT, with its name.
pub async fn signalled() -> std::io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use std::sync::mpsc;

    fn waits(stop: Stop) -> Result<(), TaskError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(stop.wait());
        Ok(())
    }

    fn failing(is_fenced: bool) -> Result<(), TaskError> {
        let fault = "broken".to_owned();
        Err(TaskError { fault, is_fenced })
    }

    #[test]
    fn asked_to_stop_all_come_home() {
        let mut tasks = Tasks::default();
        tasks.thread("a", waits).unwrap();
        tasks.thread("b", waits).unwrap();
        let ending = tasks.run(ready(Ok("SIGTERM")), GRACE).unwrap();
        assert_eq!(ending.exit_code(), 0);
        assert_eq!(
            ending.to_string(),
            "asked to stop (SIGTERM); all threads drained"
        );
    }

    #[test]
    fn one_that_ends_takes_the_others_with_it() {
        type Body = fn(Stop) -> Result<(), TaskError>;
        let table: [(Body, u8, &str); 4] = [
            (|_| Ok(()), 1, "thread a returned"),
            (|_| failing(false), 1, "thread a failed: broken"),
            (|_| failing(true), 75, "thread a failed: broken"),
            (|_| panic!("bang"), 1, "thread a panicked: bang"),
        ];
        for (body, code, says) in table {
            let mut tasks = Tasks::default();
            tasks.thread("a", body).unwrap();
            tasks.thread("b", waits).unwrap();
            let ending = tasks.run(pending(), GRACE).unwrap();
            assert_eq!(ending.exit_code(), code);
            assert_eq!(ending.to_string(), format!("{says}; all threads drained"));
        }
    }

    #[test]
    fn one_that_does_not_come_home_is_named() {
        let (release, held) = mpsc::channel::<()>();
        let mut tasks = Tasks::default();
        tasks
            .thread("stuck", move |_| {
                assert!(held.recv().is_err());
                Ok(())
            })
            .unwrap();
        let grace = Duration::from_millis(1);
        let ending = tasks.run(ready(Ok("SIGINT")), grace).unwrap();
        assert_eq!(ending.exit_code(), 75);
        assert!(ending.to_string().ends_with("not drained in time: stuck"));
        drop(release);
    }

    #[test]
    fn a_failure_on_the_way_out_is_a_failure() {
        let mut tasks = Tasks::default();
        tasks
            .thread("a", |stop| waits(stop).and_then(|()| failing(false)))
            .unwrap();
        let ending = tasks.run(ready(Ok("SIGTERM")), GRACE).unwrap();
        assert_eq!(ending.exit_code(), 1);
        assert!(ending.to_string().contains("then thread a failed: broken"));
    }

    #[test]
    fn a_stop_is_set_by_a_dropped_setter_too() {
        let (setter, stop) = Stop::new();
        assert!(!stop.is_set());
        drop(setter);
        assert!(stop.is_set());
        waits(stop).unwrap();
    }
}

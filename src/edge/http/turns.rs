//! Questions to the brokers: they take their time and memory, so they are not asked on the threads that
//! answer everybody else, and few at a time.

use super::problem::Problem;
use crate::edge::archive::ArchiveFault;
use crate::edge::log::LogError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Questions at a time. Each may read a whole topic.
const TURNS: usize = 2;
/// When somebody else may have done.
const PAUSE: Duration = Duration::from_secs(2);

/// Who may ask at the moment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(TURNS)))
    }
}

impl Turns {
    /// Asks, if it is one's turn.
    pub(super) async fn ask<T: Send + 'static, E: Into<Problem> + Send + 'static>(
        &self,
        question: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = Arc::clone(&self.0).try_acquire_owned();
        let turn = turn.map_err(|_| Problem::too_many("others ask the brokers now", PAUSE))?;
        let answer = tokio::task::spawn_blocking(move || {
            let answer = question();
            // Whoever asked may have gone: the turn ends with the question.
            drop(turn);
            answer
        });
        let answer = answer.await;
        let answer = answer.map_err(|fault| Problem::unavailable(fault.to_string()))?;
        answer.map_err(E::into)
    }
}

impl From<LogError> for Problem {
    fn from(fault: LogError) -> Self {
        Self::unavailable(fault.to_string())
    }
}

impl From<ArchiveFault> for Problem {
    fn from(fault: ArchiveFault) -> Self {
        match fault {
            ArchiveFault::Log(fault) => fault.into(),
            fault @ ArchiveFault::TooMuch => Self::parameters(vec![format!("from: {fault}")]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn two_ask_and_the_next_is_told_when_to_come_again() {
        let turns = Turns::default();
        let (tell, told) = std::sync::mpsc::channel::<u8>();
        let told = Arc::new(std::sync::Mutex::new(told));
        let ask = || {
            let told = Arc::clone(&told);
            turns.ask(move || Ok::<_, Problem>(told.lock().unwrap().recv()))
        };
        let (first, second, third) = tokio::join!(ask(), ask(), async {
            // It would not wait.
            let third = turns.ask(|| Ok::<_, Problem>(())).await;
            tell.send(1).unwrap();
            tell.send(2).unwrap();
            third
        });
        assert!(first.is_ok() && second.is_ok() && third.is_err());
        tell.send(3).unwrap();
        assert_eq!(ask().await.unwrap(), Ok(3), "turns come back");
    }
}

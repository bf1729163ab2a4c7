//! What Deskwarden says of itself, asked over HTTP while it runs.

use crate::child::{Process, pause};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Between two looks: far below what is measured, and rare enough not to slow it.
const LOOK_MS: u64 = 5;
/// Whoever is not ready by then never will be.
const READY_MAX: Duration = Duration::from_secs(120);
/// For one answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// The listener for health and metrics of a process that was just started.
#[derive(Debug)]
pub(crate) struct Ops<'a> {
    process: &'a mut Process,
    begun: Instant,
    address: String,
}

impl<'a> Ops<'a> {
    /// Of a process that was started at `begun`, once its log says where it listens.
    pub(crate) fn of(process: &'a mut Process, begun: Instant) -> Self {
        let mut ops = Self {
            process,
            begun,
            address: String::new(),
        };
        loop {
            ops.pause();
            if let Some(address) = listening(&ops.process.said()) {
                return Self { address, ..ops };
            }
        }
    }

    /// Waits for an answer that says yes and is right; how long after the start that was. Panics where
    /// the process ends, or it does not come in time.
    pub(crate) fn until(&mut self, path: &str, is_right: impl Fn(&str) -> bool) -> Duration {
        loop {
            let (code, body) = self.get(path);
            if code == 200 && is_right(&body) {
                return self.begun.elapsed();
            }
            self.pause();
        }
    }

    /// The sum of the samples of a metric; its name without the prefix.
    pub(crate) fn sum(&self, metric: &str) -> f64 {
        let (_, text) = self.get("/metrics");
        let samples = text.lines().filter_map(|line| line.rsplit_once(' '));
        let name = format!("deskwarden_{metric}");
        let of = samples.filter(|(key, _)| key.split('{').next() == Some(&name));
        of.map(|(_, value)| value.parse::<f64>().unwrap()).sum()
    }

    /// Status and body of an answer.
    fn get(&self, path: &str) -> (u16, String) {
        let host = &self.address;
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(ANSWER_MAX)).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nhost: {host}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let code = head.split(' ').nth(1).unwrap().parse();
        (code.unwrap(), body.to_owned())
    }

    /// Waits until another look is due.
    fn pause(&mut self) {
        pause(LOOK_MS);
        self.process.must_live();
        let said = || self.process.said();
        assert!(self.begun.elapsed() < READY_MAX, "never: {}", said());
    }
}

/// The address of the listener, once the log names it.
fn listening(log: &str) -> Option<String> {
    // The last line may be half written.
    let lines = log.lines().map(serde_json::from_str::<Value>);
    let mut lines = lines.filter_map(|line| line.ok().filter(|l| l["message"] == "listening"));
    let told = lines.next()?["ops"].as_str()?.to_owned();
    Some(
        told.trim_start_matches("Some(")
            .trim_end_matches(')')
            .to_owned(),
    )
}

/// Milliseconds.
pub(crate) fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

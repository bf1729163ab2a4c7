//! A crowd of clients of the live feed over real sockets, each of which checks that it is given
//! every alert it wants once and in order, with the right id; and the numbered alerts they look for.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared by tests and benchmarks, each of which uses a part"
)]

use std::io::{self, BufRead};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};

pub const PARTITIONS: i32 = 3;
/// Of a line that much is looked at: name, id, and the number with which each document begins.
const HEAD_BYTES: usize = 192;
/// A client that connects more often gets nowhere: one that is always cut off again.
const CONNECTS_MAX: u64 = 1_000;
/// What one read takes at the most.
const READ_BYTES: usize = 256 << 10;
/// Of a client that takes nothing: what the system takes for it all the same.
const STALLED_RECEIVE_BYTES: u32 = 16 << 10;

/// Alerts of realistic size, numbered: number n lies in partition n % 3 at offset n / 3.
#[derive(Debug)]
pub struct Alerts(Vec<String>);

impl Default for Alerts {
    /// From those that the tests of the page show, but for the largest.
    fn default() -> Self {
        let fixtures: Value = serde_json::from_str(include_str!("../page/alerts.json")).unwrap();
        let texts = fixtures["start"].as_array().unwrap().iter().map(|alert| {
            let mut alert = alert.clone();
            alert["activity_id"] = json!(1);
            alert["status_id"] = json!(1);
            alert["severity_id"] = json!("@severity");
            alert["metadata"]["sequence"] = json!(1);
            alert["metadata"]["uid"] = json!("case-@number:1");
            alert["finding_info"]["uid"] = json!("case-@number");
            alert["resources"][0]["criticality"] = json!("@tier");
            alert.to_string()
        });
        Self(
            texts
                .filter(|t| (4_300..9_000).contains(&t.len()))
                .collect(),
        )
    }
}

const TIERS: [&str; 3] = ["executive", "standard", "privileged"];
/// From low to critical.
const SEVERITIES: u64 = 4;

impl Alerts {
    /// The document begins with its number and the moment at which it is published.
    pub fn document(&self, number: u64, moment: u64) -> Vec<u8> {
        let text = &self.0[usize::try_from(number).unwrap() % self.0.len()];
        let (severity, tier) = (number % SEVERITIES + 2, number / 5 % TIERS.len() as u64);
        let text = text
            .replace("@number", &format!("{number:08}"))
            .replace("\"@severity\"", &severity.to_string())
            .replace("@tier", TIERS[usize::try_from(tier).unwrap()]);
        format!(
            "{{\"number\":\"{number:08}\",\"moment\":\"{moment:020}\",{}",
            text.trim_start_matches('{')
        )
        .into()
    }

    /// Bytes of a document on average.
    pub fn mean_bytes(&self) -> usize {
        let documents = (0..60).map(|number| self.document(number, 0).len());
        documents.sum::<usize>() / 60
    }
}

pub fn partition(number: u64) -> i32 {
    i32::try_from(number % u64::from(PARTITIONS.unsigned_abs())).unwrap()
}

/// What a client asks for.
#[derive(Debug, Clone, Copy)]
pub enum Want {
    All,
    High,
    Critical,
    Executives,
    LowStandard,
}

impl Want {
    pub const ALL: [Self; 5] = [
        Self::All,
        Self::High,
        Self::Critical,
        Self::Executives,
        Self::LowStandard,
    ];

    const fn query(self) -> &'static str {
        match self {
            Self::All => "",
            Self::High => "min_severity=high",
            Self::Critical => "severity=critical&status=open",
            Self::Executives => "tier=executive",
            Self::LowStandard => "severity=low,medium&tier=standard",
        }
    }

    pub const fn takes(self, number: u64) -> bool {
        let (severity, tier) = (number % SEVERITIES + 2, number / 5 % TIERS.len() as u64);
        match self {
            Self::All => true,
            Self::High => severity >= 4,
            Self::Critical => severity == 5,
            Self::Executives => tier == 0,
            Self::LowStandard => severity <= 3 && tier == 1,
        }
    }
}

/// What one client does.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    pub want: Want,
    /// As lines of JSON, not as Server-Sent Events.
    pub lines: bool,
    /// Leaves after so many events, and comes back with the last id.
    pub leaves_after: Option<u64>,
    /// Takes nothing before so many alerts are published.
    pub stalls: Option<u64>,
}

/// How far a client is; looked at from outside.
#[derive(Debug, Default)]
pub struct Progress {
    /// Alerts before this number have been seen, those that are not wanted aside.
    pub reached: AtomicU64,
    pub events: AtomicU64,
    pub connects: AtomicU64,
    pub gaps: AtomicU64,
}

/// A client, from its first connection until it has seen all that it wants of `until` alerts.
pub struct Client {
    pub at: SocketAddr,
    pub part: Part,
    pub progress: Arc<Progress>,
    pub until: u64,
    /// Told of the moment of each alert as it arrives.
    pub arrived: Rc<dyn Fn(u64)>,
    /// Of each partition the number that has to come next; nothing of it is wanted before.
    next: Vec<u64>,
    /// The id of the last event.
    last: Option<String>,
    line: Vec<u8>,
}

/// Says so when the clients are through, also by a panic.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Lets clients follow, each until it has seen all that it wants.
/// Panics as the first that does. Either way it is `over` then.
pub fn follow(clients: Vec<Client>, published: &watch::Receiver<u64>, over: &AtomicBool) {
    let _ended = Ended(over);
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let mut following = JoinSet::new();
        for client in clients {
            following.spawn_local(client.follow(published.clone()));
        }
        while let Some(ended) = following.join_next().await {
            ended.unwrap();
        }
    });
}

/// Why a connection is over.
#[derive(Debug, PartialEq, Eq)]
enum Over {
    /// All is seen.
    Done,
    Left,
    Closed,
}

impl Client {
    pub fn new(at: SocketAddr, part: Part, until: u64, arrived: Rc<dyn Fn(u64)>) -> Self {
        Self {
            at,
            part,
            progress: Arc::default(),
            until,
            arrived,
            next: (0..u64::from(PARTITIONS.unsigned_abs())).collect(),
            last: None,
            line: Vec::new(),
        }
    }

    /// Follows until all is seen; panics where an event is missing, repeated or wrong.
    async fn follow(mut self, mut published: watch::Receiver<u64>) {
        let mut stalls = self.part.stalls;
        self.skip();
        loop {
            let stream = self.connect(stalls.is_some()).await;
            if let Some(until) = stalls.take() {
                drop(published.wait_for(|published| *published >= until).await);
            }
            if self.read(&stream).await == Over::Done {
                return;
            }
        }
    }

    async fn connect(&mut self, is_stalled: bool) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        if is_stalled {
            socket.set_recv_buffer_size(STALLED_RECEIVE_BYTES).unwrap();
        }
        let stream = socket.connect(self.at).await.unwrap();
        let mut request = format!(
            "GET /api/v1/alerts/stream?{} HTTP/1.1\r\nhost: {}\r\n",
            self.part.want.query(),
            self.at
        );
        if self.part.lines {
            request.push_str("accept: application/x-ndjson\r\n");
        }
        // The first time from the very beginning, so that it does not matter who is first.
        let from = self.last.as_deref().unwrap_or("0:0,1:0,2:0");
        request.push_str(&format!("last-event-id: {from}\r\n\r\n"));
        stream.writable().await.unwrap();
        assert_eq!(stream.try_write(request.as_bytes()).unwrap(), request.len());
        self.line.clear();
        stream.readable().await.unwrap();
        let connects = self.progress.connects.fetch_add(1, Ordering::Relaxed);
        assert!(connects < CONNECTS_MAX, "it comes back and gets nowhere");
        stream
    }

    async fn read(&mut self, stream: &TcpStream) -> Over {
        let mut body = Body::Head(Vec::new());
        let mut events = 0;
        loop {
            stream.readable().await.unwrap();
            let over = BUFFER.with_borrow_mut(|buffer| match stream.try_read(buffer) {
                Ok(0) => Some(Over::Closed),
                Ok(read) => body.read(&buffer[..read], &mut |piece| self.lines(piece, &mut events)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
                Err(_) => Some(Over::Closed),
            });
            if let Some(over) = over {
                return over;
            }
        }
    }

    /// Takes a piece of the body apart.
    fn lines(&mut self, mut piece: &[u8], events: &mut u64) -> Option<Over> {
        while !piece.is_empty() {
            let whole = piece;
            let taken = piece.skip_until(b'\n').unwrap();
            let line = &whole[..taken];
            let room = HEAD_BYTES.saturating_sub(self.line.len());
            self.line.extend_from_slice(&line[..taken.min(room)]);
            if line.last() != Some(&b'\n') {
                continue;
            }
            let head = std::mem::take(&mut self.line);
            if let Some(id) = self.event(&head) {
                *events += 1;
                self.last = Some(id);
                if self.is_done() {
                    return Some(Over::Done);
                }
                if self.part.leaves_after == Some(*events) {
                    return Some(Over::Left);
                }
            }
            self.line = head;
            self.line.clear();
        }
        None
    }

    /// What the beginning of a line says; the id, if it is the end of an event.
    fn event(&mut self, head: &[u8]) -> Option<String> {
        let head = String::from_utf8_lossy(head);
        let (id, document) = if self.part.lines {
            let (name, rest) = head
                .strip_prefix("{\"event\":\"")?
                .split_once("\",\"id\":\"")?;
            let (id, document) = rest.split_once("\",\"alert\":").unwrap();
            self.gap(name);
            (id.to_owned(), document)
        } else if let Some(name) = head.strip_prefix("event: ") {
            self.gap(name.trim_end());
            return None;
        } else if let Some(id) = head.strip_prefix("id: ") {
            self.last = Some(id.trim_end().to_owned());
            return None;
        } else {
            (self.last.clone()?, head.strip_prefix("data: ")?)
        };
        if document.starts_with("{\"resume\":") {
            return Some(id);
        }
        let rest = document.strip_prefix("{\"number\":\"").unwrap();
        let (number, rest) = rest.split_once("\",\"moment\":\"").unwrap();
        let (moment, _) = rest.split_once('"').unwrap();
        self.check(number.parse().unwrap(), &id);
        (self.arrived)(moment.parse().unwrap());
        Some(id)
    }

    fn gap(&self, name: &str) {
        let gap = u64::from(name == "gap");
        self.progress.gaps.fetch_add(gap, Ordering::Relaxed);
    }

    /// Exactly the next one that is wanted of its partition, with a place right behind it.
    fn check(&mut self, number: u64, id: &str) {
        let lane = usize::try_from(partition(number)).unwrap();
        assert_eq!(number, self.next[lane], "{:?} at {id}", self.part);
        let step = u64::from(PARTITIONS.unsigned_abs());
        let behind = format!("{lane}:{}", number / step + 1);
        assert!(id.split(',').any(|part| part == behind), "{id} of {number}");
        self.next[lane] += step;
        self.skip();
        self.progress.events.fetch_add(1, Ordering::Relaxed);
    }

    /// Passes over what is not wanted.
    fn skip(&mut self) {
        for next in &mut self.next {
            while *next < self.until && !self.part.want.takes(*next) {
                *next += u64::from(PARTITIONS.unsigned_abs());
            }
        }
        let reached = self.next.iter().min().unwrap();
        self.progress.reached.store(*reached, Ordering::Release);
    }

    fn is_done(&self) -> bool {
        self.next.iter().all(|next| *next >= self.until)
    }
}

thread_local! {
    /// A crowd reads into one buffer.
    static BUFFER: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::new(vec![0; READ_BYTES]);
}

/// Where in an answer with a chunked body the next byte stands.
enum Body {
    Head(Vec<u8>),
    Size(Vec<u8>),
    Chunk(usize),
}

impl Body {
    fn read(
        &mut self,
        mut bytes: &[u8],
        take: &mut impl FnMut(&[u8]) -> Option<Over>,
    ) -> Option<Over> {
        while let [first, rest @ ..] = bytes {
            match self {
                Self::Head(head) => {
                    head.push(*first);
                    bytes = rest;
                    if head.ends_with(b"\r\n\r\n") {
                        let head = String::from_utf8_lossy(head).to_lowercase();
                        assert!(head.starts_with("http/1.1 200"), "{head}");
                        assert!(head.contains("transfer-encoding: chunked"), "{head}");
                        *self = Self::Size(Vec::new());
                    }
                }
                Self::Size(size) => {
                    size.push(*first);
                    bytes = rest;
                    // Before it may lie the end of the chunk before.
                    let text = std::str::from_utf8(size).unwrap();
                    if !text.trim().is_empty() && text.ends_with("\r\n") {
                        *self = Self::Chunk(usize::from_str_radix(text.trim(), 16).unwrap());
                    }
                }
                Self::Chunk(0) => return Some(Over::Closed),
                Self::Chunk(left) => {
                    let (piece, rest) = bytes.split_at(bytes.len().min(*left));
                    *left -= piece.len();
                    bytes = rest;
                    if *left == 0 {
                        *self = Self::Size(Vec::new());
                    }
                    if let Some(over) = take(piece) {
                        return Some(over);
                    }
                }
            }
        }
        None
    }
}

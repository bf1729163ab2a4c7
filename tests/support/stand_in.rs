//! A receiver that keeps what it is sent and behaves as badly as it is told: strict about HTTP, and
//! written by hand so that it can break the protocol too.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "shared by tests, each of which uses a part; a test may panic"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// 202, as vendors do.
    Takes,
    /// This status; with seconds to wait, where given.
    Refuses(u16, Option<u64>),
    /// Reads the request and never answers.
    Hangs,
    /// Resets the connection after the request.
    Resets,
    /// Answers with one byte a second.
    Drips,
    /// Sends the client elsewhere.
    Redirects,
    /// 400 for whatever holds this text, else 202.
    Dislikes(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// Whether the sender was told that it was taken.
    pub is_accepted: bool,
}

impl Taken {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Debug)]
struct State {
    manner: Manner,
    taken: Vec<Taken>,
    connections: usize,
}

#[derive(Debug, Clone)]
pub struct StandIn {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stand_in = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::new(Mutex::new(State {
                manner,
                taken: Vec::new(),
                connections: 0,
            })),
        };
        let own = stand_in.clone();
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                own.with(|state| state.connections += 1);
                let own = own.clone();
                thread::spawn(move || drop(own.serve(stream)));
            }
        });
        stand_in
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn url(&self) -> String {
        format!("http://{}/in", self.address)
    }

    pub fn behave(&self, manner: Manner) {
        self.with(|state| state.manner = manner);
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.with(|state| state.taken.clone())
    }

    /// Those that the sender knows were taken.
    pub fn accepted(&self) -> Vec<Taken> {
        let taken = self.taken().into_iter();
        taken.filter(|taken| taken.is_accepted).collect()
    }

    pub fn connections(&self) -> usize {
        self.with(|state| state.connections)
    }

    /// Waits until what was accepted is right.
    pub fn until(
        &self,
        what: &str,
        patience: Duration,
        is_right: impl Fn(&[Taken]) -> bool,
    ) -> Vec<Taken> {
        let deadline = Instant::now() + patience;
        loop {
            let accepted = self.accepted();
            if is_right(&accepted) {
                return accepted;
            }
            let bodies = accepted
                .iter()
                .map(|t| String::from_utf8_lossy(&t.body).into_owned());
            assert!(
                Instant::now() < deadline,
                "{what}: never; {} accepted:\n{}",
                accepted.len(),
                bodies.take(5).collect::<Vec<_>>().join("\n")
            );
            thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Keeps a request; how it is answered.
    fn keep(&self, path: String, headers: BTreeMap<String, String>, body: Vec<u8>) -> Manner {
        self.with(|state| {
            let mut manner = state.manner;
            if let Manner::Dislikes(text) = manner {
                let is_liked = !String::from_utf8_lossy(&body).contains(text);
                manner = if is_liked {
                    Manner::Takes
                } else {
                    Manner::Refuses(400, None)
                };
            }
            state.taken.push(Taken {
                path,
                headers,
                body,
                is_accepted: manner == Manner::Takes,
            });
            manner
        })
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let mut words = line.split(' ');
            assert_eq!(words.next(), Some("POST"), "{line}");
            let path = words.next().unwrap().to_owned();
            let mut headers = BTreeMap::new();
            loop {
                let mut header = String::new();
                reader.read_line(&mut header)?;
                let Some((name, value)) = header.trim_end().split_once(':') else {
                    break;
                };
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
            let length: usize = headers["content-length"].parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            let manner = self.keep(path, headers, body);
            match manner {
                Manner::Takes | Manner::Dislikes(_) => {
                    stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok")?
                }
                Manner::Refuses(status, after) => {
                    let after = after.map_or_else(String::new, |s| format!("retry-after: {s}\r\n"));
                    write!(
                        stream,
                        "HTTP/1.1 {status} No\r\n{after}content-length: 3\r\n\r\nno\n"
                    )?;
                }
                Manner::Redirects => write!(
                    stream,
                    "HTTP/1.1 307 Elsewhere\r\nlocation: http://{}/elsewhere\r\ncontent-length: 0\r\n\r\n",
                    self.address
                )?,
                Manner::Hangs => {
                    while self.with(|state| state.manner) == Manner::Hangs {
                        thread::park_timeout(Duration::from_millis(50));
                    }
                    return Ok(());
                }
                Manner::Resets => {
                    socket_reset(&stream);
                    return Ok(());
                }
                Manner::Drips => {
                    for byte in b"HTTP/1.1 202 Accepted\r\n" {
                        stream.write_all(&[*byte])?;
                        thread::park_timeout(Duration::from_secs(1));
                    }
                    return Ok(());
                }
            }
        }
    }
}

/// Closes with what was read unanswered; the client sees its connection end.
fn socket_reset(stream: &TcpStream) {
    drop(stream.shutdown(std::net::Shutdown::Both));
}

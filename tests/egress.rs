//! The way out over a proxy: TLS goes through it end to end, what may not be reached is not asked for, and
//! a proxy in trouble is trouble that passes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a test may panic"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use deskwarden::edge::config::{Egress, Secret};
use deskwarden::edge::sinks::http::{HttpClient, Request};
use deskwarden::edge::sinks::outcome::Outcome;
use deskwarden::edge::sinks::reach::Reach;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use servers::certificates;

#[path = "support/servers.rs"]
mod servers;

const PASSWORD: &str = "canary-proxy-password";

/// How a proxy answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Opens,
    Refuses,
    Hangs,
    /// 407 without these credentials.
    Asks,
}

/// A proxy that only opens ways (`CONNECT`), and keeps what it was asked for and what passed.
#[derive(Debug, Clone)]
struct Proxy {
    address: SocketAddr,
    manner: Manner,
    asked: Arc<Mutex<Vec<String>>>,
    passed: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            manner,
            asked: Arc::default(),
            passed: Arc::default(),
        };
        let own = proxy.clone();
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                thread::spawn(move || drop(own.serve(stream)));
            }
        });
        proxy
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn egress(&self) -> Egress {
        Egress {
            proxy: format!("http://{}", self.address).parse().unwrap(),
            credentials: None,
            no_proxy: Vec::new(),
        }
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (line, headers) = head(&mut reader)?;
        self.asked.lock().unwrap().push(line.clone());
        let credentials = headers.get("proxy-authorization").map(String::as_str);
        // `soc:canary-proxy-password` in base64.
        let known = Some("Basic c29jOmNhbmFyeS1wcm94eS1wYXNzd29yZA==");
        match self.manner {
            Manner::Hangs => {
                drop(reader.read(&mut [0]));
                return Ok(());
            }
            Manner::Refuses => {
                return stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
            }
            Manner::Asks if credentials != known => {
                return stream.write_all(
                    b"HTTP/1.1 407 Who\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n",
                );
            }
            Manner::Opens | Manner::Asks => {}
        }
        let mut words = line.split(' ');
        let (verb, target) = (words.next().unwrap(), words.next().unwrap());
        assert_eq!(verb, "CONNECT", "{line}");
        let Ok(mut receiver) = TcpStream::connect(target) else {
            return stream.write_all(b"HTTP/1.1 502 Nobody\r\ncontent-length: 0\r\n\r\n");
        };
        stream.write_all(b"HTTP/1.1 200 Opened\r\n\r\n")?;
        let (mut back, mut out) = (receiver.try_clone()?, stream.try_clone()?);
        thread::spawn(move || drop(std::io::copy(&mut back, &mut out)));
        let mut part = [0; 4096];
        loop {
            let count = reader.read(&mut part)?;
            if count == 0 {
                return Ok(());
            }
            self.passed.lock().unwrap().extend(&part[..count]);
            receiver.write_all(&part[..count])?;
        }
    }
}

/// The first line of a message and its headers, with names in lower case.
fn head(reader: &mut impl BufRead) -> std::io::Result<(String, BTreeMap<String, String>)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    Ok((line.trim_end().to_owned(), headers))
}

/// A receiver that speaks TLS and keeps the bodies that it takes.
#[derive(Debug)]
struct Receiver {
    port: u16,
    ca: PathBuf,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    fn start(folder: &Path) -> Self {
        let (ca, certificate, key) = certificates(folder);
        let certificate = CertificateDer::from_pem_file(certificate).unwrap();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self {
            port: listener.local_addr().unwrap().port(),
            ca,
            bodies: Arc::default(),
        };
        let bodies = Arc::clone(&receiver.bodies);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, bodies) = (Arc::clone(&config), Arc::clone(&bodies));
                thread::spawn(move || -> std::io::Result<()> {
                    let connection =
                        ServerConnection::new(config).map_err(std::io::Error::other)?;
                    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
                    let (_, headers) = head(&mut reader)?;
                    let length = headers
                        .get("content-length")
                        .map_or(0, |l| l.parse().unwrap());
                    let mut body = vec![0; length];
                    reader.read_exact(&mut body)?;
                    bodies
                        .lock()
                        .unwrap()
                        .push(String::from_utf8(body).unwrap());
                    let answer =
                        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
                    reader.get_mut().write_all(answer)?;
                    reader.get_mut().flush()
                });
            }
        });
        receiver
    }

    fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().clone()
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("dw-egress-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// `deskwarden deliver test hook`: its exit code and what it says.
fn deliver(folder: &Path, receiver: &Receiver, egress: &str, proxy: &Proxy) -> (i32, String) {
    let config = folder.join("deskwarden.yaml");
    let text = format!(
        "version: 1\n{egress}sinks:\n  hook:\n    type: webhook\n    \
         url: https://localhost:{}/in\n    allow_private: true\n    timeout: 2s\n    ca_file: {}\n",
        receiver.port,
        receiver.ca.display()
    );
    fs::write(&config, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_deskwarden"))
        .args(["deliver", "test", "hook", "--config"])
        .arg(&config)
        // Not the way that was chosen.
        .env("HTTPS_PROXY", format!("http://{}", proxy.address))
        .env("https_proxy", format!("http://{}", proxy.address))
        .env("ALL_PROXY", format!("http://{}", proxy.address))
        .env("PROXY_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8(told).unwrap();
    assert!(!told.contains(PASSWORD), "{told}");
    (output.status.code().unwrap(), told)
}

fn over(proxy: &Proxy, extra: &str) -> String {
    format!("egress: {{proxy: \"http://{}\"{extra}}}\n", proxy.address)
}

#[test]
fn tls_goes_through_the_proxy_end_to_end() {
    let folder = folder("through");
    let receiver = Receiver::start(&folder);
    let proxy = Proxy::start(Manner::Opens);
    // Of the environment none is taken.
    let (code, told) = deliver(&folder, &receiver, "", &proxy);
    assert_eq!((code, receiver.bodies().len()), (0, 1), "{told}");
    assert!(proxy.asked().is_empty());
    let (code, told) = deliver(&folder, &receiver, &over(&proxy, ""), &proxy);
    assert_eq!((code, receiver.bodies().len()), (0, 2), "{told}");
    let asked = format!("CONNECT localhost:{} HTTP/1.1", receiver.port);
    assert_eq!(proxy.asked(), [asked]);
    // What passes is TLS, and can be read at its end only.
    let passed = proxy.passed.lock().unwrap().clone();
    assert!(passed.len() > 500 && passed[0] == 0x16, "no handshake");
    assert!(receiver.bodies()[1].contains("\"dedup_key\""));
    let is_seen = String::from_utf8_lossy(&passed).contains("dedup_key");
    assert!(!is_seen, "the proxy could read it");
    // What is named is reached without it.
    let direct = over(&proxy, ", no_proxy: [localhost]");
    let (code, told) = deliver(&folder, &receiver, &direct, &proxy);
    assert_eq!((code, receiver.bodies().len()), (0, 3), "{told}");
    assert_eq!(proxy.asked().len(), 1);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_proxy_in_trouble_is_told() {
    let folder = folder("trouble");
    let receiver = Receiver::start(&folder);
    for (manner, why) in [
        (Manner::Refuses, "tunnel"),
        (Manner::Asks, "proxy authorization required"),
        (Manner::Hangs, "timed out"),
    ] {
        let proxy = Proxy::start(manner);
        let begun = Instant::now();
        let (code, told) = deliver(&folder, &receiver, &over(&proxy, ""), &proxy);
        assert_eq!(code, 1, "{manner:?}: {told}");
        assert!(
            told.contains("failed: ") && told.contains(why),
            "{manner:?}: {told}"
        );
        assert!(begun.elapsed() < Duration::from_secs(10), "{manner:?}");
        assert_eq!(proxy.asked().len(), 1, "{manner:?}");
    }
    let proxy = Proxy::start(Manner::Asks);
    for (password, code) in [("wrong", 1), ("${env:PROXY_PASSWORD}", 0)] {
        let credentials = format!(", username: soc, password: \"{password}\"");
        let (ended, told) = deliver(&folder, &receiver, &over(&proxy, &credentials), &proxy);
        assert_eq!(ended, code, "{told}");
    }
    assert_eq!(receiver.bodies().len(), 1);
    fs::remove_dir_all(&folder).unwrap();
}

/// Hosts that lead inward, as addresses and as a name that leads there from here.
const INWARD: [&str; 12] = [
    "127.0.0.1",
    "2130706433",
    "0x7f.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "10.0.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "[64:ff9b::a9fe:a9fe]",
    "localhost",
    "LOCALHOST.",
];

fn post(client: &HttpClient, url: &str) -> Outcome {
    let request = Request {
        url: url.parse().unwrap(),
        content_type: "application/json",
        headers: Vec::new(),
        signing: None,
        body: b"{}".to_vec(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(client.post(&request))
}

#[test]
fn a_proxy_is_not_asked_for_what_may_not_be_reached() {
    let proxy = Proxy::start(Manner::Opens);
    let client = |allow_private, egress: &Egress| {
        let time = Duration::from_secs(5);
        HttpClient::new(Reach { allow_private }, None, time, Some(egress)).unwrap()
    };
    let careful = client(false, &proxy.egress());
    for host in INWARD {
        let outcome = post(&careful, &format!("https://{host}:8443/in"));
        let Outcome::Passing { why, .. } = outcome else {
            panic!("{host}: {outcome:?}");
        };
        assert!(why.contains("address"), "{host}: {why}");
    }
    // Instance metadata never, whatever the sink allows.
    let open = client(true, &proxy.egress());
    assert_ne!(post(&open, "https://169.254.169.254/"), Outcome::Delivered);
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
    // A name that is not known here: the proxy has to judge.
    assert_ne!(
        post(&careful, "https://receiver.invalid/in"),
        Outcome::Delivered
    );
    assert_eq!(proxy.asked(), ["CONNECT receiver.invalid:443 HTTP/1.1"]);
    // The proxy may be in this network, by its name too, and receivers still may not.
    let mut named = proxy.egress();
    named.proxy = format!("http://localhost:{}", proxy.address.port())
        .parse()
        .unwrap();
    named.credentials = Some(("soc".to_owned(), Secret::new(PASSWORD.to_owned())));
    let careful = client(false, &named);
    assert_ne!(
        post(&careful, "https://receiver.invalid/in"),
        Outcome::Delivered
    );
    assert_eq!(proxy.asked().len(), 2);
    named.no_proxy = vec!["direct.localhost".to_owned()];
    let careful = client(false, &named);
    let outcome = post(&careful, "https://direct.localhost:8443/in");
    assert!(matches!(outcome, Outcome::Passing { .. }), "{outcome:?}");
    assert_eq!(proxy.asked().len(), 2);
    assert!(!format!("{named:?}").contains(PASSWORD));
}

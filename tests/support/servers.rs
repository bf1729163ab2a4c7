//! Servers of somebody else that alerts are sent to, Alertmanager and rsyslog, as Debian has them; and what
//! each revision of the topic asks of a sink.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "shared by tests, each of which uses a part; a test may panic, and looks for programs"
)]

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use deskwarden::deliver::notice::Notice;
use deskwarden::deliver::route::{Decision, Floor, Route};
use deskwarden::edge::log::OwnedRecord;
use serde_json::Value;

/// Anything that takes longer is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A server of somebody else. Killed when dropped.
#[derive(Debug)]
pub struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already, or to be ended: both are fine.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A program of a Debian package. Where it is missing, the test says so; in CI it fails.
pub fn program(names: &[&str], package: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|path| path.is_file());
    if found.is_none() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "install {package}: in CI a skipped test is a failure"
        );
        println!("skipped: install {package}");
    }
    found
}

/// An answer of a server's API, once it is there.
pub fn get(address: &str, path: &str) -> Option<Value> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}

pub fn until<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: never");
        thread::park_timeout(Duration::from_millis(100));
    }
}

pub fn alertmanager(program: &Path, folder: &Path, port: u16) -> Server {
    let config = folder.join("alertmanager.yml");
    let text = "route: {receiver: nobody, group_wait: 0s}\nreceivers: [{name: nobody}]\n";
    fs::write(&config, text).unwrap();
    let log = fs::File::create(folder.join("alertmanager.log")).unwrap();
    let server = Command::new(program)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    until("alertmanager is up", PATIENCE, || {
        get(&format!("127.0.0.1:{port}"), "/api/v2/status")
    });
    Server(server)
}

/// An authority and a certificate of it for `localhost`, as PEM files.
pub fn certificates(folder: &Path) -> (PathBuf, PathBuf, PathBuf) {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&key, &issuer).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    (
        write("ca.pem", authority_certificate.pem()),
        write("server.pem", server.pem()),
        write("server.key", key.serialize_pem()),
    )
}

pub fn rsyslog(program: &Path, folder: &Path, port: u16) -> Server {
    let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
    let (ca, out) = (folder.join("ca.pem"), folder.join("syslog.out"));
    let config = folder.join("rsyslog.conf");
    let text = format!(
        r#"global(workDirectory="{folder}" maxMessageSize="128k"
  defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{ca}"
  defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="raw" type="string" string="%rawmsg%\n")
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="all")
ruleset(name="all") {{ action(type="omfile" file="{out}" template="raw") }}
"#,
        folder = folder.display(),
        ca = ca.display(),
        certificate = certificate.display(),
        key = key.display(),
        out = out.display(),
    );
    fs::write(&config, text).unwrap();
    let log = fs::File::create(folder.join("rsyslog.log")).unwrap();
    let server = Command::new(program)
        .args(["-n", "-f"])
        .arg(&config)
        .arg("-i")
        .arg(folder.join("rsyslog.pid"))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    until("rsyslog is up", PATIENCE, || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    Server(server)
}

/// What each revision of the topic asks of a sink with this floor, by the id of the revision.
pub fn wanted(records: &[OwnedRecord], floor: Floor) -> BTreeMap<String, (String, Decision)> {
    let route = Route {
        floor,
        tiers: Vec::new(),
        patterns: Vec::new(),
    };
    let notices = records
        .iter()
        .map(|r| Notice::read(r.value.as_deref().unwrap()).unwrap());
    notices
        .map(|notice| {
            let id = format!("{}:{}", notice.alert.id, notice.alert.revision);
            let decision = route.decide(&notice);
            (id, (notice.dedup_key, decision))
        })
        .filter(|(_, (_, decision))| !matches!(decision, Decision::Withhold(_)))
        .collect()
}

//! TLS of the API listener: who is let in by a certificate, who is not, and new certificates without
//! a restart.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use deskwarden::edge::http::{
    Access, Credentials, Gate, HttpSettings, Limits, TlsFiles, Token, token_hash,
};
use deskwarden::edge::log::memory::MemoryBroker;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, date_time_ymd,
};
use serving::{Serving, Setup};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

#[path = "support/serving.rs"]
mod serving;

/// An authority of this test.
struct Authority {
    pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key.
struct Issued {
    pem: String,
    der: CertificateDer<'static>,
    key: KeyPair,
}

fn named(common: &str, others: &[&str]) -> CertificateParams {
    let others: Vec<String> = others.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(others).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    params
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = named(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        Self {
            pem: own.pem(),
            der: own.der().clone(),
            issuer: Issuer::new(params, key),
        }
    }

    fn issue(&self, mut params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Issued {
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let issued = params.signed_by(&key, &self.issuer).unwrap();
        Issued {
            pem: issued.pem(),
            der: issued.der().clone(),
            key,
        }
    }

    fn server(&self, name: &str) -> Issued {
        self.issue(named(name, &[name]), ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn client(&self, common: &str, others: &[&str]) -> Issued {
        self.issue(named(common, others), ExtendedKeyUsagePurpose::ClientAuth)
    }
}

/// Files of this test, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tls-{name}"));
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn files(&self, server: &Issued, client_ca: Option<&Authority>) -> TlsFiles {
        TlsFiles {
            certificate: self.write("server.pem", &server.pem),
            key: self.write("server.key", &server.key.serialize_pem()),
            client_ca: client_ca.map(|authority| self.write("clients.pem", &authority.pem)),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

const NAME: &str = "desk.example.com";

fn gate() -> Gate {
    let certificates = [
        ("siem.example.com", Access::Viewer),
        ("soar", Access::Analyst),
    ];
    let credentials = Credentials {
        tokens: vec![Token {
            name: "vera".into(),
            access: Access::Viewer,
            sha256: token_hash("dw_vera"),
        }],
        certificates: certificates
            .map(|(name, access)| (name.to_owned(), access))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        ..Credentials::default()
    };
    Gate::new(credentials, Limits::default())
}

fn serve(files: TlsFiles) -> Serving {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let settings = HttpSettings {
        listen: Some(any),
        ops_listen: any,
        tls: Some(files),
        authenticates: true,
    };
    Serving::with(MemoryBroker::default(), Setup::default(), gate(), &settings)
}

/// What a client trusts, whom it expects, and what it shows.
struct Client<'a> {
    trusts: &'a Authority,
    expects: &'a str,
    shows: Option<&'a Issued>,
    token: Option<&'a str>,
}

impl Client<'_> {
    /// The status, or why there is none.
    fn ask(&self, at: SocketAddr) -> Result<u16, String> {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusts.der.clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match self.shows {
            Some(shown) => {
                let key = PrivateKeyDer::try_from(shown.key.serialize_der()).unwrap();
                builder
                    .with_client_auth_cert(vec![shown.der.clone()], key)
                    .unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        let name = ServerName::try_from(self.expects.to_owned()).unwrap();
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(session, TcpStream::connect(at).unwrap());
        let token = self.token.map_or_else(String::new, |token| {
            format!("authorization: Bearer {token}\r\n")
        });
        let request = format!(
            "GET /api/v1/alerts HTTP/1.0\r\nhost: {}\r\n{token}\r\n",
            self.expects
        );
        stream
            .write_all(request.as_bytes())
            .map_err(|e| e.to_string())?;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        let status = text
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        status.ok_or_else(|| format!("{read:?}"))
    }
}

#[test]
fn who_shows_which_certificate_is_let_in_or_not() {
    let folder = Folder::new("clients");
    let (own, clients, strangers) = (
        Authority::new("servers"),
        Authority::new("clients"),
        Authority::new("strangers"),
    );
    let serving = serve(folder.files(&own.server(NAME), Some(&clients)));
    let mut expired = named("soar", &[]);
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let expired = clients.issue(expired, ExtendedKeyUsagePurpose::ClientAuth);
    let ask = |shows: Option<&Issued>, token: Option<&str>| {
        let client = Client {
            trusts: &own,
            expects: NAME,
            shows,
            token,
        };
        client.ask(serving.api)
    };
    assert_eq!(ask(Some(&clients.client("soar", &[])), None), Ok(200));
    let by_other_name = clients.client("x", &["siem.example.com"]);
    assert_eq!(ask(Some(&by_other_name), None), Ok(200));
    // A name that has no role, or none of its own.
    assert_eq!(ask(Some(&clients.client("nobody", &[])), None), Ok(401));
    assert_eq!(ask(None, None), Ok(401));
    assert_eq!(ask(None, Some("dw_vera")), Ok(200));
    // A token that is wrong is not made right by a certificate.
    let soar = clients.client("soar", &[]);
    assert_eq!(ask(Some(&soar), Some("dw_no")), Ok(401));
    // Of another authority, out of date, of a server.
    for wrong in [
        strangers.client("soar", &[]),
        expired,
        clients.issue(named("soar", &[]), ExtendedKeyUsagePurpose::ServerAuth),
    ] {
        let refused = ask(Some(&wrong), Some("dw_vera"));
        assert!(refused.is_err(), "{refused:?}");
    }
}

#[test]
fn a_client_refuses_whom_it_does_not_mean() {
    let folder = Folder::new("servers");
    let (own, other) = (Authority::new("servers"), Authority::new("others"));
    let serving = serve(folder.files(&own.server(NAME), None));
    let ask = |trusts: &Authority, expects: &str| {
        let client = Client {
            trusts,
            expects,
            shows: None,
            token: Some("dw_vera"),
        };
        client.ask(serving.api)
    };
    assert_eq!(ask(&own, NAME), Ok(200));
    let (name, authority) = (ask(&own, "evil.example.com"), ask(&other, NAME));
    assert!(name.unwrap_err().contains("ertificate"));
    assert!(authority.unwrap_err().contains("ertificate"));
    // In the clear nothing is answered.
    let mut clear = TcpStream::connect(serving.api).unwrap();
    clear.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    drop(clear.read_to_end(&mut answer));
    assert!(!answer.starts_with(b"HTTP"));
    // Health and metrics stay as they are.
    assert_eq!(serving::get(serving.ops, "/livez", &[]).status, 200);
}

#[test]
fn new_certificates_are_used_without_a_restart() {
    let folder = Folder::new("reload");
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let files = folder.files(&old.server(NAME), None);
    let serving = serve(files.clone());
    let ask = |trusts: &Authority| {
        let client = Client {
            trusts,
            expects: NAME,
            shows: None,
            token: Some("dw_vera"),
        };
        client.ask(serving.api)
    };
    let hang_up = || {
        let pid = std::process::id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-HUP", &pid])
            .status();
        assert!(sent.unwrap().success());
    };
    let ends = |at: i64| {
        let metric = "deskwarden_tls_certificate_expiry_timestamp_seconds";
        let line = format!("{metric} {at}\n");
        let metrics = || serving::get(serving.ops, "/metrics", &[]).text();
        // The gauge is set a moment after the certificate.
        assert!((0..1_000).any(|_| metrics().contains(&line)), "{line}");
    };
    assert_eq!(ask(&old), Ok(200));
    ends(CertificateParams::default().not_after.unix_timestamp());
    // Half of a change is not used.
    let mut params = named(NAME, &[NAME]);
    params.not_after = date_time_ymd(2099, 5, 6);
    let server = new.issue(params, ExtendedKeyUsagePurpose::ServerAuth);
    folder.write("server.pem", &server.pem);
    assert!(files.check().is_err());
    hang_up();
    assert_eq!(ask(&old), Ok(200));
    folder.write("server.key", &server.key.serialize_pem());
    hang_up();
    let is_new = (0..10_000).any(|_| matches!(ask(&new), Ok(200 | 429)));
    assert!(is_new);
    assert!(ask(&old).is_err());
    ends(date_time_ymd(2099, 5, 6).unix_timestamp());
}

#[test]
fn files_that_cannot_be_used_are_told_apart() {
    let folder = Folder::new("faults");
    let own = Authority::new("servers");
    let (server, other) = (own.server(NAME), own.server(NAME));
    let good = folder.files(&server, Some(&own));
    assert_eq!(good.check(), Ok(()));
    let empty = folder.write("empty.pem", "");
    let none = folder.0.join("none.pem");
    let foreign = folder.write("other.key", &other.key.serialize_pem());
    type Change = fn(&mut TlsFiles, PathBuf);
    let certificate: Change = |files, path| files.certificate = path;
    let key: Change = |files, path| files.key = path;
    let client_ca: Change = |files, path| files.client_ca = Some(path);
    for (change, path, setting, what) in [
        (certificate, &none, "certificate", "cannot read"),
        (certificate, &empty, "certificate", "no certificate in"),
        (key, &empty, "key", "no private key in"),
        (key, &foreign, "key", "keys may not be consistent"),
        (client_ca, &none, "client_ca", "cannot read"),
        (client_ca, &empty, "client_ca", "no certificate in"),
    ] {
        let mut files = good.clone();
        change(&mut files, path.clone());
        let fault = files.check().unwrap_err();
        assert_eq!(fault.setting, setting, "{fault}");
        assert!(fault.what.contains(what), "{fault}");
    }
}

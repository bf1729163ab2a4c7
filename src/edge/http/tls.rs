//! TLS of the API listener: certificate, key and the authority of client certificates, read again
//! when they change.

use crate::edge::metrics::TlsMetrics;
use crate::edge::tasks::Stop;
use sha2::{Digest, Sha256};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use x509_parser::extensions::GeneralName;

/// How often the files are looked at; SIGHUP looks at once.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Largest file: a bundle of authorities has some 200 KiB.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Names that are read of a client's certificate.
const NAMES_MAX: usize = 16;

/// Where certificates and key lie, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authority whose clients are known by their certificates.
    pub client_ca: Option<PathBuf>,
}

/// A file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("http.tls.{setting}: {what}; {remedy}")]
pub struct TlsFault {
    /// Which of the settings.
    pub setting: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// What the files say, ready for use.
#[derive(Debug)]
struct Loaded {
    config: Arc<ServerConfig>,
    /// Of all bytes of the files.
    digest: [u8; 32],
    /// When the first certificate of the chain ends, in seconds since 1970.
    expires: i64,
}

fn fault(setting: &'static str, what: impl Into<String>, remedy: &'static str) -> TlsFault {
    TlsFault {
        setting,
        what: what.into(),
        remedy,
    }
}

fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, TlsFault> {
    let shown = path.display();
    let refused = |cause: io::Error| {
        let remedy = "check the path, and that Deskwarden's user may read the file";
        fault(setting, format!("cannot read `{shown}`: {cause}"), remedy)
    };
    let size = std::fs::metadata(path).map_err(refused)?.len();
    if size > FILE_BYTES_MAX {
        let what = format!("`{shown}` has {size} bytes, too many for certificates");
        return Err(fault(setting, what, "name a PEM file"));
    }
    std::fs::read(path).map_err(refused)
}

fn certificates(
    setting: &'static str,
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let remedy = "name a PEM file with `-----BEGIN CERTIFICATE-----`";
    let all = all.map_err(|e| fault(setting, format!("`{}`: {e}", path.display()), remedy))?;
    if all.is_empty() {
        let what = format!("no certificate in `{}`", path.display());
        return Err(fault(setting, what, remedy));
    }
    Ok(all)
}

impl TlsFiles {
    /// Whether the files can be used.
    ///
    /// # Errors
    /// The first fault of them.
    pub fn check(&self) -> Result<(), TlsFault> {
        self.load().map(drop)
    }

    fn load(&self) -> Result<Loaded, TlsFault> {
        let certificate = read("certificate", &self.certificate)?;
        let key = read("key", &self.key)?;
        let mut digest = Sha256::new();
        digest.update(Sha256::digest(&certificate));
        digest.update(Sha256::digest(&key));
        let chain = certificates("certificate", &self.certificate, &certificate)?;
        let expires = chain.iter().filter_map(expires).min().unwrap_or(i64::MAX);
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| {
            let what = format!("no private key in `{}`", self.key.display());
            let remedy = "name a PEM file with `-----BEGIN PRIVATE KEY-----`, without a password";
            fault("key", what, remedy)
        })?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|e| fault("certificate", e.to_string(), "this build has no ciphers"))?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let pem = read("client_ca", path)?;
                digest.update(Sha256::digest(&pem));
                let mut roots = RootCertStore::empty();
                let remedy = "name the certificate of the authority that signs those of clients";
                for root in certificates("client_ca", path, &pem)? {
                    roots
                        .add(root)
                        .map_err(|e| fault("client_ca", e.to_string(), remedy))?;
                }
                // Who has a token needs no certificate.
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                        .allow_unauthenticated()
                        .build()
                        .map_err(|e| fault("client_ca", e.to_string(), remedy))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|e| {
            let remedy = "name the key that belongs to the first certificate";
            fault("key", e.to_string(), remedy)
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Loaded {
            config: Arc::new(config),
            digest: digest.finalize().into(),
            expires,
        })
    }
}

/// What new connections are met with.
pub(super) type Present = watch::Receiver<Arc<ServerConfig>>;

/// The files, and what was read of them last.
#[derive(Debug)]
pub(super) struct Tls {
    files: TlsFiles,
    present: watch::Sender<Arc<ServerConfig>>,
    digest: [u8; 32],
    expires: i64,
}

impl Tls {
    pub(super) fn load(files: TlsFiles) -> Result<Self, TlsFault> {
        let Loaded {
            config,
            digest,
            expires,
        } = files.load()?;
        Ok(Self {
            files,
            present: watch::Sender::new(config),
            digest,
            expires,
        })
    }

    pub(super) fn present(&self) -> Present {
        self.present.subscribe()
    }

    /// Looks at the files again and again until it is told to stop.
    pub(super) async fn follow(mut self, metrics: TlsMetrics, stop: Stop) -> io::Result<()> {
        metrics.expires(self.expires);
        let mut hangup = signal(SignalKind::hangup())?;
        let stopped = stop.wait();
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                () = &mut stopped => return Ok(()),
                Some(()) = hangup.recv() => {}
                () = sleep(LOOK_EVERY) => {}
            }
            let files = self.files.clone();
            match spawn_blocking(move || files.load()).await? {
                Ok(loaded) => {
                    self.take(loaded);
                    metrics.expires(self.expires);
                }
                // Half of a change is seen as one that cannot be used; the next look sees the rest.
                Err(fault) => {
                    tracing::error!(%fault, "new certificates are not used, the old ones are")
                }
            }
        }
    }

    fn take(&mut self, loaded: Loaded) {
        if loaded.digest != self.digest {
            self.digest = loaded.digest;
            self.expires = loaded.expires;
            self.present.send_replace(loaded.config);
            tracing::info!("new certificates are in use");
        }
    }
}

/// When a certificate ends, in seconds since 1970.
fn expires(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(parsed.validity().not_after.timestamp())
}

/// The names of a certificate: of its subject, then the others.
pub(super) fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) else {
        return Vec::new();
    };
    let common = parsed.subject().iter_common_name();
    let mut names: Vec<String> = common
        .filter_map(|name| name.as_str().ok())
        .map(str::to_owned)
        .collect();
    if let Ok(Some(others)) = parsed.subject_alternative_name() {
        for other in &others.value.general_names {
            if let GeneralName::DNSName(name)
            | GeneralName::RFC822Name(name)
            | GeneralName::URI(name) = other
            {
                names.push((*name).to_owned());
            }
        }
    }
    names.truncate(NAMES_MAX);
    names
}

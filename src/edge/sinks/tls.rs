//! TLS towards receivers: the roots of the system, and a CA of one's own where a sink names one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Why there can be no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file with the CA cannot be used.
    #[error("{path}: {detail}")]
    Ca {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The system has no roots either.
    #[error(
        "this machine has no certificates of authorities: install ca-certificates, or set ca_file"
    )]
    NoRoots,
    /// The library refuses its own settings.
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

/// TLS 1.2 or newer, host names checked. `ca_file`: PEM, trusted beside the system's roots.
///
/// # Errors
/// A file that cannot be read or holds no certificate; no roots at all.
pub fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    // What cannot be read of the system's roots is not trusted; without any, nothing is.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        for certificate in authorities(path)? {
            roots.add(certificate)?;
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The certificates of a file.
///
/// # Errors
/// It cannot be read, or holds none.
pub fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fault = |detail: String| TlsError::Ca {
        path: path.to_owned(),
        detail,
    };
    let read = CertificateDer::pem_file_iter(path).map_err(|error| fault(error.to_string()))?;
    let found: Result<Vec<_>, _> = read.collect();
    let found = found.map_err(|error| fault(error.to_string()))?;
    if found.is_empty() {
        return Err(fault("holds no certificate (PEM)".to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let fault = client(Some(&path)).unwrap_err().to_string();
        assert!(fault.ends_with("holds no certificate (PEM)"), "{fault}");
        let missing = client(Some(Path::new("nowhere.pem"))).unwrap_err();
        assert!(
            missing.to_string().starts_with("nowhere.pem: "),
            "{missing}"
        );
    }
}

//! Until when the certificate of the API can be shown.

use super::{Count, count};
use prometheus::{Error, Registry};

/// Of the certificate in use.
#[derive(Debug, Clone)]
pub struct TlsMetrics {
    expiry: Count,
}

impl TlsMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// They are registered already.
    pub fn register(registry: &Registry) -> Result<Self, Error> {
        let expiry = count(
            registry,
            "tls_certificate_expiry_timestamp_seconds",
            "When the certificate of the API ends, or one between it and its authority does.",
        )?;
        Ok(Self { expiry })
    }

    /// A certificate is in use until then, in seconds since 1970.
    pub fn expires(&self, at: i64) {
        self.expiry.set(at);
    }
}

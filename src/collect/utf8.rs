//! The bytes of a record as text.

use crate::collect::parse::RECORD_BYTES_MAX;
use crate::collect::reject::{Reject, RejectReason};

/// The bytes as text, within the size bound.
///
/// # Errors
/// `Oversize` above [`RECORD_BYTES_MAX`], `Decode` where it is not UTF-8.
pub(super) fn text_of(bytes: &[u8]) -> Result<&str, Reject> {
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(Reject::new(
            RejectReason::Oversize,
            "record larger than 1 MiB",
        ));
    }
    let text = simdutf8::basic::from_utf8(bytes)
        .map_err(|_| Reject::new(RejectReason::Decode, "not UTF-8"))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

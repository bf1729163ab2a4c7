//! Syslog: the header of RFC 5424 around a message, and its framing over TCP and TLS.
//!
//! **No BOM.** RFC 5424 §6.4 asks for one in front of UTF-8 (`MSG-UTF8`); without it the message is
//! `MSG-ANY`, which may be UTF-8 too. Receivers look for `CEF:` at its very beginning and mostly do not
//! know the mark, so it is left out.
//!
//! **No structured data.** An own element needs a registered enterprise number, and CEF tells all of it.

use crate::collect::time::{Timestamp, rfc3339};
use crate::deliver::notice::Notice;

/// `authpriv` of RFC 5424 §6.2.1: security messages.
pub const FACILITY_DEFAULT: u8 = 10;
/// The highest facility, `local7`.
pub const FACILITY_MAX: u8 = 23;
/// Characters of HOSTNAME.
const HOSTNAME_CHARS_MAX: usize = 255;
const APP_NAME: &str = "deskwarden";

/// How a syslog receiver is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syslog {
    /// 0–23.
    pub facility: u8,
    /// Name of this host.
    pub hostname: String,
}

/// The line of a message; `published` is the time of the record. MSGID tells what the revision did.
#[must_use]
pub fn line(notice: &Notice, message: &str, settings: &Syslog, published: Timestamp) -> String {
    let facility = settings.facility.min(FACILITY_MAX);
    let priority = u16::from(facility) * 8 + u16::from(notice.severity().syslog);
    let hostname = printable(&settings.hostname);
    let time = rfc3339(published);
    let id = notice.alert.activity.as_str();
    format!("<{priority}>1 {time} {hostname} {APP_NAME} - {id} - {message}")
}

/// The line as one frame: its length in bytes, a space, the line. RFC 5425 §4.3 and RFC 6587 §3.4.1.
#[must_use]
pub fn framed(line: &str) -> Vec<u8> {
    format!("{} {line}", line.len()).into_bytes()
}

/// PRINTUSASCII, or the nil value.
fn printable(name: &str) -> String {
    let plain = name.chars().filter(char::is_ascii_graphic);
    let plain: String = plain.take(HOSTNAME_CHARS_MAX).collect();
    if plain.is_empty() {
        "-".to_owned()
    } else {
        plain
    }
}

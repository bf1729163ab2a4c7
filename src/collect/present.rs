//! The words that systems write where there is nothing.

/// The text without white space at its ends, unless it is one of the words for "nothing".
#[must_use]
pub(super) fn present(text: &str) -> Option<&str> {
    const NOTHING: [&str; 9] = [
        "", "null", "unknown", "<null>", "?", "\"?\"", "-", "n/a", "none",
    ];
    let text = text.trim();
    let nothing = text.len() <= 7 && NOTHING.iter().any(|word| text.eq_ignore_ascii_case(word));
    (!nothing).then_some(text)
}

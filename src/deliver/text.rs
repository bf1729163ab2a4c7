//! Text of others made safe to show: one line, bounded, nothing that moves or hides letters.

/// What a cut text ends with.
const ELLIPSIS: char = '…';

/// One line without control, bidirectional and invisible characters, of at most `max` characters.
#[must_use]
pub fn line(text: &str, max: usize) -> String {
    let mut clean = String::with_capacity(text.len().min(max));
    // Cut on the way, so that a very long text costs no more than its beginning.
    for c in text.chars().filter_map(shown) {
        if c == ' ' && (clean.is_empty() || clean.ends_with(' ')) {
            continue;
        }
        clean.push(c);
        if clean.len() > (max + 1) * char::MAX.len_utf8() {
            break;
        }
    }
    clean.truncate(clean.trim_end().len());
    cut(&clean, max)
}

/// At most `max` characters. What is longer ends with an ellipsis; no character is taken apart from
/// what is joined to it.
#[must_use]
pub fn cut(text: &str, max: usize) -> String {
    let mut rest = text.chars().skip(max);
    let Some(mut next) = rest.next() else {
        return text.to_owned();
    };
    if max == 0 {
        return String::new();
    }
    let mut kept: Vec<char> = text.chars().take(max).collect();
    // The last place is the ellipsis'.
    next = kept.pop().unwrap_or(next);
    while joins(next) || kept.last().is_some_and(|last| *last == JOINER) {
        let Some(last) = kept.pop() else { break };
        next = last;
    }
    let kept: String = kept.into_iter().collect();
    let mut kept = kept.trim_end().to_owned();
    kept.push(ELLIPSIS);
    kept
}

/// At most `max` bytes, cut between characters.
#[must_use]
pub fn cut_bytes(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

const JOINER: char = '\u{200D}';

/// Whether a character belongs to the one before it.
const fn joins(c: char) -> bool {
    matches!(c,
        JOINER
        | '\u{0300}'..='\u{036F}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{20D0}'..='\u{20FF}'
        | '\u{1F3FB}'..='\u{1F3FF}')
}

/// A character as it is shown; none where it only steers the text.
fn shown(c: char) -> Option<char> {
    match c {
        '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        c if c.is_control() || hides(c) => None,
        c if c.is_whitespace() => Some(' '),
        c => Some(c),
    }
}

/// Direction marks, overrides and isolates, zero-width characters, tags, fillers.
const fn hides(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180E}'
        | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_line_of_what_can_be_seen() {
        let table = [
            ("a\r\n b\tc", "a b c"),
            ("\u{202E}evil\u{202C} \u{0}\u{7}x\u{1b}[31m", "evil x[31m"),
            ("  two\u{a0}\u{2028} words  ", "two words"),
            ("z\u{200B}e\u{FEFF}ro\u{E0041}", "zero"),
            ("می\u{200C}خواهم", "می\u{200C}خواهم"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(line(text, 100), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("abcd efgh", 6), "abcd…");
        assert_eq!(cut("ab", 0), "");
        assert_eq!(cut("ab", 1), "…");
        // A family and a letter with its accent stay whole or go whole.
        assert_eq!(cut("ab👨\u{200D}👩\u{200D}👧cd", 6), "ab…");
        assert_eq!(cut("abe\u{301}def", 4), "ab…");
        assert_eq!(cut("👍🏽👍🏽👍🏽", 4), "👍🏽…");
        let long = "ä".repeat(100_000);
        assert_eq!(line(&long, 120).chars().count(), 120);
        assert_eq!(cut_bytes("ää", 3), "ä");
        assert_eq!(cut_bytes("ää", 4), "ää");
    }
}

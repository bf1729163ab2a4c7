//! Segmentation: which parts of a text are the requester's own words.
//!
//! Turns of the desk, quoted replies, words in quotation marks, signatures, disclaimers and machine
//! templates are left out. The role the source gives wins; line prefixes (`Caller:`, `Agent:`)
//! decide where it gives none or where one text holds a whole conversation.

use std::ops::Range;

use super::Speaker;

/// Most turns of one text; further ones are not read.
pub(super) const MAX_TURNS: usize = 64;

/// Longest line prefix that can name a speaker, in bytes.
const MAX_LABEL: usize = 48;

/// Longest passage in quotation marks that is left out, in bytes.
const MAX_QUOTE: usize = 600;

/// Unclosed marks looked at in one turn, so that a text of marks stays cheap.
const MAX_UNCLOSED: u8 = 16;

/// Above this share in quotation marks the text is read all the same: the marks hide it.
const MAX_QUOTED_PCT: usize = 90;

/// Words that structure a text, of all languages, in lower case.
#[derive(Debug, Default)]
pub(super) struct Markers {
    /// Line prefixes of the requester.
    pub(super) requester: Vec<String>,
    /// Line prefixes of the desk.
    pub(super) agent: Vec<String>,
    /// Beginnings (or `beginning…end`) of texts no person wrote, or of notes of the desk.
    pub(super) templates: Vec<String>,
    /// Beginnings (or `beginning…end`) of a line after which nothing is the requester's own.
    pub(super) closers: Vec<String>,
}

/// The requester's words of one turn, as byte ranges of the text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    /// In order, without overlap.
    pub(super) parts: Vec<Range<usize>>,
}

/// The requester turns of a text, and whether some were left unread.
pub(super) fn requester_turns(text: &str, role: Speaker, markers: &Markers) -> (Vec<Turn>, bool) {
    if matches!(role, Speaker::Agent | Speaker::System) {
        return (Vec::new(), false);
    }
    let mut turns: Vec<Turn> = Vec::new();
    let (mut own, mut open, mut at) = (true, false, 0);
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let trimmed = line.trim();
        let lower = trimmed.chars().take(200).collect::<String>().to_lowercase();
        if role == Speaker::Unknown && turns.is_empty() && any_matches(&markers.templates, &lower) {
            return (Vec::new(), false);
        }
        if matches!(trimmed, "--" | "—" | "___") || any_matches(&markers.closers, &lower) {
            break;
        }
        if trimmed.starts_with('>') || trimmed.starts_with('|') {
            continue;
        }
        let mut from = start;
        if let Some((speaker, body)) = prefix(line, markers) {
            (own, open, from) = (speaker == Speaker::Requester, false, start + body);
        }
        if !own || trimmed.is_empty() {
            continue;
        }
        if !open {
            if turns.len() >= MAX_TURNS {
                return (turns, true);
            }
            turns.push(Turn::default());
            open = true;
        }
        if let Some(turn) = turns.last_mut() {
            extend(&mut turn.parts, from..at);
        }
    }
    for turn in &mut turns {
        turn.parts = without_quotes(text, &turn.parts);
    }
    (turns, false)
}

/// Adds a line, joined with the one before it where they touch.
fn extend(parts: &mut Vec<Range<usize>>, line: Range<usize>) {
    match parts.last_mut() {
        Some(last) if last.end == line.start => last.end = line.end,
        _ => parts.push(line),
    }
}

/// Speaker a line names, and where its words begin.
fn prefix(line: &str, markers: &Markers) -> Option<(Speaker, usize)> {
    let (at, colon) = line
        .char_indices()
        .take_while(|(at, _)| *at <= MAX_LABEL)
        .find(|(_, char)| matches!(char, ':' | '：'))?;
    let label = line.get(..at)?.to_lowercase();
    let label = label.split(['(', '[']).next().unwrap_or_default().trim();
    let label = label.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let body = at + colon.len_utf8();
    if markers.requester.iter().any(|name| name == label) {
        Some((Speaker::Requester, body))
    } else if markers.agent.iter().any(|name| name == label) {
        Some((Speaker::Agent, body))
    } else {
        None
    }
}

/// One of the patterns, `beginning` or `beginning…end`, fits the line.
fn any_matches(patterns: &[String], line: &str) -> bool {
    !line.is_empty()
        && patterns
            .iter()
            .any(|pattern| match pattern.split_once('…') {
                Some((begin, end)) => line.starts_with(begin) && line.ends_with(end),
                None => line.starts_with(pattern.as_str()),
            })
}

/// The parts without what stands in quotation marks.
fn without_quotes(text: &str, parts: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut kept = Vec::new();
    let mut tries = MAX_UNCLOSED;
    let (mut total, mut left) = (0, 0);
    for part in parts {
        let mut from = part.start;
        total += part.len();
        while let Some(quote) = next_quote(text, from..part.end, &mut tries) {
            if quote.start > from {
                kept.push(from..quote.start);
                left += quote.start - from;
            }
            from = quote.end;
        }
        if from < part.end {
            kept.push(from..part.end);
            left += part.end - from;
        }
    }
    if total.saturating_sub(left) * 100 > total * MAX_QUOTED_PCT {
        parts.to_vec()
    } else {
        kept
    }
}

/// The first closed quotation in a range, with its marks.
fn next_quote(text: &str, range: Range<usize>, tries: &mut u8) -> Option<Range<usize>> {
    let piece = text.get(range.clone())?;
    let mut before = ' ';
    for (at, char) in piece.char_indices() {
        let after = piece.get(at + char.len_utf8()..)?;
        let begins = !before.is_alphanumeric() && after.starts_with(|c: char| !c.is_whitespace());
        before = char;
        let closing: &[char] = match char {
            '"' => &['"'],
            '“' => &['”', '“'],
            '„' => &['“', '”', '"'],
            '«' => &['»'],
            '»' => &['«'],
            '「' => &['」'],
            '\'' | '‘' if begins => &['\'', '’'],
            _ => continue,
        };
        if let Some(end) = closing_mark(after, closing) {
            let start = range.start + at;
            return Some(start..start + char.len_utf8() + end);
        }
        *tries = tries.checked_sub(1)?;
    }
    None
}

/// Bytes up to and with the closing mark.
fn closing_mark(after: &str, closing: &[char]) -> Option<usize> {
    let single = closing.contains(&'\'');
    let mut before = ' ';
    for (at, char) in after.char_indices().take_while(|(at, _)| *at < MAX_QUOTE) {
        let end = at + char.len_utf8();
        let follows = after.get(end..).and_then(|rest| rest.chars().next());
        let ends = !before.is_whitespace() && !follows.is_some_and(char::is_alphanumeric);
        if closing.contains(&char) && (!single || ends) {
            return Some(end);
        }
        before = char;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(text: &str, role: Speaker) -> Vec<String> {
        let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        let markers = Markers {
            requester: list(&["caller", "appelant", "発信者"]),
            agent: list(&["agent"]),
            templates: list(&["[automated"]),
            closers: list(&["on …wrote:", "sent from my"]),
        };
        let (turns, _) = requester_turns(text, role, &markers);
        turns
            .iter()
            .map(|turn| {
                let parts: Vec<&str> = turn
                    .parts
                    .iter()
                    .map(|p| text.get(p.clone()).unwrap())
                    .collect();
                parts.join("|").trim().to_owned()
            })
            .collect()
    }

    #[test]
    fn only_requester_turns_are_kept() {
        let text =
            "Agent: hello\nCaller: hi\nthere\nAgent (10:42): yes\nAppelant : bon\n発信者：はい";
        assert_eq!(own(text, Speaker::Unknown), ["hi\nthere", "bon", "はい"]);
        assert!(own(text, Speaker::Agent).is_empty());
        assert!(own("reset it", Speaker::System).is_empty());
        assert_eq!(own("Note: reset it", Speaker::Unknown), ["Note: reset it"]);
    }

    #[test]
    fn foreign_words_are_dropped() {
        assert_eq!(
            own("hi\n> now\nOn Monday X wrote:\nnow", Speaker::Unknown),
            ["hi"]
        );
        assert_eq!(own("hi\n--\nJoe", Speaker::Requester), ["hi"]);
        assert!(own("[Automated] now", Speaker::Unknown).is_empty());
        assert_eq!(own("[Automated] now", Speaker::Requester).len(), 1);
    }

    #[test]
    fn quotations_are_dropped_but_do_not_hide_everything() {
        for text in [
            "If they say \"now\" stop",
            "If they say „now“ stop",
            "If they say « now » stop",
            "If they say 'do it now' stop",
        ] {
            assert_eq!(
                own(text, Speaker::Unknown),
                ["If they say | stop"],
                "{text}"
            );
        }
        assert_eq!(
            own("\"reset it now\"", Speaker::Unknown),
            ["\"reset it now\""]
        );
        let text = "I don't think y'all can't open \"this";
        assert_eq!(own(text, Speaker::Unknown), [text]);
    }
}

//! Rust source as the rules of the house read it: without comments, strings and test modules.

/// A file of the tree: its path from the root, with `/`, and its text.
#[derive(Debug, Clone)]
pub struct File {
    pub path: String,
    pub text: String,
}

impl File {
    pub fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// True for the files of `folder` and for the module file beside it.
    pub fn is_under(&self, folder: &str) -> bool {
        self.path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
    }

    /// The text before the test module at its end; nothing of a file that holds only tests.
    pub fn production(&self) -> &str {
        if self.path.ends_with("/tests.rs") || self.path.contains("/tests/") {
            return "";
        }
        let mut offset = 0;
        let mut attribute = None;
        for line in self.text.split_inclusive('\n') {
            let code = line.trim();
            if code == "#[cfg(test)]" {
                attribute = Some(offset);
            } else if code.starts_with("mod ") && code.ends_with('{') {
                if let Some(start) = attribute {
                    return &self.text[..start];
                }
            } else if !code.starts_with("#[") {
                attribute = None;
            }
            offset += line.len();
        }
        &self.text
    }

    /// The production part without comments and the content of strings; lines stay where they are.
    pub fn code(&self) -> String {
        strip(self.production(), Strings::Blank)
    }
}

/// What [`strip`] does with the content of string literals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strings {
    Keep,
    Blank,
}

/// Takes comments out of Rust source. Newlines stay, so that line numbers do.
pub fn strip(text: &str, strings: Strings) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let (length, shown) = match rest {
            ['/', '/', ..] => (line_comment(rest), false),
            ['/', '*', ..] => (block_comment(rest), false),
            ['"', ..] => (quoted(rest), strings == Strings::Keep),
            ['\'', ..] => (character(rest), true),
            ['r', '"' | '#', ..] if !ends_in_word(&chars[..at]) => {
                (raw_string(rest), strings == Strings::Keep)
            }
            _ => (1, true),
        };
        let token = &rest[..length.clamp(1, rest.len())];
        out.extend(token.iter().filter(|c| shown || **c == '\n'));
        at += token.len();
    }
    out
}

/// True if the text ends in a word, so that an `r` after it opens no raw string. `b` and `c` alone
/// are prefixes of one.
fn ends_in_word(before: &[char]) -> bool {
    let word: String = before.iter().rev().take_while(|c| is_word(**c)).collect();
    !matches!(word.as_str(), "" | "b" | "c")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn line_comment(text: &[char]) -> usize {
    text.iter().position(|c| *c == '\n').unwrap_or(text.len())
}

fn block_comment(text: &[char]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        match &text[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(text: &[char]) -> usize {
    let mut at = 1;
    while at < text.len() && text[at] != '"' {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// A character literal, or only the quote of a lifetime.
fn character(text: &[char]) -> usize {
    match text {
        ['\'', '\\', rest @ ..] => {
            // The character after the backslash may itself be a quote.
            rest.iter()
                .skip(1)
                .position(|c| *c == '\'')
                .map_or(1, |end| end + 4)
        }
        ['\'', _, '\'', ..] => 3,
        _ => 1,
    }
}

/// A raw string, or only the `r` of a raw identifier.
fn raw_string(text: &[char]) -> usize {
    let hashes = text.iter().skip(1).take_while(|c| **c == '#').count();
    if text.get(1 + hashes) != Some(&'"') {
        return 1;
    }
    let mut end = vec!['"'];
    end.resize(1 + hashes, '#');
    let body = &text[2 + hashes..];
    body.windows(end.len())
        .position(|window| *window == end)
        .map_or(text.len(), |at| 2 + hashes + at + end.len())
}

/// The words of a line: identifiers and keywords.
pub fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !is_word(c))
        .filter(|word| !word.is_empty())
}

/// The first segments of the paths below `root` (`crate`, `std`, …), each with its line number:
/// `root::a::b` and `root::{a::b, c}` alike.
pub fn heads<'a>(code: &'a str, root: &str) -> Vec<(usize, &'a str)> {
    let start = format!("{root}::");
    let mut found = Vec::new();
    for (at, _) in code.match_indices(&start) {
        if code[..at].ends_with(is_word) {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let path = &code[at + start.len()..];
        let members = path.strip_prefix('{').map_or_else(|| vec![path], group);
        found.extend(
            members
                .iter()
                .filter_map(|member| Some((line, words(member).next()?))),
        );
    }
    found
}

/// The members of a `{…}` group whose opening brace was already read.
fn group(text: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0, 0);
    let mut members = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                members.push(&text[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                members.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    members
}

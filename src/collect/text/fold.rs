//! Folding: what two spellings of one word have in common, with the way back to the original.
//!
//! NFKC equivalents and Latin accents fall together, format characters go, case goes; lookalikes
//! of other scripts are undone only in words that mix scripts, spaced letters are joined and leet
//! is undone only inside words. The result is one string of words with single spaces around them;
//! each [`Token`] knows the bytes of the original it stands for.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

/// What follows an English apostrophe and belongs to the word before it.
const CONTRACTIONS: [&str; 7] = ["t", "s", "re", "ve", "ll", "d", "m"];

/// Spaced single letters are joined from this many on.
const JOIN_FROM: usize = 3;

/// One word, or a full stop between sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// First byte in the folded text.
    pub(super) at: usize,
    /// Bytes of the original.
    pub(super) source: Range<usize>,
    /// A comma, colon or line break stands before it.
    pub(super) clause: bool,
    /// It ends a sentence; no phrase reaches across.
    pub(super) stop: bool,
}

/// A folded piece of text: ` word word . word `.
#[derive(Debug, Default)]
pub(super) struct Folded {
    /// The words, each between two spaces.
    pub(super) text: String,
    /// The words in order.
    pub(super) tokens: Vec<Token>,
    /// Characters changed by undoing lookalikes, spacing and leet.
    pub(super) changed: usize,
    /// Characters of all words.
    pub(super) chars: usize,
}

impl Folded {
    /// Share of the characters that had been disguised, in percent.
    pub(super) fn obfuscation_pct(&self) -> usize {
        (self.changed * 100)
            .checked_div(self.chars)
            .unwrap_or_default()
    }

    /// Index of the token that holds this byte of the folded text.
    pub(super) fn token_at(&self, byte: usize) -> Option<usize> {
        self.tokens
            .partition_point(|token| token.at <= byte)
            .checked_sub(1)
    }

    /// Folded word of a token.
    pub(super) fn word(&self, index: usize) -> &str {
        self.tokens
            .get(index)
            .and_then(|token| self.text.get(token.at..))
            .and_then(|rest| rest.split(' ').next())
            .unwrap_or_default()
    }
}

/// Folds the given parts of a text. A full stop separates two parts.
pub(super) fn fold(text: &str, parts: &[Range<usize>]) -> Folded {
    let mut folder = Folder::default();
    for part in parts {
        if let Some(piece) = text.get(part.clone()) {
            folder.piece(piece, part.start);
        }
        folder.stop(part.end);
    }
    folder.join()
}

/// One character on its way: where it came from and what it is now.
#[derive(Debug, Clone, Copy)]
struct Letter {
    from: usize,
    to: usize,
    char: char,
}

/// A word before the joining pass; `range` lies in [`Folder::words`].
#[derive(Debug)]
struct Draft {
    range: Range<usize>,
    source: Range<usize>,
    clause: bool,
    stop: bool,
}

#[derive(Debug, Default)]
struct Folder {
    words: String,
    drafts: Vec<Draft>,
    word: Vec<Letter>,
    clause: bool,
    changed: usize,
    chars: usize,
}

impl Folder {
    fn piece(&mut self, piece: &str, base: usize) {
        let mut rest = piece;
        while let Some(char) = rest.chars().next() {
            let from = base + piece.len() - rest.len();
            if self.word.is_empty()
                && let Some((word, after)) = plain_word(rest)
            {
                self.plain(word, from);
                rest = after;
                continue;
            }
            let to = from + char.len_utf8();
            let after = rest.get(char.len_utf8()..).unwrap_or_default();
            rest = after;
            if char.is_ascii() || is_apostrophe(char) || is_unspaced(char) {
                self.take(Letter { from, to, char }, after);
            } else if !is_format(char) {
                for char in std::iter::once(char).nfkd() {
                    self.take(Letter { from, to, char }, after);
                }
            }
        }
        self.flush();
    }

    /// A word of nothing but ASCII letters, as most are: nothing in it is undone.
    fn plain(&mut self, word: &str, from: usize) {
        let start = self.words.len();
        self.words
            .extend(word.chars().map(|c| c.to_ascii_lowercase()));
        self.chars += word.len();
        self.drafts.push(Draft {
            range: start..self.words.len(),
            source: from..from + word.len(),
            clause: std::mem::take(&mut self.clause),
            stop: false,
        });
    }

    fn take(&mut self, letter: Letter, after: &str) {
        match letter.char {
            '\u{300}'..='\u{36f}' => {
                if let Some(last) = self.word.last_mut() {
                    last.to = letter.to;
                }
            }
            char if is_apostrophe(char) => {
                if !self.word.is_empty() {
                    self.word.push(Letter {
                        char: '\'',
                        ..letter
                    });
                }
            }
            '$' => self.word.push(letter),
            '@' if !self.word.is_empty() && !is_address(after) => self.word.push(letter),
            char if is_unspaced(char) => {
                self.flush();
                self.word.push(letter);
                self.flush();
            }
            char if char.is_alphanumeric() || is_combining_mark(char) => self.word.push(letter),
            '.' if after.chars().next().is_some_and(char::is_alphanumeric) => self.flush(),
            '.' | '!' | '?' | ';' | '…' | '。' | '।' => {
                self.flush();
                self.stop(letter.from);
            }
            ',' | ':' | '(' | ')' | '\n' | '、' | '–' | '—' => {
                self.flush();
                self.clause = true;
            }
            _ => self.flush(),
        }
    }

    fn stop(&mut self, at: usize) {
        self.flush();
        if self.drafts.last().is_some_and(|last| !last.stop) {
            let start = self.words.len();
            self.words.push('.');
            self.drafts.push(Draft {
                range: start..self.words.len(),
                source: at..at,
                clause: true,
                stop: true,
            });
        }
        self.clause = true;
    }

    /// Ends the word: splits it at apostrophes, except before an English contraction.
    fn flush(&mut self) {
        if self.word.is_empty() {
            return;
        }
        let word = std::mem::take(&mut self.word);
        let mut current: Vec<Letter> = Vec::with_capacity(word.len());
        for (index, part) in word.split(|letter| letter.char == '\'').enumerate() {
            let tail: String = part
                .iter()
                .take(3)
                .map(|l| l.char.to_ascii_lowercase())
                .collect();
            if index > 0 && !CONTRACTIONS.contains(&tail.as_str()) {
                self.finish(&current);
                current.clear();
            }
            current.extend_from_slice(part);
        }
        self.finish(&current);
    }

    fn finish(&mut self, letters: &[Letter]) {
        let has_letter = letters.iter().any(|l| l.char.is_alphanumeric());
        let (Some(first), Some(last), true) = (letters.first(), letters.last(), has_letter) else {
            return;
        };
        let start = self.words.len();
        let mixed = letters.iter().any(|l| l.char.is_ascii_alphabetic())
            && letters.iter().any(|l| is_lookalike_script(l.char));
        let latin = letters
            .iter()
            .filter(|l| l.char.is_ascii_alphabetic())
            .count();
        for (index, letter) in letters.iter().enumerate() {
            let (head, tail) = letters.split_at(index);
            let plain = if mixed && is_lookalike_script(letter.char) {
                unmask(letter.char)
            } else if letter.char == 'I' && between_small(head, tail) {
                Some('l')
            } else if latin >= 3 && inside(head, tail) {
                unleet(letter.char)
            } else {
                None
            };
            self.changed += usize::from(plain.is_some());
            self.chars += 1;
            match plain.unwrap_or(letter.char) {
                '$' | '@' => {}
                'ß' | 'ẞ' => self.words.push_str("ss"),
                char => self.words.extend(char.to_lowercase()),
            }
        }
        self.drafts.push(Draft {
            range: start..self.words.len(),
            source: first.from..last.to,
            clause: std::mem::take(&mut self.clause),
            stop: false,
        });
    }

    /// Joins runs of single letters and writes the folded text.
    fn join(self) -> Folded {
        let mut out = Folded {
            text: String::with_capacity(self.words.len() + self.drafts.len() + 2),
            tokens: Vec::with_capacity(self.drafts.len()),
            changed: self.changed,
            chars: self.chars,
        };
        out.text.push(' ');
        let mut rest = self.drafts.as_slice();
        while let Some((first, after)) = rest.split_first() {
            let run = rest
                .iter()
                .take_while(|d| self.single(d) && (!d.clause || std::ptr::eq(*d, first)))
                .count();
            let take = if run >= JOIN_FROM { run } else { 1 };
            let (joined, left) = rest.split_at_checked(take).unwrap_or((&[], after));
            let at = out.text.len();
            for draft in joined {
                out.text
                    .push_str(self.words.get(draft.range.clone()).unwrap_or_default());
            }
            out.text.push(' ');
            if take > 1 {
                out.changed += take;
            }
            out.tokens.push(Token {
                at,
                source: first.source.start
                    ..joined.last().map_or(first.source.end, |d| d.source.end),
                clause: first.clause,
                stop: first.stop,
            });
            rest = left;
        }
        out
    }

    fn single(&self, draft: &Draft) -> bool {
        self.words
            .get(draft.range.clone())
            .is_some_and(|w| w.len() == 1 && w.bytes().all(|b| b.is_ascii_alphabetic()))
    }
}

/// The word of ASCII letters at the front of a text, with what follows; none where what follows may
/// belong to it, or where an `I` inside may be an `l`.
fn plain_word(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let letters = bytes.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let ends = bytes.get(letters).is_none_or(|next| {
        next.is_ascii() && !next.is_ascii_alphanumeric() && !b"'`$@".contains(next)
    });
    let (word, after) = text.split_at_checked(letters)?;
    let is_plain = letters > 0 && ends && !word.bytes().skip(1).any(|b| b == b'I');
    is_plain.then_some((word, after))
}

fn is_apostrophe(char: char) -> bool {
    matches!(char, '\'' | '’' | '‘' | 'ʼ' | '´' | '`' | '＇')
}

/// Format and other invisible characters.
fn is_format(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Scripts written without spaces: every character is a token of its own.
fn is_unspaced(char: char) -> bool {
    matches!(char, '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// Scripts whose letters pass for Latin ones.
fn is_lookalike_script(char: char) -> bool {
    matches!(char, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}' | '\u{530}'..='\u{58f}'
        | '\u{13a0}'..='\u{13ff}')
}

fn unmask(char: char) -> Option<char> {
    let mut buffer = [0; 4];
    let text: &str = char.encode_utf8(&mut buffer);
    skeleton(text).next().filter(char::is_ascii_alphabetic)
}

fn unleet(char: char) -> Option<char> {
    Some(match char {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        _ => return None,
    })
}

/// A letter stands on both sides: `r3set`, but not `win10` or `2fa`.
fn inside(head: &[Letter], tail: &[Letter]) -> bool {
    let alphabetic = |l: &Letter| l.char.is_alphabetic();
    head.iter().any(alphabetic) && tail.iter().skip(1).any(alphabetic)
}

/// A capital I between small letters passes for an l.
fn between_small(head: &[Letter], tail: &[Letter]) -> bool {
    head.last().is_some_and(|l| l.char.is_lowercase())
        && tail.get(1).is_some_and(|l| l.char.is_lowercase())
}

/// What follows an `@` looks like the rest of an address.
fn is_address(after: &str) -> bool {
    after
        .chars()
        .take(64)
        .take_while(|c| !c.is_whitespace())
        .any(|c| c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str) -> Folded {
        fold(text, std::slice::from_ref(&(0..text.len())))
    }

    fn words(text: &str) -> String {
        folded(text).text.trim().trim_end_matches(" .").to_owned()
    }

    #[test]
    fn spellings_fall_together() {
        assert_eq!(
            words("Réinitialisez-le, s'il vous plaît"),
            "reinitialisez le s il vous plait"
        );
        assert_eq!(words("DON’T call — Straße ﬁle"), "dont call strasse file");
        assert_eq!(words("ＭＦＡ"), "mfa");
        assert_eq!(words("pass\u{200b}word"), "password");
        assert_eq!(words("今すぐ"), "今 す ぐ");
    }

    #[test]
    fn disguises_are_undone_and_counted() {
        assert_eq!(
            words("pIease r3set my pa$$w0rd a.s.a.p"),
            "please reset my password asap"
        );
        assert_eq!(words("s k i p it"), "skip it");
        assert_eq!(words("rеsеt"), "reset", "Cyrillic e");
        assert!(folded("rеsеt").obfuscation_pct() >= 40);
        assert_eq!(words("привет"), "привет", "one script is left alone");
        assert_eq!(words("2fa SEV1 win10 7 7 0 2"), "2fa sev1 win10 7 7 0 2");
        assert_eq!(folded("nothing odd here").obfuscation_pct(), 0);
    }

    /// Folds character by character.
    fn slowly(text: &str) -> Folded {
        let mut folder = Folder::default();
        for (at, char) in text.char_indices() {
            let (from, to) = (at, at + char.len_utf8());
            folder.take(Letter { from, to, char }, text.get(to..).unwrap());
        }
        folder.stop(text.len());
        folder.join()
    }

    proptest! {
        #[test]
        fn plain_words_fold_as_all_others_do(text in "[a-eIlS0-4'`$@ .,!:\\-\n]{0,60}") {
            let (quick, slow) = (folded(&text), slowly(&text));
            prop_assert_eq!(&quick.text, &slow.text);
            prop_assert_eq!(quick.tokens, slow.tokens);
            prop_assert_eq!((quick.changed, quick.chars), (slow.changed, slow.chars));
        }
    }

    #[test]
    fn tokens_point_into_the_original() {
        let text = "é 🙏 Größe… s k i p";
        let out = folded(text);
        let sources: Vec<&str> = out
            .tokens
            .iter()
            .map(|t| text.get(t.source.clone()).unwrap())
            .collect();
        assert_eq!(sources, ["é", "Größe", "", "s k i p", ""]);
    }
}

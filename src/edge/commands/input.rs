//! Files of JSON as people keep them — lines, one array, one document after the other, gzip — taken
//! apart into record values, each with the line on which it begins.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::de::IgnoredAny;

use crate::collect::time::Timestamp;
use crate::edge::clock;
use crate::edge::commands::CommandError;

/// 2000-01-01: a modification time before it is that of an archive without times.
const OLDEST: Timestamp = Timestamp(946_684_800_000);

/// A file, unpacked.
#[derive(Debug)]
pub struct Input {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// When it was last written; for standard input, now.
    pub written: Timestamp,
}

/// One record value of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk<'b> {
    /// Line on which it begins, from 1.
    pub line: usize,
    /// Line on which its record begins: that of the array, for an item of one.
    pub record_line: usize,
    /// The value.
    pub bytes: &'b [u8],
    /// An item of the array that is the whole file: its items are counted on.
    pub continues: bool,
}

impl Input {
    /// Reads a file, or standard input for `-`. Gzip is told by its first bytes, so a name without
    /// `.gz` is no matter.
    ///
    /// # Errors
    /// `Read` and `Unpack`.
    pub fn read(path: &Path) -> Result<Self, CommandError> {
        let fault = |cause| CommandError::Read {
            path: path.to_owned(),
            cause,
        };
        let mut bytes = Vec::new();
        let mut written = clock::now();
        if path.as_os_str() == "-" {
            std::io::stdin().read_to_end(&mut bytes).map_err(fault)?;
        } else {
            let mut file = std::fs::File::open(path).map_err(fault)?;
            if let Some(moment) = modified(&file) {
                written = moment;
            }
            file.read_to_end(&mut bytes).map_err(fault)?;
        }
        if bytes.starts_with(&[0x1f, 0x8b]) {
            bytes = unpack(&bytes).map_err(|cause| CommandError::Unpack {
                path: path.to_owned(),
                cause,
            })?;
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        Ok(Self { bytes, written })
    }

    /// The record values of the file.
    #[must_use]
    pub fn chunks(&self) -> Vec<Chunk<'_>> {
        let whole = self.bytes.trim_ascii();
        if whole.starts_with(b"[") && document(whole) == Some(whole.len()) {
            let items = array_items(&self.bytes);
            if !items.is_empty() {
                return items;
            }
        }
        documents(&self.bytes)
    }
}

fn modified(file: &std::fs::File) -> Option<Timestamp> {
    let moment = file.metadata().ok()?.modified().ok()?;
    let since = moment.duration_since(std::time::UNIX_EPOCH).ok()?;
    let moment = Timestamp(i64::try_from(since.as_millis()).ok()?);
    (moment > OLDEST).then_some(moment)
}

fn unpack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

/// Bytes of the JSON document with which a text begins.
fn document(text: &[u8]) -> Option<usize> {
    let mut stream = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    stream.next()?.ok()?;
    Some(stream.byte_offset())
}

/// Whether an object or array begins here.
fn opens(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'{' | b'['))
}

/// A place in a text that knows its line.
struct Cursor<'b> {
    rest: &'b [u8],
    line: usize,
}

impl<'b> Cursor<'b> {
    const fn new(text: &'b [u8]) -> Self {
        Self {
            rest: text,
            line: 1,
        }
    }

    fn take(&mut self, bytes: usize) -> &'b [u8] {
        let (head, tail) = self.rest.split_at(bytes.min(self.rest.len()));
        self.line += head.iter().filter(|byte| **byte == b'\n').count();
        self.rest = tail;
        head
    }

    fn skip_blanks(&mut self) {
        let blanks = self.rest.len() - self.rest.trim_ascii_start().len();
        self.take(blanks);
    }

    fn line_bytes(&self) -> usize {
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        end.unwrap_or(self.rest.len())
    }

    /// Takes a document; with it what else stands on its last line and begins no other one.
    fn take_document(&mut self, bytes: usize) -> &'b [u8] {
        let all = self.rest;
        let mut taken = self.take(bytes).len();
        let behind = self.line_bytes();
        let garbage = self.rest.get(..behind).unwrap_or_default().trim_ascii();
        if !garbage.is_empty() && !opens(garbage) {
            taken += self.take(behind).len();
        }
        all.get(..taken).unwrap_or(all).trim_ascii_end()
    }

    /// Takes what is no document: its line, and of a broken document of several lines the rest.
    fn take_broken(&mut self) -> &'b [u8] {
        let all = self.rest;
        let mut taken = self.take(self.line_bytes()).len();
        while opens(all) && matches!(self.rest.get(1), Some(b' ' | b'\t' | b'}' | b']' | b'"')) {
            taken += self.take(1).len();
            taken += self.take(self.line_bytes()).len();
        }
        all.get(..taken).unwrap_or(all).trim_ascii_end()
    }
}

/// Documents one after the other, on lines of their own or not. What is none is a record, too, so
/// that it is refused with its line.
fn documents(text: &[u8]) -> Vec<Chunk<'_>> {
    let mut found = Vec::new();
    let mut cursor = Cursor::new(text);
    loop {
        cursor.skip_blanks();
        if cursor.rest.is_empty() {
            return found;
        }
        let line = cursor.line;
        let bytes = match document(cursor.rest) {
            // A number or word is part of a broken line.
            Some(bytes) if opens(cursor.rest) => cursor.take_document(bytes),
            Some(_) | None => cursor.take_broken(),
        };
        found.push(Chunk {
            line,
            record_line: line,
            bytes,
            continues: false,
        });
    }
}

/// The items of the array that a text is; none where it is empty.
fn array_items(text: &[u8]) -> Vec<Chunk<'_>> {
    let mut found: Vec<Chunk<'_>> = Vec::new();
    let mut cursor = Cursor::new(text);
    cursor.skip_blanks();
    let record_line = cursor.line;
    cursor.take(1);
    loop {
        cursor.skip_blanks();
        if cursor.rest.first() == Some(&b',') {
            cursor.take(1);
            cursor.skip_blanks();
        }
        let line = cursor.line;
        let Some(bytes) = item(cursor.rest) else {
            return found;
        };
        found.push(Chunk {
            line,
            record_line,
            bytes: cursor.take(bytes),
            continues: !found.is_empty(),
        });
    }
}

/// Bytes of the array item with which a text begins. Scalars end where the item does, not the text.
fn item(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b']' => None,
        b'{' | b'[' | b'"' => document(text),
        _ => text.iter().position(|b| b",] \t\r\n".contains(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(usize, String)> {
        let input = Input {
            bytes: text.as_bytes().to_vec(),
            written: Timestamp(1),
        };
        let chunks = input.chunks().into_iter();
        chunks
            .map(|c| (c.line, String::from_utf8(c.bytes.to_vec()).unwrap()))
            .collect()
    }

    fn lines(text: &str) -> Vec<usize> {
        shown(text).iter().map(|(line, _)| *line).collect()
    }

    #[test]
    fn every_form_of_file_is_taken_apart() {
        assert_eq!(lines("{\"a\":1}\n\n{\"a\":2}\r\n"), [1, 3]);
        assert_eq!(lines("{\"a\":1}{\"a\":2} {\n\"a\":3\n}\n{}"), [1, 1, 1, 4]);
        assert_eq!(lines("{\n  \"a\": {\n    \"b\": 1\n  }\n}\n"), [1]);
        assert_eq!(lines("[1,\n {\"a\":[]},\n\"x,]\" , null]\n"), [1, 2, 3, 3]);
        assert_eq!(lines("[]"), [1]);
        assert_eq!(lines("[{}]\n[{}]\n"), [1, 2]);
        assert_eq!(lines(" \n"), [0; 0]);
    }

    #[test]
    fn what_is_broken_is_a_record_of_its_own() {
        assert_eq!(lines("{\"a\":1}\n{\"a\":\n{\"a\":2}\n"), [1, 2, 3]);
        assert_eq!(
            lines("{\"a\":1}\nno json\nneither\n{\"a\":2}"),
            [1, 2, 3, 4]
        );
        let pretty = "{\n  \"a\": 1,\n  \"b\": oops\n}\n{\"a\":2}";
        let found = shown(pretty);
        assert_eq!(found.len(), 2);
        assert!(found[0].1.ends_with('}'));
        assert_eq!(found[1].0, 5);
        assert_eq!(lines("{\"a\":1} trailing\n{}"), [1, 2]);
    }
}

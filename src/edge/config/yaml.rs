//! YAML read event by event into the tree of a configuration: scalars stay the text they are, and
//! every value and key gets its place.

use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::fault::Fault;
use super::node::{Entry, FileText, Node, Origin, Place, Value};

/// Deepest nesting of a configuration; ours has five levels.
const DEPTH_MAX: usize = 32;

impl Place {
    fn of(file: &Arc<FileText>, span: Span) -> Self {
        let one_line = span.start.line() == span.end.line();
        Self {
            file: Arc::clone(file),
            line: span.start.line(),
            column: span.start.col() + 1,
            width: if one_line { span.len().max(1) } else { 1 },
        }
    }
}

/// Reads one file of YAML. What is no YAML is its only fault; other faults leave the rest readable.
pub(super) fn load(file: &Arc<FileText>, faults: &mut Vec<Fault>) -> Option<Node> {
    let mut loader = Loader {
        file,
        parser: Parser::new_from_str(&file.text),
        faults: Vec::new(),
    };
    let root = loader.document();
    faults.append(&mut loader.faults);
    match root {
        Ok(root) => Some(root),
        Err(fault) => {
            faults.push(*fault);
            None
        }
    }
}

struct Loader<'f> {
    file: &'f Arc<FileText>,
    parser: Parser<'f, granit_parser::StrInput<'f>>,
    faults: Vec<Fault>,
}

impl<'f> Loader<'f> {
    fn place(&self, span: Span) -> Origin {
        Origin::File(Place::of(self.file, span))
    }

    /// The next event that is part of the data; comments are none.
    fn next(&mut self) -> Result<(Event<'f>, Span), Box<Fault>> {
        loop {
            match self.parser.next_event() {
                Some(Ok(next)) if is_data(&next.0) => return Ok(next),
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    let at = *error.marker();
                    let origin = self.place(Span::empty(at));
                    let remedy = "correct the YAML here or on the line before: quotes, brackets, \
                                  indentation by spaces";
                    return Err(Box::new(Fault::syntax(&origin, error.info(), remedy)));
                }
                None => return Ok((Event::StreamEnd, Span::default())),
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "an enum of the parser that may grow"
    )]
    fn document(&mut self) -> Result<Node, Box<Fault>> {
        let mut root = Node::empty(Origin::Default);
        let mut documents = 0;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::StreamStart | Event::DocumentEnd | Event::DocumentStart(..) => {}
                other => {
                    documents += 1;
                    if documents == 1 {
                        root = self.node(other, span, 0)?;
                        continue;
                    }
                    let origin = self.place(span);
                    let what = "a second document begins here".to_owned();
                    return Err(Box::new(Fault::syntax(
                        &origin,
                        what,
                        "write one document a file",
                    )));
                }
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "an enum of the parser that may grow"
    )]
    fn node(&mut self, event: Event<'f>, span: Span, depth: usize) -> Result<Node, Box<Fault>> {
        let origin = self.place(span);
        if depth > DEPTH_MAX {
            let what = format!("nested more than {DEPTH_MAX} levels deep");
            return Err(Box::new(Fault::syntax(&origin, what, "take levels out")));
        }
        let value = match event {
            Event::Scalar(text, style, ..) => scalar(&text, style),
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.map(depth)?,
            _ => {
                let what = "an alias of another value".to_owned();
                return Err(Box::new(Fault::syntax(
                    &origin,
                    what,
                    "write the value out",
                )));
            }
        };
        Ok(Node { value, origin })
    }

    fn list(&mut self, depth: usize) -> Result<Value, Box<Fault>> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::List(items));
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Box<Fault>> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Map(entries));
            }
            let key_origin = self.place(span);
            let Event::Scalar(key, ..) = event else {
                let what = "a key that is no text".to_owned();
                return Err(Box::new(Fault::syntax(
                    &key_origin,
                    what,
                    "write `name: value`",
                )));
            };
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth + 1)?;
            let key = key.into_owned();
            if entries.iter().any(|entry| entry.key == key) {
                let what = format!("`{key}` stands twice in this section");
                let remedy = "keep one of the two";
                self.faults.push(Fault::syntax(&key_origin, what, remedy));
                continue;
            }
            entries.push(Entry {
                key,
                key_origin,
                node,
            });
        }
    }
}

fn is_data(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Alias(_)
            | Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd
    )
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    let is_null = matches!(text, "" | "~" | "null" | "Null" | "NULL");
    if style == ScalarStyle::Plain && is_null {
        Value::Null
    } else {
        Value::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Option<Node>, Vec<Fault>) {
        let file = Arc::new(FileText {
            name: "a.yaml".to_owned(),
            text: text.to_owned(),
        });
        let mut faults = Vec::new();
        (load(&file, &mut faults), faults)
    }

    #[test]
    fn what_is_no_configuration_is_told_with_its_line() {
        for (text, line) in [
            ("a: [1\nb: 2\n", 2),
            ("a: 1\nb: 2: 3\n", 2),
            ("a: &x 1\nb: *x\n", 2),
            ("a: 1\n---\nb: 2\n", 3),
            ("? [a]\n: 1\n", 1),
        ] {
            let (root, faults) = parsed(text);
            assert_eq!((root, faults.len()), (None, 1), "{text}");
            assert_eq!(faults[0].line, line, "{text}");
        }
        let (root, faults) = parsed("a: 1\nb: 2\na: 3\n");
        assert!(root.is_some());
        assert_eq!((faults.len(), faults[0].line), (1, 3));
        let deep = format!("a: {}1{}", "[".repeat(60), "]".repeat(60));
        assert_eq!(parsed(&deep).1.len(), 1);
    }
}

//! How an event of the feed is written: as a Server-Sent Event, or as a line of JSON.

use super::place::Place;
use crate::edge::read_model::Revision;
use axum::body::Bytes;

/// How long a browser waits before it connects again, ms.
const RETRY_MS: u32 = 2_000;
/// What a frame has beside document and id.
const FRAME_HEAD_BYTES: usize = 64;

/// A form of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Server-Sent Events.
    Sse,
    /// A JSON document a line.
    Lines,
}

impl Format {
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::Lines => "application/x-ndjson",
        }
    }

    /// What a stream begins with.
    pub(crate) fn opening(self, from: &Place) -> Bytes {
        match self {
            Self::Sse => format!("retry: {RETRY_MS}\nid: {from}\n\n").into(),
            Self::Lines => Bytes::from_static(b"\n"),
        }
    }

    /// What a client gets when there is nothing to tell.
    pub(crate) const fn heartbeat(self) -> Bytes {
        Bytes::from_static(match self {
            Self::Sse => b": \n\n",
            Self::Lines => b"\n",
        })
    }

    /// A revision with the place behind it.
    pub(super) fn revision(self, revision: &Revision, behind: &Place) -> Bytes {
        let mut frame = Vec::new();
        self.write(&mut frame, revision, behind);
        frame.into()
    }

    /// Appends a revision with the place behind it.
    pub(super) fn write(self, frames: &mut Vec<u8>, revision: &Revision, behind: &Place) {
        let name = revision.alert.activity.as_str();
        self.frame(frames, (name, &behind.to_string()), &revision.document);
    }

    /// Something that lies before this place cannot be given here.
    pub(super) fn gap(self, resume: &Place) -> Bytes {
        let id = resume.to_string();
        let document = format!("{{\"resume\":\"{id}\"}}");
        let mut frame = Vec::new();
        self.frame(&mut frame, ("gap", &id), document.as_bytes());
        frame.into()
    }

    /// A document may hold line ends between its tokens, never within one.
    fn frame(self, frames: &mut Vec<u8>, (name, id): (&str, &str), document: &[u8]) {
        let lines = document.split(|byte| matches!(byte, b'\n' | b'\r'));
        frames.reserve(document.len() + id.len() + FRAME_HEAD_BYTES);
        match self {
            Self::Sse => {
                frames.extend_from_slice(format!("event: {name}\nid: {id}\n").as_bytes());
                for line in lines {
                    frames.extend_from_slice(b"data: ");
                    frames.extend_from_slice(line);
                    frames.push(b'\n');
                }
            }
            Self::Lines => {
                let head = format!("{{\"event\":\"{name}\",\"id\":\"{id}\",\"alert\":");
                frames.extend_from_slice(head.as_bytes());
                lines.for_each(|line| frames.extend_from_slice(line));
                frames.push(b'}');
            }
        }
        frames.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_keep_the_document_in_one_event() {
        let written = |format: Format, name: &str| {
            let mut frames = Vec::new();
            format.frame(&mut frames, (name, "0:1"), b"{\"a\":1,\r\n\"b\":2}");
            String::from_utf8(frames).unwrap()
        };
        assert_eq!(
            written(Format::Sse, "created"),
            "event: created\nid: 0:1\ndata: {\"a\":1,\ndata: \ndata: \"b\":2}\n\n"
        );
        assert_eq!(
            written(Format::Lines, "closed"),
            "{\"event\":\"closed\",\"id\":\"0:1\",\"alert\":{\"a\":1,\"b\":2}}\n"
        );
        assert_eq!(
            Format::Sse.gap(&"0:9".parse().unwrap()),
            "event: gap\nid: 0:9\ndata: {\"resume\":\"0:9\"}\n\n"
        );
    }
}

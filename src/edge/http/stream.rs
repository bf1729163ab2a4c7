//! `GET /api/v1/alerts/stream`: the live feed as Server-Sent Events, or as lines of JSON.

use super::access::{Caller, Peer};
use super::api::{Parameters, filter};
use super::feed::{Item, Place, Subscription};
use super::limits::StreamPlace;
use super::problem::Problem;
use super::serve::ApiParts;
use crate::edge::clock;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval_at};
use tokio_stream::Stream;

/// The header of a client that goes on; the answer has it too, with the place where it begins.
const LAST_EVENT_ID: &str = "last-event-id";
/// How long a browser waits before it connects again, ms.
const RETRY_MS: u32 = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Sse,
    Lines,
}

impl Format {
    fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter();
        let mut accepted = accepted.filter_map(|value| value.to_str().ok());
        if accepted.any(|value| value.contains("application/x-ndjson")) {
            Self::Lines
        } else {
            Self::Sse
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::Lines => "application/x-ndjson",
        }
    }

    fn opening(self, from: &Place) -> Vec<u8> {
        match self {
            Self::Sse => format!("retry: {RETRY_MS}\nid: {from}\n\n").into_bytes(),
            Self::Lines => b"\n".to_vec(),
        }
    }

    const fn heartbeat(self) -> &'static [u8] {
        match self {
            Self::Sse => b": \n\n",
            Self::Lines => b"\n",
        }
    }

    fn item(self, item: &Item) -> Vec<u8> {
        match item {
            Item::Revision(revision, id) => {
                let name = revision.alert.activity.as_str();
                self.frame(name, id, &revision.document)
            }
            Item::Gap(id) => self.gap(id),
        }
    }

    fn gap(self, id: &str) -> Vec<u8> {
        self.frame("gap", id, format!("{{\"resume\":\"{id}\"}}").as_bytes())
    }

    /// A document may hold line ends between its tokens, never within one.
    fn frame(self, name: &str, id: &str, document: &[u8]) -> Vec<u8> {
        let lines = document.split(|byte| matches!(byte, b'\n' | b'\r'));
        let mut frame = Vec::with_capacity(document.len() + id.len() + 64);
        match self {
            Self::Sse => {
                frame.extend_from_slice(format!("event: {name}\nid: {id}\n").as_bytes());
                for line in lines {
                    frame.extend_from_slice(b"data: ");
                    frame.extend_from_slice(line);
                    frame.push(b'\n');
                }
            }
            Self::Lines => {
                let head = format!("{{\"event\":\"{name}\",\"id\":\"{id}\",\"alert\":");
                frame.extend_from_slice(head.as_bytes());
                lines.for_each(|line| frame.extend_from_slice(line));
                frame.push(b'}');
            }
        }
        frame.push(b'\n');
        frame
    }
}

/// The body of an answer that does not end by itself.
#[derive(Debug)]
struct Frames {
    format: Format,
    opening: Option<Vec<u8>>,
    subscription: Subscription,
    heartbeat: Interval,
    has_ended: bool,
    /// Held as long as the stream is open.
    _place: Option<StreamPlace>,
}

impl Stream for Frames {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(opening) = self.opening.take() {
            return Poll::Ready(Some(Ok(opening.into())));
        }
        if self.has_ended {
            return Poll::Ready(None);
        }
        match self.subscription.queue.poll_recv(context) {
            Poll::Ready(Some(item)) => {
                self.heartbeat.reset();
                Poll::Ready(Some(Ok(self.format.item(&item).into())))
            }
            Poll::Ready(None) => {
                self.has_ended = true;
                // Too slow: everything that waited has been given, and this is where to go on.
                let cut = self.subscription.cut.get();
                Poll::Ready(cut.map(|id| Ok(self.format.gap(id).into())))
            }
            Poll::Pending => self
                .heartbeat
                .poll_tick(context)
                .map(|_| Some(Ok(Bytes::from_static(self.format.heartbeat())))),
        }
    }
}

/// The handler.
pub(super) async fn stream(
    State(parts): State<ApiParts>,
    Extension(peer): Extension<Peer>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let filter = filter(parameters)?;
    let place_taken = parts.gate.stream(&peer, &caller)?;
    let from = headers.get(LAST_EVENT_ID).map(place).transpose()?;
    let subscription = parts.feed.subscribe(filter, from);
    let subscription = subscription.map_err(|why| Problem::unavailable(why.to_string()))?;
    let format = Format::of(&headers);
    let begins = HeaderValue::from_str(&subscription.from.to_string());
    let frames = Frames {
        format,
        opening: Some(format.opening(&subscription.from)),
        subscription,
        heartbeat: beats(parts.heartbeat),
        has_ended: false,
        _place: place_taken,
    };
    let mut response = Response::new(Body::from_stream(frames));
    let answer = response.headers_mut();
    let content_type = HeaderValue::from_static(format.content_type());
    answer.insert(header::CONTENT_TYPE, content_type);
    answer.insert("x-accel-buffering", HeaderValue::from_static("no"));
    if let Ok(begins) = begins {
        answer.insert(LAST_EVENT_ID, begins);
    }
    Ok(response)
}

fn beats(every: Duration) -> Interval {
    let mut interval = interval_at((clock::monotonic() + every).into(), every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn place(value: &HeaderValue) -> Result<Place, Problem> {
    let place = value.to_str().ok().and_then(|text| text.parse().ok());
    place.ok_or_else(|| {
        Problem::parameters(vec![
            "Last-Event-ID: the id of an event of this stream".to_owned(),
        ])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_keep_the_document_in_one_event() {
        let document = b"{\"a\":1,\r\n\"b\":2}";
        let sse = Format::Sse.frame("created", "0:1", document);
        let sse = String::from_utf8(sse).unwrap();
        assert_eq!(
            sse,
            "event: created\nid: 0:1\ndata: {\"a\":1,\ndata: \ndata: \"b\":2}\n\n"
        );
        let line = Format::Lines.frame("closed", "0:1", document);
        let line = String::from_utf8(line).unwrap();
        assert_eq!(
            line,
            "{\"event\":\"closed\",\"id\":\"0:1\",\"alert\":{\"a\":1,\"b\":2}}\n"
        );
        assert_eq!(
            Format::Sse.gap("0:9"),
            b"event: gap\nid: 0:9\ndata: {\"resume\":\"0:9\"}\n\n"
        );
    }
}

//! `GET /api/v1/alerts/stream`: the live feed as Server-Sent Events, or as lines of JSON.

use super::access::{Caller, Peer};
use super::api::{Parameters, filter};
use super::feed::{Format, Place, Subscription, Wish};
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

/// The form that a client asks for.
fn format(headers: &HeaderMap) -> Format {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    if accepted.any(|value| value.contains("application/x-ndjson")) {
        Format::Lines
    } else {
        Format::Sse
    }
}

/// The body of an answer that does not end by itself.
#[derive(Debug)]
struct Frames {
    format: Format,
    opening: Option<Bytes>,
    subscription: Subscription,
    heartbeat: Interval,
    /// Held as long as the stream is open.
    _place: Option<StreamPlace>,
}

impl Stream for Frames {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(opening) = self.opening.take() {
            return Poll::Ready(Some(Ok(opening)));
        }
        match self.subscription.poll_frames(context) {
            Poll::Ready(frames) => {
                self.heartbeat.reset();
                Poll::Ready(frames.map(Ok))
            }
            Poll::Pending => self
                .heartbeat
                .poll_tick(context)
                .map(|_| Some(Ok(self.format.heartbeat()))),
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
    let format = format(&headers);
    let subscription = parts.feed.subscribe(Wish { filter, format }, from);
    let subscription = subscription.map_err(|why| Problem::unavailable(why.to_string()))?;
    let begins = HeaderValue::from_str(&subscription.place().to_string());
    let frames = Frames {
        format,
        opening: Some(format.opening(subscription.place())),
        subscription,
        heartbeat: beats(parts.heartbeat),
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

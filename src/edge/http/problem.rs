//! Errors of the API, as problem documents (RFC 9457).

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// What went wrong with a request.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    /// Last part of the problem's type.
    kind: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<String>,
    /// When to ask again, s.
    retry_after: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: String) -> Self {
        Self {
            status,
            kind,
            title,
            detail,
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Parameters that cannot be used, all at once.
    pub(super) fn parameters(errors: Vec<String>) -> Self {
        let title = "A parameter cannot be used";
        let detail = errors.join("; ");
        Self {
            errors,
            ..Self::new(StatusCode::BAD_REQUEST, "parameter", title, detail)
        }
    }

    /// No such thing.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        let title = "There is no such thing";
        Self::new(StatusCode::NOT_FOUND, "not-found", title, detail.into())
    }

    /// The thing is there, but cannot be used so.
    pub(super) fn method() -> Self {
        let (title, detail) = (
            "This method is not served here",
            "another method is: the header Allow says which",
        );
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, "method", title, detail.to_owned())
    }

    /// Not now.
    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        let title = "Not available at the moment";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self {
            retry_after: Some(1),
            ..Self::new(status, "unavailable", title, detail.into())
        }
    }

    /// The request was meant for another host.
    pub(super) fn host() -> Self {
        let title = "This host is not served";
        let detail = "the API is served to this machine only: use localhost, 127.0.0.1 or [::1]";
        let status = StatusCode::MISDIRECTED_REQUEST;
        Self::new(status, "host", title, detail.to_owned())
    }
}

impl Problem {
    /// Nobody knows who asks.
    pub(super) fn unauthenticated(detail: impl Into<String>) -> Self {
        let title = "Who asks is not known";
        let status = StatusCode::UNAUTHORIZED;
        Self::new(status, "unauthenticated", title, detail.into())
    }

    /// Who asks may not.
    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        let title = "This is not allowed";
        Self::new(StatusCode::FORBIDDEN, "forbidden", title, detail.into())
    }

    /// A record that no correlator would take.
    pub(super) fn record(errors: Vec<String>) -> Self {
        let title = "The record cannot be used";
        let detail = errors.join("; ");
        Self {
            errors,
            ..Self::new(StatusCode::BAD_REQUEST, "record", title, detail)
        }
    }

    /// There is no place for another record.
    pub(super) fn full(detail: String) -> Self {
        let title = "There is no place for it";
        Self::new(StatusCode::CONFLICT, "full", title, detail)
    }

    /// A body that is no JSON.
    pub(super) fn media_type() -> Self {
        let title = "This kind of body is not read";
        let detail = "send JSON, with `Content-Type: application/json`".to_owned();
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self::new(status, "media-type", title, detail)
    }

    /// A body that is too large.
    pub(super) fn too_large(bytes_max: usize) -> Self {
        let title = "The body is too large";
        let detail = format!("it may have {bytes_max} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", title, detail)
    }

    /// A body that does not come.
    pub(super) fn slow() -> Self {
        let title = "The body did not come in time";
        let detail = "send it at once".to_owned();
        Self::new(StatusCode::REQUEST_TIMEOUT, "slow", title, detail)
    }

    /// Too much at once.
    pub(super) fn too_many(detail: impl Into<String>, wait: Duration) -> Self {
        let title = "Too much at once";
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self {
            // Whole seconds, and none is too few.
            retry_after: Some(wait.as_secs() + 1),
            ..Self::new(status, "too-many", title, detail.into())
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = serde_json::json!({
            "type": format!("urn:deskwarden:problem:{}", self.kind),
            "title": self.title, "status": self.status.as_u16(), "detail": self.detail,
        });
        if let Some(object) = body.as_object_mut().filter(|_| !self.errors.is_empty()) {
            object.insert("errors".to_owned(), self.errors.into());
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let json = header::HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = header::HeaderValue::from_static("Bearer realm=\"deskwarden\"");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

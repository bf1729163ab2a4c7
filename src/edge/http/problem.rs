//! Errors of the API, as problem documents (RFC 9457).

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// What went wrong with a request.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    /// Last part of the problem's type.
    kind: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<String>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: String) -> Self {
        Self {
            status,
            kind,
            title,
            detail,
            errors: Vec::new(),
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
        let (title, detail) = ("This method is not served here", "use GET");
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, "method", title, detail.to_owned())
    }

    /// Not now.
    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        let title = "Not available at the moment";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, "unavailable", title, detail.into())
    }

    /// The request was meant for another host.
    pub(super) fn host() -> Self {
        let title = "This host is not served";
        let detail = "the API is served to this machine only: use localhost, 127.0.0.1 or [::1]";
        let status = StatusCode::MISDIRECTED_REQUEST;
        Self::new(status, "host", title, detail.to_owned())
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
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}

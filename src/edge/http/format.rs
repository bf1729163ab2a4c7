//! The forms in which alerts are answered: as they were published, or as others read them.

use super::api::{Parameters, pairs};
use super::problem::Problem;
use crate::deliver::alert::Activity;
use crate::deliver::encode::{cef, ecs};
use crate::deliver::notice::Notice;
use crate::deliver::pii::Masking;
use crate::deliver::route::Decision;
use crate::deliver::view::explain;
use crate::edge::read_model::Revision;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use std::str::FromStr;
use std::sync::Arc;

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Format {
    /// The document as it was published.
    #[default]
    Ocsf,
    /// Elastic Common Schema.
    Ecs,
    /// A line of the Common Event Format.
    Cef,
    /// The reckoning, for people.
    Markdown,
}

/// A revision, and its document as it is answered.
#[derive(Debug)]
pub(super) struct Shown {
    /// As it was published.
    pub(super) revision: Arc<Revision>,
    /// With what people decided since.
    pub(super) document: Bytes,
}

impl Shown {
    /// As it was published.
    pub(super) fn published(revision: &Arc<Revision>) -> Self {
        Self {
            revision: Arc::clone(revision),
            document: revision.document.clone(),
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "ocsf" => Ok(Self::Ocsf),
            "ecs" => Ok(Self::Ecs),
            "cef" => Ok(Self::Cef),
            "markdown" => Ok(Self::Markdown),
            _ => Err("format: ocsf, ecs, cef or markdown".to_owned()),
        }
    }
}

impl Format {
    /// Takes `format` out of the parameters of a request.
    pub(super) fn take(parameters: &mut Vec<(String, String)>, faults: &mut Vec<String>) -> Self {
        let mut format = Self::default();
        parameters.retain(|(name, value)| {
            if name != "format" {
                return true;
            }
            match value.parse() {
                Ok(read) => format = read,
                Err(fault) => faults.push(fault),
            }
            false
        });
        format
    }

    /// The only parameter of a request.
    pub(super) fn only(parameters: Parameters) -> Result<Self, Problem> {
        let mut rest = pairs(parameters)?;
        let mut faults = Vec::new();
        let format = Self::take(&mut rest, &mut faults);
        let unknown = |(name, _): &(String, String)| format!("{name}: unknown; it is format");
        faults.extend(rest.iter().map(unknown));
        if faults.is_empty() {
            Ok(format)
        } else {
            Err(Problem::parameters(faults))
        }
    }

    /// What one answer holds.
    const fn content_type(self) -> &'static str {
        match self {
            Self::Ocsf | Self::Ecs => "application/json",
            Self::Cef => "text/plain; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }

    /// A revision in this form.
    fn of(self, shown: &Shown) -> Result<Bytes, Problem> {
        let revision = &*shown.revision;
        if self == Self::Ocsf {
            return Ok(shown.document.clone());
        }
        // It was read once, so it can be read again.
        let unreadable = |fault: &dyn std::fmt::Display| Problem::unavailable(fault.to_string());
        if self == Self::Markdown {
            let text = explain::explain(&revision.document);
            return text.map(Bytes::from).map_err(|fault| unreadable(&fault));
        }
        let notice = Notice::read(&revision.document).map_err(|fault| unreadable(&fault))?;
        let published = revision.published;
        // Whoever asks the API sees what the page shows.
        let masking = Masking::Full;
        let text = if self == Self::Ecs {
            ecs::document(&notice, masking, published)
        } else {
            let settings = cef::Cef { masking };
            cef::message(&notice, decision(revision), &settings, published)
        };
        Ok(text.into())
    }

    /// The answer of one revision.
    pub(super) fn one(self, shown: &Shown) -> Result<Response, Problem> {
        let mut response = Response::new(Body::from(self.of(shown)?));
        let kind = HeaderValue::from_static(self.content_type());
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok(response)
    }

    /// `{"alerts":[…], …}` of revisions: documents as they are, lines and texts as strings.
    pub(super) fn list(self, all: &[Shown], tail: &serde_json::Value) -> Result<Bytes, Problem> {
        let size: usize = all.iter().map(|shown| shown.document.len() + 1).sum();
        let mut body = Vec::with_capacity(size + 256);
        body.extend_from_slice(b"{\"alerts\":[");
        for (n, shown) in all.iter().enumerate() {
            if n > 0 {
                body.push(b',');
            }
            let form = self.of(shown)?;
            if matches!(self, Self::Cef | Self::Markdown) {
                let text = String::from_utf8_lossy(&form);
                body.extend_from_slice(serde_json::json!(text).to_string().as_bytes());
            } else {
                body.extend_from_slice(&form);
            }
        }
        body.extend_from_slice(b"],");
        // The tail is an object: its first brace is ours already.
        body.extend_from_slice(tail.to_string().trim_start_matches('{').as_bytes());
        Ok(body.into())
    }
}

/// What a sink without a floor would be asked to do.
const fn decision(revision: &Revision) -> Decision {
    match revision.alert.activity {
        Activity::Created => Decision::Trigger,
        Activity::Updated => Decision::Update,
        Activity::Closed => Decision::Resolve,
    }
}

//! What a receiver is told, as it goes over its wire.

use std::collections::BTreeMap;

use minijinja::Environment;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::collect::time::Timestamp;
use crate::deliver::encode::digest::Digest;
use crate::deliver::encode::slack::bot::CaseMessage;
use crate::deliver::encode::{cef, pagerduty, slack, splunk, syslog, teams, webhook};
use crate::deliver::pii::Masking;
use crate::deliver::route::Decision;
use crate::edge::config::{Receiver, Secret, SinkSetup};

use super::http::{Request, Signing};
use super::{Delivery, Payload, Ready};

const JSON: &str = "application/json";
/// Facility of syslog: local use 0, where alerts of products usually are.
const FACILITY: u8 = 16;
/// Name of the one template.
const TEMPLATE: &str = "template";
/// Largest body that a template may make.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Steps of a template: more is a loop.
const TEMPLATE_FUEL: u64 = 1_000_000;

/// Why a sink cannot say anything.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The template is wrong.
    #[error("template: {0:#}")]
    Template(#[from] minijinja::Error),
    /// A signing key is wrong.
    #[error("signing_secrets: {0}")]
    Key(#[from] webhook::KeyFault),
    /// A token cannot stand in a header.
    #[error("token: a header cannot hold it")]
    Token,
}

/// The words of one sink.
#[derive(Debug)]
pub struct Words {
    name: String,
    kind: Kind,
    masking: Masking,
    /// Name of this host.
    host: String,
    /// Address of the page, where there is one.
    page: Option<String>,
}

#[derive(Debug)]
enum Kind {
    PagerDuty(Url, pagerduty::PagerDuty),
    Alertmanager(Url, Vec<(HeaderName, HeaderValue)>),
    Slack(Url),
    SlackBot(slack::bot::Bot),
    Teams(Url),
    Webhook(Box<Hook>),
    Syslog,
    Splunk(Url, Vec<(HeaderName, HeaderValue)>, Option<String>),
}

#[derive(Debug)]
struct Hook {
    url: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
    keys: Vec<webhook::Key>,
    template: Option<Environment<'static>>,
}

impl Words {
    /// Those of a sink; `host` is the name of this instance.
    ///
    /// # Errors
    /// A template, key or token that cannot be used.
    pub fn new(setup: &SinkSetup, host: &str, page: Option<&str>) -> Result<Self, SinkError> {
        let kind = match &setup.receiver {
            Receiver::PagerDuty { url, routing_key } => {
                let settings = pagerduty::PagerDuty {
                    routing_key: routing_key.expose().clone(),
                    masking: setup.masking,
                };
                Kind::PagerDuty(url.expose().clone(), settings)
            }
            Receiver::Alertmanager { url, token, .. } => {
                Kind::Alertmanager(url.expose().clone(), bearer("Bearer", token.as_ref())?)
            }
            Receiver::Slack { url } => Kind::Slack(url.expose().clone()),
            Receiver::SlackBot { channel, .. } => Kind::SlackBot(slack::bot::Bot {
                channel: channel.clone(),
                sink: setup.name.clone(),
                slack: slack::Slack {
                    masking: setup.masking,
                },
            }),
            Receiver::Teams { url } => Kind::Teams(url.expose().clone()),
            Receiver::Webhook {
                url,
                token,
                signing_secrets,
                template,
            } => {
                let keys = signing_secrets.iter();
                let keys = keys.map(|secret| webhook::Key::read(secret.expose()));
                Kind::Webhook(Box::new(Hook {
                    url: url.expose().clone(),
                    headers: bearer("Bearer", token.as_ref())?,
                    keys: keys.collect::<Result<_, _>>()?,
                    template: template.as_deref().map(environment).transpose()?,
                }))
            }
            Receiver::Syslog { .. } => Kind::Syslog,
            Receiver::Splunk { url, token, index } => Kind::Splunk(
                url.expose().clone(),
                bearer("Splunk", Some(token))?,
                index.clone(),
            ),
        };
        Ok(Self {
            name: setup.name.clone(),
            kind,
            masking: setup.masking,
            host: host.to_owned(),
            page: page.map(str::to_owned),
        })
    }

    /// Whether one message carries a whole batch.
    pub(super) const fn is_batched(&self) -> bool {
        matches!(self.kind, Kind::Syslog | Kind::Splunk(..))
    }

    /// Whether to take back what was never told harms nobody.
    pub(super) const fn resolves_by_key(&self) -> bool {
        matches!(self.kind, Kind::PagerDuty(..))
    }

    /// What one revision becomes.
    pub(super) fn one(&self, ready: &Ready, place: usize) -> Delivery {
        let (notice, decision, masking) = (&ready.notice, ready.decision, self.masking);
        let payload = match &self.kind {
            Kind::PagerDuty(url, settings) => {
                post(url, pagerduty::event(notice, decision, settings)).into()
            }
            Kind::Slack(url) => {
                let settings = slack::Slack { masking };
                post(url, slack::message(notice, decision, &settings)).into()
            }
            Kind::SlackBot(bot) => Payload::Slack(Box::new(CaseMessage::of(notice, decision, bot))),
            Kind::Teams(url) => {
                let settings = teams::Teams { masking };
                post(url, teams::message(notice, decision, &settings)).into()
            }
            Kind::Webhook(hook) => hook.one(ready, masking).into(),
            Kind::Alertmanager(..) | Kind::Syslog | Kind::Splunk(..) => {
                let mut delivery = self.batch(std::slice::from_ref(ready));
                delivery.carries = vec![place];
                return delivery;
            }
        };
        Delivery {
            order: notice.dedup_key.clone(),
            id: notice.revision_id(),
            carries: vec![place],
            payload,
        }
    }

    /// What a batch becomes, in one message.
    pub(super) fn batch(&self, batch: &[Ready]) -> Delivery {
        let mut body = Vec::new();
        let payload = if let Kind::Splunk(url, headers, index) = &self.kind {
            let settings = splunk::Splunk {
                host: Some(self.host.clone()),
                source: "deskwarden".to_owned(),
                index: index.clone(),
                fields: BTreeMap::new(),
                masking: self.masking,
            };
            for ready in batch {
                body.extend_from_slice(splunk::event(&ready.notice, &settings).as_bytes());
            }
            let mut request = post(url, body);
            request.headers.clone_from(headers);
            Payload::Http(request)
        } else {
            let settings = syslog::Syslog {
                facility: FACILITY,
                hostname: self.host.clone(),
            };
            let masking = self.masking;
            for Ready {
                notice,
                decision,
                record,
            } in batch
            {
                let published = record.timestamp;
                let cef = cef::message(notice, *decision, &cef::Cef { masking }, published);
                let line = syslog::line(notice, &cef, &settings, published);
                body.extend_from_slice(&syslog::framed(&line));
            }
            Payload::Frames(body)
        };
        Delivery {
            order: String::new(),
            id: format!("{} revisions", batch.len()),
            carries: (0..batch.len()).collect(),
            payload,
        }
    }

    /// One message about those at `places`.
    pub(super) fn digest(&self, ready: &[Ready], places: Vec<usize>, now: Timestamp) -> Delivery {
        let chosen = places.iter().filter_map(|place| ready.get(*place));
        let first = chosen.clone().next();
        let id = format!(
            "storm-{}-{}",
            self.name,
            first.map_or("", |first| &first.notice.alert.id)
        );
        let from = first.map_or(now, |first| first.record.timestamp);
        let mut digest = Digest::new(&id, from, self.page.clone(), self.masking);
        for one in chosen {
            digest.add(&one.notice, one.decision, now);
        }
        let payload = match &self.kind {
            Kind::PagerDuty(url, settings) => {
                post(url, pagerduty::digest(&digest, Decision::Trigger, settings)).into()
            }
            Kind::Slack(url) => post(url, slack::digest(&digest)).into(),
            Kind::SlackBot(bot) => Payload::Slack(Box::new(CaseMessage::digest(&digest, bot))),
            Kind::Teams(url) => post(url, teams::digest(&digest)).into(),
            Kind::Webhook(hook) => hook.request(webhook::digest(&digest), &id).into(),
            Kind::Alertmanager(..) | Kind::Syslog | Kind::Splunk(..) => {
                // They have no storms: each of them takes batches.
                return self.batch(ready);
            }
        };
        Delivery {
            order: id.clone(),
            id,
            carries: places,
            payload,
        }
    }

    /// A body of alerts for an Alertmanager.
    pub(super) fn alerts(&self, body: String, carries: Vec<usize>) -> Delivery {
        let Kind::Alertmanager(url, headers) = &self.kind else {
            // No other kind has open cases.
            return self.batch(&[]);
        };
        let mut request = post(url, body);
        request.headers.clone_from(headers);
        Delivery {
            order: String::new(),
            id: format!("{} revisions", carries.len()),
            carries,
            payload: Payload::Http(request),
        }
    }
}

impl Hook {
    fn one(&self, ready: &Ready, masking: Masking) -> Request {
        let (notice, decision) = (&ready.notice, ready.decision);
        let settings = webhook::Webhook { masking };
        let body = match &self.template {
            None => webhook::body(notice, decision, &settings),
            Some(template) => {
                let context = webhook::context(notice, decision, &settings);
                // A template that fails on an alert must not hide it: then the whole of it is sent.
                render(template, &context).unwrap_or_else(|error| {
                    tracing::error!(%error, id = %notice.revision_id(),
                        "the template failed; the body without a template is sent");
                    webhook::body(notice, decision, &settings)
                })
            }
        };
        self.request(body, &webhook::id(notice))
    }

    fn request(&self, body: String, id: &str) -> Request {
        let mut request = post(&self.url, body);
        request.headers.clone_from(&self.headers);
        request.signing = Some(Signing {
            id: id.to_owned(),
            keys: self.keys.clone(),
        });
        request
    }
}

impl From<Request> for Payload {
    fn from(request: Request) -> Self {
        Self::Http(request)
    }
}

fn post(url: &Url, body: impl Into<Vec<u8>>) -> Request {
    Request {
        url: url.clone(),
        content_type: JSON,
        headers: Vec::new(),
        signing: None,
        body: body.into(),
    }
}

fn bearer(
    scheme: &str,
    token: Option<&Secret<String>>,
) -> Result<Vec<(HeaderName, HeaderValue)>, SinkError> {
    let Some(token) = token else {
        return Ok(Vec::new());
    };
    let value = HeaderValue::from_str(&format!("{scheme} {}", token.expose()));
    let mut value = value.map_err(|_| SinkError::Token)?;
    value.set_sensitive(true);
    Ok(vec![(AUTHORIZATION, value)])
}

/// What is wrong with a template; with its line.
#[must_use]
pub fn template_fault(text: &str) -> Option<String> {
    environment(text).err().map(|fault| fault.to_string())
}

fn environment(text: &str) -> Result<Environment<'static>, SinkError> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(TEMPLATE_FUEL));
    // Everything that a template prints is JSON, unless it says otherwise: names were written by
    // others.
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Json);
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::SemiStrict);
    environment.add_template_owned(TEMPLATE, text.to_owned())?;
    Ok(environment)
}

fn render(
    environment: &Environment<'_>,
    context: &serde_json::Value,
) -> Result<String, minijinja::Error> {
    let body = environment
        .get_template(TEMPLATE)?
        .render(minijinja::value::Serde(context))?;
    if body.len() > BODY_BYTES_MAX {
        let detail = format!("{} bytes are too many for a body", body.len());
        return Err(minijinja::Error::new(
            minijinja::ErrorKind::InvalidOperation,
            detail,
        ));
    }
    Ok(body)
}

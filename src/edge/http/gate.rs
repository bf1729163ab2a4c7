//! Who is let in: every request of the API comes through here before anything else looks at it.

use super::access::{Access, Caller, Peer, Token, bearer};
use super::limits::{Client, Limits, Meter, StreamPlace};
use super::oidc::Oidc;
use super::problem::Problem;
use super::serve::ApiParts;
use crate::edge::tasks::Stop;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// How callers prove who they are. Without any way to, everybody is let in.
#[derive(Debug, Default)]
pub struct Credentials {
    /// Those who have a token.
    pub tokens: Vec<Token>,
    /// Roles of those who have a certificate, by a name in it.
    pub certificates: BTreeMap<String, Access>,
    /// The identity provider whose tokens are taken.
    pub oidc: Option<Oidc>,
}

impl Credentials {
    fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.certificates.is_empty() && self.oidc.is_none()
    }
}

#[derive(Debug)]
struct Guard {
    credentials: Credentials,
    meter: Arc<Meter>,
}

/// The gate. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Gate(Option<Arc<Guard>>);

impl Gate {
    /// Lets in whoever has one of the credentials; everybody where there are none.
    #[must_use]
    pub fn new(credentials: Credentials, limits: Limits) -> Self {
        if credentials.is_empty() {
            return Self(None);
        }
        let meter = Arc::new(Meter::new(limits));
        Self(Some(Arc::new(Guard { credentials, meter })))
    }

    /// Fetches the keys of the identity provider, again and again.
    pub(super) async fn follow(&self, stop: Stop) -> io::Result<()> {
        let oidc = self
            .0
            .as_ref()
            .and_then(|guard| guard.credentials.oidc.clone());
        match oidc {
            Some(oidc) => oidc.follow(stop).await,
            None => Ok(()),
        }
    }

    /// A place for one more stream of a caller. Where nobody is asked for a name there is one client,
    /// this machine.
    pub(super) fn stream(
        &self,
        peer: &Peer,
        caller: &Caller,
    ) -> Result<Option<StreamPlace>, Problem> {
        let Some(guard) = &self.0 else {
            return Ok(None);
        };
        let client = Client::new(peer.address, caller.name.clone());
        guard.meter.stream(client).map(Some)
    }
}

impl Guard {
    /// Who asks, counted.
    fn admit(&self, request: &Request, peer: &Peer) -> Result<Caller, Problem> {
        let unknown = Client::new(peer.address, None);
        if is_page(request) {
            self.meter.page_file(&unknown)?;
            return Ok(Caller::STRANGER);
        }
        match self.credentials.caller(request.headers(), peer) {
            Ok(caller) => {
                let client = Client::new(peer.address, caller.name.clone());
                self.meter.request(&client)?;
                Ok(caller)
            }
            Err(problem) => {
                self.meter.request(&unknown)?;
                Err(problem)
            }
        }
    }
}

impl Credentials {
    fn caller(&self, headers: &HeaderMap, peer: &Peer) -> Result<Caller, Problem> {
        let Some(given) = headers.get(header::AUTHORIZATION) else {
            return self.certified(peer);
        };
        let token = given.to_str().ok().and_then(bearer_token);
        let Some(token) = token else {
            let detail = "the header must be `Authorization: Bearer TOKEN`";
            return Err(Problem::unauthenticated(detail));
        };
        // Nothing that stands in a token of ours is a dot.
        if let Some(oidc) = self.oidc.as_ref().filter(|_| Oidc::is_meant(token)) {
            return oidc.caller(token);
        }
        match bearer(&self.tokens, token) {
            Some(known) => Ok(Caller {
                name: Some(Arc::clone(&known.name)),
                access: known.access,
            }),
            None => Err(Problem::unauthenticated("this token is not known")),
        }
    }
}

impl Credentials {
    /// Who is known by a certificate.
    fn certified(&self, peer: &Peer) -> Result<Caller, Problem> {
        let found = peer.names.iter().find_map(|name| {
            let access = self.certificates.get(name)?;
            Some((name, *access))
        });
        match found {
            Some((name, access)) => Ok(Caller {
                name: Some(name.as_str().into()),
                access,
            }),
            None if peer.names.is_empty() => Err(Problem::unauthenticated("this needs a token")),
            None => {
                let detail = "no name of this certificate is in http.client_certificates";
                Err(Problem::unauthenticated(detail))
            }
        }
    }
}

/// The token of `Bearer TOKEN`.
fn bearer_token(text: &str) -> Option<&str> {
    let (scheme, token) = text.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The files of the page hold nothing of anybody, and a browser loads them before it can be given a
/// token.
fn is_page(request: &Request) -> bool {
    let path = request.uri().path();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    reads && (path == "/" || path.starts_with("/ui/"))
}

/// The first to see a request.
pub(super) async fn enter(
    State(parts): State<ApiParts>,
    mut request: Request,
    next: Next,
) -> Response {
    let response = match admit(&parts.gate, &request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    parts.metrics.answered(response.status().as_u16());
    response
}

fn admit(gate: &Gate, request: &Request) -> Result<Caller, Problem> {
    check_origin(request)?;
    match &gate.0 {
        Some(guard) => {
            let peer = request.extensions().get::<Peer>();
            let peer = peer.ok_or_else(|| Problem::unauthenticated("from nowhere"))?;
            guard.admit(request, peer)
        }
        None => check_host(request).map(|()| Caller::NOBODY),
    }
}

/// Without authentication, a name that a stranger lets point to this machine must not be answered:
/// the stranger's page would read the answer (DNS rebinding).
fn check_host(request: &Request) -> Result<(), Problem> {
    match host(request) {
        Some(host) if is_local(host.host()) => Ok(()),
        Some(_) | None => Err(Problem::host()),
    }
}

fn host(request: &Request) -> Option<Authority> {
    let host = request.headers().get(header::HOST)?;
    host.to_str().ok()?.parse().ok()
}

fn is_local(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback())
}

/// What changes something is taken from our own page and from programs, never from another page: a
/// browser would send it with what the person at it is known by, this machine or a certificate.
fn check_origin(request: &Request) -> Result<(), Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(());
    }
    let Some(origin) = request.headers().get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().ok();
    let origin = origin
        .and_then(|text| text.split_once("://"))
        .map(|(_, host)| host);
    let own = host(request);
    match (origin, own) {
        (Some(origin), Some(own)) if origin.eq_ignore_ascii_case(own.as_str()) => Ok(()),
        _ => Err(Problem::forbidden("this was sent by another page")),
    }
}

/// Whether the role of the caller is high enough for a route.
pub(super) async fn require(State(least): State<Access>, request: Request, next: Next) -> Response {
    match request.extensions().get::<Caller>() {
        Some(caller) if caller.access >= least => next.run(request).await,
        Some(caller) => {
            let (least, has) = (least.as_str(), caller.access.as_str());
            let detail = format!("this needs the role {least}, and this token has {has}");
            Problem::forbidden(detail).into_response()
        }
        None => Problem::unauthenticated("this needs a token").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_a_local_host() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "[::]",
            "0.0.0.0",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn a_token_follows_the_word_bearer() {
        assert_eq!(bearer_token("Bearer dw_1"), Some("dw_1"));
        assert_eq!(bearer_token("bearer  dw_1"), Some("dw_1"));
        for wrong in ["", "dw_1", "Bearer", "Bearer ", "Basic dw_1", "Bearerdw_1"] {
            assert_eq!(bearer_token(wrong), None, "{wrong}");
        }
    }
}

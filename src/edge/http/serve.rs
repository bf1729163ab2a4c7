//! Settings, listeners and routes of the HTTP side.

use super::feed::Feed;
use super::gate::Gate;
use super::tls::{Tls, TlsFault, TlsFiles};
use super::turns::Turns;
use super::{capacity, ops, routes, server};
use crate::correlate::rules::RuleSet;
use crate::edge::archive::Archive;
use crate::edge::config::Shown;
use crate::edge::control::Desk;
use crate::edge::dead_letters::DeadLetters;
use crate::edge::health::Health;
use crate::edge::metrics::{DeliverMetrics, TlsMetrics};
use crate::edge::pipeline::Pipeline;
use crate::edge::read_model::ReadModel;
use crate::edge::records::Records;
use crate::edge::stages::SharedDirectory;
use crate::edge::tasks::{Stop, TaskError};
use crate::edge::telemetry::Logs;
use crate::edge::trail::SharedTrail;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use prometheus::Registry;
use socket2::SockRef;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// Default of `http.listen`.
pub(super) const LISTEN_DEFAULT: SocketAddr = local(8040);
/// Default of `http.ops_listen`.
pub(super) const OPS_LISTEN_DEFAULT: SocketAddr = local(8041);
/// Below the idle limits of usual proxies (60 s), often enough to see a dead client.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The routes answer from memory: two threads are plenty and leave the cores to the stages.
const RUNTIME_THREADS: usize = 2;
/// Connections that wait to be accepted: a thousand clients come back at once where one instance took
/// over from another.
const BACKLOG: i32 = 1_024;
/// What the system holds of what a client does not take. Left to itself it would be megabytes of each,
/// and a slow client would be noticed late.
const SEND_BYTES_MAX: usize = 256 << 10;

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                   connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// What the HTTP side is told.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Where the API and the page are served; `None` in roles without `deliver`.
    pub listen: Option<SocketAddr>,
    /// Where health and metrics are served.
    pub ops_listen: SocketAddr,
    /// Certificates of the API; without, it is served in the clear.
    pub tls: Option<TlsFiles>,
    /// Whether the API asks for a name.
    pub authenticates: bool,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: Some(LISTEN_DEFAULT),
            ops_listen: OPS_LISTEN_DEFAULT,
            tls: None,
            authenticates: false,
        }
    }
}

/// Why the HTTP side cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// An address that others can reach.
    #[error(
        "http.listen: {0} can be reached from other machines, which needs TLS and authentication; use \
         127.0.0.1 or [::1], or configure both"
    )]
    NotLoopback(SocketAddr),
    /// Certificates that cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsFault),
    /// The address is not to be had.
    #[error(
        "{setting}: cannot listen on {address}: {cause}; choose another port or stop what holds it"
    )]
    Listen {
        /// Which setting.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
}

impl HttpError {
    /// Whether the configuration is at fault, not the machine.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        matches!(self, Self::NotLoopback(_) | Self::Tls(_))
    }
}

/// What the API answers from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ApiParts {
    /// The cases.
    pub model: Arc<ReadModel>,
    /// The live feed.
    pub feed: Feed,
    /// What is counted.
    pub metrics: DeliverMetrics,
    /// Between two signs of life of the live feed.
    pub heartbeat: Duration,
    /// Who is let in.
    pub gate: Gate,
    /// Where control records are handed in; without, none are.
    pub desk: Option<Desk>,
    /// The audit records.
    pub trail: SharedTrail,
    /// The rules that run.
    pub rules: Arc<RuleSet>,
    /// How the stages stand; without brokers, nobody knows.
    pub pipeline: Option<Pipeline>,
    /// Every setting with its value and origin; secrets are stars.
    pub settings: Arc<[Shown]>,
    /// Who may ask the brokers at the moment.
    pub turns: Turns,
    /// Cases that are held no more; without brokers, nobody knows.
    pub older: Option<Archive>,
    /// The directory, where this process holds it.
    pub directory: Option<SharedDirectory>,
    /// The records of the sources.
    pub records: Option<Records>,
    /// Records that could not be used; without brokers, nobody knows.
    pub letters: Option<DeadLetters>,
    /// The logs of this process; without, nobody changes how much they tell.
    pub logs: Option<Logs>,
}

impl ApiParts {
    /// With the usual heartbeat, for everybody on this machine.
    #[must_use]
    pub fn new(model: Arc<ReadModel>, feed: Feed, metrics: DeliverMetrics) -> Self {
        Self {
            model,
            feed,
            metrics,
            heartbeat: HEARTBEAT,
            gate: Gate::default(),
            desk: None,
            trail: SharedTrail::default(),
            rules: Arc::new(RuleSet::new(Vec::new())),
            pipeline: None,
            settings: Arc::default(),
            turns: Turns::default(),
            older: None,
            directory: None,
            records: None,
            letters: None,
            logs: None,
        }
    }
}

/// What the HTTP side serves.
#[derive(Debug, Clone)]
pub struct HttpParts {
    /// The API; `None` in roles without `deliver`.
    pub api: Option<ApiParts>,
    /// How the process feels.
    pub health: Health,
    /// What it counts.
    pub registry: Registry,
}

/// Both listeners, before anything is answered: their addresses are known.
#[derive(Debug)]
pub struct Bound {
    api: Option<TcpListener>,
    ops: TcpListener,
    tls: Option<Tls>,
    connections_max: usize,
}

/// Opens the listeners, and raises the limit of open files as far as it goes.
pub fn bind(settings: &HttpSettings) -> Result<Bound, HttpError> {
    let is_protected = settings.tls.is_some() && settings.authenticates;
    let tls = settings.tls.clone().map(Tls::load).transpose()?;
    let api = settings.listen.map(|address| {
        if !address.ip().is_loopback() && !is_protected {
            return Err(HttpError::NotLoopback(address));
        }
        listen("http.listen", address)
    });
    Ok(Bound {
        api: api.transpose()?,
        ops: listen("http.ops_listen", settings.ops_listen)?,
        tls,
        connections_max: capacity::connections(),
    })
}

fn listen(setting: &'static str, address: SocketAddr) -> Result<TcpListener, HttpError> {
    let opened = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let socket = SockRef::from(&listener);
        // Connections inherit it.
        socket.set_send_buffer_size(SEND_BYTES_MAX)?;
        socket.listen(BACKLOG)?;
        Ok(listener)
    });
    opened.map_err(|cause| HttpError::Listen {
        setting,
        address,
        cause,
    })
}

impl Bound {
    /// Where the API is.
    #[must_use]
    pub fn api(&self) -> Option<SocketAddr> {
        self.api.as_ref().and_then(|l| l.local_addr().ok())
    }

    /// Where health and metrics are.
    #[must_use]
    pub fn ops(&self) -> Option<SocketAddr> {
        self.ops.local_addr().ok()
    }

    /// Serves until it is told to stop, then lets requests finish. Blocks; has its own runtime.
    pub fn serve(self, parts: HttpParts, stop: Stop) -> Result<(), TaskError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(RUNTIME_THREADS)
            .thread_name("http")
            .enable_all()
            .build()?;
        let HttpParts {
            api,
            health,
            registry,
        } = parts;
        let metered = self.tls.as_ref().map(|_| TlsMetrics::register(&registry));
        let metered = metered.transpose().map_err(std::io::Error::other)?;
        let ops = ops::routes(health, registry).layer(map_response(protect));
        let api = self.api.zip(api).map(|(listener, parts)| {
            let (feed, gate) = (parts.feed.clone(), parts.gate.clone());
            (listener, routes::routes(parts), feed, gate)
        });
        let ops_listener = (self.ops, capacity::OPS_CONNECTIONS_MAX);
        runtime.block_on(async {
            let ops = server::serve(ops_listener, None, ops, stop.clone());
            let Some((listener, routes, feed, gate)) = api else {
                return ops.await;
            };
            let close = async {
                stop.clone().wait().await;
                // Streams do not end by themselves.
                feed.close();
                Ok(())
            };
            let present = self.tls.as_ref().map(Tls::present);
            let follow = async {
                match self.tls.zip(metered) {
                    Some((tls, metrics)) => tls.follow(metrics, stop.clone()).await,
                    None => Ok(()),
                }
            };
            let listener = (listener, self.connections_max);
            let api = server::serve(listener, present, routes, stop.clone());
            let keys = gate.follow(stop.clone());
            tokio::try_join!(ops, api, close, follow, keys).map(|_| ())
        })?;
        Ok(())
    }
}

/// The headers of every answer.
pub(super) async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static(CSP);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    let fixed: [(HeaderName, &str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_can_reach_is_refused() {
        for address in ["0.0.0.0:0", "[::]:0", "10.1.2.3:0"] {
            let settings = HttpSettings {
                listen: Some(address.parse().unwrap()),
                ops_listen: local(0),
                ..HttpSettings::default()
            };
            let fault = bind(&settings).unwrap_err();
            assert!(fault.is_configuration() && fault.to_string().contains("127.0.0.1"));
        }
    }
}

//! Requests to receivers: no redirect is followed, no proxy of the environment is used but the one that is
//! configured, an answer is read to 64 KiB and has to come in time.

use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};

use crate::deliver::encode::webhook;
use crate::edge::clock;
use crate::edge::config::Egress;

use super::egress::Way;
use super::outcome::Outcome;
use super::reach::{Reach, Refused};
use super::tls;

/// Of an answer no more is read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// A document that is larger is none.
const DOCUMENT_BYTES_MAX: usize = 1 << 20;
/// To connect, of the whole time for a request.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Connections that are kept for the next alert.
const IDLE_TIME: Duration = Duration::from_secs(60);

/// Where requests go.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client,
    reach: Reach,
    way: Way,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where to.
    pub url: Url,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Further headers, such as an authorization; never logged.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How it is signed, each time anew.
    pub signing: Option<Signing>,
    /// Body.
    pub body: Vec<u8>,
}

/// How a webhook is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// The id, equal over all attempts.
    pub id: String,
    /// Keys in force; without one the id and the time are sent alone.
    pub keys: Vec<webhook::Key>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// The beginning of its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text; what is none is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The library refuses.
    #[error("{0}")]
    Client(#[from] reqwest::Error),
    /// A token cannot stand in a header.
    #[error("the token: a header cannot hold it")]
    Token,
}

impl HttpClient {
    /// A client whose requests take at most `timeout` each, and go over the proxy of `egress`.
    ///
    /// # Errors
    /// A CA or an address of a proxy that cannot be used.
    pub fn new(
        reach: Reach,
        ca_file: Option<&std::path::Path>,
        timeout: Duration,
        egress: Option<&Egress>,
    ) -> Result<Self, ClientError> {
        let tls = tls::client(ca_file)?;
        let way = Way::new(egress)?;
        let mut client = Client::builder()
            .tls_backend_preconfigured(tls.as_ref().clone())
            .dns_resolver(Arc::new(Names {
                reach,
                way: way.clone(),
            }))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIME.min(timeout))
            .timeout(timeout)
            .pool_idle_timeout(IDLE_TIME)
            .user_agent(concat!("deskwarden/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = way.proxy() {
            client = client.proxy(proxy);
        }
        let client = client.build()?;
        Ok(Self { client, reach, way })
    }

    /// Sends a request and sorts the answer.
    pub async fn post(&self, request: &Request) -> Outcome {
        match self.exchange(request).await {
            Ok(answer) => {
                let retry_after = answer.retry_after.as_deref();
                Outcome::of_status(answer.status, retry_after, &answer.text())
            }
            Err(outcome) => outcome,
        }
    }

    /// Sends a request; of the answer the first 64 KiB.
    ///
    /// # Errors
    /// The network failed, or the address is not allowed: either may change.
    pub async fn exchange(&self, request: &Request) -> Result<Answer, Outcome> {
        self.check(&request.url).await.map_err(Outcome::passing)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(request.content_type));
        headers.extend(request.headers.iter().cloned());
        if let Some(Signing { id, keys }) = &request.signing {
            for (name, value) in webhook::headers(id, clock::now(), &request.body, keys) {
                let value = HeaderValue::from_str(&value).map_err(Outcome::passing)?;
                headers.insert(name, value);
            }
        }
        let sent = self
            .client
            .post(request.url.clone())
            .headers(headers)
            .body(request.body.clone());
        answered(sent, ANSWER_BYTES_MAX).await
    }

    /// Reads what stands at an address; of the answer at most `bytes_max`.
    ///
    /// # Errors
    /// The network failed, or the address is not allowed: either may change.
    pub async fn read(
        &self,
        url: Url,
        headers: &[(HeaderName, HeaderValue)],
        bytes_max: usize,
    ) -> Result<Answer, Outcome> {
        self.check(&url).await.map_err(Outcome::passing)?;
        let headers = HeaderMap::from_iter(headers.iter().cloned());
        answered(self.client.get(url).headers(headers), bytes_max).await
    }

    /// Fetches a document of at most 1 MiB.
    ///
    /// # Errors
    /// In words: the network failed, the address is not allowed, the status is not 200.
    pub async fn get(&self, url: Url) -> Result<Vec<u8>, String> {
        let checked = self.check(&url).await;
        checked.map_err(|refused| refused.to_string())?;
        let mut answer = self.client.get(url).send().await.map_err(words)?;
        if answer.status().as_u16() != 200 {
            return Err(format!("it answers {}", answer.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(words)? {
            body.extend_from_slice(&chunk);
            if body.len() > DOCUMENT_BYTES_MAX {
                return Err(format!("it sends more than {DOCUMENT_BYTES_MAX} bytes"));
            }
        }
        Ok(body)
    }

    /// An address in place of a name is never looked up: it is checked here. A name is looked up when it is
    /// connected to, but for the proxy's part, which does that itself.
    async fn check(&self, url: &Url) -> Result<(), Refused> {
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse() {
            Ok(address) => self.reach.check(address),
            Err(_) if self.way.is_over(url) => self.reach.glance(bare).await,
            Err(_) => Ok(()),
        }
    }
}

/// Names of receivers lead where these may lead; the proxy is where the configuration says.
#[derive(Debug)]
struct Names {
    reach: Reach,
    way: Way,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = Reach {
            allow_private: self.reach.allow_private || self.way.is_proxy(name.as_str()),
        };
        Box::pin(async move {
            let found = reach.resolve(name.as_str(), 0).await?;
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

async fn answered(request: RequestBuilder, bytes_max: usize) -> Result<Answer, Outcome> {
    let mut answer = request.send().await.map_err(failed)?;
    let status = answer.status().as_u16();
    let retry_after = answer.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok());
    let retry_after = retry_after.map(str::to_owned);
    let mut body = Vec::new();
    while body.len() < bytes_max {
        match answer.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            // The status stands; of a refusal the words are missing. That a receiver took it
            // and could not say so is not known, so it is sent again.
            Err(error) if (200..300).contains(&status) => return Err(failed(error)),
            Err(_) => break,
        }
    }
    body.truncate(bytes_max);
    Ok(Answer {
        status,
        retry_after,
        body,
    })
}

fn failed(error: reqwest::Error) -> Outcome {
    Outcome::passing(words(error))
}

/// The library's words without the address: that can be a secret.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut why = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        why = format!("{why}: {next}");
        cause = next.source();
    }
    why
}

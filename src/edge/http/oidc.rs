//! Tokens of an identity provider: OpenID Connect bearer tokens, signed with one of the keys that the
//! provider publishes (RFC 7517, 7519, OpenID Connect Discovery 1.0).
//!
//! The keys are fetched apart from requests, again and again: a token is checked in memory. One whose key
//! is not known yet is refused, and has the keys fetched at once.

mod ring_provider;

use super::access::{Access, Caller, is_bearer};
use super::problem::Problem;
use crate::edge::config::Egress;
use crate::edge::sinks::http::{ClientError, HttpClient};
use crate::edge::sinks::reach::Reach;
use crate::edge::tasks::Stop;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// How long keys are good for: a provider publishes a new one long before it signs with it.
const REFRESH: Duration = Duration::from_secs(300);
/// Between two fetches, whatever asks for them.
const PAUSE: Duration = Duration::from_secs(5);
/// For one request to the provider.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Clocks may differ by so much, s.
const LEEWAY_S: u64 = 60;
/// Longest token: what a header may hold is twice as much.
const TOKEN_BYTES_MAX: usize = 8 << 10;
/// What tokens may be signed with: nothing that both sides know.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Which provider, and what its tokens say of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcSettings {
    /// The provider, letter for letter as its tokens name it.
    pub issuer: String,
    /// Where it says what it publishes; see [`Self::discovery`].
    pub discovery: Url,
    /// Whom a token must be meant for.
    pub audience: String,
    /// The claim that has the name of its bearer.
    pub name_claim: String,
    /// The claim that has the bearer's groups: its name, or a path of names with dots between.
    pub roles_claim: String,
    /// What members of a group may do.
    pub roles: BTreeMap<String, Access>,
    /// Authority of the provider's certificate, if it is no public one.
    pub ca_file: Option<PathBuf>,
    /// Whether the provider may be in a private network.
    pub allow_private: bool,
    /// Over what it is reached.
    pub egress: Option<Egress>,
}

#[derive(Debug)]
struct Shared {
    settings: OidcSettings,
    client: HttpClient,
    keys: RwLock<Option<JwkSet>>,
    wanted: Notify,
}

/// A provider whose tokens are taken. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Oidc(Arc<Shared>);

/// What the provider says of itself.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Oidc {
    /// A provider; nothing is reached yet.
    ///
    /// # Errors
    /// An authority that cannot be used.
    pub fn new(settings: OidcSettings) -> Result<Self, ClientError> {
        ring_provider::install();
        let reach = Reach {
            allow_private: settings.allow_private,
        };
        let client = {
            let ca_file = settings.ca_file.as_deref();
            HttpClient::new(reach, ca_file, TIMEOUT, settings.egress.as_ref())?
        };
        Ok(Self(Arc::new(Shared {
            settings,
            client,
            keys: RwLock::default(),
            wanted: Notify::new(),
        })))
    }

    /// Whether a token could be of a provider: three parts with dots between.
    pub(super) fn is_meant(token: &str) -> bool {
        token.split('.').count() == 3
    }

    /// Whose token it is.
    pub(super) fn caller(&self, token: &str) -> Result<Caller, Problem> {
        let refused =
            |why: &str| Problem::unauthenticated(format!("this token is not taken: {why}"));
        if token.len() > TOKEN_BYTES_MAX {
            return Err(refused("it is too long"));
        }
        let header = decode_header(token).map_err(|_| refused("its header cannot be read"))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(refused("it is not signed with a key of the provider alone"));
        }
        let Some(key) = self.key(header.kid.as_deref(), header.alg) else {
            self.0.wanted.notify_one();
            let why = "its key is not known (yet); try again in a moment";
            return Err(refused(why));
        };
        let settings = &self.0.settings;
        let mut validation = Validation::new(header.alg);
        validation.set_audience(&[&settings.audience]);
        validation.set_issuer(&[&settings.issuer]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_S;
        let decoded = decode::<Map<String, Value>>(token, &key, &validation);
        let claims = decoded.map_err(|error| refused(&error.to_string()))?.claims;
        settings.caller(&claims)
    }

    /// The key of a token.
    fn key(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        let fits = |key: &&Jwk| {
            let common = &key.common;
            let signs = common
                .public_key_use
                .as_ref()
                .is_none_or(|r#use| *r#use == PublicKeyUse::Signature);
            let named = common.key_algorithm.map(|named| named.to_string());
            signs && named.is_none_or(|named| named == format!("{algorithm:?}"))
        };
        let mut found = keys
            .as_ref()?
            .keys
            .iter()
            .filter(fits)
            .filter(|key| match kid {
                Some(kid) => key.common.key_id.as_deref() == Some(kid),
                None => true,
            });
        let key = found.next()?;
        // Without a name, only a key that stands alone is meant.
        let is_alone = kid.is_some() || found.next().is_none();
        is_alone.then(|| DecodingKey::from_jwk(key).ok()).flatten()
    }

    /// Fetches the keys, and goes on until it is told to stop.
    pub(super) async fn follow(self, stop: Stop) -> io::Result<()> {
        let stopped = stop.wait();
        tokio::pin!(stopped);
        loop {
            match self.fetch().await {
                Ok(keys) => {
                    tracing::debug!(keys = keys.keys.len(), "keys of the identity provider");
                    let mut held = self.0.keys.write().unwrap_or_else(PoisonError::into_inner);
                    *held = Some(keys);
                }
                Err(why) => {
                    let issuer = &self.0.settings.issuer;
                    tracing::warn!(
                        issuer,
                        why,
                        "the keys of the identity provider cannot be had"
                    );
                }
            }
            let has_keys = self.has_keys();
            let again = async {
                sleep(PAUSE).await;
                if has_keys {
                    // Timed out or asked for: both are a reason.
                    drop(timeout(REFRESH, self.0.wanted.notified()).await);
                }
            };
            tokio::select! {
                () = &mut stopped => return Ok(()),
                () = again => {}
            }
        }
    }

    /// Whether keys have been fetched.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        let keys = self.0.keys.read();
        keys.unwrap_or_else(PoisonError::into_inner).is_some()
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let settings = &self.0.settings;
        let body = self.0.client.get(settings.discovery.clone()).await?;
        let discovery: Discovery = serde_json::from_slice(&body)
            .map_err(|fault| format!("no OpenID configuration: {fault}"))?;
        if discovery.issuer != settings.issuer {
            return Err(format!("it calls itself {}", discovery.issuer));
        }
        let keys = Url::parse(&discovery.jwks_uri).ok();
        let keys = keys.filter(|url| url.scheme() == settings.discovery.scheme());
        let keys = keys.ok_or("its keys lie at an address that cannot be used")?;
        let body = self.0.client.get(keys).await?;
        serde_json::from_slice(&body).map_err(|fault| format!("no key set: {fault}"))
    }
}

impl OidcSettings {
    /// Where a provider says what it publishes (OpenID Connect Discovery 1.0 §4); `None` for what is no
    /// issuer.
    #[must_use]
    pub fn discovery(issuer: &str) -> Option<Url> {
        let mut url = Url::parse(issuer).ok()?;
        let is_plain =
            url.host_str().is_some() && url.query().is_none() && url.fragment().is_none();
        let path = url.path().trim_end_matches('/');
        let path = format!("{path}/.well-known/openid-configuration");
        url.set_path(&path);
        is_plain.then_some(url)
    }

    /// Who the bearer is, and may do.
    fn caller(&self, claims: &Map<String, Value>) -> Result<Caller, Problem> {
        let name = claim(claims, &self.name_claim).and_then(Value::as_str);
        let name = name.filter(|name| is_bearer(name)).ok_or_else(|| {
            let claim = &self.name_claim;
            Problem::unauthenticated(format!(
                "this token has no usable name in its claim {claim}"
            ))
        })?;
        let groups = claim(claims, &self.roles_claim);
        let groups = match groups {
            Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(group)) => group.split(' ').collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
                Vec::new()
            }
        };
        let access = groups
            .iter()
            .filter_map(|group| self.roles.get(*group))
            .max();
        let access = *access.ok_or_else(|| {
            let claim = &self.roles_claim;
            Problem::forbidden(format!(
                "no group in the claim {claim} of this token has a role"
            ))
        })?;
        Ok(Caller {
            name: Some(name.into()),
            access,
        })
    }
}

/// A claim by its name, or by a path of names.
fn claim<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    claims.get(name).or_else(|| {
        let mut names = name.split('.');
        let first = claims.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    })
}

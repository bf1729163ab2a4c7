//! Tokens of an identity provider: which are taken, as whom, and which are not.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use deskwarden::edge::clock;
use deskwarden::edge::config::Egress;
use deskwarden::edge::http::{
    Access, Credentials, Gate, Limits, Oidc, OidcSettings, Token, token_hash,
};
use deskwarden::edge::log::memory::MemoryBroker;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use serving::{Answer, Serving, Setup, get};

#[path = "support/serving.rs"]
mod serving;

/// Requests before something that happens by itself has not happened.
const TRIES: usize = 200_000;

/// A key of a provider.
struct Key {
    id: &'static str,
    pair: EcdsaKeyPair,
}

impl Key {
    fn new(id: &'static str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        Self { id, pair }
    }

    /// As it is published: RFC 7518 §6.2.1.
    fn public(&self) -> Value {
        // 4, then both coordinates: SEC 1 §2.3.3.
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id,
            "x": BASE64.encode(x), "y": BASE64.encode(y),
        })
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes());
        format!("{message}.{}", BASE64.encode(signature.unwrap()))
    }

    fn signed(&self, claims: &Value) -> String {
        self.token(
            &json!({"alg": "ES256", "typ": "JWT", "kid": self.id}),
            claims,
        )
    }
}

/// Publishes keys as a provider does.
#[derive(Clone)]
struct Provider {
    address: SocketAddr,
    /// Where it is, for whoever asks.
    host: String,
    calls_itself: Option<&'static str>,
    keys: Arc<Mutex<Vec<Value>>>,
}

impl Provider {
    fn start(keys: Vec<Value>, calls_itself: Option<&'static str>) -> Self {
        Self::start_as(None, keys, calls_itself)
    }

    /// Under a name that leads nowhere, which asks for a proxy: it is that too, and knows only itself.
    fn start_as(host: Option<&str>, keys: Vec<Value>, calls_itself: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let provider = Self {
            address,
            host: host.map_or_else(|| address.to_string(), str::to_owned),
            calls_itself,
            keys: Arc::new(Mutex::new(keys)),
        };
        let served = provider.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let line = lines.next().unwrap().unwrap();
                for line in lines {
                    if line.unwrap().is_empty() {
                        break;
                    }
                }
                let target = line.split(' ').nth(1).unwrap();
                // Whole where a proxy is asked.
                let whole = format!("http://{}", served.host);
                let path = target.strip_prefix(&whole).unwrap_or(target);
                let body = served.answer(path).to_string();
                let length = body.len();
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json";
                write!(stream, "{head}\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
            }
        });
        provider
    }

    fn issuer(&self) -> String {
        format!("http://{}/realms/corp", self.host)
    }

    fn answer(&self, path: &str) -> Value {
        match path {
            "/realms/corp/.well-known/openid-configuration" => json!({
                "issuer": match self.calls_itself {
                    None => self.issuer(),
                    Some("slash") => format!("{}/", self.issuer()),
                    Some(other) => other.to_owned(),
                },
                "jwks_uri": format!("http://{}/keys", self.host),
            }),
            "/keys" => json!({ "keys": *self.keys.lock().unwrap() }),
            _ => Value::Null,
        }
    }

    fn settings(&self) -> OidcSettings {
        let roles = [("soc", Access::Viewer), ("leads", Access::Analyst)];
        OidcSettings {
            issuer: self.issuer(),
            discovery: OidcSettings::discovery(&self.issuer()).unwrap(),
            audience: "deskwarden".to_owned(),
            name_claim: "email".to_owned(),
            roles_claim: "realm_access.roles".to_owned(),
            roles: roles
                .map(|(group, access)| (group.to_owned(), access))
                .into(),
            ca_file: None,
            allow_private: true,
            egress: None,
        }
    }

    fn claims(&self) -> Value {
        let now = clock::now().0 / 1_000;
        json!({
            "iss": self.issuer(), "aud": ["other", "deskwarden"], "sub": "7", "iat": now,
            "exp": now + 600, "email": "vera@example.com",
            "realm_access": {"roles": ["soc", "leads", "staff"]},
        })
    }
}

fn start(oidc: &Oidc) -> Serving {
    let token = Token {
        name: "siem".into(),
        access: Access::Viewer,
        sha256: token_hash("dw_siem"),
    };
    let credentials = Credentials {
        tokens: vec![token],
        certificates: BTreeMap::new(),
        oidc: Some(oidc.clone()),
    };
    let limits = Limits {
        requests_per_second: 100_000,
        streams: 10,
    };
    let gate = Gate::new(credentials, limits);
    Serving::guarded(MemoryBroker::default(), Setup::default(), gate)
}

/// Waits until the keys have been fetched.
fn with_keys(serving: &Serving, oidc: &Oidc) {
    let has_keys = || me(serving, "dw_siem").status == 200 && oidc.has_keys();
    assert!((0..TRIES).any(|_| has_keys()));
}

/// A provider with one key, and a server that knows it.
fn ready() -> (Key, Provider, Serving) {
    let key = Key::new("k1");
    let provider = Provider::start(vec![key.public()], None);
    let oidc = Oidc::new(provider.settings()).unwrap();
    let serving = start(&oidc);
    with_keys(&serving, &oidc);
    (key, provider, serving)
}

fn me(serving: &Serving, token: &str) -> Answer {
    let value = format!("Bearer {token}");
    get(serving.api, "/api/v1/me", &[("authorization", &value)])
}

fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

#[test]
fn the_keys_are_fetched_over_the_proxy() {
    let key = Key::new("k1");
    let provider = Provider::start_as(Some("idp.invalid"), vec![key.public()], None);
    let mut settings = provider.settings();
    settings.egress = Some(Egress {
        proxy: format!("http://{}", provider.address).parse().unwrap(),
        credentials: None,
        no_proxy: Vec::new(),
    });
    let oidc = Oidc::new(settings).unwrap();
    let serving = start(&oidc);
    with_keys(&serving, &oidc);
    let taken = me(&serving, &key.signed(&provider.claims()));
    assert_eq!(taken.status, 200, "{}", taken.text());
}

#[test]
fn a_token_is_taken_as_whom_the_provider_says() {
    let (key, provider, serving) = ready();
    let claims = provider.claims();
    let taken = me(&serving, &key.signed(&claims));
    assert_eq!(taken.status, 200, "{}", taken.text());
    assert_eq!(
        taken.json(),
        json!({"name": "vera@example.com", "role": "analyst"})
    );
    let viewer = with(&claims, "realm_access", json!({"roles": "soc other"}));
    assert_eq!(me(&serving, &key.signed(&viewer)).json()["role"], "viewer");
    assert_eq!(
        me(&serving, "dw_siem").json()["name"],
        "siem",
        "others as before"
    );

    let now = clock::now().0 / 1_000;
    for (claim, value, status) in [
        ("exp", json!(now - 120), 401),
        ("exp", json!("never"), 401),
        ("exp", Value::Null, 401),
        ("nbf", json!(now + 600), 401),
        ("aud", json!("other"), 401),
        ("aud", Value::Null, 401),
        ("iss", json!("https://idp.example.com"), 401),
        ("iss", Value::Null, 401),
        ("sub", Value::Null, 401),
        ("email", Value::Null, 401),
        ("email", json!("vera\n<b>"), 401),
        ("email", json!(7), 401),
        ("realm_access", json!({"roles": ["staff"]}), 403),
        ("realm_access", Value::Null, 403),
        ("realm_access", json!(["leads"]), 403),
    ] {
        let answer = me(&serving, &key.signed(&with(&claims, claim, value.clone())));
        assert_eq!(answer.status, status, "{claim} {value}: {}", answer.text());
    }
    // In force a moment ago: clocks differ.
    let late = with(&claims, "exp", json!(now - 20));
    assert_eq!(me(&serving, &key.signed(&late)).status, 200);
}

#[test]
fn what_the_provider_did_not_sign_is_nobodys() {
    let (key, provider, serving) = ready();
    let claims = provider.claims();
    let good = key.signed(&claims);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = head.split_once('.').unwrap();
    let forged = with(&claims, "email", json!("adam@example.com"));
    let forged = BASE64.encode(forged.to_string());
    let none = BASE64.encode(json!({"alg": "none"}).to_string());
    let shared = json!({"alg": "HS256", "kid": "k1"});
    let other_family = json!({"alg": "RS256", "kid": "k1"});
    for token in [
        format!("{header}.{forged}.{signature}"),
        format!("{none}.{forged}."),
        format!("{head}."),
        format!("{head}.{}", BASE64.encode([0; 64])),
        Key::new("k1").signed(&claims),
        Key::new("k2").signed(&claims),
        key.token(&shared, &claims),
        key.token(&other_family, &claims),
        key.token(&json!({"alg": "ES384", "kid": "k1"}), &claims),
        "a.b.c".to_owned(),
        "..".to_owned(),
        format!("{good}{}", "A".repeat(9_000)),
    ] {
        let answer = me(&serving, &token);
        assert_eq!(answer.status, 401, "{token}: {}", answer.text());
    }
    assert_eq!(me(&serving, &good).status, 200);
    // Without a name, the only key is meant.
    let unnamed = key.token(&json!({"alg": "ES256"}), &claims);
    assert_eq!(me(&serving, &unnamed).status, 200);
}

#[test]
fn a_new_key_is_fetched_when_a_token_names_it() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let provider = Provider::start(vec![old.public()], None);
    let oidc = Oidc::new(provider.settings()).unwrap();
    let serving = start(&oidc);
    let token = new.signed(&provider.claims());
    assert_eq!(me(&serving, &token).status, 401);
    *provider.keys.lock().unwrap() = vec![old.public(), new.public()];
    assert!((0..TRIES).any(|_| me(&serving, &token).status == 200));
    assert_eq!(me(&serving, &old.signed(&provider.claims())).status, 200);
}

/// Some providers end their name with a slash, some do not: tokens have it letter for letter.
#[test]
fn a_name_is_taken_letter_for_letter() {
    for (issuer, at) in [
        (
            "https://idp.example.com",
            "https://idp.example.com/.well-known/openid-configuration",
        ),
        (
            "https://idp.example.com/",
            "https://idp.example.com/.well-known/openid-configuration",
        ),
        (
            "https://idp.example.com/realms/corp",
            "https://idp.example.com/realms/corp/.well-known/openid-configuration",
        ),
    ] {
        assert_eq!(OidcSettings::discovery(issuer).unwrap().as_str(), at);
    }
    for none in [
        "idp.example.com",
        "https://",
        "https://idp.example.com/?a=1",
        "mailto:a@example.com",
    ] {
        assert_eq!(OidcSettings::discovery(none), None, "{none}");
    }
    let key = Key::new("k1");
    let provider = Provider::start(vec![key.public()], Some("slash"));
    let mut settings = provider.settings();
    settings.issuer.push('/');
    let oidc = Oidc::new(settings).unwrap();
    let serving = start(&oidc);
    with_keys(&serving, &oidc);
    let claims = provider.claims();
    assert_eq!(me(&serving, &key.signed(&claims)).status, 401);
    let slash = with(&claims, "iss", json!(format!("{}/", provider.issuer())));
    assert_eq!(me(&serving, &key.signed(&slash)).status, 200);
}

#[test]
fn a_provider_of_another_name_is_not_believed() {
    let key = Key::new("k1");
    let provider = Provider::start(vec![key.public()], Some("https://idp.example.com"));
    let oidc = Oidc::new(provider.settings()).unwrap();
    let serving = start(&oidc);
    for _ in 0..50 {
        let answer = me(&serving, &key.signed(&provider.claims()));
        assert_eq!(answer.status, 401);
    }
    assert!(!oidc.has_keys());
}

//! The section `http`: where is listened, and who may ask what.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Deserialize;

use crate::edge::http::{
    Access, BEARER_CHARS_MAX, Credentials, Oidc, OidcSettings, TlsFiles, Token, is_bearer,
};
use crate::edge::sinks::http::ClientError;

use super::check::Checker;
use super::egress::Egress;
use super::file::HttpFile;

const CASES_MAX: i64 = 1_000_000;
/// Every request is compared with all of them.
const TOKENS_MAX: usize = 256;

/// Settings of the HTTP side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Alerts, feed and page.
    pub listen: SocketAddr,
    /// Health and metrics.
    pub ops_listen: SocketAddr,
    /// Newest cases in memory.
    pub cases_max: usize,
    /// Who has a token.
    pub tokens: Vec<Token>,
    /// Certificates of the API.
    pub tls: Option<TlsFiles>,
    /// Roles of those who have a certificate, by a name in it.
    pub client_certificates: BTreeMap<String, Access>,
    /// The identity provider whose tokens are taken.
    pub oidc: Option<OidcSettings>,
}

impl Http {
    /// Whether who asks must say who that is.
    #[must_use]
    pub fn authenticates(&self) -> bool {
        !self.tokens.is_empty() || !self.client_certificates.is_empty() || self.oidc.is_some()
    }

    /// How callers prove who they are.
    ///
    /// # Errors
    /// An authority of the identity provider that cannot be used.
    pub fn credentials(&self) -> Result<Credentials, ClientError> {
        Ok(Credentials {
            tokens: self.tokens.clone(),
            certificates: self.client_certificates.clone(),
            oidc: self.oidc.clone().map(Oidc::new).transpose()?,
        })
    }
}

/// A token as it stands in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TokenFile {
    role: Option<Access>,
    sha256: Option<String>,
}

/// Paths of certificates as they stand in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TlsFile {
    certificate: Option<String>,
    key: Option<String>,
    client_ca: Option<String>,
}

impl Checker<'_> {
    pub(super) fn http(&mut self, file: &HttpFile, egress: Option<&Egress>, reads: bool) -> Http {
        let listen = self.address(&["http", "listen"], &file.listen);
        let ops_listen = self.address(&["http", "ops_listen"], &file.ops_listen);
        if listen == ops_listen && listen.port() != 0 {
            let what = format!("`{listen}` is http.listen already");
            self.refuse(&["http", "ops_listen"], what, "give it a port of its own");
        }
        let http = Http {
            listen,
            ops_listen,
            cases_max: self.size(&["http", "cases_max"], file.cases_max, CASES_MAX),
            tokens: self.tokens(&file.tokens),
            tls: self.tls(&file.tls, reads),
            client_certificates: file.client_certificates.clone(),
            oidc: self.oidc(&file.oidc, egress, reads),
        };
        self.certificates(&http, file.tls.client_ca.is_some());
        if !listen.ip().is_loopback() {
            let missing = match (http.tls.is_some(), http.authenticates()) {
                (true, true) => return http,
                (false, true) => "TLS",
                (true, false) => "authentication",
                (false, false) => "TLS and authentication",
            };
            let what = format!("`{listen}` can be reached from outside, without {missing}");
            let remedy = "configure `http.tls` and `http.tokens`, or listen on 127.0.0.1 or [::1] \
                          and put a proxy in front that has both";
            self.refuse(&["http", "listen"], what, remedy);
        }
        http
    }

    fn tls(&mut self, file: &TlsFile, reads: bool) -> Option<TlsFiles> {
        let at = |key| ["http", "tls", key];
        let (certificate, key) = match (&file.certificate, &file.key) {
            (Some(certificate), Some(key)) => (certificate, key),
            (None, None) => {
                if file.client_ca.is_some() {
                    let remedy = "set `http.tls.certificate` and `http.tls.key`";
                    let what = "clients show certificates over TLS only, and that is off";
                    self.refuse(&at("client_ca"), what, remedy);
                }
                return None;
            }
            (Some(_), None) => {
                let remedy = "name the file with its key under `http.tls.key`";
                self.refuse(&at("certificate"), "a certificate without its key", remedy);
                return None;
            }
            (None, Some(_)) => {
                let remedy = "name the file with its certificate under `http.tls.certificate`";
                self.refuse(&at("key"), "a key without its certificate", remedy);
                return None;
            }
        };
        let client_ca = file.client_ca.as_deref();
        let files = TlsFiles {
            certificate: self.beside(&at("certificate"), certificate),
            key: self.beside(&at("key"), key),
            client_ca: client_ca.map(|path| self.beside(&at("client_ca"), path)),
        };
        if reads && let Err(fault) = files.check() {
            self.refuse(&at(fault.setting), fault.what, fault.remedy);
        }
        Some(files)
    }

    /// An authority without names lets nobody in, and names without one are never shown.
    fn certificates(&mut self, http: &Http, has_authority: bool) {
        let names = &http.client_certificates;
        if http.tls.is_some() && has_authority && names.is_empty() {
            let remedy = "name who is let in under `http.client_certificates`, as `NAME: viewer`";
            let what = "clients may show certificates, but no name has a role";
            self.refuse(&["http", "tls", "client_ca"], what, remedy);
        } else if !has_authority && !names.is_empty() {
            let remedy = "set `http.tls.client_ca`, or take the names out";
            let what = "no authority is set whose certificates could hold these names";
            self.refuse(&["http", "client_certificates"], what, remedy);
        }
    }

    fn tokens(&mut self, files: &BTreeMap<String, TokenFile>) -> Vec<Token> {
        if files.len() > TOKENS_MAX {
            let what = format!("{} tokens are more than {TOKENS_MAX}", files.len());
            self.refuse(&["http", "tokens"], what, "take out those that nobody uses");
        }
        let mut tokens: Vec<Token> = Vec::new();
        for (name, file) in files {
            let at = |key| ["http", "tokens", name.as_str(), key];
            if !is_bearer(name) {
                let what = format!("`{name}` is no name of a bearer");
                let remedy = format!(
                    "write at most {BEARER_CHARS_MAX} letters, digits, `.`, `_`, `-` and `@`"
                );
                let fault = self.fault_of_key(&["http", "tokens", name], what, &remedy);
                self.faults.push(fault);
            }
            if file.role.is_none() {
                let remedy = "write viewer, analyst or admin";
                self.refuse(&at("role"), "not set, and has no default", remedy);
            }
            let mut sha256 = [0; 32];
            let given = file.sha256.as_deref().unwrap_or_default();
            if hex::decode_to_slice(given, &mut sha256).is_err() {
                // What is no hash may be the token itself: it is not shown.
                let what = "not the SHA-256 of a token, which has 64 hexadecimal digits";
                let remedy = "write what `deskwarden token new` prints, never the token itself";
                self.refuse(&at("sha256"), what, remedy);
            } else if let Some(other) = tokens.iter().find(|token| token.sha256 == sha256) {
                let what = format!("the token of `{}` already", other.name);
                self.refuse(
                    &at("sha256"),
                    what,
                    "make a token of its own for each bearer",
                );
            }
            tokens.push(Token {
                name: name.as_str().into(),
                access: file.role.unwrap_or(Access::Viewer),
                sha256,
            });
        }
        tokens
    }
}

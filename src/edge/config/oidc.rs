//! The section `http.oidc`: the identity provider whose tokens are taken.

use std::collections::BTreeMap;

use reqwest::Url;
use serde::Deserialize;

use crate::edge::http::{Access, OidcSettings};
use crate::edge::sinks::tls;

use super::check::Checker;
use super::egress::Egress;

/// As it stands in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OidcFile {
    issuer: Option<String>,
    audience: Option<String>,
    name_claim: String,
    roles_claim: String,
    roles: BTreeMap<String, Access>,
    ca_file: Option<String>,
    allow_private: bool,
}

impl Checker<'_> {
    /// The provider, if one is named.
    pub(super) fn oidc(
        &mut self,
        file: &OidcFile,
        egress: Option<&Egress>,
        reads: bool,
    ) -> Option<OidcSettings> {
        let at = |key| ["http", "oidc", key];
        let Some(issuer) = &file.issuer else {
            if file.audience.is_some() {
                let remedy = "set `http.oidc.issuer`, or take it out";
                self.refuse(
                    &at("audience"),
                    "no provider is named whose tokens could say it",
                    remedy,
                );
            }
            return None;
        };
        let discovery = self.discovery(issuer, file.allow_private)?;
        let audience = file
            .audience
            .clone()
            .filter(|audience| !audience.is_empty());
        if audience.is_none() {
            let remedy =
                "write the audience, or client id, that the provider puts into tokens for this";
            self.refuse(
                &at("issuer"),
                "its tokens may be meant for anybody: `audience` is not set",
                remedy,
            );
        }
        for (key, claim) in [
            ("name_claim", &file.name_claim),
            ("roles_claim", &file.roles_claim),
        ] {
            if claim.is_empty() {
                self.refuse(
                    &at(key),
                    "names no claim",
                    "write the name of a claim of its tokens",
                );
            }
        }
        if file.roles.is_empty() {
            let remedy = "name groups under `http.oidc.roles`, as `GROUP: analyst`";
            self.refuse(
                &at("roles"),
                "no group has a role: nobody would be let in",
                remedy,
            );
        }
        let ca_file = file
            .ca_file
            .as_deref()
            .map(|path| self.beside(&at("ca_file"), path));
        if reads && let Err(fault) = tls::client(ca_file.as_deref()) {
            self.refuse(
                &at("ca_file"),
                fault.to_string(),
                "name a PEM file with certificates",
            );
        }
        Some(OidcSettings {
            issuer: issuer.clone(),
            discovery,
            audience: audience?,
            name_claim: file.name_claim.clone(),
            roles_claim: file.roles_claim.clone(),
            roles: file.roles.clone(),
            ca_file,
            allow_private: file.allow_private,
            egress: egress.cloned(),
        })
    }

    fn discovery(&mut self, text: &str, allow_private: bool) -> Option<Url> {
        let url = OidcSettings::discovery(text);
        let url = url.filter(|url| match url.scheme() {
            "https" => true,
            "http" => allow_private,
            _ => false,
        });
        if url.is_none() {
            let remedy = "write it as https://idp.example.com, as the tokens have it";
            let what = format!("`{text}` is no issuer");
            self.refuse(&["http", "oidc", "issuer"], what, remedy);
        }
        url
    }
}

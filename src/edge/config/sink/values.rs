//! Values of a sink: secrets, addresses, and files that it names.

use std::path::PathBuf;

use reqwest::Url;

use crate::deliver::encode::webhook::Key;
use crate::edge::config::check::Checker;
use crate::edge::config::secret::{Secret, Unresolved, resolve};
use crate::edge::sinks::template_fault;
use crate::edge::sinks::tls::authorities;

/// The old key and the new one.
const SIGNING_KEYS_MAX: usize = 2;
const TEMPLATE_BYTES_MAX: u64 = 256 << 10;

impl Checker<'_> {
    pub(super) fn secret(&mut self, path: &[&str], given: &str) -> Option<Secret<String>> {
        match resolve(given, self.environment) {
            Ok(secret) if secret.expose().is_empty() => {
                self.refuse(path, "empty", "write the value, or a reference to it");
                None
            }
            Ok(secret) => Some(secret),
            Err(Unresolved(what, remedy)) => {
                self.refuse(path, what, &remedy);
                None
            }
        }
    }

    /// An address of the web: https, or http where private addresses are meant. `path` is what
    /// belongs behind it, where that is not there yet.
    pub(super) fn url(
        &mut self,
        name: &str,
        given: Option<&str>,
        allow_private: bool,
        path: &str,
    ) -> Option<Secret<Url>> {
        let mut url = self.web_address(&["sinks", name, "url"], given, allow_private)?;
        if !path.is_empty() && !url.path().ends_with(path) {
            let whole = format!("{}/{path}", url.path().trim_end_matches('/'));
            url.set_path(&whole);
        }
        Some(Secret::new(url))
    }

    /// An address of the web, as it is written.
    pub(super) fn web_address(
        &mut self,
        at: &[&str],
        given: Option<&str>,
        allow_private: bool,
    ) -> Option<Url> {
        let Some(given) = given else {
            let remedy = "write the address of the receiver, such as https://alerts.example.com/";
            self.refuse(at, "not set, and has no default", remedy);
            return None;
        };
        let text = self.secret(at, given)?;
        let Ok(url) = Url::parse(text.expose()) else {
            self.refuse(
                at,
                "no web address",
                "write it as https://alerts.example.com/path",
            );
            return None;
        };
        let is_allowed = match url.scheme() {
            "https" => true,
            "http" => allow_private,
            _ => false,
        };
        if !is_allowed {
            let what = format!("`{}` is not encrypted", url.scheme());
            let remedy = "write https://, or set `allow_private: true` for a host of this network";
            self.refuse(at, what, remedy);
        }
        if url.host_str().is_none_or(str::is_empty) {
            self.refuse(
                at,
                "names no host",
                "write it as https://alerts.example.com/path",
            );
        }
        Some(url)
    }

    pub(super) fn host_and_port(
        &mut self,
        name: &str,
        given: Option<&str>,
    ) -> Option<(String, u16)> {
        let at = ["sinks", name, "address"];
        let remedy = "write it as siem.example.com:6514";
        let Some(given) = given else {
            self.refuse(&at, "not set, and has no default", remedy);
            return None;
        };
        let parted = given.rsplit_once(':');
        let parted = parted.and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        let parted = parted.filter(|(host, port)| !host.is_empty() && *port > 0);
        let Some((host, port)) = parted else {
            self.refuse(&at, format!("`{given}` is no host with a port"), remedy);
            return None;
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        Some((bare.to_owned(), port))
    }

    pub(super) fn signing_secrets(&mut self, name: &str, given: &[String]) -> Vec<Secret<String>> {
        let at = |index: usize| {
            [
                "sinks".into(),
                name.into(),
                "signing_secrets".into(),
                index.to_string(),
            ]
        };
        let mut secrets = Vec::new();
        if given.len() > SIGNING_KEYS_MAX {
            let what = format!("more than {SIGNING_KEYS_MAX} keys");
            let path = ["sinks", name, "signing_secrets"];
            self.refuse(&path, what, "keep the old and the new one");
        }
        for (index, given) in given.iter().enumerate() {
            let path: [String; 4] = at(index);
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let Some(secret) = self.secret(&path, given) else {
                continue;
            };
            if let Err(fault) = Key::read(secret.expose()) {
                let remedy = "write `whsec_` and the key in base64 \
                              (`echo whsec_$(openssl rand -base64 32)`)";
                self.refuse(&path, fault.to_string(), remedy);
            }
            secrets.push(secret);
        }
        secrets
    }

    pub(super) fn ca_file(&mut self, path: &[&str], given: Option<&str>) -> Option<PathBuf> {
        let file = self.file_named(path, given)?;
        if file.is_file()
            && let Err(fault) = authorities(&file)
        {
            self.refuse(
                path,
                fault.to_string(),
                "name a file with certificates, PEM",
            );
        }
        Some(file)
    }

    pub(super) fn template(&mut self, name: &str, given: Option<&str>) -> Option<String> {
        let at = ["sinks", name, "template"];
        let path = self.file_named(&at, given).filter(|path| path.is_file())?;
        let size = std::fs::metadata(&path).map_or(0, |data| data.len());
        if size > TEMPLATE_BYTES_MAX {
            let what = format!(
                "`{}` has {size} bytes, too many for a template",
                path.display()
            );
            self.refuse(&at, what, "shorten it");
            return None;
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                if let Some(fault) = template_fault(&text) {
                    self.refuse(&at, fault, "correct the template");
                }
                Some(text)
            }
            Err(cause) => {
                let what = format!("cannot read `{}`: {cause}", path.display());
                self.refuse(&at, what, "check its permissions, and that it is UTF-8");
                None
            }
        }
    }
}

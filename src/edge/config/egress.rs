//! The section `egress`: the proxy over which receivers and the identity provider are reached.

use reqwest::Url;
use serde::Deserialize;

use super::check::Checker;
use super::secret::Secret;

/// Hosts that are reached without it: more belong into the rules of the proxy.
const NO_PROXY_MAX: usize = 1_000;

/// As it stands in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EgressFile {
    proxy: Option<String>,
    username: Option<String>,
    password: Option<String>,
    no_proxy: Vec<String>,
}

/// A proxy that opens ways out (HTTP `CONNECT`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Egress {
    /// Its address, without credentials.
    pub proxy: Url,
    /// Name and password, where it asks for them.
    pub credentials: Option<(String, Secret<String>)>,
    /// Domains with what is below them, addresses and networks that are reached without it.
    pub no_proxy: Vec<String>,
}

impl Checker<'_> {
    /// The proxy, if one is named.
    pub(super) fn egress(&mut self, file: &EgressFile) -> Option<Egress> {
        self.no_proxy(&file.no_proxy);
        let Some(given) = &file.proxy else {
            for (key, is_given) in [
                ("username", file.username.is_some()),
                ("password", file.password.is_some()),
            ] {
                if is_given {
                    let what = "no proxy is named that would ask for it";
                    self.refuse(&["egress", key], what, "set `egress.proxy`, or take it out");
                }
            }
            return None;
        };
        let credentials = self.proxy_credentials(file);
        Some(Egress {
            proxy: self.proxy(given)?,
            credentials,
            no_proxy: file.no_proxy.clone(),
        })
    }

    fn proxy(&mut self, given: &str) -> Option<Url> {
        let at = ["egress", "proxy"];
        let remedy = "write it as http://proxy.example.com:3128";
        let url = Url::parse(given).ok();
        let url = url.filter(|url| {
            let is_web = ["http", "https"].contains(&url.scheme());
            is_web && url.host_str().is_some_and(|host| !host.is_empty())
        });
        let Some(url) = url else {
            // It may hold a password: it is not repeated.
            self.refuse(&at, "no address of a proxy", remedy);
            return None;
        };
        if !url.username().is_empty() || url.password().is_some() {
            let remedy = "write them as `egress.username` and `egress.password`";
            self.refuse(&at, "holds credentials", remedy);
            return None;
        }
        if !["", "/"].contains(&url.path()) || url.query().is_some() {
            self.refuse(&at, "a proxy has no path", remedy);
            return None;
        }
        Some(url)
    }

    fn proxy_credentials(&mut self, file: &EgressFile) -> Option<(String, Secret<String>)> {
        match (&file.username, &file.password) {
            (Some(name), Some(given)) => {
                let password = match super::secret::resolve(given, self.environment) {
                    Ok(password) => password,
                    Err(super::secret::Unresolved(what, remedy)) => {
                        self.refuse(&["egress", "password"], what, &remedy);
                        return None;
                    }
                };
                if name.is_empty() || name.contains(':') {
                    let what = "no name of a user";
                    let remedy = "write it without a colon, as the proxy knows it";
                    self.refuse(&["egress", "username"], what, remedy);
                }
                Some((name.clone(), password))
            }
            (Some(_), None) => {
                let remedy = "set `egress.password` too, as ${env:NAME} or ${file:/path}";
                self.refuse(&["egress", "username"], "has no password", remedy);
                None
            }
            (None, Some(_)) => {
                let remedy = "set `egress.username` too";
                self.refuse(&["egress", "password"], "belongs to nobody", remedy);
                None
            }
            (None, None) => None,
        }
    }

    fn no_proxy(&mut self, given: &[String]) {
        if given.len() > NO_PROXY_MAX {
            let what = format!("more than {NO_PROXY_MAX} entries");
            self.refuse(&["egress", "no_proxy"], what, "write domains and networks");
        }
        for (index, entry) in given.iter().enumerate() {
            let is_host = !entry.is_empty()
                && entry
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || ".-_:/".contains(c));
            if !is_host || entry.contains("://") {
                let path = ["egress", "no_proxy", &index.to_string()];
                let what = format!("`{entry}` is no domain, address or network");
                let remedy = "write it as corp.example.com, 10.0.0.5 or 10.0.0.0/8";
                self.refuse(&path, what, remedy);
            }
        }
    }
}

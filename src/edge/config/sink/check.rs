//! What of a sink can be wrong.

use std::num::NonZeroU32;
use std::time::Duration;

use reqwest::Url;

use crate::deliver::encode::webhook::Key;
use crate::deliver::filter::TIERS;
use crate::deliver::pii::Masking;
use crate::deliver::route::{Floor, Route};
use crate::edge::config::check::{Checker, is_name};
use crate::edge::config::secret::{Secret, Unresolved, resolve};
use crate::edge::config::units::Span;

use super::{PARTICULAR, PiiName, Receiver, SinkFile, SinkSetup, SinkType, kind, word};

/// Where PagerDuty takes events; accounts of the EU have one of their own.
const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";
/// Where Splunk takes events, behind the address of the collector.
const HEC_PATH: &str = "services/collector/event";
/// Where Alertmanager takes alerts, behind its address.
const ALERTMANAGER_PATH: &str = "api/v2/alerts";
/// Length of an integration key.
const ROUTING_KEY_CHARS: usize = 32;
/// The old key and the new one.
const SIGNING_KEYS_MAX: usize = 2;
const RETRY_FOR: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(7 * 24));
const SINCE: (Duration, Duration) = (Duration::ZERO, Duration::from_hours(7 * 24));
const TIMEOUT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));
/// Alertmanager forgets what is not said again; more often is noise.
const REPEAT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(180));
const RESOLVE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_hours(24));
const RATE_MAX: i64 = 10_000;
const TEMPLATE_BYTES_MAX: u64 = 256 << 10;

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);
/// A receiver that does not answer by then is taken for away.
const TIMEOUT_USUAL: Duration = Duration::from_secs(5);
const REPEAT_USUAL: Duration = Duration::from_secs(60);
const RESOLVE_USUAL: Duration = Duration::from_secs(900);

impl Checker<'_> {
    /// One sink. `None` where it cannot be told what it is, or what it needs is missing.
    pub(in crate::edge::config) fn sink(
        &mut self,
        name: &str,
        file: SinkFile,
    ) -> Option<SinkSetup> {
        let at = |key| ["sinks", name, key];
        if !is_name(name) {
            let what = format!("`{name}` is no name of a sink");
            let remedy = "write letters, digits, `.`, `_` and `-`";
            self.refuse(&["sinks", name], what, remedy);
        }
        let Some(of) = file.r#type else {
            let remedy =
                "write one of pagerduty, alertmanager, slack, teams, webhook, syslog, splunk";
            self.refuse(&at("type"), "not set, and has no default", remedy);
            return None;
        };
        let usual = kind(of);
        self.particular(name, of, usual.keys);
        let allow_private = file.allow_private.unwrap_or(false);
        let setup = SinkSetup {
            name: name.to_owned(),
            receiver: self.receiver(name, of, &file, allow_private)?,
            route: self.route(name, &file, usual.floor),
            masking: match file.pii {
                Some(PiiName::None) => Masking::None,
                Some(PiiName::Mask) | None => Masking::Mask,
            },
            ca_file: self.file_named(&at("ca_file"), file.ca_file.as_deref()),
            allow_private,
            timeout: self.span_or(&at("timeout"), file.timeout, TIMEOUT_USUAL, TIMEOUT),
            retry_for: self.span_or(&at("retry_for"), file.retry_for, DAY, RETRY_FOR),
            since: self.span_or(&at("since"), file.since, HOUR, SINCE),
            rate_per_second: match file.rate_per_second {
                None => usual.rate,
                Some(rate) => {
                    let rate = self.number(&at("rate_per_second"), rate, (1, RATE_MAX));
                    NonZeroU32::new(u32::try_from(rate).unwrap_or(u32::MAX))
                }
            },
            storm_per_minute: match file.storm_per_minute {
                None => usual.storm,
                Some(calls) => {
                    let calls = self.number(&at("storm_per_minute"), calls, (0, RATE_MAX));
                    usize::try_from(calls).ok().filter(|calls| *calls > 0)
                }
            },
            dry_run: file.dry_run.unwrap_or(false),
        };
        Some(setup)
    }

    fn span_or(
        &mut self,
        path: &[&str],
        given: Option<Span>,
        usual: Duration,
        bounds: (Duration, Duration),
    ) -> Duration {
        given.map_or(usual, |span| self.span(path, span, bounds))
    }

    /// Settings of other kinds.
    fn particular(&mut self, name: &str, of: SinkType, keys: &[&str]) {
        for key in PARTICULAR.iter().filter(|key| !keys.contains(key)) {
            let path = ["sinks", name, key];
            if self.tree.at(&path.map(str::to_owned)).is_some() {
                let what = format!("a sink of type {} has no `{key}`", word(of));
                let remedy = format!("take it out; its own settings are {}", keys.join(", "));
                self.refuse(&path, what, &remedy);
            }
        }
    }

    fn route(&mut self, name: &str, file: &SinkFile, usual: Floor) -> Route {
        let at = |key| ["sinks", name, key];
        let floor = match (file.min_severity, file.page_from) {
            (Some(_), Some(_)) => {
                let what = "`min_severity` is set too: a sink goes by one of them";
                let remedy = "keep page_from for what wakes people, else min_severity";
                self.refuse(&at("page_from"), what, remedy);
                usual
            }
            (Some(least), None) => Floor::Severity(least.id()),
            (None, Some(least)) => Floor::Page(least.id()),
            (None, None) => usual,
        };
        let listed = format!("the tiers are: {}", TIERS.join(", "));
        for (index, tier) in file.tiers.iter().enumerate() {
            if !TIERS.contains(&tier.as_str()) {
                let path = ["sinks", name, "tiers", &index.to_string()];
                let fault = self.fault(&path, format!("`{tier}` is no tier"), listed.clone());
                let fault = fault.map(|fault| fault.or_rather(tier, &TIERS));
                self.faults.extend(fault);
            }
        }
        for (index, pattern) in file.patterns.iter().enumerate() {
            if !is_pattern(pattern) {
                let path = ["sinks", name, "patterns", &index.to_string()];
                let what = format!("`{pattern}` is no id of a pattern");
                self.refuse(&path, what, "write it as HDT-04, or HDT-04b for one branch");
            }
        }
        Route {
            floor,
            tiers: file.tiers.clone(),
            patterns: file.patterns.clone(),
        }
    }

    fn receiver(
        &mut self,
        name: &str,
        of: SinkType,
        file: &SinkFile,
        allow_private: bool,
    ) -> Option<Receiver> {
        let at = |key| ["sinks", name, key];
        let token = |this: &mut Self| {
            let given = file.token.as_deref()?;
            this.secret(&at("token"), given)
        };
        Some(match of {
            SinkType::Pagerduty => self.pagerduty(name, file, allow_private)?,
            SinkType::Alertmanager => Receiver::Alertmanager {
                url: self.url(name, file.url.as_deref(), allow_private, ALERTMANAGER_PATH)?,
                token: token(self),
                repeat_interval: self.span_or(
                    &at("repeat_interval"),
                    file.repeat_interval,
                    REPEAT_USUAL,
                    REPEAT,
                ),
                resolve_timeout: self.span_or(
                    &at("resolve_timeout"),
                    file.resolve_timeout,
                    RESOLVE_USUAL,
                    RESOLVE,
                ),
            },
            SinkType::Slack => Receiver::Slack {
                url: self.url(name, file.url.as_deref(), allow_private, "")?,
            },
            SinkType::Teams => Receiver::Teams {
                url: self.url(name, file.url.as_deref(), allow_private, "")?,
            },
            SinkType::Webhook => Receiver::Webhook {
                url: self.url(name, file.url.as_deref(), allow_private, "")?,
                token: token(self),
                signing_secrets: self.signing_secrets(name, &file.signing_secrets),
                template: self.template(name, file.template.as_deref()),
            },
            SinkType::Syslog => {
                let (host, port) = self.host_and_port(name, file.address.as_deref())?;
                let tls = file.tls.unwrap_or(true);
                if !tls && !allow_private {
                    let what = "alerts would cross the network unencrypted";
                    let remedy =
                        "use TLS, or set `allow_private: true` for a server of this network";
                    self.refuse(&at("tls"), what, remedy);
                }
                Receiver::Syslog { host, port, tls }
            }
            SinkType::Splunk => self.splunk(name, file, allow_private)?,
        })
    }

    fn pagerduty(&mut self, name: &str, file: &SinkFile, allow_private: bool) -> Option<Receiver> {
        let at = ["sinks", name, "routing_key"];
        let remedy = "write the integration key of the service (Events API v2)";
        let url = file.url.as_deref().unwrap_or(PAGERDUTY_URL);
        let url = self.url(name, Some(url), allow_private, "")?;
        let Some(given) = &file.routing_key else {
            self.refuse(&at, "not set, and has no default", remedy);
            return None;
        };
        let routing_key = self.secret(&at, given)?;
        let key = routing_key.expose();
        if key.len() != ROUTING_KEY_CHARS || !key.chars().all(|c| c.is_ascii_alphanumeric()) {
            let what = format!("not {ROUTING_KEY_CHARS} letters and digits");
            self.refuse(&at, what, remedy);
        }
        Some(Receiver::PagerDuty { url, routing_key })
    }

    fn splunk(&mut self, name: &str, file: &SinkFile, allow_private: bool) -> Option<Receiver> {
        let at = ["sinks", name, "token"];
        let url = self.url(name, file.url.as_deref(), allow_private, HEC_PATH);
        let Some(given) = &file.token else {
            let remedy = "write the token of the HTTP Event Collector";
            self.refuse(&at, "not set, and has no default", remedy);
            return None;
        };
        Some(Receiver::Splunk {
            token: self.secret(&at, given)?,
            url: url?,
            index: file.index.clone(),
        })
    }

    fn secret(&mut self, path: &[&str], given: &str) -> Option<Secret<String>> {
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
    fn url(
        &mut self,
        name: &str,
        given: Option<&str>,
        allow_private: bool,
        path: &str,
    ) -> Option<Secret<Url>> {
        let at = ["sinks", name, "url"];
        let Some(given) = given else {
            let remedy = "write the address of the receiver, such as https://alerts.example.com/";
            self.refuse(&at, "not set, and has no default", remedy);
            return None;
        };
        let text = self.secret(&at, given)?;
        let Ok(mut url) = Url::parse(text.expose()) else {
            self.refuse(
                &at,
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
            self.refuse(&at, what, remedy);
        }
        if url.host_str().is_none_or(str::is_empty) {
            self.refuse(
                &at,
                "names no host",
                "write it as https://alerts.example.com/path",
            );
        }
        if !path.is_empty() && !url.path().ends_with(path) {
            let whole = format!("{}/{path}", url.path().trim_end_matches('/'));
            url.set_path(&whole);
        }
        Some(Secret::new(url))
    }

    fn host_and_port(&mut self, name: &str, given: Option<&str>) -> Option<(String, u16)> {
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

    fn signing_secrets(&mut self, name: &str, given: &[String]) -> Vec<Secret<String>> {
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

    fn template(&mut self, name: &str, given: Option<&str>) -> Option<String> {
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
            Ok(text) => Some(text),
            Err(cause) => {
                let what = format!("cannot read `{}`: {cause}", path.display());
                self.refuse(&at, what, "check its permissions, and that it is UTF-8");
                None
            }
        }
    }
}

/// `HDT-04`, or with a branch `HDT-04b`.
fn is_pattern(text: &str) -> bool {
    let number = text.strip_prefix("HDT-").unwrap_or_default();
    let (digits, branch) = number.split_at_checked(2).unwrap_or(("", ""));
    digits.len() == 2
        && digits.bytes().all(|b| b.is_ascii_digit())
        && branch.len() <= 1
        && branch.bytes().all(|b| b.is_ascii_lowercase())
}

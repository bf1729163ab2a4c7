//! What of a sink can be wrong.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::deliver::filter::TIERS;
use crate::deliver::pii::Masking;
use crate::deliver::route::{Floor, Route};
use crate::edge::config::check::{Checker, is_name};
use crate::edge::config::egress::Egress;
use crate::edge::config::units::Span;

use super::{PARTICULAR, PiiName, Receiver, SinkFile, SinkSetup, SinkType, kind};
use crate::edge::config::show::word;

/// Where PagerDuty takes events; accounts of the EU have one of their own.
const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";
/// Where Splunk takes events, behind the address of the collector.
const HEC_PATH: &str = "services/collector/event";
/// Where Alertmanager takes alerts, behind its address.
const ALERTMANAGER_PATH: &str = "api/v2/alerts";
/// Length of an integration key.
const ROUTING_KEY_CHARS: usize = 32;
const RETRY_FOR: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(7 * 24));
const SINCE: (Duration, Duration) = (Duration::ZERO, Duration::from_hours(7 * 24));
/// Longer is no gathering: a takeover is over within minutes.
const GROUP_WAIT: (Duration, Duration) = (Duration::ZERO, Duration::from_secs(300));
/// As long as that what was told is told again after a crash.
const GROUP_INTERVAL: (Duration, Duration) = (Duration::ZERO, Duration::from_hours(1));
const TIMEOUT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));
/// Alertmanager forgets what is not said again; more often is noise.
const REPEAT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(180));
const RESOLVE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_hours(24));
const RATE_MAX: i64 = 10_000;

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
        egress: Option<&Egress>,
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
        self.groups(name, of, &file);
        let allow_private = file.allow_private.unwrap_or(false);
        let setup = SinkSetup {
            name: name.to_owned(),
            receiver: self.receiver(name, of, &file, allow_private)?,
            route: self.route(name, &file, usual.floor),
            masking: match file.pii {
                Some(PiiName::None) => Masking::None,
                Some(PiiName::Mask) | None => Masking::Mask,
            },
            ca_file: self.ca_file(&at("ca_file"), file.ca_file.as_deref()),
            allow_private,
            egress: egress.cloned(),
            timeout: self.span_or(&at("timeout"), file.timeout, TIMEOUT_USUAL, TIMEOUT),
            retry_for: self.span_or(&at("retry_for"), file.retry_for, DAY, RETRY_FOR),
            group_wait: self.span_or(
                &at("group_wait"),
                file.group_wait,
                Duration::ZERO,
                GROUP_WAIT,
            ),
            group_interval: self.span_or(
                &at("group_interval"),
                file.group_interval,
                Duration::ZERO,
                GROUP_INTERVAL,
            ),
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

    /// Alertmanager gathers by itself, and has to hear of an end at once.
    fn groups(&mut self, name: &str, of: SinkType, file: &SinkFile) {
        if of != SinkType::Alertmanager {
            return;
        }
        let given = [
            ("group_wait", file.group_wait.is_some()),
            ("group_interval", file.group_interval.is_some()),
        ];
        for (key, _) in given.iter().filter(|(_, is_given)| *is_given) {
            let what = "Alertmanager gathers by itself";
            let remedy = format!("take it out, and set `{key}` in the route of Alertmanager");
            self.refuse(&["sinks", name, key], what, &remedy);
        }
    }

    /// Settings of other kinds.
    fn particular(&mut self, name: &str, of: SinkType, keys: &[&str]) {
        for key in PARTICULAR.iter().filter(|key| !keys.contains(key)) {
            let path = ["sinks", name, key];
            if self.tree.at(&path.map(str::to_owned)).is_some() {
                let what = format!("a sink of type {} has no `{key}`", word(&of));
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
            SinkType::Slack => self.slack(name, file, allow_private)?,
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

//! From what the files say to what holds: every value in its bounds, every fault told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::fault::Fault;
use super::file::{ConfigFile, CorrelateFile, DirectoryFile, RetentionFile};
use super::node::{Node, Origin, Value};
use super::secret::{Secret, Unresolved, resolve};
use super::units::{Bytes, Span, bytes_text, span_text};
use super::{Collect, Config, Correlate, Directory, Entities, Needs, Retention, Source, show};

const VERSION: i64 = 1;
/// A topic name has at most 249 characters, and ours append up to 20.
const NAME_MAX: usize = 200;
/// 128 bits as hexadecimal text: what HMAC keys of less are worth is not worth having.
const KEY_CHARS_MIN: usize = 32;
/// More threads than this share nothing but the process.
const WORKERS_MAX: i64 = 256;
/// Above it a commit holds its readers up; below it nothing would be gathered.
const BATCH_MAX: i64 = 1_000_000;
const BATCH_BYTES: (u64, u64) = (64 << 10, 256 << 20);
/// A transaction must end well before its timeout of 15 s.
const GATHER: (Duration, Duration) = (Duration::ZERO, Duration::from_secs(5));
const MAX_WAIT: (Duration, Duration) = (Duration::from_secs(60), Duration::from_hours(24));
const DAY: Duration = Duration::from_hours(24);
/// Twice the longest window of the shipped rules: enough to rebuild every window.
const EVENTS_MIN: Duration = Duration::from_hours(14 * 24);
/// Longest life of a case before lateness is added.
const CASE_LIFE: Duration = Duration::from_hours(7 * 24);
/// A century: more is a mistake of units.
const RETENTION_MAX: Duration = Duration::from_hours(36_500 * 24);
const STALE_AFTER: (Duration, Duration) = (Duration::from_hours(1), Duration::from_hours(90 * 24));
const ENTITIES_MAX: i64 = 1_000_000_000;

/// The systems that accounts come from.
const SYSTEMS: [&str; 8] = [
    "hris",
    "okta",
    "entra",
    "servicenow",
    "zendesk",
    "jira",
    "amazon_connect",
    "genesys",
];

/// Checks what was read, and knows where each value was said.
pub(super) struct Checker<'t> {
    pub(super) tree: &'t Node,
    /// Paths that were found wrong already: nothing more is said of them.
    broken: &'t [Vec<String>],
    pub(super) environment: &'t BTreeMap<String, String>,
    pub(super) faults: Vec<Fault>,
}

impl<'t> Checker<'t> {
    pub(super) const fn new(
        tree: &'t Node,
        broken: &'t [Vec<String>],
        environment: &'t BTreeMap<String, String>,
    ) -> Self {
        Self {
            tree,
            broken,
            environment,
            faults: Vec::new(),
        }
    }

    /// Where a setting, or the section that lacks it, was said.
    pub(super) fn origin(&self, path: &[String]) -> Origin {
        if let Some(node) = self.tree.at(path)
            && !matches!(node.value, Value::Map(_))
        {
            return node.origin.clone();
        }
        let Some((last, section)) = path.split_last() else {
            return Origin::Default;
        };
        let entry = self.tree.at(section).and_then(|node| node.entry(last));
        entry.map_or_else(|| self.origin(section), |entry| entry.key_origin.clone())
    }

    /// A fault of a setting, unless that was found wrong already.
    pub(super) fn fault(
        &self,
        path: &[&str],
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Option<Fault> {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        let told = self.broken.iter().any(|broken| path.starts_with(broken));
        (!told).then(|| Fault::at(&self.origin(&path), &path, what).remedy(remedy))
    }

    /// A fault of the key of a setting.
    pub(super) fn fault_of_key(&self, path: &[&str], what: String, remedy: &str) -> Fault {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        let (last, section) = path
            .split_last()
            .map_or(("", &[][..]), |(l, s)| (l.as_str(), s));
        let entry = self.tree.at(section).and_then(|node| node.entry(last));
        let origin = entry.map_or(Origin::Default, |entry| entry.key_origin.clone());
        Fault::at_key(&origin, &path, what).remedy(remedy)
    }

    pub(super) fn refuse(&mut self, path: &[&str], what: impl Into<String>, remedy: &str) {
        let fault = self.fault(path, what, remedy);
        self.faults.extend(fault);
    }

    pub(super) fn number(&mut self, path: &[&str], value: i64, (least, most): (i64, i64)) -> i64 {
        if !(least..=most).contains(&value) {
            let what = format!("`{value}` is not between {least} and {most}");
            let remedy = format!("write a whole number from {least} to {most}");
            self.refuse(path, what, &remedy);
        }
        value.clamp(least, most)
    }

    pub(super) fn size(&mut self, path: &[&str], value: i64, most: i64) -> usize {
        usize::try_from(self.number(path, value, (1, most))).unwrap_or(1)
    }

    pub(super) fn span(
        &mut self,
        path: &[&str],
        value: Span,
        (least, most): (Duration, Duration),
    ) -> Duration {
        if !(least..=most).contains(&value.0) {
            let (given, least, most) = (span_text(value.0), span_text(least), span_text(most));
            let what = format!("`{given}` is not between {least} and {most}");
            let remedy = format!("write a duration from {least} to {most}");
            self.refuse(path, what, &remedy);
        }
        value.0
    }

    fn batch_bytes(&mut self, path: &[&str], value: Bytes) -> usize {
        let (least, most) = BATCH_BYTES;
        if !(least..=most).contains(&value.0) {
            let (given, least, most) = (bytes_text(value.0), bytes_text(least), bytes_text(most));
            let what = format!("`{given}` is not between {least} and {most}");
            let remedy = format!("write a size from {least} to {most}");
            self.refuse(path, what, &remedy);
        }
        usize::try_from(value.0).unwrap_or(usize::MAX)
    }

    /// A name that stands in names of topics, groups and ids.
    fn name(&mut self, path: &[&str], text: &str) -> String {
        if !is_name(text) || text.len() > NAME_MAX {
            let what = format!("`{text}` is no name");
            let remedy = format!(
                "write at most {NAME_MAX} letters, digits, `.`, `_` and `-`, beginning with a letter or digit"
            );
            self.refuse(path, what, &remedy);
        }
        text.to_owned()
    }

    /// The whole configuration, and every fault of it.
    pub(super) fn config(mut self, file: ConfigFile, needs: Needs) -> (Config, Vec<Fault>) {
        if file.version != VERSION {
            let what = format!("version {} is not known to this program", file.version);
            let remedy = format!("write `version: {VERSION}`, and the settings of that version");
            self.refuse(&["version"], what, &remedy);
        }
        let tenant = self.name(&["tenant"], &file.tenant);
        let instance = file.instance.unwrap_or_else(host_name);
        let mut sources = Vec::new();
        for (name, source) in file.sources {
            sources.extend(self.source(&name, source, &tenant));
        }
        let egress = self.egress(&file.egress);
        let mut sinks = Vec::new();
        for (name, sink) in file.sinks {
            sinks.extend(self.sink(&name, sink, egress.as_ref()));
        }
        self.own_topics(&sources, &file.prefix);
        self.ticket_systems(&sources);
        let retention = self.retention(&file.retention, &sources);
        let mut config = Config {
            prefix: self.name(&["prefix"], &file.prefix),
            instance: self.name(&["instance"], &instance),
            role: file.role,
            key: self.key(file.key.as_deref(), needs == Needs::Run),
            kafka: self.kafka(&file.kafka, needs != Needs::Nothing),
            retention,
            directory: self.directory(file.directory),
            collect: Collect {
                workers: self.size(&["collect", "workers"], file.collect.workers, WORKERS_MAX),
                records_max: self.size(
                    &["collect", "records_max"],
                    file.collect.records_max,
                    BATCH_MAX,
                ),
                bytes_max: self.batch_bytes(&["collect", "bytes_max"], file.collect.bytes_max),
                gather_max: self.span(&["collect", "gather_max"], file.collect.gather_max, GATHER),
            },
            correlate: self.correlate(&file.correlate),
            http: self.http(&file.http, egress.as_ref(), needs == Needs::Run),
            rules_folder: self.rules_folder(file.rules.folder.as_deref()),
            page_url: self.page_url(file.alerts.page_url.as_deref()),
            log_level: file.log.level,
            tenant,
            sources,
            sinks,
            shown: Vec::new(),
        };
        config.shown = show::shown(self.tree, &config);
        (config, self.faults)
    }

    fn key(&mut self, given: Option<&str>, needed: bool) -> Option<Secret<String>> {
        let remedy = format!(
            "give at least {KEY_CHARS_MIN} random characters (`openssl rand -hex 32`), as \
             `${{file:/path}}`, `${{env:NAME}}` or in the variable DESKWARDEN__KEY"
        );
        let Some(given) = given else {
            if needed {
                self.refuse(&["key"], "not set, and has no default", &remedy);
            }
            return None;
        };
        match resolve(given, self.environment) {
            Err(Unresolved(what, remedy)) => self.refuse(&["key"], what, &remedy),
            Ok(key) if key.expose().chars().count() < KEY_CHARS_MIN => {
                let what = format!("shorter than {KEY_CHARS_MIN} characters");
                self.refuse(&["key"], what, &remedy);
            }
            Ok(key) => return Some(key),
        }
        None
    }

    fn retention(&mut self, file: &RetentionFile, sources: &[Source]) -> Retention {
        let latest = sources
            .iter()
            .map(|source| source.lateness_ms)
            .max()
            .unwrap_or(0);
        let case = CASE_LIFE + Duration::from_millis(latest.unsigned_abs()) + DAY;
        let mut of =
            |key, span, least| self.span(&["retention", key], span, (least, RETENTION_MAX));
        Retention {
            events: of("events", file.events, EVENTS_MIN),
            alerts: of("alerts", file.alerts, case),
            audit: of("audit", file.audit, DAY),
            shadow: of("shadow", file.shadow, DAY),
            dead_letter: of("dead_letter", file.dead_letter, DAY),
        }
    }

    fn directory(&mut self, file: DirectoryFile) -> Directory {
        let listed = format!("the systems are: {}", SYSTEMS.join(", "));
        if file.roots.is_empty() {
            self.refuse(&["directory", "roots"], "no system is named", &listed);
        }
        for (index, root) in file.roots.iter().enumerate() {
            let path = ["directory", "roots", &index.to_string()];
            if !SYSTEMS.contains(&root.as_str()) {
                let fault = self.fault(&path, format!("`{root}` is no system"), listed.clone());
                self.faults
                    .extend(fault.map(|fault| fault.or_rather(root, &SYSTEMS)));
            } else if file.roots.iter().take(index).any(|earlier| earlier == root) {
                self.refuse(
                    &path,
                    format!("`{root}` stands twice"),
                    "keep one of the two",
                );
            }
        }
        let region = file.default_region.as_deref();
        if let Some(region) = region
            && !(region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_alphabetic()))
        {
            let what = format!("`{region}` is no country code");
            let remedy = "write two letters, such as US or GB";
            self.refuse(&["directory", "default_region"], what, remedy);
        }
        for (index, domain) in file.own_domains.iter().enumerate() {
            if !is_domain(domain) {
                let path = ["directory", "own_domains", &index.to_string()];
                let what = format!("`{domain}` is no mail domain");
                self.refuse(
                    &path,
                    what,
                    "write the part behind the @, such as example.com",
                );
            }
        }
        let path = ["directory", "stale_after"];
        Directory {
            stale_after: self.span(&path, file.stale_after, STALE_AFTER),
            default_region: region.map(str::to_ascii_uppercase),
            own_domains: file
                .own_domains
                .iter()
                .map(|domain| domain.to_lowercase())
                .collect(),
            roots: file.roots,
        }
    }

    fn correlate(&mut self, file: &CorrelateFile) -> Correlate {
        let at = |key| ["correlate", key];
        let entities = &file.max_entities;
        let mut most = |key, value| {
            let path = ["correlate", "max_entities", key];
            self.number(&path, value, (1, ENTITIES_MAX)).unsigned_abs()
        };
        let max_entities = Entities {
            identity: most("identity", entities.identity),
            contact: most("contact", entities.contact),
            ticket: most("ticket", entities.ticket),
            agent: most("agent", entities.agent),
            caller: most("caller", entities.caller),
            device: most("device", entities.device),
            address: most("address", entities.address),
        };
        Correlate {
            workers: self.size(&at("workers"), file.workers, WORKERS_MAX),
            entries_max: self.size(&at("entries_max"), file.entries_max, BATCH_MAX),
            bytes_max: self.batch_bytes(&at("bytes_max"), file.bytes_max),
            gather_max: self.span(&at("gather_max"), file.gather_max, GATHER),
            max_wait: self.span(&at("max_wait"), file.max_wait, MAX_WAIT),
            max_entities,
        }
    }

    pub(super) fn address(&mut self, path: &[&str], text: &str) -> SocketAddr {
        text.parse().unwrap_or_else(|_| {
            let what = format!("`{text}` is no address with a port");
            self.refuse(path, what, "write it as 127.0.0.1:8040 or [::1]:8040");
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    fn page_url(&mut self, given: Option<&str>) -> Option<String> {
        let url = given?.trim_end_matches('/');
        let host = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        let is_host = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}?#".contains(c);
        if host.is_none_or(|host| host.is_empty() || !host.chars().all(is_host)) {
            let remedy = "write it as https://deskwarden.example.com";
            self.refuse(
                &["alerts", "page_url"],
                format!("`{url}` is no web address"),
                remedy,
            );
        }
        Some(url.to_owned())
    }
}

/// Whether a text can be a name of a topic, group or id, or a part of one.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

fn is_domain(text: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '-');
    text.contains('.') && text.split('.').all(is_part)
}

fn host_name() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

//! The deploy kit names only what is there: files, settings, ports, commands, topics, metrics, entries
//! of the runbook. And its sample yields the alert that it promises.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "a test may panic"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Parser;
use deskwarden::edge::commands::cli::Cli;
use deskwarden::edge::config::{Config, Given, Needs};
use deskwarden::edge::log::topics::Topic;
use serde_json::Value;

#[path = "deploy/alerts.rs"]
mod alerts;

#[path = "deploy/sample.rs"]
mod sample;

#[path = "deploy/siem.rs"]
mod siem;

/// Where paths inside an image are its own, not mounted.
const OF_IMAGES: [&str; 4] = ["/bin/", "/opt/kafka/", "/prometheus", "/alertmanager"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn yaml(path: impl AsRef<Path>) -> Value {
    let path = path.as_ref();
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The files of a folder and of those in it.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let inner = path.strip_prefix(root()).unwrap().to_str().unwrap();
            found.extend(files(inner));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// One service of `docker-compose.yml`.
struct Service {
    name: String,
    says: Value,
}

impl Service {
    fn list(&self, key: &str) -> Vec<String> {
        let items = self.says[key].as_array().into_iter().flatten();
        items
            .map(|item| item.as_str().unwrap().to_owned())
            .collect()
    }

    fn is_daemon(&self) -> bool {
        self.says["image"] == "deskwarden"
    }

    /// Variables, with the defaults of those that come from outside.
    fn environment(&self) -> BTreeMap<String, String> {
        let pairs = self.says["environment"].as_object().into_iter().flatten();
        let value = |value: &Value| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let outside = text.strip_prefix("${").and_then(|t| t.strip_suffix('}'));
            outside.map_or_else(
                || text.clone(),
                |t| t.split_once(":-").expect("a default").1.to_owned(),
            )
        };
        pairs
            .map(|(name, given)| (name.clone(), value(given)))
            .collect()
    }

    /// Host path and path inside of each mount.
    fn mounts(&self) -> Vec<(String, String)> {
        let split = |mount: String| {
            let parts: Vec<&str> = mount.split(':').collect();
            assert_eq!(parts[2], "ro", "{}: {mount}", self.name);
            (parts[0].to_owned(), parts[1].to_owned())
        };
        self.list("volumes").into_iter().map(split).collect()
    }

    /// Which file of the repository a path inside is.
    fn file(&self, inside: &str) -> Option<PathBuf> {
        self.mounts().iter().find_map(|(host, target)| {
            let rest = Path::new(inside).strip_prefix(target).ok()?;
            let host = Path::new(host.strip_prefix("./")?);
            Some(if rest.as_os_str().is_empty() {
                host.to_owned()
            } else {
                host.join(rest)
            })
        })
    }

    /// The words that it is started with.
    fn words(&self) -> Vec<String> {
        let started = ["entrypoint", "command"].map(|key| self.list(key)).concat();
        let health = self.says["healthcheck"]["test"]
            .as_array()
            .into_iter()
            .flatten();
        let health = health.map(|word| word.as_str().unwrap().to_owned());
        let words = started.into_iter().chain(health);
        words.chain(self.environment().into_values()).collect()
    }

    fn config(&self) -> Config {
        let command = self.list("command");
        let at = command.iter().position(|word| word == "--config").unwrap();
        let file = self
            .file(&command[at + 1])
            .expect("the configuration is mounted");
        let given = Given {
            files: vec![root().join(file)],
            environment: self.environment(),
            settings: Vec::new(),
        };
        Config::load(&given, Needs::Run)
            .unwrap_or_else(|faults| panic!("{}: {}", self.name, faults.render(false)))
    }

    /// Ports on which it can be reached from outside of its network namespace.
    fn listens(&self) -> Vec<u16> {
        if self.is_daemon() {
            let http = self.config().http;
            let addresses = [http.listen, http.ops_listen].into_iter();
            let open = addresses.filter(|address| !address.ip().is_loopback());
            return open.map(|address| address.port()).collect();
        }
        let environment = self.environment();
        let mut said: Vec<String> = self.list("command");
        said.extend(
            environment
                .get("GF_SERVER_HTTP_PORT")
                .map(|port| format!(":{port}")),
        );
        if let Some(listeners) = environment.get("KAFKA_LISTENERS") {
            said.extend(listeners.split(',').map(str::to_owned));
        }
        for (host, _) in self.mounts() {
            if host.ends_with(".cfg") {
                let lines = text(host);
                let binds = lines
                    .lines()
                    .filter_map(|line| line.trim().strip_prefix("bind "));
                said.extend(binds.map(str::to_owned));
            }
        }
        let port = |said: &String| said.rsplit_once(':')?.1.parse().ok();
        said.iter().filter_map(port).collect()
    }
}

fn services() -> Vec<Service> {
    let compose = yaml("docker-compose.yml");
    let services = compose["services"].as_object().unwrap().iter();
    services
        .map(|(name, says)| Service {
            name: name.clone(),
            says: says.clone(),
        })
        .collect()
}

fn service(name: &str) -> Service {
    let mut services = services().into_iter();
    services
        .find(|service| service.name == name)
        .unwrap_or_else(|| panic!("no service {name}"))
}

fn daemon() -> Service {
    service("deskwarden")
}

/// The services that share a network namespace with a service.
fn beside(name: &str) -> Vec<Service> {
    let joins = format!("service:{name}");
    let services = services().into_iter();
    services
        .filter(|one| one.name == name || one.says["network_mode"] == joins.as_str())
        .collect()
}

/// Whether a container finds `host:port` on the network of the file.
fn is_reachable(address: &str) -> bool {
    let (host, port) = address.rsplit_once(':').unwrap();
    let port: u16 = port.parse().unwrap();
    let names = |service: &Service| {
        let aliases = service.says["networks"]["default"]["aliases"].as_array();
        let alias = aliases.is_some_and(|aliases| aliases.iter().any(|alias| alias == host));
        service.says["network_mode"].is_null() && (service.name == host || alias)
    };
    let found: Vec<Service> = services().into_iter().filter(names).collect();
    let mut listening = found.iter().flat_map(|service| beside(&service.name));
    listening.any(|service| service.listens().contains(&port))
}

#[test]
fn every_file_is_there() {
    for service in services() {
        for (host, _) in service.mounts() {
            let path = root().join(host.strip_prefix("./").expect("a path of the repository"));
            assert!(path.exists(), "{}: {host}", service.name);
        }
        if let Some(context) = service.says["build"]["context"].as_str() {
            let dockerfile = service.says["build"]["dockerfile"].as_str().unwrap();
            let path = root().join(context).join(dockerfile);
            assert!(path.is_file(), "{}: {dockerfile}", service.name);
        }
        for word in service.words() {
            let path = word
                .rsplit_once('=')
                .map_or(word.as_str(), |(_, path)| path);
            if path.starts_with('/') && !OF_IMAGES.iter().any(|own| path.starts_with(own)) {
                let file = service.file(path);
                let is_there = file.is_some_and(|file| root().join(file).is_file());
                assert!(
                    is_there,
                    "{}: {word} is not mounted or not there",
                    service.name
                );
            }
        }
        let after = service.says["depends_on"].as_object();
        let after = after.into_iter().flat_map(|after| after.keys().cloned());
        let beside = service.says["network_mode"].as_str();
        let beside = beside.map(|mode| mode.strip_prefix("service:").unwrap().to_owned());
        for other in after.chain(beside) {
            let _ = self::service(&other);
        }
    }
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    for file in prometheus["rule_files"].as_array().unwrap() {
        let inside = format!("/etc/prometheus/{}", file.as_str().unwrap());
        assert!(
            service("prometheus").file(&inside).is_some(),
            "{inside} is not mounted"
        );
    }
    let boards = yaml("deploy/grafana/provisioning/dashboards/deskwarden.yml");
    let folder = boards["providers"][0]["options"]["path"].as_str().unwrap();
    assert!(
        service("grafana").file(folder).is_some(),
        "{folder} is not mounted"
    );
}

#[test]
fn every_setting_is_one() {
    let daemons: Vec<Service> = services().into_iter().filter(Service::is_daemon).collect();
    assert_eq!(daemons.len(), 3);
    for service in daemons {
        // Unknown keys and variables are faults.
        let config = service.config();
        assert_eq!(config.kafka.replication_factor, 1, "there is one broker");
    }
    for service in services().iter().filter(|service| !service.is_daemon()) {
        let ours = service
            .environment()
            .into_keys()
            .find(|key| key.starts_with("DESKWARDEN"));
        assert_eq!(ours, None, "{}", service.name);
    }
}

#[test]
fn every_command_line_is_one() {
    for service in services().iter().filter(|service| service.is_daemon()) {
        let command = service.list("command");
        let words = ["deskwarden".to_owned()].into_iter().chain(command);
        if let Err(fault) = Cli::try_parse_from(words) {
            panic!("{}: {fault}", service.name);
        }
    }
    let dockerfile = text("deploy/Dockerfile");
    assert!(dockerfile.contains("ENTRYPOINT [\"/usr/local/bin/deskwarden\"]"));
    let toolchain = text("rust-toolchain.toml");
    let version = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = "));
    let version = version.unwrap().trim_matches('"');
    for wanted in [
        format!("FROM rust:{version}-"),
        format!("RUSTUP_TOOLCHAIN={version}\n"),
    ] {
        assert!(dockerfile.contains(&wanted), "{wanted}");
    }
}

#[test]
fn every_port_is_one_that_somebody_listens_on() {
    let mut published = BTreeMap::new();
    for service in services() {
        for port in service.list("ports") {
            let parts: Vec<&str> = port.split(':').collect();
            assert_eq!(
                parts[0], "127.0.0.1",
                "{}: {port} is open to others",
                service.name
            );
            let (host, inside): (u16, u16) = (parts[1].parse().unwrap(), parts[2].parse().unwrap());
            let listens = beside(&service.name);
            let mut listens = listens.iter().flat_map(Service::listens);
            assert!(listens.any(|one| one == inside), "{}: {port}", service.name);
            published.insert(host, (service.name.clone(), inside));
        }
    }
    let config = daemon().config();
    // The page: from this machine to the forwarder, from there to the loopback of the daemon.
    assert_eq!(config.page_url.as_deref(), Some("http://localhost:8040"));
    let (owner, port) = &published[&8040];
    assert_eq!(daemon().says["network_mode"], format!("service:{owner}"));
    let forwarder = text("deploy/haproxy/haproxy.cfg");
    assert!(forwarder.contains(&format!("bind :{port}\n")));
    assert!(forwarder.contains(&format!("server daemon {}\n", config.http.listen)));
    // What the head of the file promises is published.
    let compose = text("docker-compose.yml");
    let head = compose.split("name: deskwarden").next().unwrap();
    let promised = head.split("localhost:").skip(1);
    let promised = promised.map(|rest| rest[..4].parse::<u16>().unwrap());
    let promised: BTreeSet<u16> = promised.collect();
    assert_eq!(promised, published.keys().copied().collect());
}

#[test]
fn every_address_inside_leads_somewhere() {
    let mut addresses = vec![daemon().config().kafka.brokers];
    addresses.push(service("sample").environment()["BROKERS"].clone());
    let kafka = service("kafka");
    let advertised = kafka.environment()["KAFKA_ADVERTISED_LISTENERS"].clone();
    let inside = advertised
        .split(',')
        .find_map(|one| one.strip_prefix("INSIDE://"));
    addresses.push(inside.unwrap().to_owned());
    addresses.push(kafka.environment()["KAFKA_CONTROLLER_QUORUM_VOTERS"].replace("1@", ""));
    addresses.extend(
        kafka
            .words()
            .into_iter()
            .filter(|word| word.starts_with("kafka:")),
    );
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    let scraped = &prometheus["scrape_configs"][0]["static_configs"][0]["targets"];
    let metrics = daemon().config().http.ops_listen.port();
    assert!(
        scraped[0]
            .as_str()
            .unwrap()
            .ends_with(&format!(":{metrics}"))
    );
    let told = &prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"];
    for target in [scraped, told] {
        addresses.push(target[0].as_str().unwrap().to_owned());
    }
    let source = yaml("deploy/grafana/provisioning/datasources/prometheus.yml");
    let url = source["datasources"][0]["url"].as_str().unwrap();
    addresses.push(url.strip_prefix("http://").unwrap().to_owned());
    assert_eq!(addresses.len(), 8);
    for address in addresses {
        assert!(is_reachable(&address), "{address}");
    }
}

#[test]
fn every_topic_is_one() {
    let config = daemon().config();
    let of_sources: BTreeSet<String> = config.sources.iter().map(|s| s.topic.clone()).collect();
    let filled = files("deploy/sample/records").into_iter();
    let filled = filled.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    assert_eq!(filled.collect::<BTreeSet<_>>(), of_sources);
    let ours = Topic::ALL.map(|topic| topic.name(&config.prefix).to_string());
    let mut named = 0;
    let kit = files("deploy")
        .into_iter()
        .chain([root().join("docker-compose.yml")]);
    for path in kit.filter(|path| !path.to_str().unwrap().contains("/sample/")) {
        let said = text(&path);
        let word = |c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c));
        for name in said.split(word).map(|name| name.trim_end_matches('.')) {
            if name.starts_with("deskwarden.") && name.ends_with(".v1") {
                assert!(
                    ours.iter().any(|one| one == name),
                    "{}: {name}",
                    path.display()
                );
                named += 1;
            }
        }
    }
    assert!(named > 0);
}

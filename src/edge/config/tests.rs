//! What a configuration says when it is right; the tests of the program have what is wrong.
use super::*;
use crate::collect::entity::EntityKind;
use crate::collect::setup::Product;
use crate::edge::log::topics::{PARTITIONS_DEFAULT, PREFIX_DEFAULT, Topic};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn load(settings: &[&str], environment: &[(&str, &str)], needs: Needs) -> Result<Config, Faults> {
    let settings = settings.iter().map(|text| (*text).to_owned());
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let given = Given {
        files: Vec::new(),
        settings: settings.collect(),
        environment: environment.collect(),
    };
    Config::load(&given, needs)
}

#[test]
fn the_defaults_are_those_of_the_example() {
    let config = load(&[], &[], Needs::Nothing).unwrap();
    assert_eq!(config.prefix, PREFIX_DEFAULT);
    assert_eq!(config.kafka.partitions, PARTITIONS_DEFAULT);
    assert_eq!((config.sources.len(), config.role), (0, Role::All));
    assert_eq!(config.collect.gather_max, Duration::from_millis(2));
    assert_eq!(config.correlate.bytes_max, 32 << 20);
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8040");
    let kinds = EntityKind::ALL.iter().zip(config.entities_max());
    let agents = kinds.filter(|(kind, _)| **kind == EntityKind::Agent);
    assert_eq!(agents.map(|(_, most)| most).collect::<Vec<_>>(), [3_125]);
    assert!(!config.instance.is_empty());
    let usual = identity::Settings::default();
    assert_eq!(config.identity_settings(), usual);
    let deleted = [
        (Topic::Events, config.retention.events),
        (Topic::Audit, config.retention.audit),
        (Topic::Shadow, config.retention.shadow),
        (Topic::DeadLetter, config.retention.dead_letter),
    ];
    for (topic, span) in deleted {
        let ms = topic
            .settings()
            .iter()
            .find(|(key, _)| *key == "retention.ms");
        assert_eq!(
            ms.map(|(_, ms)| (*ms).to_owned()),
            Some(span.as_millis().to_string())
        );
    }
}

#[test]
fn what_has_no_default_is_asked_for_where_it_is_needed() {
    let missing = |needs| -> Vec<String> {
        let faults = load(&[], &[], needs).unwrap_err().0;
        faults.into_iter().map(|fault| fault.setting).collect()
    };
    assert_eq!(missing(Needs::Brokers), ["kafka.brokers"]);
    assert_eq!(missing(Needs::Run), ["key", "kafka.brokers"]);
}

#[test]
fn later_layers_win_and_each_value_knows_its_own() {
    let variables = [
        ("DESKWARDEN__KEY", KEY),
        ("DESKWARDEN__KAFKA__PARTITIONS", "8"),
        ("DESKWARDEN__KAFKA__BROKERS", "a:1"),
        (
            "DESKWARDEN__KAFKA__CONSUMER__PROPERTIES__FETCH_MAX_BYTES",
            "1000000",
        ),
        ("DESKWARDEN__DIRECTORY__ROOTS", "okta, hris"),
        ("DESKWARDEN_TEST_BROKERS", "not ours"),
    ];
    let config = load(&["kafka.partitions=16"], &variables, Needs::Run).unwrap();
    assert_eq!(config.kafka.partitions, 16);
    assert_eq!(config.directory.roots, ["okta", "hris"]);
    assert_eq!(config.key_bytes(), KEY.as_bytes());
    let settings = config.kafka_settings(Stage::Collect, 1);
    assert_eq!(settings.consumer_properties["fetch.max.bytes"], "1000000");
    assert_eq!(settings.properties["bootstrap.servers"], "a:1");
    let shown = |setting: &str| {
        let line = config.shown().iter().find(|line| line.setting == setting);
        line.map(|line| (line.value.as_str(), line.origin.as_str()))
            .unwrap()
    };
    assert_eq!(
        shown("kafka.partitions"),
        ("16", "command line --set kafka.partitions")
    );
    assert_eq!(
        shown("kafka.brokers"),
        ("a:1", "environment DESKWARDEN__KAFKA__BROKERS")
    );
    assert_eq!(shown("key"), ("***", "environment DESKWARDEN__KEY"));
    assert_eq!(shown("prefix"), ("deskwarden", "default"));
    assert!(!format!("{config:?}").contains(KEY));
}

#[test]
fn a_source_has_what_its_product_does() {
    let settings = [
        "sources.okta.topic=o",
        "sources.desk.product=servicenow",
        "sources.desk.topic=s",
        "sources.desk.fields.callback_done=u_cb",
        "sources.amazon_connect.topic=c",
        "sources.amazon_connect.evidence=verify,transcript",
        "sources.people.product=hris",
        "sources.people.topic=p",
        "instance=pod-3",
        "tenant=acme",
    ];
    let config = load(&settings, &[], Needs::Nothing).unwrap();
    let source = |topic: &str| config.source_of(topic).unwrap();
    let times = |topic: &str| (source(topic).bound_ms, source(topic).lateness_ms);
    assert_eq!(times("o"), (60_000, 600_000));
    assert_eq!(times("s"), (300_000, 600_000));
    assert_eq!(times("c"), (600_000, 7_200_000));
    let delivered = [Evidence::Ticket, Evidence::Callback, Evidence::Approval];
    assert_eq!(source("s").evidence, delivered);
    assert_eq!(source("s").setup.product, Product::ServiceNow);
    assert_eq!(source("s").setup.tenant, "acme");
    assert!(!source("s").setup.keep_unread);
    assert_eq!(
        source("c").evidence,
        [Evidence::Verify, Evidence::Transcript]
    );
    assert_eq!(
        (source("p").domains.len(), source("o").domains.len()),
        (0, 1)
    );
    let collect = config.kafka_settings(Stage::Collect, 1);
    assert_eq!(
        collect.topics,
        ["c", "s", "o", "p", "deskwarden.control.v1"]
    );
    assert_eq!(
        (collect.group.as_str(), collect.tells_ends),
        ("deskwarden.collect", true)
    );
    assert_eq!(collect.transactional_id, "deskwarden-collect-pod-3-1");
    let shown: Vec<&str> = config
        .shown()
        .iter()
        .filter(|line| line.setting.starts_with("sources.okta."))
        .map(|line| line.value.as_str())
        .collect();
    assert_eq!(
        shown,
        ["o", "okta", "acme", "acme", "1m", "10m", "[idp]", "[]"]
    );
}

#[test]
fn evidence_of_mapped_fields_is_what_the_fields_say() {
    let settings = [
        "sources.servicenow.topic=s",
        "sources.servicenow.fields.callback_done=[]",
        "sources.servicenow.fields.override_reason=u_why",
    ];
    let config = load(&settings, &[], Needs::Nothing).unwrap();
    let wanted = [Evidence::Ticket, Evidence::Approval, Evidence::Override];
    assert_eq!(config.sources[0].evidence, wanted);
}

//! The section `sources`: what a product does by itself, and what a customer says beyond it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};

use crate::collect::setup::{self, FieldsFile, NamesFile, Product, SourceSetup};
use crate::collect::words::Domain;
use crate::correlate::rules::rule::Evidence;

use super::check::{Checker, is_name};
use super::file::SourceFile;
use super::units::Span;
use super::{Source, ms};

/// Every deadline waits for the slowest bound.
const BOUND: (Duration, Duration) = (Duration::ZERO, Duration::from_hours(1));
/// Kept windows grow by it.
const LATENESS: (Duration, Duration) = (Duration::ZERO, Duration::from_hours(7 * 24));
/// Kafka's own limit.
const TOPIC_CHARS_MAX: usize = 249;

const EVIDENCE: [&str; 6] = [
    "ticket",
    "verify",
    "callback",
    "approval",
    "override",
    "transcript",
];

/// A kind of evidence by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EvidenceName(Evidence);

impl<'de> Deserialize<'de> for EvidenceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = Evidence::ALL.iter().find(|(known, _)| *known == name);
        let found = found.map(|(_, evidence)| Self(*evidence));
        found.ok_or_else(|| D::Error::unknown_variant(&name, &EVIDENCE))
    }
}

/// What a product does by itself: watermark bound, lateness, evidence.
#[derive(Debug)]
pub struct Usual {
    /// How much later than its successors an event may arrive.
    pub bound: Duration,
    /// From how late on an event is labelled late.
    pub lateness: Duration,
    /// What its mapping delivers without further fields.
    pub evidence: &'static [Evidence],
}

impl Usual {
    /// From how late on an event is labelled late, in ms.
    #[must_use]
    pub fn lateness_ms(&self) -> i64 {
        ms(self.lateness)
    }
}

const MINUTE_S: u64 = 60;

/// What a product does by itself.
#[must_use]
pub fn usual(product: Product) -> Usual {
    let minutes = |minutes: u64| Duration::from_secs(minutes * MINUTE_S);
    let (bound, lateness, evidence): (_, _, &[Evidence]) = match product {
        Product::Okta => (minutes(1), minutes(10), &[]),
        // Audit records within a quarter of an hour, sign-ins in twice that, detections of risk in hours.
        Product::Entra => (minutes(10), minutes(240), &[]),
        // Logs of tokens and devices lag two hours by default.
        Product::GoogleWorkspace => (minutes(10), minutes(240), &[]),
        Product::Duo => (minutes(10), minutes(10), &[]),
        Product::ServiceNow => (
            minutes(5),
            minutes(10),
            &[Evidence::Ticket, Evidence::Approval],
        ),
        // Contact records come up to two hours after the call, contact events within minutes.
        Product::AmazonConnect => (minutes(10), minutes(120), &[Evidence::Transcript]),
        Product::Canonical => (minutes(10), minutes(10), &[]),
        Product::Hris
        | Product::OktaUsers
        | Product::ServiceNowUsers
        | Product::EntraUsers
        | Product::ZendeskUsers
        | Product::JiraUsers
        | Product::ContactCentreAgents => (Duration::ZERO, Duration::ZERO, &[]),
    };
    Usual {
        bound,
        lateness,
        evidence,
    }
}

/// The evidence that comes with the fields a customer maps.
fn mapped(fields: &FieldsFile) -> Vec<Evidence> {
    let is_mapped = |names: &Option<NamesFile>| match names {
        Some(NamesFile::Many(names)) => !names.is_empty(),
        Some(NamesFile::One(_)) => true,
        None => false,
    };
    let by_field = [
        (&fields.verification_method, Evidence::Verify),
        (&fields.verification_result, Evidence::Verify),
        (&fields.callback_done, Evidence::Callback),
        (&fields.callback_time, Evidence::Callback),
        (&fields.approver, Evidence::Approval),
        (&fields.review, Evidence::Approval),
        (&fields.override_reason, Evidence::Override),
    ];
    let given = by_field.into_iter().filter(|(names, _)| is_mapped(names));
    given.map(|(_, evidence)| evidence).collect()
}

impl Checker<'_> {
    /// One source. `None` where it cannot be told what it is.
    pub(super) fn source(&mut self, name: &str, file: SourceFile, tenant: &str) -> Option<Source> {
        let at = |key| ["sources", name, key];
        if !is_name(name) {
            let what = format!("`{name}` is no name of a source");
            self.refuse(
                &["sources", name],
                what,
                "write letters, digits, `.`, `_` and `-`",
            );
        }
        let topic = file.topic.unwrap_or_default();
        if topic.is_empty() {
            let remedy = "write the topic that holds its records, such as `topic: okta.system-log`";
            self.refuse(&at("topic"), "not set, and has no default", remedy);
        } else if !is_topic(&topic) {
            let what = format!("`{topic}` is no name of a topic");
            let remedy = "write the name as Kafka has it: letters, digits, `.`, `_` and `-`";
            self.refuse(&at("topic"), what, remedy);
        }
        let Some(product) = file.product.or_else(|| product_named(name)) else {
            let remedy = format!("write one of {}", PRODUCTS.map(Product::as_str).join(", "));
            let what = "not set, and the name of the source is no product";
            self.refuse(&at("product"), what, &remedy);
            return None;
        };
        if product.is_directory() {
            self.directory_export(name, product);
        }
        let usual = usual(product);
        let mut evidence = usual.evidence.to_vec();
        evidence.extend(mapped(&file.fields));
        if let Some(listed) = file.evidence {
            evidence = listed.into_iter().map(|named| named.0).collect();
        }
        evidence.sort_unstable();
        evidence.dedup();
        let mut domains = file.domains.unwrap_or_else(|| product.domains().to_vec());
        domains.sort_unstable();
        domains.dedup();
        if !product.is_directory() && (domains.is_empty() || domains.contains(&Domain::Directory)) {
            let what = "a source of events is about idp, ticket, contact or mail";
            self.refuse(
                &at("domains"),
                what,
                "name what it is about, such as `[idp]`",
            );
        }
        let bound = self.span(&at("bound"), file.bound.unwrap_or(Span(usual.bound)), BOUND);
        let lateness = file.lateness.unwrap_or(Span(usual.lateness));
        let lateness = self.span(&at("lateness"), lateness, LATENESS);
        let file = setup::SourceFile {
            product,
            tenant: file.tenant.unwrap_or_else(|| tenant.to_owned()),
            issuer: file.issuer,
            fields: file.fields,
        };
        let setup = SourceSetup::from_file(name, &file);
        Some(Source {
            setup: self.setup(name, setup)?,
            topic,
            bound_ms: ms(bound),
            lateness_ms: ms(lateness),
            domains,
            evidence,
        })
    }

    fn setup(
        &mut self,
        name: &str,
        setup: Result<SourceSetup, Vec<(String, String)>>,
    ) -> Option<SourceSetup> {
        match setup {
            Ok(mut setup) => {
                // What no rule reads is counted, not mapped.
                setup.keep_unread = false;
                Some(setup)
            }
            Err(faults) => {
                // Its name was checked above.
                for (key, what) in faults.iter().filter(|(key, _)| key != "name") {
                    let path = [&["sources", name], &*key.split('.').collect::<Vec<_>>()].concat();
                    self.refuse(&path, what.as_str(), "correct it, or leave it out");
                }
                None
            }
        }
    }

    /// Nothing waits for a directory export, so it has no time and no evidence.
    fn directory_export(&mut self, name: &str, product: Product) {
        for key in ["bound", "lateness", "domains", "evidence"] {
            let path = ["sources", name, key];
            let owned = path.map(str::to_owned);
            if self.tree.at(&owned).is_some() {
                let what = format!(
                    "`{}` is a directory export: nothing waits for it",
                    product.as_str()
                );
                self.refuse(&path, what, "take it out");
            }
        }
    }

    /// What a contact says of its ticket leads to a source of tickets.
    pub(super) fn ticket_systems(&mut self, sources: &[Source]) {
        let is_tickets = |name: &str| {
            let named = sources.iter().find(|source| source.setup.name == name);
            named.is_some_and(|source| source.domains.contains(&Domain::Ticket))
        };
        for source in sources {
            let system = source.setup.fields.ticket_system.as_deref();
            if let Some(system) = system.filter(|system| !is_tickets(system)) {
                let path = ["sources", &source.setup.name, "fields", "ticket_system"];
                let what = format!("`{system}` is no source of tickets");
                self.refuse(&path, what, "name one that is about `ticket`");
            }
        }
    }

    /// A topic has one source, and none of ours is one.
    pub(super) fn own_topics(&mut self, sources: &[Source], prefix: &str) {
        let mut names: BTreeMap<&str, &str> = BTreeMap::new();
        for source in sources.iter().filter(|source| !source.topic.is_empty()) {
            let path = ["sources", &source.setup.name, "topic"];
            let topic = source.topic.as_str();
            if let Some(other) = names.insert(topic, &source.setup.name) {
                let what = format!("`{topic}` is the topic of `{other}` already");
                self.refuse(&path, what, "give each source a topic of its own");
            }
            if topic.starts_with(&format!("{prefix}.")) {
                let what =
                    format!("`{topic}` begins with `{prefix}.` as Deskwarden's own topics do");
                self.refuse(&path, what, "read another topic, or change `prefix`");
            }
        }
    }
}

/// Every product, in the order in which they are listed to people.
const PRODUCTS: [Product; 14] = [
    Product::Okta,
    Product::Entra,
    Product::GoogleWorkspace,
    Product::Duo,
    Product::ServiceNow,
    Product::AmazonConnect,
    Product::Canonical,
    Product::Hris,
    Product::OktaUsers,
    Product::EntraUsers,
    Product::ServiceNowUsers,
    Product::ZendeskUsers,
    Product::JiraUsers,
    Product::ContactCentreAgents,
];

/// A product by its name.
#[must_use]
pub fn product_named(name: &str) -> Option<Product> {
    PRODUCTS
        .into_iter()
        .find(|product| product.as_str() == name)
}

fn is_topic(text: &str) -> bool {
    let is_char = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    text.len() <= TOPIC_CHARS_MAX && !matches!(text, "." | "..") && text.chars().all(is_char)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error as ValueError, StrDeserializer};

    #[test]
    fn the_names_of_evidence_are_those_of_the_rules() {
        assert_eq!(Evidence::ALL.map(|(name, _)| name), EVIDENCE);
        let word: StrDeserializer<'_, ValueError> = "callback".into_deserializer();
        assert_eq!(
            EvidenceName::deserialize(word),
            Ok(EvidenceName(Evidence::Callback))
        );
    }

    #[test]
    fn a_source_named_after_a_product_is_one() {
        for product in PRODUCTS {
            assert_eq!(product_named(product.as_str()), Some(product));
            assert_eq!(product.is_directory(), product.domains().is_empty());
        }
        assert_eq!(product_named("helpdesk"), None);
    }
}

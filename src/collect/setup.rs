//! How one source is set up: product, tenant, and where a customer keeps the evidence that no vendor
//! standardises. Written as a file type, used as validated data.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::collect::setup_defaults::{
    ATTRIBUTE_NAMES, CHANNELS, CLASSES, METHODS, SERVICENOW_NAMES, STATES, YES,
};
use crate::collect::words::{Channel, RequestClass, TicketStatus, VerificationMethod};

pub use crate::collect::product::Product;

/// A list of field names, of which the first that holds a value counts; one name may stand alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum NamesFile {
    /// One name.
    One(String),
    /// Alternatives in order.
    Many(Vec<String>),
}

/// A customer's fields: ServiceNow columns and catalogue variables, Connect contact attributes. What is
/// left out keeps its default; an empty list switches a mapping off. Tables add to the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldsFile {
    /// How identity was proved.
    pub verification_method: Option<NamesFile>,
    /// When.
    pub verification_time: Option<NamesFile>,
    /// How it ended: passed or failed.
    pub verification_result: Option<NamesFile>,
    /// Whether the call-back was made.
    pub callback_done: Option<NamesFile>,
    /// When.
    pub callback_time: Option<NamesFile>,
    /// The number called back.
    pub callback_number: Option<NamesFile>,
    /// Why a control was skipped.
    pub override_reason: Option<NamesFile>,
    /// Who allowed it.
    pub approver: Option<NamesFile>,
    /// Whether, or by whom, the case was reviewed.
    pub review: Option<NamesFile>,
    /// What was asked for.
    pub request_class: Option<NamesFile>,
    /// Whose account it is: employee id, address, login or id.
    pub target: Option<NamesFile>,
    /// The ticket that a call or chat belongs to: its number, or its id in the ticketing system.
    pub ticket: Option<NamesFile>,
    /// Name of the source whose tickets `ticket` means. With it an id leads to the ticket; a number
    /// alone leads nowhere, since only the ticketing system knows which ticket bears it.
    pub ticket_system: Option<String>,
    /// Vendor value → verification method.
    pub methods: BTreeMap<String, VerificationMethod>,
    /// Vendor value → request class.
    pub classes: BTreeMap<String, RequestClass>,
    /// State (`6`) or table and state (`interaction.closed_complete`) → status.
    pub states: BTreeMap<String, TicketStatus>,
    /// Vendor value of the channel → channel.
    pub channels: BTreeMap<String, Channel>,
    /// Values that mean "yes" beside `true`, `yes`, `1`.
    pub yes: Vec<String>,
}

/// One source as it stands in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Product.
    pub product: Product,
    /// Tenant, part of every event id.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// Organisation or instance that issues ids; default: the tenant.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The customer's own fields.
    #[serde(default)]
    pub fields: FieldsFile,
}

fn default_tenant() -> String {
    "default".to_owned()
}

/// The mapped fields, with defaults filled in. Every list holds alternatives in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each is documented at `FieldsFile`")]
pub struct FieldMap {
    pub verification_method: Vec<String>,
    pub verification_time: Vec<String>,
    pub verification_result: Vec<String>,
    pub callback_done: Vec<String>,
    pub callback_time: Vec<String>,
    pub callback_number: Vec<String>,
    pub override_reason: Vec<String>,
    pub approver: Vec<String>,
    pub review: Vec<String>,
    pub request_class: Vec<String>,
    pub target: Vec<String>,
    pub ticket: Vec<String>,
    pub ticket_system: Option<String>,
    pub methods: BTreeMap<String, VerificationMethod>,
    pub classes: BTreeMap<String, RequestClass>,
    pub states: BTreeMap<String, TicketStatus>,
    pub channels: BTreeMap<String, Channel>,
    pub yes: Vec<String>,
}

/// One source, validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSetup {
    /// Configured name, `source.system` of its events.
    pub name: String,
    /// Product.
    pub product: Product,
    /// Tenant.
    pub tenant: String,
    /// Issuer of ids.
    pub issuer: Option<String>,
    /// The customer's own fields.
    pub fields: FieldMap,
    /// Whether events that no rule reads (`other`, `auth.policy_decision`) are mapped in full. Off, they
    /// are `Ignored` as soon as their type is known.
    pub keep_unread: bool,
}

impl SourceSetup {
    /// A source with the defaults of its product.
    #[must_use]
    pub fn new(name: &str, product: Product) -> Self {
        Self {
            name: name.to_owned(),
            product,
            tenant: default_tenant(),
            issuer: None,
            fields: FieldMap::of(product, &FieldsFile::default()),
            keep_unread: true,
        }
    }

    /// Validates what the configuration says.
    ///
    /// # Errors
    /// Every fault at once, as `(key, what is wrong)`.
    pub fn from_file(name: &str, file: &SourceFile) -> Result<Self, Vec<(String, String)>> {
        let mut faults = Vec::new();
        let mut refuse = |key: &str, why: &str| faults.push((key.to_owned(), why.to_owned()));
        let word = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if name.is_empty() || !name.chars().all(word) {
            refuse("name", "letters, digits, `_`, `-` and `.` only");
        }
        if file.tenant.trim().is_empty() {
            refuse("tenant", "must not be empty");
        }
        if file.issuer.as_deref().is_some_and(|i| i.trim().is_empty()) {
            refuse("issuer", "must not be empty; leave it out instead");
        }
        let fields = FieldMap::of(file.product, &file.fields);
        for (key, names) in fields.lists() {
            if names.iter().any(|name| name.trim().is_empty()) {
                refuse(&format!("fields.{key}"), "a field name must not be empty");
            }
        }
        if fields
            .ticket_system
            .as_deref()
            .is_some_and(|n| n.trim().is_empty())
        {
            refuse(
                "fields.ticket_system",
                "must not be empty; leave it out instead",
            );
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            tenant: file.tenant.clone(),
            issuer: file.issuer.clone(),
            fields,
            ..Self::new(name, file.product)
        })
    }

    /// Who issues the ids of this source.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer.as_deref().unwrap_or(&self.tenant)
    }
}

fn names(given: Option<&NamesFile>, default: &[&str]) -> Vec<String> {
    match given {
        Some(NamesFile::One(name)) => vec![name.clone()],
        Some(NamesFile::Many(names)) => names.clone(),
        None => default.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn table<T: Copy>(given: &BTreeMap<String, T>, default: &[(&str, T)]) -> BTreeMap<String, T> {
    let mut table: BTreeMap<String, T> = default
        .iter()
        .map(|(key, value)| ((*key).to_owned(), *value))
        .collect();
    table.extend(
        given
            .iter()
            .map(|(key, value)| (key.trim().to_lowercase(), *value)),
    );
    table
}

impl FieldMap {
    fn of(product: Product, file: &FieldsFile) -> Self {
        let d = if product == Product::ServiceNow {
            &SERVICENOW_NAMES
        } else {
            &ATTRIBUTE_NAMES
        };
        let mut yes: Vec<String> = YES.iter().map(|word| (*word).to_owned()).collect();
        yes.extend(file.yes.iter().map(|word| word.trim().to_lowercase()));
        Self {
            verification_method: names(file.verification_method.as_ref(), d.verification_method),
            verification_time: names(file.verification_time.as_ref(), d.verification_time),
            verification_result: names(file.verification_result.as_ref(), d.verification_result),
            callback_done: names(file.callback_done.as_ref(), d.callback_done),
            callback_time: names(file.callback_time.as_ref(), d.callback_time),
            callback_number: names(file.callback_number.as_ref(), d.callback_number),
            override_reason: names(file.override_reason.as_ref(), d.override_reason),
            approver: names(file.approver.as_ref(), d.approver),
            review: names(file.review.as_ref(), d.review),
            request_class: names(file.request_class.as_ref(), d.request_class),
            target: names(file.target.as_ref(), d.target),
            ticket: names(file.ticket.as_ref(), d.ticket),
            ticket_system: file.ticket_system.clone(),
            methods: table(&file.methods, METHODS),
            classes: table(&file.classes, CLASSES),
            states: table(&file.states, STATES),
            channels: table(&file.channels, CHANNELS),
            yes,
        }
    }

    fn lists(&self) -> [(&'static str, &Vec<String>); 12] {
        [
            ("verification_method", &self.verification_method),
            ("verification_time", &self.verification_time),
            ("verification_result", &self.verification_result),
            ("callback_done", &self.callback_done),
            ("callback_time", &self.callback_time),
            ("callback_number", &self.callback_number),
            ("override_reason", &self.override_reason),
            ("approver", &self.approver),
            ("review", &self.review),
            ("request_class", &self.request_class),
            ("target", &self.target),
            ("ticket", &self.ticket),
        ]
    }

    /// The method a vendor value stands for; an unlisted value is `other`.
    #[must_use]
    pub fn method(&self, value: &str) -> VerificationMethod {
        let key = value.trim().to_lowercase();
        let listed = self.methods.get(&key).copied();
        listed.unwrap_or(VerificationMethod::Other)
    }

    /// The request class of a vendor value.
    #[must_use]
    pub fn class(&self, value: &str) -> RequestClass {
        let key = value.trim().to_lowercase().replace([' ', '-'], "_");
        self.classes
            .get(&key)
            .copied()
            .unwrap_or(RequestClass::Unknown)
    }

    /// The status of a state, first as `<table>.<state>`, then as `<state>`.
    #[must_use]
    pub fn status(&self, table: &str, state: &str) -> Option<TicketStatus> {
        let state = state.trim().to_lowercase();
        let own = self.states.get(&format!("{table}.{state}"));
        own.or_else(|| self.states.get(&state)).copied()
    }

    /// The channel of a vendor value.
    #[must_use]
    pub fn channel(&self, value: &str) -> Channel {
        let key = value.trim().to_lowercase();
        self.channels.get(&key).copied().unwrap_or(Channel::Unknown)
    }

    /// Whether a value means "yes".
    #[must_use]
    pub fn is_yes(&self, value: &str) -> bool {
        let value = value.trim().to_lowercase();
        self.yes.contains(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_keeps_its_defaults_and_names_every_fault() {
        let json = r#"{"product":"servicenow","tenant":"acme","fields":{"callback_done":"u_cb",
            "review":[],"methods":{"Zoom":"video"},"states":{"incident.9":"closed"}}}"#;
        let file: SourceFile = serde_json::from_str(json).unwrap();
        let setup = SourceSetup::from_file("snow", &file).unwrap();
        assert_eq!(setup.fields.callback_done, ["u_cb"]);
        assert!(setup.fields.review.is_empty());
        assert_eq!(setup.fields.method("zoom"), VerificationMethod::Video);
        assert_eq!(
            setup.fields.status("incident", "9"),
            Some(TicketStatus::Closed)
        );
        assert_eq!(
            setup.fields.status("incident", "6"),
            Some(TicketStatus::Resolved)
        );
        let bad = SourceFile {
            tenant: " ".into(),
            ..file
        };
        assert_eq!(SourceSetup::from_file("", &bad).unwrap_err().len(), 2);
        assert!(serde_json::from_str::<SourceFile>(r#"{"product":"okta","x":1}"#).is_err());
    }
}

//! One item of a directory export → an account record: HRIS, Okta users, Entra users, ServiceNow
//! `sys_user`, Zendesk users, Jira users, agents of Amazon Connect and Genesys.

use crate::collect::directory::dates::dates;
use crate::collect::directory::fields::{field, flag, moment, scalar, text, texts};
use crate::collect::directory::keys::{
    ALIASES, DESK_PHONE, EMPLOYEE_ID, LOGIN, MANAGER, MOBILE, NAME, PERSONAL_MAIL, USER_NAME,
    WORK_MAIL, id_names,
};
use crate::collect::directory::tier::{is_desk, tier_named, tier_of};
use crate::collect::directory::{
    AccountRecord, AgentRights, DELEGATES_MAX, DatedHandle, DatedManager, NameUse, Strength,
};
use crate::collect::normalise::{NameRules, is_guest_name, normalise};
use crate::collect::parse::Value;
use crate::collect::reject::{Reject, RejectReason};
use crate::collect::time::Timestamp;
use crate::collect::words::{HandleKind, Ternary, Tier};

/// Most handles of one account.
const HANDLES_MAX: usize = 256;

/// What an import knows beside the item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportSetup {
    /// Organisation or instance that issues the ids.
    pub issuer: Option<String>,
    /// How names are spelled.
    pub names: NameRules,
    /// When the export was taken: `ingest_ts` of its record.
    pub read_at: Timestamp,
}

/// Reads one item of the export of a system: `hris`, `okta`, `entra`, `servicenow`, `zendesk`,
/// `jira`, `contact_centre` (or `amazon_connect`, `genesys`).
///
/// # Errors
/// `Schema` for an unknown system, and for an item that is no object or has no id.
pub fn read_item(
    system: &str,
    item: Value<'_>,
    setup: &ExportSetup,
) -> Result<AccountRecord, Reject> {
    if !item.is_object() {
        return Err(Reject::new(
            RejectReason::Schema,
            "a directory item is an object",
        ));
    }
    let item = ["user", "result", "worker", "agent"]
        .iter()
        .find_map(|key| item.get_any_case(key).filter(|inner| inner.is_object()))
        .unwrap_or(item);
    let (system, kind) = system_of(system, item)?;
    let id_names = id_names(system);
    let id = text(item, id_names)
        .and_then(|id| normalise(kind, &id, &setup.names).map(|_| id.into_owned()))
        .ok_or_else(|| Reject::new(RejectReason::Schema, "a directory item without an id"))?;
    let body = match system {
        "okta" => item.get_any_case("profile").unwrap_or(item),
        "amazon_connect" => field(item, &["configuration"])
            .or_else(|| item.path("CurrentAgentSnapshot.Configuration"))
            .unwrap_or(item),
        _ => item,
    };
    let mut reader = Reader {
        system,
        item,
        body,
        setup,
        record: AccountRecord {
            system: system.to_owned(),
            id: id.clone(),
            issuer: setup.issuer.clone(),
            read_at: setup.read_at,
            ..AccountRecord::default()
        },
    };
    let name_use = if system == "hris" {
        NameUse::EmployeeId
    } else {
        NameUse::Id
    };
    reader.add(kind, &id, name_use);
    dates(&mut reader.record, item, body);
    reader.names();
    reader.phones();
    reader.relations();
    reader.facts();
    reader.record.handles.truncate(HANDLES_MAX);
    Ok(reader.record)
}

fn system_of(system: &str, item: Value<'_>) -> Result<(&'static str, HandleKind), Reject> {
    Ok(match system {
        "hris" => ("hris", HandleKind::EmployeeId),
        "okta" => ("okta", HandleKind::OktaId),
        "entra" => ("entra", HandleKind::EntraId),
        "servicenow" => ("servicenow", HandleKind::SnowSysId),
        "zendesk" => ("zendesk", HandleKind::ZendeskId),
        "jira" => ("jira", HandleKind::AtlassianId),
        "amazon_connect" => ("amazon_connect", HandleKind::ConnectAgentArn),
        "genesys" => ("genesys", HandleKind::GenesysUserId),
        "contact_centre" => match text(item, &["system", "vendor", "product"]).as_deref() {
            Some("genesys" | "genesys_cloud") => ("genesys", HandleKind::GenesysUserId),
            Some(name) if name.contains("connect") => {
                ("amazon_connect", HandleKind::ConnectAgentArn)
            }
            _ if text(item, id_names("amazon_connect")).is_some() => {
                ("amazon_connect", HandleKind::ConnectAgentArn)
            }
            _ => ("genesys", HandleKind::GenesysUserId),
        },
        _ => return Err(Reject::new(RejectReason::Schema, "not a directory system")),
    })
}

struct Reader<'t, 's> {
    system: &'static str,
    item: Value<'t>,
    body: Value<'t>,
    setup: &'s ExportSetup,
    record: AccountRecord,
}

impl Reader<'_, '_> {
    /// Adds a name, once; of two uses of one name the stronger stays.
    fn add(&mut self, kind: HandleKind, text: &str, name_use: NameUse) -> Option<String> {
        let name = normalise(kind, text, &self.setup.names)?;
        let strength = strength_of(name_use);
        let known = self
            .record
            .handles
            .iter_mut()
            .find(|h| h.kind == kind && h.value == name.value);
        match known {
            Some(known) if known.strength < strength && known.name_use != NameUse::SharedLine => {
                known.strength = strength;
                known.name_use = name_use;
            }
            Some(_) => {}
            None => self.record.handles.push(DatedHandle {
                kind,
                value: name.value.clone(),
                name_use,
                strength,
                from: (name_use != NameUse::Id)
                    .then_some(self.record.created)
                    .flatten(),
                // Events about a deleted account still name its id.
                to: self.record.deleted.filter(|_| name_use != NameUse::Id),
            }),
        }
        Some(name.value)
    }

    fn names(&mut self) {
        let employee = text(self.body, EMPLOYEE_ID).map(|id| id.into_owned());
        let employee = employee.or_else(|| self.outside_employee_id());
        let named = employee.filter(|id| {
            self.add(HandleKind::EmployeeId, id, NameUse::EmployeeId)
                .is_some()
        });
        if named.is_some() {
            self.record.employee_id = named;
        } else if self.system == "hris" {
            self.record.employee_id = Some(self.record.id.clone());
        }
        let login = text(self.body, LOGIN);
        let user_type = text(self.body, &["usertype"]).unwrap_or_default();
        self.record.guest = login.as_deref().is_some_and(is_guest_name)
            || (self.system == "entra" && user_type.eq_ignore_ascii_case("guest"));
        let kind = if self.system == "entra" {
            HandleKind::Upn
        } else {
            HandleKind::Login
        };
        let login = login.and_then(|login| self.add(kind, &login, NameUse::Login));
        let mail = self.mails();
        if !self.record.guest {
            self.record.join_mail =
                mail.or_else(|| login.clone().filter(|login| login.contains('@')));
        }
        if let Some(name) = text(self.body, USER_NAME).or_else(|| text(self.item, USER_NAME)) {
            let kind = match self.system {
                "servicenow" => HandleKind::SnowUser,
                "amazon_connect" => HandleKind::ConnectUsername,
                _ => HandleKind::Login,
            };
            self.record.user_name = self.add(kind, &name, NameUse::UserName);
        }
        if let Some(name) = text(self.body, NAME) {
            self.add(HandleKind::DisplayName, &name, NameUse::Name);
        }
    }

    /// The employee id where a product has its own place for foreign ids.
    fn outside_employee_id(&self) -> Option<String> {
        let id = match self.system {
            "zendesk" => text(self.item, &["externalid"]),
            "genesys" => self.item.path("employerInfo.employeeId").and_then(scalar),
            _ => None,
        };
        id.map(std::borrow::Cow::into_owned)
    }

    /// Adds all addresses; the verified primary one is the answer.
    fn mails(&mut self) -> Option<String> {
        let unverified = flag(self.item, &["verified", "emailverified"]) == Some(false);
        let primary_use = if self.record.guest || unverified {
            NameUse::PersonalMail
        } else {
            NameUse::PrimaryMail
        };
        let mut primary = None;
        let connect = self.item.path("IdentityInfo.Email").and_then(scalar);
        if let Some(mail) = connect.or_else(|| text(self.body, WORK_MAIL)) {
            primary = self.add(HandleKind::Email, &mail, primary_use);
        }
        for address in texts(self.body, &["proxyaddresses"]) {
            match address.split_once(':') {
                Some(("SMTP", mail)) => {
                    let mail = self.add(HandleKind::Email, mail, primary_use);
                    primary = primary.or(mail);
                }
                Some(("smtp", mail)) => {
                    let name_use = if self.record.guest {
                        NameUse::PersonalMail
                    } else {
                        NameUse::Alias
                    };
                    self.add(HandleKind::Email, mail, name_use);
                }
                _ => {}
            }
        }
        for mail in texts(self.body, ALIASES) {
            if mail.contains('@') {
                self.add(HandleKind::Email, &mail, NameUse::Alias);
            }
        }
        for mail in texts(self.body, PERSONAL_MAIL) {
            self.add(HandleKind::Email, &mail, NameUse::PersonalMail);
        }
        self.further_identities();
        primary.filter(|_| primary_use == NameUse::PrimaryMail)
    }

    /// Zendesk `identities[]` and Genesys `addresses[]`: further names with their kind beside them.
    fn further_identities(&mut self) {
        let lists = ["identities", "addresses", "primarycontactinfo", "emails"];
        let lists: Vec<_> = lists
            .iter()
            .filter_map(|name| field(self.item, &[name]))
            .collect();
        for entry in lists.into_iter().flat_map(Value::items) {
            let kind = text(entry, &["type", "mediatype"])
                .unwrap_or_default()
                .to_ascii_lowercase();
            let Some(value) = text(entry, &["value", "address"]) else {
                continue;
            };
            let verified = flag(entry, &["verified"]) != Some(false);
            if kind.starts_with("phone") || kind == "sms" {
                self.add(HandleKind::Phone, &value, NameUse::DirectLine);
            } else if value.contains('@') && kind != "google" {
                let private = matches!(kind.as_str(), "home" | "personal" | "other" | "private");
                let name_use = if verified && !private {
                    NameUse::Alias
                } else {
                    NameUse::PersonalMail
                };
                self.add(HandleKind::Email, &value, name_use);
            }
        }
    }

    fn phones(&mut self) {
        let shared = flag(self.item, &["sharedphonenumber", "sharedphone"]) == Some(true);
        for (names, name_use) in [(DESK_PHONE, NameUse::DirectLine), (MOBILE, NameUse::Mobile)] {
            let name_use = if shared {
                NameUse::SharedLine
            } else {
                name_use
            };
            for number in texts(self.body, names) {
                self.add(HandleKind::Phone, &number, name_use);
            }
        }
        for number in texts(self.body, &["sharedline", "sharedphones", "receptionphone"]) {
            self.add(HandleKind::Phone, &number, NameUse::SharedLine);
        }
        let since = moment(
            self.body,
            &[
                "phonesince",
                "mobilephonesince",
                "phonechangedat",
                "phoneupdatedat",
            ],
        );
        if since.is_some() {
            self.record.phone_at = since;
            let phones = self.record.handles.iter_mut();
            for phone in phones.filter(|h| h.kind == HandleKind::Phone) {
                phone.from = since;
            }
        }
        self.record.email_at = moment(self.body, &["personalemailsince", "personalemailchangedat"]);
    }

    fn relations(&mut self) {
        let manager = text(self.body, MANAGER).or_else(|| text(self.item, MANAGER));
        if let Some(name) = manager {
            let from = moment(self.body, &["managersince", "managerchangedat"]);
            self.record.manager_at = from;
            self.record.managers.push(DatedManager {
                name: name.into_owned(),
                from,
                to: None,
            });
        }
        let mut delegates = texts(self.body, &["delegates", "delegate", "delegateemployeeids"]);
        delegates.truncate(DELEGATES_MAX);
        self.record.delegates = delegates;
    }

    fn facts(&mut self) {
        let agents = matches!(self.system, "amazon_connect" | "genesys");
        let name = self.record.handles.iter().find(|h| {
            matches!(
                h.name_use,
                NameUse::Login | NameUse::UserName | NameUse::PrimaryMail
            )
        });
        let name = name.map(|h| h.value.clone()).unwrap_or_default();
        let record = &mut self.record;
        record.vip = flag(self.body, &["vip", "isvip"]) == Some(true);
        record.desk = agents || is_desk(self.body);
        record.tier = tier_of(self.body, &name);
        if agents && record.tier < Tier::Privileged {
            record.tier = Tier::Privileged;
        }
        if record.guest && record.tier < Tier::Contractor {
            record.tier = Tier::Contractor;
        }
        let ternary = |names: &[&str]| match flag(self.body, names) {
            Some(true) => Ternary::Yes,
            Some(false) => Ternary::No,
            None => Ternary::Unknown,
        };
        record.rights = AgentRights {
            on_shift: ternary(&["onshift"]),
            may_act_on: text(self.body, &["mayacton", "maxtier"]).and_then(|t| tier_named(&t)),
            budget_per_hour: field(self.body, &["budgetperhour", "recoverybudget"])
                .and_then(Value::as_i64)
                .and_then(|n| u32::try_from(n).ok()),
            may_override: ternary(&["mayoverride"]),
            may_approve: ternary(&["mayapprove", "approver", "isapprover"]),
        };
    }
}

const fn strength_of(name_use: NameUse) -> Strength {
    match name_use {
        NameUse::Id => Strength::S3,
        NameUse::EmployeeId
        | NameUse::Login
        | NameUse::PrimaryMail
        | NameUse::Alias
        | NameUse::UserName => Strength::S2,
        NameUse::PersonalMail | NameUse::Mobile | NameUse::DirectLine => Strength::S1,
        NameUse::SharedLine | NameUse::Name => Strength::S0,
    }
}

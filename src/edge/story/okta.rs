//! Events of the Okta System Log, bare, as a poller of the System Log API delivers them.

use super::people::{Device, Person, Place};
use super::rng::Rng;
use crate::collect::time::{Timestamp, rfc3339};

const PHONE_AGENT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Mobile/15E148 Safari/604.1";
const LAPTOP_AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.0.0 Safari/537.36";

/// One entry of `target[]`.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// An account.
    User(&'a Person),
    /// An application, by its name.
    App(&'a str),
    /// An authenticator, by the id of its enrolment.
    Factor(&'a str),
    /// A group, by its name.
    Group(&'a str),
}

/// What one event says.
#[derive(Debug, Clone, Copy)]
pub struct OktaEvent<'a> {
    /// `eventType`.
    pub kind: &'a str,
    /// `displayMessage`.
    pub message: &'a str,
    /// `published`.
    pub at: Timestamp,
    /// Who did it.
    pub actor: &'a Person,
    /// What it was done to.
    pub targets: &'a [Target<'a>],
    /// Where from.
    pub place: &'a Place,
    /// With what; an administrator's console names none.
    pub device: Option<&'a Device>,
    /// `outcome.result`.
    pub result: &'a str,
    /// `outcome.reason`.
    pub reason: Option<&'a str>,
    /// `debugData.factor`.
    pub factor: Option<&'a str>,
    /// `transaction.id`, where several events are one action.
    pub transaction: Option<&'a str>,
}

impl<'a> OktaEvent<'a> {
    /// A success of the person's own, with their laptop.
    #[must_use]
    pub const fn own(
        kind: &'a str,
        message: &'a str,
        at: Timestamp,
        who: &'a Person,
        place: &'a Place,
    ) -> Self {
        Self {
            kind,
            message,
            at,
            actor: who,
            targets: &[],
            place,
            device: Some(&who.laptop),
            result: "SUCCESS",
            reason: None,
            factor: None,
            transaction: None,
        }
    }

    /// Writes the event as JSON.
    pub fn render(&self, rng: &mut Rng, out: &mut String) {
        let (uuid, session, txn) = (rng.uuid(), rng.next_u64(), rng.next_u64());
        let actor = self.actor;
        let phone = self.device.is_some_and(|device| device.phone);
        let (agent, os, browser, form) = if phone {
            (PHONE_AGENT, "iOS", "SAFARI", "Mobile")
        } else {
            (LAPTOP_AGENT, "Windows 10", "CHROME", "Computer")
        };
        let Place {
            ip, city, country, ..
        } = self.place;
        let family = if ip.contains(':') { "V6" } else { "V4" };
        let geo = format!(
            r#"{{"city":"{city}","state":null,"country":"{country}","postalCode":null,"geolocation":null}}"#
        );
        out.push_str(&format!(
            r#"{{"actor":{{"id":"{}","type":"User","alternateId":"{}","displayName":"{} {}","detailEntry":null}},"client":{{"userAgent":{{"rawUserAgent":"{agent}","os":"{os}","browser":"{browser}"}},"zone":"null","device":"{form}","id":null,"ipAddress":"{ip}","geographicalContext":{geo}}},"device":"#,
            actor.okta_id, actor.mail, actor.first, actor.last,
        ));
        self.render_device(out);
        out.push_str(&format!(
            r#","authenticationContext":{{"authenticationProvider":null,"credentialProvider":null,"credentialType":null,"issuer":null,"interface":null,"authenticationStep":0,"rootSessionId":"idx{session:016x}","externalSessionId":"idx{session:016x}"}},"displayMessage":"{}","eventType":"{}","outcome":{{"result":"{}","reason":{}}},"published":"{}","securityContext":{{"asNumber":{},"asOrg":"{}","isp":"{}","domain":"example.net","isProxy":{}}},"severity":"INFO","#,
            self.message,
            self.kind,
            self.result,
            quoted(self.reason),
            rfc3339(self.at),
            self.place.asn,
            self.place.org,
            self.place.org,
            self.place.proxy,
        ));
        self.render_debug(rng, out);
        let transaction = self
            .transaction
            .map_or_else(|| format!("{txn:016x}"), str::to_owned);
        out.push_str(&format!(
            r#""legacyEventType":null,"transaction":{{"type":"WEB","id":"{transaction}","detail":{{}}}},"uuid":"{uuid}","version":"0","request":{{"ipChain":[{{"ip":"{ip}","geographicalContext":{geo},"version":"{family}","source":null}}]}},"target":"#,
        ));
        self.render_targets(out);
        out.push('}');
    }

    fn render_device(&self, out: &mut String) {
        let Some(device) = self.device else {
            out.push_str("null");
            return;
        };
        let os = if device.phone { "IOS" } else { "WINDOWS" };
        out.push_str(&format!(
            r#"{{"id":"{}","name":"{}","os_platform":"{os}","os_version":"18.3","managed":{},"registered":true,"device_integrator":null,"disk_encryption_type":"ALL_INTERNAL_VOLUMES","screen_lock_type":"BIOMETRIC","jailbreak":null,"secure_hardware_present":true}}"#,
            device.id, device.name, !device.phone,
        ));
    }

    fn render_debug(&self, rng: &mut Rng, out: &mut String) {
        let request = rng.next_u64();
        out.push_str(&format!(
            r#""debugContext":{{"debugData":{{"requestId":"{request:016x}","requestUri":"/idp/idx/identify","url":"/idp/idx/identify?""#,
        ));
        if let Some(device) = self.device {
            out.push_str(&format!(r#","dtHash":"{}""#, device.fingerprint));
        }
        if let Some(factor) = self.factor {
            out.push_str(&format!(r#","factor":"{factor}""#));
        }
        out.push_str("}},");
    }

    fn render_targets(&self, out: &mut String) {
        if self.targets.is_empty() {
            out.push_str("null");
            return;
        }
        for (place, target) in self.targets.iter().enumerate() {
            out.push(if place == 0 { '[' } else { ',' });
            let entry = match target {
                Target::User(who) => format!(
                    r#"{{"id":"{}","type":"User","alternateId":"{}","displayName":"{} {}","detailEntry":null}}"#,
                    who.okta_id, who.mail, who.first, who.last,
                ),
                Target::App(name) => format!(
                    r#"{{"id":"0oa{:017}","type":"AppInstance","alternateId":"{name}","displayName":"{name}","detailEntry":null}}"#,
                    name.len(),
                ),
                Target::Factor(id) => format!(
                    r#"{{"id":"{id}","type":"AuthenticatorEnrollment","alternateId":"unknown","displayName":"Okta Verify","detailEntry":null}}"#,
                ),
                Target::Group(name) => format!(
                    r#"{{"id":"00g{:017}","type":"UserGroup","alternateId":"unknown","displayName":"{name}","detailEntry":null}}"#,
                    name.len(),
                ),
            };
            out.push_str(&entry);
        }
        out.push(']');
    }
}

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), |text| format!("\"{text}\""))
}

//! The products that are read, and what each is about.

use serde::{Deserialize, Serialize};

use crate::collect::words::Domain;

/// The products that have a mapper, and the directory exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// Okta System Log.
    Okta,
    /// Entra ID: diagnostic settings, Microsoft Graph, unified audit log.
    Entra,
    /// Google Workspace, Reports API.
    GoogleWorkspace,
    /// Duo, logs of the Admin API.
    Duo,
    /// ServiceNow rows.
    #[serde(rename = "servicenow")]
    ServiceNow,
    /// Amazon Connect.
    AmazonConnect,
    /// The canonical event as JSON.
    Canonical,
    /// Export of the personnel system.
    Hris,
    /// Export of Okta users.
    OktaUsers,
    /// Export of `sys_user`.
    #[serde(rename = "servicenow_users")]
    ServiceNowUsers,
    /// Export of Entra users.
    EntraUsers,
    /// Export of Zendesk users.
    ZendeskUsers,
    /// Export of Jira users.
    JiraUsers,
    /// Export of contact-centre agents.
    ContactCentreAgents,
}

impl Product {
    /// The name used in event ids and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::Entra => "entra",
            Self::GoogleWorkspace => "google_workspace",
            Self::Duo => "duo",
            Self::ServiceNow => "servicenow",
            Self::AmazonConnect => "amazon_connect",
            Self::Canonical => "canonical",
            Self::Hris => "hris",
            Self::OktaUsers => "okta_users",
            Self::ServiceNowUsers => "servicenow_users",
            Self::EntraUsers => "entra_users",
            Self::ZendeskUsers => "zendesk_users",
            Self::JiraUsers => "jira_users",
            Self::ContactCentreAgents => "contact_centre_agents",
        }
    }

    /// The system of a directory export, as account ids name it; empty for a source of events.
    #[must_use]
    pub const fn directory_system(self) -> &'static str {
        match self {
            Self::Okta
            | Self::Entra
            | Self::GoogleWorkspace
            | Self::Duo
            | Self::ServiceNow
            | Self::AmazonConnect
            | Self::Canonical => "",
            Self::Hris => "hris",
            Self::OktaUsers => "okta",
            Self::ServiceNowUsers => "servicenow",
            Self::EntraUsers => "entra",
            Self::ZendeskUsers => "zendesk",
            Self::JiraUsers => "jira",
            Self::ContactCentreAgents => "contact_centre",
        }
    }

    /// What its events are about.
    #[must_use]
    pub const fn domains(self) -> &'static [Domain] {
        match self {
            Self::Okta | Self::Entra | Self::GoogleWorkspace | Self::Duo => &[Domain::Idp],
            Self::ServiceNow => &[Domain::Ticket],
            Self::AmazonConnect => &[Domain::Contact],
            Self::Canonical => &[Domain::Idp, Domain::Ticket, Domain::Contact],
            Self::Hris
            | Self::OktaUsers
            | Self::ServiceNowUsers
            | Self::EntraUsers
            | Self::ZendeskUsers
            | Self::JiraUsers
            | Self::ContactCentreAgents => &[],
        }
    }

    /// True for exports that fill the directory instead of telling events.
    #[must_use]
    pub const fn is_directory(self) -> bool {
        !matches!(
            self,
            Self::Okta
                | Self::Entra
                | Self::GoogleWorkspace
                | Self::Duo
                | Self::ServiceNow
                | Self::AmazonConnect
                | Self::Canonical
        )
    }
}

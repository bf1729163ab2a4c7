//! The closed action vocabulary: what a canonical event says happened.

use serde::{Deserialize, Serialize};

/// What happened. Closed: a source cannot add a value. The order is part of the block encoding, so new
/// values are appended only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Action {
    /// `auth.login`
    #[serde(rename = "auth.login")]
    AuthLogin,
    /// `auth.logout`
    #[serde(rename = "auth.logout")]
    AuthLogout,
    /// `auth.app_access`
    #[serde(rename = "auth.app_access")]
    AuthAppAccess,
    /// `auth.mfa_challenge`
    #[serde(rename = "auth.mfa_challenge")]
    AuthMfaChallenge,
    /// `auth.mfa_verify`
    #[serde(rename = "auth.mfa_verify")]
    AuthMfaVerify,
    /// `auth.mfa_user_denied`
    #[serde(rename = "auth.mfa_user_denied")]
    AuthMfaUserDenied,
    /// `auth.policy_decision`
    #[serde(rename = "auth.policy_decision")]
    AuthPolicyDecision,
    /// `auth.impersonation_start`
    #[serde(rename = "auth.impersonation_start")]
    AuthImpersonationStart,
    /// `auth.impersonation_end`
    #[serde(rename = "auth.impersonation_end")]
    AuthImpersonationEnd,
    /// `credential.password_reset`
    #[serde(rename = "credential.password_reset")]
    CredentialPasswordReset,
    /// `credential.password_change`
    #[serde(rename = "credential.password_change")]
    CredentialPasswordChange,
    /// `credential.reset_requested`
    #[serde(rename = "credential.reset_requested")]
    CredentialResetRequested,
    /// `credential.temp_issued`
    #[serde(rename = "credential.temp_issued")]
    CredentialTempIssued,
    /// `credential.temp_used`
    #[serde(rename = "credential.temp_used")]
    CredentialTempUsed,
    /// `credential.secret_viewed`
    #[serde(rename = "credential.secret_viewed")]
    CredentialSecretViewed,
    /// `credential.api_token_created`
    #[serde(rename = "credential.api_token_created")]
    CredentialApiTokenCreated,
    /// `mfa.enrolled`
    #[serde(rename = "mfa.enrolled")]
    MfaEnrolled,
    /// `mfa.removed`
    #[serde(rename = "mfa.removed")]
    MfaRemoved,
    /// `mfa.reset_all`
    #[serde(rename = "mfa.reset_all")]
    MfaResetAll,
    /// `mfa.changed`
    #[serde(rename = "mfa.changed")]
    MfaChanged,
    /// `mfa.bypass_granted`
    #[serde(rename = "mfa.bypass_granted")]
    MfaBypassGranted,
    /// `mfa.bypass_removed`
    #[serde(rename = "mfa.bypass_removed")]
    MfaBypassRemoved,
    /// `account.locked`
    #[serde(rename = "account.locked")]
    AccountLocked,
    /// `account.unlocked`
    #[serde(rename = "account.unlocked")]
    AccountUnlocked,
    /// `account.enabled`
    #[serde(rename = "account.enabled")]
    AccountEnabled,
    /// `account.disabled`
    #[serde(rename = "account.disabled")]
    AccountDisabled,
    /// `account.created`
    #[serde(rename = "account.created")]
    AccountCreated,
    /// `account.deleted`
    #[serde(rename = "account.deleted")]
    AccountDeleted,
    /// `account.profile_changed`
    #[serde(rename = "account.profile_changed")]
    AccountProfileChanged,
    /// `account.recovery_changed`
    #[serde(rename = "account.recovery_changed")]
    AccountRecoveryChanged,
    /// `verify.started`
    #[serde(rename = "verify.started")]
    VerifyStarted,
    /// `verify.result`
    #[serde(rename = "verify.result")]
    VerifyResult,
    /// `risk.detected`
    #[serde(rename = "risk.detected")]
    RiskDetected,
    /// `risk.user_reported`
    #[serde(rename = "risk.user_reported")]
    RiskUserReported,
    /// `ticket.opened`
    #[serde(rename = "ticket.opened")]
    TicketOpened,
    /// `ticket.updated`
    #[serde(rename = "ticket.updated")]
    TicketUpdated,
    /// `ticket.assigned`
    #[serde(rename = "ticket.assigned")]
    TicketAssigned,
    /// `ticket.commented`
    #[serde(rename = "ticket.commented")]
    TicketCommented,
    /// `ticket.escalated`
    #[serde(rename = "ticket.escalated")]
    TicketEscalated,
    /// `ticket.resolved`
    #[serde(rename = "ticket.resolved")]
    TicketResolved,
    /// `ticket.closed`
    #[serde(rename = "ticket.closed")]
    TicketClosed,
    /// `ticket.reopened`
    #[serde(rename = "ticket.reopened")]
    TicketReopened,
    /// `ticket.requester_changed`
    #[serde(rename = "ticket.requester_changed")]
    TicketRequesterChanged,
    /// `ticket.override`
    #[serde(rename = "ticket.override")]
    TicketOverride,
    /// `approval.requested`
    #[serde(rename = "approval.requested")]
    ApprovalRequested,
    /// `approval.granted`
    #[serde(rename = "approval.granted")]
    ApprovalGranted,
    /// `approval.rejected`
    #[serde(rename = "approval.rejected")]
    ApprovalRejected,
    /// `approval.bypassed`
    #[serde(rename = "approval.bypassed")]
    ApprovalBypassed,
    /// `review.completed`
    #[serde(rename = "review.completed")]
    ReviewCompleted,
    /// `contact.started`
    #[serde(rename = "contact.started")]
    ContactStarted,
    /// `contact.queued`
    #[serde(rename = "contact.queued")]
    ContactQueued,
    /// `contact.agent_connected`
    #[serde(rename = "contact.agent_connected")]
    ContactAgentConnected,
    /// `contact.transferred`
    #[serde(rename = "contact.transferred")]
    ContactTransferred,
    /// `contact.ended`
    #[serde(rename = "contact.ended")]
    ContactEnded,
    /// `contact.wrapup`
    #[serde(rename = "contact.wrapup")]
    ContactWrapup,
    /// `contact.utterance`
    #[serde(rename = "contact.utterance")]
    ContactUtterance,
    /// `contact.category`
    #[serde(rename = "contact.category")]
    ContactCategory,
    /// `contact.supervisor_joined`
    #[serde(rename = "contact.supervisor_joined")]
    ContactSupervisorJoined,
    /// `callback.requested`
    #[serde(rename = "callback.requested")]
    CallbackRequested,
    /// `callback.attempted`
    #[serde(rename = "callback.attempted")]
    CallbackAttempted,
    /// `callback.completed`
    #[serde(rename = "callback.completed")]
    CallbackCompleted,
    /// `identity.upsert`
    #[serde(rename = "identity.upsert")]
    IdentityUpsert,
    /// `identity.link`
    #[serde(rename = "identity.link")]
    IdentityLink,
    /// `identity.unlink`
    #[serde(rename = "identity.unlink")]
    IdentityUnlink,
    /// `identity.employment`
    #[serde(rename = "identity.employment")]
    IdentityEmployment,
    /// `watchlist.changed`
    #[serde(rename = "watchlist.changed")]
    WatchlistChanged,
    /// `session.revoked`
    #[serde(rename = "session.revoked")]
    SessionRevoked,
    /// `session.challenge_disabled`
    #[serde(rename = "session.challenge_disabled")]
    SessionChallengeDisabled,
    /// `session.remote_control`
    #[serde(rename = "session.remote_control")]
    SessionRemoteControl,
    /// `device.registered`
    #[serde(rename = "device.registered")]
    DeviceRegistered,
    /// `device.removed`
    #[serde(rename = "device.removed")]
    DeviceRemoved,
    /// `device.changed`
    #[serde(rename = "device.changed")]
    DeviceChanged,
    /// `access.role_granted`
    #[serde(rename = "access.role_granted")]
    AccessRoleGranted,
    /// `access.role_revoked`
    #[serde(rename = "access.role_revoked")]
    AccessRoleRevoked,
    /// `access.group_added`
    #[serde(rename = "access.group_added")]
    AccessGroupAdded,
    /// `access.group_removed`
    #[serde(rename = "access.group_removed")]
    AccessGroupRemoved,
    /// `access.policy_changed`
    #[serde(rename = "access.policy_changed")]
    AccessPolicyChanged,
    /// `access.app_consent`
    #[serde(rename = "access.app_consent")]
    AccessAppConsent,
    /// `mail.rule_created`
    #[serde(rename = "mail.rule_created")]
    MailRuleCreated,
    /// `mail.forwarding_changed`
    #[serde(rename = "mail.forwarding_changed")]
    MailForwardingChanged,
    /// `mail.notice_deleted`
    #[serde(rename = "mail.notice_deleted")]
    MailNoticeDeleted,
    /// `gate.decided`
    #[serde(rename = "gate.decided")]
    GateDecided,
    /// `other`
    #[serde(rename = "other")]
    Other,
    /// `unmapped`
    #[serde(rename = "unmapped")]
    Unmapped,
}

impl Action {
    /// Every action, in the order of the encoding.
    pub const ALL: [Self; 84] = [
        Self::AuthLogin,
        Self::AuthLogout,
        Self::AuthAppAccess,
        Self::AuthMfaChallenge,
        Self::AuthMfaVerify,
        Self::AuthMfaUserDenied,
        Self::AuthPolicyDecision,
        Self::AuthImpersonationStart,
        Self::AuthImpersonationEnd,
        Self::CredentialPasswordReset,
        Self::CredentialPasswordChange,
        Self::CredentialResetRequested,
        Self::CredentialTempIssued,
        Self::CredentialTempUsed,
        Self::CredentialSecretViewed,
        Self::CredentialApiTokenCreated,
        Self::MfaEnrolled,
        Self::MfaRemoved,
        Self::MfaResetAll,
        Self::MfaChanged,
        Self::MfaBypassGranted,
        Self::MfaBypassRemoved,
        Self::AccountLocked,
        Self::AccountUnlocked,
        Self::AccountEnabled,
        Self::AccountDisabled,
        Self::AccountCreated,
        Self::AccountDeleted,
        Self::AccountProfileChanged,
        Self::AccountRecoveryChanged,
        Self::VerifyStarted,
        Self::VerifyResult,
        Self::RiskDetected,
        Self::RiskUserReported,
        Self::TicketOpened,
        Self::TicketUpdated,
        Self::TicketAssigned,
        Self::TicketCommented,
        Self::TicketEscalated,
        Self::TicketResolved,
        Self::TicketClosed,
        Self::TicketReopened,
        Self::TicketRequesterChanged,
        Self::TicketOverride,
        Self::ApprovalRequested,
        Self::ApprovalGranted,
        Self::ApprovalRejected,
        Self::ApprovalBypassed,
        Self::ReviewCompleted,
        Self::ContactStarted,
        Self::ContactQueued,
        Self::ContactAgentConnected,
        Self::ContactTransferred,
        Self::ContactEnded,
        Self::ContactWrapup,
        Self::ContactUtterance,
        Self::ContactCategory,
        Self::ContactSupervisorJoined,
        Self::CallbackRequested,
        Self::CallbackAttempted,
        Self::CallbackCompleted,
        Self::IdentityUpsert,
        Self::IdentityLink,
        Self::IdentityUnlink,
        Self::IdentityEmployment,
        Self::WatchlistChanged,
        Self::SessionRevoked,
        Self::SessionChallengeDisabled,
        Self::SessionRemoteControl,
        Self::DeviceRegistered,
        Self::DeviceRemoved,
        Self::DeviceChanged,
        Self::AccessRoleGranted,
        Self::AccessRoleRevoked,
        Self::AccessGroupAdded,
        Self::AccessGroupRemoved,
        Self::AccessPolicyChanged,
        Self::AccessAppConsent,
        Self::MailRuleCreated,
        Self::MailForwardingChanged,
        Self::MailNoticeDeleted,
        Self::GateDecided,
        Self::Other,
        Self::Unmapped,
    ];

    /// The name used in events, rules and alerts, and the OCSF `type_uid` (class · 100 + activity) of
    /// OCSF 1.8; 6003/99 where OCSF has no activity of that meaning.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table, one row per action")]
    pub const fn row(self) -> (&'static str, u32) {
        match self {
            Self::AuthLogin => ("auth.login", 300201),
            Self::AuthLogout => ("auth.logout", 300202),
            Self::AuthAppAccess => ("auth.app_access", 300201),
            Self::AuthMfaChallenge => ("auth.mfa_challenge", 300206),
            Self::AuthMfaVerify => ("auth.mfa_verify", 300201),
            Self::AuthMfaUserDenied => ("auth.mfa_user_denied", 300299),
            Self::AuthPolicyDecision => ("auth.policy_decision", 300399),
            Self::AuthImpersonationStart => ("auth.impersonation_start", 300207),
            Self::AuthImpersonationEnd => ("auth.impersonation_end", 300202),
            Self::CredentialPasswordReset => ("credential.password_reset", 300104),
            Self::CredentialPasswordChange => ("credential.password_change", 300103),
            Self::CredentialResetRequested => ("credential.reset_requested", 300199),
            Self::CredentialTempIssued => ("credential.temp_issued", 300199),
            Self::CredentialTempUsed => ("credential.temp_used", 300201),
            Self::CredentialSecretViewed => ("credential.secret_viewed", 300402),
            Self::CredentialApiTokenCreated => ("credential.api_token_created", 300199),
            Self::MfaEnrolled => ("mfa.enrolled", 300110),
            Self::MfaRemoved => ("mfa.removed", 300111),
            Self::MfaResetAll => ("mfa.reset_all", 300111),
            Self::MfaChanged => ("mfa.changed", 300199),
            Self::MfaBypassGranted => ("mfa.bypass_granted", 300111),
            Self::MfaBypassRemoved => ("mfa.bypass_removed", 300110),
            Self::AccountLocked => ("account.locked", 300109),
            Self::AccountUnlocked => ("account.unlocked", 300112),
            Self::AccountEnabled => ("account.enabled", 300102),
            Self::AccountDisabled => ("account.disabled", 300105),
            Self::AccountCreated => ("account.created", 300101),
            Self::AccountDeleted => ("account.deleted", 300106),
            Self::AccountProfileChanged => ("account.profile_changed", 300199),
            Self::AccountRecoveryChanged => ("account.recovery_changed", 300199),
            Self::VerifyStarted => ("verify.started", 300206),
            Self::VerifyResult => ("verify.result", 300299),
            Self::RiskDetected => ("risk.detected", 200401),
            Self::RiskUserReported => ("risk.user_reported", 200401),
            Self::TicketOpened => ("ticket.opened", 600301),
            Self::TicketUpdated => ("ticket.updated", 600303),
            Self::TicketAssigned => ("ticket.assigned", 600303),
            Self::TicketCommented => ("ticket.commented", 600303),
            Self::TicketEscalated => ("ticket.escalated", 600303),
            Self::TicketResolved => ("ticket.resolved", 600303),
            Self::TicketClosed => ("ticket.closed", 600303),
            Self::TicketReopened => ("ticket.reopened", 600303),
            Self::TicketRequesterChanged => ("ticket.requester_changed", 600303),
            Self::TicketOverride => ("ticket.override", 600399),
            Self::ApprovalRequested => ("approval.requested", 600399),
            Self::ApprovalGranted => ("approval.granted", 600399),
            Self::ApprovalRejected => ("approval.rejected", 600399),
            Self::ApprovalBypassed => ("approval.bypassed", 600399),
            Self::ReviewCompleted => ("review.completed", 600399),
            Self::ContactStarted => ("contact.started", 600399),
            Self::ContactQueued => ("contact.queued", 600399),
            Self::ContactAgentConnected => ("contact.agent_connected", 600399),
            Self::ContactTransferred => ("contact.transferred", 600399),
            Self::ContactEnded => ("contact.ended", 600399),
            Self::ContactWrapup => ("contact.wrapup", 600399),
            Self::ContactUtterance => ("contact.utterance", 600399),
            Self::ContactCategory => ("contact.category", 600399),
            Self::ContactSupervisorJoined => ("contact.supervisor_joined", 600399),
            Self::CallbackRequested => ("callback.requested", 600399),
            Self::CallbackAttempted => ("callback.attempted", 600399),
            Self::CallbackCompleted => ("callback.completed", 600399),
            Self::IdentityUpsert => ("identity.upsert", 300403),
            Self::IdentityLink => ("identity.link", 300403),
            Self::IdentityUnlink => ("identity.unlink", 300403),
            Self::IdentityEmployment => ("identity.employment", 300403),
            Self::WatchlistChanged => ("watchlist.changed", 600399),
            Self::SessionRevoked => ("session.revoked", 300202),
            Self::SessionChallengeDisabled => ("session.challenge_disabled", 300199),
            Self::SessionRemoteControl => ("session.remote_control", 600399),
            Self::DeviceRegistered => ("device.registered", 300406),
            Self::DeviceRemoved => ("device.removed", 300407),
            Self::DeviceChanged => ("device.changed", 300403),
            Self::AccessRoleGranted => ("access.role_granted", 300503),
            Self::AccessRoleRevoked => ("access.role_revoked", 300504),
            Self::AccessGroupAdded => ("access.group_added", 300603),
            Self::AccessGroupRemoved => ("access.group_removed", 300604),
            Self::AccessPolicyChanged => ("access.policy_changed", 300403),
            Self::AccessAppConsent => ("access.app_consent", 300199),
            Self::MailRuleCreated => ("mail.rule_created", 600399),
            Self::MailForwardingChanged => ("mail.forwarding_changed", 600399),
            Self::MailNoticeDeleted => ("mail.notice_deleted", 600399),
            Self::GateDecided => ("gate.decided", 600399),
            Self::Other => ("other", 600399),
            Self::Unmapped => ("unmapped", 600399),
        }
    }

    /// The dotted name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The OCSF 1.8 `type_uid` of a related event of this kind.
    #[must_use]
    pub const fn type_uid(self) -> u32 {
        self.row().1
    }

    /// The action of a dotted name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found_again() {
        for action in Action::ALL {
            assert_eq!(Action::from_name(action.as_str()), Some(action));
        }
        assert_eq!(Action::from_name("auth.nothing"), None);
    }
}

//! Okta event types → actions.

use crate::collect::action::Action;

/// Families of the published catalogue: a type of one of them that has no row of its own is known
/// and of no interest.
const FAMILIES: [&str; 46] = [
    "access",
    "account",
    "analytics",
    "api",
    "app",
    "application",
    "bacon",
    "certification",
    "core",
    "credential",
    "device",
    "directory",
    "event_hook",
    "governance",
    "group",
    "hook",
    "iam",
    "inline_hook",
    "integration",
    "log_stream",
    "master_application",
    "mim",
    "network_zone",
    "oauth2",
    "oag",
    "omm",
    "org",
    "pam",
    "personal",
    "pki",
    "plugin",
    "policy",
    "rate_limit",
    "realm",
    "resource",
    "resource_servers",
    "scheduled_action",
    "security",
    "self_service",
    "support",
    "system",
    "task",
    "workflow",
    "workflows",
    "workload_principal",
    "zone",
];

/// Types of `user.*` that are known and of no interest.
const IDLE_USER_TYPES: [&str; 22] = [
    "user.account.access_super_user_app",
    "user.account.preference_update",
    "user.account.subscriptions.update",
    "user.account.unlock_failure",
    "user.account.use_token",
    "user.account.update_user_token",
    "user.authentication.auth_identifier_not_in_policy",
    "user.authentication.auth_unconfigured_identifier",
    "user.authentication.dsso_via_non_priority_source",
    "user.authentication.dynamic_client_registration",
    "user.authentication.slo",
    "user.credential.enroll",
    "user.credential.revoke",
    "user.device_session.end",
    "user.device_session.start",
    "user.identity_snapshot.attestation.create",
    "user.lifecycle.password_mass_expiry",
    "user.mfa.okta_verify",
    "user.mfa.okta_verify.deny_push_upgrade_needed",
    "user.registration.create",
    "user.session.context.change",
    "user.session.expire",
];

/// The action of an event type; `Unmapped` where nothing is known of it.
pub(super) fn action(event_type: &str) -> Action {
    exact(event_type)
        .or_else(|| by_prefix(event_type))
        .unwrap_or_else(|| idle(event_type))
}

fn idle(event_type: &str) -> Action {
    let family = event_type.split('.').next().unwrap_or_default();
    let known = IDLE_USER_TYPES.contains(&event_type)
        || event_type.starts_with("user.import.")
        || event_type.starts_with("user.lifecycle.jit.")
        || (FAMILIES.contains(&family) && event_type.contains('.'));
    if known {
        Action::Other
    } else {
        Action::Unmapped
    }
}

fn exact(event_type: &str) -> Option<Action> {
    use Action as A;
    Some(match event_type {
        "user.account.reset_password" | "user.account.expire_password" => {
            A::CredentialPasswordReset
        }
        "user.account.update_password" => A::CredentialPasswordChange,
        "user.account.unlock_token" => A::CredentialResetRequested,
        "user.account.unlock" | "user.account.unlock_by_admin" => A::AccountUnlocked,
        "user.account.lock" | "user.account.lock.limit" => A::AccountLocked,
        "user.mfa.factor.activate" => A::MfaEnrolled,
        "user.mfa.factor.deactivate" | "user.mfa.factor.suspend" => A::MfaRemoved,
        "user.mfa.factor.reset_all" => A::MfaResetAll,
        "user.mfa.factor.update" | "user.mfa.factor.unsuspend" => A::MfaChanged,
        "user.mfa.attempt_bypass" => A::MfaBypassGranted,
        "user.session.clear"
        | "user.authentication.universal_logout"
        | "user.authentication.universal_logout.scheduled" => A::SessionRevoked,
        "user.behavior.profile.reset" => A::SessionChallengeDisabled,
        "device.enrollment.create" => A::DeviceRegistered,
        "device.lifecycle.delete" => A::DeviceRemoved,
        "user.account.update_primary_email" | "user.account.update_secondary_email" => {
            A::AccountRecoveryChanged
        }
        "user.account.update_profile" => A::AccountProfileChanged,
        "user.account.update_user_type" => A::IdentityEmployment,
        "user.account.privilege.grant" | "group.privilege.grant" => A::AccessRoleGranted,
        "user.account.privilege.revoke" | "group.privilege.revoke" => A::AccessRoleRevoked,
        "group.user_membership.add" => A::AccessGroupAdded,
        "group.user_membership.remove" => A::AccessGroupRemoved,
        "user.session.start" | "user.authentication.auth" => A::AuthLogin,
        "user.session.end" => A::AuthLogout,
        "user.authentication.sso" | "user.session.access_admin_app" => A::AuthAppAccess,
        "user.authentication.auth_via_mfa" | "user.authentication.verify" => A::AuthMfaVerify,
        "system.push.send_factor_verify_push"
        | "system.sms.send_factor_verify_message"
        | "system.voice.send_mfa_challenge_call"
        | "system.email.send_factor_verify_message" => A::AuthMfaChallenge,
        "user.mfa.okta_verify.deny_push" => A::AuthMfaUserDenied,
        "policy.evaluate_sign_on" => A::AuthPolicyDecision,
        "user.identity_verification.start" => A::VerifyStarted,
        "user.identity_verification" => A::VerifyResult,
        "user.session.impersonation.grant" | "user.session.impersonation.initiate" => {
            A::AuthImpersonationStart
        }
        "user.session.impersonation.end" | "user.session.impersonation.revoke" => {
            A::AuthImpersonationEnd
        }
        "user.session.impersonation.extend" => A::Other,
        "system.api_token.create" => A::CredentialApiTokenCreated,
        "user.account.report_suspicious_activity_by_enduser" => A::RiskUserReported,
        "security.threat.detected"
        | "security.breached_credential.detected"
        | "user.risk.detect"
        | "user.risk.change" => A::RiskDetected,
        "system.mfa.factor.deactivate" | "security.authenticator.lifecycle.deactivate" => {
            A::AccessPolicyChanged
        }
        "system.idp.lifecycle.read_client_secret" => A::CredentialSecretViewed,
        "user.lifecycle.create" => A::AccountCreated,
        "user.lifecycle.delete.initiated" | "user.lifecycle.delete.completed" => A::AccountDeleted,
        "user.lifecycle.deactivate" | "user.lifecycle.suspend" => A::AccountDisabled,
        "user.lifecycle.activate" | "user.lifecycle.reactivate" | "user.lifecycle.unsuspend" => {
            A::AccountEnabled
        }
        "app.oauth2.as.consent.grant"
        | "app.oauth2.consent.grant"
        | "app.oauth2.admin.consent.grant" => A::AccessAppConsent,
        _ => return None,
    })
}

fn by_prefix(event_type: &str) -> Option<Action> {
    let within = |prefix: &str| event_type.starts_with(prefix);
    let message = within("system.email.") || within("system.sms.") || within("system.voice.");
    let recovery = ["password_reset", "account_unlock", "forgot_password"];
    if message && recovery.iter().any(|word| event_type.contains(word)) {
        return Some(Action::CredentialResetRequested);
    }
    if within("user.authentication.auth_via_") || within("user.authentication.authenticate") {
        return Some(Action::AuthLogin);
    }
    let policy = ["system.idp.lifecycle.", "policy.lifecycle.", "policy.rule."];
    let policy = policy.iter().any(|prefix| within(prefix));
    policy.then_some(Action::AccessPolicyChanged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_not_of_no_interest() {
        for idle in [
            "application.lifecycle.create",
            "account.org.add",
            "workload_principal.register",
            "resource_servers.mcp_server.register",
            "user.account.preference_update",
            "user.lifecycle.jit.error.read_only",
            "user.authentication.auth_unconfigured_identifier",
            "system.idp.key.create",
            "system.email.mfa_reset_notification.sent_message",
        ] {
            assert_eq!(action(idle), Action::Other, "{idle}");
        }
        assert_eq!(action("user.account.teleport"), Action::Unmapped);
        assert_eq!(action("nonsense"), Action::Unmapped);
        for login in [
            "user.authentication.auth",
            "user.authentication.authenticate",
            "user.authentication.auth_via_IDP",
            "user.authentication.auth_via_inbound_SAML",
        ] {
            assert_eq!(action(login), Action::AuthLogin, "{login}");
        }
        assert_eq!(
            action("system.email.send_password_reset_email"),
            Action::CredentialResetRequested
        );
    }
}

//! Names of Google Workspace events and what they are.

use crate::collect::action::Action;
use crate::collect::event::PolicyClass;

/// Types of admin events that are about accounts and their protection. What is new among them is to be
/// looked at; what is new among the others is not.
const OF_ACCOUNTS: [&str; 3] = [
    "USER_SETTINGS",
    "SECURITY_SETTINGS",
    "DELEGATED_ADMIN_SETTINGS",
];

/// The action of an event: application, type, and name in lower case.
pub(super) fn action(application: &str, kind: &str, name: &str) -> Action {
    match application {
        "admin" => admin(name).unwrap_or_else(|| {
            if OF_ACCOUNTS
                .iter()
                .any(|known| kind.eq_ignore_ascii_case(known))
            {
                Action::Unmapped
            } else {
                Action::Other
            }
        }),
        "login" | "user_accounts" => own(name).unwrap_or(Action::Unmapped),
        "saml" if name.starts_with("login_") => Action::AuthAppAccess,
        "token" => match name {
            "authorize" => Action::AccessAppConsent,
            "revoke" | "activity" | "request" => Action::Other,
            _ => Action::Unmapped,
        },
        "mobile" => match name {
            "device_compromised_event" => Action::RiskDetected,
            _ => Action::Other,
        },
        _ => Action::Other,
    }
}

/// What administrators do.
fn admin(name: &str) -> Option<Action> {
    use Action as A;
    Some(match name {
        "change_password" | "change_password_on_next_login" => A::CredentialPasswordReset,
        "view_temp_password" => A::CredentialSecretViewed,
        "generate_2sv_scratch_codes" => A::CredentialTempIssued,
        "turn_off_2_step_verification"
        | "unenroll_user_from_strong_auth"
        | "unenroll_user_from_titanium"
        | "revoke_security_key"
        | "passkey_revoked"
        | "revoke_asp"
        | "delete_2sv_scratch_codes" => A::MfaRemoved,
        "user_put_in_two_step_verification_grace_period" => A::MfaBypassGranted,
        "unblock_user_session" => A::SessionChallengeDisabled,
        "add_recovery_email"
        | "change_recovery_email"
        | "remove_recovery_email"
        | "add_recovery_phone"
        | "change_recovery_phone"
        | "remove_recovery_phone" => A::AccountRecoveryChanged,
        "reset_signin_cookies" | "revoke_3lo_device_tokens" | "revoke_3lo_token" => {
            A::SessionRevoked
        }
        "suspend_user" | "archive_user" => A::AccountDisabled,
        "unsuspend_user" | "unarchive_user" => A::AccountEnabled,
        "create_user" | "undelete_user" | "accept_user_invitation" => A::AccountCreated,
        "delete_user" => A::AccountDeleted,
        "rename_user" => A::IdentityLink,
        "grant_admin_privilege" | "assign_role" | "grant_delegated_admin_privileges" => {
            A::AccessRoleGranted
        }
        "revoke_admin_privilege" | "unassign_role" => A::AccessRoleRevoked,
        "add_group_member" => A::AccessGroupAdded,
        "remove_group_member" => A::AccessGroupRemoved,
        "mail_routing_destination_added" | "mail_routing_destination_changed" => {
            A::MailForwardingChanged
        }
        "change_first_name"
        | "change_last_name"
        | "change_user_custom_field"
        | "change_user_address"
        | "change_user_phone_number"
        | "change_user_relation"
        | "change_user_organization"
        | "change_user_external_id"
        | "change_display_name"
        | "add_nickname"
        | "remove_nickname"
        | "move_user_to_org_unit" => A::AccountProfileChanged,
        "enforce_strong_authentication"
        | "allow_strong_authentication"
        | "change_two_step_verification_enrollment_period_duration"
        | "change_two_step_verification_frequency"
        | "change_two_step_verification_grace_period_duration"
        | "change_two_step_verification_start_date"
        | "change_allowed_two_step_verification_methods"
        | "toggle_sso_enabled"
        | "change_sso_settings"
        | "sso_profile_added"
        | "sso_profile_updated"
        | "sso_profile_deleted"
        | "inbound_sso_profile_created"
        | "inbound_sso_profile_updated"
        | "inbound_sso_profile_deleted"
        | "session_control_settings_change"
        | "change_session_length"
        | "enable_non_admin_user_password_recovery"
        | "change_minimum_password_length" => A::AccessPolicyChanged,
        _ => return None,
    })
}

/// What a policy event is about.
pub(super) fn policy(name: &str) -> PolicyClass {
    let has = |word: &str| name.contains(word);
    if has("sso") {
        PolicyClass::Federation
    } else if has("strong_auth") || has("two_step") {
        PolicyClass::Mfa
    } else if has("session") {
        PolicyClass::Session
    } else if has("password") {
        PolicyClass::Password
    } else {
        PolicyClass::Other
    }
}

/// What people do with their own account, and what Google finds out about it.
fn own(name: &str) -> Option<Action> {
    use Action as A;
    Some(match name {
        "login_success" | "login_failure" => A::AuthLogin,
        "login_challenge" => A::AuthMfaChallenge,
        "login_verification" => A::AuthMfaVerify,
        "logout" => A::AuthLogout,
        "gov_attack_warning" | "user_signed_out_due_to_suspicious_session_cookie" => {
            A::RiskDetected
        }
        "risky_sensitive_action_allowed" | "risky_sensitive_action_blocked" => A::RiskDetected,
        "2sv_enroll" | "titanium_enroll" | "passkey_enrolled" => A::MfaEnrolled,
        "2sv_disable" | "titanium_unenroll" | "passkey_removed" => A::MfaRemoved,
        "password_edit" => A::CredentialPasswordChange,
        "recovery_email_edit" | "recovery_phone_edit" | "recovery_secret_qa_edit" => {
            A::AccountRecoveryChanged
        }
        "email_forwarding_out_of_domain" => A::MailForwardingChanged,
        _ if name.starts_with("suspicious_login")
            || name.starts_with("suspicious_programmatic_login") =>
        {
            A::RiskDetected
        }
        _ if name.starts_with("account_disabled") => A::AccountDisabled,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_among_accounts_is_unmapped_and_nowhere_else() {
        for (application, kind, name, expected) in [
            (
                "admin",
                "USER_SETTINGS",
                "change_password",
                Action::CredentialPasswordReset,
            ),
            ("admin", "USER_SETTINGS", "of_next_year", Action::Unmapped),
            ("admin", "CALENDAR_SETTINGS", "of_next_year", Action::Other),
            (
                "login",
                "login",
                "suspicious_login_less_secure_app",
                Action::RiskDetected,
            ),
            (
                "login",
                "account_warning",
                "account_disabled_password_leak",
                Action::AccountDisabled,
            ),
            (
                "user_accounts",
                "2sv_change",
                "of_next_year",
                Action::Unmapped,
            ),
            ("saml", "login", "login_failure", Action::AuthAppAccess),
            ("drive", "access", "download", Action::Other),
        ] {
            assert_eq!(
                action(application, kind, name),
                expected,
                "{application} {name}"
            );
        }
    }
}

//! Names of acts, results and factors in the logs of Duo, and what they are.

use crate::collect::action::Action;
use crate::collect::event::{FactorType, Outcome as Ended};

/// The action of an administrator's act; `status` and `error` are of its description.
pub(super) fn action(name: &str, status: Option<&str>, error: Option<&str>) -> Action {
    use Action as A;
    let is = |value: Option<&str>, word: &str| {
        value.is_some_and(|value| value.to_ascii_lowercase().contains(word))
    };
    match name {
        "bypass_create" => A::CredentialTempIssued,
        "bypass_view" => A::CredentialSecretViewed,
        "user_update" if is(status, "bypass") => A::MfaBypassGranted,
        "user_update" => A::AccountProfileChanged,
        "user_create" | "user_restore" | "user_import" => A::AccountCreated,
        "user_delete" | "admin_delete" => A::AccountDeleted,
        "user_mark_pending_deletion" => A::AccountDisabled,
        "phone_associate"
        | "u2ftoken_create"
        | "webauthncredential_create"
        | "webauthn_credential_create"
        | "o2fa_user_provisioned" => A::MfaEnrolled,
        "phone_disassociate"
        | "phone_delete"
        | "u2ftoken_delete"
        | "webauthncredential_delete"
        | "webauthn_credential_delete"
        | "hardtoken_disassociate"
        | "hardtoken_delete"
        | "o2fa_user_deprovisioned" => A::MfaRemoved,
        "phone_update" | "o2fa_user_reenrolled" => A::MfaChanged,
        "admin_lockout" => A::AccountLocked,
        "admin_create" => A::AccountCreated,
        "admin_update" | "admin_self_update" => A::AccountProfileChanged,
        "admin_reset_password" | "admin_send_reset_password_email" => A::CredentialPasswordReset,
        "admin_change_password" => A::CredentialPasswordChange,
        "admin_login" | "admin_login_error" => A::AuthLogin,
        "admin_2fa_error" if is(error, "fraud") => A::AuthMfaUserDenied,
        "admin_2fa_error" => A::AuthMfaVerify,
        "admin_single_sign_on_update" | "update_admin_factor_restrictions" => {
            A::AccessPolicyChanged
        }
        "bypass_delete" | "phone_create" => A::Other,
        _ if name.starts_with("hardtoken_") => A::MfaEnrolled,
        _ if name.starts_with("policy_") || name.ends_with("_sso_update") => A::AccessPolicyChanged,
        _ if IDLE.iter().any(|prefix| name.starts_with(prefix)) => A::Other,
        _ => A::Unmapped,
    }
}

/// Acts on applications, groups, settings and synchronised directories.
const IDLE: [&str; 12] = [
    "integration_",
    "group_",
    "customer_",
    "ad_sync_",
    "azure_sync_",
    "adminapi_",
    "admin_activate",
    "user_bulk_",
    "send_enroll_code",
    "credits_",
    "billing_",
    "management_system_",
];

/// How an administrator's act ended: only refusals say so.
pub(super) fn ended(name: &str) -> Ended {
    match name {
        "admin_2fa_error" => Ended::Denied,
        _ if name.ends_with("_error") => Ended::Failure,
        _ => Ended::Success,
    }
}

/// The action of an entry of the authentication log: its type, result and reason in lower case.
pub(super) fn authentication(kind: &str, result: &str, reason: &str) -> Action {
    if kind.eq_ignore_ascii_case("enrollment") {
        Action::MfaEnrolled
    } else if result == "fraud" || reason == "user_marked_fraud" {
        Action::AuthMfaUserDenied
    } else if reason == "anomalous_push" {
        Action::RiskDetected
    } else if reason == "bypass_user" {
        Action::CredentialTempUsed
    } else {
        Action::AuthMfaVerify
    }
}

/// The kind of a factor, as logs name it.
pub(super) fn factor(name: &str) -> Option<FactorType> {
    let name = name.to_ascii_lowercase().replace([' ', '-'], "_");
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["push"]) {
        Some(FactorType::Push)
    } else if has(&["phone"]) {
        Some(FactorType::PhoneCall)
    } else if has(&["sms"]) {
        Some(FactorType::Sms)
    } else if has(&["webauthn", "passkey", "touch_id", "platform"]) {
        Some(FactorType::Webauthn)
    } else if has(&["u2f", "security_key"]) {
        Some(FactorType::U2f)
    } else if has(&["yubikey", "hardware", "token", "digipass"]) {
        Some(FactorType::HardwareToken)
    } else if has(&["passcode", "bypass_code", "otp"]) {
        Some(FactorType::Otp)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_what_their_description_makes_of_them() {
        for (name, status, error, expected) in [
            (
                "user_update",
                Some("Bypass"),
                None,
                Action::MfaBypassGranted,
            ),
            (
                "user_update",
                Some("Active"),
                None,
                Action::AccountProfileChanged,
            ),
            (
                "admin_2fa_error",
                None,
                Some("The push was reported as fraudulent"),
                Action::AuthMfaUserDenied,
            ),
            (
                "admin_2fa_error",
                None,
                Some("timed out"),
                Action::AuthMfaVerify,
            ),
            ("policy_update", None, None, Action::AccessPolicyChanged),
            ("hardtoken_associate", None, None, Action::MfaEnrolled),
            ("hardtoken_disassociate", None, None, Action::MfaRemoved),
            ("integration_update", None, None, Action::Other),
            ("bypass_detele", None, None, Action::Unmapped),
        ] {
            assert_eq!(action(name, status, error), expected, "{name} {status:?}");
        }
    }

    #[test]
    fn authentications_are_told_by_result_and_reason() {
        for (kind, result, reason, expected) in [
            (
                "authentication",
                "success",
                "user_approved",
                Action::AuthMfaVerify,
            ),
            (
                "authentication",
                "success",
                "bypass_user",
                Action::CredentialTempUsed,
            ),
            (
                "authentication",
                "denied",
                "anomalous_push",
                Action::RiskDetected,
            ),
            ("authentication", "fraud", "", Action::AuthMfaUserDenied),
            ("enrollment", "", "", Action::MfaEnrolled),
        ] {
            assert_eq!(
                authentication(kind, result, reason),
                expected,
                "{kind} {result} {reason}"
            );
        }
    }
}

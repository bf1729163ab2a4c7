//! Names of Entra activities and what they are: of the audit log, and of the unified audit log, which
//! writes the same names with a full stop.
//!
//! Source: Microsoft Learn, "Microsoft Entra audit log categories and activities".

use crate::collect::action::Action;
use crate::collect::event::{Policy, PolicyClass, PolicyEffect};

/// Words of activities that change no account of a person.
const NO_RECOVERY: [&str; 11] = [
    "application",
    "service principal",
    "app role",
    "license",
    "oauth2permissiongrant",
    "delegated permission",
    "group",
    "external user",
    "terms of use",
    "access review",
    "administrative unit",
];

/// The name as it is looked up: without white space and full stop at its ends, in lower case.
pub(super) fn name(text: &str) -> String {
    let bare = text.trim().trim_end_matches('.').trim_end();
    bare.to_ascii_lowercase()
}

/// The action of a name. `None`: nobody knows it.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn action(name: &str) -> Option<Action> {
    use Action as A;
    Some(match name {
        "reset password (by admin)"
        | "reset user password"
        | "reset password (self-service)"
        | "reset password"
        | "admin generates a temporary password"
        | "set force change user password"
        | "admins requires the user to reset their password" => A::CredentialPasswordReset,
        "change user password"
        | "change password (self-service)"
        | "change password (by admin)"
        | "change password" => A::CredentialPasswordChange,
        "admin started password reset"
        | "self-service password reset flow activity progress"
        | "self-serve password reset flow activity progress"
        | "user started password reset"
        | "user password reset"
        | "blocked from self-service password reset" => A::CredentialResetRequested,
        "user started security info registration"
        | "user reviewed security info"
        | "user cancelled security info registration"
        | "admin reviewed security info"
        | "get passkey creation options" => A::Other,
        "unlock user account (self-service)" | "unlock user account" => A::AccountUnlocked,
        "user registered security info"
        | "user registered all required security info"
        | "user registered for self-service password reset"
        | "user password registration"
        | "admin registered security info"
        | "add passkey (device-bound)"
        | "add passkey (device-bound) security key"
        | "add windows hello for business credential"
        | "add platform credential"
        | "add passwordless phone sign-in credential"
        | "add fido2 security key"
        | "add users strong authentication phone app detail"
        | "create application password for user" => A::MfaEnrolled,
        "user deleted security info"
        | "admin deleted security info"
        | "delete passkey (device-bound)"
        | "delete passkey (device-bound) security key"
        | "delete windows hello for business credential"
        | "delete platform credential"
        | "delete passwordless phone sign-in credential"
        | "delete fido2 security key"
        | "delete hard token"
        | "remove users strong authentication phone app detail"
        | "delete application password for user" => A::MfaRemoved,
        "admin updated security info"
        | "user changed default security info"
        | "user updated security info"
        | "update per-user multifactor authentication state"
        | "set users oath token metadata enabled" => A::MfaChanged,
        "require re-registration of mfa"
        | "revoke mfa sessions"
        | "admin required re-registration of mfa" => A::MfaResetAll,
        "create temporary access pass method for user"
        | "admin registered temporary access pass method for user"
        | "create temporary access pass for user" => A::CredentialTempIssued,
        "disable strong authentication" => A::MfaBypassGranted,
        "enable strong authentication" => A::MfaBypassRemoved,
        "enable account" => A::AccountEnabled,
        "disable account" => A::AccountDisabled,
        "add user" | "viral user creation" | "restore user" => A::AccountCreated,
        "delete user" | "hard delete user" => A::AccountDeleted,
        "update user" => A::AccountProfileChanged,
        "update stsrefreshtokenvalidfrom timestamp"
        | "revoke sign-in sessions"
        | "revoke user sign-in sessions" => A::SessionRevoked,
        "register device"
        | "add device"
        | "add registered owner to device"
        | "add registered users to device"
        | "add registered user to device" => A::DeviceRegistered,
        "delete device"
        | "unregister device"
        | "remove registered owner from device"
        | "remove registered users from device"
        | "remove registered user from device" => A::DeviceRemoved,
        "update device" | "device no longer compliant" | "device no longer managed" => {
            A::DeviceChanged
        }
        "recover device local administrator password"
        | "read bitlocker key"
        | "get device local administrator password" => A::CredentialSecretViewed,
        "request approved"
        | "activationapproved"
        | "approve pending request"
        | "approve a pending request to join a group" => A::ApprovalGranted,
        "request denied" | "deny pending request" | "reject a pending request to join a group" => {
            A::ApprovalRejected
        }
        "consent to application" => A::AccessAppConsent,
        "add member to group" => A::AccessGroupAdded,
        "remove member from group" => A::AccessGroupRemoved,
        "userloggedin" | "userloginfailed" => A::AuthLogin,
        "userloggedoff" | "userloggedout" => A::AuthLogout,
        "elevate"
        | "user has elevated their access to user access administrator for their azure resources" => {
            A::AccessRoleGranted
        }
        _ => return by_words(name),
    })
}

/// Names that differ by what they are done to.
fn by_words(name: &str) -> Option<Action> {
    use Action as A;
    let has = |word: &str| name.contains(word);
    let begins = |word: &str| name.starts_with(word);
    let to_role = has(" to role") || has("role assignment") || has("member to scoped role");
    if begins("add ") && to_role && !has("app role") && !has("add role from") {
        // Of a PIM activation the request alone grants nothing.
        return Some(if has("requested") {
            A::Other
        } else {
            A::AccessRoleGranted
        });
    }
    let of_role = has(" from role") || has("role assignment");
    if begins("remove ") && of_role && !has("app role") {
        return Some(if has("requested") {
            A::Other
        } else {
            A::AccessRoleRevoked
        });
    }
    if policy(name).is_some() {
        return Some(A::AccessPolicyChanged);
    }
    let is_known = NO_RECOVERY.iter().any(|word| has(word));
    is_known.then_some(A::Other)
}

/// What a change of a policy is about, and whether it protects less.
pub(super) fn policy(name: &str) -> Option<Policy> {
    let has = |word: &str| name.contains(word);
    let class = if has("domain authentication") || has("federation settings") {
        PolicyClass::Federation
    } else if has("authentication method") || has("mfa registration policy") {
        PolicyClass::Mfa
    } else if has("password policy") || has("password protection") {
        PolicyClass::Password
    } else if has("conditional access")
        || has("sign-in risk policy")
        || has("user risk policy")
        || has("named location")
        || has("authentication strength")
        || has("security defaults")
    {
        PolicyClass::SignOn
    } else if has("policy") && !has("lifecycle") && !has("owner to") {
        PolicyClass::Other
    } else {
        return None;
    };
    let effect = if name.starts_with("delete") || name.starts_with("remove") || has("disable") {
        PolicyEffect::Weakened
    } else {
        PolicyEffect::Unknown
    };
    Some(Policy {
        class: Some(class),
        effect: Some(effect),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        for (written, expected) in [
            (
                "Disable Strong Authentication.",
                Some(Action::MfaBypassGranted),
            ),
            (
                "Reset password (by admin)",
                Some(Action::CredentialPasswordReset),
            ),
            (
                "Add member to role in PIM completed (permanent)",
                Some(Action::AccessRoleGranted),
            ),
            (
                "Add member to role in PIM requested (timebound)",
                Some(Action::Other),
            ),
            (
                "Add eligible member to role",
                Some(Action::AccessRoleGranted),
            ),
            ("Remove role assignment", Some(Action::AccessRoleRevoked)),
            (
                "Add app role assignment to service principal.",
                Some(Action::Other),
            ),
            (
                "Update authorization policy",
                Some(Action::AccessPolicyChanged),
            ),
            ("Add service principal credentials", Some(Action::Other)),
            ("Invite external user", Some(Action::Other)),
            ("Frobnicate", None),
        ] {
            assert_eq!(action(&name(written)), expected, "{written}");
        }
    }

    #[test]
    fn a_policy_that_goes_protects_less() {
        let of = |written: &str| {
            let policy = policy(&name(written)).unwrap();
            (policy.class.unwrap(), policy.effect.unwrap())
        };
        assert_eq!(
            of("Delete conditional access policy"),
            (PolicyClass::SignOn, PolicyEffect::Weakened)
        );
        assert_eq!(
            of("Set federation settings on domain"),
            (PolicyClass::Federation, PolicyEffect::Unknown)
        );
    }
}

//! Who may do what: the three roles, the tokens that give one, and who asks.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// What every token begins with, so that one is known where it should not be.
pub const TOKEN_PREFIX: &str = "dw_";

/// What somebody may do; each role may also do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Reads.
    Viewer,
    /// Decides on cases, silences and exempts.
    Analyst,
    /// Everything.
    Admin,
}

impl Access {
    /// The word of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
        }
    }
}

/// A token, by its hash: it is not kept anywhere itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Whose it is.
    pub name: Arc<str>,
    /// What its bearer may do.
    pub access: Access,
    /// SHA-256 of the token.
    pub sha256: [u8; 32],
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("name", &self.name)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// Longest name of a bearer: it stands in records and logs.
pub const BEARER_CHARS_MAX: usize = 64;

/// Whether a text can be the name of a bearer.
#[must_use]
pub fn is_bearer(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-@".contains(c);
    !name.is_empty() && name.len() <= BEARER_CHARS_MAX && name.chars().all(is_part)
}

/// The hash under which a token stands in the configuration.
#[must_use]
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whose token it is. All are compared, each in constant time: how long it takes says nothing of
/// what is right about it.
pub(super) fn bearer<'t>(tokens: &'t [Token], token: &str) -> Option<&'t Token> {
    let hash = token_hash(token);
    let mut found = None;
    for known in tokens {
        if bool::from(known.sha256.ct_eq(&hash)) {
            found = Some(known);
        }
    }
    found
}

/// Where a request came from.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// Address of the client, or of the proxy in front of it.
    pub(super) address: IpAddr,
    /// Names of the certificate that it has proved to hold.
    pub(super) names: Arc<[String]>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// The name; `None` where nobody is asked for one.
    pub(super) name: Option<Arc<str>>,
    pub(super) access: Access,
}

impl Caller {
    /// Whoever reaches a listener that asks nobody for a name.
    pub(super) const NOBODY: Self = Self {
        name: None,
        access: Access::Admin,
    };
    /// Whoever loads the files of the page.
    pub(super) const STRANGER: Self = Self {
        name: None,
        access: Access::Viewer,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: &str, access: Access) -> Token {
        Token {
            name: name.into(),
            access,
            sha256: token_hash(&format!("dw_{name}")),
        }
    }

    #[test]
    fn a_token_is_known_by_its_hash_and_never_printed() {
        let tokens = [token("anna", Access::Viewer), token("bea", Access::Admin)];
        assert_eq!(bearer(&tokens, "dw_bea"), Some(&tokens[1]));
        assert_eq!(bearer(&tokens, "dw_anna"), Some(&tokens[0]));
        for wrong in ["", "dw_", "dw_ann", "dw_anna ", "DW_ANNA"] {
            assert_eq!(bearer(&tokens, wrong), None, "{wrong}");
        }
        let hash = hex::encode(tokens[0].sha256);
        assert_eq!(bearer(&tokens, &hash), None, "the hash is no token");
        assert_eq!(
            format!("{:?}", tokens[0]),
            "Token { name: \"anna\", access: Viewer, .. }"
        );
    }

    #[test]
    fn each_role_may_do_what_those_before_it_may() {
        assert!(Access::Viewer < Access::Analyst && Access::Analyst < Access::Admin);
    }
}

//! Secrets: a type that prints stars, and the references `${env:NAME}` and `${file:/path}` by which
//! they are given.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Serialize, Serializer};

use super::fault::STARS;

/// Largest file that holds a secret; a certificate chain has a few KiB.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// A value that is used and never shown.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for whoever must have it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STARS)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STARS)
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(STARS)
    }
}

/// Whether a text holds a reference.
pub(super) fn is_reference(text: &str) -> bool {
    text.contains("${")
}

/// A reference that cannot be followed: what is wrong, and the remedy.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unresolved(pub(super) String, pub(super) String);

/// Puts what references name in their place. A line end at the end of a file is not part of it.
pub(super) fn resolve(
    text: &str,
    environment: &BTreeMap<String, String>,
) -> Result<Secret<String>, Unresolved> {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        resolved.push_str(before);
        let (reference, after) = after.split_once('}').ok_or_else(|| {
            let what = "a reference that does not end".to_owned();
            Unresolved(what, "close it with `}`, as in `${env:NAME}`".to_owned())
        })?;
        let value = match reference.split_once(':') {
            Some(("env", name)) => environment.get(name).cloned().ok_or_else(|| {
                let what = format!("the environment has no variable `{name}`");
                Unresolved(what, format!("set {name} where Deskwarden is started"))
            })?,
            Some(("file", path)) => read(path)?,
            _ => {
                let what = "a reference of an unknown kind".to_owned();
                let remedy = "write `${env:NAME}` or `${file:/path}`".to_owned();
                return Err(Unresolved(what, remedy));
            }
        };
        resolved.push_str(&value);
        rest = after;
    }
    resolved.push_str(rest);
    Ok(Secret::new(resolved))
}

fn read(path: &str) -> Result<String, Unresolved> {
    let refused = |what: String| {
        let remedy = "check the path, and that Deskwarden's user may read the file";
        Unresolved(what, remedy.to_owned())
    };
    let size = std::fs::metadata(Path::new(path)).map(|data| data.len());
    let size = size.map_err(|cause| refused(format!("cannot read `{path}`: {cause}")))?;
    if size > FILE_BYTES_MAX {
        return Err(refused(format!(
            "`{path}` has {size} bytes, too many for a secret"
        )));
    }
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|cause| refused(format!("cannot read `{path}`: {cause}")))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_stars() {
        let secret = Secret::new("hunter2".to_owned());
        let shown = format!(
            "{secret} {secret:?} {}",
            serde_json::to_string(&secret).unwrap()
        );
        assert_eq!(shown, "*** *** \"***\"");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn references_are_followed() {
        let environment = BTreeMap::from([("P".to_owned(), "s$3}cret".to_owned())]);
        let resolved = |text| resolve(text, &environment);
        assert_eq!(resolved("a ${env:P} b").unwrap().expose(), "a s$3}cret b");
        assert_eq!(resolved("plain $x").unwrap().expose(), "plain $x");
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rust-toolchain.toml");
        let reference = format!("${{file:{file}}}");
        let text = resolved(&reference).unwrap();
        assert!(text.expose().starts_with('[') && !text.expose().ends_with('\n'));
        for (text, why) in [
            ("${env:Q}", "no variable `Q`"),
            ("${file:/nowhere/x}", "cannot read `/nowhere/x`"),
            ("${vault:x}", "unknown kind"),
            ("${env:P", "does not end"),
        ] {
            let Unresolved(what, remedy) = resolved(text).unwrap_err();
            assert!(what.contains(why) && !remedy.is_empty(), "{what}");
        }
    }
}

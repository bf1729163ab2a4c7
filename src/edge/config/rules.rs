//! The rule files that are in force: the shipped ones, and those of the customer's folder.

use std::path::{Path, PathBuf};

use crate::correlate::rules::lint::DeclaredSource;
use crate::correlate::rules::rule::Evidence;
use crate::correlate::rules::{COMMON, Declared, EMBEDDED};

use super::check::Checker;
use super::node::Origin;
use super::{Config, Fault, Faults};

/// Largest rule file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Rule files by name, in the order in which they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTexts {
    /// The named sets.
    pub common: (String, String),
    /// The rule files.
    pub files: Vec<(String, String)>,
}

impl RuleTexts {
    /// The shipped ones.
    #[must_use]
    pub fn shipped() -> Self {
        let owned = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
        Self {
            common: owned(COMMON),
            files: EMBEDDED.map(owned).to_vec(),
        }
    }

    /// As the loader of rules takes them.
    #[must_use]
    pub fn borrowed(&self) -> ((&str, &str), Vec<(&str, &str)>) {
        let files = self.files.iter();
        let files = files.map(|(name, text)| (name.as_str(), text.as_str()));
        ((&self.common.0, &self.common.1), files.collect())
    }
}

impl Config {
    /// Which sources deliver which evidence.
    #[must_use]
    pub fn declared(&self) -> Declared {
        let mut declared = Declared::default();
        for (_, kind) in Evidence::ALL {
            let sources = self
                .sources
                .iter()
                .filter(|source| source.evidence.contains(&kind));
            let sources = sources.map(|source| DeclaredSource {
                name: source.setup.name.clone(),
                lateness_ms: source.lateness_ms,
            });
            declared.evidence.insert(kind, sources.collect());
        }
        declared
    }

    /// The rule files: shipped, and of the customer's folder. One with the name of a shipped file
    /// takes its place.
    ///
    /// # Errors
    /// Every file that cannot be read.
    pub fn rule_texts(&self) -> Result<RuleTexts, Faults> {
        let mut texts = RuleTexts::shipped();
        let Some(folder) = &self.rules_folder else {
            return Ok(texts);
        };
        let mut faults = Vec::new();
        let paths = rule_paths(folder).map_err(|fault| Faults(vec![*fault]))?;
        for path in paths {
            let shown = path.display().to_string();
            let name = path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into());
            match read(&path) {
                Err(fault) => faults.push(*fault),
                Ok(text) if name == texts.common.0 => texts.common = (shown, text),
                Ok(text) => match texts.files.iter_mut().find(|(known, _)| *known == name) {
                    Some(file) => *file = (shown, text),
                    None => texts.files.push((shown, text)),
                },
            }
        }
        if faults.is_empty() {
            Ok(texts)
        } else {
            Err(Faults(faults))
        }
    }
}

/// The rule files of a folder, by name.
fn rule_paths(folder: &Path) -> Result<Vec<PathBuf>, Box<Fault>> {
    let name = folder.display().to_string();
    let unreadable = |cause: std::io::Error| {
        Fault::about(
            &name,
            format!("cannot be read: {cause}"),
            "check `rules.folder`",
        )
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_rule = path
            .extension()
            .is_some_and(|end| end == "yaml" || end == "yml");
        if is_rule && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, Box<Fault>> {
    let name = path.display().to_string();
    let unreadable = |cause: std::io::Error| {
        let remedy = "check its permissions, and that it is UTF-8";
        Fault::about(&name, format!("cannot be read: {cause}"), remedy)
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > FILE_BYTES_MAX {
        let what = format!("{size} bytes are too many for a rule file");
        return Err(Box::new(Fault::about(&name, what, "split it")));
    }
    Ok(std::fs::read_to_string(path).map_err(unreadable)?)
}

impl Checker<'_> {
    /// A path, from where it was said: beside the file, else from the present folder.
    pub(super) fn beside(&self, setting: &[&str], given: &str) -> PathBuf {
        let setting: Vec<String> = setting.iter().map(|key| (*key).to_owned()).collect();
        match self.origin(&setting) {
            Origin::File(place) => {
                let home = Path::new(&place.file.name).parent();
                home.unwrap_or_else(|| Path::new("")).join(given)
            }
            Origin::Default | Origin::Environment(_) | Origin::CommandLine(_) => given.into(),
        }
    }

    /// The folder of the customer's own rule files.
    pub(super) fn rules_folder(&mut self, given: Option<&str>) -> Option<PathBuf> {
        let path = ["rules", "folder"];
        let folder = self.beside(&path, given?);
        if !folder.is_dir() {
            let what = format!("`{}` is no folder", folder.display());
            self.refuse(
                &path,
                what,
                "create it, or name the folder with your rule files",
            );
        }
        Some(folder)
    }

    /// A file that a setting names.
    pub(super) fn file_named(&mut self, path: &[&str], given: Option<&str>) -> Option<PathBuf> {
        let file = self.beside(path, given?);
        if !file.is_file() {
            let what = format!("`{}` is no file", file.display());
            let remedy = "check the path: it is read from where this configuration lies";
            self.refuse(path, what, remedy);
        }
        Some(file)
    }
}

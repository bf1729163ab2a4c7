//! The rules: each a function from the files of a tree to the places that break it.

use super::source::{File, Strings, heads, strip, words};

/// A place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub path: String,
    /// Counted from 1; 0 where the fault is the file's, not that of a line.
    pub line: usize,
    pub what: String,
}

impl Violation {
    fn of_line(file: &File, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: file.path.clone(),
            line,
            what: what.into(),
        }
    }

    fn of_file(file: &File, what: impl Into<String>) -> Self {
        Self::of_line(file, 0, what)
    }
}

/// A rule of the house.
pub type Rule = fn(&[File]) -> Vec<Violation>;

/// All of them.
pub const RULES: &[Rule] = &[
    stages_are_pure,
    stages_look_leftwards,
    source_json_has_one_parser,
    unsafe_has_one_home,
    files_are_short,
    files_open_with_their_job,
    rule_files_are_known,
    mapping_files_are_known,
    fixtures_have_their_pair,
    nothing_is_left_to_mend,
    documents_are_there,
];

/// The stages in the order of the data, then what may use all of them.
const FOLDERS: &[(&str, &str)] = &[
    ("collect", "src/collect"),
    ("correlate", "src/correlate"),
    ("deliver", "src/deliver"),
    ("edge", "src/edge"),
];

/// Most production lines of a file, and of the program's entry.
const LINES_MAX: usize = 400;
const MAIN_LINES_MAX: usize = 130;

/// Files that may be longer: path, most lines, reason. One that became short again is reported.
pub const LONG_FILES: &[(&str, usize, &str)] = &[
    (
        "src/collect/event.rs",
        700,
        "the closed vocabulary of an event, a sentence per field",
    ),
    (
        "src/collect/action.rs",
        600,
        "the closed vocabulary of actions, one table",
    ),
    (
        "src/collect/words.rs",
        1_200,
        "the closed vocabularies of an event's values",
    ),
];

/// Where serde_json may be named in `collect`, and why.
const SERDE_JSON_HOMES: &[(&str, &str)] = &[
    ("src/collect/parse.rs", "the only parser of source JSON"),
    ("src/collect/block.rs", "the JSON twin of our own blocks"),
];

/// Where `unsafe` may stand: librdkafka's batch queue has no safe wrapper.
const UNSAFE_HOME: &str = "src/edge/kafka/batch.rs";

/// What makes a function depend on more than its arguments, or wait.
const IMPURE_WORDS: &[&str] = &[
    "tokio",
    "rdkafka",
    "dashmap",
    "DashMap",
    "async",
    "await",
    "SystemTime",
    "Instant",
    "rand",
    "uuid",
    "Uuid",
];

/// `std::net` with them: `core::net` has the addresses, without the sockets.
const IMPURE_MODULES: &[&str] = &["fs", "net", "env"];

/// The stage of a file: its place in the flow, or nothing outside of the three.
fn stage(file: &File) -> Option<usize> {
    let at = FOLDERS
        .iter()
        .position(|(_, folder)| file.is_under(folder))?;
    (file.is_rust() && at < FOLDERS.len() - 1).then_some(at)
}

fn stage_files(files: &[File]) -> impl Iterator<Item = (usize, &File)> {
    files.iter().filter_map(|file| Some((stage(file)?, file)))
}

/// The stages do no I/O, ask no clock, wait for nothing and draw nothing at random.
pub fn stages_are_pure(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (_, file) in stage_files(files) {
        let code = file.code();
        for (index, line) in code.lines().enumerate() {
            for word in words(line).filter(|word| IMPURE_WORDS.contains(word)) {
                found.push(Violation::of_line(
                    file,
                    index + 1,
                    format!("a stage is pure: `{word}`"),
                ));
            }
        }
        for (line, module) in heads(&code, "std") {
            if IMPURE_MODULES.contains(&module) {
                let hint = if module == "net" {
                    " (`core::net` has the addresses)"
                } else {
                    ""
                };
                let what = format!("a stage is pure: `std::{module}`{hint}");
                found.push(Violation::of_line(file, line, what));
            }
        }
    }
    found
}

/// A stage uses itself and the stages to its left; none uses the edge.
pub fn stages_look_leftwards(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (own, file) in stage_files(files) {
        let code = file.code();
        for root in ["crate", "super"] {
            for (line, head) in heads(&code, root) {
                if FOLDERS
                    .iter()
                    .position(|(name, _)| *name == head)
                    .is_some_and(|at| at > own)
                {
                    let what = format!("a stage looks only leftwards: `{root}::{head}`");
                    found.push(Violation::of_line(file, line, what));
                }
            }
        }
    }
    found
}

/// In `collect` only the parser and the block codec name serde_json.
pub fn source_json_has_one_parser(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    let is_home = |file: &File| SERDE_JSON_HOMES.iter().any(|(home, _)| *home == file.path);
    for (_, file) in stage_files(files).filter(|(at, file)| *at == 0 && !is_home(file)) {
        for (index, line) in file.code().lines().enumerate() {
            if words(line).any(|word| word == "serde_json") {
                let what = "only collect/parse.rs and collect/block.rs name `serde_json`";
                found.push(Violation::of_line(file, index + 1, what));
            }
        }
    }
    found
}

/// `unsafe` stands in one file, tests included.
pub fn unsafe_has_one_home(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.is_rust() && file.path != UNSAFE_HOME)
    {
        for (index, line) in strip(&file.text, Strings::Blank).lines().enumerate() {
            if words(line).any(|word| word == "unsafe") {
                let what = format!("`unsafe` belongs into {UNSAFE_HOME}");
                found.push(Violation::of_line(file, index + 1, what));
            }
        }
    }
    found
}

/// A file has one job, and so few production lines.
pub fn files_are_short(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.is_rust() && file.is_under("src"))
    {
        let lines = file.production().lines().count();
        let usual = if file.path == "src/main.rs" {
            MAIN_LINES_MAX
        } else {
            LINES_MAX
        };
        let exception = LONG_FILES.iter().find(|(path, ..)| *path == file.path);
        let most = exception.map_or(usual, |(_, most, _)| *most);
        if lines > most {
            let what = format!("{lines} production lines, at most {most}");
            found.push(Violation::of_file(file, what));
        } else if exception.is_some() && lines <= usual {
            let what = "short again: take it out of the list of long files";
            found.push(Violation::of_file(file, what));
        }
    }
    found
}

/// The first line of a file says its job.
pub fn files_open_with_their_job(files: &[File]) -> Vec<Violation> {
    files
        .iter()
        .filter(|file| file.is_rust() && !file.text.starts_with("//! "))
        .map(|file| Violation::of_file(file, "opens without `//!`, which says the file's job"))
        .collect()
}

/// Every rule file is embedded, has a scenario and a row in the README.
pub fn rule_files_are_known(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    let readme = text_of(files, "README.md").to_lowercase();
    for file in files {
        let Some(name) = file.path.strip_prefix("rules/hdt-") else {
            continue;
        };
        let Some(stem) = name.strip_suffix(".yaml") else {
            continue;
        };
        // Branches and words after the number are the file's; scenario and row are the pattern's.
        let digits = stem
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(stem.len());
        let pattern = format!("hdt-{}", &stem[..digits]);
        if !names_file(files, "src/correlate/rules", &format!("hdt-{name}")) {
            found.push(Violation::of_file(
                file,
                "not embedded: src/correlate/rules names it not",
            ));
        }
        let scenario = format!("tests/scenarios/{pattern}");
        if !files.iter().any(|other| {
            let path = other.path.to_lowercase();
            path.ends_with(".txt") && starts_with_id(&path, &scenario)
        }) {
            found.push(Violation::of_file(
                file,
                format!("no scenario {scenario}*.txt"),
            ));
        }
        if !readme
            .match_indices(&pattern)
            .any(|(at, _)| starts_with_id(&readme[at..], &pattern))
        {
            found.push(Violation::of_file(file, "README.md has no row for it"));
        }
    }
    found
}

/// Every mapping file is embedded and has a fixture.
pub fn mapping_files_are_known(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        let Some(name) = file.path.strip_prefix("mappings/") else {
            continue;
        };
        let Some(vendor) = name.strip_suffix(".yaml") else {
            continue;
        };
        if !names_file(files, "src/collect", name) {
            found.push(Violation::of_file(
                file,
                "not embedded: src/collect names it not",
            ));
        }
        let folder = format!("tests/vendors/{vendor}");
        if !files.iter().any(|other| other.is_under(&folder)) {
            found.push(Violation::of_file(file, format!("no fixture in {folder}/")));
        }
    }
    found
}

/// A fixture is a pair: `<case>.json`, or `<case>.bin` for what is no text, as the vendor sends it, and
/// `<case>.event.json`: what becomes of it.
pub fn fixtures_have_their_pair(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_under("tests/vendors")) {
        let [result, text, bytes] = [".event.json", ".json", ".bin"];
        let pairs = if let Some(case) = file.path.strip_suffix(result) {
            vec![format!("{case}{text}"), format!("{case}{bytes}")]
        } else {
            let case = [text, bytes].iter().find_map(|s| file.path.strip_suffix(s));
            let Some(case) = case else {
                continue;
            };
            vec![format!("{case}{result}")]
        };
        if !files.iter().any(|other| pairs.contains(&other.path)) {
            let what = format!("an orphan: {} is missing", pairs.join(" or "));
            found.push(Violation::of_file(file, what));
        }
    }
    found
}

/// What is known to be wrong is mended or filed, not marked.
pub fn nothing_is_left_to_mend(files: &[File]) -> Vec<Violation> {
    let mark = ["FIX", "ME"].concat();
    let mut found = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            if words(line).any(|word| word == mark) {
                found.push(Violation::of_line(file, index + 1, format!("a `{mark}`")));
            }
        }
    }
    found
}

/// A document that is named can be read: it lies in the tree.
pub fn documents_are_there(files: &[File]) -> Vec<Violation> {
    let ending = [".", "md"].concat();
    let is_there = |name: &str| {
        let name = name.trim_start_matches("../");
        let of = |file: &File| file.path == name || file.path.ends_with(&format!("/{name}"));
        files.iter().any(of)
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let mut found = Vec::new();
    // Its own test names some that are not there.
    for file in files.iter().filter(|file| file.path != "tests/tidy.rs") {
        for (index, line) in file.text.lines().enumerate() {
            let names = line.split(|c: char| !is_name(c)).filter_map(|word| {
                let (name, _) = word.split_once(ending.as_str())?;
                // Capitals: the documents of a project, not an ending of somebody's file names.
                let stem = name.rsplit('/').next().unwrap_or(name);
                let is_document = stem.len() > 1 && stem.chars().all(|c| c.is_ascii_uppercase());
                is_document.then(|| format!("{name}{ending}"))
            });
            for name in names.filter(|name| !is_there(name)) {
                let what = format!("`{name}` is no document of this repository");
                found.push(Violation::of_line(file, index + 1, what));
            }
        }
    }
    found
}

fn text_of<'a>(files: &'a [File], path: &str) -> &'a str {
    files
        .iter()
        .find(|file| file.path == path)
        .map_or("", |file| &file.text)
}

/// True if the Rust files of `folder` name `name` outside of comments.
fn names_file(files: &[File], folder: &str, name: &str) -> bool {
    files
        .iter()
        .filter(|file| file.is_rust() && file.is_under(folder))
        .any(|file| strip(&file.text, Strings::Keep).contains(name))
}

/// True if `text` starts with `id` and not with a longer number: `hdt-1` is not in `hdt-15`.
fn starts_with_id(text: &str, id: &str) -> bool {
    text.strip_prefix(id)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
}

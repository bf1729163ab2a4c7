//! A fault of the configuration: where it is, what is wrong, and what would be right. Values of
//! secrets never get into one.

use std::fmt;

use serde::Serialize;

use crate::correlate::rules::RuleFault;
use crate::correlate::rules::fault::Gravity;

use super::node::{Origin, Place};

/// Longest run of letters and digits that is shown; keys and certificates are longer.
const RUN_MAX: usize = 39;
/// What stands for a secret.
pub(super) const STARS: &str = "***";

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Fault {
    /// It may be right all the same.
    pub warning: bool,
    /// The file, or what else said it: a variable of the environment, the command line. Empty where
    /// nothing did.
    pub file: String,
    /// Line, from 1; 0 where it is not about a place in a file.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The setting, such as `kafka.partitions`; empty where it is not about one.
    pub setting: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
    /// The nearest name that would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<String>,
    /// The line, without secrets; empty where there is none.
    pub snippet: String,
    #[serde(skip)]
    pub(super) width: usize,
}

impl Fault {
    /// A fault of a setting that was said somewhere.
    pub(super) fn at(origin: &Origin, setting: &[String], what: impl Into<String>) -> Self {
        let mut fault = Self {
            setting: setting.join("."),
            what: what.into(),
            width: 1,
            ..Self::default()
        };
        match origin {
            Origin::Default => {}
            Origin::File(place) => {
                fault.file.clone_from(&place.file.name);
                fault.line = place.line;
                fault.column = place.column;
                fault.width = place.width;
                let hidden = is_secret(setting);
                let end = place.column + if hidden { 0 } else { place.width };
                fault.snippet = snippet(place, key_before(place), end, hidden);
            }
            Origin::Environment(_) | Origin::CommandLine(_) => fault.file = origin.to_string(),
        }
        fault
    }

    /// A fault of something that no file says: a topic, a broker.
    #[must_use]
    pub fn about(subject: &str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (file, what) = (subject.to_owned(), what.into());
        Self {
            file,
            what,
            ..Self::default()
        }
        .remedy(remedy)
    }

    /// A fault of the text itself.
    pub(super) fn syntax(origin: &Origin, what: impl Into<String>, remedy: &str) -> Self {
        Self::at(origin, &[], what).remedy(remedy)
    }

    /// A fault of a key. Its value is not shown: it may be a secret under a wrong name.
    pub(super) fn at_key(origin: &Origin, setting: &[String], what: impl Into<String>) -> Self {
        let mut fault = Self::at(origin, setting, what);
        if let Origin::File(place) = origin {
            let end = place.column + place.width + 1;
            fault.snippet = snippet(place, place.column, end, true);
        }
        fault
    }

    /// A key that nobody knows.
    pub(super) fn unknown_key(origin: &Origin, setting: &[String], known: &[&str]) -> Self {
        let key = setting.last().map_or("", String::as_str);
        let listed = known.join(", ");
        Self::at_key(origin, setting, format!("there is no setting `{key}` here"))
            .or_rather(key, known)
            .remedy(format!("the settings here are: {listed}"))
    }

    /// With what to do about it.
    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// With the name that was probably meant.
    pub(super) fn or_rather<T: AsRef<str>>(mut self, given: &str, known: &[T]) -> Self {
        self.did_you_mean = nearest(given, known);
        self
    }

    /// The fault for people: place, line with carets, remedy. In colour for a terminal.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let paint = |code: &'static str| if colour { code } else { "" };
        let (bold, red, cyan, off) = (
            paint("\x1b[1m"),
            paint("\x1b[1;31m"),
            paint("\x1b[36m"),
            paint("\x1b[0m"),
        );
        let grave = if self.warning { "warning" } else { "error" };
        let mut text = format!("{red}{grave}{off}: {bold}");
        if self.line > 0 {
            text.push_str(&format!("{}:{}:{}: ", self.file, self.line, self.column));
        } else if !self.file.is_empty() {
            text.push_str(&format!("{}: ", self.file));
        }
        if !self.setting.is_empty() {
            text.push_str(&format!("{}: ", self.setting));
        }
        text.push_str(&format!("{}{off}\n", self.what));
        if !self.snippet.is_empty() {
            let number = self.line.to_string();
            let margin = " ".repeat(number.len());
            let before = " ".repeat(self.column.saturating_sub(1));
            let shown = self.snippet.chars().count() + 1;
            let room = shown.saturating_sub(self.column).max(1);
            let carets = "^".repeat(self.width.clamp(1, room));
            text.push_str(&format!(" {number} | {}\n", self.snippet));
            text.push_str(&format!(" {margin} | {before}{red}{carets}{off}\n"));
        }
        if let Some(name) = &self.did_you_mean {
            text.push_str(&format!("  {cyan}did you mean{off}: `{name}`?\n"));
        }
        if !self.remedy.is_empty() {
            text.push_str(&format!("  {cyan}remedy{off}: {}\n", self.remedy));
        }
        text
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl From<RuleFault> for Fault {
    fn from(fault: RuleFault) -> Self {
        let line = fault.snippet.lines().next().unwrap_or_default();
        Self {
            warning: fault.gravity == Gravity::Warning,
            file: fault.file,
            line: usize::try_from(fault.line).unwrap_or(0),
            column: usize::try_from(fault.column).unwrap_or(0),
            what: fault.what,
            remedy: fault.remedy.unwrap_or_default(),
            did_you_mean: fault.did_you_mean,
            snippet: line.to_owned(),
            width: 1,
            ..Self::default()
        }
    }
}

/// Every fault of a configuration; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// All of them for people.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let mut text: String = self
            .0
            .iter()
            .map(|fault| fault.render(colour) + "\n")
            .collect();
        let count = self.0.len();
        let s = if count == 1 { "" } else { "s" };
        text.push_str(&format!(
            "{count} fault{s} in the configuration; nothing was started\n"
        ));
        text
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Faults {}

/// Whether the value of a setting is a secret, or may be one.
pub(super) fn is_secret(setting: &[String]) -> bool {
    setting.first().is_some_and(|key| key == "key")
        || is_property(setting)
        || is_of_sink(setting)
        || is_of_egress(setting)
        || is_token(setting)
}

/// Whether a setting is a secret of a sink. Addresses are: those of Slack and Teams let whoever knows
/// them write.
pub(super) fn is_of_sink(setting: &[String]) -> bool {
    let keys: Vec<&str> = setting.iter().map(String::as_str).collect();
    matches!(
        keys.as_slice(),
        [
            "sinks",
            _,
            "url" | "bot_token" | "routing_key" | "token" | "signing_secrets",
            ..
        ]
    )
}

/// Whether a setting is the password for the proxy, or may hold one that does not belong there.
fn is_of_egress(setting: &[String]) -> bool {
    is_password_of_egress(setting)
        || matches!(setting, [egress, key] if egress == "egress" && key == "proxy")
}

/// Whether a setting is the password for the proxy.
pub(super) fn is_password_of_egress(setting: &[String]) -> bool {
    matches!(setting, [egress, key] if egress == "egress" && key == "password")
}

/// Whether a setting holds the hash of a token: somebody may put the token itself there.
fn is_token(setting: &[String]) -> bool {
    matches!(setting, [http, tokens, _, hash] if http == "http" && tokens == "tokens" && hash == "sha256")
}

/// Whether a setting is a property of the Kafka client.
pub(super) fn is_property(setting: &[String]) -> bool {
    let mut keys = setting.iter().map(String::as_str);
    keys.next() == Some("kafka") && keys.any(|key| key == "properties")
}

/// Whether a word names a secret: the key, or a property of the Kafka client such as
/// `sasl.password`.
pub(super) fn names_secret(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let parts = [
        "password",
        "secret",
        "token",
        "jaas",
        "key.pem",
        "routing_key",
    ];
    word == "key" || parts.iter().any(|part| word.contains(part))
}

fn line_of(place: &Place) -> &str {
    let line = place.file.text.lines().nth(place.line.saturating_sub(1));
    line.unwrap_or_default().trim_end()
}

/// The line of a place without what may be a secret. Where several settings share a line, only the
/// one that begins at column `from` and ends before `end` is shown, with the others as blanks.
fn snippet(place: &Place, from: usize, end: usize, hidden: bool) -> String {
    let line = line_of(place);
    let shared = line.contains('{');
    let chars = line.chars().enumerate();
    let alone: String = chars
        .map(|(at, c)| if shared && at + 1 < from { ' ' } else { c })
        .collect();
    if hidden {
        cut(&alone, end)
    } else if shared {
        alone.chars().take(end.saturating_sub(1)).collect()
    } else {
        without_secrets(&alone)
    }
}

/// The column at which the key of a value begins, if it stands on the same line.
fn key_before(place: &Place) -> usize {
    let before: Vec<char> = line_of(place)
        .chars()
        .take(place.column.saturating_sub(1))
        .collect();
    let key = before
        .iter()
        .rposition(|c| !" :[\"'".contains(*c))
        .unwrap_or(0);
    let gap = before.iter().take(key).rposition(|c| " {,[".contains(*c));
    gap.map_or(1, |gap| gap + 2)
}

/// The line up to a column, and stars for what follows.
fn cut(line: &str, column: usize) -> String {
    let shown: String = line.chars().take(column.saturating_sub(1)).collect();
    if shown.len() == line.len() {
        return shown;
    }
    let space = if shown.ends_with([' ', '"', '\'', '[']) {
        ""
    } else {
        " "
    };
    format!("{shown}{space}{STARS}")
}

/// The line without the values of keys that name a secret, and without runs that look like one.
fn without_secrets(line: &str) -> String {
    let mut at = 0;
    for part in line.split_inclusive(':') {
        at += part.len();
        let word = part.trim_end_matches(':').trim_end_matches(['"', '\'']);
        let word = word.rsplit([' ', '{', ',', '"', '\'', '\t']).next();
        if word.is_some_and(names_secret) && part.ends_with(':') {
            return cut(
                line,
                line.get(..at).map_or(0, |head| head.chars().count()) + 1,
            );
        }
    }
    let is_run = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
    let mut shown = String::new();
    for word in line.split_inclusive(|c| !is_run(c)) {
        let run = word.trim_end_matches(|c| !is_run(c));
        if run.len() > RUN_MAX {
            shown.push_str(STARS);
            shown.extend(word.chars().skip(run.chars().count()));
        } else {
            shown.push_str(word);
        }
    }
    shown
}

/// The known name that is nearest to a given one, if it is near.
fn nearest<T: AsRef<str>>(given: &str, known: &[T]) -> Option<String> {
    let given = given.to_lowercase();
    let scored = known.iter().map(|name| {
        let name = name.as_ref();
        (
            strsim::damerau_levenshtein(&given, &name.to_lowercase()),
            name,
        )
    });
    let (distance, name) = scored.min()?;
    let near = distance <= 1.max(name.chars().count() / 3);
    near.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::node::FileText;
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        assert_eq!(without_secrets("key: abc"), "key: ***");
        assert_eq!(
            without_secrets("  sasl.password: \"x\""),
            "  sasl.password: ***"
        );
        assert_eq!(without_secrets("{a: 1, key: abc}"), "{a: 1, key: ***");
        assert_eq!(without_secrets("\"key\": abc"), "\"key\": ***");
        let long = "A".repeat(64);
        assert_eq!(without_secrets(&format!("  {long}, b")), "  ***, b");
        assert_eq!(
            without_secrets("topic: okta.system-log"),
            "topic: okta.system-log"
        );
        assert_eq!(cut("kye: abc", 5), "kye: ***");
    }

    #[test]
    fn of_a_shared_line_only_the_setting_itself_is_shown() {
        let text = "  p: {kye: hunter2, group.id: g, role: x, key: hunter2}".to_owned();
        let name = "a.yaml".to_owned();
        let file = Arc::new(FileText { name, text });
        let place = |column, width| Place {
            file: Arc::clone(&file),
            line: 1,
            column,
            width,
        };
        let (key, value) = (Origin::File(place(21, 8)), Origin::File(place(40, 1)));
        let fault = Fault::at_key(&key, &["group.id".to_owned()], "");
        assert_eq!(fault.snippet, " ".repeat(20) + "group.id: ***");
        let fault = Fault::at(&value, &["role".to_owned()], "");
        assert_eq!(fault.snippet, " ".repeat(33) + "role: x");
        let fault = Fault::at(&value, &["key".to_owned()], "");
        assert_eq!(fault.snippet, " ".repeat(33) + "role: ***");
    }

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        let known = ["listen", "ops_listen", "cases_max"];
        assert_eq!(nearest("lsiten", &known).as_deref(), Some("listen"));
        assert_eq!(nearest("Listen", &known).as_deref(), Some("listen"));
        assert_eq!(nearest("port", &known), None);
    }

    #[test]
    fn a_fault_reads_well() {
        let fault = Fault {
            warning: false,
            file: "a.yaml".into(),
            line: 12,
            column: 5,
            setting: "http.listen".into(),
            what: "`x` is no address".into(),
            remedy: "write 127.0.0.1:8040".into(),
            did_you_mean: Some("y".into()),
            snippet: "abc x".into(),
            width: 9,
        };
        let text = "error: a.yaml:12:5: http.listen: `x` is no address\n 12 | abc x\n    |     ^\n  \
                    did you mean: `y`?\n  remedy: write 127.0.0.1:8040\n";
        assert_eq!(fault.render(false), text);
        assert!(fault.render(true).contains("\x1b[1;31m^"));
    }
}

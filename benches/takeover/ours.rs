//! Deskwarden as the process under test: its configuration, its directory, its command lines.

use crate::load::{LoadOptions, Source};
use clap::Args;
use deskwarden::edge::story::people::numbered;
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// How Deskwarden is started. `{config}`, `{hris}` and `{users}` stand for the files of the run.
#[derive(Debug, Clone, Args)]
pub(crate) struct Ours {
    /// The program.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_deskwarden"))]
    program: String,
    /// The command under test.
    #[arg(long, default_value = "run --role all --config {config}")]
    ours: String,
    /// What runs before it, outside of the measurement; once each.
    #[arg(long, default_values = [
        "topics apply --config {config}",
        "directory import --config {config} hris={hris} servicenow={users}",
    ])]
    setup: Vec<String>,
    /// Lines to add to the configuration.
    #[arg(long, default_value = "")]
    config: String,
    /// Measure only the baseline.
    #[arg(long)]
    pub(crate) without: bool,
}

/// A key of the right length; it protects nothing here.
const KEY: (&str, &str) = ("DESKWARDEN__KEY", "00112233445566778899aabbccddeeff");

/// The environment that every command needs.
pub(crate) const ENVIRONMENT: [(&str, &str); 1] = [KEY];

/// Where the files of a run go.
pub(crate) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("takeover");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The directory exports of everybody: the system, and a line.
pub(crate) fn directory(options: &LoadOptions) -> impl Iterator<Item = (&'static str, String)> {
    let seed = options.seed;
    (0..options.identities).flat_map(move |number| {
        let person = numbered(seed, number);
        let hris = json!({
            "employee_id": person.employee, "legal_name": person.name(), "status": "active",
            "work_email": person.mail, "hire_date": "2021-02-01", "job_title": person.title,
        });
        let user = json!({
            "sys_id": person.sys_id, "user_name": person.user, "email": person.mail,
            "employee_number": person.employee, "active": "true",
        });
        [("hris", hris.to_string()), ("servicenow", user.to_string())]
    })
}

/// Writes the directory exports of everybody, once.
pub(crate) fn write_directory(options: &LoadOptions) {
    let open = |name: &str| BufWriter::new(fs::File::create(folder().join(name)).unwrap());
    let (mut hris, mut users) = (open("hris.jsonl"), open("users.jsonl"));
    for (system, line) in directory(options) {
        let file = if system == "hris" {
            &mut hris
        } else {
            &mut users
        };
        writeln!(file, "{line}").unwrap();
    }
}

impl Ours {
    /// The same with lines added to its configuration.
    pub(crate) fn with(&self, more: &str) -> Self {
        Self {
            config: format!("{}{more}", self.config),
            ..self.clone()
        }
    }

    /// Writes the configuration of a run.
    pub(crate) fn configure(
        &self,
        brokers: &str,
        prefix: &str,
        sources: &[String],
        partitions: i32,
    ) -> PathBuf {
        let mut text = format!(
            "version: 1\nprefix: {prefix}\ninstance: bench\nkafka:\n  brokers: {brokers}\n  \
             partitions: {partitions}\n  replication_factor: 1\nhttp:\n  \
             listen: 127.0.0.1:0\n  ops_listen: 127.0.0.1:0\nsources:\n"
        );
        for (source, topic) in Source::ALL.iter().zip(sources) {
            let name = source.name();
            writeln!(text, "  {name}:\n    topic: {topic}").unwrap();
        }
        text.push_str(&self.config);
        let path = folder().join(format!("{prefix}.yaml"));
        fs::write(&path, text).unwrap();
        path
    }

    fn words(&self, command: &str, config: &Path) -> Vec<String> {
        let file = |name: &str| folder().join(name).display().to_string();
        let words = command.split_whitespace().map(|word| {
            word.replace("{config}", &config.display().to_string())
                .replace("{hris}", &file("hris.jsonl"))
                .replace("{users}", &file("users.jsonl"))
        });
        std::iter::once(self.program.clone()).chain(words).collect()
    }

    /// Everything that comes before the measurement.
    pub(crate) fn prepare(&self, config: &Path) {
        for command in &self.setup {
            crate::child::run(&self.words(command, config), &ENVIRONMENT);
        }
    }

    /// Creates our topics, and nothing else: nobody is known.
    pub(crate) fn apply_topics(&self, config: &Path) {
        crate::child::run(
            &self.words("topics apply --config {config}", config),
            &ENVIRONMENT,
        );
    }

    /// The command line under test.
    pub(crate) fn command(&self, config: &Path) -> Vec<String> {
        self.words(&self.ours, config)
    }
}

//! `test`: replays a project and compares what each command prints with its golden file.
//!
//! A golden file holds the command after `$ `, its stdout, and its exit code
//! where that is not 0. The commands run in a copy, without network, keys or
//! the machine's time.
//!
//! The project may be a stranger's: the copy holds regular files and links
//! that stay inside, golden files are read and written through no link, and
//! the commands see nothing of the environment but what they need.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::json;
use similar::TextDiff;
use synix_authoring::check::{self, TestCase, TestOutcome};
use synix_core::exit_code::ExitCode;
use synix_disk::{CopyLimits, EntryKind, Folder, SymlinkPolicy};
use synix_engine::view;
use synix_project::{Environment, Options};

use crate::args::{Global, Test};
use crate::failure::Interrupted;
use crate::render::Screen;
use crate::running::Running;

/// What came of a command without a golden file.
const UNKNOWN: &str = "has no golden file";

/// What happens to the golden files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goldens {
    Compare,
    Update,
}

/// Before the artifacts of the batch build are shown.
const FIRST: [&[&str]; 6] = [
    &["plan"],
    &["batch-build", "plan"],
    &["batch-build", "run", "--poll"],
    &["batch-build", "list"],
    &["batch-build", "status", "--latest"],
    &["list"],
];
/// Between them and those of the other build.
const SECOND: [&[&str]; 3] = [&["clean"], &["build"], &["list"]];

/// What in a project folder is not copied.
const LEFT_OUT: [&str; 4] = [".synix", ".env", ".git", GOLDEN];

/// What a project is at most that is shown: far more than any, and little enough for a temporary folder.
const LIMITS: CopyLimits = CopyLimits {
    bytes: 2 << 30,
    entries: 200_000,
    depth: 64,
};

/// The folder of the golden files.
const GOLDEN: &str = "golden";

/// The largest golden file, in bytes.
const GOLDEN_BYTES: u64 = 4 << 20;

/// How long to look for the smallest difference between two files; a rough one does after that.
const DIFF_TIME: Duration = Duration::from_secs(5);

pub(super) fn run(global: &Global, args: &Test, screen: &Screen) -> anyhow::Result<ExitCode> {
    let dir = &global.at(&args.dir);
    let goldens = if args.update {
        Goldens::Update
    } else {
        Goldens::Compare
    };
    if !dir.join("synix.toml").is_file() {
        bail!(
            "there is no pipeline file {}; give the folder of a project",
            dir.join("synix.toml").display()
        );
    }
    let running = Running::default();
    let stopped = running.clone();
    synix_project::at_interrupt(move || stopped.stop())?;
    let scratch =
        synix_disk::create_temporary_folder().context("cannot make a folder for the copy")?;
    synix_disk::copy_tree(dir, scratch.path(), &LEFT_OUT, &LIMITS)?;
    let golden = dir.join(GOLDEN);
    let program = global
        .program()
        .file()
        .context("cannot find the program synix, which replays each command")?;
    let mut show = Show {
        program,
        environment: global.environment(),
        copy: scratch.path(),
        running,
        golden: match goldens {
            Goldens::Compare => Folder::open(&golden, SymlinkPolicy::Refuse)?,
            Goldens::Update => {
                synix_disk::create_folder(&golden)?;
                Folder::open(&golden, SymlinkPolicy::Refuse)?
            }
        },
        goldens,
        told: Vec::new(),
    };
    if goldens == Goldens::Update {
        show.remove_goldens()?;
    }
    for commands in [&FIRST[..], &SECOND[..]] {
        for command in commands {
            show.perform(
                &command
                    .iter()
                    .map(|word| (*word).to_owned())
                    .collect::<Vec<_>>(),
            )?;
        }
        for name in show.final_artifacts()? {
            show.perform(&["show".to_owned(), name])?;
        }
    }
    show.look_for_leftovers()?;
    if let Some(path) = &args.junit {
        let report = junit(&show.told);
        synix_disk::replace(&global.at(path), report.as_bytes())
            .context("cannot write the JUnit report")?;
    }
    let drifted = !show.told.iter().all(Case::is_good);
    screen.answer(&json!({ "commands": show.told }), || {
        show.told.iter().flat_map(Case::lines).collect::<Vec<_>>()
    })?;
    if show.told.iter().any(|case| case.outcome == UNKNOWN) {
        screen.talk("`synix test --update` writes the golden files; commit them after a look");
    }
    Ok(if drifted { ExitCode::Failure } else { ExitCode::Success })
}

struct Show<'a> {
    program: &'a Path,
    environment: &'a Environment,
    running: Running,
    copy: &'a Path,
    golden: Option<Folder>,
    goldens: Goldens,
    /// What came of each command so far.
    told: Vec<Case>,
}

/// A command, or a golden file that no command belongs to.
#[derive(Debug, Serialize)]
struct Case {
    /// The golden file.
    golden: String,
    outcome: &'static str,
    /// As a person types it; `None` where no command belongs to the file.
    #[serde(skip)]
    command: Option<String>,
    /// How the output differs, and what the command complained of.
    #[serde(skip)]
    details: Vec<String>,
}

impl Case {
    fn is_good(&self) -> bool {
        matches!(self.outcome, "same" | "written")
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![match &self.command {
            Some(command) => format!("{command}: {}", self.outcome),
            None => format!("golden/{}: no command belongs to it", self.golden),
        }];
        lines.extend(self.details.iter().cloned());
        lines
    }
}

/// Reports cases as CI systems read them.
fn junit(cases: &[Case]) -> String {
    let suite = "synix test";
    let cases = cases.iter().map(|case| TestCase {
        name: case.command.as_deref().unwrap_or(&case.golden),
        outcome: if case.is_good() {
            TestOutcome::Passed
        } else {
            TestOutcome::Failed {
                message: case.outcome,
                details: case.details.join("\n"),
            }
        },
    });
    check::junit_document(suite, &cases.collect::<Vec<_>>())
}

/// What a command printed.
struct ReplayResult {
    /// As it stands in a golden file.
    transcript: String,
    /// Its stderr, if it failed.
    complaint: Option<String>,
}

impl Show<'_> {
    /// Runs one command and holds what it prints against its golden file.
    fn perform(&mut self, words: &[String]) -> anyhow::Result<()> {
        let ReplayResult {
            transcript,
            complaint,
        } = self.play(words)?;
        let name = format!("{:02}-{}.txt", self.told.len() + 1, file_name(words));
        let (outcome, diff) = match (&self.golden, self.goldens) {
            (Some(folder), Goldens::Update) => {
                // It takes the place of whatever has the name. To be committed, so others may read it.
                synix_disk::replace(&folder.path().join(&name), transcript.as_bytes())?;
                ("written", None)
            }
            (Some(folder), Goldens::Compare) => match folder.read(&name, GOLDEN_BYTES)? {
                Some(golden) => compare(&golden, &transcript),
                None => (UNKNOWN, None),
            },
            (None, _) => (UNKNOWN, None),
        };
        let complaint = complaint.filter(|_| outcome != "same");
        self.told.push(Case {
            golden: name,
            outcome,
            command: Some(format!("synix {}", words.join(" "))),
            details: diff.into_iter().chain(complaint).collect(),
        });
        Ok(())
    }

    fn play(&self, words: &[String]) -> anyhow::Result<ReplayResult> {
        let mut command = Command::new(self.program);
        command
            .args(words)
            .current_dir(self.copy)
            .stdin(Stdio::null())
            .env_clear()
            .envs(synix_project::passed_on(self.environment))
            .env("SYNIX_CASSETTE_MODE", "replay")
            .env("SYNIX_CLOCK", "2026-01-01T00:00:00Z");
        let output = self.running.output(&mut command);
        let Some(output) = output.context("cannot run this program")? else {
            return Err(Interrupted.into());
        };
        let mut transcript = format!("$ synix {}\n", words.join(" "));
        transcript.push_str(&String::from_utf8_lossy(&output.stdout));
        let complaint = match output.status.code() {
            Some(0) => None,
            Some(code) => {
                transcript.push_str(&format!("exit code {code}\n"));
                Some(
                    String::from_utf8_lossy(&output.stderr)
                        .trim_end()
                        .to_owned(),
                )
            }
            None => bail!("synix {} was killed", words.join(" ")),
        };
        Ok(ReplayResult {
            transcript,
            complaint,
        })
    }

    /// Returns `layer/label` of the artifacts that nothing was made from; none after a failed build.
    fn final_artifacts(&self) -> anyhow::Result<Vec<String>> {
        if !self.copy.join(".synix").is_dir() {
            return Ok(Vec::new());
        }
        let pipeline = Some(self.copy.join("synix.toml"));
        let reader = synix_project::archive(&Options {
            environment: self.environment.clone(),
            pipeline,
            ..Options::default()
        })?;
        let found = view::final_artifacts(&reader)?;
        Ok(found
            .iter()
            .map(|found| format!("{}/{}", found.layer, found.label))
            .collect())
    }

    /// Returns the names of the golden files that are there. Other files in the folder are nobody's concern here.
    fn goldens_there(&self) -> anyhow::Result<Vec<String>> {
        let Some(folder) = &self.golden else {
            return Ok(Vec::new());
        };
        let entries = folder.entries()?;
        Ok(entries
            .into_iter()
            .filter(|entry| entry.kind == EntryKind::File)
            .filter_map(|entry| entry.name.into_string().ok())
            .filter(|name| is_golden(name))
            .collect())
    }

    fn remove_goldens(&self) -> anyhow::Result<()> {
        for name in self.goldens_there()? {
            if let Some(folder) = &self.golden {
                folder.remove(&name)?;
            }
        }
        Ok(())
    }

    /// A golden file that no command belongs to says that something is no longer printed.
    fn look_for_leftovers(&mut self) -> anyhow::Result<()> {
        for name in self.goldens_there()? {
            if self.told.iter().all(|case| case.golden != name) {
                self.told.push(Case {
                    golden: name,
                    outcome: "has no command",
                    command: None,
                    details: Vec::new(),
                });
            }
        }
        Ok(())
    }
}

/// Says whether a golden file is what was printed now, and how they differ.
fn compare(golden: &[u8], now: &str) -> (&'static str, Option<String>) {
    if golden == now.as_bytes() {
        return ("same", None);
    }
    let golden = String::from_utf8_lossy(golden);
    let compared = TextDiff::configure()
        .timeout(DIFF_TIME)
        .diff_lines(golden.as_ref(), now);
    let diff = compared.unified_diff().header("golden", "now").to_string();
    ("differs", Some(diff))
}

/// Says whether a name is one that a golden file is given: a number, a command, `.txt`.
fn is_golden(name: &str) -> bool {
    let parts = name
        .strip_suffix(".txt")
        .and_then(|name| name.split_once('-'));
    let Some((number, command)) = parts else {
        return false;
    };
    number.len() >= 2
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && command.chars().all(|c| safe(c) == c)
}

fn safe(c: char) -> char {
    if c.is_ascii_alphanumeric() || c == '.' {
        c
    } else {
        '-'
    }
}

fn file_name(words: &[String]) -> String {
    let joined = words
        .iter()
        .filter(|word| !word.starts_with('-'))
        .cloned()
        .collect::<Vec<_>>();
    joined.join("-").chars().map(safe).take(100).collect()
}

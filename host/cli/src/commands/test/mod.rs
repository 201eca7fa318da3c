//! `test`: replays a project and compares the output of each command with its golden file.
//!
//! A golden file contains the command after `$ `, its stdout, and its exit code if that is not 0. The commands run in a
//! copy, without network or keys and with a simulated clock. `later` adds to the project what it has at a later time.
//!
//! The project may be untrusted. So the copy contains only regular files and links that stay inside, golden files are
//! never read or written through a link, and the commands get only the variables that they need.

mod golden;
mod later;

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_disk::{CopyLimits, EntryKind, Folder, SymlinkPolicy};
use synix_engine::view;
use synix_project::{Environment, Options, ProjectError};
use synix_search::EMBEDDING_KIND;

use golden::{Case, NO_GOLDEN_FILE, compare, file_name, is_golden, junit};

use crate::args::{Global, Test};
use crate::failure::Interrupted;
use crate::render::Screen;
use crate::running::RunningCommand;

/// How the golden files are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GoldenMode {
    Compare,
    Update,
}

/// The commands before the artifacts of the batch build are shown.
const BATCH_BUILD_COMMANDS: [&[&str]; 6] = [
    &["plan"],
    &["batch-build", "plan"],
    &["batch-build", "run", "--poll"],
    &["batch-build", "list"],
    &["batch-build", "status", "--latest"],
    &["list"],
];
/// The commands before the artifacts of the other build are shown.
const BUILD_COMMANDS: [&[&str]; 3] = [&["clean"], &["build"], &["list"]];

/// The entries of a project folder that are not copied.
const EXCLUDED: [&str; 4] = [".synix", ".env", ".git", GOLDEN_FOLDER];

/// The limits of the copy: far above any real project, but small enough for a temporary folder.
const LIMITS: CopyLimits = CopyLimits {
    bytes: 2 << 30,
    entries: 200_000,
    depth: 64,
};

/// The folder of the golden files.
const GOLDEN_FOLDER: &str = "golden";

/// The maximum size of a golden file, in bytes.
const MAX_GOLDEN_BYTES: u64 = 4 << 20;

pub(super) fn run(global: &Global, args: &Test, screen: &Screen) -> anyhow::Result<ExitCode> {
    let dir = &global.resolve(&args.dir);
    let goldens = if args.update {
        GoldenMode::Update
    } else {
        GoldenMode::Compare
    };
    let file = dir.join("synix.toml");
    if !file.is_file() {
        let error = ProjectError::unusable_pipeline_file(file);
        bail!("{error}; pass the folder of a project");
    }
    let running = RunningCommand::default();
    let stopped = running.clone();
    synix_project::on_interrupt(move || stopped.stop())?;
    let scratch =
        synix_disk::create_temporary_folder().context("cannot create a folder for the copy")?;
    synix_disk::copy_tree(dir, scratch.path(), &EXCLUDED, &LIMITS)?;
    let golden = dir.join(GOLDEN_FOLDER);
    let program = global
        .program()
        .file()
        .context("cannot find the program synix, which replays each command")?;
    let mut replay = Replay {
        program,
        environment: global.environment(),
        copy: scratch.path(),
        running,
        golden: match goldens {
            GoldenMode::Compare => Folder::open(&golden, SymlinkPolicy::Refuse)?,
            GoldenMode::Update => {
                synix_disk::create_folder(&golden)?;
                Folder::open(&golden, SymlinkPolicy::Refuse)?
            }
        },
        goldens,
        cases: Vec::new(),
    };
    if goldens == GoldenMode::Update {
        replay.remove_goldens()?;
    }
    replay.run_stage(&BATCH_BUILD_COMMANDS)?;
    replay.run_stage(&BUILD_COMMANDS)?;
    if later::add(scratch.path())? {
        replay.run_stage(&later::COMMANDS)?;
    }
    replay.report_unused_goldens()?;
    if let Some(path) = &args.junit {
        let report = junit(&replay.cases);
        synix_disk::replace(&global.resolve(path), report.as_bytes())
            .context("cannot write the JUnit report")?;
    }
    let has_differences = !replay.cases.iter().all(Case::is_good);
    screen.print_result(&json!({ "commands": replay.cases }), || {
        replay
            .cases
            .iter()
            .flat_map(Case::lines)
            .collect::<Vec<_>>()
    })?;
    if replay
        .cases
        .iter()
        .any(|case| case.outcome == NO_GOLDEN_FILE)
    {
        screen.note(
            "run `synix test --update` to write the golden files, then review and commit them",
        );
    }
    Ok(if has_differences {
        ExitCode::Failure
    } else {
        ExitCode::Success
    })
}

struct Replay<'a> {
    program: &'a Path,
    environment: &'a Environment,
    running: RunningCommand,
    copy: &'a Path,
    golden: Option<Folder>,
    goldens: GoldenMode,
    /// The outcome of each command so far.
    cases: Vec<Case>,
}

/// The output of a command.
struct ReplayResult {
    /// The text for a golden file.
    transcript: String,
    /// The stderr of a command that failed.
    error_output: Option<String>,
}

impl Replay<'_> {
    /// Runs commands, and then shows the artifacts that nothing else is made of.
    fn run_stage(&mut self, commands: &[&[&str]]) -> anyhow::Result<()> {
        for command in commands {
            let words: Vec<_> = command.iter().map(|word| (*word).to_owned()).collect();
            self.run_command(&words)?;
        }
        for name in self.final_artifacts()? {
            self.run_command(&["show".to_owned(), name])?;
        }
        Ok(())
    }

    /// Runs a command and compares its output with the golden file.
    fn run_command(&mut self, arguments: &[String]) -> anyhow::Result<()> {
        let ReplayResult {
            transcript,
            error_output,
        } = self.replay(arguments)?;
        let name = format!("{:02}-{}.txt", self.cases.len() + 1, file_name(arguments));
        let (outcome, diff) = match (&self.golden, self.goldens) {
            (Some(folder), GoldenMode::Update) => {
                // This replaces any existing file. It is not private, because it will be committed.
                synix_disk::replace(&folder.path().join(&name), transcript.as_bytes())?;
                ("written", None)
            }
            (Some(folder), GoldenMode::Compare) => match folder.read(&name, MAX_GOLDEN_BYTES)? {
                Some(golden) => compare(&golden, &transcript),
                None => (NO_GOLDEN_FILE, None),
            },
            (None, _) => (NO_GOLDEN_FILE, None),
        };
        let error_output = error_output.filter(|_| outcome != "same");
        self.cases.push(Case {
            golden: name,
            outcome,
            command: Some(format!("synix {}", arguments.join(" "))),
            details: diff.into_iter().chain(error_output).collect(),
        });
        Ok(())
    }

    fn replay(&self, arguments: &[String]) -> anyhow::Result<ReplayResult> {
        let mut command = Command::new(self.program);
        command
            .args(arguments)
            .current_dir(self.copy)
            .stdin(Stdio::null())
            .env_clear()
            .envs(synix_project::replay_environment(self.environment))
            .env("SYNIX_CASSETTE_MODE", "replay")
            .env("SYNIX_CLOCK", "2026-01-01T00:00:00Z");
        let output = self.running.output(&mut command);
        let Some(output) = output.context("cannot run this program")? else {
            return Err(Interrupted.into());
        };
        let mut transcript = format!("$ synix {}\n", arguments.join(" "));
        transcript.push_str(&String::from_utf8_lossy(&output.stdout));
        let error_output = match output.status.code() {
            Some(0) => None,
            Some(code) => {
                transcript.push_str(&format!("exit code {code}\n"));
                Some(
                    String::from_utf8_lossy(&output.stderr)
                        .trim_end()
                        .to_owned(),
                )
            }
            None => bail!("synix {} was killed", arguments.join(" ")),
        };
        Ok(ReplayResult {
            transcript,
            error_output,
        })
    }

    /// Returns `layer/label` of each artifact that is no input of another; none after a failed build.
    ///
    /// Embeddings are left out, because a person cannot read them. A golden file of `list` has their digests.
    fn final_artifacts(&self) -> anyhow::Result<Vec<String>> {
        if !self.copy.join(".synix").is_dir() {
            return Ok(Vec::new());
        }
        let pipeline = Some(self.copy.join("synix.toml"));
        let reader = synix_project::open_reader(&Options {
            environment: self.environment.clone(),
            pipeline,
            ..Options::default()
        })?;
        let found = view::final_artifacts(&reader)?;
        Ok(found
            .iter()
            .filter(|found| found.kind != EMBEDDING_KIND)
            .map(|found| format!("{}/{}", found.layer, found.label))
            .collect())
    }

    /// Returns the names of the existing golden files. Other files in the folder are ignored.
    fn existing_goldens(&self) -> anyhow::Result<Vec<String>> {
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
        for name in self.existing_goldens()? {
            if let Some(folder) = &self.golden {
                folder.remove(&name)?;
            }
        }
        Ok(())
    }

    /// Reports golden files that no command uses: something is no longer printed.
    fn report_unused_goldens(&mut self) -> anyhow::Result<()> {
        for name in self.existing_goldens()? {
            if self.cases.iter().all(|case| case.golden != name) {
                self.cases.push(Case {
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

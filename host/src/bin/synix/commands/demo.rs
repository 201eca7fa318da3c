//! `demo`: replays a project and compares what each command prints with its golden file.
//!
//! A golden file holds the command after `$ `, its stdout, and its exit code
//! where that is not 0. The commands run in a copy, without network, keys or
//! the machine's time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::json;
use similar::TextDiff;
use synix::disk;
use synix::project::{self, Options};
use synix::view;

use crate::failure::Exit;
use crate::render::Screen;

/// What happens to the golden files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goldens {
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

/// Variables that would let a run depend on the machine.
const REMOVED: [&str; 5] = [
    "SYNIX_CASSETTE_DIR",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
];

/// What in a project folder is not copied.
const LEFT_OUT: [&str; 3] = [".synix", ".env", "golden"];

pub(super) fn run(dir: &Path, goldens: Goldens, screen: &Screen) -> anyhow::Result<Exit> {
    if !dir.join("synix.toml").is_file() {
        bail!(
            "there is no pipeline file {}",
            dir.join("synix.toml").display()
        );
    }
    let scratch = tempfile::tempdir().context("cannot make a folder for the copy")?;
    copy(dir, scratch.path())?;
    let mut show = Show {
        copy: scratch.path(),
        golden: dir.join("golden"),
        goldens,
        told: Vec::new(),
        lines: Vec::new(),
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
    let drifted = show
        .told
        .iter()
        .any(|(_, outcome)| !matches!(*outcome, "same" | "written"));
    let commands: Vec<_> = show
        .told
        .iter()
        .map(|(golden, outcome)| json!({ "golden": golden, "outcome": outcome }))
        .collect();
    screen.answer(&json!({ "commands": commands }), || show.lines.clone())?;
    Ok(if drifted { Exit::FAILED } else { Exit::Done })
}

struct Show<'a> {
    copy: &'a Path,
    golden: PathBuf,
    goldens: Goldens,
    /// Golden files so far, and what came of each.
    told: Vec<(String, &'static str)>,
    lines: Vec<String>,
}

/// What a command printed.
struct Played {
    /// As it stands in a golden file.
    transcript: String,
    /// Its stderr, if it failed.
    complaint: Option<String>,
}

impl Show<'_> {
    /// Runs one command and holds what it prints against its golden file.
    fn perform(&mut self, words: &[String]) -> anyhow::Result<()> {
        let Played {
            transcript,
            complaint,
        } = self.play(words)?;
        let name = format!("{:02}-{}.txt", self.told.len() + 1, file_name(words));
        let path = self.golden.join(&name);
        let mut outcome = "written";
        let mut diff = None;
        if self.goldens == Goldens::Update {
            disk::create_folder(&self.golden)?;
            disk::replace(&path, transcript.as_bytes())?;
        } else if let Some(golden) = disk::read_if_there(&path)? {
            outcome = if golden == transcript.as_bytes() {
                "same"
            } else {
                "differs"
            };
            if outcome == "differs" {
                let golden = String::from_utf8_lossy(&golden);
                let compared = TextDiff::from_lines(golden.as_ref(), transcript.as_str());
                diff = Some(compared.unified_diff().header("golden", "now").to_string());
            }
        } else {
            outcome = "has no golden file";
        }
        self.lines
            .push(format!("synix {}: {outcome}", words.join(" ")));
        self.lines.extend(diff);
        if outcome != "same" {
            self.lines.extend(complaint);
        }
        self.told.push((name, outcome));
        Ok(())
    }

    fn play(&self, words: &[String]) -> anyhow::Result<Played> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = Command::new(program);
        command.args(words).current_dir(self.copy);
        for variable in REMOVED {
            command.env_remove(variable);
        }
        command
            .env("SYNIX_CASSETTE_MODE", "replay")
            .env("SYNIX_CLOCK", "2026-01-01T00:00:00Z");
        let output = command.output().context("cannot run this program")?;
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
        Ok(Played {
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
        let reader = project::archive(&Options {
            pipeline,
            ..Options::default()
        })?;
        let found = view::final_artifacts(&reader)?;
        Ok(found
            .iter()
            .map(|found| format!("{}/{}", found.layer, found.label))
            .collect())
    }

    fn goldens_there(&self) -> anyhow::Result<Vec<PathBuf>> {
        if !self.golden.is_dir() {
            return Ok(Vec::new());
        }
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.golden).context("cannot read the golden files")? {
            let path = entry.context("cannot read the golden files")?.path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    fn remove_goldens(&self) -> anyhow::Result<()> {
        for path in self.goldens_there()? {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    /// A golden file that no command belongs to says that something is no longer printed.
    fn look_for_leftovers(&mut self) -> anyhow::Result<()> {
        for path in self.goldens_there()? {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            let Some(name) = name else { continue };
            if self.told.iter().all(|(told, _)| *told != name) {
                self.lines
                    .push(format!("golden/{name}: no command belongs to it"));
                self.told.push((name, "has no command"));
            }
        }
        Ok(())
    }
}

fn file_name(words: &[String]) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' {
            c
        } else {
            '-'
        }
    };
    let joined = words
        .iter()
        .filter(|word| !word.starts_with('-'))
        .cloned()
        .collect::<Vec<_>>();
    joined.join("-").chars().map(safe).take(100).collect()
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let reading = || format!("cannot copy {}", from.display());
    for entry in fs::read_dir(from).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        if LEFT_OUT
            .iter()
            .any(|left_out| entry.file_name() == *left_out)
        {
            continue;
        }
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            disk::create_folder(&target)?;
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target)
                .with_context(|| format!("cannot copy {}", source.display()))?;
        }
    }
    Ok(())
}

//! A project in a temporary folder, with a scripted provider on this machine, and the commands that run in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;
use synix_scripted_provider::{Ledger, Pace, Script, ScriptedProvider};
use tempfile::TempDir;

use crate::support::invocation::{Invocation, Run};
use crate::support::pipelines::{BATCH_BUILD, Mode, TEAM, guest_layers, pipeline_file_at};

/// A project with its own provider.
pub(crate) struct TestProject {
    temporary: TempDir,
    /// The project's folder, which is in the temporary folder so that it can be moved.
    root: PathBuf,
    pub provider: ScriptedProvider,
}

impl TestProject {
    /// A project with the layers of [`TEAM`].
    pub(crate) fn team() -> Self {
        let project = Self::with_layers(TEAM);
        project.write(
            "prompts/style.md",
            "How does this person work?\n\n{{ content }}",
        );
        for name in ["amara", "bela", "chitra"] {
            project.write(
                &format!("bios/{name}.md"),
                &format!("I am {name} and I write things down."),
            );
        }
        project
    }

    /// A project whose only transform is a guest that reads `texts`.
    pub(crate) fn guest(guest: &str, texts: &[(&str, &str)]) -> Self {
        let project = Self::with_layers(&guest_layers(guest));
        project.plugin(guest);
        for (name, text) in texts {
            project.write(&format!("texts/{name}.md"), text);
        }
        project
    }

    /// A project with these layers and no other files.
    pub(crate) fn with_layers(layers: &str) -> Self {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let root = temporary.path().join("project");
        let project = Self {
            temporary,
            root,
            provider: ScriptedProvider::start(Script::new()),
        };
        project.pipeline("synix.toml", layers);
        project
    }

    /// Writes a pipeline file whose providers are this project's.
    pub(crate) fn pipeline(&self, file: &str, layers: &str) {
        self.write(
            file,
            &pipeline_file_at(
                &self.provider.openai_url(),
                &self.provider.anthropic_url(),
                layers,
            ),
        );
    }

    pub(crate) fn plugin(&self, name: &str) {
        let path = self.path(&format!("plugins/{name}.wasm"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for plugins");
        fs::write(path, synix_test_components::bytes(name)).expect("a written plugin");
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder in the project");
        fs::write(path, text).expect("a written file");
    }

    pub(crate) fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).expect("a removed file");
    }

    /// Moves the project to another folder.
    pub(crate) fn move_elsewhere(&mut self) {
        let target = self.temporary.path().join("elsewhere");
        fs::rename(&self.root, &target).expect("a moved project");
        self.root = target;
    }

    /// Sets the script without losing batches or the ledger.
    pub(crate) fn script(&self, script: Script) {
        self.provider.script(script);
    }

    /// Keeps batches in progress until the test finishes them.
    pub(crate) fn pause_batches(&self) {
        self.script(Script::new().batches(Pace::in_progress(1 << 40)));
    }

    pub(crate) fn ledger(&self) -> Ledger {
        self.provider.ledger()
    }

    /// The number of requests that were executed or are pending in batches.
    pub(crate) fn sent(&self) -> usize {
        let ledger = self.ledger();
        ledger.executed.len() + ledger.pending.len()
    }

    /// A command in the project's folder with a minimal environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Invocation {
        command_in(&self.root, arguments)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.command(arguments).run()
    }

    pub(crate) fn ok(&self, arguments: &[&str]) -> Run {
        self.run(arguments).expect_code(0)
    }

    /// Grants everything that the project asks for.
    pub(crate) fn trust(&self) {
        self.ok(&["trust", "--yes"]);
    }

    /// Runs a command with `--json` and returns its document.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).json()
    }

    /// Starts a command in its own process and does not wait for it.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments).process();
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("a started command")
    }

    /// Builds in a mode. A replay uses the recording of a sync build.
    pub(crate) fn build_in(&self, mode: Mode) -> Run {
        match mode {
            Mode::Sync => self.run(&["build"]),
            Mode::Batch => self.run(&BATCH_BUILD),
            Mode::Replay => {
                let recorded = self.run(&["build", "--cassette-mode", "record"]);
                assert_eq!(recorded.code, 0, "{recorded:?}");
                fs::remove_dir_all(self.path(".synix")).expect("removed state");
                self.run(&["build", "--cassette-mode", "replay"])
            }
        }
    }

    /// Returns `layer/label` and digest of every artifact that is not stale because of a failure.
    pub(crate) fn artifacts(&self) -> BTreeSet<(String, String)> {
        let listed = self.json(&["list"]);
        let artifacts = listed["artifacts"].as_array().expect("a list of artifacts");
        artifacts
            .iter()
            .filter(|one| one["stale"].is_null())
            .map(|one| {
                (
                    format!("{}/{}", text(&one["layer"]), text(&one["label"])),
                    text(&one["id"]),
                )
            })
            .collect()
    }

    /// Returns `layer/label` of every such artifact.
    pub(crate) fn artifact_names(&self) -> Vec<String> {
        self.artifacts().into_iter().map(|(name, _)| name).collect()
    }

    pub(crate) fn content(&self, name: &str) -> String {
        text(&self.json(&["show", name])["content"])
    }

    /// Returns the status of the newest batch build.
    pub(crate) fn status(&self) -> Value {
        self.json(&["batch-build", "status", "--latest"])
    }

    /// Returns the `unit` and `kind` of each failure in a document.
    pub(crate) fn failures(document: &Value) -> BTreeSet<(String, String)> {
        let failures = document["failures"].as_array().expect("a list of failures");
        failures
            .iter()
            .map(|one| (text(&one["unit"]), text(&one["kind"])))
            .collect()
    }

    /// Opens the database of the state.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path(".synix/state.sqlite3")).expect("the state database")
    }

    /// Waits until the provider's ledger fulfils a condition. The child must run until then.
    #[track_caller]
    pub(crate) fn wait_for(&self, child: &mut Child, seen: impl Fn(&Ledger) -> bool) {
        wait_until(child, || seen(&self.ledger()));
    }

    /// Waits until a query of the state, which exists already, finds that a condition is true. The child must run until
    /// then.
    #[track_caller]
    pub(crate) fn wait_for_state(&self, child: &mut Child, query: &str) {
        let database = self.database();
        wait_until(child, || {
            let found = database.query_row(query, [], |row| row.get(0));
            found.expect("a result of the query")
        });
    }
}

#[track_caller]
fn wait_until(child: &mut Child, seen: impl Fn() -> bool) {
    while !seen() {
        let ended = child.try_wait().expect("a process to ask");
        assert!(
            ended.is_none() || seen(),
            "the command ended before: {ended:?}"
        );
        std::thread::yield_now();
    }
}

/// A command in a folder with a minimal environment.
pub(crate) fn command_in(folder: &Path, arguments: &[&str]) -> Invocation {
    Invocation::new(folder, arguments)
}

/// Returns a JSON string. Anything else is an error of the command.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => panic!("{value} is no text"),
    }
}

/// Returns a number from the environment of the tests.
pub(crate) fn number_from_environment(variable: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the length of a long run is the runner's choice"
    )]
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

pub(crate) fn failure_kinds(expected: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    expected
        .iter()
        .map(|(unit, kind)| ((*unit).to_owned(), (*kind).to_owned()))
        .collect()
}

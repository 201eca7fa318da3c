//! A project that an attacker could publish, with everything that would show that an attack succeeded.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::support::folders::files;
use crate::support::invocation::{Invocation, KEY, Run};
use crate::support::pipelines::BATCH_BUILD;
use crate::support::proxy::RecordingProxy;
use crate::support::test_project::TestProject;

/// A secret that only the user has.
pub(crate) const SECRET: &str = "aws-secret-of-the-user";

/// The prompt for each note.
pub(crate) const PROMPT: &str = "Say: {{ content }}";

/// A pipeline that sends one request for each note. `pipeline` are lines for its own table, `provider` for that of the
/// provider.
pub(crate) fn pipeline_with_one_prompt(pipeline: &str, provider: &str, prompt: &str) -> String {
    format!(
        r#"[pipeline]
name = "clone"
{pipeline}

[providers.openai]
retries = 0
backoff = 0
{provider}

[models.default]
provider = "openai"
model = "gpt-4o-mini"

[layers.notes]
source = "notes/*.md"

[layers.answers]
transform = "map"
inputs = ["notes"]
[layers.answers.config]
prompt = "{prompt}"
"#
    )
}

/// A project of an attacker, with everything that would show that an attack succeeded.
pub(crate) struct HostileClone {
    pub(crate) project: TestProject,
    pub(crate) proxy: RecordingProxy,
    pub(crate) outside: PathBuf,
    before: BTreeMap<PathBuf, Vec<u8>>,
}

impl HostileClone {
    /// `provider` are lines for the table of the provider, `pipeline` for that of the pipeline.
    pub(crate) fn new(provider: &str, pipeline: &str) -> Self {
        let project = TestProject::with_layers("");
        project.write("notes/a.md", "a note");
        project.write(
            "synix.toml",
            &pipeline_with_one_prompt(pipeline, provider, PROMPT),
        );
        let outside = project.path("../outside");
        fs::create_dir_all(&outside).unwrap();
        fs::write(
            outside.join("credentials"),
            format!("aws_secret_access_key={SECRET}\n"),
        )
        .unwrap();
        Self {
            before: files(&outside),
            outside,
            proxy: RecordingProxy::start(),
            project,
        }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.proxy.run_through(&mut self.command(arguments))
    }

    /// A command in the clone, with a secret in its environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Invocation {
        let mut command = self.project.command(arguments);
        command.env("AWS_SECRET_ACCESS_KEY", SECRET);
        command
    }

    /// Asserts that a command had no effect that helps the attacker.
    #[track_caller]
    pub(crate) fn assert_no_effect(&self, arguments: &[&str], run: &Run) {
        let context = format!("{arguments:?}: {run:?}");
        let panics = |line: &str| line.starts_with("thread '");
        assert!(
            run.code >= 0 && !run.stderr.lines().any(panics),
            "{context}"
        );
        assert!(!run.says(SECRET) && !run.says(KEY), "{context}");
        assert_eq!(self.proxy.connections(), [""; 0], "{context}");
        assert_eq!(self.project.sent(), 0, "{context}");
        assert!(!self.project.path("ran").exists(), "{context}");
        assert_eq!(files(&self.outside), self.before, "{context}");
    }
}

/// Commands that never need permission.
const SAFE_COMMANDS: [&[&str]; 15] = [
    &["plan"],
    &["batch-build", "plan"],
    &["list"],
    &["list", "answers"],
    &["show", "answers/a"],
    &["lineage", "answers/a"],
    &["runs"],
    &["batch-build", "list"],
    &["batch-build", "status"],
    &["trust"],
    &["trust", "list"],
    &["build", "--cassette-mode", "replay"],
    &["batch-build", "run", "--cassette-mode", "replay"],
    &["demo", "run", "."],
    &["plugin", "inspect", "map"],
];

/// Commands that send requests or change something.
const ACTING_COMMANDS: [&[&str]; 4] = [
    &["build"],
    &BATCH_BUILD,
    &["batch-build", "run"],
    &["batch-build", "resume"],
];

impl HostileClone {
    #[track_caller]
    pub(crate) fn assert_safe_commands_have_no_effect(&self) {
        for arguments in SAFE_COMMANDS {
            self.assert_no_effect(arguments, &self.run(arguments));
        }
    }

    /// Asserts that the commands of [`ACTING_COMMANDS`] refuse with this exit code and message.
    #[track_caller]
    pub(crate) fn assert_acting_commands_are_refused(&self, code: i32, message: &str) {
        for arguments in ACTING_COMMANDS {
            let run = self.run(arguments);
            self.assert_no_effect(arguments, &run);
            // There is no build to resume.
            if arguments[1..] != ["resume"] {
                assert!(
                    run.code == code && run.says(message),
                    "{arguments:?}: {run:?}"
                );
            }
        }
    }
}

//! Runs the command and calls the URL that the pipeline file names for the end of a build.
//!
//! Both need the user's permission. Neither can fail the build: errors are reported as events.

use std::io::{self, Write as _};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::caches::WINDOWS;
use super::confined::ConfinedCommand;
use super::execute::runtime;
use super::interrupt::Interrupts;
use super::{Project, ProjectError};
use synix_engine::build::{Event, Observer};
use synix_engine::view::{SCHEMA, Status};
use synix_manifest::DoneCommand;

/// A command that takes longer is killed.
const COMMAND_LIMIT: Duration = Duration::from_secs(600);
const URL_LIMIT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

impl Project {
    /// Runs the command and calls the URL for a build that ended with this status.
    pub(super) fn run_on_done(
        &self,
        status: &Status,
        is_replay: bool,
        observer: Observer<'_>,
    ) -> Result<(), ProjectError> {
        let on_done = &self.pipeline.on_done;
        if is_replay && !on_done.in_replay {
            return Ok(());
        }
        let notify = |message: String| observer(&Event::OnDone { message });
        let required = self.context.on_done_permissions(&self.pipeline);
        if required.is_empty() {
            return Ok(());
        }
        // A live build had all permissions before it sent anything. A replay also continues without them, but does neither.
        if !self.context.has_permissions(&required) {
            let command = &self.context.trust_command;
            notify(format!(
                "nothing was run or called, because it needs your permission; run `{command}` to grant it"
            ));
            return Ok(());
        }
        let document = document(status);
        if let Some(command) = &on_done.command {
            match self.start_command(command, status, &document) {
                Ok(child) => match runtime()?.block_on(wait_for_command(child)) {
                    Ok(Some(status)) if status.success() => {}
                    Ok(Some(status)) => notify(format!("the command ended with {status}")),
                    Ok(None) => notify("the command was killed before it was done".to_owned()),
                    Err(error) => notify(format!("cannot wait for the command: {error}")),
                },
                Err(error) => notify(format!("cannot start the command: {error}")),
            }
        }
        if let Some(url) = &on_done.url {
            let sent = runtime()?.block_on(async {
                let mut interrupts = Interrupts::listen();
                tokio::select! {
                    sent = synix_providers::post_json(url, document, URL_LIMIT) => Some(sent),
                    () = interrupts.next() => None,
                }
            });
            match sent {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    let cause = std::error::Error::source(&error)
                        .map_or_else(String::new, |cause| format!(": {cause}"));
                    notify(format!("the URL was not called: {error}{cause}"));
                }
                None => notify("the URL was not called: interrupted".to_owned()),
            }
        }
        Ok(())
    }

    fn start_command(
        &self,
        command: &DoneCommand,
        status: &Status,
        document: &str,
    ) -> io::Result<ConfinedCommand> {
        let mut started = match command {
            DoneCommand::Shell(line) => shell(line),
            DoneCommand::Program(arguments) => {
                let mut arguments = arguments.iter();
                let mut command = Command::new(arguments.next().map_or("", String::as_str));
                command.args(arguments);
                command
            }
        };
        // The command must not get the keys of providers.
        started.env_clear();
        let environment = &self.context.environment;
        started.envs(environment.get("HOME").map(|home| ("HOME", home)));
        started.envs(environment.search_path().map(|path| ("PATH", path)));
        if cfg!(windows) {
            started.envs(
                WINDOWS
                    .iter()
                    .filter_map(|name| Some((name, environment.get(name)?))),
            );
        }
        started
            .env("SYNIX_BUILD", &status.build)
            .env("SYNIX_STATUS", &*status.status)
            .current_dir(&self.context.root)
            .stdin(Stdio::piped())
            // stdout is for the result of the build.
            .stdout(Stdio::from(io::stderr()));
        let mut child = ConfinedCommand::start(started)?;
        if let Some(mut stdin) = child.stdin() {
            let document = document.to_owned();
            // On another thread, because a command that reads nothing must not block the build.
            thread::spawn(move || stdin.write_all(document.as_bytes()));
        }
        Ok(child)
    }
}

#[cfg(unix)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", line]);
    command
}

#[cfg(windows)]
fn shell(line: &str) -> Command {
    use std::os::windows::process::CommandExt as _;
    let mut command = Command::new("cmd");
    // `cmd` has other rules for quotes than the programs that `args` escapes for: with `/S` it removes the outer pair
    // and reads the rest as it is. `/D` keeps commands of the registry out.
    command
        .args(["/D", "/S", "/C"])
        .raw_arg(format!("\"{line}\""));
    command
}

/// Waits for the command; `None` if it had to be killed.
async fn wait_for_command(mut child: ConfinedCommand) -> io::Result<Option<ExitStatus>> {
    let ended = async {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    let mut interrupts = Interrupts::listen();
    let ended = tokio::select! {
        ended = ended => Some(ended),
        () = tokio::time::sleep(COMMAND_LIMIT) => None,
        () = interrupts.next() => None,
    };
    match ended {
        Some(ended) => ended.map(Some),
        None => {
            child.kill()?;
            Ok(None)
        }
    }
}

/// The document that `batch-build status --json` prints.
fn document(status: &Status) -> String {
    let mut document = serde_json::to_value(status).unwrap_or_default();
    if let Value::Object(members) = &mut document {
        members.insert("schema".to_owned(), SCHEMA.into());
    }
    document.to_string()
}

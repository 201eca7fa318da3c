//! What the pipeline file says is to happen when a build ends: a command, a call to a URL.
//!
//! Both need the user's yes. Neither can fail the build: what goes wrong is told.

use std::io::{self, Write as _};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::caches::SYSTEM;
use super::confined::Confined;
use super::execute::runtime;
use super::interrupt::Interrupts;
use super::{Project, ProjectError};
use synix_engine::build::{Event, Observer};
use synix_engine::view::{SCHEMA, Status};
use synix_manifest::DoneCommand;

/// A command that takes longer is ended.
const COMMAND_LIMIT: Duration = Duration::from_secs(600);
const URL_LIMIT: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

impl Project {
    /// Does what the pipeline file says about the end of a build that stands at `status`.
    pub(super) fn ended(
        &self,
        status: &Status,
        replayed: bool,
        observer: Observer<'_>,
    ) -> Result<(), ProjectError> {
        let on_done = &self.pipeline.on_done;
        if replayed && !on_done.in_replay {
            return Ok(());
        }
        let tell = |message: String| observer(&Event::OnDone { message });
        let asked = self.context.asked_at_the_end(&self.pipeline);
        if asked.is_empty() {
            return Ok(());
        }
        // A live build was admitted before it sent anything; a replay goes on without a yes, and does neither.
        if !self.context.admits(&asked) {
            let command = &self.context.trust_command;
            tell(format!(
                "nothing was run or called: it needs your yes, which `{command}` asks for"
            ));
            return Ok(());
        }
        let document = document(status);
        if let Some(command) = &on_done.command {
            match self.start_command(command, status, &document) {
                Ok(child) => match runtime()?.block_on(end_of(child)) {
                    Ok(Some(status)) if status.success() => {}
                    Ok(Some(status)) => tell(format!("the command ended with {status}")),
                    Ok(None) => tell("the command was ended before it was done".to_owned()),
                    Err(error) => tell(format!("the command cannot be waited for: {error}")),
                },
                Err(error) => tell(format!("the command cannot be started: {error}")),
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
                    tell(format!("the URL was not told: {error}{cause}"));
                }
                None => tell("the URL was not told: interrupted".to_owned()),
            }
        }
        Ok(())
    }

    fn start_command(
        &self,
        command: &DoneCommand,
        status: &Status,
        document: &str,
    ) -> io::Result<Confined> {
        let mut started = match command {
            DoneCommand::Shell(line) => shell(line),
            DoneCommand::Program(words) => {
                let mut words = words.iter();
                let mut command = Command::new(words.next().map_or("", String::as_str));
                command.args(words);
                command
            }
        };
        // Keys of providers are none of its business.
        started.env_clear();
        let environment = &self.context.environment;
        started.envs(environment.get("HOME").map(|home| ("HOME", home)));
        started.envs(environment.search_path().map(|path| ("PATH", path)));
        if cfg!(windows) {
            started.envs(
                SYSTEM
                    .iter()
                    .filter_map(|name| Some((name, environment.get(name)?))),
            );
        }
        started
            .env("SYNIX_BUILD", &status.build)
            .env("SYNIX_STATUS", status.status)
            .current_dir(&self.context.root)
            .stdin(Stdio::piped())
            // stdout is the build's answer.
            .stdout(Stdio::from(io::stderr()));
        let mut child = Confined::start(started)?;
        if let Some(mut stdin) = child.stdin() {
            let document = document.to_owned();
            // A command that does not read must not hold the build up.
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

/// Waits for the command's end; `None` where it had to be ended.
async fn end_of(mut child: Confined) -> io::Result<Option<ExitStatus>> {
    let ended = async {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
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
            child.end()?;
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

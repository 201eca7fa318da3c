//! Runs the scripted provider beside a command.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::shell::Failure;

/// A scripted provider, which ends with this value.
pub(crate) struct Provider {
    child: Child,
    address: String,
}

impl Provider {
    /// Starts the provider that is among the built `programs`.
    pub(crate) fn start(programs: &Path, script: &Path) -> Result<Self, Failure> {
        let failed =
            |error: std::io::Error| Failure(format!("cannot start the scripted provider: {error}"));
        let mut child = Command::new(programs.join("scripted-provider"))
            .arg("--script")
            .arg(script)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let output = child.stdout.take();
        let mut provider = Self {
            child,
            address: String::new(),
        };
        let mut line = String::new();
        if let Some(output) = output {
            BufReader::new(output)
                .read_line(&mut line)
                .map_err(failed)?;
        }
        let address = line.split_whitespace().find_map(|word| {
            let rest = &word[word.find("http://")?..];
            Some(rest.trim_end_matches("/v1").to_owned())
        });
        let no_url = || Failure(format!("the scripted provider printed no URL: {line:?}"));
        provider.address = address.ok_or_else(no_url)?;
        Ok(provider)
    }

    /// Lets a command send all its requests to this provider.
    pub(crate) fn serve(&self, command: &mut Command) {
        command
            .env("OPENAI_BASE_URL", format!("{}/v1", self.address))
            .env("ANTHROPIC_BASE_URL", &self.address)
            .env("OPENAI_API_KEY", "scripted")
            .env("ANTHROPIC_API_KEY", "scripted");
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // This fails if the provider has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! A project that sends its requests through batches of a provider on this machine.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use synix_scripted_provider::{Script, ScriptedProvider};
use tempfile::TempDir;

use crate::child::{self, ResourceUsage};
use crate::corpus::write;
use crate::{Options, Outcome};

/// The project and its provider.
pub(crate) struct Project {
    folder: TempDir,
    binary: PathBuf,
    pub(crate) provider: ScriptedProvider,
}

impl Project {
    /// Creates a project with `documents`, each a name and a text, and no pipeline file.
    pub(crate) fn new(
        options: &Options,
        script: Script,
        documents: impl IntoIterator<Item = (String, String)>,
    ) -> Outcome<Self> {
        let folder = crate::temporary_folder()?;
        fs::create_dir(folder.path().join("docs"))?;
        for (name, text) in documents {
            write(&folder.path().join("docs").join(name), &text)?;
        }
        Ok(Self {
            folder,
            binary: options.binary.clone(),
            provider: ScriptedProvider::start(script),
        })
    }

    /// Writes the pipeline file `file` with the documents and these layers.
    pub(crate) fn pipeline(&self, file: &str, provider: &str, layers: &str) -> Outcome<()> {
        let url = self.provider.openai_url();
        let text = format!(
            r#"[pipeline]
name = "bench"
[providers.openai]
base_url = "{url}"
batch = true
{provider}
[models.default]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 100
[layers.docs]
source = "docs/*.txt"
{layers}"#
        );
        write(&self.folder.path().join(file), &text)
    }

    /// Runs the command. Its stderr goes to a file next to the documents.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome<ResourceUsage> {
        let mut command = self.command(arguments)?;
        child::run(&mut command, &self.folder.path().join("log"))
    }

    /// Returns the document that the command prints with `--json`.
    pub(crate) fn document(&self, arguments: &[&str]) -> Outcome<Value> {
        let output = self.command(arguments)?.arg("--json").output()?;
        if !output.status.success() {
            return Err(format!("{arguments:?}: {}", output.status).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    fn command(&self, arguments: &[&str]) -> Outcome<Command> {
        child::synix(&self.binary, arguments, self.folder.path())
    }
}

/// Returns a layer that sends one request for each artifact of `inputs`, through batches.
pub(crate) fn layer(name: &str, inputs: &str, prompt: &str) -> String {
    map_layer(name, inputs, prompt, "batch = true")
}

/// Returns a layer that sends one request for each artifact of `inputs`, in a call of its own.
pub(crate) fn sync_layer(name: &str, inputs: &str, prompt: &str) -> String {
    map_layer(name, inputs, prompt, "batch = false")
}

fn map_layer(name: &str, inputs: &str, prompt: &str, mode: &str) -> String {
    format!(
        r#"
[layers.{name}]
transform = "map"
inputs = ["{inputs}"]
{mode}
[layers.{name}.config]
prompt = "{prompt} {{{{ content }}}}"
"#
    )
}

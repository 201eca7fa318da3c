//! A project whose requests go through batches of a provider on loopback.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use synix_scripted_provider::{Script, ScriptedProvider};
use tempfile::TempDir;

use crate::child::{self, Spent};
use crate::corpus::write;
use crate::{Options, Outcome};

/// The project, with its provider.
pub(crate) struct Project {
    folder: TempDir,
    binary: PathBuf,
    pub(crate) provider: ScriptedProvider,
}

impl Project {
    /// Makes one with `documents`, each a name and a text, and no pipeline file.
    pub(crate) fn new(
        options: &Options,
        script: Script,
        documents: impl IntoIterator<Item = (String, String)>,
    ) -> Outcome<Self> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
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

    /// Writes the pipeline file `file`: the documents, and these layers over them.
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

    /// Runs the command; what it says goes to a file beside the documents.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome<Spent> {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            // Kept between runs, so that no run is measured while it compiles `map`.
            .env("SYNIX_CACHE_DIR", cache())
            .env("OPENAI_API_KEY", "none");
        child::run(&mut command, &self.folder.path().join("talk"))
    }
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-cache")
}

/// A layer that asks one thing of each artifact of `inputs`, through batches.
pub(crate) fn layer(name: &str, inputs: &str, prompt: &str) -> String {
    format!(
        r#"
[layers.{name}]
transform = "map"
inputs = ["{inputs}"]
batch = true
[layers.{name}.config]
prompt = "{prompt} {{{{ content }}}}"
"#
    )
}

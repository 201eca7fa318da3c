//! A project with one plugin, given by a path, a URL or an OCI reference, and its pins.

use std::fs;

use synix_core::digest::Digest;

use crate::support::invocation::Run;
use crate::support::test_project::{TestProject, text};

/// A project with its own cache and one layer with this transform.
pub(crate) struct PluginProject {
    inner: TestProject,
}

impl std::ops::Deref for PluginProject {
    type Target = TestProject;

    fn deref(&self) -> &TestProject {
        &self.inner
    }
}

impl PluginProject {
    pub(crate) fn new(reference: &str) -> Self {
        let inner = TestProject::with_layers("");
        inner.write("texts/only.md", "a text");
        let project = Self { inner };
        project.set_transform(reference);
        project
    }

    /// A project whose pipeline file names a plugin.
    pub(crate) fn of(inner: TestProject) -> Self {
        Self { inner }
    }

    /// A project whose plugin is a file in it.
    pub(crate) fn with_file(guest: &str) -> Self {
        let project = Self::new("./plugin.wasm");
        project.write_plugin(guest);
        project
    }

    pub(crate) fn write_plugin(&self, guest: &str) {
        fs::write(self.inner.path("plugin.wasm"), guest_bytes(guest)).unwrap();
    }

    pub(crate) fn set_transform(&self, reference: &str) {
        let layers = format!(
            "[layers.texts]\nsource = \"texts/*.md\"\n[layers.made]\ntransform = {reference:?}\ninputs = [\"texts\"]\n"
        );
        self.inner.pipeline(
            "synix.toml",
            &format!("[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\n{layers}"),
        );
        // The server is on this machine. An invalid reference is reported by other commands.
        self.inner.run(&["trust", "--yes"]);
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, &[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let mut command = self.inner.command(arguments);
        command
            .env("SYNIX_CACHE_DIR", self.inner.path("cache"))
            .envs(environment.iter().copied());
        command.run()
    }

    pub(crate) fn replay(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, &[("SYNIX_CASSETTE_MODE", "replay")])
    }

    /// Records a cassette for a pipeline without requests.
    pub(crate) fn with_cassette(self) -> Self {
        self.run(&["build", "--cassette-mode", "record"]);
        self
    }

    pub(crate) fn lock_file(&self) -> String {
        fs::read_to_string(self.inner.path("synix.lock")).unwrap_or_default()
    }

    pub(crate) fn fingerprint(&self) -> String {
        let shown = self.run(&["show", "made/only", "--json"]).expect_code(0);
        text(&shown.json()["provenance"]["fingerprint"])
    }

    pub(crate) fn delete_cache(&self) {
        fs::remove_dir_all(self.inner.path("cache")).unwrap();
    }

    pub(crate) fn is_cached(&self, bytes: &[u8]) -> bool {
        let file = format!("cache/plugins/{}.wasm", Digest::of(bytes));
        self.inner.path(&file).exists()
    }
}

pub(crate) fn guest_bytes(guest: &str) -> Vec<u8> {
    synix_test_components::bytes(guest)
}

pub(crate) fn lock_file_entry(reference: &str, bytes: &[u8]) -> String {
    format!(
        "[[plugin]]\nreference = \"{reference}\"\ndigest = \"sha256:{}\"\nsize = {}\n",
        Digest::of(bytes),
        bytes.len()
    )
}

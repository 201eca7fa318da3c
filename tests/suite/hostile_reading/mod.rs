//! How commands that only read end in a project that an attacker made.
//!
//! Under limits of memory and processor time, each command ends without a kill, with its result or with a message that names
//! the problem. The other files of this folder list the attacks that a clone can carry; `hostile_projects` tests what
//! single attacks would have gained.

#![cfg(target_os = "linux")]

mod files;
mod pipelines;
mod plugins;
mod settings;
mod states;

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::folders::{self, files};
use crate::support::hostile_clone::HostileClone;
use crate::support::invocation::Run;
use crate::support::processes::with_kernel_limits;

/// The commands that run for every row.
const READING_COMMANDS: [&[&str]; 5] = [
    &["plan"],
    &["demo", "run", "."],
    &["list"],
    &["show", "answers/a"],
    &["plugin", "inspect", "plugins/own.wasm"],
];

/// How a command ends: its exit code, and a part of its output.
type ExpectedResult = (i32, &'static str);

/// How each of the commands ends.
#[derive(Clone, Copy)]
pub(crate) struct ExpectedResults([ExpectedResult; 5]);

/// The ends of an attack without any effect. The projects have no golden files, recorded answers or state.
pub(crate) const HARMLESS: ExpectedResults = ExpectedResults([
    (0, "total"),
    (1, "synix plan: has no golden file"),
    (1, "there is no state"),
    (1, "there is no state"),
    (0, "shape"),
]);

impl ExpectedResults {
    pub(crate) const fn plan(mut self, code: i32, message: &'static str) -> Self {
        self.0[0] = (code, message);
        self
    }

    pub(crate) const fn demo(mut self, code: i32, message: &'static str) -> Self {
        self.0[1] = (code, message);
        self
    }

    pub(crate) const fn list(mut self, code: i32, message: &'static str) -> Self {
        self.0[2] = (code, message);
        self
    }

    pub(crate) const fn show(mut self, code: i32, message: &'static str) -> Self {
        self.0[3] = (code, message);
        self
    }

    pub(crate) const fn inspect(mut self, code: i32, message: &'static str) -> Self {
        self.0[4] = (code, message);
        self
    }

    /// Sets the end of all commands that read the state.
    pub(crate) const fn state(self, code: i32, message: &'static str) -> Self {
        self.plan(code, message)
            .list(code, message)
            .show(code, message)
    }

    /// A state exists, and its contents are shown.
    pub(crate) const fn built(self) -> Self {
        self.list(0, "answers").show(0, "Answer ")
    }

    /// Sets the end of all commands that load the plugin.
    pub(crate) const fn plugin(self, code: i32, message: &'static str) -> Self {
        self.plan(code, message).inspect(code, message)
    }
}

/// One attack.
pub(crate) struct Attack {
    name: String,
    make: Box<dyn Fn(&HostileClone)>,
    results: ExpectedResults,
}

pub(crate) fn attack(
    name: &str,
    results: ExpectedResults,
    make: impl Fn(&HostileClone) + 'static,
) -> Attack {
    Attack {
        name: name.to_owned(),
        make: Box::new(make),
        results,
    }
}

/// The maximum output of a command in bytes.
const MAX_OUTPUT_BYTES: usize = 64 << 10;

#[track_caller]
pub(crate) fn assert_results(attacks: impl IntoIterator<Item = Attack>) {
    for attack in attacks {
        let clone = HostileClone::new("", "");
        let empty = "{\"schema\": 1, \"note\": \"\", \"requests\": {}}";
        clone.project.write("cassettes/clone.json", empty);
        replace_plugin(&clone, "echo");
        (attack.make)(&clone);
        let files_before = files_beside_project(&clone);
        for (arguments, (code, message)) in READING_COMMANDS.into_iter().zip(attack.results.0) {
            let mut command = clone.command(arguments);
            for name in ["HTTPS_PROXY", "HTTP_PROXY"] {
                command.env(name, clone.proxy.url());
            }
            let run = Run::of(&mut with_kernel_limits(&command));
            let context = format!("{} {arguments:?}: {run:?}", attack.name);
            clone.assert_no_effect(arguments, &run);
            assert_eq!(
                self::files_beside_project(&clone),
                files_before,
                "{context}"
            );
            // The commands that a demo starts may not be killed either.
            assert!(!run.says("was killed"), "{context}");
            assert!(
                run.stdout.len() + run.stderr.len() < MAX_OUTPUT_BYTES,
                "{context}"
            );
            assert!(run.code == code && run.says(message), "{context}");
            // A demo prints the output of the commands that it runs.
            if code != 0 && arguments[0] != "demo" {
                assert!(run.stderr.contains("error: "), "{context}");
            }
        }
    }
}

/// Replaces the clone's plugin with a guest.
pub(crate) fn replace_plugin(clone: &HostileClone, guest: &str) {
    clone.project.plugin(guest);
    let component = clone.project.path(&format!("plugins/{guest}.wasm"));
    fs::rename(component, clone.project.path("plugins/own.wasm")).unwrap();
}

/// Makes the clone's layer use its plugin.
pub(crate) fn use_plugin_in_layer(clone: &HostileClone) {
    replace_in_pipeline(
        clone,
        "transform = \"map\"",
        "transform = \"./plugins/own.wasm\"",
    );
}

/// Does the same with the settings for a guest: no config and little fuel.
pub(crate) fn use_guest_in_layer(clone: &HostileClone) {
    use_plugin_in_layer(clone);
    let config = "[layers.answers.config]\nprompt = \"Say: {{ content }}\"\n";
    replace_in_pipeline(clone, config, "[layers.answers.limits]\nfuel = 200000000\n");
}

/// Returns everything beside the project.
fn files_beside_project(clone: &HostileClone) -> Vec<PathBuf> {
    let found = fs::read_dir(clone.project.path("..")).unwrap();
    let mut paths: Vec<PathBuf> = found.map(|entry| entry.unwrap().path()).collect();
    paths.extend(files(&clone.outside).into_keys());
    paths.sort();
    paths
}

pub(crate) fn replace_in_pipeline(clone: &HostileClone, from: &str, to: &str) {
    let file = fs::read_to_string(clone.project.path("synix.toml")).unwrap();
    assert!(file.contains(from), "{file}");
    clone.project.write("synix.toml", &file.replace(from, to));
}

pub(crate) fn link(clone: &HostileClone, name: &str, target: &str) {
    folders::link(&clone.project.path(name), Path::new(target));
}

pub(crate) fn pipe(clone: &HostileClone, name: &str) {
    folders::pipe(&clone.project.path(name));
}

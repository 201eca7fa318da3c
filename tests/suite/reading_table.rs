//! How commands that only read end in a project that an attacker made.
//!
//! Under limits of memory and processor time, each command ends by itself, with its result or with a message that names
//! the problem. The other files of this kind have a row for each attack that a clone can carry; `hostile_clones` and
//! `clones_state` test what single attacks would have gained.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::clones::HostileClone;
use crate::confined::limited;
use crate::folders::{self, files};
use crate::test_project::Run;

/// The commands that run for every row.
const COMMANDS: [&[&str]; 5] = [
    &["plan"],
    &["demo", "run", "."],
    &["list"],
    &["show", "said/a"],
    &["plugin", "inspect", "plugins/own.wasm"],
];

/// How a command ends: its exit code, and a part of its output.
type End = (i32, &'static str);

/// How each of the commands ends.
#[derive(Clone, Copy)]
pub(crate) struct Ends([End; 5]);

/// The ends of an attack without any effect. The projects have no golden files, recorded answers or state.
pub(crate) const HARMLESS: Ends = Ends([
    (0, "total"),
    (1, "synix plan: has no golden file"),
    (1, "there is no state"),
    (1, "there is no state"),
    (0, "shape"),
]);

impl Ends {
    pub(crate) const fn plan(mut self, code: i32, words: &'static str) -> Self {
        self.0[0] = (code, words);
        self
    }

    pub(crate) const fn demo(mut self, code: i32, words: &'static str) -> Self {
        self.0[1] = (code, words);
        self
    }

    pub(crate) const fn list(mut self, code: i32, words: &'static str) -> Self {
        self.0[2] = (code, words);
        self
    }

    pub(crate) const fn show(mut self, code: i32, words: &'static str) -> Self {
        self.0[3] = (code, words);
        self
    }

    pub(crate) const fn inspect(mut self, code: i32, words: &'static str) -> Self {
        self.0[4] = (code, words);
        self
    }

    /// Sets the end of all commands that read the state.
    pub(crate) const fn state(self, code: i32, words: &'static str) -> Self {
        self.plan(code, words).list(code, words).show(code, words)
    }

    /// A state exists, and its contents are shown.
    pub(crate) const fn built(self) -> Self {
        self.list(0, "said").show(0, "Answer ")
    }

    /// Sets the end of all commands that load the plugin.
    pub(crate) const fn plugin(self, code: i32, words: &'static str) -> Self {
        self.plan(code, words).inspect(code, words)
    }
}

/// One attack.
pub(crate) struct Row {
    name: String,
    make: Box<dyn Fn(&HostileClone)>,
    ends: Ends,
}

pub(crate) fn row(name: &str, ends: Ends, make: impl Fn(&HostileClone) + 'static) -> Row {
    Row {
        name: name.to_owned(),
        make: Box::new(make),
        ends,
    }
}

/// The maximum output of a command in bytes.
const WORDS: usize = 64 << 10;

#[track_caller]
pub(crate) fn ends_as_told(rows: impl IntoIterator<Item = Row>) {
    for row in rows {
        let clone = HostileClone::new("", "");
        let empty = "{\"schema\": 1, \"note\": \"\", \"requests\": {}}";
        clone.project.write("cassettes/clone.json", empty);
        own_plugin(&clone, "echo");
        (row.make)(&clone);
        let around = around(&clone);
        for (arguments, (code, words)) in COMMANDS.into_iter().zip(row.ends.0) {
            let mut command = clone.command(arguments);
            for name in ["HTTPS_PROXY", "HTTP_PROXY"] {
                command.env(name, clone.elsewhere.url());
            }
            let run = Run::of(&mut limited(&command));
            let what = format!("{} {arguments:?}: {run:?}", row.name);
            clone.nothing_came_of(arguments, &run);
            assert_eq!(self::around(&clone), around, "{what}");
            // The commands that a demo starts may not be killed either.
            assert!(!run.says("was killed"), "{what}");
            assert!(run.stdout.len() + run.stderr.len() < WORDS, "{what}");
            assert!(run.code == code && run.says(words), "{what}");
            // A demo prints the output of the commands that it runs.
            if code != 0 && arguments[0] != "demo" {
                assert!(run.stderr.contains("error: "), "{what}");
            }
        }
    }
}

/// Replaces the clone's plugin with a guest.
pub(crate) fn own_plugin(clone: &HostileClone, guest: &str) {
    clone.project.plugin(guest);
    let made = clone.project.path(&format!("plugins/{guest}.wasm"));
    fs::rename(made, clone.project.path("plugins/own.wasm")).unwrap();
}

/// Makes the clone's layer use its plugin.
pub(crate) fn use_plugin(clone: &HostileClone) {
    replace(
        clone,
        "transform = \"map\"",
        "transform = \"./plugins/own.wasm\"",
    );
}

/// Does the same with the settings for a guest: no config and little fuel.
pub(crate) fn use_guest(clone: &HostileClone) {
    use_plugin(clone);
    let config = "[layers.said.config]\nprompt = \"Say: {{ content }}\"\n";
    replace(clone, config, "[layers.said.limits]\nfuel = 200000000\n");
}

/// Returns everything beside the project.
fn around(clone: &HostileClone) -> Vec<PathBuf> {
    let found = fs::read_dir(clone.project.path("..")).unwrap();
    let mut paths: Vec<PathBuf> = found.map(|entry| entry.unwrap().path()).collect();
    paths.extend(files(&clone.outside).into_keys());
    paths.sort();
    paths
}

pub(crate) fn replace(clone: &HostileClone, from: &str, to: &str) {
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

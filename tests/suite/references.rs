//! Plugins by path, URL and OCI reference: what is pinned, and when a pin changes.

use std::fs;

use serde_json::json;
use synix_core::digest::Digest;

use crate::registry::{OLD_WASM, Registry, WASM};
use crate::test_project::{Run, TestProject, text};
use crate::transcript::assert_transcript;

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

    /// A project whose plugin is a file in it.
    fn with_file(guest: &str) -> Self {
        let project = Self::new("./plugin.wasm");
        project.write_plugin(guest);
        project
    }

    fn write_plugin(&self, guest: &str) {
        fs::write(self.inner.path("plugin.wasm"), bytes(guest)).unwrap();
    }

    fn set_transform(&self, reference: &str) {
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

    fn replay(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, &[("SYNIX_CASSETTE_MODE", "replay")])
    }

    /// Records a cassette for a pipeline without requests.
    fn with_cassette(self) -> Self {
        self.run(&["build", "--cassette-mode", "record"]);
        self
    }

    pub(crate) fn lock_file(&self) -> String {
        fs::read_to_string(self.inner.path("synix.lock")).unwrap_or_default()
    }

    fn fingerprint(&self) -> String {
        let shown = self.run(&["show", "made/only", "--json"]).expect_code(0);
        text(&shown.json()["provenance"]["fingerprint"])
    }

    pub(crate) fn delete_cache(&self) {
        fs::remove_dir_all(self.inner.path("cache")).unwrap();
    }

    fn is_cached(&self, bytes: &[u8]) -> bool {
        let file = format!("cache/plugins/{}.wasm", Digest::of(bytes));
        self.inner.path(&file).exists()
    }
}

pub(crate) fn bytes(guest: &str) -> Vec<u8> {
    synix_test_components::bytes(guest)
}

fn entry(reference: &str, bytes: &[u8]) -> String {
    format!(
        "[[plugin]]\nreference = \"{reference}\"\ndigest = \"sha256:{}\"\nsize = {}\n",
        Digest::of(bytes),
        bytes.len()
    )
}

#[test]
fn the_same_bytes_by_path_url_and_image_are_the_same_plugin() {
    let server = Registry::start();
    let echo = bytes("echo");
    let project = PluginProject::with_file("echo");
    project.run(&["build"]).expect_code(0);
    let fingerprint = project.fingerprint();
    for reference in [
        server.publish_file("/echo.wasm", &echo),
        server.push("team/echo", "1.0", &echo),
        server.push_layers("old/echo", "1.0", &[(OLD_WASM, &echo)]),
        server.push_layers(
            "doc/echo",
            "1.0",
            &[("text/markdown", b"# Echo"), (WASM, &echo)],
        ),
    ] {
        project.set_transform(&reference);
        let run = project.run(&["build"]).expect_code(0);
        assert!(run.says("made: 1 up to date"), "{reference}: {run:?}");
        assert_eq!(project.fingerprint(), fingerprint, "{reference}");
        assert!(
            project.lock_file().ends_with(&entry(&reference, &echo)),
            "{}",
            project.lock_file()
        );
    }
}

#[test]
fn first_party_transforms_leave_no_lock_file() {
    let project = TestProject::team();
    project.ok(&["build"]);
    assert!(!project.path("synix.lock").exists());
}

#[test]
fn a_plan_pins_new_plugins_and_reports_it() {
    let project = PluginProject::with_file("echo");
    let run = project.run(&["plan"]).expect_code(0);
    assert_transcript!(run);
    assert!(
        project
            .lock_file()
            .ends_with(&entry("./plugin.wasm", &bytes("echo")))
    );
    let repeated = project.run(&["plan"]).expect_code(0);
    assert!(!repeated.says("synix.lock"), "{repeated:?}");
}

#[test]
fn a_changed_plugin_file_gets_a_new_pin_and_a_message() {
    let project = PluginProject::with_file("echo");
    project.run(&["build"]).expect_code(0);
    project.write_plugin("moody");
    let run = project.run(&["build"]).expect_code(0);
    let message = format!(
        "synix.lock: ./plugin.wasm: sha256:{} ({} bytes) -> sha256:",
        Digest::of(&bytes("echo")),
        bytes("echo").len()
    );
    assert!(run.stderr.contains(&message), "{run:?}");
    assert!(
        project
            .lock_file()
            .ends_with(&entry("./plugin.wasm", &bytes("moody")))
    );
}

#[test]
fn locked_refuses_differences_and_names_the_command_to_run() {
    let server = Registry::start();
    let project = PluginProject::with_file("echo");
    let missing = project.run(&["build", "--locked"]).expect_code(5);
    assert_transcript!(missing);
    project.run(&["build"]).expect_code(0);
    let lock = project.lock_file();
    project.run(&["build", "--locked"]).expect_code(0);
    project.write_plugin("moody");
    for command in [
        &["build", "--locked"][..],
        &["plan", "--locked=true"],
        &["batch-build", "run", "--locked"],
    ] {
        let run = project.run(command).expect_code(5);
        for part in [
            format!("sha256:{}", Digest::of(&bytes("echo"))),
            format!("-> sha256:{}", Digest::of(&bytes("moody"))),
            "synix plugin update ./plugin.wasm".to_owned(),
        ] {
            assert!(run.stderr.contains(&part), "{part}: {run:?}");
        }
    }
    let image = server.push("team/echo", "1.0", &bytes("echo"));
    project.set_transform(&image);
    let run = project.run(&["build", "--locked"]).expect_code(5);
    assert!(run.says(&format!("{image}: is not pinned")), "{run:?}");
    assert_transcript!(run);
    assert!(server.calls().is_empty(), "{:?}", server.calls());
    assert_eq!(project.lock_file(), lock);
}

#[test]
fn locked_refuses_a_pin_whose_size_is_wrong_and_keeps_the_file() {
    let server = Registry::start();
    let echo = bytes("echo");
    let project = PluginProject::new(&server.push("team/echo", "1.0", &echo));
    project.run(&["plan"]).expect_code(0);
    let edited = project
        .lock_file()
        .replace(&format!("size = {}", echo.len()), "size = 1");
    project.write("synix.lock", &edited);
    project.run(&["plan", "--locked"]).expect_code(5);
    assert_eq!(project.lock_file(), edited);
}

#[test]
fn an_unwritable_cache_is_reported_with_how_to_move_it() {
    let server = Registry::start();
    let project = PluginProject::new(&server.push("team/echo", "1.0", &bytes("echo")));
    project.write("cache", "in the folder's place");
    let run = project.run(&["plan"]).expect_code(1);
    assert_transcript!(run);
}

/// The pin was edited by hand.
#[test]
fn locked_names_the_pin_that_contradicts_the_digest_in_its_reference() {
    let stated = Digest::of(b"stated");
    let reference = format!("https://127.0.0.1:1/x.wasm#sha256={stated}");
    let project = PluginProject::new(&reference);
    let pin = entry(&reference, b"other");
    project.write("synix.lock", &format!("version = 1\n{pin}"));
    let run = project.run(&["plan", "--locked"]).expect_code(5);
    assert_transcript!(run);
}

/// Batches cost money, whatever the lock file contains.
#[test]
fn a_lock_file_mismatch_does_not_prevent_cancel() {
    let project = PluginProject::with_file("two_steps");
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write("synix.toml", &format!("{pipeline}batch = true\n"));
    project.pause_batches();
    project.run(&["batch-build", "run"]).expect_code(0);
    project.write_plugin("echo");
    let ci = |arguments: &[&str]| project.run_with(arguments, &[("CI", "true")]);
    ci(&["batch-build", "resume"]).expect_code(5);
    let cancelled = ci(&["batch-build", "cancel"]).expect_code(0);
    assert!(
        cancelled.says("synix.lock: ./plugin.wasm: sha256:"),
        "{cancelled:?}"
    );
}

#[test]
fn ci_implies_locked_unless_disabled() {
    let project = PluginProject::with_file("echo");
    let ci = |arguments: &[&str], value: &str| project.run_with(arguments, &[("CI", value)]).code;
    assert_eq!(ci(&["plan"], "true"), 5);
    assert_eq!(ci(&["plan"], "1"), 5);
    assert_eq!(project.lock_file(), "");
    assert_eq!(ci(&["plan", "--no-locked"], "true"), 0);
    project.write_plugin("moody");
    assert_eq!(ci(&["plan"], "true"), 5);
    assert_eq!(ci(&["plan", "--locked=false"], "true"), 0);
    project.write_plugin("echo");
    assert_eq!(ci(&["plan"], "false"), 0);
}

#[test]
fn a_tag_that_moves_changes_nothing_until_an_update() {
    let server = Registry::start();
    let (echo, moody) = (bytes("echo"), bytes("moody"));
    let reference = server.push("team/plugin", "1.0", &echo);
    let project = PluginProject::new(&reference);
    project.run(&["build"]).expect_code(0);
    let calls = server.calls().len();
    server.push("team/plugin", "1.0", &moody);
    project.run(&["build"]).expect_code(0);
    assert_eq!(
        server.calls().len(),
        calls,
        "the lock and the cache say enough"
    );
    project.delete_cache();
    project.run(&["build", "--locked"]).expect_code(0);
    let calls_after: Vec<_> = server.calls().split_off(calls);
    assert!(
        calls_after
            .iter()
            .all(|call| !call.path.contains("/manifests/")),
        "{calls_after:?}"
    );
    assert!(project.lock_file().ends_with(&entry(&reference, &echo)));

    let moved = project
        .run(&["plugin", "update", "--json"])
        .expect_code(0)
        .json();
    let change = json!({
        "reference": reference,
        "old": Digest::of(&echo),
        "new": Digest::of(&moody),
        "size": moody.len(),
    });
    assert_eq!(moved["changes"], json!([change]));
    assert!(project.lock_file().ends_with(&entry(&reference, &moody)));
    let repeated = project.run(&["plugin", "update"]).expect_code(0);
    assert_eq!(repeated.stdout, "all pins are up to date\n");
}

#[test]
fn an_update_of_one_reference_leaves_the_others() {
    let server = Registry::start();
    let (echo, moody) = (bytes("echo"), bytes("moody"));
    let reference = server.push("team/plugin", "1.0", &echo);
    let project = PluginProject::with_file("echo");
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    let second = format!("[layers.more]\ntransform = \"{reference}\"\ninputs = [\"texts\"]\n");
    project.write("synix.toml", &format!("{pipeline}{second}"));
    project.trust();
    project.run(&["plan"]).expect_code(0);
    server.push("team/plugin", "1.0", &moody);
    project.write_plugin("moody");
    project
        .run(&["plugin", "update", "./plugin.wasm"])
        .expect_code(0);
    let lock = project.lock_file();
    assert!(lock.contains(&entry("./plugin.wasm", &moody)), "{lock}");
    assert!(lock.contains(&entry(&reference, &echo)), "{lock}");
    let unknown = project
        .run(&["plugin", "update", "./plugins.wasm"])
        .expect_code(2);
    assert_transcript!(unknown);
}

#[test]
fn a_replay_downloads_no_plugin() {
    let server = Registry::start();
    let reference = server.push("team/echo", "1.0", &bytes("echo"));
    let project = PluginProject::new(&reference).with_cassette();
    let calls = server.calls().len();
    project.replay(&["plan"]).expect_code(0);
    project.replay(&["build"]).expect_code(0);
    project.delete_cache();
    let miss = project.replay(&["build"]).expect_code(1);
    assert_transcript!(miss);
    project.remove("synix.lock");
    let unpinned = project.replay(&["plan"]).expect_code(1);
    assert_transcript!(unpinned);
    assert_eq!(server.calls().len(), calls);
}

#[test]
fn fetch_downloads_the_pinned_bytes_and_moves_no_pin() {
    let server = Registry::start();
    let (echo, moody) = (bytes("echo"), bytes("moody"));
    let reference = server.push("team/echo", "1.0", &echo);
    let project = PluginProject::new(&reference).with_cassette();
    server.push("team/echo", "1.0", &moody);
    project.delete_cache();
    let lock = project.lock_file();
    let fetched = project.run(&["plugin", "fetch"]).expect_code(0);
    assert!(
        fetched.says("downloaded") && project.is_cached(&echo),
        "{fetched:?}"
    );
    assert!(
        project
            .run(&["plugin", "fetch"])
            .says("already in the cache")
    );
    assert_eq!(project.lock_file(), lock);
    project.replay(&["build"]).expect_code(0);
}

#[test]
fn a_damaged_file_in_the_cache_is_never_run() {
    let server = Registry::start();
    let echo = bytes("echo");
    let project = PluginProject::new(&server.publish_file("/echo.wasm", &echo));
    project.run(&["plan"]).expect_code(0);
    let file = format!("cache/plugins/{}.wasm", Digest::of(&echo));
    fs::write(project.path(&file), bytes("moody")).unwrap();
    project.run(&["plan"]).expect_code(0);
    assert_eq!(fs::read(project.path(&file)).unwrap(), echo);
}

#[test]
fn a_url_without_a_digest_is_refused_with_its_place() {
    let run = PluginProject::new("https://example.com/a.wasm")
        .run(&["plan"])
        .expect_code(2);
    assert_transcript!(run);
}

#[test]
fn a_lock_file_with_a_conflict_is_refused_with_its_line() {
    let project = PluginProject::with_file("echo");
    project.run(&["plan"]).expect_code(0);
    project.write(
        "synix.lock",
        &format!("{}<<<<<<< ours\n", project.lock_file()),
    );
    let run = project.run(&["build"]).expect_code(2);
    assert_transcript!(run);
}

#[test]
fn pipelines_in_one_folder_have_a_lock_file_each() {
    let project = PluginProject::with_file("echo");
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write("other.toml", &pipeline);
    project.run(&["plan", "other.toml"]).expect_code(0);
    assert!(project.path("other.lock").exists() && project.lock_file().is_empty());
}

/// The owner states the digest in the URL; the lock file only repeats it.
#[test]
fn a_pin_that_contradicts_the_digest_in_the_url_is_ignored() {
    let server = Registry::start();
    let (echo, moody) = (bytes("echo"), bytes("moody"));
    let project = PluginProject::new(&server.publish_file("/moody.wasm", &moody));
    project.run(&["plan"]).expect_code(0);
    let reference = server.publish_file("/echo.wasm", &echo);
    project.set_transform(&reference);
    project.run(&["plan"]).expect_code(0);
    let lock = project.lock_file();
    assert!(project.is_cached(&moody) && lock.ends_with(&entry(&reference, &echo)));
    let forged = lock.replace(&entry(&reference, &echo), &entry(&reference, &moody));
    assert_ne!(forged, lock);
    project.write("synix.lock", &forged);
    let run = project.run(&["plan", "--locked"]).expect_code(5);
    let contradicted = format!("{reference}: pinned to sha256:{}", Digest::of(&moody));
    assert!(run.says(&contradicted), "{run:?}");
    project.run(&["plan"]).expect_code(0);
    assert_eq!(project.lock_file(), lock);
}

#[test]
fn an_update_of_all_plugins_removes_unused_pins() {
    let server = Registry::start();
    let project = PluginProject::with_file("echo");
    project.run(&["plan"]).expect_code(0);
    let reference = server.push("team/echo", "1.0", &bytes("echo"));
    project.set_transform(&reference);
    let updated = project.run(&["plugin", "update"]).expect_code(0);
    assert_transcript!(updated);
    let lock = project.lock_file();
    assert!(
        lock.ends_with(&entry(&reference, &bytes("echo"))) && !lock.contains("./plugin.wasm"),
        "{lock}"
    );
}

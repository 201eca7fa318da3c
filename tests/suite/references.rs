//! Plugins by path, URL and OCI reference: what is pinned, and when a pin moves.

use std::fs;

use serde_json::json;
use synix_core::digest::Digest;

use crate::registry::{OLD_WASM, Registry, WASM};
use crate::transcript::assert_transcript;
use crate::workbench::{Run, Workbench, text};

/// A project with a cache of its own and one layer with this transform.
pub(crate) struct Desk {
    pub bench: Workbench,
}

impl Desk {
    pub(crate) fn new(reference: &str) -> Self {
        let bench = Workbench::with_layers("");
        bench.write("texts/only.md", "a text");
        let desk = Self { bench };
        desk.transform(reference);
        desk
    }

    /// A project whose plugin is a file of its own.
    fn with_file(guest: &str) -> Self {
        let desk = Self::new("./plugin.wasm");
        desk.place(guest);
        desk
    }

    fn place(&self, guest: &str) {
        fs::write(self.bench.path("plugin.wasm"), bytes(guest)).unwrap();
    }

    fn transform(&self, reference: &str) {
        let layers = format!(
            "[layers.texts]\nsource = \"texts/*.md\"\n[layers.made]\ntransform = {reference:?}\ninputs = [\"texts\"]\n"
        );
        self.bench.pipeline(
            "synix.toml",
            &format!("[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\n{layers}"),
        );
        // Its server is on this machine. Where the reference is wrong, other commands say so.
        self.bench.run(&["trust", "--yes"]);
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, &[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let mut command = self.bench.command(arguments);
        command
            .env("SYNIX_CACHE_DIR", self.bench.path("cache"))
            .envs(environment.iter().copied());
        command.run()
    }

    fn replay(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, &[("SYNIX_CASSETTE_MODE", "replay")])
    }

    /// A cassette for pipelines that ask nothing.
    fn with_cassette(self) -> Self {
        self.run(&["build", "--cassette-mode", "record"]);
        self
    }

    pub(crate) fn lock(&self) -> String {
        fs::read_to_string(self.bench.path("synix.lock")).unwrap_or_default()
    }

    fn fingerprint(&self) -> String {
        let shown = self.run(&["show", "made/only", "--json"]).expect_code(0);
        text(&shown.json()["provenance"]["fingerprint"])
    }

    pub(crate) fn forget_downloads(&self) {
        fs::remove_dir_all(self.bench.path("cache")).unwrap();
    }

    fn is_kept(&self, bytes: &[u8]) -> bool {
        let file = format!("cache/plugins/{}.wasm", Digest::of(bytes));
        self.bench.path(&file).exists()
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
    let desk = Desk::with_file("echo");
    desk.run(&["build"]).expect_code(0);
    let fingerprint = desk.fingerprint();
    for reference in [
        server.file("/echo.wasm", &echo),
        server.push("team/echo", "1.0", &echo),
        server.push_layers("old/echo", "1.0", &[(OLD_WASM, &echo)]),
        server.push_layers(
            "doc/echo",
            "1.0",
            &[("text/markdown", b"# Echo"), (WASM, &echo)],
        ),
    ] {
        desk.transform(&reference);
        let run = desk.run(&["build"]).expect_code(0);
        assert!(run.says("made: 1 up to date"), "{reference}: {run:?}");
        assert_eq!(desk.fingerprint(), fingerprint, "{reference}");
        assert!(
            desk.lock().ends_with(&entry(&reference, &echo)),
            "{}",
            desk.lock()
        );
    }
}

#[test]
fn first_party_transforms_leave_no_lock_file() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    assert!(!bench.path("synix.lock").exists());
}

#[test]
fn a_plan_pins_what_is_new_and_says_so() {
    let desk = Desk::with_file("echo");
    let run = desk.run(&["plan"]).expect_code(0);
    assert_transcript!(run);
    assert!(
        desk.lock()
            .ends_with(&entry("./plugin.wasm", &bytes("echo")))
    );
    let again = desk.run(&["plan"]).expect_code(0);
    assert!(!again.says("synix.lock"), "{again:?}");
}

#[test]
fn a_changed_file_is_pinned_anew_and_told() {
    let desk = Desk::with_file("echo");
    desk.run(&["build"]).expect_code(0);
    desk.place("moody");
    let run = desk.run(&["build"]).expect_code(0);
    let told = format!(
        "synix.lock: ./plugin.wasm: sha256:{} ({} bytes) -> sha256:",
        Digest::of(&bytes("echo")),
        bytes("echo").len()
    );
    assert!(run.stderr.contains(&told), "{run:?}");
    assert!(
        desk.lock()
            .ends_with(&entry("./plugin.wasm", &bytes("moody")))
    );
}

#[test]
fn locked_refuses_what_differs_and_says_what_to_run() {
    let server = Registry::start();
    let desk = Desk::with_file("echo");
    let missing = desk.run(&["build", "--locked"]).expect_code(5);
    assert_transcript!(missing);
    desk.run(&["build"]).expect_code(0);
    let lock = desk.lock();
    desk.run(&["build", "--locked"]).expect_code(0);
    desk.place("moody");
    for command in [
        &["build", "--locked"][..],
        &["plan", "--locked=true"],
        &["batch-build", "run", "--locked"],
    ] {
        let run = desk.run(command).expect_code(5);
        for part in [
            format!("sha256:{}", Digest::of(&bytes("echo"))),
            format!("-> sha256:{}", Digest::of(&bytes("moody"))),
            "synix plugin update ./plugin.wasm".to_owned(),
        ] {
            assert!(run.stderr.contains(&part), "{part}: {run:?}");
        }
    }
    let image = server.push("team/echo", "1.0", &bytes("echo"));
    desk.transform(&image);
    let run = desk.run(&["build", "--locked"]).expect_code(5);
    assert!(run.says(&format!("{image}: is not pinned")), "{run:?}");
    assert_transcript!(run);
    assert!(server.calls().is_empty(), "{:?}", server.calls());
    assert_eq!(desk.lock(), lock);
}

#[test]
fn locked_refuses_a_pin_whose_size_is_wrong_and_keeps_the_file() {
    let server = Registry::start();
    let echo = bytes("echo");
    let desk = Desk::new(&server.push("team/echo", "1.0", &echo));
    desk.run(&["plan"]).expect_code(0);
    let edited = desk
        .lock()
        .replace(&format!("size = {}", echo.len()), "size = 1");
    desk.bench.write("synix.lock", &edited);
    desk.run(&["plan", "--locked"]).expect_code(5);
    assert_eq!(desk.lock(), edited);
}

#[test]
fn a_cache_that_cannot_be_written_is_told_with_the_way_to_another() {
    let server = Registry::start();
    let desk = Desk::new(&server.push("team/echo", "1.0", &bytes("echo")));
    desk.bench.write("cache", "in the folder's place");
    let run = desk.run(&["plan"]).expect_code(1);
    assert_transcript!(run);
}

/// A pin that was edited by hand: the reference says itself that it is wrong.
#[test]
fn locked_says_which_pin_the_digest_in_its_reference_contradicts() {
    let stated = Digest::of(b"stated");
    let reference = format!("https://127.0.0.1:1/x.wasm#sha256={stated}");
    let desk = Desk::new(&reference);
    let pin = entry(&reference, b"other");
    desk.bench
        .write("synix.lock", &format!("version = 1\n{pin}"));
    let run = desk.run(&["plan", "--locked"]).expect_code(5);
    assert_transcript!(run);
}

/// Batches cost money whatever the lock file says.
#[test]
fn a_difference_in_the_lock_file_does_not_keep_a_build_from_being_cancelled() {
    let desk = Desk::with_file("two_steps");
    let pipeline = fs::read_to_string(desk.bench.path("synix.toml")).unwrap();
    desk.bench
        .write("synix.toml", &format!("{pipeline}batch = true\n"));
    desk.bench.hold_batches();
    desk.run(&["batch-build", "run"]).expect_code(0);
    desk.place("echo");
    let ci = |arguments: &[&str]| desk.run_with(arguments, &[("CI", "true")]);
    ci(&["batch-build", "resume"]).expect_code(5);
    let cancelled = ci(&["batch-build", "cancel"]).expect_code(0);
    assert!(
        cancelled.says("synix.lock: ./plugin.wasm: sha256:"),
        "{cancelled:?}"
    );
}

#[test]
fn ci_locks_unless_told_otherwise() {
    let desk = Desk::with_file("echo");
    let ci = |arguments: &[&str], value: &str| desk.run_with(arguments, &[("CI", value)]).code;
    assert_eq!(ci(&["plan"], "true"), 5);
    assert_eq!(ci(&["plan"], "1"), 5);
    assert_eq!(desk.lock(), "");
    assert_eq!(ci(&["plan", "--no-locked"], "true"), 0);
    desk.place("moody");
    assert_eq!(ci(&["plan"], "true"), 5);
    assert_eq!(ci(&["plan", "--locked=false"], "true"), 0);
    desk.place("echo");
    assert_eq!(ci(&["plan"], "false"), 0);
}

#[test]
fn a_tag_that_moves_changes_nothing_until_an_update() {
    let server = Registry::start();
    let (echo, moody) = (bytes("echo"), bytes("moody"));
    let reference = server.push("team/plugin", "1.0", &echo);
    let desk = Desk::new(&reference);
    desk.run(&["build"]).expect_code(0);
    let calls = server.calls().len();
    server.push("team/plugin", "1.0", &moody);
    desk.run(&["build"]).expect_code(0);
    assert_eq!(
        server.calls().len(),
        calls,
        "the lock and the cache say enough"
    );
    desk.forget_downloads();
    desk.run(&["build", "--locked"]).expect_code(0);
    let asked: Vec<_> = server.calls().split_off(calls);
    assert!(
        asked.iter().all(|call| !call.path.contains("/manifests/")),
        "{asked:?}"
    );
    assert!(desk.lock().ends_with(&entry(&reference, &echo)));

    let moved = desk
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
    assert!(desk.lock().ends_with(&entry(&reference, &moody)));
    let again = desk.run(&["plugin", "update"]).expect_code(0);
    assert_eq!(again.stdout, "all pins are up to date\n");
}

#[test]
fn an_update_of_one_reference_leaves_the_others() {
    let server = Registry::start();
    let (echo, moody) = (bytes("echo"), bytes("moody"));
    let reference = server.push("team/plugin", "1.0", &echo);
    let desk = Desk::with_file("echo");
    let pipeline = fs::read_to_string(desk.bench.path("synix.toml")).unwrap();
    let second = format!("[layers.more]\ntransform = \"{reference}\"\ninputs = [\"texts\"]\n");
    desk.bench
        .write("synix.toml", &format!("{pipeline}{second}"));
    desk.bench.trust();
    desk.run(&["plan"]).expect_code(0);
    server.push("team/plugin", "1.0", &moody);
    desk.place("moody");
    desk.run(&["plugin", "update", "./plugin.wasm"])
        .expect_code(0);
    let lock = desk.lock();
    assert!(lock.contains(&entry("./plugin.wasm", &moody)), "{lock}");
    assert!(lock.contains(&entry(&reference, &echo)), "{lock}");
    let unknown = desk
        .run(&["plugin", "update", "./plugins.wasm"])
        .expect_code(2);
    assert_transcript!(unknown);
}

#[test]
fn a_replay_asks_no_server_for_a_plugin() {
    let server = Registry::start();
    let reference = server.push("team/echo", "1.0", &bytes("echo"));
    let desk = Desk::new(&reference).with_cassette();
    let calls = server.calls().len();
    desk.replay(&["plan"]).expect_code(0);
    desk.replay(&["build"]).expect_code(0);
    desk.forget_downloads();
    let miss = desk.replay(&["build"]).expect_code(1);
    assert_transcript!(miss);
    desk.bench.remove("synix.lock");
    let unpinned = desk.replay(&["plan"]).expect_code(1);
    assert_transcript!(unpinned);
    assert_eq!(server.calls().len(), calls);
}

#[test]
fn fetch_gets_what_is_pinned_and_moves_nothing() {
    let server = Registry::start();
    let (echo, moody) = (bytes("echo"), bytes("moody"));
    let reference = server.push("team/echo", "1.0", &echo);
    let desk = Desk::new(&reference).with_cassette();
    server.push("team/echo", "1.0", &moody);
    desk.forget_downloads();
    let lock = desk.lock();
    let fetched = desk.run(&["plugin", "fetch"]).expect_code(0);
    assert!(
        fetched.says("downloaded") && desk.is_kept(&echo),
        "{fetched:?}"
    );
    assert!(desk.run(&["plugin", "fetch"]).says("already in the cache"));
    assert_eq!(desk.lock(), lock);
    desk.replay(&["build"]).expect_code(0);
}

#[test]
fn a_damaged_file_in_the_cache_is_never_run() {
    let server = Registry::start();
    let echo = bytes("echo");
    let desk = Desk::new(&server.file("/echo.wasm", &echo));
    desk.run(&["plan"]).expect_code(0);
    let file = format!("cache/plugins/{}.wasm", Digest::of(&echo));
    fs::write(desk.bench.path(&file), bytes("moody")).unwrap();
    desk.run(&["plan"]).expect_code(0);
    assert_eq!(fs::read(desk.bench.path(&file)).unwrap(), echo);
}

#[test]
fn a_url_without_digest_is_refused_where_it_stands() {
    let run = Desk::new("https://example.com/a.wasm")
        .run(&["plan"])
        .expect_code(2);
    assert_transcript!(run);
}

#[test]
fn a_lock_file_with_a_conflict_is_refused_with_its_line() {
    let desk = Desk::with_file("echo");
    desk.run(&["plan"]).expect_code(0);
    desk.bench
        .write("synix.lock", &format!("{}<<<<<<< ours\n", desk.lock()));
    let run = desk.run(&["build"]).expect_code(2);
    assert_transcript!(run);
}

#[test]
fn pipelines_in_one_folder_have_a_lock_file_each() {
    let desk = Desk::with_file("echo");
    let pipeline = fs::read_to_string(desk.bench.path("synix.toml")).unwrap();
    desk.bench.write("other.toml", &pipeline);
    desk.run(&["plan", "other.toml"]).expect_code(0);
    assert!(desk.bench.path("other.lock").exists() && desk.lock().is_empty());
}

/// The digest in a URL is the owner's word; the lock file only repeats it.
#[test]
fn a_pin_that_is_not_the_digest_in_the_url_stands_for_nothing() {
    let server = Registry::start();
    let (echo, moody) = (bytes("echo"), bytes("moody"));
    let desk = Desk::new(&server.file("/moody.wasm", &moody));
    desk.run(&["plan"]).expect_code(0);
    let reference = server.file("/echo.wasm", &echo);
    desk.transform(&reference);
    desk.run(&["plan"]).expect_code(0);
    let lock = desk.lock();
    assert!(desk.is_kept(&moody) && lock.ends_with(&entry(&reference, &echo)));
    let forged = lock.replace(&entry(&reference, &echo), &entry(&reference, &moody));
    assert_ne!(forged, lock);
    desk.bench.write("synix.lock", &forged);
    let run = desk.run(&["plan", "--locked"]).expect_code(5);
    let contradicted = format!("{reference}: pinned to sha256:{}", Digest::of(&moody));
    assert!(run.says(&contradicted), "{run:?}");
    desk.run(&["plan"]).expect_code(0);
    assert_eq!(desk.lock(), lock);
}

#[test]
fn an_update_of_all_drops_what_is_no_longer_used() {
    let server = Registry::start();
    let desk = Desk::with_file("echo");
    desk.run(&["plan"]).expect_code(0);
    let reference = server.push("team/echo", "1.0", &bytes("echo"));
    desk.transform(&reference);
    let updated = desk.run(&["plugin", "update"]).expect_code(0);
    assert_transcript!(updated);
    let lock = desk.lock();
    assert!(
        lock.ends_with(&entry(&reference, &bytes("echo"))) && !lock.contains("./plugin.wasm"),
        "{lock}"
    );
}

//! `plugin check` reports the right point for each guest in `tests/guests/examples/planted`, and none for guests that
//! obey the contract in unusual ways.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use crate::support::invocation::Run;
use crate::support::test_project::command_in;

/// Marks the place of a guest's name in the component that contains all guests.
const NAME_MARKER: &[u8] = b"synix-planted:";
const NAME_BYTES: usize = 34;

/// Bytes in which the name of a guest can be set: the component, or the code compiled from it.
struct NamedComponent {
    bytes: Vec<u8>,
    name_at: usize,
}

impl NamedComponent {
    fn new(bytes: Vec<u8>) -> Self {
        let mut found = bytes.windows(NAME_MARKER.len()).enumerate();
        let name_at = found
            .find(|(_, part)| *part == NAME_MARKER)
            .expect("a mark")
            .0
            + NAME_MARKER.len();
        Self { bytes, name_at }
    }

    fn with_name(&self, name: &str) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes[self.name_at..self.name_at + NAME_BYTES]
            .copy_from_slice(format!("{name:.<NAME_BYTES$}").as_bytes());
        bytes
    }
}

/// A compiler that has compiled the component once: the code of two guests differs only in their names.
///
/// `plugin check` stores no compiled code, so it would compile each of 100 guests, which takes half of the time.
#[cfg(unix)]
struct Compiler {
    folder: tempfile::TempDir,
    code: NamedComponent,
}

#[cfg(unix)]
impl Compiler {
    const SCRIPT: &str = "#!/bin/sh\n\
        name=$(LC_ALL=C grep -a -o 'synix-planted:[a-z.-]\\{34\\}' | head -n 1)\n\
        exec cat \"$0.$name\"\n";

    fn new(component: &NamedComponent) -> Self {
        use std::io::Write as _;
        use std::os::unix::fs::PermissionsExt as _;
        use std::process::Stdio;

        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("compiler");
        std::fs::write(&script, Self::SCRIPT).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
        let arguments = ["__compile", "pool", "4000000000", "600"];
        let mut child = command_in(folder.path(), &arguments)
            .process()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&component.bytes).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{:?}", output.status);
        Self {
            folder,
            code: NamedComponent::new(output.stdout),
        }
    }

    fn check(&self, name: &str, folder: &std::path::Path, arguments: &[&str]) -> Run {
        let script = self.folder.path().join("compiler");
        let code = format!("{}.synix-planted:{name:.<NAME_BYTES$}", script.display());
        std::fs::write(&code, self.code.with_name(name)).unwrap();
        let run = command_in(folder, arguments).with_compiler(&script).run();
        std::fs::remove_file(code).unwrap();
        run
    }
}

#[cfg(not(unix))]
struct Compiler;

#[cfg(not(unix))]
impl Compiler {
    fn new(_component: &NamedComponent) -> Self {
        Self
    }

    fn check(&self, _name: &str, folder: &std::path::Path, arguments: &[&str]) -> Run {
        command_in(folder, arguments).run()
    }
}

/// Checks a guest and returns the exit code and the failed points.
fn check(component: &NamedComponent, compiler: &Compiler, name: &str) -> (i32, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("planted.wasm"),
        component.with_name(name),
    )
    .unwrap();
    let arguments = ["plugin", "check", "planted.wasm", "--json"];
    let run = compiler.check(name, folder.path(), &arguments);
    let report = run.json();
    let points = report["points"].as_array().unwrap().iter();
    let failed = points.filter(|one| one["outcome"] == "fail");
    let name = |one: &Value| one["point"].as_str().unwrap().to_owned();
    (run.code, failed.map(name).collect())
}

/// Checks every guest, one on each core, and returns a line for each unexpected result.
pub(super) fn unexpected_results(component: &str, guests: &[(&str, Option<&str>)]) -> Vec<String> {
    let component = NamedComponent::new(synix_test_components::bytes(component));
    let compiler = Compiler::new(&component);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut results = Vec::new();
        while let Some((name, point)) = guests.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (code, failed) = check(&component, &compiler, name);
            let expected: Vec<&str> = point.iter().copied().collect();
            if failed != expected || code != i32::from(point.is_some()) {
                results.push(format!("{name}: {code}, {failed:?} and not {expected:?}"));
            }
        }
        results
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(|one| one.join().expect("a worker"));
        results.flatten().collect()
    })
}

const FAULTS: [(&str, Option<&str>); 71] = [
    ("all-two", Some("split")),
    ("answer-deep", Some("answers")),
    ("answer-second", Some("answers")),
    ("answer-silent", Some("answers")),
    ("answer-truncated", Some("answers")),
    ("answer-unlike", Some("answers")),
    ("answer-usage", Some("answers")),
    ("capability-case", Some("capabilities")),
    ("config-both", Some("config-refusals")),
    ("config-enum", Some("config-refusals")),
    ("config-false", Some("config-refusals")),
    ("config-nested-default", Some("config-defaults")),
    ("config-nested-open", Some("config-refusals")),
    ("config-nested-zero", Some("config-refusals")),
    ("config-silent-error", Some("config-refusals")),
    ("describe-asks", Some("capabilities")),
    ("describe-later", Some("descriptor")),
    ("describe-traps", Some("descriptor")),
    ("error-escape", Some("empty-input")),
    ("error-ordinary-escape", Some("ordinary-units")),
    ("error-silent", Some("empty-input")),
    ("input-deep", Some("long-input")),
    ("kind-match", Some("metadata-input")),
    ("label-answer", Some("labels")),
    ("label-content", Some("labels")),
    ("label-cut", Some("labels")),
    ("label-lines", Some("labels")),
    ("label-slice", Some("unicode-input")),
    ("label-slug", Some("labels")),
    ("log-flood", Some("limits")),
    ("many-all", Some("long-input")),
    ("metadata-own", Some("outputs")),
    ("metadata-type", Some("metadata-input")),
    ("mixed-all", Some("empty-input")),
    ("name-case", Some("descriptor")),
    ("output-media", Some("outputs")),
    ("output-twice", Some("outputs")),
    ("request-format", Some("ordinary-units")),
    ("request-hot", Some("ordinary-units")),
    ("schema-empty-enum", Some("config-schema")),
    ("schema-impossible", Some("config-schema")),
    ("schema-inner-default", Some("config-schema")),
    ("schema-list", Some("config-schema")),
    ("schema-no-type", Some("config-schema")),
    ("schema-range", Some("config-schema")),
    ("schema-root-default", Some("config-schema")),
    ("schema-thing", Some("config-schema")),
    ("schema-url", Some("config-schema")),
    ("split-arrival", Some("input-order")),
    ("split-arrival-inside", Some("input-order")),
    ("split-asks", Some("capabilities")),
    ("split-config-bytes", Some("deterministic")),
    ("split-config-list", Some("split")),
    ("split-count-keys", Some("unit-keys")),
    ("split-cut-keys", Some("split")),
    ("split-digest-keys", Some("unit-keys")),
    ("split-forgets-first", Some("split")),
    ("split-forgets-late", Some("split")),
    ("split-lower-keys", Some("split")),
    ("split-none", Some("split")),
    ("split-odd-metadata", Some("metadata-input")),
    ("split-state", Some("stateless")),
    ("split-traps-many", Some("split")),
    ("split-traps-one", Some("split")),
    ("split-twice", Some("split")),
    ("split-unknown", Some("split")),
    ("state-ask", Some("stateless")),
    ("summary-blank", Some("descriptor")),
    ("swallow-second", Some("refused-requests")),
    ("swallow-trap", Some("refused-requests")),
    ("version-end", Some("descriptor")),
];

const GOOD: [(&str, Option<&str>); 23] = [
    ("good-all", None),
    ("good-bytes", None),
    ("good-fan", None),
    ("good-file", None),
    ("good-grouped-overlap", None),
    ("good-grouped-sorted", None),
    ("good-json", None),
    ("good-metadata", None),
    ("good-nested", None),
    ("good-no-outputs", None),
    ("good-odd-text", None),
    ("good-open", None),
    ("good-plain", None),
    ("good-prefix", None),
    ("good-quiet", None),
    ("good-required", None),
    ("good-rounds", None),
    ("good-split-refuses", None),
    ("good-split-traps", None),
    ("good-strict", None),
    ("good-twice-llm", None),
    ("good-unused", None),
    ("good-votes", None),
];

#[test]
fn each_planted_fault_fails_only_its_own_point() {
    let results = unexpected_results("planted", &FAULTS);
    assert!(results.is_empty(), "{}", results.join("\n"));
}

#[test]
fn unusual_guests_that_obey_the_contract_pass() {
    let results = unexpected_results("planted", &GOOD);
    assert!(results.is_empty(), "{}", results.join("\n"));
}

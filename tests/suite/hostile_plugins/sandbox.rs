//! A misbehaving plugin fails only its own unit, with a message that names the reason.

use crate::support::invocation::Run;
use crate::support::pipelines::{BATCH_BUILD, MODES, guest_layers};
use crate::support::test_project::{TestProject, failure_kinds};
use crate::support::transcript::assert_transcript;

const LIMITS: &str =
    "[layers.made.limits]\nfuel = 1_000_000_000\nmemory_mb = 256\noutput_mb = 32\n";

/// Runs a guest that sends no requests, with one input.
fn run_guest(guest: &str, text: &str) -> (TestProject, Run) {
    let project = TestProject::guest(guest, &[("only", text)]);
    project.pipeline("synix.toml", &format!("{}{LIMITS}", guest_layers(guest)));
    let run = project.run(&["build"]);
    (project, run)
}

#[track_caller]
fn assert_fails(guest: &str, text: &str, message: &str) {
    let (project, run) = run_guest(guest, text);
    assert_eq!(run.code, 3, "{guest}: {run:?}");
    assert!(run.says(message), "{guest}: {run:?}");
    assert_eq!(project.artifact_names(), ["texts/only"], "{guest}");
}

#[test]
fn each_unit_fails_in_its_own_way_and_the_others_finish() {
    let moods = [
        ("angry", "boom"),
        ("dizzy", "spin"),
        ("greedy", "hoard"),
        ("sad", "flood"),
        ("calm", "a quiet day"),
        ("glad", "a sunny day"),
    ];
    let project = TestProject::guest("moody", &moods);
    project.pipeline("synix.toml", &format!("{}{LIMITS}", guest_layers("moody")));
    project.run(&BATCH_BUILD).expect_code(3);
    let status = project.status();
    let guest = ["angry", "dizzy", "greedy", "sad"].map(|unit| (unit, "guest"));
    assert_eq!(TestProject::failures(&status), failure_kinds(&guest));
    let message = |unit: &str| {
        let failures = status["failures"].as_array().unwrap();
        failures
            .iter()
            .find(|failure| failure["unit"] == unit)
            .unwrap()["message"]
            .to_string()
    };
    for (unit, limit) in [
        ("angry", "boom"),
        ("dizzy", "out of fuel: more than 1000000000 instructions"),
        ("greedy", "out of memory: needs more than 268435456 bytes"),
        ("sad", "bytes"),
    ] {
        assert!(message(unit).contains(limit), "{unit}: {}", message(unit));
        assert!(message(unit).contains("moody"), "{unit}: {}", message(unit));
    }
    assert_eq!(
        (
            project.content("made/calm").is_empty(),
            project.content("made/glad").is_empty()
        ),
        (false, false)
    );
    assert_eq!(project.sent(), 2);
}

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    assert_fails("spin", "x", "out of fuel");
}

#[test]
fn a_guest_that_allocates_without_end_runs_out_of_memory() {
    assert_fails("hoard_memory", "x", "out of memory");
}

/// Rust keeps such frames in the guest's own memory, which ends before the host's stack limit is reached.
#[test]
fn endless_recursion_is_a_failure() {
    assert_fails("recurse", "x", "crashed: out of bounds memory access");
}

#[test]
fn a_trap_is_a_failure() {
    assert_fails("trap", "x", "crashed");
}

#[test]
fn a_panic_message_is_in_the_failure() {
    assert_fails("panic", "x", "cannot bear the input only");
}

#[test]
fn a_huge_output_is_refused() {
    assert_fails("flood_output", "x", "bytes");
}

#[test]
fn an_invalid_label_is_refused() {
    assert_fails("bad_label", "x", "output 0 is invalid");
}

#[test]
fn metadata_that_is_not_json_is_refused() {
    assert_fails("bad_metadata", "x", "output 0 is invalid");
}

#[test]
fn a_duplicate_label_is_refused() {
    assert_fails("duplicate_labels", "same same", "same");
}

#[test]
fn a_log_over_the_limit_is_cut_off_and_does_not_fail_the_unit() {
    let (project, run) = run_guest("flood_log", "x");
    run.expect_code(0);
    let size = std::fs::metadata(project.path(".synix/state.sqlite3"))
        .unwrap()
        .len();
    assert!(size < 10_000_000, "{size}");
}

#[test]
fn a_plugin_without_a_usable_schema_is_refused() {
    let (_, run) = run_guest("bad_schema", "x");
    assert!(
        matches!(run.code, 1 | 2) && run.says("bad_schema"),
        "{run:?}"
    );
}

#[test]
fn invalid_units_of_split_are_refused() {
    for (fault, message) in [
        ("out-of-range", "input"),
        ("duplicate-key", "a"),
        ("empty-key", "empty"),
        ("bad-config", "config"),
    ] {
        let project = TestProject::guest("bad_split", &[("only", "x")]);
        let config = format!("[layers.made.config]\nfault = \"{fault}\"\n");
        // The guest sends no requests, so its layer has no batch.
        let layers = guest_layers("bad_split").replace("batch = true\n", "");
        project.pipeline("synix.toml", &format!("{layers}{config}"));
        let run = project.run(&["build"]);
        assert!(
            run.code != 0 && run.says("divides its inputs wrongly") && run.says(message),
            "{fault}: {run:?}"
        );
        assert_eq!(project.sent(), 0);
    }
}

#[test]
fn llm_must_be_declared_before_it_is_used() {
    let project = TestProject::guest("undeclared_llm", &[("only", "x")]);
    project.pipeline(
        "synix.toml",
        &guest_layers("undeclared_llm").replace("batch = true\n", ""),
    );
    let run = project.run(&["build"]).expect_code(3);
    assert_transcript!(run);
    assert_eq!(project.sent(), 0);
}

#[test]
fn static_state_does_not_outlive_a_unit() {
    for mode in MODES {
        let project = TestProject::guest(
            "remember",
            &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")],
        );
        project.build_in(mode).expect_code(0);
        for name in ["a", "b", "c", "d"] {
            let content = project.content(&format!("made/{name}"));
            assert!(
                content.starts_with("ran 0 times before"),
                "{mode:?}: {content}"
            );
        }
    }
}

#[test]
fn a_guest_without_requests_needs_no_provider() {
    let project = TestProject::guest("echo", &[("a", "quiet")]);
    project.pipeline(
        "synix.toml",
        &guest_layers("echo").replace("batch = true\n", ""),
    );
    project.ok(&["build"]);
    assert_eq!(
        (project.content("made/a").trim(), project.sent()),
        ("QUIET", 0)
    );
}

#[test]
fn groups_are_made_from_input_headers() {
    let project = TestProject::guest("grouped", &[]);
    project.pipeline(
        "synix.toml",
        &format!(
            "{}[layers.made.config]\nby = \"team\"\n",
            guest_layers("grouped")
        ),
    );
    for (name, team) in [("a", "red"), ("b", "blue"), ("c", "red")] {
        project.write(
            &format!("texts/{name}.md"),
            &format!("---\nteam: {team}\n---\nText {name}"),
        );
    }
    project.ok(&["build"]);
    assert_eq!(
        project.artifact_names(),
        ["made/blue", "made/red", "texts/a", "texts/b", "texts/c"]
    );
    assert_eq!(project.sent(), 2);
}

/// A reduce over one fresh and one stale group uses both.
#[test]
fn a_layer_is_complete_only_when_all_its_units_are_known() {
    let project = TestProject::guest("grouped", &[]);
    let total = "[layers.made.config]\nby = \"team\"\n\n[layers.total]\ntransform = \"reduce\"\ninputs = [\"made\"]\n\
        [layers.total.config]\nprompt = \"Sum up:{% for one in inputs %} {{ one.label }}{% endfor %}\"\nlabel = \"all\"\n";
    project.pipeline("synix.toml", &format!("{}{total}", guest_layers("grouped")));
    let write = |name: &str, team: &str, text: &str| {
        project.write(
            &format!("texts/{name}.md"),
            &format!("---\nteam: {team}\n---\n{text}"),
        );
    };
    write("a", "red", "one");
    write("b", "blue", "two");
    project.ok(&["build"]);
    write("a", "red", "changed");
    write("c", "red", "three");
    project.ok(&["build"]);
    let inputs: Vec<i64> = project
        .database()
        .prepare("SELECT count(i.unit) FROM unit u LEFT JOIN unit_input i ON i.unit = u.id WHERE u.layer = 'total' GROUP BY u.id")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(inputs.iter().all(|count| *count == 2), "{inputs:?}");
}

/// The source was first read in a replay.
#[test]
fn a_second_replay_lists_no_source_twice() {
    let project = TestProject::team();
    project.ok(&["build", "--cassette-mode", "record"]);
    std::fs::remove_dir_all(project.path(".synix")).unwrap();
    project.ok(&["build", "--cassette-mode", "replay"]);
    let count = || {
        project.json(&["list"])["artifacts"]
            .as_array()
            .map(Vec::len)
    };
    let once = count();
    project.ok(&["build", "--cassette-mode", "replay"]);
    assert_eq!(count(), once);
}

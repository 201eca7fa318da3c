//! The first-party transforms beside `map` and `reduce`: what each asks, and what a change costs.

use crate::transcript::assert_transcript;
use crate::workbench::{MODES, Mode, Workbench, over_notes};

const FOLD: &str = over_notes!(
    r#"[layers.story]
transform = "fold"
inputs = ["notes"]
[layers.story.config]
initial = "Nothing yet."
prompt = "So far:\n{{ so_far }}\n\nNow:\n{{ content }}"
label = "story"
"#
);

const GROUP: &str = over_notes!(
    r#"[layers.topics]
transform = "group"
inputs = ["notes"]
[layers.topics.config]
by = "topic"
on_missing = "group"
prompt = "{{ group }}:{% for one in inputs %}\n- {{ one.content }}{% endfor %}"
"#
);

fn days(last: u32) -> Workbench {
    let bench = Workbench::with_layers(FOLD);
    for day in 1..=last {
        bench.write(&format!("notes/{day:02}.md"), &format!("Day {day}."));
    }
    bench
}

fn topics() -> Workbench {
    let bench = Workbench::with_layers(GROUP);
    for (name, topic) in [("a", "garden"), ("b", "house"), ("c", "garden")] {
        let note = format!("---\ntopic: {topic}\n---\nNote {name}.\n");
        bench.write(&format!("notes/{name}.md"), &note);
    }
    bench.write("notes/d.md", "Of no topic.");
    bench
}

/// M3: a fold takes up where the inputs are new.
#[test]
fn an_input_after_the_last_costs_one_request() {
    let bench = days(10);
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), 10);
    bench.write("notes/11.md", "Day 11.");
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), 11);
}

/// M3: what comes before a changed input is not asked again.
#[test]
fn a_changed_input_costs_the_steps_from_there_on() {
    let bench = days(10);
    bench.ok(&["build"]);
    bench.write("notes/03.md", "Day 3, as it was.");
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), 10 + 8);
}

/// M3: the last step is all that the last input decides, and the first decides all of them.
#[test]
fn the_last_input_costs_one_step_and_the_first_all() {
    let bench = days(10);
    bench.ok(&["build"]);
    bench.write("notes/10.md", "Day 10, as it was.");
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), 10 + 1);
    bench.remove("notes/01.md");
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), 10 + 1 + 9);
}

/// A fold over more inputs than a unit may ask questions goes on from there once it may ask more.
#[test]
fn a_fold_that_reached_its_limit_names_it_and_goes_on_under_a_higher_one() {
    let bench = days(5);
    let limited = |requests: u32| format!("{FOLD}[layers.story.limits]\nrequests = {requests}\n");
    bench.pipeline("synix.toml", &limited(3));
    let run = bench.run(&["build"]).expect_code(3);
    assert_transcript!(run);
    assert_eq!(bench.sent(), 3);
    bench.pipeline("synix.toml", &limited(5));
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), 5);
}

/// C1: a fold and a group give the same in every mode.
#[test]
fn folds_and_groups_make_the_same_in_every_mode() {
    for make in [|| days(3), topics] {
        let made = MODES.map(|mode: Mode| {
            let bench = make();
            bench.build_in(mode).expect_code(0);
            bench.artifacts()
        });
        assert_eq!(made[0], made[1]);
        assert_eq!(made[1], made[2]);
    }
}

#[test]
fn a_group_has_the_inputs_that_name_it_and_the_rest_have_their_own() {
    let bench = topics();
    bench.ok(&["build"]);
    let names = bench.names();
    for group in ["topics/garden", "topics/house", "topics/ungrouped"] {
        assert!(names.iter().any(|name| name == group), "{names:?}");
    }
    assert_eq!(bench.sent(), 3);
}

#[test]
fn only_the_group_of_a_changed_input_is_asked_again() {
    let bench = topics();
    bench.ok(&["build"]);
    bench.write("notes/a.md", "---\ntopic: garden\n---\nNote a, longer.\n");
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), 4);
}

#[test]
fn an_input_without_its_group_stops_the_layer_unless_it_says_otherwise() {
    let bench = topics();
    bench.pipeline("synix.toml", &GROUP.replace("on_missing = \"group\"\n", ""));
    let run = bench.run(&["build"]).expect_code(3);
    assert_transcript!(run);
    bench.pipeline(
        "synix.toml",
        &GROUP.replace("\"group\"\nprompt", "\"skip\"\nprompt"),
    );
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), 2);
}

/// A layer that has nothing to go on sends nothing and makes nothing.
#[test]
fn nothing_is_asked_about_a_layer_that_is_empty() {
    let bench = topics();
    let empty = GROUP
        .replace("by = \"topic\"", "by = \"season\"")
        .replace("\"group\"\nprompt", "\"skip\"\nprompt");
    let after = "[layers.total]\ntransform = \"reduce\"\ninputs = [\"topics\"]\n\
        [layers.total.config]\nlabel = \"total\"\nprompt = \"Sum up.\"\n\
        [layers.story]\ntransform = \"fold\"\ninputs = [\"topics\"]\n\
        [layers.story.config]\nlabel = \"story\"\nprompt = \"Go on.\"\n";
    bench.pipeline("synix.toml", &format!("{empty}{after}"));
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), 0);
    let names = bench.names();
    assert_eq!(names, ["notes/a", "notes/b", "notes/c", "notes/d"]);
}

#[test]
fn a_template_that_names_no_variable_is_no_missing_group() {
    let bench = topics();
    for on_missing in ["skip", "group", "error"] {
        let by = "by_template = \"{{ content[:3] }}\"\non_missing = ";
        let layers = GROUP
            .replace("by = \"topic\"\non_missing = ", by)
            .replace("\"group\"\nprompt", &format!("\"{on_missing}\"\nprompt"));
        bench.pipeline("synix.toml", &layers);
        let run = bench.run(&["build"]).expect_code(3);
        assert!(run.says("`by_template` names `content`"), "{run:?}");
        assert_eq!(bench.sent(), 0);
    }
}

#[test]
fn a_group_without_a_prompt_joins_and_asks_nothing() {
    let bench = topics();
    let (layers, _) = GROUP.split_once("prompt = ").unwrap();
    bench.pipeline("synix.toml", layers);
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), 0);
    let garden = bench.content("topics/garden");
    assert!(
        garden.contains("Note a.") && garden.contains("Note c."),
        "{garden}"
    );
}

#[test]
fn the_label_of_a_fold_is_no_template() {
    let bench = days(2);
    let layers = FOLD.replace("label = \"story\"", "label = \"{{ label }}\"");
    bench.pipeline("synix.toml", &layers);
    let run = bench.run(&["build"]).expect_code(3);
    assert_transcript!(run);
    assert_eq!(bench.sent(), 0);
}

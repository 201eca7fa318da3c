//! Which units a trial builds.

use std::collections::BTreeSet;

use crate::support::pipelines::{BATCH_BUILD, MODES, Mode};
use crate::support::test_project::TestProject;
use crate::trials::{
    FACTS, add_note, exact_requests, facts_project, labels_of, names_in, project_of,
};

/// A chain of two questions for each note, whose labels are not those of the notes.
const CHAIN: &str = r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 100

[layers.notes]
source = "notes/*.md"

[layers.clean]
transform = "map"
inputs = ["notes"]
config.prompt = "Clean {{ content }}"
config.label = "clean-{{ label }}"

[layers.facts]
transform = "map"
inputs = ["clean"]
config.prompt = "Facts of {{ content }}"

[layers.other]
transform = "map"
inputs = ["notes"]
config.prompt = "Something else about {{ content }}"
"#;

#[test]
fn a_limit_builds_a_sample_and_what_follows_from_it_in_every_mode() {
    let mut expected = None;
    for mode in MODES {
        let project = facts_project(12);
        let flags = ["--limit", "3", "--trial", "short"];
        let run = match mode {
            Mode::Sync => project.ok(&[&["build"], &flags[..]].concat()),
            Mode::Batch => project.ok(&[&BATCH_BUILD, &flags[..]].concat()),
            Mode::Replay => {
                project.ok(&[&["build", "--cassette-mode", "record"], &flags[..]].concat());
                std::fs::remove_dir_all(project.path(".synix")).unwrap();
                project.ok(&[&["build", "--cassette-mode", "replay"], &flags[..]].concat())
            }
        };
        assert!(run.says("trial short"), "{run:?}");
        let names = names_in(&project, "short");
        assert_eq!(labels_of(&names, "facts").len(), 3, "{mode:?}: {names:?}");
        assert_eq!(labels_of(&names, "notes"), labels_of(&names, "facts"));
        assert!(names.contains("core/core"));
        assert_eq!(project.sent(), 4, "{mode:?}");
        assert_eq!(
            *expected.get_or_insert_with(|| names.clone()),
            names,
            "{mode:?}"
        );

        if mode == Mode::Sync {
            // The whole costs nothing for what was tried: 9 more facts, and a summary of all of them.
            project.ok(&["build"]);
            assert_eq!(project.sent(), 4 + 9 + 1);
            assert!(project.ledger().duplicates().is_empty());
        }
    }
}

#[test]
fn a_sample_is_stable_and_a_larger_one_contains_it() {
    let project = facts_project(30);
    let mut smaller = BTreeSet::new();
    for limit in ["1", "4", "5", "29", "100"] {
        project.ok(&[
            "build", "--select", "facts", "--limit", limit, "--trial", "t",
        ]);
        let facts = labels_of(&names_in(&project, "t"), "facts");
        assert_eq!(facts.len(), limit.parse::<usize>().unwrap().min(30));
        assert!(facts.is_superset(&smaller), "{limit}");
        smaller = facts;
    }
    // Nothing was asked twice, and `core` was not asked at all.
    assert_eq!(project.sent(), 30);
    add_note(&project, 31);
    project.ok(&["build", "--select", "facts", "--limit", "5", "--trial", "t"]);
    let after = labels_of(&names_in(&project, "t"), "facts");
    project.ok(&["build", "--select", "facts", "--limit", "5", "--trial", "t"]);
    assert_eq!(labels_of(&names_in(&project, "t"), "facts"), after);
    assert!(project.sent() <= 31);
}

#[test]
fn a_selection_is_built_with_what_it_needs_and_nothing_else() {
    let project = project_of(CHAIN, 20);
    let flags = [
        "--select",
        "facts/clean-00[12]",
        "--select",
        "clean/clean-010",
    ];
    // The unit keys of `clean` are the labels of the notes.
    let run = project.run(&[&["build"], &flags[..]].concat());
    assert_eq!(run.code, 2, "{run:?}");
    assert!(
        run.says("no unit matches \"clean/clean-010\"") && run.says("such as `clean/0"),
        "{run:?}"
    );
    assert_eq!(project.sent(), 0);

    let flags = [
        "--select",
        "facts/clean-00[12]",
        "--select",
        "clean/010",
        "--trial",
        "few",
    ];
    let plan = project.json(&[&["plan"], &flags[..]].concat());
    let clean = crate::plans::layer(&plan, "clean");
    assert_eq!(
        (&clean["units"], &clean["requests"]),
        (&3.into(), &3.into())
    );
    let facts = crate::plans::layer(&plan, "facts");
    assert_eq!(
        (&facts["units_guess"], &facts["units_exact"]),
        (&2.into(), &false.into())
    );
    project.ok(&[&["build"], &flags[..]].concat());
    assert_eq!(project.sent(), 5);
    let names = names_in(&project, "few");
    let expected = [
        "notes/001",
        "notes/002",
        "notes/010",
        "clean/clean-001",
        "clean/clean-002",
        "clean/clean-010",
        "facts/clean-001",
        "facts/clean-002",
    ];
    assert_eq!(names, expected.map(str::to_owned).into());
}

/// Nobody knows the labels of another plugin before it runs, so all its units are made, and only the needed ones shown.
#[test]
fn a_selection_behind_a_plugin_of_somebody_else_is_complete() {
    let layers = CHAIN.replace(
        "transform = \"map\"\ninputs = [\"notes\"]\nconfig.prompt = \"Clean {{ content }}\"\nconfig.label = \"clean-{{ label }}\"",
        "transform = \"./plugins/echo.wasm\"\ninputs = [\"notes\"]\ngrants = []",
    );
    let project = project_of(&layers, 8);
    project.plugin("echo");
    project.ok(&["build", "--select", "facts/003", "--trial", "one"]);
    assert_eq!(project.sent(), 1);
    let expected = ["notes/003", "clean/003", "facts/003"].map(str::to_owned);
    assert_eq!(names_in(&project, "one"), expected.into());
}

#[test]
fn a_group_is_built_from_all_its_inputs_and_a_sample_of_groups_is_drawn() {
    let groups = r#"
[layers.notes]
source = "notes/*.md"

[layers.tens]
transform = "group"
inputs = ["notes"]
config.by_template = "{{ label[:2] }}"

[layers.facts]
transform = "map"
inputs = ["tens"]
config.prompt = "Facts of {{ content }}"
"#;
    let head = FACTS.split("[layers.notes]").next().unwrap();
    let project = project_of(&format!("{head}{groups}"), 45);
    project.ok(&["build", "--select", "facts/01", "--trial", "one"]);
    assert_eq!(project.sent(), 1);
    let names = names_in(&project, "one");
    assert_eq!(labels_of(&names, "tens"), ["01".to_owned()].into());
    assert_eq!(labels_of(&names, "notes").len(), 10);
    project.ok(&["build", "--limit", "2", "--trial", "two"]);
    assert_eq!(labels_of(&names_in(&project, "two"), "tens").len(), 2);
    assert_eq!(labels_of(&names_in(&project, "two"), "facts").len(), 2);
}

/// A layer that also takes the notes themselves sees those of the sample only.
#[test]
fn no_layer_downstream_sees_more_than_the_sample() {
    let layers = FACTS.replace("inputs = [\"facts\"]", "inputs = [\"notes\", \"facts\"]");
    let project = project_of(&layers, 12);
    project.ok(&["build", "--limit", "3", "--trial", "t"]);
    assert_eq!(project.sent(), 4);
    let lineage = project.json(&["lineage", "core/core", "--snapshot", "t"]);
    let nodes = lineage["nodes"].as_array().unwrap();
    let notes = nodes.iter().filter(|node| node["layer"] == "notes");
    assert_eq!(notes.count(), 3, "{lineage}");

    let both = FACTS.replace(
        "[layers.core]\ntransform = \"reduce\"\ninputs = [\"facts\"]\n[layers.core.config]",
        "[layers.core]\ntransform = \"map\"\ninputs = [\"notes\", \"facts\"]\n[layers.core.config]",
    );
    let both = both.replace(
        "prompt = \"Sum up:{% for one in inputs %} {{ one.label }}={{ one.content }}{% endfor %}\"\nlabel = \"core\"",
        "prompt = \"More about {{ content }}\"\nlabel = \"{{ kind }}-{{ label }}\"\nkind = \"x\"",
    );
    let project = project_of(&both, 12);
    let run = project.run(&["build", "--limit", "3", "--trial", "t"]);
    assert!(project.sent() == 9, "{run:?}");
}

#[test]
fn a_name_that_does_not_exist_is_refused_before_anything_is_sent() {
    let project = facts_project(3);
    for (flags, kind, hint) in [
        (
            ["--select", "fatcs"],
            "unknown_layer",
            "did you mean `facts`?",
        ),
        (
            ["--select", "facts/01*"],
            "unknown_unit",
            "did you mean `facts/001`?",
        ),
        (
            ["--select", "facts/0001"],
            "unknown_unit",
            "did you mean `facts/001`?",
        ),
    ] {
        for command in ["plan", "build"] {
            let run = project.run(&[&[command], &flags[..], &["--json"]].concat());
            assert_eq!(run.code, 2, "{run:?}");
            let error = &run.json()["error"];
            assert_eq!(error["kind"], kind);
            assert!(error["hint"].as_str().unwrap().contains(hint), "{error}");
        }
    }
    assert_eq!(project.sent(), 0);
}

/// The units of a layer that its plugin divides are known after its inputs, which may all be fresh at once.
#[test]
fn a_layer_whose_inputs_are_fresh_can_be_selected() {
    let project = facts_project(3);
    project.ok(&["build", "--select", "facts"]);
    for command in ["plan", "build", "plan", "build"] {
        project.ok(&[command, "--select", "core"]);
    }
    assert_eq!(project.sent(), 4);
    let run = project.run(&["plan", "--select", "core/nothing*", "--json"]);
    assert_eq!(run.json()["error"]["kind"], "unknown_unit");
}

/// A plan with the options of a build counts what the build sends.
#[test]
fn a_plan_of_a_trial_counts_what_it_sends() {
    let project = facts_project(9);
    let flags = ["--select", "facts", "--limit", "4"];
    let plan = project.json(&[&["plan"], &flags[..]].concat());
    assert_eq!(exact_requests(&plan), 4);
    let batch = project.json(&[&["batch-build", "plan"], &flags[..]].concat());
    assert_eq!(exact_requests(&batch), 4);
    project.ok(&[&["build"], &flags[..]].concat());
    assert_eq!(project.sent(), 4);
    assert_eq!(
        exact_requests(&project.json(&[&["plan"], &flags[..]].concat())),
        0
    );
}

/// A note that fails does not become an error of a trial that leaves it out.
#[test]
fn a_failure_outside_of_the_sample_is_no_error() {
    let project = facts_project(9);
    let flags = ["--select", "facts", "--limit", "4", "--trial", "t"];
    project.ok(&[&["build"], &flags[..]].concat());
    let sample = labels_of(&names_in(&project, "t"), "facts");
    let mut names = (1..=9).map(|number| format!("{number:03}"));
    let left_out = names.find(|name| !sample.contains(name)).unwrap();
    let fails = |name: &str| {
        use synix_scripted_provider::{Rule, Script};
        let refused = synix_scripted_provider::Reply::Refusal("no".to_owned());
        Script::new().rule(Rule::on(format!("Facts of {name}")).reply(refused))
    };
    let new = [
        &["build", "--set", "models.default.temperature=0.7"],
        &flags[..],
    ]
    .concat();
    project.script(fails(&left_out));
    project.ok(&new);
    project.script(fails(sample.first().unwrap()));
    let run: TestProject = facts_project(9);
    run.script(fails(sample.first().unwrap()));
    assert_eq!(run.run(&[&["build"], &flags[..]].concat()).code, 3);
}

/// A file that no sample takes holds back nothing that follows from the sample. The trial still reports it.
#[test]
fn a_file_outside_the_sample_holds_back_nothing() {
    let layers = FACTS.replace(
        "source = \"notes/*.md\"",
        "source = \"notes/*.json\"\nread = \"rows\"\nconfig.content = \"{{ text }}\"\nconfig.label = \"label\"",
    );
    let project = project_of(&layers, 0);
    for number in 1..=6 {
        project.write(
            &format!("notes/{number}.json"),
            &format!("{{\"label\": \"{number}\", \"text\": \"Note {number}.\"}}"),
        );
    }
    project.write("notes/7.json", "{{");
    let flags = ["--limit", "2", "--trial", "t"];
    let plan = project.json(&[&["plan"], &flags[..]].concat());
    assert_eq!(plan["total"]["requests"], 2);
    project
        .run(&[&["build"], &flags[..]].concat())
        .expect_code(3);
    assert_eq!(project.sent(), 3, "two facts and their summary");
    // The whole needs the file.
    project.run(&["build"]).expect_code(3);
    assert_eq!(project.sent(), 3 + 4);
}

/// What cannot be tried is refused before anything is on record: no state, no failed build, no pin.
#[test]
fn what_cannot_be_tried_leaves_no_build_on_record() {
    let project = facts_project(3);
    project.write("new.md", "New of {{ content }}");
    project.write("empty.md", "");
    let refused: [&[&str]; 13] = [
        &["--select", "fact"],
        &["--select", "facts/none-*"],
        &["--select", "notes/none"],
        &["--select", "facts", "--select", "facts/9*"],
        &["--select", "facts/[a"],
        &["--select", ""],
        &["--limit", "0"],
        &["--limit", "1", "--trial", "a b"],
        &["--prompt-file", "fact=new.md"],
        &["--prompt-file", "facts=empty.md"],
        &["--prompt-file", "notes=new.md"],
        &["--set", "layers.facts.promt=x"],
        &["--set", "layers.fact.revision=x"],
    ];
    let refuse_all = |builds: usize| {
        for flags in refused {
            for command in [&["build"][..], &["try"], &BATCH_BUILD] {
                let run = project.run(&[command, flags].concat());
                assert_eq!(run.code, 2, "{command:?} {flags:?}: {run:?}");
            }
        }
        let known = project.json(&["builds"]);
        let known = known["builds"].as_array().map_or(0, Vec::len);
        assert_eq!(known, builds);
    };
    refuse_all(0);
    assert!(!project.path(".synix").exists());
    // A plugin of a trial that selects nothing is not pinned, either.
    project.plugin("echo");
    let echo = "layers.facts.transform=./plugins/echo.wasm";
    let flags = [
        "--set",
        echo,
        "--set",
        "layers.facts.config={}",
        "--set",
        "layers.facts.grants=[]",
    ];
    project
        .run(&[&["build", "--select", "fact"], &flags[..]].concat())
        .expect_code(2);
    assert!(!project.path("synix.lock").exists());

    project.ok(&["build", "--limit", "1"]);
    let sent = project.sent();
    refuse_all(1);
    assert_eq!(project.sent(), sent);
}

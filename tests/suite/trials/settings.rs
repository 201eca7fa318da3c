//! Settings and prompts of one run.

use serde_json::Value;

use crate::support::test_project::{TestProject, text};
use crate::trials::{FACTS, exact_requests, facts_project};

#[test]
fn a_setting_changes_one_run_and_not_the_file() {
    let project = facts_project(3);
    project.ok(&["build"]);
    assert_eq!(project.sent(), 4);
    let set = [
        "--set",
        "layers.core.config.prompt=\"Shorter: {{ inputs[0].content }}\"",
    ];
    assert_eq!(
        exact_requests(&project.json(&[&["plan"], &set[..]].concat())),
        1
    );
    project.ok(&[&["build", "--trial", "t"], &set[..]].concat());
    assert_eq!(project.sent(), 5);
    // The pipeline itself is as it was.
    assert_eq!(exact_requests(&project.json(&["plan"])), 0);
    let main = project.content("core");
    let tried = project.json(&["show", "core", "--snapshot", "t"]);
    assert_ne!(main, text(&tried["content"]));
}

#[test]
fn a_prompt_file_is_the_prompt_of_one_run() {
    for layers in [
        FACTS.to_owned(),
        FACTS.replace(
            "prompt = \"Facts of {{ label }}: {{ content }}\"",
            "prompt_file = \"prompts/facts.md\"",
        ),
    ] {
        let project = crate::trials::project_of(&layers, 2);
        project.write("prompts/facts.md", "Old of {{ label }}");
        project.write("new.md", "New of {{ label }}: {{ content }}");
        let run = project.ok(&[
            "build",
            "--prompt-file",
            "facts=new.md",
            "--select",
            "facts",
            "--trial",
            "t",
        ]);
        assert_eq!(project.sent(), 2, "{run:?}");
        let tried = project.json(&["show", "facts/001", "--snapshot", "t"]);
        assert!(text(&tried["content"]).contains("New of 001"), "{tried}");
        // The text of a setting is the same prompt.
        let set = "layers.facts.config.prompt=New of {{ label }}: {{ content }}";
        project.ok(&["build", "--set", set, "--select", "facts"]);
        assert_eq!(project.sent(), 2);
    }
}

#[test]
fn an_error_names_the_key_and_the_nearest_one() {
    let project = facts_project(1);
    let error = |flag: &str, value: &str| -> (i32, Value) {
        let run = project.run(&["build", flag, value, "--json"]);
        (run.code, run.json()["error"].clone())
    };
    for (flag, value, kind, message) in [
        (
            "--set",
            "models.default.temprature=1",
            "pipeline",
            "did you mean `temperature`?",
        ),
        (
            "--set",
            "models.defualt.temperature=1",
            "pipeline",
            "did you mean `default`?",
        ),
        (
            "--set",
            "models.default.temperature=hot",
            "pipeline",
            "must be a number, not a text",
        ),
        (
            "--set",
            "layers.facts.config.promt=x",
            "pipeline",
            "unknown key `promt` in [layers.facts.config]",
        ),
        (
            "--set",
            "layers.facts.inputs=[\"x\"]",
            "pipeline",
            "unknown input `x`",
        ),
        (
            "--prompt-file",
            "fact=synix.toml",
            "pipeline",
            "did you mean `facts`?",
        ),
        ("--prompt-file", "facts", "usage", "write LAYER=PATH"),
        ("--prompt-file", "facts=no.md", "file", "no.md"),
    ] {
        let (code, error) = error(flag, value);
        assert_eq!((&error["kind"], code != 0), (&kind.into(), true), "{error}");
        assert!(
            text(&error["message"]).contains(message),
            "{value}: {error}"
        );
        if kind == "pipeline" {
            assert!(
                text(&error["message"]).contains("on the command line"),
                "{error}"
            );
            assert_eq!(code, 2);
        }
    }
    assert_eq!(project.sent(), 0);
}

/// What the file would need your permission for, a setting needs it for as well. A trial runs no command at its end.
#[test]
fn a_setting_needs_the_permissions_that_the_file_would_need() {
    let project = facts_project(2);
    let set = [
        "build",
        "--limit",
        "1",
        "--set",
        "pipeline.on_done=touch done",
    ];
    let run = project.run(&set);
    assert_eq!(run.code, 5, "{run:?}");
    assert_eq!(project.sent(), 0);
    let server = "providers.openai.base_url=https://models.example/v1";
    let mut other = project.command(&["build", "--limit", "1", "--set", server]);
    other.env("OPENAI_API_KEY", "sk-secret");
    let run = other.run();
    assert_eq!(run.code, 5, "{run:?}");
    assert_eq!(project.sent(), 0);
    project.ok(&[&set[..], &["--trust"]].concat());
    assert!(!project.path("done").exists());
}

#[test]
fn the_options_of_trials_need_something_to_try() {
    let project = facts_project(1);
    let run = project.run(&["build", "--trial", "x"]);
    assert_eq!(run.code, 2, "{run:?}");
    for name in ["snapshot-1", "build-2", "7", "@-1", "a b", ""] {
        let run = project.run(&["build", "--limit", "1", "--trial", name]);
        assert_eq!(run.code, 2, "{name}: {run:?}");
    }
    assert_eq!(project.sent(), 0);
}

/// A trial of another plugin pins it, and unpins nothing.
#[test]
fn a_trial_of_another_plugin_keeps_the_pins_of_the_file() {
    let layers = FACTS.replace(
        "transform = \"map\"",
        "transform = \"./plugins/refactored_map.wasm\"",
    );
    let layers = layers.replace("Facts of {{ label }}: ", "");
    let project = TestProject::with_layers(&layers);
    crate::trials::add_note(&project, 1);
    project.plugin("refactored_map");
    project.plugin("echo");
    project.ok(&["build"]);
    let pins = std::fs::read_to_string(project.path("synix.lock")).unwrap();
    assert!(pins.contains("refactored_map"));
    let set = [
        "build",
        "--set",
        "layers.facts.transform=./plugins/echo.wasm",
        "--set",
        "layers.facts.config={}",
        "--set",
        "layers.facts.grants=[]",
    ];
    project.ok(&set);
    let both = std::fs::read_to_string(project.path("synix.lock")).unwrap();
    assert!(
        both.contains("refactored_map") && both.contains("echo"),
        "{both}"
    );
    project.ok(&["build"]);
    assert_eq!(
        std::fs::read_to_string(project.path("synix.lock")).unwrap(),
        pins
    );
}

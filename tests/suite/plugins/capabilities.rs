//! Declared and granted capabilities, token limits, and the files that a plugin can read.

use crate::support::pipelines::{BATCH_BUILD, guest_layers};
use crate::support::test_project::TestProject;
use crate::support::transcript::assert_transcript;

fn map_layer(keys: &str) -> TestProject {
    let project = TestProject::with_layers("");
    project.write("texts/a.md", "one");
    project.pipeline(
        "synix.toml",
        &format!(
            r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"

[layers.texts]
source = "texts/*.md"

[layers.made]
transform = "map"
inputs = ["texts"]
{keys}
"#
        ),
    );
    project
}

const PROMPT: &str = "[layers.made.config]\nprompt = \"Say: {{ content }}\"";

#[test]
fn a_layer_with_a_model_role_grants_llm_by_default() {
    map_layer(PROMPT).ok(&["build"]);
    map_layer(&format!("grants = [\"llm\"]\n{PROMPT}")).ok(&["build"]);
    for command in [&["build"][..], &BATCH_BUILD, &["plan"]] {
        let project = map_layer(&format!("grants = []\n{PROMPT}"));
        let run = project.run(command).expect_code(2);
        assert!(
            run.says("layer `made` declares the capability `llm`, which the layer does not grant")
                && run.says("grants = [\"llm\"]"),
            "{run:?}"
        );
        assert_eq!(project.sent(), 0);
    }
}

#[test]
fn an_unknown_capability_is_reported_with_its_key() {
    let run = map_layer(&format!("grants = [\"disk\"]\n{PROMPT}")).run(&["build"]);
    assert!(
        run.code == 2 && run.says("`layers.made.grants.0` must be \"llm\""),
        "{run:?}"
    );
}

#[test]
fn a_grant_without_a_declared_capability_has_no_effect() {
    let project = TestProject::guest("undeclared_llm", &[("only", "x")]);
    let layers = guest_layers("undeclared_llm").replace("batch = true\n", "grants = [\"llm\"]\n");
    project.pipeline("synix.toml", &layers);
    let run = project.run(&["build"]).expect_code(3);
    assert_transcript!(run);
    assert_eq!(project.sent(), 0);
}

/// In every mode, the second request of each unit is refused before it is sent.
#[test]
fn the_requests_of_a_unit_stay_within_its_token_limit() {
    for command in [&["build"][..], &BATCH_BUILD] {
        let project = TestProject::guest("two_steps", &[("a", "one"), ("b", "two")]);
        let layers = guest_layers("two_steps");
        project.pipeline(
            "synix.toml",
            &format!("{layers}[layers.made.limits]\ntokens = 2\n"),
        );
        let run = project.run(command).expect_code(3);
        assert!(run.says("over the limit: 2 tokens in one unit"), "{run:?}");
        assert_eq!(project.sent(), 2);
    }
}

#[test]
fn the_token_limit_is_part_of_the_fingerprint() {
    let project = map_layer(PROMPT);
    project.ok(&["build"]);
    project.pipeline("synix.toml", &{
        let text = std::fs::read_to_string(project.path("synix.toml")).unwrap();
        let layers = text.split_once("[models.default]").unwrap().1;
        format!("[models.default]{layers}[layers.made.limits]\ntokens = 100000\n")
    });
    let plan = project.json(&["plan"]);
    assert_eq!(plan["layers"][1]["stale"], 1, "{plan}");
    assert_eq!(plan["layers"][1]["requests"], 0, "{plan}");
}

/// The schema declares `system` as plain text, so synix does not read the file of that name.
#[test]
fn a_plugin_gets_only_the_files_that_its_config_names() {
    let project = map_layer(
        "[layers.made.config]\nprompt_file = \"prompts/a.md\"\nsystem = \"prompts/b.md\"",
    );
    project.write("prompts/a.md", "The prompt for {{ content }}");
    project.write("prompts/b.md", "A secret");
    project.ok(&["build"]);
    let sent: String = project
        .database()
        .query_row("SELECT document FROM request_body", [], |row| row.get(0))
        .unwrap();
    assert!(
        sent.contains("The prompt for one") && sent.contains("prompts/b.md"),
        "{sent}"
    );
    assert!(!sent.contains("A secret"), "{sent}");
    for outside in ["../outside.md", "/etc/hostname"] {
        let project = map_layer(&format!(
            "[layers.made.config]\nprompt_file = \"{outside}\""
        ));
        project.write("../outside.md", "A secret");
        let run = project.run(&["build"]);
        assert!(run.code != 0 && !run.says("A secret"), "{run:?}");
        assert_eq!(project.sent(), 0);
    }
}

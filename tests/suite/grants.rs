//! Capabilities are declared and granted, limits of a layer hold, and a plugin reads what its config names.

use crate::transcript::assert_transcript;
use crate::workbench::{BATCH, Workbench, guest_layers};

fn map_layer(keys: &str) -> Workbench {
    let bench = Workbench::with_layers("");
    bench.write("texts/a.md", "one");
    bench.pipeline(
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
    bench
}

const PROMPT: &str = "[layers.made.config]\nprompt = \"Say: {{ content }}\"";

#[test]
fn a_layer_with_a_model_role_grants_llm_unless_it_says_otherwise() {
    map_layer(PROMPT).ok(&["build"]);
    map_layer(&format!("grants = [\"llm\"]\n{PROMPT}")).ok(&["build"]);
    for command in [&["build"][..], &BATCH, &["plan"]] {
        let bench = map_layer(&format!("grants = []\n{PROMPT}"));
        let run = bench.run(command).expect_code(2);
        assert!(
            run.says("layer `made` declares the capability `llm`, which the layer does not grant")
                && run.says("grants = [\"llm\"]"),
            "{run:?}"
        );
        assert_eq!(bench.sent(), 0);
    }
}

#[test]
fn an_unknown_capability_is_an_error_where_it_stands() {
    let run = map_layer(&format!("grants = [\"disk\"]\n{PROMPT}")).run(&["build"]);
    assert!(
        run.code == 2 && run.says("`layers.made.grants.0` must be \"llm\""),
        "{run:?}"
    );
}

#[test]
fn a_grant_that_the_plugin_does_not_declare_gives_it_nothing() {
    let bench = Workbench::guest("undeclared_llm", &[("only", "x")]);
    let layers = guest_layers("undeclared_llm").replace("batch = true\n", "grants = [\"llm\"]\n");
    bench.pipeline("synix.toml", &layers);
    let run = bench.run(&["build"]).expect_code(3);
    assert_transcript!(run);
    assert_eq!(bench.sent(), 0);
}

/// The second question of each unit is refused, in every mode before it is sent.
#[test]
fn a_unit_asks_no_more_than_its_tokens_allow() {
    for command in [&["build"][..], &BATCH] {
        let bench = Workbench::guest("two_steps", &[("a", "one"), ("b", "two")]);
        let layers = guest_layers("two_steps");
        bench.pipeline(
            "synix.toml",
            &format!("{layers}[layers.made.limits]\ntokens = 2\n"),
        );
        let run = bench.run(command).expect_code(3);
        assert!(run.says("over the limit: 2 tokens in one unit"), "{run:?}");
        assert_eq!(bench.sent(), 2);
    }
}

#[test]
fn the_limit_of_tokens_is_part_of_a_unit_s_fingerprint() {
    let bench = map_layer(PROMPT);
    bench.ok(&["build"]);
    bench.pipeline("synix.toml", &{
        let text = std::fs::read_to_string(bench.path("synix.toml")).unwrap();
        let layers = text.split_once("[models.default]").unwrap().1;
        format!("[models.default]{layers}[layers.made.limits]\ntokens = 100000\n")
    });
    let plan = bench.json(&["plan"]);
    assert_eq!(plan["layers"][1]["stale"], 1, "{plan}");
    assert_eq!(plan["layers"][1]["requests"], 0, "{plan}");
}

/// The path stands in a value that is a plain text for the schema, so nobody reads it.
#[test]
fn a_plugin_gets_the_files_that_its_config_names_and_no_others() {
    let bench = map_layer(
        "[layers.made.config]\nprompt_file = \"prompts/a.md\"\nsystem = \"prompts/b.md\"",
    );
    bench.write("prompts/a.md", "The prompt for {{ content }}");
    bench.write("prompts/b.md", "A secret");
    bench.ok(&["build"]);
    let sent: String = bench
        .database()
        .query_row("SELECT document FROM request_body", [], |row| row.get(0))
        .unwrap();
    assert!(
        sent.contains("The prompt for one") && sent.contains("prompts/b.md"),
        "{sent}"
    );
    assert!(!sent.contains("A secret"), "{sent}");
    for outside in ["../outside.md", "/etc/hostname"] {
        let bench = map_layer(&format!(
            "[layers.made.config]\nprompt_file = \"{outside}\""
        ));
        bench.write("../outside.md", "A secret");
        let run = bench.run(&["build"]);
        assert!(run.code != 0 && !run.says("A secret"), "{run:?}");
        assert_eq!(bench.sent(), 0);
    }
}

//! What a plugin may request and what a project may use of the machine beyond the defaults: the error names the setting
//! that allows it.

use std::fs;

use crate::support::pipelines::guest_layers;
use crate::support::test_project::TestProject;

/// The transform `map` as a plugin of a third party.
fn third_party_map(options: &str, layer: &str) -> TestProject {
    let project = TestProject::with_layers(&format!(
        r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"

[layers.texts]
source = "texts/*.md"

[layers.made]
transform = "./plugins/map.wasm"
inputs = ["texts"]
{layer}
[layers.made.config]
prompt = "Say: {{{{ content }}}}"
options = {options}
"#
    ));
    project.plugin("map");
    project.write("texts/one.md", "One.");
    project
}

/// W15: other options need `options_allowed` in the layer.
#[test]
fn a_plugin_may_only_set_sampling_options_by_default() {
    for forbidden in [
        r#"{ tools = [{ type = "web_search" }] }"#,
        r#"{ service_tier = "flex", seed = 1 }"#,
        r#"{ models = ["another"] }"#,
    ] {
        let project = third_party_map(forbidden, "");
        let run = project.run(&["build"]).expect_code(3);
        assert!(
            run.says("options_allowed = [") && run.says("to [layers.made]"),
            "{forbidden}: {run:?}"
        );
        assert_eq!(project.sent(), 0, "{forbidden}");
    }
    let permitted = third_party_map("{ seed = 1, top_p = 0.5 }", "");
    permitted.run(&["build"]).expect_code(0);
    let allowed = third_party_map(
        r#"{ service_tier = "flex" }"#,
        r#"options_allowed = ["service_tier"]"#,
    );
    allowed.run(&["build"]).expect_code(0);
    assert_eq!((permitted.sent(), allowed.sent()), (1, 1));
}

/// A refused unit is made once the layer allows the option that it requests.
#[test]
fn allowing_an_option_makes_the_layers_units_stale() {
    let project = third_party_map(r#"{ service_tier = "flex" }"#, "");
    project.run(&["build"]).expect_code(3);
    let file = fs::read_to_string(project.path("synix.toml")).unwrap();
    let inputs = "inputs = [\"texts\"]\n";
    let allowed = format!("{inputs}options_allowed = [\"service_tier\"]\n");
    project.write("synix.toml", &file.replace(inputs, &allowed));
    project.run(&["build"]).expect_code(0);
    assert_eq!(project.sent(), 1);
}

/// W17: the user decides how long a project may keep this machine busy.
#[test]
fn limits_above_the_users_maximum_are_refused_with_the_variable_to_set() {
    for (limit, variable) in [
        ("wall_s = 86400", "SYNIX_MAX_WALL"),
        ("fuel = 9007199254740991", "SYNIX_MAX_FUEL"),
        ("memory_mb = 1025", "SYNIX_MAX_MEMORY"),
        ("output_mb = 1025", "SYNIX_MAX_MEMORY"),
    ] {
        let layers = format!("{}[layers.made.limits]\n{limit}\n", guest_layers("echo"));
        let project = TestProject::guest("echo", &[("one", "a")]);
        project.pipeline("synix.toml", &layers);
        for command in [&["plan"][..], &["build"]] {
            let run = project.run(command).expect_code(2);
            assert!(
                run.says(variable) && run.says("[layers.made.limits]"),
                "{run:?}"
            );
        }
        let mut raised = project.command(&["build"]);
        raised.env(variable, "9007199254740991");
        let run = raised.run();
        assert_eq!(run.code, 0, "{run:?}");
    }
}

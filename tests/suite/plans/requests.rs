//! How many requests a plan counts, and when it is exact.

use serde_json::Value;
use synix_scripted_provider::{Reply, Rule, Script};

use crate::plans::{layer, table_line, with_notes};
use crate::support::costs::{billed, picodollars};
use crate::support::test_project::{TestProject, text};

const STORY: &str = "[layers.story]\ntransform = \"fold\"\ninputs = [\"notes\"]\n\
    config.prompt = \"{{ so_far }}+{{ content }}\"\nconfig.label = \"story\"\n";

/// U2: a fold sends one request after the other, and only the first is known.
#[test]
fn a_unit_that_may_send_more_requests_is_not_exact() {
    let project = with_notes(STORY, 60);
    let plan = project.json(&["plan"]);
    let story = layer(&plan, "story");
    assert_eq!(
        (&story["requests"], &story["exact"]),
        (&1.into(), &false.into())
    );
    assert_eq!(story["requests_max"], 60);
    assert_eq!(story["cost_usd_max"], Value::Null);
    assert_eq!(story["output_tokens_max"], Value::Null);
    assert_eq!(plan["total"]["exact"], false);
    let line = table_line(&project, "story");
    assert!(line.contains(" 1+ ") && line.ends_with('+'), "{line}");
    assert!(
        !line.contains("up to") && !line.contains("0.0000+"),
        "{line}"
    );
    assert!(project.ok(&["plan"]).says("story: at most 60 requests"));

    project.ok(&["build"]);
    assert_eq!(project.sent(), 60);
    assert!(picodollars(&story["cost_usd"]) <= billed(&project.ledger()));
    assert!(picodollars(&story["cost_usd"]) > 0);
}

/// U2: a plugin does not declare how many requests it sends, even if it only sends one.
#[test]
fn a_plan_knows_only_the_first_requests_of_a_plugin() {
    let texts = [("a", "one"), ("b", "two"), ("c", "three")];
    for guest in ["two_steps", "moody"] {
        let project = TestProject::guest(guest, &texts);
        let plan = project.json(&["plan"]);
        let made = layer(&plan, "made");
        assert_eq!(
            (&made["requests"], &made["exact"]),
            (&3.into(), &false.into())
        );
        assert_eq!(made["requests_max"], Value::Null);
    }
}

/// U2: the host enforces the limit, whoever wrote the plugin.
#[test]
fn a_request_limit_makes_a_plan_exact() {
    let project = TestProject::guest("two_steps", &[("a", "one"), ("b", "two")]);
    let plan_with = |requests: u32| {
        let layers = crate::support::pipelines::guest_layers("two_steps");
        let limits = format!("[layers.made.limits]\nrequests = {requests}\n");
        project.pipeline("synix.toml", &format!("{layers}{limits}"));
        let plan = project.json(&["plan"]);
        let made = layer(&plan, "made");
        (made["exact"].clone(), made["requests_max"].clone())
    };
    assert_eq!(plan_with(1), (true.into(), 2.into()));
    assert_eq!(plan_with(2), (false.into(), 4.into()));
}

/// synix knows how many requests its own transforms send.
#[test]
fn first_party_transforms_send_as_many_requests_as_planned() {
    let ask = "config.prompt = \"About {{ label }} {{ content }}?\"\n";
    for (transform, config, max_requests) in [
        ("map", ask.to_owned(), 5),
        ("map", format!("{ask}config.response_format = {{ type = \"string\" }}\n"), 5),
        ("reduce", "config.prompt = \"All?\"\nconfig.label = \"all\"\n".to_owned(), 1),
        ("fold", "config.prompt = \"{{ so_far }}{{ content }}\"\nconfig.label = \"all\"\n".to_owned(), 5),
        ("group", "config.prompt = \"All of {{ group }}?\"\nconfig.by_template = \"{{ label | length }}\"\n".to_owned(), 1),
        ("group", "config.by_template = \"{{ label }}\"\n".to_owned(), 0),
        ("chunk", String::new(), 0),
        ("merge", String::new(), 0),
    ] {
        let layers = format!("[layers.made]\ntransform = \"{transform}\"\ninputs = [\"notes\"]\n{config}");
        let project = with_notes(&layers, 5);
        project.script(Script::new().rule(Rule::on("").reply(Reply::Text("\"an answer\"".to_owned()))));
        let plan = project.json(&["plan"]);
        let made = layer(&plan, "made");
        assert_eq!(made["requests_max"], max_requests, "{transform}: {made}");
        assert_eq!(made["exact"], made["requests"] == max_requests, "{transform}: {made}");
        project.ok(&["build"]);
        assert_eq!(project.sent(), max_requests, "{transform}");
    }
}

/// U2: what depends on unknown answers is unknown, not zero.
#[test]
fn a_layer_downstream_of_unknown_answers_shows_question_marks() {
    let project = TestProject::team();
    let plan = project.json(&["plan"]);
    let summary = layer(&plan, "summary");
    assert_eq!(
        (&summary["units"], &summary["units_exact"]),
        (&1.into(), &true.into())
    );
    assert_eq!(
        (&summary["requests"], &summary["requests_max"]),
        (&0.into(), &1.into())
    );
    for unknown in [
        "cost_usd",
        "cost_usd_min",
        "cost_usd_max",
        "input_tokens",
        "output_tokens_max",
    ] {
        assert_eq!(summary[unknown], Value::Null, "{unknown}");
    }
    let line = table_line(&project, "summary");
    assert!(line.contains('?') && !line.contains('$'), "{line}");
    assert!(!project.ok(&["plan"]).says("$0.0000+"));
}

/// A guessed number of units is marked. If nothing suggests a number, there is none.
#[test]
fn a_guess_is_labelled() {
    let project = with_notes(
        "[layers.first]\ntransform = \"map\"\ninputs = [\"notes\"]\nconfig.prompt = \"1 {{ content }}\"\n\
         [layers.second]\ntransform = \"map\"\ninputs = [\"first\"]\nconfig.prompt = \"2 {{ content }}\"\n\
         [layers.groups]\ntransform = \"group\"\ninputs = [\"second\"]\nconfig.by_template = \"{{ label | length }}\"\n",
        3,
    );
    let plan = project.json(&["plan"]);
    let second = layer(&plan, "second");
    assert_eq!(
        (&second["units"], &second["units_exact"]),
        (&0.into(), &false.into())
    );
    assert_eq!(
        (&second["units_guess"], &second["stale_guess"]),
        (&3.into(), &3.into())
    );
    assert!(
        second["stale_units"]
            .as_array()
            .unwrap()
            .iter()
            .all(|unit| unit["guess"] == true)
    );
    let groups = layer(&plan, "groups");
    assert_eq!(
        (&groups["units"], &groups["units_guess"]),
        (&0.into(), &Value::Null)
    );
    // This layer sends nothing, so its mode and its cost are known.
    assert_eq!(
        (text(&groups["mode"]), &groups["exact"]),
        ("none".to_owned(), &true.into())
    );
    assert!(table_line(&project, "second").contains("~3"));
    assert!(table_line(&project, "groups").contains('?'));
    assert!(project.ok(&["plan"]).says("a guess"));

    project.ok(&["build"]);
    project.write("notes/02.md", "Another note.");
    let plan = project.json(&["plan"]);
    assert_eq!(layer(&plan, "groups")["units_guess"], 1);
    let second = layer(&plan, "second");
    assert_eq!(
        (&second["units"], &second["units_guess"]),
        (&2.into(), &3.into())
    );
    assert_eq!(
        (&second["stale"], &second["stale_guess"]),
        (&0.into(), &1.into())
    );
}

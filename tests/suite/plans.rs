//! The numbers of `plan` are exact, a minimum, or marked as a guess (U2).

use serde_json::Value;
use synix_scripted_provider::{Reply, Rule, Script};

use crate::money::{billed, picodollars};
use crate::test_project::{BATCH_BUILD, TEAM, TestProject, text};
use crate::transcript::assert_transcript;

const MODEL: &str = "[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\nmax_tokens = 100\n\
                     [layers.notes]\nsource = \"notes/*.md\"\n";

fn with_notes(layers: &str, notes: u32) -> TestProject {
    let project = TestProject::with_layers(&format!("{MODEL}{layers}"));
    for number in 1..=notes {
        project.write(&format!("notes/{number:02}.md"), &format!("Note {number}."));
    }
    project
}

fn layer<'p>(plan: &'p Value, name: &str) -> &'p Value {
    let layers = plan["layers"].as_array().unwrap();
    layers.iter().find(|layer| layer["name"] == name).unwrap()
}

/// Returns the line of a layer in the table.
fn table_line(project: &TestProject, name: &str) -> String {
    let shown = project.ok(&["plan"]).stdout;
    let found = shown.lines().find(|line| line.starts_with(name));
    found.unwrap_or_else(|| panic!("{shown}")).to_owned()
}

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
        let layers = crate::test_project::guest_layers("two_steps");
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

/// The last line is the sum of the others.
#[test]
fn a_plan_ends_with_a_total() {
    let project = TestProject::team();
    let plan = project.json(&["plan"]);
    let total = &plan["total"];
    assert_eq!((&total["units"], &total["stale"]), (&7.into(), &7.into()));
    assert_eq!(
        (&total["requests"], &total["requests_max"]),
        (&3.into(), &4.into())
    );
    assert_eq!(total["exact"], false);
    let styles = layer(&plan, "styles");
    assert_eq!(total["cost_usd"], styles["cost_usd_min"]);
    assert_eq!(total["cost_usd_known"], styles["cost_usd"]);
    assert_eq!(total["cost_usd_max"], Value::Null);
    assert!(table_line(&project, "total").ends_with('+'));

    // Without the downstream layer, the bound covers everything.
    let (rest, _) = TEAM.split_once("[layers.summary]").unwrap();
    project.pipeline("synix.toml", rest);
    let plan = project.json(&["plan"]);
    assert_eq!(plan["total"]["exact"], true);
    assert_eq!(
        plan["total"]["cost_usd_max"],
        layer(&plan, "styles")["cost_usd"]
    );
    assert!(table_line(&project, "total").contains("up to $"));
    project.ok(&["build"]);
    assert!(billed(&project.ledger()) <= picodollars(&plan["total"]["cost_usd_max"]));
    // Nothing is stale, and nothing that might be sent is shown.
    assert!(table_line(&project, "styles").contains("none"));
    assert!(table_line(&project, "total").ends_with('-'));
}

/// Such layers cost nothing.
#[test]
fn a_plan_reports_stored_answers() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.ok(&["clean"]);
    let plan = project.json(&["plan"]);
    let styles = layer(&plan, "styles");
    assert_eq!(
        (&styles["stale"], &styles["answered"]),
        (&3.into(), &3.into())
    );
    assert_eq!(
        (&styles["requests"], text(&styles["mode"])),
        (&0.into(), "none".to_owned())
    );
    assert_eq!(picodollars(&plan["total"]["cost_usd"]), 0);
    assert!(
        project
            .ok(&["plan"])
            .says("all answers are stored, so these layers send nothing: styles, summary")
    );
}

#[test]
fn a_plan_counts_requests_in_flight_separately() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let plan = project.json(&["batch-build", "plan"]);
    let styles = layer(&plan, "styles");
    assert_eq!(
        (&styles["requests"], &styles["in_flight"]),
        (&0.into(), &3.into())
    );
    assert!(
        project
            .ok(&["plan"])
            .says("3 requests are already in flight")
    );
}

/// The keys are reported once for all units, instead of whole configs for each.
#[test]
fn a_change_is_reported_once_with_its_keys() {
    let map = |config: &str| {
        format!("[layers.made]\ntransform = \"map\"\ninputs = [\"notes\"]\n{config}")
    };
    let project = with_notes(
        &map(
            "config.prompt = \"Sum up {{ content }}\"\nconfig.kind = \"note\"\nconfig.response_format = { type = \"object\", properties = { a = { enum = [1] } } }\n",
        ),
        30,
    );
    project.script(Script::new().rule(Rule::on("").reply(Reply::Text("{}".to_owned()))));
    project.ok(&["build"]);
    project.write("prompts/p.md", "Sum up {{ content }}, please");
    let change = map(
        "config.prompt_file = \"prompts/p.md\"\nconfig.kind = \"sum\"\nconfig.response_format = { type = \"object\", properties = { a = { enum = [2] } } }\n",
    );
    let model = MODEL.replace("gpt-4o-mini", "gpt-4.1-nano");
    project.pipeline("synix.toml", &format!("{model}{change}"));
    let shown = project.ok(&["plan"]);
    let expected = "30 units: kind changed (note -> sum), prompt added, prompt_file";
    let expected = expected.replace(
        "prompt added, prompt_file",
        "prompt removed, prompt_file added",
    );
    assert!(
        shown.says(&format!(
            "{expected}, response_format.properties.a.enum changed, model changed (gpt-4o-mini -> gpt-4.1-nano) (01, 02, 03 and 27 more)"
        )),
        "{}",
        shown.stdout
    );
    let plan = project.json(&["plan"]);
    let reasons = &layer(&plan, "made")["stale_units"][0]["reasons"];
    assert_eq!(reasons[0]["reason"], "config");
    assert_eq!(reasons[0]["changes"][1]["key"], "prompt");
    assert_eq!(reasons[0]["changes"][1]["change"], "removed");
    assert_eq!(reasons[1]["reason"], "model");
}

#[test]
fn a_pipeline_mismatch_names_the_changes() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let changed = TEAM
        .replace("max_tokens = 200", "max_tokens = 250")
        .replace("label = \"ws-{{ label }}\"\n", "");
    project.pipeline("synix.toml", &changed);
    let run = project
        .run(&["batch-build", "resume", "--latest"])
        .expect_code(5);
    assert_transcript!(run);
    assert!(!run.says("{\""), "{run:?}");
}

#[test]
fn a_group_is_not_stale_because_of_the_inputs_of_another_group() {
    let project = with_notes(
        "[layers.tagged]\ntransform = \"map\"\ninputs = [\"notes\"]\nconfig.prompt = \"Tag {{ content }}\"\n\
         [layers.months]\ntransform = \"group\"\ninputs = [\"tagged\"]\nconfig.by = \"month\"\n",
        0,
    );
    let note = |day: &str, text: &str| {
        let month = &day[..7];
        project.write(
            &format!("notes/{day}.md"),
            &format!("---\nmonth: {month}\n---\n{text}\n"),
        );
    };
    for day in ["2025-01-03", "2025-01-09", "2025-02-01"] {
        note(day, "Something.");
        // Texts with only the month would be one request.
        note(day, &format!("Something on {day}."));
    }
    project.ok(&["build"]);
    note("2025-01-09", "Something else.");
    let plan = project.json(&["plan"]);
    let months = layer(&plan, "months");
    let stale = months["stale_units"].as_array().unwrap();
    assert_eq!(stale.len(), 1, "{months}");
    assert_eq!(text(&stale[0]["unit"]), "2025-01");
    assert_eq!(text(&stale[0]["reasons"][0]["input"]), "tagged/2025-01-09");
    assert_eq!(months["stale_guess"], 1);
    let shown = project.ok(&["plan"]);
    assert!(
        shown.says("2025-01: likely, input tagged/2025-01-09 is stale"),
        "{}",
        shown.stdout
    );
    assert!(!shown.says("2025-02:"), "{}", shown.stdout);
}

/// At most 100 lines of each list are printed.
#[test]
fn long_lists_are_shortened_in_text_and_complete_in_json() {
    let project = with_notes(
        "[layers.made]\ntransform = \"map\"\ninputs = [\"notes\"]\nconfig.prompt = \"{{ content }}\"\nconfig.label = \"{{ metadata.missing }}\"\n",
        150,
    );
    let shown = project.ok(&["plan"]).stdout;
    assert!(shown.lines().count() < 130, "{shown}");
    assert!(
        shown.contains("more lines; pass --json to see all"),
        "{shown}"
    );
    let plan = project.json(&["plan"]);
    assert_eq!(
        layer(&plan, "made")["failures"].as_array().unwrap().len(),
        150
    );
}

/// A batch is planned at the batch price.
#[test]
fn a_batch_plan_has_a_total_too() {
    let project = TestProject::team();
    let plan = project.json(&["batch-build", "plan"]);
    assert_eq!(text(&layer(&plan, "styles")["mode"]), "batch");
    assert_eq!(
        plan["total"]["cost_usd_known"],
        layer(&plan, "styles")["cost_usd"]
    );
    project.ok(&BATCH_BUILD);
    let after = project.json(&["batch-build", "plan"]);
    assert_eq!(text(&layer(&after, "styles")["mode"]), "none");
    assert_eq!(
        (&after["total"]["stale"], &after["total"]["exact"]),
        (&0.into(), &true.into())
    );
}

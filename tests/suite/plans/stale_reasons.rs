//! Why units are stale, as a plan reports it.

use synix_scripted_provider::{Reply, Rule, Script};

use crate::plans::{MODEL, layer, with_notes};
use crate::support::pipelines::TEAM;
use crate::support::test_project::{TestProject, text};
use crate::support::transcript::assert_transcript;

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

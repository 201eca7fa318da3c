//! Units of several questions whose answers are repaired.

use super::*;

const STORY: &str = notes_pipeline!(
    r#"[layers.story]
transform = "fold"
inputs = ["notes"]
[layers.story.config]
prompt = "Step {{ label }} after {{ so_far }}."
label = "story"
[layers.story.config.response_format]
type = "array"
items = { type = "string" }
"#
);

/// A unit of many rounds waits in memory for its answers, and its transcript is compared when it does not.
#[test]
fn each_step_of_a_fold_can_be_repaired() {
    let contents: BTreeSet<String> = MODES
        .map(|mode| {
            let project = TestProject::with_layers(STORY);
            for number in 0..8 {
                project.write(&format!("notes/n{number}.md"), "x");
            }
            let mut script = Script::new();
            for number in 0..8 {
                let answer = if number % 3 == 1 {
                    format!("{{\"wrong\": \"n{number}\"}}")
                } else {
                    format!("[\"n{number}\"]")
                };
                script = script.rule(Rule::on(format!("Step n{number} ")).text(answer));
            }
            project.script(script.rule(Rule::on(REPAIR).text("[\"repaired\"]")));
            project.build_in(mode).expect_code(0);
            // Steps 1, 4 and 7 take two requests.
            assert_eq!(
                (project.sent(), project.ledger().duplicates().len()),
                (11, 0)
            );
            let shown = project.json(&["show", "story"]);
            assert_eq!(
                shown["provenance"]["requests"].as_array().unwrap().len(),
                11
            );
            text(&shown["content"])
        })
        .into();
    assert_eq!(contents, BTreeSet::from(["[\"repaired\"]".to_owned()]));
}

const PARTS: &str = notes_pipeline!(
    r#"[layers.all]
transform = "reduce"
inputs = ["notes"]
batch = true
repair = 2
[layers.all.config]
prompt = "Facts:{% for one in inputs %} {{ one.content }}{% endfor %}"
label = "all"
max_input_tokens = 256
[layers.all.config.response_format]
type = "array"
items = { type = "string" }
"#
);

/// Several questions of one round are repaired side by side, some of them twice, and a command may end in between.
#[test]
fn the_questions_of_a_round_are_repaired_together() {
    let project = TestProject::with_layers(PARTS);
    for number in 0..6 {
        let words = format!("word{number} ").repeat(110);
        project.write(&format!("notes/n{number}.md"), &words);
    }
    let script = Script::new()
        .rule(Rule::on("word1 ").text("first"))
        .rule(Rule::on("word4 ").text("{\"second\": 1}"))
        .rule(Rule::on("found object").text("again"))
        .rule(Rule::on(REPAIR).text("[\"repaired\"]"));
    project.script(script);
    project.ok(&["batch-build", "run"]);
    for _ in 0..40 {
        if project.status()["status"] == "completed" {
            break;
        }
        project.ok(&["resume"]);
    }
    assert_eq!(project.status()["status"], "completed");
    assert_eq!(project.ledger().duplicates().len(), 0);
    let batched = (project.sent(), project.artifacts());
    std::fs::remove_dir_all(project.path(".synix")).unwrap();
    let sent = project.sent();
    project.ok(&["build"]);
    assert_eq!((project.sent() - sent, project.artifacts()), batched);
    let requests = project.json(&["show", "all"])["provenance"]["requests"].clone();
    assert_eq!(requests.as_array().unwrap().len(), batched.0);
}

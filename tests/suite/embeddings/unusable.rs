//! Replies to requests for embeddings that no good server sends.

use synix_scripted_provider::{Endpoint, RawReply, Reply, Rule, Script};

use super::{NAMES, VECTORS, project, project_with, vectors};
use crate::support::pipelines::BATCH_BUILD;
use crate::support::test_project::{TestProject, failure_kinds, text};

/// Each is paid for, so it is not sent again before the user asks for it.
#[test]
fn an_unusable_vector_fails_its_text_alone() {
    for value in [
        "[]",
        "[0.5, null]",
        "[1e300]",
        "\"AACAfw==\"",
        "{}",
        "[[0.5]]",
    ] {
        for build in [&["build"][..], &BATCH_BUILD] {
            let project = project();
            let rule = Rule::on("bela").reply(Reply::Text(value.to_owned()));
            project.script(Script::new().rule(rule));
            let run = project.run(build).expect_code(3);
            let context = format!("{value} {build:?}: {run:?}");
            let document = project.run(&["build", "--json"]).expect_code(3).json();
            assert_eq!(
                TestProject::failures(&document),
                failure_kinds(&[("bela", "unreadable")]),
                "{context}"
            );
            assert_eq!(vectors(&project).len(), NAMES.len() - 1, "{context}");
            assert_eq!(project.sent(), NAMES.len(), "{context}");
            project.script(Script::new());
            project.ok(&["build", "--retry-failed"]);
            assert_eq!(vectors(&project).len(), NAMES.len(), "{context}");
        }
    }
}

#[test]
fn a_wrong_number_of_vectors_fails_the_call_and_is_not_sent_again() {
    let project = project();
    let raw = RawReply::with("/data", serde_json::json!([]));
    project.script(Script::new().rule(Rule::any().raw(raw)));
    let document = project.run(&["build", "--json"]).expect_code(3).json();
    let message = text(&document["failures"][0]["message"]);
    assert!(message.contains("0 vectors for 4 texts"), "{message}");
    assert_eq!(project.ledger().calls(Endpoint::Embeddings), 1);
}

#[test]
fn a_vector_with_other_dimensions_than_asked_for_is_refused() {
    let project = project_with(&VECTORS.replace("-3-small\"", "-3-small\"\ndimensions = 4"));
    let rule = Rule::on("bela").reply(Reply::Text("[0.5]".to_owned()));
    project.script(Script::new().rule(rule));
    let run = project.run(&["build"]).expect_code(3);
    assert!(run.says("1 dimensions instead of 4"), "{run:?}");
}

#[test]
fn a_recorded_vector_that_was_edited_is_a_failure_of_its_unit() {
    let project = project();
    project.ok(&["build", "--cassette-mode", "record"]);
    let cassette = std::fs::read_dir(project.path("cassettes"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .unwrap();
    let recorded = std::fs::read_to_string(&cassette).unwrap();
    let start = recorded.find("\"answer\"").unwrap();
    let value = recorded[start..].find("\"text\": \"").unwrap() + start + 9;
    let mut edited = recorded.clone();
    edited.replace_range(value..value + 4, "????");
    std::fs::write(&cassette, edited).unwrap();
    std::fs::remove_dir_all(project.path(".synix")).unwrap();
    let run = project
        .run(&["build", "--cassette-mode", "replay"])
        .expect_code(3);
    assert!(run.says("not base64"), "{run:?}");
}

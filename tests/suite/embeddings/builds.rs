//! Sync calls, batches and replays make the same vectors, and no text is sent twice.

use std::collections::BTreeSet;

use synix_scripted_provider::{Endpoint, PriceClass, Reply, Rule, Script, StatusReply};

use super::{NAMES, project, vectors};
use crate::support::pipelines::{BATCH_BUILD, MODES};

#[test]
fn sync_batch_and_replay_make_byte_equal_vectors() {
    let made: Vec<_> = MODES
        .map(|mode| {
            let project = project();
            project.build_in(mode).expect_code(0);
            let ledger = project.ledger();
            assert_eq!(ledger.executed.len(), NAMES.len(), "{mode:?}");
            assert_eq!(ledger.duplicates(), [], "{mode:?}");
            (project.artifacts(), vectors(&project))
        })
        .into();
    let (_, bytes) = &made[0];
    assert_eq!(bytes.len(), NAMES.len());
    assert!(bytes.values().all(|vector| vector.len() == 8 * 4));
    let different: BTreeSet<&Vec<u8>> = bytes.values().collect();
    assert_eq!(different.len(), NAMES.len());
    assert!(made.iter().all(|other| *other == made[0]), "{made:#?}");
}

/// A server may ignore that base64 was asked for.
#[test]
fn vectors_as_numbers_are_the_same_bytes() {
    let expected = {
        let project = project();
        project.ok(&["build"]);
        vectors(&project)
    };
    for build in [&["build"][..], &BATCH_BUILD] {
        let project = project();
        project.script(Script::new().only_numbers());
        project.ok(build);
        assert_eq!(vectors(&project), expected, "{build:?}");
    }
}

#[test]
fn a_batch_of_embeddings_goes_to_their_endpoint_at_its_price() {
    let project = project();
    project.ok(&BATCH_BUILD);
    let ledger = project.ledger();
    assert_eq!(ledger.calls(Endpoint::BatchesCreate), 1);
    assert_eq!(ledger.calls(Endpoint::Embeddings), 0);
    assert!(
        ledger
            .executed
            .iter()
            .all(|entry| entry.price == PriceClass::Batch)
    );
}

#[test]
fn texts_share_a_call_and_a_new_text_asks_no_other_again() {
    let project = project();
    project.ok(&["build"]);
    assert_eq!(project.ledger().calls(Endpoint::Embeddings), 1);
    project.ok(&["build"]);
    assert_eq!(project.sent(), NAMES.len());

    project.write("notes/elif.md", "I am elif.");
    project.ok(&["build"]);
    assert_eq!(project.sent(), NAMES.len() + 1);
    assert_eq!(project.ledger().duplicates(), []);
    assert_eq!(vectors(&project).len(), NAMES.len() + 1);
}

#[test]
fn equal_texts_are_sent_once() {
    let project = project();
    project.write("notes/copy.md", "I am bela.");
    project.ok(&["build"]);
    assert_eq!(project.sent(), NAMES.len());
    let vectors = vectors(&project);
    assert_eq!(vectors["copy"], vectors["bela"]);
}

/// The provider refuses the whole call because of one text; the others get their vectors all the same.
#[test]
fn a_refused_text_does_not_lose_the_others_of_its_call() {
    let project = project();
    let refusal = StatusReply::new(400).body(serde_json::json!({
        "error": {"message": "this text is too long", "type": "invalid_request_error", "param": null, "code": null}
    }));
    project.script(Script::new().rule(Rule::on("bela").reply(Reply::Status(refusal))));
    let run = project.run(&["build"]).expect_code(3);
    assert!(run.says("this text is too long"), "{run:?}");
    assert_eq!(vectors(&project).len(), NAMES.len() - 1);
    assert_eq!(project.sent(), NAMES.len() - 1);

    project.script(Script::new());
    project.ok(&["build"]);
    assert_eq!(project.sent(), NAMES.len());
    assert_eq!(project.ledger().duplicates(), []);
}

#[test]
fn metadata_names_the_model_and_the_number_of_dimensions() {
    let project = project();
    project.ok(&["build"]);
    let shown = project.json(&["show", "vectors/bela"]);
    assert_eq!(shown["kind"], "embedding");
    assert_eq!(
        shown["metadata"],
        serde_json::json!({"dimensions": 8, "model": "text-embedding-3-small"})
    );
}

//! Batches at Anthropic and at servers with a compatible batch API.

use synix_scripted_provider::{Endpoint, Fault, FaultKind, Script};

use crate::support::pipelines::{
    BATCH_BUILD, MESSAGE_BATCH_LAYERS, MODES, Mode, message_batch_project,
};

/// L17
#[test]
fn a_message_batch_makes_the_same_artifacts_as_sync_calls() {
    let artifacts = MODES.map(|mode| {
        let project = message_batch_project();
        project.build_in(mode).expect_code(0);
        if mode == Mode::Batch {
            let ledger = project.ledger();
            assert_eq!(ledger.calls(Endpoint::Messages), 0);
            assert_eq!(ledger.calls(Endpoint::MessageBatchesCreate), 1);
            assert_eq!((ledger.duplicates().len(), project.sent()), (0, 3));
        }
        project.artifacts()
    });
    assert_eq!(artifacts[0].len(), 6);
    assert_eq!(artifacts[0], artifacts[1]);
    assert_eq!(artifacts[1], artifacts[2]);
}

/// L16, A3: a 404 for a batch or its results, and late results, are waited out.
#[test]
fn a_message_batch_that_returns_404_at_first_is_not_sent_again() {
    let project = message_batch_project();
    let missing = |endpoint| Fault::on(endpoint, FaultKind::NotFound).once();
    let late = FaultKind::OutputLate { polls: 2 };
    project.script(
        Script::new()
            .fault(missing(Endpoint::MessageBatchesRetrieve))
            .fault(missing(Endpoint::MessageBatchesResults))
            .fault(Fault::on(Endpoint::MessageBatchesCreate, late).once()),
    );
    project.ok(&BATCH_BUILD);
    assert_eq!((project.ledger().batches.len(), project.sent()), (1, 3));
}

/// C4: `batch_api` is enough for a compatible server; `batch = true` is not needed.
#[test]
fn batch_api_enables_batches_at_a_compatible_server() {
    let project = message_batch_project();
    let provider = format!(
        "[providers.groq]\napi = \"openai\"\nbase_url = \"{}\"\nbatch_api = \"groq\"\napi_key_env = \"OPENAI_API_KEY\"\n",
        project.provider.openai_url()
    );
    let layers = MESSAGE_BATCH_LAYERS
        .replace("\"anthropic\"", "\"groq\"")
        .replace("claude-haiku-4-5", "gpt-4o-mini")
        .replace("max_tokens = 300\nbatch = true", "max_tokens = 300");
    project.pipeline("synix.toml", &format!("{provider}{layers}"));
    project.ok(&BATCH_BUILD);
    assert_eq!((project.ledger().batches.len(), project.sent()), (1, 3));
}

//! Measures the floor: the `map` component in fresh instances on one core, with answers from memory.

use std::time::{Duration, Instant};

use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_core::ids::UnitKey;
use synix_core::request::{Answer, GuestRequest};
use synix_sandbox::{Call, Limits, Model, ModelResponse, Run, UnitSpec};

use crate::Outcome;
use crate::corpus::{self, Corpus, Transform};

/// Runs one document with `model`.
pub(crate) fn execute<M: Model>(
    transform: &Transform,
    input: &(Artifact, Digest),
    model: M,
) -> Outcome<(Run, M)> {
    let unit = UnitSpec {
        key: UnitKey::parse(input.0.label.as_str())?,
        inputs: vec![0],
        config: None,
    };
    let call = Call {
        unit: &unit,
        inputs: std::slice::from_ref(input),
        config: transform.config,
        limits: &Limits::default(),
        grants: synix_sandbox::Grants::ALL,
    };
    let executed = transform.plugin.execute(&call, model);
    Ok((executed.run?, executed.model))
}

struct FixedModel(Answer);

impl Model for FixedModel {
    fn complete(&mut self, asked: Vec<GuestRequest>) -> ModelResponse {
        ModelResponse::Answered(vec![self.0.clone(); asked.len()])
    }
}

/// Returns the time for all documents.
pub(crate) fn time(corpus: &Corpus, transform: &Transform) -> Outcome<Duration> {
    let inputs = corpus.documents()?;
    let mut model = FixedModel(corpus::answer(0));
    let start = Instant::now();
    for input in &inputs {
        let (run, back) = execute(transform, input, model)?;
        model = back;
        if !matches!(run, Run::Done { .. }) {
            return Err("the floor's units must finish".into());
        }
    }
    Ok(start.elapsed())
}

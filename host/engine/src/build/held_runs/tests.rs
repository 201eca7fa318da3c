//! Steps of a fold, each run as the pool does, with the answers that are known by then.

use std::collections::BTreeMap;

use synix_core::artifact::{Artifact, Content};
use synix_core::digest::Digest;
use synix_core::request::{Answer, Ending, RequestKey, Usage};
use synix_providers::Cassette;
use synix_sandbox::{Sandbox, UnitSpec};
use synix_sources::ProjectFolder;
use synix_store::RetrySelection;

use super::super::handle::Location;
use super::super::known_answers::AnswerSource;
use super::super::layers::{ReadyPipeline, ReadyTransform};
use super::super::unit::{Job, RunEnd, run_unit};
use super::*;
use crate::build::{PrepareContext, prepare};

const STEPS: u32 = 10;

struct Fold {
    pipeline: ReadyPipeline,
    _project: tempfile::TempDir,
}

impl Fold {
    fn new() -> Self {
        let project = tempfile::tempdir().unwrap();
        let pipeline = synix_manifest::parse(
            "pipeline.name = \"p\"\nlayers.notes.source = \"*.txt\"\nmodels.default = { provider = \"openai\", model = \"m\" }\n\
             [layers.story]\ntransform = \"fold\"\ninputs = [\"notes\"]\n\
             config = { label = \"story\", prompt = \"{{ so_far }}+{{ content }}\" }",
        )
        .unwrap();
        let (folder, sandbox) = (
            ProjectFolder::open(project.path()).unwrap(),
            Sandbox::new(1, None).unwrap(),
        );
        let context = PrepareContext {
            folder: &folder,
            sandbox: &sandbox,
            transforms: synix_components::TRANSFORMS,
            keep_components: false,
            readers: synix_components::READERS,
            components: &BTreeMap::new(),
            redirected: &|_| true,
        };
        Self {
            pipeline: prepare(&pipeline, "synix.toml", &context).unwrap(),
            _project: project,
        }
    }

    fn transform(&self) -> &Arc<ReadyTransform> {
        let mut bodies = self.pipeline.layers.iter().map(|layer| &layer.body);
        bodies.find_map(|body| body.transform()).unwrap()
    }

    fn job(&self, unit: usize, transcript: &[RequestKey]) -> Job {
        let input = |number: u32| {
            let artifact = Artifact {
                label: format!("note-{number:02}").parse().unwrap(),
                kind: "text".parse().unwrap(),
                content: Content::Text(format!("note {number}")),
                metadata: serde_json::from_str("{}").unwrap(),
            };
            let digest = artifact.digest().unwrap();
            (Location::Memory(Arc::new(artifact)), digest)
        };
        Job {
            unit,
            layer: 1,
            transform: Arc::clone(self.transform()),
            spec: Arc::new(UnitSpec {
                key: "all".parse().unwrap(),
                inputs: (0..STEPS).collect(),
                config: None,
            }),
            inputs: (0..STEPS).map(input).collect(),
            transcript: transcript.to_vec(),
        }
    }

    /// Runs a unit once, with the answers that `cassette` has.
    fn run(
        &self,
        unit: usize,
        transcript: &[RequestKey],
        cassette: &Arc<Cassette>,
        held: &HeldRuns,
    ) -> RunOutcome {
        let source = AnswerSource::Cassette(Arc::clone(cassette));
        let known = KnownAnswers::new(source, None, RetrySelection::default());
        run_unit(
            self.job(unit, transcript),
            &self.pipeline.roles,
            known,
            held,
        )
        .0
    }

    /// Runs units in turn until they are done, and answers the last request after each run. Returns the outputs of the
    /// first, and how many requests each of its runs reported.
    fn build(&self, units: usize, held: &HeldRuns) -> (Vec<(Artifact, Digest)>, Vec<usize>) {
        let mut cassette = Cassette::empty();
        let mut transcript: Vec<RequestKey> = Vec::new();
        let mut reported = Vec::new();
        loop {
            let known = Arc::new(cassette.clone());
            let mut outcomes: Vec<RunOutcome> = (0..units)
                .map(|unit| self.run(unit, &transcript, &known, held))
                .collect();
            let RunOutcome {
                end,
                first,
                requests,
                ..
            } = outcomes.swap_remove(0);
            reported.push(requests.len());
            transcript.truncate(first);
            transcript.extend(requests.iter().map(|(pending, _)| pending.key));
            match end {
                RunEnd::Suspended => {
                    let (pending, answer) = requests.last().unwrap();
                    assert!(answer.is_none());
                    let answer = answer_to(transcript.len());
                    let request = pending.request.as_ref().clone();
                    cassette.insert(request, answer).unwrap();
                    assert!(held.0.lock().unwrap().len() <= HELD_INSTANCES);
                }
                RunEnd::Done(result) => return (result.outputs, reported),
                end @ (RunEnd::Failed(_)
                | RunEnd::Postponed
                | RunEnd::Interrupted
                | RunEnd::Fatal(_)) => {
                    panic!("{end:?}")
                }
            }
        }
    }
}

fn answer_to(step: usize) -> Answer {
    Answer {
        text: format!("so far {step}"),
        ending: Ending::Complete,
        model: "m".to_owned(),
        usage: Usage::default(),
        details: serde_json::Map::new(),
    }
}

/// Without it, a fold of n steps would repeat n²/2 of them.
#[test]
fn a_held_run_reports_only_its_last_question_and_the_next_one() {
    let fold = Fold::new();
    let (outputs, reported) = fold.build(1, &HeldRuns::default());
    assert_eq!(outputs[0].0.content, Content::Text("so far 10".to_owned()));
    // The run with four earlier requests is the first that can be held.
    assert_eq!(reported, [1, 2, 3, 4, 5, 2, 2, 2, 2, 2, 1]);
}

#[test]
fn a_unit_whose_guest_is_not_held_any_longer_makes_the_same() {
    let fold = Fold::new();
    // More units than can be held: each run ends the guest of another unit.
    let (crowded, reported) = fold.build(HELD_INSTANCES + 1, &HeldRuns::default());
    assert_eq!(reported[..8], [1, 2, 3, 4, 5, 6, 7, 8]);
    let (alone, _) = fold.build(1, &HeldRuns::default());
    assert_eq!(crowded, alone);
}

/// I9: what was asked before is compared with what a held run asks.
#[test]
fn a_run_that_is_held_is_compared_with_its_transcript() {
    let fold = Fold::new();
    let transcript = vec![RequestKey(Digest::of(b"another")); MIN_REQUESTS];
    let cassette = Arc::new(Cassette::empty());
    let outcome = fold.run(0, &transcript, &cassette, &HeldRuns::default());
    assert!(
        matches!(&outcome.end, RunEnd::Failed(failure) if failure.message.contains("not deterministic")),
        "{:?}",
        outcome.end
    );
}

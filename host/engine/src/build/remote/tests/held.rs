//! Units that wait between two chunks, up to a limit of memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use synix_core::artifact::{Artifact, Content};
use synix_core::digest::Digest;
use synix_core::request::{Answer, Ending, RequestKey, Usage};
use synix_providers::Cassette;
use synix_sandbox::{Sandbox, UnitSpec};
use synix_sources::ProjectFolder;
use synix_store::RetrySelection;
use tokio_util::sync::CancellationToken;

use super::loopback::Loopback;
use super::project::shared_cache;
use crate::build::handle::Location;
use crate::build::known_answers::{AnswerSource, KnownAnswers};
use crate::build::layers::{ReadyPipeline, ReadyTransform};
use crate::build::pool::{PoolReport, without_threads};
use crate::build::remote::RemoteUnits;
use crate::build::unit::{Job, RunEnd, RunOutcome};
use crate::build::{PrepareContext, prepare};

const STEPS: u32 = 6;

fn pipeline(folder: &std::path::Path) -> ReadyPipeline {
    let pipeline = synix_manifest::parse(
        "pipeline.name = \"p\"\nlayers.notes.source = \"*.txt\"\nmodels.default = { provider = \"openai\", model = \"m\" }\n\
         [layers.story]\ntransform = \"fold\"\ninputs = [\"notes\"]\n\
         config = { label = \"story\", prompt = \"{{ so_far }}+{{ content }}\" }",
    )
    .unwrap();
    let folder = ProjectFolder::open(folder).unwrap();
    let sandbox = Sandbox::new(1, Some(shared_cache())).unwrap();
    let context = PrepareContext {
        folder: &folder,
        sandbox: &sandbox,
        transforms: synix_components::TRANSFORMS,
        readers: synix_components::READERS,
        components: &BTreeMap::new(),
        keep_components: true,
        redirected: &|_| true,
    };
    prepare(&pipeline, "synix.toml", &context).unwrap()
}

fn job(unit: usize, transform: &Arc<ReadyTransform>, transcript: &[RequestKey]) -> Job {
    let input = |number: u32| {
        let artifact = Artifact {
            label: format!("note-{number:02}").parse().unwrap(),
            kind: "text".parse().unwrap(),
            content: Content::Text(format!("note {number} of {unit}")),
            metadata: serde_json::from_str("{}").unwrap(),
        };
        let digest = artifact.digest().unwrap();
        (Location::Memory(Arc::new(artifact)), digest)
    };
    Job {
        unit,
        layer: 1,
        transform: Arc::clone(transform),
        spec: Arc::new(UnitSpec {
            key: "all".parse().unwrap(),
            inputs: (0..STEPS).collect(),
            config: None,
        }),
        inputs: (0..STEPS).map(input).collect(),
        transcript: transcript.to_vec(),
    }
}

/// The outputs of each unit, and the number of requests that each of its runs reported.
type Folded = Vec<(Vec<(Artifact, Digest)>, Vec<usize>)>;

/// Folds some units at once, and answers the requests of all after each run, while the held ones may have this size.
async fn fold(pipeline: &ReadyPipeline, units: usize, max_bytes: usize) -> (Folded, usize) {
    let transform = pipeline.layers.iter();
    let mut transform = transform.filter_map(|layer| layer.body.transform());
    let transform = Arc::clone(transform.next_back().unwrap());
    let engine = Arc::new(Loopback::new());
    let remote = RemoteUnits::new(
        engine,
        pipeline.components.clone(),
        CancellationToken::new(),
    );
    let remote = Arc::new(remote.holding(max_bytes));
    let mut cassette = Cassette::empty();
    let mut transcripts = vec![Vec::new(); units];
    let mut folded: Folded = vec![(Vec::new(), Vec::new()); units];
    let mut most_held = 0;
    while folded.iter().any(|(outputs, _)| outputs.is_empty()) {
        let source = AnswerSource::Cassette(Arc::new(cassette.clone()));
        let known = KnownAnswers::new(source, None, RetrySelection::default());
        let jobs = (0..units).map(|unit| job(unit, &transform, &transcripts[unit]));
        let jobs: Vec<Job> = jobs.collect();
        let (mut pool, sender) = without_threads(usize::MAX);
        let (remote, roles) = (Arc::clone(&remote), Arc::clone(&pipeline.roles));
        let runs = tokio::task::spawn_blocking(move || {
            remote.run(jobs, &roles, &known, &sender).unwrap();
            remote.held.len()
        });
        most_held = most_held.max(runs.await.unwrap());
        let mut outcomes = Vec::new();
        while outcomes.len() < units {
            match pool.next_report().await.unwrap() {
                PoolReport::Results(results) => outcomes.extend(results),
                PoolReport::EngineWaits { reason, .. } => panic!("{reason}"),
            }
        }
        for outcome in outcomes {
            let RunOutcome {
                unit,
                end,
                first,
                requests,
                ..
            } = outcome;
            // A worker on a slow machine may have had no time for it.
            if matches!(end, RunEnd::Postponed) {
                continue;
            }
            folded[unit].1.push(requests.len());
            transcripts[unit].truncate(first);
            transcripts[unit].extend(requests.iter().map(|(pending, _)| pending.key));
            match end {
                RunEnd::Suspended => {
                    let (pending, answer) = requests.last().unwrap();
                    assert!(answer.is_none());
                    let request = pending.request.as_ref().clone();
                    let answer = answer_to(unit, transcripts[unit].len());
                    cassette.insert(request, answer).unwrap();
                }
                RunEnd::Done(result) => folded[unit].0 = result.outputs,
                end @ (RunEnd::Failed(_)
                | RunEnd::Postponed
                | RunEnd::Interrupted
                | RunEnd::Fatal(_)) => panic!("{end:?}"),
            }
        }
    }
    (folded, most_held)
}

fn answer_to(unit: usize, step: usize) -> Answer {
    Answer {
        text: format!("{unit} so far {step}"),
        ending: Ending::Complete,
        model: "m".to_owned(),
        usage: Usage::default(),
        details: serde_json::Map::new(),
    }
}

/// A unit that is not held any longer starts again, its rounds are answered from the store, and it makes the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_beyond_the_bound_makes_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = pipeline(folder.path());
    let (roomy, held) = fold(&pipeline, 3, usize::MAX).await;
    assert_eq!(held, 3);
    // A held unit reports its last question and the next one.
    assert_eq!(roomy[0].1, [1, 2, 2, 2, 2, 2, 1]);
    // There is memory for one unit.
    let (crowded, held) = fold(&pipeline, 3, 2 << 10).await;
    assert_eq!(held, 1);
    assert_eq!(crowded[0].1, [1, 2, 3, 4, 5, 6, 6]);
    for ((outputs, _), (others, _)) in roomy.iter().zip(&crowded) {
        assert_eq!(outputs, others);
    }
    let contents = roomy.iter().map(|(outputs, _)| &outputs[0].0.content);
    let expected = (0..3).map(|unit| Content::Text(format!("{unit} so far 6")));
    assert!(contents.cloned().eq(expected));
}

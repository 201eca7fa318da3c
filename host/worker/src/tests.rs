//! Chunks that a worker runs, and chunks that it does not run.

use std::num::NonZero;
use std::sync::Arc;

use synix_core::artifact::{Artifact, Content};
use synix_core::digest::Digest;
use synix_core::request::{Answer, Ending, GuestRequest, Usage};
use synix_sandbox::{Compiler, Limits};
use synix_shared::{MemoryObjects, Objects as _};
use synix_units::{
    AnsweredRound, ChunkOutcome, Contents, Inputs, ObjectRef, RoundResponse, Rounds, TextPayload,
    TransformSettings, UnitChunk, UnitEnd, UnitJob, WireAnswer, WireArtifact, WireGrants,
    WireInput, WireLimits, WireOutcome, round_digest,
};
use tokio::runtime::{Handle, Runtime};

use super::*;

struct Fixture {
    objects: Arc<MemoryObjects>,
    contents: Contents,
    worker: Worker,
    runtime: Runtime,
}

impl Fixture {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let objects = Arc::new(MemoryObjects::default());
        let contents = Contents::new(Arc::<MemoryObjects>::clone(&objects), "default");
        let worker = Worker::new(WorkerSettings {
            jobs: NonZero::<usize>::MIN,
            cache: None,
            compiler: Compiler::InProcess,
            maxima: Maxima::default(),
            contents: contents.clone(),
            runtime: runtime.handle().clone(),
        });
        Self {
            objects,
            contents,
            worker: worker.unwrap(),
            runtime,
        }
    }

    fn provide(&self, bytes: &[u8]) -> ObjectRef {
        let object = ObjectRef::to(bytes);
        let provided = self.contents.provide(object.digest, bytes.to_vec());
        self.runtime.block_on(provided).unwrap();
        object
    }

    fn delete(&self, object: ObjectRef) {
        let path = self.contents.path(object.digest);
        self.runtime.block_on(self.objects.delete(&path)).unwrap();
    }

    fn transform(&self, name: &str, config: &str) -> TransformSettings {
        let component = synix_components::component(name);
        let component = component.unwrap_or_else(|| synix_test_components::bytes(name));
        let limits = Limits::default();
        TransformSettings {
            name: name.to_owned(),
            component: self.provide(&component),
            config: TextPayload::Text(config.to_owned()),
            limits: WireLimits {
                fuel: limits.fuel,
                memory_bytes: limits.memory_bytes as u64,
                wall_ms: 60_000,
                hostcall_bytes: limits.hostcall_bytes as u64,
                output_bytes: limits.output_bytes as u64,
                requests: limits.requests,
                tokens: limits.tokens,
            },
            grants: WireGrants {
                llm: true,
                embed: false,
            },
        }
    }

    /// Runs a chunk of these units of one transform.
    fn run(
        &self,
        transform: &TransformSettings,
        outcome_bytes: u64,
        units: &[UnitJob],
    ) -> Result<Vec<UnitEnd>, WorkerError> {
        let mut chunk = UnitChunk::new(outcome_bytes, 60);
        chunk.transforms.push(transform.clone());
        for unit in units {
            chunk.push(unit.encode());
        }
        let digests: Vec<Digest> = chunk.unit_digests().collect();
        let chunk = chunk.encode();
        let outcome = ChunkOutcome::decode(&self.worker.run_chunk(&chunk)?).unwrap();
        assert_eq!(outcome.chunk, Digest::of(&chunk));
        let reports = match outcome.units {
            WireOutcome::List(reports) => reports,
            WireOutcome::Object(object) => {
                let fetched = self.contents.fetch(object.digest, object.size);
                let list = self.runtime.block_on(fetched).unwrap();
                ChunkOutcome::decode_list(&list).unwrap()
            }
        };
        let (named, ends): (Vec<Digest>, Vec<UnitEnd>) = reports
            .into_iter()
            .map(|report| (report.unit, report.end))
            .unzip();
        assert_eq!(named, digests);
        Ok(ends)
    }
}

fn note(label: &str, text: &str) -> Artifact {
    Artifact {
        label: label.parse().unwrap(),
        kind: "note".parse().unwrap(),
        content: Content::Text(text.to_owned()),
        metadata: serde_json::from_str("{}").unwrap(),
    }
}

fn job(note: &Artifact, rounds: Vec<Rounds>) -> UnitJob {
    UnitJob {
        transform: 0,
        key: note.label.as_str().parse().unwrap(),
        positions: vec![0],
        config: None,
        inputs: Inputs::List(vec![WireInput {
            digest: note.digest().unwrap(),
            artifact: WireArtifact::of(note),
        }]),
        rounds,
    }
}

fn round(question: &str, text: &str) -> AnsweredRound {
    let answer = Answer {
        text: text.to_owned(),
        ending: Ending::Complete,
        model: "m".to_owned(),
        usage: Usage::default(),
        details: serde_json::Map::new(),
    };
    AnsweredRound {
        requests: round_digest(&[GuestRequest::user(question)]),
        response: RoundResponse::Answers(vec![WireAnswer::of(answer)]),
    }
}

/// Returns what a unit asks.
fn asked(end: &UnitEnd) -> GuestRequest {
    match end {
        UnitEnd::Round { requests } => requests[0].clone().into_request().unwrap(),
        UnitEnd::Done { .. }
        | UnitEnd::Failed { .. }
        | UnitEnd::Diverged { .. }
        | UnitEnd::NotRun => panic!("{end:?}"),
    }
}

/// Returns the text of the only output.
fn made(end: UnitEnd) -> String {
    match end {
        UnitEnd::Done { mut outputs, .. } => {
            let output = outputs.pop().unwrap().into_output().unwrap();
            String::from_utf8(output.content.as_bytes().to_vec()).unwrap()
        }
        end @ (UnitEnd::Round { .. }
        | UnitEnd::Failed { .. }
        | UnitEnd::Diverged { .. }
        | UnitEnd::NotRun) => panic!("{end:?}"),
    }
}

const ALL: u64 = 1 << 20;

#[test]
fn a_unit_ends_at_the_first_round_without_an_answer() {
    let fixture = Fixture::new();
    let transform = fixture.transform("two_steps", "{}");
    let note = note("a", "one");
    let first = round("First: one", "1");
    let second = round("Second: 1", "2");
    let rounds = |rounds: &[&AnsweredRound]| {
        let rounds = rounds.iter();
        rounds
            .map(|round| Rounds::Round((*round).clone()))
            .collect()
    };
    let list = serde_json::to_vec(&[&first, &second]).unwrap();
    let jobs = [
        job(&note, Vec::new()),
        job(&note, rounds(&[&first])),
        job(&note, rounds(&[&first, &second])),
        job(&note, vec![Rounds::Object(fixture.provide(&list))]),
    ];
    let mut ends = fixture.run(&transform, ALL, &jobs).unwrap();
    assert_eq!(asked(&ends[0]), GuestRequest::user("First: one"));
    assert_eq!(asked(&ends[1]), GuestRequest::user("Second: 1"));
    assert_eq!(made(ends.pop().unwrap()), "2");
    assert_eq!(made(ends.pop().unwrap()), "2");
}

/// I9: a plugin that asks something else in another run is found.
#[test]
fn a_round_that_differs_from_that_of_the_chunk_is_named() {
    let fixture = Fixture::new();
    let transform = fixture.transform("two_steps", "{}");
    let note = note("a", "one");
    let (first, second) = (round("First: one", "1"), round("Second: 1", "2"));
    let rounds = |rounds: Vec<AnsweredRound>| {
        let rounds: Vec<Rounds> = rounds.into_iter().map(Rounds::Round).collect();
        job(&note, rounds)
    };
    let jobs = [
        rounds(vec![first.clone(), round("Second: 9", "2")]),
        rounds(vec![second.clone()]),
        // One more than the plugin asks.
        rounds(vec![first, second.clone(), second]),
    ];
    let ends = fixture.run(&transform, ALL, &jobs).unwrap();
    let expected = [1, 0, 2].map(|round| UnitEnd::Diverged { round });
    assert_eq!(ends, expected);
}

#[test]
fn a_worker_that_has_made_enough_starts_no_further_unit() {
    let fixture = Fixture::new();
    let transform = fixture.transform("echo", "{}");
    let jobs: Vec<UnitJob> = ["a", "b", "c"]
        .map(|name| job(&note(name, name), Vec::new()))
        .into();
    let ends = fixture.run(&transform, 1, &jobs).unwrap();
    assert_eq!(ends[1..], [UnitEnd::NotRun, UnitEnd::NotRun]);
    assert_eq!(made(ends[0].clone()), "A");
}

/// A text of 17 MB, which comes and goes as an object.
#[test]
fn a_large_input_and_a_large_outcome_are_objects() {
    let fixture = Fixture::new();
    let transform = fixture.transform("echo", "{}");
    let note = note("a", &"long ".repeat(3_500_000));
    let object = fixture.provide(note.content.as_bytes());
    let inputs = [WireInput {
        digest: note.digest().unwrap(),
        artifact: WireArtifact::with_object(&note, object),
    }];
    let list = fixture.provide(&serde_json::to_vec(&inputs).unwrap());
    let jobs = [UnitJob {
        inputs: Inputs::Object(list),
        ..job(&note, Vec::new())
    }];
    let ends = fixture.run(&transform, ALL, &jobs).unwrap();
    assert_eq!(made(ends[0].clone()).len(), 17_500_000);
}

#[test]
fn an_object_is_read_once_and_its_absence_is_named() {
    let fixture = Fixture::new();
    let transform = fixture.transform("echo", "{}");
    let jobs = [job(&note("a", "text"), Vec::new())];
    fixture.run(&transform, ALL, &jobs).unwrap();
    fixture.delete(transform.component);
    fixture.run(&transform, ALL, &jobs).unwrap();
    let other = Fixture::new();
    let error = other.run(&transform, ALL, &jobs).unwrap_err();
    assert!(matches!(error, WorkerError::Content(_)), "{error:?}");
    assert!(!error.is_transient());
}

/// The chunk runs again on another worker, and the unit does not fail.
#[test]
fn a_worker_that_is_stopped_says_nothing_about_the_units() {
    let fixture = Fixture::new();
    let transform = fixture.transform("echo", "{}");
    let jobs = [job(&note("a", "text"), Vec::new())];
    fixture.run(&transform, ALL, &jobs).unwrap();
    fixture.worker.interrupt_handle().stop();
    let error = fixture.run(&transform, ALL, &jobs).unwrap_err();
    assert!(matches!(error, WorkerError::Stopped) && error.is_transient());
    fixture.worker.interrupt_handle().resume();
    fixture.run(&transform, ALL, &jobs).unwrap();
}

#[test]
fn what_is_wrong_with_a_chunk_is_wrong_on_each_worker() {
    let fixture = Fixture::new();
    let transform = fixture.transform("echo", "{}");
    let good = job(&note("a", "text"), Vec::new());
    let other_input = WireInput {
        digest: Digest::of(b"other"),
        artifact: WireArtifact::of(&note("a", "text")),
    };
    let wrong_size = ObjectRef {
        size: 1,
        ..transform.component
    };
    let cases = [
        // A component that is loaded already is not read again.
        (
            TransformSettings {
                component: wrong_size,
                ..transform.clone()
            },
            good.clone(),
        ),
        (
            transform.clone(),
            UnitJob {
                transform: 1,
                ..good.clone()
            },
        ),
        (
            transform.clone(),
            UnitJob {
                config: Some("[]".to_owned()),
                ..good.clone()
            },
        ),
        (
            transform.clone(),
            UnitJob {
                inputs: Inputs::List(vec![other_input]),
                ..good.clone()
            },
        ),
        (
            TransformSettings {
                config: TextPayload::Text("1".to_owned()),
                ..transform.clone()
            },
            good.clone(),
        ),
        (
            TransformSettings {
                component: fixture.provide(b"no component"),
                ..transform
            },
            good,
        ),
    ];
    for (number, (transform, unit)) in cases.into_iter().enumerate() {
        let error = fixture.run(&transform, ALL, &[unit]).unwrap_err();
        assert!(!error.is_transient(), "{number}: {error:?}");
    }
    let error = fixture.worker.run_chunk(b"{}").unwrap_err();
    assert!(matches!(error, WorkerError::Chunk(_)), "{error:?}");
}

/// A caller may be inside the runtime that drives the store.
#[test]
fn a_chunk_can_run_in_a_blocking_task_of_the_runtime() {
    let fixture = Fixture::new();
    let transform = fixture.transform("echo", "{}");
    let mut chunk = UnitChunk::new(ALL, 60);
    chunk.transforms.push(transform);
    chunk.push(job(&note("a", "text"), Vec::new()).encode());
    let (worker, chunk) = (fixture.worker.clone(), chunk.encode());
    let outcome = fixture.runtime.block_on(async {
        assert!(Handle::try_current().is_ok());
        tokio::task::spawn_blocking(move || worker.run_chunk(&chunk)).await
    });
    ChunkOutcome::decode(&outcome.unwrap().unwrap()).unwrap();
}

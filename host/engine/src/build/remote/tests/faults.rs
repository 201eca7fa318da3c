//! Engines that are away, builds that are interrupted, and chunks that are large.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use synix_scripted_provider::{Rule, Script};
use synix_units::{EngineError, UnitEngine};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::loopback::{FaultKind, Loopback};
use super::project::Project;
use super::same::{FAULTS, assert_same, notes};
use crate::build::{BuildError, Event};
use synix_core::digest::Digest;
use synix_core::error_kind::ErrorKind;

const MAP: &str = r#"
    layers.notes.source = "notes/*.md"
    [layers.made]
    transform = "map"
    inputs = ["notes"]
    config.prompt = "Summarise: {{ content }}"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_build_waits_for_an_engine_that_is_away_and_says_so() {
    let project = Project::new(MAP, &[], &notes(&["a", "b"]));
    let engine = Loopback::new().with_fault(|call| match call {
        0..3 => FaultKind::Away,
        _ => FaultKind::None,
    });
    let built = project.build(Some(Arc::new(engine))).await;
    assert!(built.end.unwrap().complete);
    let mut waits = Vec::new();
    for event in &built.events {
        if let Event::WaitingForEngine { url, reason } = event {
            waits.push((url.as_str(), reason.as_str()));
        }
    }
    let expected = ("http://engine.test", "connection refused");
    assert_eq!(waits, [expected]);
}

/// Where an engine is stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stuck {
    /// It stores no object until the call is cancelled.
    Storing,
    /// It runs no chunk until the call is cancelled.
    Running,
    /// It cannot be reached.
    Away,
    /// It refuses each chunk.
    Refusing,
}

/// An engine that runs no chunk.
#[derive(Debug)]
struct StuckEngine {
    stuck: Stuck,
    is_called: Notify,
}

impl StuckEngine {
    fn new(stuck: Stuck) -> Arc<Self> {
        Arc::new(Self {
            stuck,
            is_called: Notify::new(),
        })
    }

    /// Waits until the call is cancelled.
    fn wait<T>(&self, cancelled: &CancellationToken) -> Result<T, EngineError> {
        self.is_called.notify_one();
        while !cancelled.is_cancelled() {
            std::thread::yield_now();
        }
        Err(EngineError::Cancelled)
    }
}

impl UnitEngine for StuckEngine {
    fn name(&self) -> &str {
        "http://stuck.test"
    }

    fn concurrency(&self) -> NonZero<usize> {
        NonZero::<usize>::MIN
    }

    fn provide(
        &self,
        _: Digest,
        _: &[u8],
        cancelled: &CancellationToken,
    ) -> Result<(), EngineError> {
        match self.stuck {
            Stuck::Storing => self.wait(cancelled),
            Stuck::Running | Stuck::Away | Stuck::Refusing => Ok(()),
        }
    }

    fn fetch(&self, _: Digest, _: u64, _: &CancellationToken) -> Result<Vec<u8>, EngineError> {
        unreachable!("it has no objects")
    }

    fn run(
        &self,
        _: &str,
        _: Vec<u8>,
        cancelled: &CancellationToken,
    ) -> Result<Vec<u8>, EngineError> {
        let (name, source) = (self.name().to_owned(), "no such service".into());
        match self.stuck {
            Stuck::Storing | Stuck::Running => return self.wait(cancelled),
            Stuck::Away => self.is_called.notify_one(),
            Stuck::Refusing => return Err(EngineError::Refused { name, source }),
        }
        Err(EngineError::Unavailable { name, source })
    }
}

/// The units do not fail, and the next build makes them.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_build_ends_at_once() {
    for stuck in [Stuck::Storing, Stuck::Running, Stuck::Away] {
        let mut project = Project::new(MAP, &[], &notes(&["a", "b"]));
        let engine = StuckEngine::new(stuck);
        let built = project.build(Some(Arc::<StuckEngine>::clone(&engine)));
        let (built, ()) = tokio::join!(built, async {
            engine.is_called.notified().await;
            project.interrupt.cancel();
        });
        assert!(
            matches!(built.end, Err(BuildError::Interrupted)),
            "{built:?}"
        );
        let failed = built.events.iter();
        let failed = failed.filter(|event| matches!(event, Event::Failed { .. }));
        assert_eq!(failed.count(), 0);
        project.interrupt = CancellationToken::new();
        assert!(project.build(None).await.end.unwrap().complete);
    }
}

/// A second signal, or an error elsewhere, drops the build: its threads end, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_is_dropped_waits_for_no_chunk() {
    let project = Project::new(MAP, &[], &notes(&["a", "b"]));
    let engine = StuckEngine::new(Stuck::Running);
    tokio::select! {
        _ = project.build(Some(Arc::<StuckEngine>::clone(&engine))) => unreachable!("no chunk runs"),
        () = engine.is_called.notified() => {}
    }
    assert!(project.build(None).await.end.unwrap().complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_chunk_ends_the_build_with_its_reason() {
    let project = Project::new(MAP, &[], &notes(&["a", "b"]));
    let engine = StuckEngine::new(Stuck::Refusing);
    let built = project.build(Some(engine)).await;
    let error = built.end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ENGINE);
    assert_eq!(
        synix_core::causes::with_causes(&error),
        "units cannot run on other machines: the engine at http://stuck.test refused a chunk of units: no such service"
    );
    assert!(project.build(None).await.end.unwrap().complete);
}

/// Inputs, configs and the lists of inputs and rounds that are too large for a chunk are objects, each provided once.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_large_is_an_object() {
    let guide = "guide ".repeat(4000);
    let pipeline = format!(
        r#"
        layers.notes.source = "notes/*.md"
        [layers.all]
        transform = "reduce"
        inputs = ["notes"]
        config = {{ label = "all", prompt = "{guide}:{{% for one in inputs %}} {{{{ one.label }}}}{{% endfor %}}" }}
        [layers.story]
        transform = "fold"
        inputs = ["notes"]
        config = {{ label = "story", prompt = "{{{{ so_far }}}} then {{{{ label }}}}" }}
        "#
    );
    let files: Vec<(String, String)> = (0..30)
        .map(|number| {
            let words = format!("word{number} ").repeat(if number < 3 { 4000 } else { 1900 });
            (format!("notes/n{number:02}.md"), words)
        })
        .collect();
    let script = Script::new().rule(Rule::on(" then ").text("so far ".repeat(9000)));
    assert_same(&pipeline, &[], &files, (&script, &FAULTS[..1])).await;

    let project = Project::new(&pipeline, &[], &files).with_script(script);
    let engine = Arc::new(Loopback::new());
    let built = project.build(Some(Arc::<Loopback>::clone(&engine))).await;
    assert!(built.end.unwrap().complete);
    // Two components, the config, three contents, the list of inputs, which both units have, and six lists of rounds.
    assert_eq!(engine.provided.load(Ordering::Relaxed), 2 + 1 + 3 + 1 + 6);
    let chunks = engine.chunks.lock().unwrap();
    let largest = chunks.iter().map(|(_, bytes)| *bytes).max();
    assert!(largest < Some(400 << 10), "{largest:?}");
}

/// W18: a chunk is sent before it has many megabytes.
#[tokio::test(flavor = "multi_thread")]
async fn chunks_are_bounded() {
    let pipeline = r#"
        layers.notes.source = "notes/*.md"
        [layers.made]
        transform = "echo.wasm"
        inputs = ["notes"]
    "#;
    let files: Vec<(String, String)> = (0..1200)
        .map(|number| {
            (
                format!("notes/n{number:04}.md"),
                format!("{number:4} ").repeat(2900),
            )
        })
        .collect();
    let project = Project::new(pipeline, &["echo"], &files);
    let engine = Arc::new(Loopback::new());
    let built = project.build(Some(Arc::<Loopback>::clone(&engine))).await;
    assert!(built.end.unwrap().complete);
    let chunks = engine.chunks.lock().unwrap();
    let largest = chunks.iter().map(|(_, bytes)| *bytes).max().unwrap();
    assert!(largest <= (4 << 20) + (32 << 10), "{largest}");
    let units: usize = chunks.iter().map(|(units, _)| units).sum();
    assert!(units >= 1200, "{units}");
}

/// A worker starts no further unit after some time, and the rest goes out again.
#[tokio::test(flavor = "multi_thread")]
async fn units_that_were_not_started_go_out_again() {
    let project = Project::new(MAP, &[], &notes(&["a", "b", "c", "d", "e", "f"]));
    let engine = Arc::new(Loopback::new().with_slow_worker());
    let built = project.build(Some(Arc::<Loopback>::clone(&engine))).await;
    assert!(built.end.unwrap().complete);
    // Each unit runs twice, and each chunk runs one of its units.
    assert_eq!(engine.chunks.lock().unwrap().len(), 12);
    assert_eq!(project.server.ledger().executed.len(), 6);
}

//! A project that is built here or elsewhere, and everything that its state says afterwards.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::Value;
use synix_scripted_provider::{Script, ScriptedProvider};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::build::{
    self, BuildContext, BuildEnd, BuildError, BuildOptions, Event, PrepareContext, Providers,
    ReadyPipeline,
};
use synix_core::clock::Clock;
use synix_core::request::Wire;
use synix_prices::Prices;
use synix_providers::{Cassette, Endpoint, Provider, Secret};
use synix_sandbox::{CompileCache, InterruptHandle, Sandbox};
use synix_sources::ProjectFolder;
use synix_store::{BuildKind, Store};
use synix_units::UnitEngine;

/// What the state has, table by table, without the numbers of rows and the times.
const TABLES: [(&str, &str); 9] = [
    (
        "units",
        "SELECT layer, u.key, hex(fingerprint), hex(realm), done, partial, parts, roles, log
         FROM unit u JOIN unit_detail d ON d.unit = u.id",
    ),
    (
        "inputs",
        "SELECT u.layer, u.key, i.position, a.label, hex(a.digest)
         FROM unit_input i JOIN unit u ON u.id = i.unit JOIN artifact a ON a.id = i.artifact",
    ),
    (
        "artifacts",
        "SELECT u.layer, u.key, position, label, kind, hex(digest), size, media_type, metadata, hex(content), hex(object)
         FROM artifact a JOIN unit u ON u.id = a.unit JOIN artifact_body b ON b.artifact = a.id",
    ),
    (
        "transcripts",
        "SELECT u.layer, u.key, t.position, hex(r.key), t.answer IS NULL
         FROM transcript t JOIN unit u ON u.id = t.unit JOIN request r ON r.id = t.request",
    ),
    (
        "requests",
        "SELECT hex(r.key), r.provider, r.model, b.document FROM request r JOIN request_body b ON b.request = r.id",
    ),
    (
        "answers",
        "SELECT hex(r.key), hex(a.realm), truncated, b.document
         FROM answer a JOIN request r ON r.id = a.request JOIN answer_body b ON b.answer = a.id",
    ),
    (
        "attempts",
        "SELECT hex(r.key), a.state, a.input_tokens, a.output_tokens FROM attempt a JOIN request r ON r.id = a.request",
    ),
    (
        "states",
        "SELECT layer, key, state, kind, message FROM build_unit",
    ),
    (
        "snapshots",
        "SELECT s.snapshot, s.name, u.layer, u.key FROM snapshot_layer s
         JOIN layer_set_unit l ON l.layer_set = s.layer_set JOIN unit u ON u.id = l.unit",
    ),
];

/// Rows of tables, sorted.
pub(super) type State = BTreeMap<&'static str, Vec<Vec<String>>>;

/// Returns the cache of compiled code of all these tests, beside their program: compiling takes most of their time.
pub(super) fn shared_cache() -> CompileCache {
    let program = std::env::current_exe().unwrap();
    let folder = program.parent().unwrap().join("synix-engine-tests");
    CompileCache {
        folder: folder.join("code"),
        secrets: folder.join("secrets"),
    }
}

pub(super) struct Project {
    pub(super) folder: TempDir,
    pub(super) server: ScriptedProvider,
    pipeline: String,
    components: BTreeMap<String, Vec<u8>>,
    pub(super) cassette: Option<Arc<Cassette>>,
    pub(super) interrupt: CancellationToken,
}

/// What a build said.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) end: Result<BuildEnd, BuildError>,
    pub(super) events: Vec<Event>,
}

impl Built {
    /// Returns the events that do not depend on the order in which units settle.
    pub(super) fn unit_events(&self) -> Vec<String> {
        let is_of_unit = |event: &&Event| {
            matches!(
                event,
                Event::Done { .. } | Event::Failed { .. } | Event::Log { .. } | Event::Units { .. }
            )
        };
        let events = self.events.iter().filter(is_of_unit);
        let events = events.map(|event| without_ids(&format!("{event:?}")));
        let mut events: Vec<String> = events.collect();
        events.sort();
        events
    }
}

impl Project {
    /// Makes a project with files. `guests` are those of its components that are guests of the tests.
    #[expect(
        clippy::disallowed_methods,
        reason = "a crash of the test leaves nothing that anybody reads"
    )]
    pub(super) fn new(pipeline: &str, guests: &[&str], files: &[(String, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let components = guests
            .iter()
            .map(|name| (format!("{name}.wasm"), synix_test_components::bytes(name)));
        Self {
            server: ScriptedProvider::start(Script::new()),
            pipeline: format!(
                "pipeline.name = \"p\"\nmodels.default = {{ provider = \"openai\", model = \"m\" }}\n\
                 models.embedding = {{ provider = \"openai\", model = \"e\" }}\n{pipeline}"
            ),
            components: components.collect(),
            folder,
            cassette: None,
            interrupt: CancellationToken::new(),
        }
    }

    pub(super) fn with_script(mut self, script: Script) -> Self {
        self.server = ScriptedProvider::start(script);
        self
    }

    fn state_folder(&self) -> std::path::PathBuf {
        self.folder.path().join(".synix")
    }

    pub(super) fn store(&self) -> Store {
        Store::open(&self.state_folder()).unwrap()
    }

    /// Returns a connection that can change the state.
    pub(super) fn database(&self) -> Connection {
        Connection::open(self.state_folder().join("state.sqlite3")).unwrap()
    }

    fn prepare(&self, folder: &ProjectFolder, keep: bool) -> (ReadyPipeline, InterruptHandle) {
        let sandbox = Sandbox::new(2, Some(shared_cache())).unwrap();
        let context = PrepareContext {
            folder,
            sandbox: &sandbox,
            transforms: synix_components::TRANSFORMS,
            readers: synix_components::READERS,
            components: &self.components,
            keep_components: keep,
            redirected: &|_| true,
        };
        let pipeline = synix_manifest::parse(&self.pipeline).unwrap();
        let ready = build::prepare(&pipeline, "synix.toml", &context).unwrap();
        (ready, sandbox.interrupt_handle())
    }

    /// Builds the project; without an engine, here.
    pub(super) async fn build(&self, engine: Option<Arc<dyn UnitEngine>>) -> Built {
        let folder = ProjectFolder::open(self.folder.path()).unwrap();
        let (ready, interruption) = self.prepare(&folder, engine.is_some());
        let provider = Provider::open(Endpoint {
            name: "openai".to_owned(),
            wire: Wire::OpenAi,
            batch_api: Default::default(),
            base_url: self.server.openai_url(),
            key: Some(Secret::new("sk-example")),
            http: Default::default(),
        });
        let providers = Providers::from([("openai".to_owned(), Arc::new(provider.unwrap()))]);
        let (clock, prices) = (Clock::Real, Prices::default());
        let context = BuildContext {
            trial: None,
            pipeline: &ready,
            folder: &folder,
            replay: self.cassette.as_ref(),
            clock: &clock,
            prices: &prices,
            rehash: false,
            interruption: &interruption,
        };
        let store = self.store();
        let new = context.new_build(BuildKind::Build);
        let id = store.write(|tx| tx.open_build(&new)).unwrap();
        let _lock = store.lock_build(id).unwrap().unwrap();
        let options = BuildOptions {
            engine,
            interrupt: self.interrupt.clone(),
            ..BuildOptions::new(&ready, &providers)
        };
        let events = RefCell::new(Vec::new());
        let observer = |event: &Event| events.borrow_mut().push(event.clone());
        let end = build::run(context, options, &store, id, &observer).await;
        Built {
            end,
            events: events.into_inner(),
        }
    }

    /// Returns everything that the state says of what was made, asked and sent.
    pub(super) fn state(&self) -> State {
        let database = self.database();
        let rows = |query: &str| {
            let mut statement = database.prepare(query).unwrap();
            let columns = statement.column_count();
            let row = |row: &rusqlite::Row<'_>| {
                let cell = |at| {
                    let value = row.get::<_, Value>(at);
                    value.map(|value| without_ids(&format!("{value:?}")))
                };
                (0..columns).map(cell).collect::<Result<Vec<_>, _>>()
            };
            let rows = statement.query_map([], row).unwrap();
            let mut rows: Vec<Vec<String>> = rows.map(Result::unwrap).collect();
            rows.sort();
            rows
        };
        let tables = TABLES.iter();
        tables.map(|(name, query)| (*name, rows(query))).collect()
    }
}

/// Removes the ids that the provider gives to calls.
fn without_ids(text: &str) -> String {
    let mut parts = text.split("req_");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + "req_" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit())
    })
}

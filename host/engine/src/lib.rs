//! Plans and builds: decides which units are stale, in what order they run, who answers their requests, and what is stored.
//!
//! [`build`] has the scheduler and its answerers, [`batch`] the submissions
//! of batches, [`plan`](mod@plan) the plans of builds, and [`view`] the
//! documents about snapshots and builds.
//!
//! You can embed the engine: it is async and runs in your runtime, with its own
//! threads only for guests. It handles no signals, reads no environment,
//! starts no shell and prints nothing. The store belongs to one thread, so a
//! build's future stays on the thread that polls it.
//!
//! ```
//! use std::{collections::BTreeMap, sync::Arc};
//! use synix_core::{artifact::Content, clock::Clock, request::Wire};
//! use synix_engine::build::{self, BuildContext, BuildOptions, Event, PrepareContext, Providers};
//! use synix_prices::Prices;
//! use synix_providers::{Endpoint, Provider, Secret};
//! use synix_sandbox::Sandbox;
//! use synix_scripted_provider::{Rule, Script, ScriptedProvider};
//! use synix_sources::ProjectFolder;
//! use synix_store::{BuildKind, Store};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = ScriptedProvider::start(Script::new().rule(Rule::on("rained").text("Wet.")));
//! let project = tempfile::tempdir()?;
//! std::fs::write(project.path().join("monday.txt"), "It rained.")?;
//! let pipeline = synix_manifest::parse(
//!     r#"
//!     pipeline.name = "weather"
//!     layers.notes.source = "*.txt"
//!     models.default = { provider = "openai", model = "gpt-4o-mini" }
//!     [layers.summaries]
//!     transform = "map"
//!     inputs = ["notes"]
//!     config.prompt = "Summarise: {{ content }}"
//!     "#,
//! )?;
//! let (folder, sandbox) = (ProjectFolder::open(project.path())?, Sandbox::new(2, None)?);
//! let context = PrepareContext {
//!     folder: &folder,
//!     sandbox: &sandbox,
//!     transforms: synix_components::TRANSFORMS,
//!     keep_components: false,
//!     readers: synix_components::READERS,
//!     components: &BTreeMap::new(),
//!     redirected: &|_| true,
//! };
//! let ready = build::prepare(&pipeline, "synix.toml", &context)?;
//! let provider = Provider::open(Endpoint {
//!     name: "openai".to_owned(),
//!     wire: Wire::OpenAi,
//!     batch_api: Default::default(),
//!     base_url: server.openai_url(),
//!     key: Some(Secret::new("sk-example")),
//!     http: Default::default(),
//! })?;
//! let providers = Providers::from([("openai".to_owned(), Arc::new(provider))]);
//! let (clock, prices) = (Clock::Real, Prices::default());
//! let interruption = sandbox.interrupt_handle();
//! let context = BuildContext {
//!     trial: None,
//!     pipeline: &ready,
//!     folder: &folder,
//!     replay: None,
//!     clock: &clock,
//!     prices: &prices,
//!     rehash: false,
//!     interruption: &interruption,
//! };
//!
//! let store = Store::open(&project.path().join(".synix"))?;
//! let build = store.write(|tx| tx.open_build(&context.new_build(BuildKind::Build)))?;
//! let _lock = store.lock_build(build)?.ok_or("another process drives the build")?;
//! // Another task can stop the build by `options.interrupt`, a `CancellationToken`.
//! let options = BuildOptions::new(&ready, &providers);
//! let end = build::run(context, options, &store, build, &|event| assert!(!matches!(event, Event::Failed { .. }), "{event:?}")).await?;
//!
//! assert!(end.complete);
//! let snapshot = store.newest_snapshot()?.ok_or("the build is complete")?;
//! let summaries = store.snapshot_artifacts(&snapshot, "summaries")?;
//! let summary = store.artifact(summaries[0].artifact.id)?;
//! assert_eq!(summary.content, Content::Text("Wet.".to_owned()));
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod batch;
pub mod build;
mod claim_guard;
#[cfg(test)]
mod fixtures;
mod pending;
pub mod plan;
pub mod view;

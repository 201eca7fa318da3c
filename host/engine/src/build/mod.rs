//! The scheduler and its answerers: build a prepared pipeline and take its snapshot.
//!
//! A build runs units until each has its outputs, failed, or waits for an
//! answer. Sync, batch, replay and plan take the same path and differ only
//! in the `Answerer`.

mod answerer;
mod apply;
mod backlog;
mod budget;
mod circuit_breaker;
mod config_files;
mod digest_search;
mod dispatch;
mod error;
mod event;
mod failures;
mod file_digests;
mod handle;
mod held_runs;
mod known_answers;
mod layer_run;
mod layer_settings;
mod layers;
mod limit_excess;
mod limits;
mod load_plugins;
mod modes;
mod options;
mod plan;
mod plan_answerer;
mod plan_recorder;
mod pool;
mod pool_thread;
mod prediction;
mod prepare;
mod prepare_error;
mod previous;
mod progress;
mod provider_answerer;
mod query;
mod readers;
mod recorder;
mod remote;
mod replay;
mod requests_per_unit;
mod run;
mod scheduler;
mod shared;
mod sources;
mod spawn;
mod split;
mod store_recorder;
mod sync;
#[cfg(test)]
mod tests;
mod text_reader;
mod trial;
mod unchanged_layers;
mod unit;
mod unit_embeddings;
mod unit_model;
mod unit_question;
mod unit_repairs;

pub use crate::pending::Target;
pub use error::BuildError;
pub use event::{Event, LayerCounts, Observer};
pub use known_answers::AnswerSource;
pub use layers::{
    ReadyBody, ReadyLayer, ReadyPipeline, ReadyReader, ReadyTransform, RoleSettings, Roles,
};
pub use limit_excess::{LimitExcess, LimitKind};
pub use options::{BuildContext, BuildOptions, DEFAULT_CONCURRENCY};
pub use plan::{check_selection, plan};
pub use prepare::{PrepareContext, prepare};
pub use prepare_error::PrepareError;
pub use provider_answerer::WaitPolicy;
pub use query::{Query, QueryError};
pub use remote::{OutcomeError, UnitOutcomeError};
pub use requests_per_unit::RequestsPerUnit;
pub use run::{BuildEnd, run};
pub use sync::Providers;
pub use trial::{InvalidPattern, LabelRule, Selection, Trial, UnitPattern};

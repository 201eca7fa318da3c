//! The scheduler and its answerers: from a ready pipeline to a snapshot.
//!
//! A build runs units until each has its outputs, failed, or waits for an
//! answer. Sync, batch, replay and dry run take the same path and differ only
//! in the `Answerer`.

mod answerer;
mod apply;
mod backlog;
mod bounds;
mod budget;
mod drive;
mod dry;
mod error;
mod event;
mod handle;
mod held;
mod journal;
mod layers;
mod live;
mod modes;
mod outage;
mod plan;
mod pool;
mod prepare;
mod previous;
mod progress;
mod questions;
mod recall;
mod replay;
mod scheduler;
mod sources;
mod spawn;
mod sync;
mod unit;

pub use bounds::{Counted, Excess};
pub use drive::{Desk, Drive, Driven, drive};
pub use error::BuildError;
pub use event::{Event, LayerCounts, Observer};
pub use layers::{ReadyBody, ReadyLayer, ReadyPipeline, ReadyTransform, RoleSettings, Roles};
pub use live::WaitPolicy;
pub use plan::plan;
pub use prepare::{PrepareError, Workshop, prepare};
pub use questions::Questions;
pub use recall::Known;
pub use sync::Providers;

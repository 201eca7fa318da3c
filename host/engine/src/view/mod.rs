//! What the state says, as the documents that `--json` prints.
//!
//! Everything here only reads; how a document looks as text is the command's.

mod builds;
mod cost;
mod error;
mod failures;
mod find;
mod lineage;
mod list;
mod overview;
mod show;
mod snapshot;
mod status;

pub use builds::find_build;
pub use cost::Spent;
pub use error::ErrorView;
pub use failures::{FailureGroup, advice};
pub use find::{FindError, Found};
pub use lineage::{Edge, Lineage, Node, NodeKind};
pub use list::{Listed, final_artifacts};
pub use overview::{BuildAtWork, LastBuild, Overview, OverviewLayer};
pub use show::{AskedView, InputView, Provenance, Shown};
pub use snapshot::{SnapshotView, Stale, Wanted};
pub use status::{
    BatchView, BuildView, FailureView, LayerView, RequestsView, Status, TokensView, builds,
};

/// The version of every JSON document.
pub const SCHEMA: u32 = 1;

#[cfg(test)]
mod tests;

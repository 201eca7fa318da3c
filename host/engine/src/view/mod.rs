//! Views of the state: the documents that `--json` prints.
//!
//! Views only read. The commands format them as text.

mod builds;
mod cost;
mod costs;
mod diff;
mod diff_samples;
mod downstream;
mod error;
mod failures;
mod find;
mod find_error;
mod forecast;
mod graph;
mod lineage;
mod list;
mod log;
mod making;
mod overview;
mod page;
mod rates;
mod reasons;
mod show;
mod snapshot;
mod snapshots;
mod status;
mod text_diff;
mod trial_outputs;
mod unit_origin;

pub use builds::{BuildPage, BuildView, build_page, builds, find_build};
pub use cost::BuildCost;
pub use costs::{CostGroup, CostSum, Costs};
pub use diff::{ArtifactChange, Detail, LayerDiff, SnapshotDiff};
pub use error::ErrorView;
pub use failures::{FailureGroup, hint_for};
pub use find::FoundArtifact;
pub use find_error::FindError;
pub use forecast::{ForecastView, expectations};
pub use lineage::{Edge, Lineage, Node, NodeKind};
pub use list::{ArtifactView, final_artifacts};
pub use log::{BuildLog, LogEvent, LoggedEvent};
pub use making::{Making, Makings};
pub use overview::{LastBuild, OpenBuild, Overview, OverviewLayer};
pub use page::ArtifactPage;
pub use rates::{CallRates, Interval};
pub use show::{ArtifactDetail, InputView, Provenance, RequestView, SharedView};
pub use snapshot::{SnapshotRecord, SnapshotSelection, SnapshotView, StaleInfo};
pub use snapshots::{SnapshotSummary, snapshots};
pub use status::{BatchView, FailureView, LayerView, RequestCounts, Status, StepView, TokensView};
pub use text_diff::{Line, Passage, Piece, Side, TextDiff};
pub use trial_outputs::{OutputContent, TrialOutput};

/// The version of every JSON document.
pub const SCHEMA: u32 = 1;

#[cfg(test)]
mod tests;

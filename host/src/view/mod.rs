//! What the state says, as the documents that `--json` prints.
//!
//! Everything here only reads; how a document looks as text is the command's.

mod cost;
mod lineage;
mod list;
mod show;
mod status;

pub use lineage::{Edge, Lineage, Node, NodeKind};
pub use list::{FindError, Listed, final_artifacts, find, list};
pub use show::{AskedView, InputView, Provenance, Shown};
pub use status::{
    BatchView, BuildView, FailureView, LayerView, RequestsView, Status, TokensView, builds,
};

/// The version of every JSON document.
pub const SCHEMA: u32 = 1;

#[cfg(test)]
mod tests;

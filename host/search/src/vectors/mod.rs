//! The index of vectors, and the exact search for the nearest ones.
//!
//! The index has each number of a vector in one byte, so a search reads a quarter of what the vectors themselves take. How
//! far a rounded vector can be from the exact one is known, so only the few that may be among the nearest are read from the
//! state and compared exactly. The result is that of comparing every vector.

mod chunk;
mod nearest;
mod quantize;
mod target;

pub(crate) use nearest::{Candidates, Neighbour, nearest, spaces};
pub(crate) use quantize::{RoundedQuery, exact_dot};
pub(crate) use target::VectorTarget;

/// The vectors of one layer that one model made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Space {
    /// The layer of the embeddings.
    pub layer: String,
    /// The model that made them.
    pub model: String,
    /// The number of dimensions.
    pub dimensions: usize,
}

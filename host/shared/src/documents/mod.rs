//! The objects in the store as canonical JSON.

mod answer;
mod claim;

pub use answer::SharedAnswer;
pub use claim::{ClaimMode, SharedClaim};

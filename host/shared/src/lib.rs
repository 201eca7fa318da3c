//! Shared answers: answers that several machines keep in one object store, and the claims on their requests.
//!
//! An answer is an immutable object named by its request key. Before a request is sent, it is claimed by an object that is
//! created and never overwritten, so that two machines that meet at one request pay once. This crate owns the layout of
//! the store, its documents and the protocol; [`Objects`] is what it needs of a store. It opens no connection itself.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod client;
mod documents;
mod error;
mod memory;
mod objects;
mod paths;
mod settings;

pub use client::{
    DamagedObject, GcReport, HeldBy, Lease, Obtained, Published, SharedAnswers, SharedStatus,
};
pub use documents::{ClaimMode, SharedAnswer, SharedClaim};
pub use error::SharedError;
pub use memory::MemoryObjects;
pub use objects::{Creation, ObjectInfo, Objects, ObjectsError, ObjectsErrorKind, Operation};
pub use paths::{DEFAULT_NAMESPACE, is_namespace};
pub use settings::{DEFAULT_LEASE, MIN_LEASE, Monotonic, SharedSettings, SystemMonotonic};

//! Shared answers: answers that several machines keep in one object store, and the claims on their requests.
//!
//! An answer is an immutable object named by its request key. Before a request is sent, it is claimed by an object that is
//! created and never overwritten, so that two machines that meet at one request pay once. This crate owns the layout of
//! the store, its documents and the protocol; [`Objects`] is what it needs of a store. It opens no connection itself.
//! `docs/shared.md` says what the protocol promises.
//!
//! ```
//! use std::sync::Arc;
//! use synix_core::clock::Timestamp;
//! use synix_core::digest::Digest;
//! use synix_core::request::{Answer, Ending, RequestKey, Usage};
//! use synix_shared::{
//!     ClaimIntent, ClaimMode, MemoryObjects, Obtained, SharedAnswer, SharedAnswers, SharedSettings,
//! };
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
//! # runtime.block_on(async {
//! let store = Arc::new(MemoryObjects::default());
//! let client = |label: &str| {
//!     let settings = SharedSettings {
//!         name: "memory".to_owned(),
//!         namespace: "default".to_owned(),
//!         read_only: false,
//!         lease: std::time::Duration::from_secs(60),
//!         holder_label: label.to_owned(),
//!     };
//!     SharedAnswers::new(store.clone(), settings)
//! };
//! let (laptop, server) = (client("laptop")?, client("server")?);
//! let key = RequestKey(Digest::of(b"What is the capital of France?"));
//!
//! // The laptop may send the request. The server waits.
//! let (first, second) = (ClaimIntent::new(key)?, ClaimIntent::new(key)?);
//! let Obtained::Claimed(claim) = laptop.obtain(&first, false, ClaimMode::Call).await? else { panic!() };
//! let Obtained::Held(by) = server.obtain(&second, false, ClaimMode::Call).await? else { panic!() };
//! assert!(by.holder.starts_with("laptop-"));
//!
//! assert!(laptop.still_holds(&claim));
//! let answer = SharedAnswer {
//!     answer: Answer {
//!         text: "Paris".to_owned(),
//!         ending: Ending::Complete,
//!         model: "m-1".to_owned(),
//!         usage: Usage::default(),
//!         details: serde_json::Map::new(),
//!     },
//!     provider: "openai".to_owned(),
//!     model: "m".to_owned(),
//!     batch: None,
//!     time: Timestamp(1_794_700_799_000),
//! };
//! laptop.publish(key, &answer, Some(&claim)).await?;
//! let Obtained::Answered(found) = server.obtain(&second, false, ClaimMode::Call).await? else { panic!() };
//! assert_eq!(found, answer);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod client;
mod documents;
mod error;
mod machine;
mod memory;
mod objects;
mod paths;
mod settings;
#[cfg(test)]
mod torture;

pub use client::{
    DamagedObject, GcReport, HeldBy, Lease, Obtained, Published, SharedAnswers, SharedStatus,
};
pub use documents::{ClaimIntent, ClaimMode, SharedAnswer, SharedClaim};
pub use error::SharedError;
pub use memory::MemoryObjects;
pub use objects::{Creation, ObjectInfo, Objects, ObjectsError, ObjectsErrorKind, Operation};
pub use paths::{DEFAULT_NAMESPACE, is_namespace};
pub use settings::{Monotonic, SharedSettings, SystemMonotonic};

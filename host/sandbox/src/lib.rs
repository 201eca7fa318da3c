//! The sandbox: loads components that are transforms, and calls them.
//!
//! This crate is the only part of the host that uses WebAssembly: it exports no type of the engine or of the generated
//! bindings. Every call runs in a fresh instance without a clock, randomness, files or a network, so the same call
//! always gives the same result. A language runtime that requires WASI gets a deterministic one. The sandbox checks
//! everything that a guest returns before other crates see it.
//!
//! The caller passes a [`Model`] to each call. It answers the guest's requests, and the call returns it. The caller
//! decides which units to run and what to store.
//!
//! ```
//! use synix_core::artifact::{Artifact, Content};
//! use synix_core::request::{Answer, GuestRequest, Ending, Usage};
//! use synix_sandbox::{Call, Grants, Limits, Model, Run, Sandbox, UnitSpec, ModelResponse};
//!
//! /// Answers every request, or none. Without an answer the run ends, and starts again when the answer is known.
//! struct Scripted(Option<&'static str>);
//!
//! impl Model for Scripted {
//!     fn complete(&mut self, requests: Vec<GuestRequest>) -> ModelResponse {
//!         let Some(text) = self.0 else {
//!             return ModelResponse::Suspend;
//!         };
//!         let answer = Answer {
//!             text: text.to_owned(),
//!             ending: Ending::Complete,
//!             model: "scripted".to_owned(),
//!             usage: Usage::default(),
//!             details: serde_json::Map::new(),
//!         };
//!         ModelResponse::Answered(vec![answer; requests.len()])
//!     }
//! }
//!
//! let component = synix_components::component("map").expect("`map` is a first-party transform");
//! let plugin = Sandbox::new(1, None)?.load("map", &component)?;
//! let note = Artifact {
//!     label: "monday".parse()?,
//!     kind: "note".parse()?,
//!     content: Content::Text("It rained.".to_owned()),
//!     metadata: serde_json::from_str("{}")?,
//! };
//! let digest = note.digest()?;
//! let call = Call {
//!     unit: &UnitSpec { key: "monday".parse()?, inputs: vec![0], config: None },
//!     inputs: &[(note, digest)],
//!     config: r#"{"prompt": "Summarise: {{ content }}"}"#,
//!     limits: &Limits::default(),
//!     grants: Grants::ALL,
//! };
//! assert_eq!(plugin.execute(&call, Scripted(None)).run?, Run::Suspended);
//! let Run::Done { outputs, .. } = plugin.execute(&call, Scripted(Some("Wet."))).run? else {
//!     panic!("every answer is known");
//! };
//! assert_eq!(outputs[0].content, Content::Text("Wet.".to_owned()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod cache;
mod call;
mod compile;
mod complexity;
mod convert;
mod descriptor;
mod engine;
mod engine_error;
mod error;
mod fault;
#[cfg(test)]
mod fixture;
mod foreign;
mod imports;
mod interruption;
mod invocation;
mod limits;
mod load;
mod meter;
mod model;
mod reader;
mod repeated_calls;
mod split;
#[cfg(test)]
mod tests;
mod values;
mod wasi;
mod world;

use std::sync::Arc;

use synix_contract::bindings::TransformPre;
use synix_core::artifact::Metadata;
use synix_core::digest::Digest;
use synix_core::ids::{Kind, Label};

pub use cache::CompileCache;
pub use call::{Call, Execution, Run};
pub use compile::{CompileFailure, Compiler, CompilerServeError, serve as serve_compiler};
pub use complexity::TooComplex;
pub use descriptor::{Descriptor, InvalidDescriptor, Shape};
pub use engine::{HELD_INSTANCES, Sandbox};
pub use error::PluginError;
pub use fault::Fault;
pub use foreign::{Unacceptable, check_log, check_outputs};
pub use imports::log::{Level, LogLine};
pub use imports::reading::{Reading, ReceiverGone, SkipReason, Skipped};
pub use interruption::InterruptHandle;
pub use limits::{Limits, STACK_BYTES};
pub use model::{Grants, Model, ModelResponse, Refusal};
pub use reader::{ReadSummary, ReaderPlugin, ReaderRun};
pub use repeated_calls::{LoggedSplit, RepeatedCalls};
pub use split::{InvalidSplit, UnitSpec};
pub use values::{InvalidJson, InvalidOutput};
pub use world::World;

/// A loaded transform. Clones share the compiled code.
#[derive(Clone)]
pub struct Plugin {
    loaded: Arc<load::Loaded<TransformPre<imports::State>>>,
}

impl Plugin {
    /// Returns the name that the plugin was loaded under.
    pub fn name(&self) -> &str {
        &self.loaded.name
    }

    /// Returns the digest of the component's bytes.
    pub fn digest(&self) -> Digest {
        self.loaded.digest
    }

    /// Returns the plugin's description of itself.
    pub fn descriptor(&self) -> &Descriptor {
        &self.loaded.descriptor
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.name())
            .field("digest", &self.digest())
            .finish_non_exhaustive()
    }
}

/// What a plugin knows of an input while it splits: everything but the content.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The stable name within its layer.
    pub label: Label,
    /// The sort of artifact.
    pub kind: Kind,
    /// The digest of the whole artifact.
    pub digest: Digest,
    /// The artifact's metadata.
    pub metadata: Metadata,
}

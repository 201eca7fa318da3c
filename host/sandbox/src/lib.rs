//! The sandbox: loads components that are transforms, and calls them.
//!
//! This is the only door to wasm: no type of the engine or of the generated
//! bindings leaves the folder. Every call runs in a fresh instance without
//! clock, randomness, files or network, so the same call gives the same
//! result; a language runtime that requires WASI gets a frozen one. The sandbox
//! checks what a guest hands over before anyone else sees it.
//!
//! The [`Model`] that the caller gives to a call answers the guest's questions,
//! and the call hands it back. The caller decides which units to run and what
//! to keep of them.
//!
//! ```
//! use synix_core::artifact::{Artifact, Content};
//! use synix_core::request::{Answer, GuestRequest, Ending, Usage};
//! use synix_sandbox::{Call, Limits, Model, Run, Sandbox, UnitSpec, Verdict};
//!
//! /// Answers every request, or none: the run then ends, and starts anew once the answer is known.
//! struct Scripted(Option<&'static str>);
//!
//! impl Model for Scripted {
//!     fn complete(&mut self, asked: Vec<GuestRequest>) -> Verdict {
//!         let Some(text) = self.0 else {
//!             return Verdict::Suspend;
//!         };
//!         let answer = Answer {
//!             text: text.to_owned(),
//!             ending: Ending::Complete,
//!             model: "scripted".to_owned(),
//!             usage: Usage::default(),
//!             details: serde_json::Map::new(),
//!         };
//!         Verdict::Answered(vec![answer; asked.len()])
//!     }
//! }
//!
//! let component = synix_transforms::component("map").expect("`map` comes with synix");
//! let plugin = Sandbox::new(1, None)?.load("map", component)?;
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
//!     grants_llm: true,
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
mod convert;
mod descriptor;
mod engine;
mod error;
#[cfg(test)]
mod fixture;
mod form;
mod imports;
mod interruption;
mod limits;
mod load;
mod model;
mod repeat;
mod split;
#[cfg(test)]
mod tests;
mod values;
mod wasi;

use std::sync::Arc;

use synix_core::artifact::Metadata;
use synix_core::digest::Digest;
use synix_core::ids::{Kind, Label};

pub use cache::CompileCache;
pub use call::{Call, Executed, Run};
pub use compile::{CompileFailure, Compiler, ServeError, serve as serve_compiler};
pub use descriptor::{Descriptor, InvalidDescriptor, Shape};
pub use engine::Sandbox;
pub use error::{Fault, PluginError};
pub use form::TooComplex;
pub use imports::log::{Level, LogLine};
pub use interruption::Interruption;
pub use limits::{Limits, STACK_BYTES};
pub use model::{Model, Refusal, Verdict};
pub use repeat::{Division, RepeatedCalls};
pub use split::{InvalidSplit, UnitSpec};
pub use values::{InvalidJson, InvalidOutput};

/// A loaded transform. Clones share the compiled code.
#[derive(Clone)]
pub struct Plugin {
    loaded: Arc<load::Loaded>,
}

impl Plugin {
    /// Returns the name it was loaded under.
    pub fn name(&self) -> &str {
        &self.loaded.name
    }

    /// Returns the digest of the component's bytes.
    pub fn digest(&self) -> Digest {
        self.loaded.digest
    }

    /// Returns what the plugin says of itself.
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

/// All that a plugin may know of an input before it gets the content.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Stable name within its layer.
    pub label: Label,
    /// What sort of artifact it is.
    pub kind: Kind,
    /// The artifact's digest.
    pub digest: Digest,
    /// What else is known of it.
    pub metadata: Metadata,
}

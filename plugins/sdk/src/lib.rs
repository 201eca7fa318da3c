//! Write synix plugins in Rust: transforms, and [readers](Reader).
//!
//! A transform is a pure function from a unit and the model's answers to outputs. It implements [`Transform`], and the
//! macro [`export!`] exports it:
//!
//! ```
//! use synix_plugin::{Error, Header, Input, Output, Request, Shape, Transform, Unit};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Config {
//!     language: String,
//! }
//!
//! struct Translate;
//!
//! impl Transform for Translate {
//!     const NAME: &'static str = "translate";
//!     const VERSION: &'static str = "0.1.0";
//!     const SUMMARY: &'static str = "Translates each input";
//!     const SHAPE: Shape = Shape::PerInput;
//!     type Config = Config;
//!
//!     fn config_schema() -> String {
//!         r#"{
//!             "type": "object",
//!             "properties": {"language": {"type": "string"}},
//!             "required": ["language"],
//!             "additionalProperties": false
//!         }"#
//!         .to_owned()
//!     }
//!
//!     fn execute(_: &Unit, inputs: &[Input], config: &Config) -> Result<Vec<Output>, Error> {
//!         let mut outputs = Vec::new();
//!         for input in inputs {
//!             let request = Request::user(input.text()?).system(format!("Translate into {}.", config.language));
//!             let answer = synix_plugin::complete(&request)?;
//!             outputs.push(Output::text(&input.header.label, "translation", answer.text));
//!         }
//!         Ok(outputs)
//!     }
//! }
//!
//! synix_plugin::export!(Translate);
//!
//! // Outside of WebAssembly the model is a closure, so that you can test a transform like any function.
//! let ran = synix_plugin::testing::with_model(
//!     |_| synix_plugin::testing::says("Hallo"),
//!     || synix_plugin::testing::execute::<Translate>(
//!         &[synix_plugin::testing::input("a", "Hello")],
//!         r#"{"language": "German"}"#,
//!     ),
//! );
//! assert_eq!(ran.result.unwrap()[0].label, "a");
//! assert_eq!(ran.requests.len(), 1);
//! ```
//!
//! Compile it for `wasm32-unknown-unknown` as a `cdylib` and turn the module into a component.
//!
//! A transform must depend on nothing but its arguments and the answers, and must not keep state between calls.
//! `execute` runs again from its start each time an answer has arrived.

#![warn(missing_docs)]

// Generated code refers to this crate by its public name.
extern crate self as synix_plugin;

#[cfg(any(test, all(target_arch = "wasm32", feature = "arena")))]
#[allow(unsafe_code, reason = "an allocator hands out memory")]
mod arena;
pub mod bindings;
mod content;
pub mod embedding;
mod export;
pub mod label;
pub mod llm;
pub mod log;
#[cfg(feature = "template")]
mod outputs;
#[cfg(feature = "template")]
pub mod prompt;
mod reader;
pub mod reading;
#[cfg(feature = "schema")]
mod schema;
#[cfg(feature = "sources")]
#[doc(hidden)]
pub mod sources;
#[cfg(feature = "template")]
pub mod template;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod transform;

pub use bindings::synix::plugin::types::{
    Blob, Content, Descriptor, Header, Input, MetadataEntry, OtherError, Output, Shape,
    TransformError as Error, Unit,
};
#[doc(hidden)]
pub use export::{Exported, ExportedReader};
pub use llm::{LlmError, Request, Response, complete, complete_all};
pub use reader::Reader;
#[cfg(feature = "schema")]
pub use schema::schema_of;
pub use transform::Transform;

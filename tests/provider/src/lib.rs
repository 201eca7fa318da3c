//! A scripted replacement for the OpenAI and Anthropic APIs, including batches.
//!
//! It answers on 127.0.0.1 in the formats of the providers, fails as a [`Script`] says, and records in a [`Ledger`] everything that a client would pay for. `README.md` describes the script as JSON.
//!
//! ```
//! use synix_scripted_provider::{Endpoint, Fault, FaultKind, Rule, Script, ScriptedProvider};
//!
//! let provider = ScriptedProvider::start(
//!     Script::new()
//!         .rule(Rule::on("alice").text("a fine engineer"))
//!         .fault(Fault::on(Endpoint::BatchesCreate, FaultKind::LoseReply).once()),
//! );
//! assert!(provider.openai_url().ends_with("/v1"));
//! assert!(provider.ledger().duplicates().is_empty());
//! ```

#![warn(missing_docs)]

mod answer;
mod anthropic;
mod base64;
mod batch_plan;
mod call;
mod clock;
mod digest;
mod endpoint;
mod job;
mod ledger;
mod multipart;
mod openai;
mod paged_store;
mod parts;
mod prompt;
mod raw;
mod schema;
pub mod script;
mod script_state;
mod serve;
mod state;

pub use digest::BodyDigest;
pub use endpoint::Endpoint;
pub use ledger::{BatchSummary, Duplicate, Executed, Ledger, Pending, PriceClass};
pub use script::{
    Coding, Fault, FaultKind, MisplacedFault, Mode, Pace, RawReply, Reply, Rule, Script,
    StatusReply, ToolCall,
};
pub use serve::ScriptedProvider;

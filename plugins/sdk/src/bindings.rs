//! The contract as Rust types, generated from `wit/`; nothing here is written by hand.
//!
//! What `wit-bindgen` makes of it is kept: to compile the generator for each plugin would take longer than the plugin. A
//! test of the suite compares the two.

#![allow(
    missing_docs,
    redundant_imports,
    unreachable_pub,
    unsafe_code,
    unused_lifetimes,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated: values cross the boundary as numbers and pointers"
)]

include!("generated.rs");

/// The world `reader`.
pub mod reader {
    include!("generated_reader.rs");
}

pub use wit_bindgen::rt;

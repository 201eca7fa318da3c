//! The contract as Rust types, generated from `wit/`; nothing here is written by hand.

#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::allow_attributes_without_reason,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::too_many_arguments,
    clippy::semicolon_if_nothing_returned,
    clippy::unwrap_used,
    reason = "generated: values cross the boundary as numbers and pointers"
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "transform",
    additional_derives: [PartialEq],
    default_bindings_module: "synix_plugin::bindings",
    export_macro_name: "export_world",
    pub_export_macro: true,
    runtime_path: "synix_plugin::bindings::rt",
});

pub use wit_bindgen::rt;

//! WASI as Rust types, generated from `wit/wasi.wit`; the SDK's guests need none.

#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::allow_attributes_without_reason,
    clippy::semicolon_if_nothing_returned,
    reason = "generated: values cross the boundary as numbers and pointers"
)]

wit_bindgen::generate!({
    path: "wit",
    world: "wasi",
    generate_all,
});

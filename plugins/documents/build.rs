//! Gives the component a stack on which documents of any shape are read.

#[expect(
    clippy::disallowed_methods,
    reason = "a build script is told everything by its environment"
)]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Plugins get 64 KiB for the data on their stack. What takes pages apart needs more, and the last setting counts.
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        println!("cargo::rustc-cdylib-link-arg=-zstack-size=1048576");
    }
}

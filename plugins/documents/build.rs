//! Gives the component a stack on which documents of any shape are read.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Plugins get 64 KiB for the data on their stack; what takes PDF apart needs more, and the last word counts.
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        println!("cargo::rustc-cdylib-link-arg=-zstack-size=1048576");
    }
}

//! Many guests in one file: each has the one fault, or the one oddity, whose name stands in [`CHOSEN`].
//!
//! A test writes the name over the bytes of the finished component, so that a hundred guests cost one compilation.

#![allow(
    clippy::cast_possible_truncation,
    clippy::collapsible_match,
    reason = "each arm is one fault, as short as can be"
)]

#[path = "planted/describe.rs"]
mod describe;
#[path = "planted/execute.rs"]
mod execute;
#[path = "planted/good.rs"]
mod good;
#[path = "planted/kit.rs"]
mod kit;
#[path = "planted/split.rs"]
mod split;

use synix_plugin::bindings::Guest;
use synix_plugin::{Descriptor, Error, Header, Input, Output, Unit};

/// `synix-planted:`, then the name, filled up with full stops.
static CHOSEN: [u8; 48] = *b"synix-planted:..................................";

/// Returns the name of the fault.
fn chosen() -> &'static str {
    let whole = std::str::from_utf8(std::hint::black_box(&CHOSEN)).unwrap_or_default();
    let name = whole.split_once(':').map_or("", |(_, name)| name);
    name.trim_end_matches('.')
}

struct Planted;

impl Guest for Planted {
    fn describe() -> Descriptor {
        describe::describe(chosen())
    }

    fn split(inputs: Vec<Header>, config: String) -> Result<Vec<Unit>, Error> {
        split::split(chosen(), &inputs, &config)
    }

    fn execute(unit: Unit, inputs: Vec<Input>, config: String) -> Result<Vec<Output>, Error> {
        match chosen() {
            name if name.starts_with("good-") => good::execute(name, &unit, &inputs, &config),
            name => execute::execute(name, &unit, &inputs, &config),
        }
    }
}

#[cfg(target_arch = "wasm32")]
synix_plugin::bindings::export_world!(Planted with_types_in synix_plugin::bindings);
// Off WebAssembly nothing is exported; that it compiles is checked all the same.
#[cfg(not(target_arch = "wasm32"))]
const _: fn() -> Descriptor = <Planted as Guest>::describe;

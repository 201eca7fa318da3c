//! Traps without a word.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("trap", run);

fn run(_: &Input) -> Result<Vec<Output>, Error> {
    #[cfg(target_arch = "wasm32")]
    std::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort();
}

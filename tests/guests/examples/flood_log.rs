//! Writes 100 MB to the log.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("flood-log", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let line = "x".repeat(100_000);
    for _ in 0..1000 {
        synix_plugin::log::write(synix_plugin::log::Level::Info, &line);
    }
    Ok(vec![Output::text(&input.header.label, "text", "done")])
}

//! Makes millions of outputs without content.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("many-outputs", run);

fn run(_: &Input) -> Result<Vec<Output>, Error> {
    let output = |number: u32| Output::text(number.to_string(), "text", "");
    Ok((0..2_000_000).map(output).collect())
}

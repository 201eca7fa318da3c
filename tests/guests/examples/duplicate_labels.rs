//! Gives one output for each word of its input, with the word as label.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("duplicate-labels", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    Ok(input
        .text()?
        .split_whitespace()
        .map(|word| Output::text(word, "text", "the same again"))
        .collect())
}

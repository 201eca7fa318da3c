//! Cuts a text at a byte, whatever stands there.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("fault-unicode", run, []);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let text = input.text()?;
    let start = &text[..text.len().min(2)];
    Ok(vec![Output::text(&input.header.label, "text", start)])
}

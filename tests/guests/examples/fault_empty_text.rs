//! Takes it for granted that a text has a first word.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("fault-empty-text", run, []);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let text = input.text()?;
    assert!(!text.is_empty(), "a text has a first word");
    Ok(vec![Output::text(&input.header.label, "text", text)])
}

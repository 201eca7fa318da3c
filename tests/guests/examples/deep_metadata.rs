//! Gives its output metadata that is nested 100,000 deep.

use synix_plugin::{Error, Input, MetadataEntry, Output};

synix_test_guests::guest!("deep-metadata", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let mut output = Output::text(&input.header.label, "text", "fine");
    output.metadata.push(MetadataEntry {
        key: "deep".to_owned(),
        value: format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
    });
    Ok(vec![output])
}

//! Gives its output one metadata key twice.

use synix_plugin::{Error, Input, MetadataEntry, Output};

synix_test_guests::guest!("twice-metadata", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let entry = MetadataEntry {
        key: "one".to_owned(),
        value: "1".to_owned(),
    };
    let mut output = Output::text(&input.header.label, "text", "fine");
    output.metadata = vec![entry.clone(), entry];
    Ok(vec![output])
}

//! Gives its output metadata that is not JSON.

use synix_plugin::{Error, Input, MetadataEntry, Output};

synix_test_guests::guest!("bad-metadata", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let mut output = Output::text(&input.header.label, "text", "fine");
    output.metadata.push(MetadataEntry {
        key: "broken".to_owned(),
        value: "{".to_owned(),
    });
    Ok(vec![output])
}

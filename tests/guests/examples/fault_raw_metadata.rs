//! Puts the answer between quotes and calls it JSON.

use synix_plugin::{Error, Input, MetadataEntry, Output, Request};

synix_test_guests::guest!("fault-raw-metadata", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let answer = synix_plugin::complete(&Request::user(input.text()?))?.text;
    let first = answer.lines().next().unwrap_or_default();
    let mut output = Output::text(&input.header.label, "text", &answer);
    output.metadata.push(MetadataEntry {
        key: "first".to_owned(),
        value: format!("\"{first}\""),
    });
    Ok(vec![output])
}

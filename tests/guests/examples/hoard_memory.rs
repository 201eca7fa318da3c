//! Asks for four gigabytes.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("hoard-memory", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let mut hoard = Vec::new();
    for _ in 0..4096 {
        hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
    Ok(vec![Output::text(
        &input.header.label,
        "text",
        format!("{} MiB", hoard.len()),
    )])
}

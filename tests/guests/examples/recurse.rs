//! Calls itself until the stack is used up.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("recurse", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    Ok(vec![Output::text(
        &input.header.label,
        "text",
        deeper(0).to_string(),
    )])
}

fn deeper(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 32]);
    if depth == u64::MAX {
        0
    } else {
        deeper(depth + 1).wrapping_add(frame[7])
    }
}

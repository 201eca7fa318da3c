//! Looks for the sign and payload of a number that is none, which machines choose differently.

use std::hint::black_box;

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("nan-bits", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let none = black_box(0.0_f64) / black_box(0.0);
    let bits = [none, -none, black_box(-1.0_f64).sqrt() + none];
    let text: Vec<String> = bits
        .iter()
        .map(|bits| format!("{:016x}", bits.to_bits()))
        .collect();
    Ok(vec![Output::text(
        &input.header.label,
        "text",
        text.join(" "),
    )])
}

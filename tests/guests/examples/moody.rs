//! Misbehaves for inputs that name a mood, and asks one question for any other.

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("moody", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let text = input.text()?;
    if text.contains("boom") {
        panic!("boom");
    }
    if text.contains("spin") {
        loop {
            std::hint::black_box(());
        }
    }
    let mut hoard = Vec::new();
    while text.contains("hoard") {
        hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
    let label = &input.header.label;
    if text.contains("flood") {
        return Ok(vec![Output::text(label, "text", "x".repeat(100_000_000))]);
    }
    let answer = synix_plugin::complete(&Request::user(text))?.text;
    Ok(vec![Output::text(label, "text", answer)])
}

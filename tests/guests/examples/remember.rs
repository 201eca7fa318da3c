//! Counts in a static how often it ran; each unit must find zero.

use std::sync::atomic::{AtomicU32, Ordering};

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("remember", run);

static RAN: AtomicU32 = AtomicU32::new(0);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let before = RAN.fetch_add(1, Ordering::Relaxed);
    let answer = synix_plugin::complete(&Request::user(input.text()?))?.text;
    Ok(vec![Output::text(
        &input.header.label,
        "text",
        format!("ran {before} times before; {answer}"),
    )])
}

//! Numbers its questions in a static.

use std::sync::atomic::{AtomicU32, Ordering};

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("fault-counter", run);

static ASKED: AtomicU32 = AtomicU32::new(0);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let number = ASKED.fetch_add(1, Ordering::Relaxed);
    let question = format!("Question {number}: {}", input.text()?);
    let answer = synix_plugin::complete(&Request::user(question))?.text;
    Ok(vec![Output::text(&input.header.label, "text", answer)])
}

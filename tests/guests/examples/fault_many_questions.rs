//! Asks until the answer pleases it.

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("fault-many-questions", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let mut sample = 0;
    loop {
        let question = Request::user(input.text()?).sample(sample);
        let answer = synix_plugin::complete(&question)?.text;
        if answer.starts_with("First") {
            return Ok(vec![Output::text(&input.header.label, "text", answer)]);
        }
        sample += 1;
    }
}

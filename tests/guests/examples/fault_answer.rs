//! Takes it for granted that the answer is in two lines.

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("fault-answer", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let answer = synix_plugin::complete(&Request::user(input.text()?))?.text;
    let Some((_, second)) = answer.split_once('\n') else {
        panic!("the answer has one line");
    };
    Ok(vec![Output::text(&input.header.label, "text", second)])
}

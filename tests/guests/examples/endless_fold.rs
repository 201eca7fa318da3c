//! Asks question after question.

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("endless-fold", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let mut text = input.text()?.to_owned();
    loop {
        text = synix_plugin::complete(&Request::user(text))?.text;
    }
}

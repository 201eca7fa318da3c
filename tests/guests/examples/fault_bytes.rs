//! Takes it for granted that an input is text.

use synix_plugin::{Content, Error, Input, Output};

synix_test_guests::guest!("fault-bytes", run, []);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let Content::Text(text) = &input.content else {
        panic!("not text");
    };
    Ok(vec![Output::text(&input.header.label, "text", text)])
}

//! Makes a picture of each input, for transforms that take text.

use synix_plugin::{Blob, Content, Error, Input, Output};

synix_test_guests::guest!("picture", run, []);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let mut made = Output::text(&input.header.label, "picture", "");
    made.content = Content::Bytes(Blob {
        media_type: "image/png".to_owned(),
        data: vec![0x89, b'P', b'N', b'G'],
    });
    Ok(vec![made])
}

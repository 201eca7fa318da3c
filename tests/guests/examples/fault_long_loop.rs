//! Never ends where a text is long.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("fault-long-loop", run, []);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let mut at = 0_usize;
    while input.text()?.len() > 100_000 {
        at = std::hint::black_box(at.wrapping_add(1));
    }
    Ok(vec![Output::text(&input.header.label, "text", "done")])
}

//! Never ends.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("spin", run);

fn run(_: &Input) -> Result<Vec<Output>, Error> {
    loop {
        std::hint::black_box(());
    }
}

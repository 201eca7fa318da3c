//! Makes an output of random bytes and the time, before and after a long sleep.

use synix_plugin::{Error, Input, Output};
use synix_test_guests::wasi::wasi::clocks::{monotonic_clock, wall_clock};
use synix_test_guests::wasi::wasi::random::random;

synix_test_guests::guest!("wasi-random", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let before = monotonic_clock::now();
    monotonic_clock::subscribe_duration(u64::MAX).block();
    let text = format!(
        "{:?} {:x} {}.{:09} {}",
        random::get_random_bytes(40),
        random::get_random_u64(),
        wall_clock::now().seconds,
        wall_clock::now().nanoseconds,
        monotonic_clock::now() - before
    );
    Ok(vec![Output::text(&input.header.label, "text", text)])
}

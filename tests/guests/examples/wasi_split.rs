//! Prints while it describes itself and while it divides its inputs, in an order that it draws.

use synix_plugin::{Error, Header, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;
use synix_test_guests::wasi::wasi::cli::stdout::get_stdout;
use synix_test_guests::wasi::wasi::random::random;

struct WasiSplit;

impl Transform for WasiSplit {
    const NAME: &'static str = "wasi-split";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest for tests";
    const SHAPE: Shape = Shape::Grouped;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn config_schema() -> String {
        let _ = get_stdout().blocking_write_and_flush(b"described\n");
        NoConfig::SCHEMA.to_owned()
    }

    fn split(inputs: &[Header], _: &NoConfig) -> Result<Vec<Unit>, Error> {
        let _ = get_stdout().blocking_write_and_flush(b"divided\n");
        let unit = |(header, position): (&Header, u32)| Unit {
            key: format!("{}-{:016x}", header.label, random::get_random_u64()),
            inputs: vec![position],
            config: None,
        };
        Ok(inputs.iter().zip(0..).map(unit).collect())
    }

    fn execute(unit: &Unit, _: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        Ok(vec![Output::text(&unit.key, "text", "done")])
    }
}

synix_plugin::export!(WasiSplit);

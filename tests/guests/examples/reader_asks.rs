//! A reader that asks a model, which no host lets it do.

use synix_plugin::reading::{File, emit};
use synix_plugin::{Error, Output, Reader, Request};
use synix_test_guests::NoConfig;

struct Asks;

impl Reader for Asks {
    const NAME: &'static str = "reader-asks";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest for tests";
    type Config = NoConfig;

    fn config_schema() -> String {
        NoConfig::SCHEMA.to_owned()
    }

    fn read(file: &File<'_>, _: &NoConfig) -> Result<(), Error> {
        let answer = synix_plugin::complete(&Request::user("What is in it?"))?.text;
        emit(Output::text(file.name(), "text", answer));
        Ok(())
    }
}

synix_plugin::export_reader!(Asks);

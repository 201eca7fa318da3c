//! Makes each row of a table an artifact: of JSON Lines, a JSON array, CSV or TSV.
//!
//! Here is what a layer sets. `format` finds out what a file is, `csv`, `dialect` and `columns` split one kind of it,
//! `values` keeps numbers exact, `maker` makes an artifact of a row by its `templates`, `tally` counts, and `reading`
//! goes through a file.

mod columns;
mod config;
mod csv;
mod dialect;
mod format;
mod maker;
mod reading;
mod row;
mod tally;
mod templates;
mod values;

use synix_plugin::reading::File;
use synix_plugin::{Error, Reader, schema_of};

use config::Config;

/// The reader.
#[derive(Debug)]
pub struct Rows;

impl Reader for Rows {
    const NAME: &'static str = "rows";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str =
        "Makes each row of a JSON Lines, JSON, CSV or TSV file an artifact";
    type Config = Config;

    fn config_schema() -> String {
        schema_of::<Config>()
    }

    fn read(file: &File<'_>, config: &Config) -> Result<(), Error> {
        reading::read(file, config)
    }
}

synix_plugin::export_reader!(Rows);

//! The reader `mail`: mailboxes in the format mbox, and messages in files of their own.
//!
//! A mailbox is read twice. The first time finds where each message begins and what it answers; the second reads the
//! messages of one thread after the other. So the memory is that of the headers and of one thread, whatever the size.
//!
//! `mail-parser` takes messages apart: it is complete, safe on any input, and small in WebAssembly. Its own splitter of
//! mailboxes is not used: it holds a message with its attachments, and divides at each line that begins with `From `.

mod kind;
mod label;
mod letter;
mod lines;
mod load;
mod mailbox;
mod mbox;
mod packed;
mod pile;
mod quotes;
mod scan;
mod threads;
mod write;
mod writer;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synix_plugin::reading::File;
use synix_plugin::{Error, Reader, schema_of};

/// The reader.
#[derive(Debug)]
pub struct Mail;

/// What a layer sets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What an artifact is: a `thread` with all of its messages in this file, or one `message`.
    #[serde(default)]
    unit: Unit,
    /// `fold` leaves out the letter that is answered where it is repeated below the answer, and shortens long quotations between paragraphs. `keep` leaves each message as it is.
    #[serde(default)]
    quotes: Quotes,
    /// The labels of Gmail whose messages are left out, in the language of the account.
    #[serde(default = "unwanted")]
    exclude_labels: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Unit {
    #[default]
    Thread,
    Message,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Quotes {
    #[default]
    Fold,
    Keep,
}

fn unwanted() -> Vec<String> {
    vec!["Spam".to_owned(), "Trash".to_owned()]
}

impl Reader for Mail {
    const NAME: &'static str = "mail";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Reads mailboxes (mbox) and messages (eml)";
    type Config = Config;

    fn config_schema() -> String {
        schema_of::<Config>()
    }

    fn read(file: &File<'_>, config: &Config) -> Result<(), Error> {
        pile::read(file, config)
    }
}

synix_plugin::export_reader!(Mail);

#[cfg(test)]
mod tests;

//! Reads conversations from the exports and files of chat services; no model is asked.
//!
//! A file is told apart by its structure, over several of its records, never by its name. `input` walks through a file
//! and its archives, `head` says what form it has, `format` what a record is, and each module of `formats` what its
//! records mean. All of them make a [`Conversation`](conversation::Conversation), which `collection` hands over as
//! `split` and `markdown` write it.
//!
//! Exports are text of strangers: other people's words, damaged and hostile bytes. A record that cannot be read is left
//! out with its place and reason, and never loses the file.

#![forbid(unsafe_code)]

mod body;
mod collection;
mod config;
mod conversation;
mod format;
mod formats;
mod head;
mod html;
mod input;
mod json;
mod label;
mod markdown;
mod object;
mod records;
mod repair;
mod split;
mod tree;
mod when;

use synix_plugin::reading::File;
use synix_plugin::{Error, Reader, schema_of};

pub use config::Config;

/// The reader `chats`.
#[derive(Debug)]
pub struct Chats;

impl Reader for Chats {
    const NAME: &'static str = "chats";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Reads conversations from exports of chat services";
    type Config = Config;

    fn config_schema() -> String {
        schema_of::<Config>()
    }

    fn read(file: &File<'_>, config: &Config) -> Result<(), Error> {
        config.check()?;
        input::read(file, config)
    }
}

synix_plugin::export_reader!(Chats);

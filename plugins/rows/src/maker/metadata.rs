//! The metadata of a row: the fields that are not in its content, or those that the config names.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;
use synix_plugin::{Error, MetadataEntry};

use super::{Maker, Origin};
use crate::config::Metadata;
use crate::row::Row;

/// The metadata that each row has, whatever its fields are.
const FILE: &str = "file";
/// The most characters of a metadata key, as the contract has it.
const MAX_KEY_CHARS: usize = 128;

impl Maker<'_> {
    pub(super) fn metadata(&self, row: &Row, origin: &Origin) -> Vec<MetadataEntry> {
        let mut entries = vec![MetadataEntry {
            key: FILE.to_owned(),
            value: origin.file.clone(),
        }];
        let mut taken = BTreeSet::from([Cow::Borrowed(FILE)]);
        let mut add = |name: &str, value: &Value| {
            // What a row does not say is absent.
            let is_absent = value.is_null() || value.as_str().is_some_and(str::is_empty);
            let key = key_of(name);
            if is_absent || key.is_empty() || taken.contains(key.as_str()) {
                return;
            }
            entries.push(MetadataEntry {
                key: key.clone(),
                value: value.to_string(),
            });
            taken.insert(Cow::Owned(key));
        };
        match &self.config.metadata {
            Some(Metadata::Renamed(fields)) => {
                for (name, field) in fields {
                    if let Some(value) = row.get(field) {
                        add(name, value);
                    }
                }
            }
            Some(Metadata::Fields(fields)) => {
                for field in fields {
                    if let Some(value) = row.get(field) {
                        add(field, value);
                    }
                }
            }
            None => {
                for (name, value) in row.fields() {
                    if !self.in_content.contains(name) {
                        add(name, value);
                    }
                }
            }
        }
        entries
    }
}

/// Refuses a name of metadata that the artifacts would not have.
pub(super) fn check_name(name: &str) -> Result<(), Error> {
    if name == FILE {
        return Err(Error::InvalidConfig(format!(
            "`metadata` gives a field the name `{FILE}`, which is the path of the file: choose another name"
        )));
    }
    if name.is_empty() || key_of(name) != name {
        return Err(Error::InvalidConfig(format!(
            "`metadata` has the name {name:?}: write 1 to {MAX_KEY_CHARS} characters without a control character, and \
             without a space at the start or the end"
        )));
    }
    Ok(())
}

/// Makes a metadata key of a field's name.
fn key_of(name: &str) -> String {
    let visible = name.trim().chars().map(|character| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    });
    visible.take(MAX_KEY_CHARS).collect()
}

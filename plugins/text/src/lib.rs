//! Makes each text file an artifact.
//!
//! [`note`] is all that it does with the bytes of a file, and [`label_of`] with its path. Both know nothing of the host,
//! which reads most texts by them without a component. [`Text`] is the reader around them.
//!
//! ```
//! let note = synix_text::note("2026-01-02 Visit.md", b"---\nwho: Ann\n---\nIt rained.".to_vec()).unwrap();
//! assert_eq!(note.text, "It rained.");
//! assert_eq!(note.metadata["who"], "Ann");
//! assert_eq!(note.metadata["date"], "2026-01-02");
//! assert_eq!(synix_text::label_of("notes/2026/visit.md", "notes"), "2026/visit");
//! ```

mod front_matter;
mod note;

use schemars::JsonSchema;
use serde::Deserialize;
use synix_plugin::reading::{self, File};
use synix_plugin::{Error, MetadataEntry, Output, Reader, schema_of};
use synix_reading::label::without_extension;

pub use note::{FrontMatterProblem, MAX_FILE_BYTES, Metadata, Note, Problem, note};

/// The reader.
#[derive(Debug)]
pub struct Text;

/// What a layer sets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The kind of the artifacts.
    #[serde(default = "source")]
    #[schemars(length(min = 1, max = 128))]
    kind: String,
    /// The folder that labels leave out, below the project folder.
    #[serde(default)]
    folder: String,
}

fn source() -> String {
    "source".to_owned()
}

impl Reader for Text {
    const NAME: &'static str = "text";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Makes each text file an artifact";
    type Config = Config;

    fn config_schema() -> String {
        schema_of::<Config>()
    }

    fn read(file: &File<'_>, config: &Config) -> Result<(), Error> {
        let path = file.name();
        let invalid = |problem: Problem| Error::InvalidInput(problem.in_file(&path));
        let note = note(&path, bytes_of(file).map_err(invalid)?).map_err(invalid)?;
        let mut output = Output::text(label_of(&path, &config.folder), &config.kind, note.text);
        let entries = note.metadata.into_iter().map(|(key, value)| MetadataEntry {
            key,
            value: value.to_string(),
        });
        output.metadata.extend(entries);
        reading::emit(output);
        Ok(())
    }
}

synix_plugin::export_reader!(Text);

/// Returns the label of a file: its path below `folder`, without the extension.
pub fn label_of<'p>(path: &'p str, folder: &str) -> &'p str {
    let below = path
        .strip_prefix(folder)
        .filter(|rest| folder.is_empty() || folder.ends_with('/') || rest.starts_with('/'))
        .unwrap_or(path);
    without_extension(below.trim_start_matches('/'))
}

fn bytes_of(file: &File<'_>) -> Result<Vec<u8>, Problem> {
    let size = file.size();
    if size > MAX_FILE_BYTES {
        return Err(Problem::TooLarge);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    while (bytes.len() as u64) < size {
        let part = file.read_at(bytes.len() as u64, reading::MAX_READ_BYTES);
        if part.is_empty() {
            break;
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

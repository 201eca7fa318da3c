//! What a reader is.

use serde::de::DeserializeOwned;

use crate::Error;
use crate::reading::File;

/// A pure function from a file to artifacts.
///
/// It hands over each artifact with [`emit`](crate::reading::emit) as soon as it has it, and reports what it leaves out
/// with [`skip`](crate::reading::skip). Hand a reader over with [`export_reader!`](crate::export_reader).
///
/// ```
/// use synix_plugin::reading::{self, File, Reason};
/// use synix_plugin::{Error, Output, Reader};
/// use std::io::BufRead as _;
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Config {}
///
/// /// One artifact for each line.
/// struct Lines;
///
/// impl Reader for Lines {
///     const NAME: &'static str = "lines";
///     const VERSION: &'static str = "0.1.0";
///     const SUMMARY: &'static str = "Makes each line an artifact";
///     type Config = Config;
///
///     fn config_schema() -> String {
///         r#"{"type": "object", "additionalProperties": false}"#.to_owned()
///     }
///
///     fn read(file: &File, _: &Config) -> Result<(), Error> {
///         for (line, text) in file.reader().lines().enumerate() {
///             reading::at(&format!("line {}", line + 1));
///             match text {
///                 Ok(text) if text.is_empty() => reading::skip("an empty line", Reason::Empty),
///                 Ok(text) => reading::emit(Output::text(format!("{}-{}", file.name(), line + 1), "line", text)),
///                 Err(error) => reading::skip(&error.to_string(), Reason::Unreadable),
///             }
///         }
///         Ok(())
///     }
/// }
///
/// synix_plugin::export_reader!(Lines);
///
/// // Off WebAssembly a reader is a function like any other.
/// let ran = synix_plugin::testing::read::<Lines>("notes.txt", b"one\n\nthree\n", "{}");
/// assert_eq!(ran.outputs.len(), 2);
/// assert_eq!(ran.skipped[0].place, "line 2");
/// ```
pub trait Reader {
    /// Lower-case letters, digits and hyphens.
    const NAME: &'static str;
    /// The plugin's own version.
    const VERSION: &'static str;
    /// One line for people.
    const SUMMARY: &'static str;

    /// What a layer sets; `deny_unknown_fields` belongs on it.
    type Config: DeserializeOwned;

    /// Returns the JSON Schema of [`Config`](Self::Config).
    fn config_schema() -> String;

    /// Reads one file. An error fails the file as a whole, so prefer to skip a part that cannot be read.
    fn read(file: &File<'_>, config: &Self::Config) -> Result<(), Error>;
}

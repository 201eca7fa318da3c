//! What a layer sets.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a layer sets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What becomes the content: a field, several fields with an empty line between them, or a Jinja template such as `{{ subject }}: {{ body }}`. In a template each field is a variable; `row` has all of them, for names that are no variables: `row["Order ID"]`.
    pub(crate) content: Content,
    /// What becomes the label: a field or a Jinja template. Without it the label is the path of the file without its extension, and the line; or, in a JSON array, the number of the element.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) label: Option<String>,
    /// The kind of the artifacts.
    #[serde(default = "row")]
    #[schemars(length(min = 1, max = 128))]
    pub(crate) kind: String,
    /// The fields that become metadata: a list of them, or a table such as `{ author = "user.name" }` that gives each one a name of its own. Without it all fields that the content does not name. The path of the file is always there as `file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Metadata")]
    pub(crate) metadata: Option<Metadata>,
    /// Which rows become artifacts: a Jinja expression such as `status == "closed"`. In CSV and TSV all values are texts: write `priority | int > 2`.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) condition: Option<String>,
    /// The JSON Pointer of the array with the rows, such as `/data/items`; without it the whole file is the array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) pointer: Option<String>,
    /// What the file is: `jsonl`, `json`, `csv` or `tsv`; `auto` finds it out.
    #[serde(default)]
    pub(crate) format: Format,
    /// The character between the fields of CSV; without it `,`, `;`, a tab or `|`, whichever divides the first rows evenly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 1))]
    pub(crate) delimiter: Option<String>,
    /// The names of the fields of CSV or TSV without a header line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<String>")]
    pub(crate) columns: Option<Vec<String>>,
    /// What CSV and TSV are written in: `utf-8`, also UTF-16 with a byte order mark, or `windows-1252`, as older programs in Western Europe and America do.
    #[serde(default)]
    pub(crate) encoding: Encoding,
    /// What becomes of a row that cannot be read: `skip` leaves it out and reports it, `error` fails the file.
    #[serde(default)]
    pub(crate) on_error: OnError,
}

fn row() -> String {
    "row".to_owned()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`content` is a text or a list of field names")]
#[schemars(inline)]
pub(crate) enum Content {
    One(#[schemars(length(min = 1))] String),
    Many(#[schemars(length(min = 1))] Vec<String>),
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "`metadata` is a list of field names, or a table of names with the field for each"
)]
#[schemars(inline)]
pub(crate) enum Metadata {
    Fields(Vec<String>),
    /// The name of each entry, and its field.
    Renamed(BTreeMap<String, String>),
}

#[derive(Debug, Deserialize, Serialize, JsonSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Format {
    #[default]
    Auto,
    Jsonl,
    Json,
    Csv,
    Tsv,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "windows-1252")]
    Windows1252,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum OnError {
    #[default]
    Skip,
    Error,
}

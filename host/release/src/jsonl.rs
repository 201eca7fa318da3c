//! JSON Lines.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use super::ReleaseError;
use super::columns::content;
use super::rows::Rows;
use synix_core::artifact::Metadata;
use synix_engine::view::Provenance;

#[derive(Serialize)]
struct Line<'a> {
    layer: &'a str,
    label: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'a str>,
    metadata: &'a Metadata,
    provenance: &'a Provenance,
}

pub(super) fn write(rows: &Rows<'_>, out: &mut dyn Write) -> Result<u64, ReleaseError> {
    let mut count = 0;
    let mut line = Vec::new();
    rows.for_each(|row| {
        line.clear();
        let provenance = rows.provenance(&row)?;
        let value = Line {
            layer: &row.layer,
            label: &row.label,
            kind: &row.kind,
            data: row.data.as_ref(),
            content: content(&row),
            media_type: row.content.media_type(),
            metadata: &row.metadata,
            provenance: &provenance,
        };
        serde_json::to_writer(&mut line, &value)
            .map_err(|error| ReleaseError::Write(io::Error::other(error)))?;
        line.push(b'\n');
        out.write_all(&line).map_err(ReleaseError::Write)?;
        count += 1;
        Ok::<_, ReleaseError>(())
    })?;
    Ok(count)
}

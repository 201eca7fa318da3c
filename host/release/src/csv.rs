//! Comma-separated values.

use std::io::{self, Write};

use csv::WriterBuilder;
use serde_json::Value;

use super::ReleaseError;
use super::columns::{FIXED, Members, content, heading, metadata};
use super::rows::Rows;

/// The size of the buffer of the output.
const BUFFER_BYTES: usize = 1 << 16;

pub(super) fn write(rows: &Rows<'_>, out: &mut dyn Write) -> Result<u64, ReleaseError> {
    let members = Members::of(rows)?;
    let mut writer = WriterBuilder::new()
        .buffer_capacity(BUFFER_BYTES)
        .from_writer(out);
    let failed = |error: csv::Error| ReleaseError::Write(io_error(error));
    let fixed = FIXED.iter().map(|&name| name.to_owned());
    let headings = fixed.chain(members.iter().map(|(name, _)| heading(name)));
    writer
        .write_record(headings.collect::<Vec<_>>())
        .map_err(failed)?;
    let mut count = 0;
    rows.for_each(|row| {
        count += 1;
        let fields = [row.layer.as_str(), &row.label, &row.kind];
        for field in fields {
            writer.write_field(field).map_err(failed)?;
        }
        let content = content(&row).unwrap_or_default();
        writer.write_field(content.as_bytes()).map_err(failed)?;
        writer.write_field(metadata(&row)).map_err(failed)?;
        for (name, _) in members.iter() {
            let value = row.data.as_ref().and_then(|data| data.get(name));
            writer.write_field(cell(value)).map_err(failed)?;
        }
        // No field of its own: this ends the record.
        writer.write_record(None::<&[u8]>).map_err(failed)
    })?;
    writer.flush().map_err(ReleaseError::Write)?;
    Ok(count)
}

/// Returns the error of the output itself, so that callers see a closed pipe or a full disk.
fn io_error(error: csv::Error) -> io::Error {
    error.into()
}

/// Returns a value as a cell: a text as it is, nothing for null, anything else as JSON.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_is_a_text_or_json() {
        assert_eq!(cell(Some(&json!("a, \"b\""))), "a, \"b\"");
        assert_eq!(cell(Some(&json!(["a", 1]))), r#"["a",1]"#);
        assert_eq!(cell(Some(&Value::Null)), "");
        assert_eq!(cell(None), "");
    }
}

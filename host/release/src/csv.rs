//! Comma-separated values.
//!
//! The members of answers in JSON are columns, so the rows are read twice: first for the names of the columns.

use std::collections::BTreeSet;
use std::io::{self, Write};

use csv::WriterBuilder;
use serde_json::Value;

use super::ReleaseError;
use super::rows::{Row, Rows};

/// The columns of every artifact.
const COLUMNS: [&str; 5] = ["layer", "label", "kind", "content", "metadata"];

pub(super) fn write(rows: &Rows<'_>, out: &mut dyn Write) -> Result<u64, ReleaseError> {
    let mut members = BTreeSet::new();
    rows.for_each(|row| {
        let names = row.data.into_iter().flatten().map(|(name, _)| name);
        members.extend(names);
        Ok(())
    })?;
    let mut writer = WriterBuilder::new().from_writer(out);
    let headings = COLUMNS.iter().map(|&name| name.to_owned());
    let headings = headings.chain(members.iter().map(|name| heading(name)));
    let failed = |error: csv::Error| ReleaseError::Write(io::Error::other(error));
    writer
        .write_record(headings.collect::<Vec<_>>())
        .map_err(failed)?;
    let mut count = 0;
    rows.for_each(|row| {
        count += 1;
        writer.write_record(cells(row, &members)).map_err(failed)
    })?;
    writer.flush().map_err(ReleaseError::Write)?;
    Ok(count)
}

/// Returns the heading of a member. A member that is called like a column of every artifact gets a prefix.
fn heading(member: &str) -> String {
    if COLUMNS.contains(&member) {
        format!("data.{member}")
    } else {
        member.to_owned()
    }
}

fn cells(row: Row, members: &BTreeSet<String>) -> Vec<String> {
    let metadata = Value::from_iter(row.metadata);
    let mut cells = vec![
        row.layer,
        row.label,
        row.kind,
        row.content.unwrap_or_default(),
        metadata.to_string(),
    ];
    let data = row.data.unwrap_or_default();
    cells.extend(members.iter().map(|name| cell(data.get(name))));
    cells
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
    fn a_member_called_like_a_column_has_a_heading_of_its_own() {
        assert_eq!(heading("label"), "data.label");
        assert_eq!(heading("product"), "product");
    }

    #[test]
    fn a_cell_is_a_text_or_json() {
        assert_eq!(cell(Some(&json!("a, \"b\""))), "a, \"b\"");
        assert_eq!(cell(Some(&json!(["a", 1]))), r#"["a",1]"#);
        assert_eq!(cell(Some(&Value::Null)), "");
        assert_eq!(cell(None), "");
    }
}

//! Apache Parquet: the columns of `csv` with types.

use std::io::Write;

use serde_json::Value;
use synix_parquet::{Cell, Column, ColumnType, Table};

use super::ReleaseError;
use super::columns::{MemberType, Members, content, heading, metadata};
use super::rows::{Row, Rows};

pub(super) fn write(rows: &Rows<'_>, out: &mut dyn Write) -> Result<u64, ReleaseError> {
    let members = Members::of(rows)?;
    let mut columns = vec![
        Column::required("layer", ColumnType::Text),
        Column::required("label", ColumnType::Text),
        Column::required("kind", ColumnType::Text),
        Column::optional("content", ColumnType::Text),
        Column::required("metadata", ColumnType::Json),
    ];
    columns.extend(members.iter().map(|(name, kind)| {
        let kind = match kind {
            MemberType::Bool => ColumnType::Bool,
            MemberType::Int => ColumnType::Int,
            MemberType::Float => ColumnType::Float,
            MemberType::Null | MemberType::Text => ColumnType::Text,
            MemberType::Json => ColumnType::Json,
        };
        Column::optional(&heading(name), kind)
    }));
    let mut table = Table::new(&columns, out).map_err(ReleaseError::Write)?;
    let mut count = 0;
    rows.for_each(|row| {
        count += 1;
        table
            .push(cells(&row, &members))
            .map_err(ReleaseError::Write)
    })?;
    table.finish().map_err(ReleaseError::Write)?;
    Ok(count)
}

fn cells(row: &Row, members: &Members) -> Vec<Cell> {
    let text = |text: &str| Cell::Text(text.to_owned());
    let content = content(row).map(|content| Cell::Text(content.into_owned()));
    let mut cells = vec![
        text(&row.layer),
        text(&row.label),
        text(&row.kind),
        content.unwrap_or(Cell::Null),
        Cell::Text(metadata(row)),
    ];
    cells.extend(members.iter().map(|(name, kind)| {
        let value = row.data.as_ref().and_then(|data| data.get(name));
        value.map_or(Cell::Null, |value| cell(value, kind))
    }));
    cells
}

fn cell(value: &Value, kind: MemberType) -> Cell {
    match (kind, value) {
        (_, Value::Null) => Cell::Null,
        (MemberType::Json, value) => Cell::Text(value.to_string()),
        (MemberType::Float, value) => value.as_f64().map_or(Cell::Null, Cell::Float),
        (_, Value::Bool(value)) => Cell::Bool(*value),
        (_, Value::Number(number)) => number.as_i64().map_or(Cell::Null, Cell::Int),
        (_, Value::String(text)) => Cell::Text(text.clone()),
        (_, Value::Array(_) | Value::Object(_)) => Cell::Null,
    }
}

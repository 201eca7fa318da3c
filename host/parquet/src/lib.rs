//! Tables as Apache Parquet, written row by row to a stream.
//!
//! This crate is an optional part of synix, because the library behind it takes long to compile.
//!
//! ```
//! use synix_parquet::{Cell, Column, ColumnType, Table};
//!
//! let columns = [Column::required("label", ColumnType::Text), Column::optional("count", ColumnType::Int)];
//! let mut file = Vec::new();
//! let mut table = Table::new(&columns, &mut file)?;
//! table.push(vec![Cell::Text("a".to_owned()), Cell::Int(3)])?;
//! table.push(vec![Cell::Text("b".to_owned()), Cell::Null])?;
//! table.finish()?;
//! assert_eq!(&file[..4], b"PAR1");
//! # Ok::<(), std::io::Error>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

/// The rows of a group are in memory until the group is written.
const MAX_GROUP_BYTES: usize = 32 << 20;

/// The maximum number of rows of a group.
const MAX_GROUP_ROWS: usize = 100_000;

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A double.
    Float,
    /// A text in UTF-8.
    Text,
    /// A JSON text.
    Json,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    name: String,
    kind: ColumnType,
    is_optional: bool,
}

impl Column {
    /// A column without empty cells.
    pub fn required(name: &str, kind: ColumnType) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            is_optional: false,
        }
    }

    /// A column that may have empty cells.
    pub fn optional(name: &str, kind: ColumnType) -> Self {
        Self {
            is_optional: true,
            ..Self::required(name, kind)
        }
    }

    fn schema(&self) -> Result<Type, ParquetError> {
        let (physical, logical) = match self.kind {
            ColumnType::Bool => (Physical::BOOLEAN, None),
            ColumnType::Int => (Physical::INT64, None),
            ColumnType::Float => (Physical::DOUBLE, None),
            ColumnType::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            ColumnType::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        };
        let repetition = if self.is_optional {
            Repetition::OPTIONAL
        } else {
            Repetition::REQUIRED
        };
        Type::primitive_type_builder(&self.name, physical)
            .with_logical_type(logical)
            .with_repetition(repetition)
            .build()
    }
}

/// A cell. One that does not have the type of its column counts as empty.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A double.
    Float(f64),
    /// A text, or a JSON text.
    Text(String),
}

/// A table that is being written.
pub struct Table<'a> {
    columns: Vec<Column>,
    writer: SerializedFileWriter<Buffer>,
    /// What the writer has written and `out` has not got yet.
    buffer: Buffer,
    out: &'a mut dyn Write,
    rows: Vec<Vec<Cell>>,
    bytes: usize,
}

impl std::fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

impl<'a> Table<'a> {
    /// Starts a table.
    pub fn new(columns: &[Column], out: &'a mut dyn Write) -> io::Result<Self> {
        let fields: Result<Vec<_>, _> = columns
            .iter()
            .map(|column| column.schema().map(Arc::new))
            .collect();
        let schema = Type::group_type_builder("synix")
            .with_fields(fields.map_err(failed)?)
            .build()
            .map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("synix".to_owned())
            .build();
        let buffer = Buffer::default();
        let writer =
            SerializedFileWriter::new(buffer.clone(), Arc::new(schema), Arc::new(properties));
        Ok(Self {
            columns: columns.to_vec(),
            writer: writer.map_err(failed)?,
            buffer,
            out,
            rows: Vec::new(),
            bytes: 0,
        })
    }

    /// Adds a row: a cell for each column, in their order.
    pub fn push(&mut self, row: Vec<Cell>) -> io::Result<()> {
        self.bytes += row.iter().map(size).sum::<usize>();
        self.rows.push(row);
        if self.bytes >= MAX_GROUP_BYTES || self.rows.len() >= MAX_GROUP_ROWS {
            self.write_group()?;
        }
        Ok(())
    }

    /// Writes what is left, and the end of the file.
    pub fn finish(mut self) -> io::Result<()> {
        self.write_group()?;
        self.writer.finish().map_err(failed)?;
        self.buffer.drain(self.out)
    }

    fn write_group(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        if rows.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for (position, column) in self.columns.iter().enumerate() {
            let cells = || {
                rows.iter()
                    .map(move |row| row.get(position).unwrap_or(&Cell::Null))
            };
            match column.kind {
                ColumnType::Bool => write_column::<BoolType>(&mut group, column, cells(), bool),
                ColumnType::Int => write_column::<Int64Type>(&mut group, column, cells(), int),
                ColumnType::Float => write_column::<DoubleType>(&mut group, column, cells(), float),
                ColumnType::Text | ColumnType::Json => {
                    write_column::<ByteArrayType>(&mut group, column, cells(), text)
                }
            }
            .map_err(failed)?;
        }
        group.close().map_err(failed)?;
        self.writer.flushed_row_groups();
        self.buffer.drain(self.out)
    }
}

fn write_column<'c, T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Buffer>,
    column: &Column,
    cells: impl Iterator<Item = &'c Cell>,
    value: fn(&Cell) -> Option<T::T>,
) -> Result<(), ParquetError>
where
    T::T: Default,
{
    let mut values = Vec::new();
    let mut levels = Vec::new();
    for cell in cells {
        let found = value(cell);
        levels.push(i16::from(found.is_some()));
        match found {
            Some(found) => values.push(found),
            None if column.is_optional => {}
            None => values.push(T::T::default()),
        }
    }
    let Some(mut writer) = group.next_column()? else {
        return Err(ParquetError::General(
            "there is a column too many".to_owned(),
        ));
    };
    let levels = column.is_optional.then_some(levels.as_slice());
    writer.typed::<T>().write_batch(&values, levels, None)?;
    writer.close()
}

const fn bool(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::Bool(value) => Some(*value),
        Cell::Null | Cell::Int(_) | Cell::Float(_) | Cell::Text(_) => None,
    }
}

const fn int(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Int(value) => Some(*value),
        Cell::Null | Cell::Bool(_) | Cell::Float(_) | Cell::Text(_) => None,
    }
}

const fn float(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Float(value) => Some(*value),
        Cell::Null | Cell::Bool(_) | Cell::Int(_) | Cell::Text(_) => None,
    }
}

fn text(cell: &Cell) -> Option<ByteArray> {
    match cell {
        Cell::Text(value) => Some(ByteArray::from(value.as_str())),
        Cell::Null | Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) => None,
    }
}

const fn size(cell: &Cell) -> usize {
    match cell {
        Cell::Text(text) => text.len() + size_of::<Cell>(),
        Cell::Null | Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) => size_of::<Cell>(),
    }
}

/// The library wants a writer that may go to another thread, and an output may not.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn drain(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(&bytes)?;
        bytes.clear();
        Ok(())
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn failed(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

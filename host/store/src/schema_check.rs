//! Checks that the schema of a database is exactly what the migrations create.
//!
//! A malicious trigger, view, virtual table or generated column would run as soon as a row is read or written, so a file with one is not used.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::database::{SUPPORTED_FORMAT, format};
use super::migrations::MIGRATIONS;

/// The objects of a schema: from kind and name to the table and the SQL text.
type SchemaObjects = BTreeMap<(String, String), (String, Option<String>)>;

/// The tables that SQLite itself adds to a database.
const SQLITE_TABLES: [(&str, &str); 3] = [
    ("sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
    (
        "sqlite_stat4",
        "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
    ),
    ("sqlite_sequence", "CREATE TABLE sqlite_sequence(name,seq)"),
];

/// The result of comparing the schema of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Schema {
    /// It has no format and no tables: it was never used.
    Empty,
    /// It is what the migrations create.
    Complete,
    /// Something is missing.
    Incomplete(String),
    /// It has something that synix did not create.
    Foreign(String),
}

/// Compares a database with what the migrations up to its format create.
pub(super) fn compare_schema(connection: &Connection) -> rusqlite::Result<Schema> {
    // Both reads need the same snapshot, because another process may migrate in between.
    let snapshot = connection.unchecked_transaction()?;
    let format = format(connection)?;
    let found = schema_objects(connection)?;
    drop(snapshot);
    if format == 0 {
        return Ok(match found.keys().next() {
            None => Schema::Empty,
            Some((kind, name)) => {
                Schema::Foreign(format!("it has no format, but the {kind} {name}"))
            }
        });
    }
    if format > SUPPORTED_FORMAT {
        return compare_newer_schema(connection, &found);
    }
    let expected = expected(format)?;
    for (key, (table, text)) in &found {
        let (kind, name) = key;
        match expected.get(key) {
            Some((known, made))
                if known == table && is_same_sql(made.as_deref(), text.as_deref()) => {}
            Some(_) => {
                return Ok(Schema::Foreign(format!(
                    "the {kind} {name} is not as synix creates it"
                )));
            }
            None if is_sqlite_table(kind, name, text.as_deref()) => {}
            None => return Ok(Schema::Foreign(format!("it has the {kind} {name}"))),
        }
    }
    let missing: Vec<String> = expected
        .keys()
        .filter(|key| !found.contains_key(*key))
        .map(|(kind, name)| format!("{kind} {name}"))
        .collect();
    if missing.is_empty() {
        Ok(Schema::Complete)
    } else {
        Ok(Schema::Incomplete(format!(
            "it has no {}",
            missing.join(", ")
        )))
    }
}

/// The schema of a newer format is unknown. Such a file is only read, so only objects that run code on reading matter.
fn compare_newer_schema(
    connection: &Connection,
    found: &SchemaObjects,
) -> rusqlite::Result<Schema> {
    for ((kind, name), (_, text)) in found {
        let is_virtual = || {
            let text = text.as_deref().unwrap_or_default();
            text.to_ascii_uppercase().starts_with("CREATE VIRTUAL")
        };
        if kind == "view" || (kind == "table" && is_virtual()) {
            return Ok(Schema::Foreign(format!("it has the {kind} {name}")));
        }
        if kind == "table" {
            // 2 and 3 are generated columns.
            let computed = "SELECT 1 FROM pragma_table_xinfo(?1) WHERE hidden > 1";
            if connection.prepare(computed)?.exists([name])? {
                return Ok(Schema::Foreign(format!(
                    "the {kind} {name} computes a column"
                )));
            }
        }
    }
    Ok(Schema::Complete)
}

fn is_sqlite_table(kind: &str, name: &str, text: Option<&str>) -> bool {
    let known = |(known, made): &(&str, &str)| *known == name && is_same_sql(Some(made), text);
    kind == "table" && SQLITE_TABLES.iter().any(known)
}

/// Compares two SQL texts without regard to white space.
fn is_same_sql(one: Option<&str>, other: Option<&str>) -> bool {
    let words = |text: &str| {
        let spaced: String = text
            .chars()
            .flat_map(|c| match c {
                '(' | ')' | ',' => vec![' ', c, ' '],
                _ => vec![c],
            })
            .collect();
        spaced
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    // Every command compares the whole schema, and its text is nearly always the same to the letter.
    one == other || one.map(words) == other.map(words)
}

/// Returns the schema that the migrations up to `format` create.
fn expected(format: u32) -> rusqlite::Result<Arc<SchemaObjects>> {
    static KNOWN: Mutex<BTreeMap<u32, Arc<SchemaObjects>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(schema_objects) = known.get(&format) {
        return Ok(Arc::clone(schema_objects));
    }
    let model = Connection::open_in_memory()?;
    let count = usize::try_from(format).unwrap_or(usize::MAX);
    for migration in MIGRATIONS.iter().take(count) {
        model.execute_batch(migration)?;
    }
    let schema_objects = Arc::new(schema_objects(&model)?);
    known.insert(format, Arc::clone(&schema_objects));
    Ok(schema_objects)
}

fn schema_objects(connection: &Connection) -> rusqlite::Result<SchemaObjects> {
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Null => None,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
    };
    connection
        .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?
        .query_map([], |row| {
            let column = |index| Ok::<_, rusqlite::Error>(text(row.get_ref(index)?));
            let key = (
                column(0)?.unwrap_or_default(),
                column(1)?.unwrap_or_default(),
            );
            Ok((key, (column(2)?.unwrap_or_default(), column(3)?)))
        })?
        .collect()
}

//! What a database of each format consists of: exactly what the migrations make.
//!
//! A trigger, a view, a virtual table or a generated column that somebody planted would act as soon as a row is
//! read or written, so a file that has one is not used.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::database::{SUPPORTED_FORMAT, format};
use super::migrations::MIGRATIONS;

/// The parts of a schema: sort and name, then the table and the text that made it.
type Parts = BTreeMap<(String, String), (String, Option<String>)>;

/// What SQLite itself adds to a database of anybody.
const OF_SQLITE: [(&str, &str); 3] = [
    ("sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
    (
        "sqlite_stat4",
        "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
    ),
    ("sqlite_sequence", "CREATE TABLE sqlite_sequence(name,seq)"),
];

/// What a look at a database's schema finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Schema {
    /// It has no format and no tables: nobody has used it.
    Empty,
    /// It is what the migrations make.
    Whole,
    /// Something is missing.
    Lacking(String),
    /// Something is there that synix did not make.
    Foreign(String),
}

/// Compares a database with what the migrations up to its format make.
pub(super) fn look(connection: &Connection) -> rusqlite::Result<Schema> {
    // One moment for both, or another process migrates in between.
    let moment = connection.unchecked_transaction()?;
    let format = format(connection)?;
    let found = parts(connection)?;
    drop(moment);
    if format == 0 {
        return Ok(match found.keys().next() {
            None => Schema::Empty,
            Some((sort, name)) => {
                Schema::Foreign(format!("it has no format, but the {sort} {name}"))
            }
        });
    }
    if format > SUPPORTED_FORMAT {
        return look_at_later(connection, &found);
    }
    let expected = expected(format)?;
    for (key, (table, text)) in &found {
        let (sort, name) = key;
        match expected.get(key) {
            Some((known, made)) if known == table && same(made.as_deref(), text.as_deref()) => {}
            Some(_) => {
                return Ok(Schema::Foreign(format!(
                    "the {sort} {name} is not as synix makes it"
                )));
            }
            None if is_of_sqlite(sort, name, text.as_deref()) => {}
            None => return Ok(Schema::Foreign(format!("it has the {sort} {name}"))),
        }
    }
    let missing: Vec<String> = expected
        .keys()
        .filter(|key| !found.contains_key(*key))
        .map(|(sort, name)| format!("{sort} {name}"))
        .collect();
    if missing.is_empty() {
        Ok(Schema::Whole)
    } else {
        Ok(Schema::Lacking(format!("it has no {}", missing.join(", "))))
    }
}

/// What a later format consists of is not known here. It is only read, so what acts on reading is all that matters.
fn look_at_later(connection: &Connection, found: &Parts) -> rusqlite::Result<Schema> {
    for ((sort, name), (_, text)) in found {
        let is_virtual = || {
            let text = text.as_deref().unwrap_or_default();
            text.to_ascii_uppercase().starts_with("CREATE VIRTUAL")
        };
        if sort == "view" || (sort == "table" && is_virtual()) {
            return Ok(Schema::Foreign(format!("it has the {sort} {name}")));
        }
        if sort == "table" {
            // 2 and 3: columns that are computed.
            let computed = "SELECT 1 FROM pragma_table_xinfo(?1) WHERE hidden > 1";
            if connection.prepare(computed)?.exists([name])? {
                return Ok(Schema::Foreign(format!(
                    "the {sort} {name} computes a column"
                )));
            }
        }
    }
    Ok(Schema::Whole)
}

fn is_of_sqlite(sort: &str, name: &str, text: Option<&str>) -> bool {
    let known = |(known, made): &(&str, &str)| *known == name && same(Some(made), text);
    sort == "table" && OF_SQLITE.iter().any(known)
}

/// Compares two texts of a schema; how they are set does not matter.
fn same(one: Option<&str>, other: Option<&str>) -> bool {
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
    one.map(words) == other.map(words)
}

/// Returns what the migrations up to `format` make.
fn expected(format: u32) -> rusqlite::Result<Arc<Parts>> {
    static KNOWN: Mutex<BTreeMap<u32, Arc<Parts>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(parts) = known.get(&format) {
        return Ok(Arc::clone(parts));
    }
    let model = Connection::open_in_memory()?;
    let count = usize::try_from(format).unwrap_or(usize::MAX);
    for migration in MIGRATIONS.iter().take(count) {
        model.execute_batch(migration)?;
    }
    let parts = Arc::new(parts(&model)?);
    known.insert(format, Arc::clone(&parts));
    Ok(parts)
}

fn parts(connection: &Connection) -> rusqlite::Result<Parts> {
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

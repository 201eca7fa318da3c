//! The tables of an index, and the check that a file has exactly these.

use std::collections::BTreeSet;

use rusqlite::Connection;

/// The tokenizer of every table: words of all scripts with spaces, without accents, and symbols such as emoji. For other
/// scripts, texts are cut before they are indexed.
pub(crate) const TOKENIZER: &str =
    r#"tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co So'""#;

/// The number of the format, in SQLite's `user_version`. It changes with the tables, the tokenizer, and the rules by
/// which texts are cut.
pub(crate) const FORMAT: u32 = 1;

/// The tables of an index of words.
///
/// `word` keeps no text: what is shown comes from the state, which checks it against its digest.
pub(crate) fn words() -> String {
    format!(
        "CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
         CREATE TABLE entry (
           id INTEGER PRIMARY KEY,
           layer TEXT NOT NULL,
           label TEXT NOT NULL,
           artifact INTEGER NOT NULL,
           digest BLOB NOT NULL,
           is_embedding INTEGER NOT NULL,
           UNIQUE (layer, label)
         );
         CREATE INDEX entry_embedding ON entry (layer) WHERE is_embedding;
         CREATE VIRTUAL TABLE word USING fts5(
           label, title, content, metadata, facet,
           content = '', contentless_delete = 1, {TOKENIZER}
         );"
    )
}

/// The tables of an index of vectors.
///
/// A space has the vectors of one layer and model. A place is a vector in it, and the artifact that it is about. A chunk
/// has the numbers of several places, one byte for each; its `places` are their ids, and 0 for one that was removed.
pub(crate) fn vectors() -> String {
    "CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
     CREATE TABLE space (
       id INTEGER PRIMARY KEY,
       layer TEXT NOT NULL,
       model TEXT NOT NULL,
       dimensions INTEGER NOT NULL,
       UNIQUE (layer, model, dimensions)
     );
     CREATE TABLE place (
       id INTEGER PRIMARY KEY,
       space INTEGER NOT NULL,
       layer TEXT NOT NULL,
       label TEXT NOT NULL,
       artifact INTEGER NOT NULL,
       digest BLOB NOT NULL,
       about_layer TEXT NOT NULL,
       about_label TEXT NOT NULL,
       about INTEGER NOT NULL,
       chunk INTEGER NOT NULL,
       UNIQUE (layer, label)
     );
     CREATE TABLE chunk (
       id INTEGER PRIMARY KEY,
       space INTEGER NOT NULL,
       places BLOB NOT NULL
     );
     CREATE TABLE chunk_vectors (
       chunk INTEGER PRIMARY KEY,
       bounds BLOB NOT NULL,
       vectors BLOB NOT NULL
     );
     CREATE INDEX chunk_of_space ON chunk (space);"
        .to_owned()
}

/// Creates the tables in an empty database.
pub(crate) fn create(connection: &Connection, tables: &str) -> rusqlite::Result<()> {
    connection.execute_batch(tables)?;
    connection.pragma_update(None, "user_version", FORMAT)
}

/// What is found in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    Empty,
    /// Exactly the tables.
    Complete,
    /// Another format, or something that synix did not create.
    Other,
}

/// Compares the schema of a file with what `tables` creates.
pub(crate) fn inspect(connection: &Connection, tables: &str) -> rusqlite::Result<Found> {
    let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let found = objects(connection)?;
    if format == 0 && found.is_empty() {
        return Ok(Found::Empty);
    }
    let model = Connection::open_in_memory()?;
    create(&model, tables)?;
    if format == i64::from(FORMAT) && found == objects(&model)? {
        Ok(Found::Complete)
    } else {
        Ok(Found::Other)
    }
}

/// The kind, name, table and text of each object.
type Object = (String, String, String, Option<String>);

fn objects(connection: &Connection) -> rusqlite::Result<BTreeSet<Object>> {
    connection
        .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?
        .query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_has_fts5_with_what_the_tables_need() {
        let connection = Connection::open_in_memory().unwrap();
        create(&connection, &words()).unwrap();
        assert_eq!(inspect(&connection, &words()).unwrap(), Found::Complete);
        connection
            .execute_batch("CREATE VIRTUAL TABLE other USING fts5(text, tokenize = 'trigram')")
            .unwrap();
    }

    #[test]
    fn what_somebody_planted_is_found() {
        let empty = Connection::open_in_memory().unwrap();
        assert_eq!(inspect(&empty, &words()).unwrap(), Found::Empty);
        for planted in [
            "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END",
            "CREATE VIEW v AS SELECT 1",
            "ALTER TABLE entry ADD COLUMN x GENERATED ALWAYS AS (1)",
            "DROP TABLE fact",
            "PRAGMA user_version = 9",
        ] {
            let connection = Connection::open_in_memory().unwrap();
            create(&connection, &words()).unwrap();
            connection.execute_batch(planted).unwrap();
            assert_eq!(
                inspect(&connection, &words()).unwrap(),
                Found::Other,
                "{planted}"
            );
        }
    }
}

//! Chunks: the numbers of many vectors in one row, which is read at once.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::update::Problem;

/// The number of vectors in a chunk.
pub(super) const CHUNK_PLACES: usize = 1024;

/// The number of bytes of the id of a place.
pub(super) const ID_BYTES: usize = 8;

/// The last chunk of a space, to which vectors are added.
#[derive(Debug, Default)]
pub(super) struct OpenChunk {
    pub(super) id: i64,
    pub(super) count: usize,
    pub(super) places: Vec<u8>,
    pub(super) bounds: Vec<u8>,
    pub(super) vectors: Vec<u8>,
}

impl OpenChunk {
    pub(super) fn write(&self, connection: &Connection) -> Result<(), Problem> {
        connection
            .prepare_cached("UPDATE chunk SET places = ?2 WHERE id = ?1")?
            .execute(params![self.id, self.places])?;
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO chunk_vectors (chunk, bounds, vectors) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![self.id, self.bounds, self.vectors])?;
        Ok(())
    }
}

pub(super) fn new_chunk(connection: &Connection, space: i64) -> Result<OpenChunk, Problem> {
    connection
        .prepare_cached("INSERT INTO chunk (space, places) VALUES (?1, x'')")?
        .execute([space])?;
    Ok(OpenChunk {
        id: connection.last_insert_rowid(),
        ..OpenChunk::default()
    })
}

/// Returns the last chunk of a space, or a new one if it is full.
pub(super) fn last_chunk(connection: &Connection, space: i64) -> Result<OpenChunk, Problem> {
    let last = connection
        .prepare_cached(
            "SELECT id, places, bounds, vectors FROM chunk JOIN chunk_vectors ON chunk = id
             WHERE space = ?1 ORDER BY id DESC LIMIT 1",
        )?
        .query_row([space], |row| {
            let places: Vec<u8> = row.get(1)?;
            Ok(OpenChunk {
                id: row.get(0)?,
                count: places.len() / ID_BYTES,
                places,
                bounds: row.get(2)?,
                vectors: row.get(3)?,
            })
        })
        .optional()?;
    match last {
        Some(last) if last.count < CHUNK_PLACES => Ok(last),
        Some(_) | None => new_chunk(connection, space),
    }
}

/// Marks a place as removed.
pub(super) fn clear(places: &mut [u8], place: i64) {
    let (ids, _) = places.as_chunks_mut::<ID_BYTES>();
    for id in ids {
        if *id == place.to_le_bytes() {
            *id = [0; ID_BYTES];
        }
    }
}

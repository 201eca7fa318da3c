//! How embeddings get into the index of vectors.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _, params};
use synix_store::{ArtifactId, Reader, StoreError, StoredArtifact};

use super::chunk::{CHUNK_PLACES, ID_BYTES, OpenChunk, clear, last_chunk, new_chunk};
use super::quantize::Rounded;
use crate::embedding::{self, Embedding};
use crate::update::{Problem, Target};

/// An index of vectors while it is updated.
pub(crate) struct VectorTarget<'a> {
    connection: &'a Connection,
    reader: &'a Reader,
    /// The chunk of each space that is not full.
    open: BTreeMap<i64, OpenChunk>,
}

/// What an embedding is about.
struct Subject {
    layer: String,
    label: String,
    artifact: ArtifactId,
}

impl<'a> VectorTarget<'a> {
    pub(crate) const fn new(connection: &'a Connection, reader: &'a Reader) -> Self {
        Self {
            connection,
            reader,
            open: BTreeMap::new(),
        }
    }

    fn space(&self, layer: &str, model: &str, dimensions: usize) -> Result<i64, Problem> {
        let known = self
            .connection
            .prepare_cached(
                "SELECT id FROM space WHERE layer = ?1 AND model = ?2 AND dimensions = ?3",
            )?
            .query_row(params![layer, model, dimensions], |row| row.get(0))
            .optional()?;
        if let Some(known) = known {
            return Ok(known);
        }
        self.connection
            .prepare_cached("INSERT INTO space (layer, model, dimensions) VALUES (?1, ?2, ?3)")?
            .execute(params![layer, model, dimensions])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Returns the artifact that an embedding is about: the input of its unit, or the one with its label.
    fn subject(&self, artifact: &StoredArtifact) -> Result<Option<Subject>, Problem> {
        let inputs = self.reader.inputs(artifact.unit)?;
        let only = (inputs.len() == 1).then(|| inputs.first()).flatten();
        let named = inputs.iter().find(|input| input.label == artifact.label);
        let Some(input) = named.or(only) else {
            return Ok(None);
        };
        Ok(Some(Subject {
            layer: self.reader.unit(input.unit)?.layer,
            label: input.label.to_string(),
            artifact: input.id,
        }))
    }

    /// Adds a vector to the open chunk of a space, and returns the chunk.
    fn push(&mut self, space: i64, place: i64, rounded: &Rounded) -> Result<i64, Problem> {
        if !self.open.contains_key(&space) {
            let chunk = last_chunk(self.connection, space)?;
            self.open.insert(space, chunk);
        }
        let chunk = self.open.entry(space).or_default();
        if chunk.count >= CHUNK_PLACES {
            chunk.write(self.connection)?;
            *chunk = new_chunk(self.connection, space)?;
        }
        chunk.count += 1;
        chunk.places.extend(place.to_le_bytes());
        chunk.bounds.extend(rounded.scale.to_le_bytes());
        chunk.bounds.extend(rounded.error.to_le_bytes());
        chunk.vectors.extend_from_slice(&rounded.numbers);
        Ok(chunk.id)
    }

    fn remove_place(&mut self, place: i64, chunk: i64) -> Result<(), Problem> {
        self.connection
            .prepare_cached("DELETE FROM place WHERE id = ?1")?
            .execute([place])?;
        if let Some(open) = self.open.values_mut().find(|open| open.id == chunk) {
            clear(&mut open.places, place);
            return Ok(());
        }
        let mut places: Vec<u8> = self
            .connection
            .prepare_cached("SELECT places FROM chunk WHERE id = ?1")?
            .query_row([chunk], |row| row.get(0))?;
        clear(&mut places, place);
        let ids = places.as_chunks::<ID_BYTES>().0;
        let live = ids.iter().filter(|id| **id != [0; ID_BYTES]).count();
        if live * 2 < ids.len() {
            return self.dissolve(chunk, ids);
        }
        self.connection
            .prepare_cached("UPDATE chunk SET places = ?2 WHERE id = ?1")?
            .execute(params![chunk, places])?;
        Ok(())
    }

    /// Moves what is left of a chunk to the open one. So a search reads at most twice as much as there is.
    fn dissolve(&mut self, chunk: i64, ids: &[[u8; ID_BYTES]]) -> Result<(), Problem> {
        let (space, bounds, vectors): (i64, Vec<u8>, Vec<u8>) = self
            .connection
            .prepare_cached(
                "SELECT space, bounds, vectors FROM chunk JOIN chunk_vectors ON chunk = id WHERE id = ?1",
            )?
            .query_row([chunk], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        self.connection
            .execute("DELETE FROM chunk WHERE id = ?1", [chunk])?;
        self.connection
            .execute("DELETE FROM chunk_vectors WHERE chunk = ?1", [chunk])?;
        let size = vectors.len() / ids.len().max(1);
        let bounds = bounds.as_chunks::<ID_BYTES>().0;
        for ((id, bound), numbers) in ids.iter().zip(bounds).zip(vectors.chunks(size.max(1))) {
            let place = i64::from_le_bytes(*id);
            if place == 0 {
                continue;
            }
            let [a, b, c, d, e, f, g, h] = *bound;
            let rounded = Rounded {
                scale: f32::from_le_bytes([a, b, c, d]),
                error: f32::from_le_bytes([e, f, g, h]),
                numbers: numbers.to_vec(),
            };
            let moved = self.push(space, place, &rounded)?;
            self.connection
                .prepare_cached("UPDATE place SET chunk = ?2 WHERE id = ?1")?
                .execute((place, moved))?;
        }
        Ok(())
    }
}

impl Target for VectorTarget<'_> {
    fn remove(&mut self, layer: &str, label: &str) -> Result<(), Problem> {
        let found = self
            .connection
            .prepare_cached("SELECT id, chunk FROM place WHERE layer = ?1 AND label = ?2")?
            .query_row((layer, label), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match found {
            Some((place, chunk)) => self.remove_place(place, chunk),
            None => Ok(()),
        }
    }

    fn add(&mut self, layer: &str, artifact: &StoredArtifact) -> Result<(), Problem> {
        if !embedding::is_kind(&artifact.kind) {
            return Ok(());
        }
        let content = match self.reader.artifact(artifact.id) {
            Ok(content) => content,
            Err(
                StoreError::Changed { .. }
                | StoreError::BadObject { .. }
                | StoreError::Unusable { .. },
            ) => {
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let (Some(embedding), Some(subject)) =
            (Embedding::of_artifact(&content), self.subject(artifact)?)
        else {
            tracing::debug!(layer, label = %artifact.label, "not an embedding of a text");
            return Ok(());
        };
        let space = self.space(layer, &embedding.model, embedding.vector.len())?;
        self.connection
            .prepare_cached(
                "INSERT INTO place (space, layer, label, artifact, digest, about_layer, about_label, about, chunk)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
            )?
            .execute(params![
                space,
                layer,
                artifact.label.as_str(),
                artifact.id.0,
                artifact.digest.as_bytes(),
                subject.layer,
                subject.label,
                subject.artifact.0,
            ])?;
        let place = self.connection.last_insert_rowid();
        let chunk = self.push(space, place, &Rounded::of(&embedding.vector))?;
        self.connection
            .prepare_cached("UPDATE place SET chunk = ?2 WHERE id = ?1")?
            .execute((place, chunk))?;
        Ok(())
    }

    fn find(&mut self, layer: &str, label: &str) -> Result<Option<(i64, Vec<u8>)>, Problem> {
        Ok(self
            .connection
            .prepare_cached("SELECT id, digest FROM place WHERE layer = ?1 AND label = ?2")?
            .query_row((layer, label), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    fn renumber(&mut self, row: i64, artifact: &StoredArtifact) -> Result<(), Problem> {
        let Some(subject) = self.subject(artifact)? else {
            return Ok(());
        };
        self.connection
            .prepare_cached(
                "UPDATE place SET artifact = ?2, about_layer = ?3, about_label = ?4, about = ?5 WHERE id = ?1",
            )?
            .execute(params![
                row,
                artifact.id.0,
                subject.layer,
                subject.label,
                subject.artifact.0
            ])?;
        Ok(())
    }

    fn retain(&mut self, rows: &HashSet<i64>) -> Result<(), Problem> {
        let all: Vec<(i64, i64)> = self
            .connection
            .prepare("SELECT id, chunk FROM place")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (place, chunk) in all {
            if !rows.contains(&place) {
                self.remove_place(place, chunk)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Problem> {
        for chunk in self.open.values() {
            chunk.write(self.connection)?;
        }
        self.open.clear();
        self.connection.execute(
            "DELETE FROM space WHERE NOT EXISTS (SELECT 1 FROM chunk WHERE chunk.space = space.id)",
            [],
        )?;
        Ok(())
    }
}

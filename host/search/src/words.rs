//! The index of words: how artifacts get into it, and how it ranks them.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, params};
use synix_core::digest::Digest;
use synix_store::{ArtifactId, Reader, StoreError, StoredArtifact};

use crate::document::{Condition, facets};
use crate::embedding;
use crate::segment::segment;
use crate::tokenizer::Texts;
use crate::update::{Problem, Target, digest};

/// The weights of label, title, content, metadata and facets in a rank.
const WEIGHTS: &str = "4.0, 4.0, 1.0, 0.5, 0.0";

/// The columns in which words are searched.
const COLUMNS: &str = "{label title content metadata}";

/// The bytes of words that are collected before FTS5 writes them. A large number makes a first index fast.
const HASH_BYTES: i64 = 64 << 20;

/// The maximum number of artifacts of equal rank that are put in the order of their names.
const MAX_TIES: usize = 10_000;

/// An index of words while it is updated.
pub(crate) struct WordTarget<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) reader: &'a Reader,
    /// Is called with the number of artifacts added so far.
    pub(crate) progress: &'a dyn Fn(u64),
    pub(crate) added: u64,
}

impl<'a> WordTarget<'a> {
    pub(crate) fn new(
        connection: &'a Connection,
        reader: &'a Reader,
        progress: &'a dyn Fn(u64),
    ) -> Result<Self, Problem> {
        connection.execute(
            "INSERT INTO word(word, rank) VALUES ('hashsize', ?1)",
            [HASH_BYTES],
        )?;
        Ok(Self {
            connection,
            reader,
            progress,
            added: 0,
        })
    }

    fn add_words(&self, row: i64, artifact: &StoredArtifact) -> Result<bool, Problem> {
        let artifact = match self.reader.artifact(artifact.id) {
            Ok(artifact) => artifact,
            // What cannot be shown is not found, and does not keep others from being found.
            Err(
                error @ (StoreError::Changed { .. }
                | StoreError::BadObject { .. }
                | StoreError::Unusable { .. }),
            ) => {
                tracing::warn!(label = %artifact.label, %error, "cannot index an artifact");
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        let texts = Texts::of(&artifact);
        let [label, title, content, metadata] = &texts.parts;
        self.connection
            .prepare_cached(
                "INSERT INTO word(rowid, label, title, content, metadata, facet) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                row,
                segment(label),
                segment(title),
                segment(content),
                segment(metadata),
                facets(&artifact.metadata),
            ])?;
        Ok(true)
    }
}

impl Target for WordTarget<'_> {
    fn remove(&mut self, layer: &str, label: &str) -> Result<(), Problem> {
        let Some((row, _)) = self.find(layer, label)? else {
            return Ok(());
        };
        remove_row(self.connection, row)
    }

    fn add(&mut self, layer: &str, artifact: &StoredArtifact) -> Result<(), Problem> {
        let is_embedding = embedding::is_kind(&artifact.kind);
        self.connection
            .prepare_cached(
                "INSERT INTO entry (layer, label, artifact, digest, is_embedding) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                layer,
                artifact.label.as_str(),
                artifact.id.0,
                artifact.digest.as_bytes(),
                is_embedding,
            ])?;
        let row = self.connection.last_insert_rowid();
        if !is_embedding && !self.add_words(row, artifact)? {
            // Without its digest, the next comparison tries again.
            self.connection
                .execute("UPDATE entry SET digest = x'' WHERE id = ?1", [row])?;
        }
        self.added += 1;
        (self.progress)(self.added);
        Ok(())
    }

    fn find(&mut self, layer: &str, label: &str) -> Result<Option<(i64, Vec<u8>)>, Problem> {
        Ok(self
            .connection
            .prepare_cached("SELECT id, digest FROM entry WHERE layer = ?1 AND label = ?2")?
            .query_row((layer, label), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    fn renumber(&mut self, row: i64, artifact: &StoredArtifact) -> Result<(), Problem> {
        self.connection
            .prepare_cached("UPDATE entry SET artifact = ?2 WHERE id = ?1 AND artifact <> ?2")?
            .execute((row, artifact.id.0))?;
        Ok(())
    }

    fn retain(&mut self, rows: &HashSet<i64>) -> Result<(), Problem> {
        let all: Vec<i64> = self
            .connection
            .prepare("SELECT id FROM entry")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for row in all.into_iter().filter(|row| !rows.contains(row)) {
            remove_row(self.connection, row)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Problem> {
        Ok(())
    }
}

fn remove_row(connection: &Connection, row: i64) -> Result<(), Problem> {
    connection
        .prepare_cached("DELETE FROM entry WHERE id = ?1")?
        .execute([row])?;
    connection
        .prepare_cached("DELETE FROM word WHERE rowid = ?1")?
        .execute([row])?;
    Ok(())
}

/// Returns whether the snapshot has embeddings.
pub(crate) fn has_embeddings(connection: &Connection) -> Result<bool, Problem> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM entry WHERE is_embedding LIMIT 1")?
        .exists([])?)
}

/// An artifact as an index knows it. Nothing of it is shown before it is compared with the state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) layer: String,
    pub(crate) label: String,
    pub(crate) artifact: ArtifactId,
    pub(crate) digest: Digest,
    /// The greater, the better.
    pub(crate) score: f64,
}

/// Restricts the results of a search.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter<'a> {
    /// Results are of one of these layers; of any if there are none.
    pub(crate) layers: &'a [String],
    /// Results meet all of these conditions.
    pub(crate) conditions: &'a [Condition],
}

impl Filter<'_> {
    pub(crate) fn has_layer(&self, layer: &str) -> bool {
        self.layers.is_empty() || self.layers.iter().any(|wanted| wanted == layer)
    }

    /// Returns an expression that finds words, and facets where they are indexed.
    fn expression(&self, words: &str) -> String {
        let mut expression = format!("{COLUMNS} : ({words})");
        for facet in self.conditions.iter().filter_map(Condition::facet) {
            expression = format!("({expression}) AND (facet : \"{facet}\")");
        }
        expression
    }
}

/// Calls `take` with the artifacts that have the words, the best first and equal ones by layer and label, until it returns
/// false.
pub(crate) fn rank(
    connection: &Connection,
    words: &str,
    filter: &Filter<'_>,
    take: &mut dyn FnMut(Candidate) -> Result<bool, Problem>,
) -> Result<(), Problem> {
    let statement = format!("SELECT rowid, bm25(word, {WEIGHTS}) FROM word WHERE word MATCH ?1");
    let mut found: Vec<(f64, i64)> = connection
        .prepare_cached(&statement)?
        .query_map([filter.expression(words)], |row| {
            Ok((row.get(1)?, row.get(0)?))
        })?
        .collect::<Result<_, _>>()?;
    found.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    for ties in found.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq()) {
        for part in ties.chunks(MAX_TIES) {
            let mut candidates = Vec::with_capacity(part.len());
            for (rank, row) in part {
                let candidate = candidate(connection, *row, -rank)?;
                if filter.has_layer(&candidate.layer) {
                    candidates.push(candidate);
                }
            }
            candidates
                .sort_by(|one, other| (&one.layer, &one.label).cmp(&(&other.layer, &other.label)));
            for candidate in candidates {
                if !take(candidate)? {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn candidate(connection: &Connection, row: i64, score: f64) -> Result<Candidate, Problem> {
    let found = connection
        .prepare_cached("SELECT layer, label, artifact, digest FROM entry WHERE id = ?1")?
        .query_row([row], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get::<_, Vec<u8>>(3)?,
            ))
        })
        .optional()?;
    let (layer, label, artifact, bytes) = found.ok_or(Problem::Disagrees)?;
    Ok(Candidate {
        layer,
        label,
        artifact: ArtifactId(artifact),
        digest: digest(&bytes).ok_or(Problem::Disagrees)?,
        score,
    })
}

//! A search over the documents of a search file.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};
use synix_core::artifact::Metadata;

use super::COLUMNS;
use crate::document::metadata_texts;
use crate::embedding::{normalized, numbers};
use crate::error::SearchError;
use crate::fuse::fuse;
use crate::meaning::{EmbedQuery, Meaning};
use crate::query::{Match, Query};
use crate::result::{Answer, Found, Mode, Why, present};
use crate::search::{Name, Search};
use crate::sources::Sources;
use crate::tokenizer::{Texts, Tokenizer};
use crate::vectors::{Space, exact_dot};

/// The minimum length of the rankings that are combined.
const MIN_DEPTH: usize = 100;

/// Documents with their scores, the best first.
type Ranked = Vec<(i64, f64)>;

/// A search over one file.
pub(super) struct ReleaseSearch<'a> {
    pub(super) connection: &'a Connection,
    pub(super) path: &'a Path,
    /// The number of columns for members.
    pub(super) members: usize,
    pub(super) search: &'a Search,
    pub(super) query: &'a Query,
    pub(super) tokenizer: &'a Tokenizer,
}

impl ReleaseSearch<'_> {
    pub(super) fn answer(&self, embed: Option<&EmbedQuery<'_>>) -> Result<Answer, SearchError> {
        let wanted = self.search.mode;
        let meaning = if wanted == Some(Mode::Words) || (wanted.is_none() && embed.is_none()) {
            None
        } else {
            match (self.meaning(embed), wanted) {
                (Ok(meaning), _) => Some(Ok(meaning)),
                (Err(error), Some(_)) => return Err(error),
                // A file without embeddings is searched by words.
                (Err(SearchError::NoEmbeddings { .. }), None) => None,
                (Err(error), None) => Some(Err(error)),
            }
        };
        let (meaning, unused) = match meaning {
            Some(Ok(meaning)) => (Some(meaning), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let answer = match meaning {
            Some(meaning) => self.present(wanted.unwrap_or(Mode::Hybrid), &meaning),
            None => self.present(Mode::Words, &Meaning::default()),
        };
        let answer = answer.map_err(|error| self.failed(error))?;
        Ok(Answer {
            unused_embeddings: unused,
            ..answer
        })
    }

    fn meaning(&self, embed: Option<&EmbedQuery<'_>>) -> Result<Meaning, SearchError> {
        let none = || SearchError::NoEmbeddings {
            place: format!("in {}", self.path.display()),
        };
        let embed = embed.ok_or_else(none)?;
        let spaces = self.spaces().map_err(|error| self.failed(error))?;
        let queries = Meaning::queries(&spaces, self.query, embed)?;
        if queries.is_empty() {
            return Err(none());
        }
        let rankings = queries
            .iter()
            .map(|(space, vector)| self.nearest(space, vector));
        let rankings: Vec<Vec<(Name, f64)>> = rankings
            .collect::<Result<_, _>>()
            .map_err(|error| self.failed(error))?;
        Ok(Meaning::of(&rankings))
    }

    fn present(&self, mode: Mode, meaning: &Meaning) -> rusqlite::Result<Answer> {
        let mut by_meaning = Ranked::new();
        for (name, score) in &meaning.ranking {
            by_meaning.extend(self.id(name)?.map(|id| (id, *score)));
        }
        let (by_words, connection) = match mode {
            Mode::Meaning => (Ranked::new(), Match::All),
            Mode::Words | Mode::Hybrid => self.words((self.search.limit + 1).max(MIN_DEPTH))?,
        };
        let ids = |ranked: &Ranked| ranked.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        let ranked = match mode {
            Mode::Words => by_words.clone(),
            Mode::Meaning => by_meaning.clone(),
            Mode::Hybrid => fuse(&[ids(&by_words), ids(&by_meaning)]),
        };
        let rank = |ranked: &Ranked, id: i64| {
            let position = ranked.iter().position(|(other, _)| *other == id);
            position.map(|position| position + 1)
        };
        let mut results = Vec::new();
        for (id, score) in ranked.iter().take(self.search.limit) {
            let found = self.found(*id, *score)?;
            let name = (found.layer.clone(), found.label.clone());
            let why = Why {
                words_rank: rank(&by_words, *id),
                meaning_rank: rank(&by_meaning, *id),
                similarity: meaning.similarities.get(&name).copied(),
                ..Why::default()
            };
            results.push(present(found, self.query, self.tokenizer, why)?);
        }
        Ok(Answer {
            mode,
            connection,
            has_more: ranked.len() > self.search.limit,
            results,
            is_temporary: false,
            unused_embeddings: None,
        })
    }

    fn words(&self, max: usize) -> rusqlite::Result<(Ranked, Match)> {
        let weights = ", 1.0".repeat(self.members);
        let statement = format!(
            "SELECT d.rowid, -bm25(documents, 0.0, 4.0, 0.0, 1.0, 0.5{weights}) AS score, t.layer, t.label, t.metadata
             FROM documents d JOIN document_text t ON t.document_id = d.rowid
             WHERE documents MATCH ?1 ORDER BY score DESC, t.layer, t.label"
        );
        let connections: &[Match] = if self.query.terms().len() > 1 {
            &[Match::All, Match::Any]
        } else {
            &[Match::All]
        };
        for &connected in connections {
            let Some(expression) = self.query.expression(connected) else {
                break;
            };
            let mut statement = self.connection.prepare_cached(&statement)?;
            let mut rows = statement.query([expression])?;
            let mut found = Ranked::new();
            while found.len() < max
                && let Some(row) = rows.next()?
            {
                let layer: String = row.get(2)?;
                let is_wanted =
                    self.search.layers.is_empty() || self.search.layers.contains(&layer);
                if is_wanted
                    && (self.search.conditions.is_empty()
                        || meets(self.search, &row.get::<_, String>(4)?))
                {
                    found.push((row.get(0)?, row.get(1)?));
                }
            }
            if !found.is_empty() {
                return Ok((found, connected));
            }
        }
        Ok((Ranked::new(), Match::All))
    }

    fn spaces(&self) -> rusqlite::Result<Vec<Space>> {
        self.connection
            .prepare("SELECT DISTINCT layer, model, dimensions FROM vectors ORDER BY layer, model, dimensions")?
            .query_map([], |row| {
                Ok(Space {
                    layer: row.get(0)?,
                    model: row.get(1)?,
                    dimensions: row.get(2)?,
                })
            })?
            .collect()
    }

    /// Returns the nearest documents of a space, the nearest first.
    fn nearest(&self, space: &Space, query_vector: &[f32]) -> rusqlite::Result<Vec<(Name, f64)>> {
        let mut statement = self.connection.prepare(
            "SELECT v.document_id, v.vector FROM vectors v WHERE layer = ?1 AND model = ?2 AND dimensions = ?3",
        )?;
        let mut rows = statement.query((&space.layer, &space.model, space.dimensions))?;
        let mut all = Ranked::new();
        while let Some(row) = rows.next()? {
            let vector = numbers(row.get_ref(1)?.as_blob()?).and_then(|vector| normalized(&vector));
            if let Some(vector) = vector.filter(|vector| vector.len() == query_vector.len()) {
                all.push((row.get(0)?, exact_dot(query_vector, &vector)));
            }
        }
        all.sort_unstable_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        let mut found: Vec<(Name, f64)> = Vec::new();
        for (id, cosine) in all {
            if found.len() >= (self.search.limit + 1).max(MIN_DEPTH) {
                break;
            }
            let (layer, label, metadata): (String, String, String) = self
                .connection
                .prepare_cached(
                    "SELECT layer, label, metadata FROM document_text WHERE document_id = ?1",
                )?
                .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let has_layer = |wanted: &String| *wanted == layer || *wanted == space.layer;
            let is_wanted =
                self.search.layers.is_empty() || self.search.layers.iter().any(has_layer);
            if !is_wanted || !meets(self.search, &metadata) {
                continue;
            }
            if let Some(unwanted) = self.query.unwanted() {
                self.tokenizer.take(&self.found(id, 0.0)?.texts)?;
                if self.tokenizer.matches(&unwanted)? {
                    continue;
                }
            }
            let name = (layer, label);
            if !found.iter().any(|(known, _)| *known == name) {
                found.push((name, cosine));
            }
        }
        Ok(found)
    }

    fn id(&self, name: &Name) -> rusqlite::Result<Option<i64>> {
        self.connection
            .prepare_cached(
                "SELECT document_id FROM document_text WHERE layer = ?1 AND label = ?2",
            )?
            .query_row((&name.0, &name.1), |row| row.get(0))
            .optional()
    }

    fn found(&self, id: i64, score: f64) -> rusqlite::Result<Found> {
        let statement = "SELECT t.*, f.digest, f.sources, f.more_sources
            FROM document_text t JOIN document_facts f USING (document_id) WHERE document_id = ?1";
        self.connection
            .prepare_cached(statement)?
            .query_row([id], |row| {
                let text = |index: usize| {
                    Ok::<_, rusqlite::Error>(
                        row.get::<_, Option<String>>(index)?.unwrap_or_default(),
                    )
                };
                let mut content = text(4)?;
                let after = 1 + COLUMNS.len();
                for index in after..after + self.members {
                    if let Some(member) = row.get::<_, Option<String>>(index)? {
                        if !content.is_empty() {
                            content.push('\n');
                        }
                        content.push_str(&member);
                    }
                }
                let after = after + self.members;
                let metadata: Metadata = serde_json::from_str(&text(5)?).unwrap_or_default();
                let (title, values) = metadata_texts(&metadata);
                let label = text(2)?;
                Ok(Found {
                    layer: text(1)?,
                    kind: text(3)?,
                    id: text(after)?,
                    texts: Texts {
                        parts: [label.clone(), title, content, values],
                    },
                    label,
                    metadata,
                    sources: Sources {
                        labels: serde_json::from_str(&text(after + 1)?).unwrap_or_default(),
                        has_more: row.get(after + 2)?,
                    },
                    score,
                })
            })
    }

    fn failed(&self, source: rusqlite::Error) -> SearchError {
        SearchError::Database {
            path: self.path.to_owned(),
            source,
        }
    }
}

fn meets(search: &Search, metadata: &str) -> bool {
    let mut conditions = search.conditions.iter();
    search.conditions.is_empty()
        || serde_json::from_str::<Metadata>(metadata)
            .is_ok_and(|metadata| conditions.all(|condition| condition.is_met(&metadata)))
}

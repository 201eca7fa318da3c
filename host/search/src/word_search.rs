//! The ranking of the artifacts of a snapshot by words.

use rusqlite::Connection;
use synix_store::Reader;

use crate::index::Task;
use crate::query::{Match, Query};
use crate::search::{Hit, Name, Search, load};
use crate::tokenizer::{Texts, Tokenizer};
use crate::update::{Problem, Target};
use crate::words::{Filter, WordTarget, has_embeddings, rank};

/// A ranking by words.
#[derive(Debug)]
pub(crate) struct WordList {
    /// The artifacts, the best first.
    pub(crate) hits: Vec<(Name, Hit)>,
    /// How the words are connected.
    pub(crate) connection: Match,
    /// Whether the snapshot has embeddings.
    pub(crate) has_embeddings: bool,
}

pub(crate) struct WordSearch<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) search: &'a Search,
    pub(crate) query: &'a Query,
    /// The number of artifacts in the ranking.
    pub(crate) depth: usize,
    pub(crate) progress: &'a dyn Fn(u64),
}

impl Task<WordList> for WordSearch<'_> {
    fn target<'a>(&'a self, connection: &'a Connection) -> Result<Box<dyn Target + 'a>, Problem> {
        let target = WordTarget::new(connection, self.reader, self.progress)?;
        Ok(Box::new(target))
    }

    /// Returns the artifacts with all terms, or else those with any.
    fn ask(&self, connection: &Connection) -> Result<WordList, Problem> {
        let has_embeddings = has_embeddings(connection)?;
        let connections: &[Match] = if self.query.terms().len() > 1 {
            &[Match::All, Match::Any]
        } else {
            &[Match::All]
        };
        for &connected in connections {
            let hits = match self.query.expression(connected) {
                Some(expression) => self.hits(connection, &expression)?,
                None => Vec::new(),
            };
            if !hits.is_empty() {
                return Ok(WordList {
                    hits,
                    connection: connected,
                    has_embeddings,
                });
            }
        }
        Ok(WordList {
            hits: Vec::new(),
            connection: Match::All,
            has_embeddings,
        })
    }
}

impl WordSearch<'_> {
    fn hits(&self, connection: &Connection, expression: &str) -> Result<Vec<(Name, Hit)>, Problem> {
        let filter = Filter {
            layers: &self.search.layers,
            conditions: &self.search.conditions,
        };
        let tokenizer = Tokenizer::new()?;
        let mut hits = Vec::new();
        rank(connection, expression, &filter, &mut |candidate| {
            if hits.len() == self.depth {
                return Ok(false);
            }
            let name = (candidate.layer, candidate.label);
            let hit = Hit {
                artifact: candidate.artifact,
                digest: candidate.digest,
                score: candidate.score,
            };
            // Only what is shown, and what conditions are about, has to be read.
            if hits.len() < self.search.limit || !filter.conditions.is_empty() {
                let Some(artifact) = load(self.reader, &name, &hit)? else {
                    return Ok(true);
                };
                let mut conditions = filter.conditions.iter();
                if !conditions.all(|condition| condition.is_met(&artifact.metadata)) {
                    return Ok(true);
                }
                tokenizer.take(&Texts::of(&artifact))?;
                if !tokenizer.matches(expression)? {
                    // The index led to an artifact that does not have the words.
                    return Err(Problem::Disagrees);
                }
            }
            hits.push((name, hit));
            Ok(true)
        })?;
        Ok(hits)
    }
}

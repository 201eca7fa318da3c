//! The ranking of the artifacts of a snapshot by meaning.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;

use rusqlite::Connection;
use synix_store::{Reader, StoreError};

use crate::embedding::{Embedding, normalized};
use crate::error::SearchError;
use crate::fuse::fuse;
use crate::index::Task;
use crate::query::Query;
use crate::search::{Hit, Name, Search, load};
use crate::tokenizer::{Texts, Tokenizer};
use crate::update::{Problem, Target};
use crate::vectors::{Candidates, Neighbour, Space, VectorTarget, nearest, spaces};

/// Returns the vector of a query, made by the model of a layer of embeddings.
pub type EmbedQuery<'a> =
    dyn Fn(&Space, &str) -> Result<Vec<f32>, Box<dyn Error + Send + Sync>> + 'a;

/// A query as a vector of length 1, for each space.
pub(crate) type VectorQueries = Vec<(Space, Vec<f32>)>;

/// A ranking by meaning.
#[derive(Debug, Default)]
pub(crate) struct Meaning {
    /// The artifacts with their scores, the best first.
    pub(crate) ranking: Vec<(Name, f64)>,
    pub(crate) hits: HashMap<Name, Hit>,
    /// The greatest cosine of each artifact.
    pub(crate) similarities: HashMap<Name, f32>,
}

impl Meaning {
    /// Embeds a query for each space. A vector of other dimensions cannot be compared.
    pub(crate) fn queries(
        spaces: &[Space],
        query: &Query,
        embed: &EmbedQuery<'_>,
    ) -> Result<VectorQueries, SearchError> {
        let text = query.meaning();
        let mut queries = Vec::new();
        let mut known: HashMap<(&str, usize), Vec<f32>> = HashMap::new();
        for space in spaces {
            let key = (space.model.as_str(), space.dimensions);
            let vector = match known.get(&key) {
                Some(vector) => vector.clone(),
                None => embed(space, &text).map_err(SearchError::Embed)?,
            };
            if vector.len() == space.dimensions
                && let Some(unit) = normalized(&vector)
            {
                queries.push((space.clone(), unit));
            }
            known.insert(key, vector);
        }
        Ok(queries)
    }

    /// Combines the rankings of several spaces. One ranking has the cosines as its scores.
    pub(crate) fn of(rankings: &[Vec<(Name, f64)>]) -> Self {
        let mut similarities: HashMap<Name, f32> = HashMap::new();
        for (name, cosine) in rankings.iter().flatten() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a number between -1 and 1, to be shown"
            )]
            let cosine = *cosine as f32;
            let best = similarities.entry(name.clone()).or_insert(cosine);
            *best = best.max(cosine);
        }
        let ranking = match rankings {
            [only] => only.clone(),
            several => {
                let names = |ranking: &Vec<(Name, f64)>| {
                    ranking.iter().map(|(name, _)| name.clone()).collect()
                };
                fuse(&several.iter().map(names).collect::<Vec<_>>())
            }
        };
        Self {
            ranking,
            hits: HashMap::new(),
            similarities,
        }
    }
}

/// Brings the index of vectors up to date, and returns its spaces.
pub(crate) struct SpaceList<'a>(pub(crate) &'a Reader);

impl Task<Vec<Space>> for SpaceList<'_> {
    fn target<'a>(&'a self, connection: &'a Connection) -> Result<Box<dyn Target + 'a>, Problem> {
        Ok(Box::new(VectorTarget::new(connection, self.0)))
    }

    fn ask(&self, connection: &Connection) -> Result<Vec<Space>, Problem> {
        spaces(connection)
    }
}

pub(crate) struct NearestSearch<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) search: &'a Search,
    pub(crate) unwanted: Option<String>,
    pub(crate) tokenizer: &'a Tokenizer,
    pub(crate) queries: &'a VectorQueries,
    /// The number of artifacts in the ranking of each space.
    pub(crate) depth: usize,
}

impl Task<Meaning> for NearestSearch<'_> {
    fn target<'a>(&'a self, connection: &'a Connection) -> Result<Box<dyn Target + 'a>, Problem> {
        Ok(Box::new(VectorTarget::new(connection, self.reader)))
    }

    fn ask(&self, connection: &Connection) -> Result<Meaning, Problem> {
        let mut hits = HashMap::new();
        let mut rankings = Vec::new();
        for (space, query) in self.queries {
            let mut candidates = SpaceCandidates {
                of: self,
                space,
                hits: &mut hits,
            };
            let found = nearest(connection, space, query, self.depth, &mut candidates)?;
            let ranking = found
                .into_iter()
                .map(|one| ((one.about_layer, one.about_label), one.cosine));
            rankings.push(first_of_each(ranking));
        }
        Ok(Meaning {
            hits,
            ..Meaning::of(&rankings)
        })
    }
}

/// Returns a ranking without what it already has: an artifact may have several embeddings in one layer.
fn first_of_each(ranking: impl Iterator<Item = (Name, f64)>) -> Vec<(Name, f64)> {
    let mut seen: BTreeMap<Name, ()> = BTreeMap::new();
    ranking
        .filter(|(name, _)| seen.insert(name.clone(), ()).is_none())
        .collect()
}

/// The candidates of one space.
struct SpaceCandidates<'a> {
    of: &'a NearestSearch<'a>,
    space: &'a Space,
    /// The artifacts that may be results.
    hits: &'a mut HashMap<Name, Hit>,
}

impl Candidates for SpaceCandidates<'_> {
    fn vector(&mut self, candidate: &Neighbour) -> Result<Option<Vec<f32>>, Problem> {
        let layers = &self.of.search.layers;
        let has_layer =
            |layer: &String| *layer == self.space.layer || *layer == candidate.about_layer;
        if !layers.is_empty() && !layers.iter().any(has_layer) {
            return Ok(None);
        }
        let artifact = match self.of.reader.artifact(candidate.artifact) {
            Ok(artifact) => artifact,
            Err(StoreError::Unusable { .. }) => return Err(Problem::Disagrees),
            Err(StoreError::Changed { .. } | StoreError::BadObject { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if artifact.digest().ok() != Some(candidate.digest) {
            return Err(Problem::Disagrees);
        }
        let embedding = Embedding::of_artifact(&artifact).ok_or(Problem::Disagrees)?;
        if embedding.model != self.space.model {
            return Err(Problem::Disagrees);
        }
        Ok(Some(embedding.vector))
    }

    fn admits(&mut self, candidate: &Neighbour) -> Result<bool, Problem> {
        let reader = self.of.reader;
        let name = (candidate.about_layer.clone(), candidate.about_label.clone());
        // An index could name a text that the vector is not about.
        let embedding = reader.find_artifact(candidate.artifact)?;
        let inputs = reader.inputs(embedding.ok_or(Problem::Disagrees)?.unit)?;
        if !inputs.iter().any(|input| input.id == candidate.about) {
            return Err(Problem::Disagrees);
        }
        let row = reader.find_artifact(candidate.about)?;
        let hit = Hit {
            artifact: candidate.about,
            digest: row.ok_or(Problem::Disagrees)?.digest,
            score: 0.0,
        };
        let Some(about) = load(reader, &name, &hit)? else {
            return Ok(false);
        };
        let mut conditions = self.of.search.conditions.iter();
        if !conditions.all(|condition| condition.is_met(&about.metadata)) {
            return Ok(false);
        }
        if let Some(unwanted) = &self.of.unwanted {
            self.of.tokenizer.take(&Texts::of(&about))?;
            if self.of.tokenizer.matches(unwanted)? {
                return Ok(false);
            }
        }
        self.hits.insert(name, hit);
        Ok(true)
    }
}

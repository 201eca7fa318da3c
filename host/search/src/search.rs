//! A search over a snapshot in a state.

use std::collections::BTreeMap;

use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_store::{ArtifactId, Reader, Snapshot, StoreError};

use crate::document::Condition;
use crate::error::SearchError;
use crate::fuse::fuse;
use crate::index::State;
use crate::index_file::{Place, Sort};
use crate::meaning::{EmbedQuery, Meaning, NearestSearch, SpaceList};
use crate::query::{Match, Query};
use crate::result::{Answer, Found, Mode, Why, present};
use crate::sources::Sources;
use crate::tokenizer::{Texts, Tokenizer};
use crate::update::Problem;
use crate::word_search::{WordList, WordSearch};

/// The minimum length of the rankings that are combined.
const MIN_DEPTH: usize = 100;

/// What to search for, and where.
#[derive(Debug, Clone)]
pub struct Search {
    /// The query as it was typed.
    pub query: String,
    /// Results are of one of these layers, or their embeddings are; of any if there are none.
    pub layers: Vec<String>,
    /// Results meet all of these conditions.
    pub conditions: Vec<Condition>,
    /// How the query is compared; `None`: by both if there are embeddings, otherwise by words.
    pub mode: Option<Mode>,
    /// The maximum number of results.
    pub limit: usize,
}

impl Search {
    /// Returns how many results a ranking needs for this search.
    fn depth(&self, mode: Option<Mode>) -> usize {
        match mode {
            Some(Mode::Words | Mode::Meaning) => self.limit + 1,
            Some(Mode::Hybrid) | None => (self.limit + 1).max(MIN_DEPTH),
        }
    }
}

/// An artifact that an index refers to, after it was compared with the state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hit {
    pub(crate) artifact: ArtifactId,
    pub(crate) digest: Digest,
    pub(crate) score: f64,
}

/// The layer and the label of an artifact.
pub(crate) type Name = (String, String);

/// Searches the artifacts of a snapshot.
///
/// `embed` returns the vector of a query, for a search by meaning. `progress` is called with the number of artifacts that
/// were added to the index so far.
pub fn search(
    reader: &Reader,
    snapshot: &Snapshot,
    search: &Search,
    embed: Option<&EmbedQuery<'_>>,
    progress: &dyn Fn(u64),
) -> Result<Answer, SearchError> {
    let state = State {
        folder: reader.folder(),
        reader,
        snapshot,
    };
    let tokenizer = Tokenizer::new().map_err(in_memory)?;
    let query = Query::parse(&search.query, &tokenizer).map_err(in_memory)?;
    let words = WordSearch {
        reader,
        search,
        query: &query,
        depth: search.depth(search.mode),
        progress,
    };
    let (words, place) = state.ask(Sort::Words, &words)?;
    let ranking = Ranking {
        state,
        search,
        query: &query,
        tokenizer: &tokenizer,
        is_temporary: place == Place::Temporary,
        words,
    };
    ranking.answer(embed)
}

pub(crate) fn in_memory(source: rusqlite::Error) -> SearchError {
    SearchError::Database {
        path: ":memory:".into(),
        source,
    }
}

/// The rankings of a search.
struct Ranking<'a> {
    state: State<'a>,
    search: &'a Search,
    query: &'a Query,
    tokenizer: &'a Tokenizer,
    is_temporary: bool,
    words: WordList,
}

impl Ranking<'_> {
    fn answer(self, embed: Option<&EmbedQuery<'_>>) -> Result<Answer, SearchError> {
        let wanted = self.search.mode;
        let may_embed =
            self.words.has_embeddings && embed.is_some() && !self.query.meaning().is_empty();
        let mode = wanted.unwrap_or(if may_embed { Mode::Hybrid } else { Mode::Words });
        if mode == Mode::Words {
            return self.by(mode, None, None);
        }
        match (self.meaning(embed), wanted) {
            (Ok(meaning), _) => self.by(mode, Some(meaning), None),
            (Err(error), Some(_)) => Err(error),
            // Nobody asked for embeddings.
            (Err(error @ (SearchError::Embed(_) | SearchError::NoEmbeddings { .. })), None) => {
                self.by(Mode::Words, None, Some(error))
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Returns the nearest artifacts in each space.
    fn meaning(&self, embed: Option<&EmbedQuery<'_>>) -> Result<Meaning, SearchError> {
        let none = || SearchError::NoEmbeddings {
            place: format!("in {}", self.state.snapshot.id),
        };
        let embed = embed.ok_or_else(none)?;
        if !self.words.has_embeddings {
            return Err(none());
        }
        let (spaces, _) = self
            .state
            .ask(Sort::Vectors, &SpaceList(self.state.reader))?;
        let queries = Meaning::queries(&spaces, self.query, embed)?;
        if queries.is_empty() {
            return Err(none());
        }
        let nearest = NearestSearch {
            reader: self.state.reader,
            search: self.search,
            unwanted: self.query.unwanted(),
            tokenizer: self.tokenizer,
            queries: &queries,
            depth: self.search.depth(self.search.mode),
        };
        let (meaning, _) = self.state.ask(Sort::Vectors, &nearest)?;
        Ok(meaning)
    }

    fn by(
        self,
        mode: Mode,
        meaning: Option<Meaning>,
        unused: Option<SearchError>,
    ) -> Result<Answer, SearchError> {
        let meaning = meaning.unwrap_or_default();
        let names = |hits: &[(Name, Hit)]| {
            hits.iter()
                .map(|(name, _)| name.clone())
                .collect::<Vec<_>>()
        };
        let words_ranking = names(&self.words.hits);
        let meaning_ranking: Vec<Name> = meaning
            .ranking
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        let ranked: Vec<(Name, f64)> = match mode {
            Mode::Words => self
                .words
                .hits
                .iter()
                .map(|(name, hit)| (name.clone(), hit.score))
                .collect(),
            Mode::Meaning => meaning.ranking.clone(),
            Mode::Hybrid => fuse(&[words_ranking.clone(), meaning_ranking.clone()]),
        };
        let rank = |ranking: &[Name], of: &Name| {
            let position = ranking.iter().position(|name| name == of);
            position.map(|position| position + 1)
        };
        let by_words: BTreeMap<Name, Hit> = self.words.hits.iter().cloned().collect();
        let mut results = Vec::new();
        for (name, score) in ranked.iter().take(self.search.limit) {
            let Some(hit) = by_words.get(name).or_else(|| meaning.hits.get(name)) else {
                continue;
            };
            let Some(artifact) = load(self.state.reader, name, hit).map_err(|_| changed(name))?
            else {
                continue;
            };
            let uses = |of: Mode| mode == of || mode == Mode::Hybrid;
            let why = Why {
                words_rank: rank(&words_ranking, name).filter(|_| uses(Mode::Words)),
                meaning_rank: rank(&meaning_ranking, name),
                similarity: meaning.similarities.get(name).copied(),
                ..Why::default()
            };
            let found = Found {
                layer: name.0.clone(),
                label: name.1.clone(),
                kind: artifact.kind.to_string(),
                id: hit.digest.to_string(),
                texts: Texts::of(&artifact),
                metadata: artifact.metadata,
                sources: Sources::of(self.state.reader, hit.artifact)?,
                score: *score,
            };
            results.push(present(found, self.query, self.tokenizer, why).map_err(in_memory)?);
        }
        Ok(Answer {
            mode,
            connection: if mode == Mode::Meaning {
                Match::All
            } else {
                self.words.connection
            },
            has_more: ranked.len() > self.search.limit,
            results,
            is_temporary: self.is_temporary,
            unused_embeddings: unused,
        })
    }
}

/// The state changed between two reads of one artifact.
fn changed(name: &Name) -> SearchError {
    SearchError::Store(StoreError::Changed {
        what: format!("the artifact {}/{}", name.0, name.1),
    })
}

/// Reads the artifact that an index refers to; `None` if the state's own copy is damaged.
pub(crate) fn load(reader: &Reader, name: &Name, hit: &Hit) -> Result<Option<Artifact>, Problem> {
    let artifact = match reader.artifact(hit.artifact) {
        Ok(artifact) => artifact,
        Err(StoreError::Unusable { .. }) => return Err(Problem::Disagrees),
        Err(StoreError::Changed { .. } | StoreError::BadObject { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let row = reader.find_artifact(hit.artifact)?;
    let unit = row.as_ref().map(|row| reader.unit(row.unit)).transpose()?;
    let is_same = artifact.label.as_str() == name.1
        && row.is_some_and(|row| row.digest == hit.digest)
        && unit.is_some_and(|unit| unit.layer == name.0);
    if is_same {
        Ok(Some(artifact))
    } else {
        Err(Problem::Disagrees)
    }
}

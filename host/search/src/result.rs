//! The documents that a search returns.

use std::str::FromStr;

use serde::{Serialize, Serializer};
use synix_core::artifact::Metadata;

use crate::error::SearchError;
use crate::query::{Match, Query};
use crate::snippet::{Snippet, TermMatch, term_matches};
use crate::sources::Sources;
use crate::tokenizer::{Texts, Tokenizer};

/// How a search compares a query with artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By words.
    Words,
    /// By the distance of embeddings.
    Meaning,
    /// By both, with their ranks combined.
    Hybrid,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Words, Self::Meaning, Self::Hybrid];

    /// Returns the name in commands and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Meaning => "meaning",
            Self::Hybrid => "hybrid",
        }
    }
}

/// No mode has the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no mode {0:?}; the modes are words, meaning and hybrid")]
pub struct UnknownMode(String);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        let named = Self::ALL.into_iter().find(|mode| mode.name() == name);
        named.ok_or_else(|| UnknownMode(name.to_owned()))
    }
}

/// What a search found.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// How the query was compared.
    pub mode: Mode,
    /// How its words are connected.
    #[serde(rename = "match")]
    pub connection: Match,
    /// The results, the best first.
    pub results: Vec<SearchResult>,
    /// Whether there are more results than the limit.
    #[serde(rename = "more")]
    pub has_more: bool,
    /// Whether the index could not be kept, so that it was made for this search alone.
    #[serde(skip)]
    pub is_temporary: bool,
    /// Why embeddings were not used, although there are some and nobody asked for words only.
    #[serde(skip)]
    pub unused_embeddings: Option<SearchError>,
}

/// An artifact that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchResult {
    /// Its layer.
    pub layer: String,
    /// Its label.
    pub label: String,
    /// Its kind.
    pub kind: String,
    /// Its digest in hex.
    pub id: String,
    /// The greater, the better. Scores of different searches cannot be compared.
    pub score: f64,
    /// A passage with matched words.
    #[serde(serialize_with = "as_text")]
    pub snippet: Snippet,
    /// Its metadata.
    pub metadata: Metadata,
    /// The source artifacts behind it.
    #[serde(serialize_with = "as_labels")]
    pub sources: Sources,
    /// Why it was found.
    pub why: Why,
}

/// Why an artifact was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Why {
    /// The terms of the query that it has, and where.
    pub terms: Vec<TermMatch>,
    /// Its rank by words, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words_rank: Option<usize>,
    /// Its rank by meaning, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning_rank: Option<usize>,
    /// The cosine of the angle between the query and the artifact: 1 for the same direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f32>,
}

fn as_text<S: Serializer>(snippet: &Snippet, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&snippet.text())
}

fn as_labels<S: Serializer>(sources: &Sources, serializer: S) -> Result<S::Ok, S::Error> {
    sources.labels.serialize(serializer)
}

/// An artifact to be presented.
pub(crate) struct Found {
    pub(crate) layer: String,
    pub(crate) label: String,
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) texts: Texts,
    pub(crate) metadata: Metadata,
    pub(crate) sources: Sources,
    pub(crate) score: f64,
}

/// Adds to an artifact what of it matched.
pub(crate) fn present(
    found: Found,
    query: &Query,
    tokenizer: &Tokenizer,
    why: Why,
) -> rusqlite::Result<SearchResult> {
    tokenizer.take(&found.texts)?;
    let mut why = why;
    why.terms = term_matches(query, tokenizer)?;
    Ok(SearchResult {
        snippet: Snippet::of(&found.texts, query, tokenizer)?,
        why,
        layer: found.layer,
        label: found.label,
        kind: found.kind,
        id: found.id,
        score: found.score,
        metadata: found.metadata,
        sources: found.sources,
    })
}

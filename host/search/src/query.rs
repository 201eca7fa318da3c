//! What a user searches for: words, phrases, beginnings of words, and words to leave out.
//!
//! The text of a user reaches FTS5 only inside quoted strings, so no query is an error of its syntax.

use crate::segment::segment_query;
use crate::tokenizer::Tokenizer;

/// The maximum number of terms, and of characters of each.
const MAX_TERMS: usize = 64;
const MAX_TERM_CHARS: usize = 256;

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    /// The text as it was typed.
    text: String,
    /// What an artifact has to have.
    wanted: Vec<Term>,
    /// What an artifact must not have.
    unwanted: Vec<Term>,
}

/// A word or a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    /// The text as it was typed, with a `*` at its end for the beginning of a word.
    pub(crate) text: String,
    /// The string for FTS5.
    pub(crate) expression: String,
}

/// How the terms of a query are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// Each result has all terms.
    All,
    /// No artifact has all terms, so each result has one of them.
    Any,
}

impl Query {
    /// Parses what a user typed. No text is an error.
    pub(crate) fn parse(text: &str, tokenizer: &Tokenizer) -> rusqlite::Result<Self> {
        let mut query = Self {
            text: text.to_owned(),
            wanted: Vec::new(),
            unwanted: Vec::new(),
        };
        for part in split(text).into_iter().take(MAX_TERMS) {
            let words = segment_query(&part.text);
            if !tokenizer.has_word(&words.text)? {
                continue;
            }
            let star = if part.is_prefix || words.is_prefix {
                " *"
            } else {
                ""
            };
            let term = Term {
                text: format!("{}{}", part.text, if part.is_prefix { "*" } else { "" }),
                expression: format!("\"{}\"{star}", words.text.trim_end()),
            };
            if part.is_unwanted {
                query.unwanted.push(term);
            } else {
                query.wanted.push(term);
            }
        }
        Ok(query)
    }

    /// Returns the text for an embedding: all but what is to be left out.
    pub(crate) fn meaning(&self) -> String {
        let wanted = split(&self.text)
            .into_iter()
            .filter(|part| !part.is_unwanted);
        wanted.map(|part| part.text).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn terms(&self) -> &[Term] {
        &self.wanted
    }

    /// Returns what an artifact must not have, as an expression of FTS5.
    pub(crate) fn unwanted(&self) -> Option<String> {
        (!self.unwanted.is_empty()).then(|| joined(&self.unwanted, " OR "))
    }

    /// Returns the expression for FTS5, or `None` if there is nothing to look for.
    pub(crate) fn expression(&self, connection: Match) -> Option<String> {
        if self.wanted.is_empty() {
            return None;
        }
        let wanted = match connection {
            Match::All => joined(&self.wanted, " AND "),
            Match::Any => joined(&self.wanted, " OR "),
        };
        Some(match self.unwanted() {
            None => wanted,
            Some(unwanted) => format!("({wanted}) NOT ({unwanted})"),
        })
    }

    /// Returns the expression that marks every wanted term in a text.
    pub(crate) fn marks(&self) -> Option<String> {
        (!self.wanted.is_empty()).then(|| joined(&self.wanted, " OR "))
    }
}

fn joined(terms: &[Term], operator: &str) -> String {
    let all: Vec<&str> = terms.iter().map(|term| term.expression.as_str()).collect();
    all.join(operator)
}

/// A term as it was typed.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    text: String,
    is_prefix: bool,
    is_unwanted: bool,
}

/// Splits a query at white space outside of quotes.
fn split(text: &str) -> Vec<Part> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (is_unwanted, after_sign) = match rest.strip_prefix('-') {
            Some(after) if !after.is_empty() && !after.starts_with(char::is_whitespace) => {
                (true, after)
            }
            Some(_) | None => (false, rest),
        };
        let (word, after) = match after_sign.strip_prefix('"') {
            // A quote that nobody closed ends with the query.
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => {
                let end = after_sign
                    .find(|c: char| c.is_whitespace() || c == '"')
                    .unwrap_or(after_sign.len());
                after_sign.split_at(end)
            }
        };
        let (mut word, mut after) = (word, after);
        let mut is_prefix = false;
        if let Some(begun) = word.strip_suffix('*') {
            (word, is_prefix) = (begun, true);
        } else if let Some(starred) = after.strip_prefix('*') {
            (after, is_prefix) = (starred, true);
        }
        let clean = word.replace(|c: char| c.is_control() || c == '"', " ");
        let text: String = clean.trim().chars().take(MAX_TERM_CHARS).collect();
        if !text.is_empty() {
            found.push(Part {
                text,
                is_prefix,
                is_unwanted,
            });
        }
        rest = after.trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::Connection;

    use super::*;
    use crate::schema::TOKENIZER;

    fn parsed(text: &str) -> Query {
        Query::parse(text, &Tokenizer::new().unwrap()).unwrap()
    }

    #[test]
    fn words_phrases_prefixes_and_exclusions_are_parsed() {
        let expression = |text: &str| parsed(text).expression(Match::All).unwrap_or_default();
        assert_eq!(expression("ann paints"), r#""ann" AND "paints""#);
        assert_eq!(
            expression(r#""ann paints" -bob"#),
            r#"("ann paints") NOT ("bob")"#
        );
        assert_eq!(
            expression("donau* -\"old one\""),
            r#"("donau" *) NOT ("old one")"#
        );
        assert_eq!(expression("\"open quote"), r#""open quote""#);
        assert_eq!(expression("- ... \"\" *"), "");
        assert_eq!(
            expression("NOT OR (NEAR a:b"),
            r#""NOT" AND "OR" AND "(NEAR" AND "a:b""#
        );
        assert_eq!(expression("東京都"), r#""東京 京都""#);
        assert_eq!(parsed("-a").expression(Match::All), None);
        assert_eq!(
            parsed("a b").expression(Match::Any).unwrap(),
            r#""a" OR "b""#
        );
        assert_eq!(parsed("what is -this \"a b\"").meaning(), "what is a b");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_query_is_an_error_of_fts5(
            text in proptest::string::string_regex("([\\PC\\x00\"*:(){}^+-]|NEAR|AND|OR|NOT|東京| ){0,40}").unwrap(),
        ) {
            let connection = Connection::open_in_memory().unwrap();
            connection
                .execute_batch(&format!("CREATE VIRTUAL TABLE t USING fts5(a, b, {TOKENIZER}); INSERT INTO t VALUES ('a', 'b')"))
                .unwrap();
            let query = parsed(&text);
            for connected in [Match::All, Match::Any] {
                if let Some(expression) = query.expression(connected) {
                    let found: rusqlite::Result<Vec<i64>> = connection
                        .prepare("SELECT rowid FROM t WHERE t MATCH ?1")
                        .unwrap()
                        .query_map([&expression], |row| row.get(0))
                        .unwrap()
                        .collect();
                    prop_assert!(found.is_ok(), "{expression:?}: {found:?}");
                }
            }
        }
    }
}

//! An error as `--json` prints it and as a build stores it.

use std::error::Error;

use serde::{Deserialize, Serialize};

use synix_core::error_kind::ErrorKind;

/// An error with its causes and the next step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorView {
    /// The stable name of the error's class; `docs/commands.md` lists them.
    pub kind: String,
    /// What went wrong.
    pub message: String,
    /// The causes, from the nearest to the last, without repetitions.
    pub causes: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
}

impl ErrorView {
    /// Converts an error with its causes.
    pub fn of(kind: ErrorKind, hint: Option<String>, error: &dyn Error) -> Self {
        let message = error.to_string();
        let mut causes: Vec<String> = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            add(&message, &mut causes, cause.to_string());
            next = cause.source();
        }
        Self {
            kind: kind.to_string(),
            message,
            causes,
            hint,
        }
    }

    /// Returns the JSON text that a build stores.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| self.message.clone())
    }

    /// Parses what a build stored. Earlier versions stored only the message.
    pub fn from_stored(stored: &str) -> Self {
        serde_json::from_str(stored).unwrap_or_else(|_| Self {
            kind: ErrorKind::FAILED.to_string(),
            message: stored.to_owned(),
            causes: Vec::new(),
            hint: None,
        })
    }
}

/// Adds a cause unless it is a repetition. A cause that contains the last one replaces it.
fn add(message: &str, causes: &mut Vec<String>, cause: String) {
    let is_known = message.contains(&cause) || causes.iter().any(|known| known.contains(&cause));
    if is_known {
        return;
    }
    if causes
        .last()
        .is_some_and(|last| cause.contains(last.as_str()))
    {
        causes.pop();
    }
    causes.push(cause);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    fn chain(texts: &[&'static str]) -> Link {
        let mut rest = texts.iter().rev();
        let mut link = Link {
            text: rest.next().unwrap(),
            source: None,
        };
        for text in rest {
            link = Link {
                text,
                source: Some(Box::new(link)),
            };
        }
        link
    }

    #[test]
    fn no_cause_repeats_another() {
        let error = chain(&[
            "nothing can be sent: no price",
            "no price",
            "a readonly database",
            "code 8: a readonly database",
            "a readonly database",
        ]);
        let view = ErrorView::of(ErrorKind::BUDGET, None, &error);
        assert_eq!(view.message, "nothing can be sent: no price");
        assert_eq!(view.causes, ["code 8: a readonly database"]);
    }

    #[test]
    fn a_stored_error_is_restored_and_an_old_one_keeps_its_message() {
        let view = ErrorView::of(
            ErrorKind::CASSETTE,
            Some("record".to_owned()),
            &chain(&["a", "b"]),
        );
        assert_eq!(ErrorView::from_stored(&view.to_json()), view);
        let old = ErrorView::from_stored("provider openai: no route");
        assert_eq!(
            (old.kind.as_str(), old.message.as_str()),
            ("failed", "provider openai: no route")
        );
    }
}

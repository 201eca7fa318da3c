//! Golden files: their names, the comparison with a command's output, and the report of all outcomes.

use serde::Serialize;
use synix_authoring::check::{self, TestCase, TestOutcome};
use synix_engine::view::TextDiff;

/// The outcome of a command without a golden file.
pub(super) const NO_GOLDEN_FILE: &str = "has no golden file";

/// The outcome of a command, or of a golden file without a command.
#[derive(Debug, Serialize)]
pub(super) struct Case {
    /// The golden file.
    pub(super) golden: String,
    pub(super) outcome: &'static str,
    /// The command as a user types it; `None` if no command uses the golden file.
    #[serde(skip)]
    pub(super) command: Option<String>,
    /// The differences in the output, and the error message of the command.
    #[serde(skip)]
    pub(super) details: Vec<String>,
}

impl Case {
    pub(super) fn is_good(&self) -> bool {
        matches!(self.outcome, "same" | "written")
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![match &self.command {
            Some(command) => format!("{command}: {}", self.outcome),
            None => format!("golden/{}: no command uses it", self.golden),
        }];
        lines.extend(self.details.iter().cloned());
        lines
    }
}

/// Returns the outcomes as JUnit XML.
pub(super) fn junit(cases: &[Case]) -> String {
    let suite = "synix test";
    let cases = cases.iter().map(|case| TestCase {
        name: case.command.as_deref().unwrap_or(&case.golden),
        outcome: if case.is_good() {
            TestOutcome::Passed
        } else {
            TestOutcome::Failed {
                message: case.outcome,
                details: case.details.join("\n"),
            }
        },
    });
    check::junit_document(suite, &cases.collect::<Vec<_>>())
}

/// Compares a golden file with the present output, and returns the outcome and the differences.
pub(super) fn compare(golden: &[u8], now: &str) -> (&'static str, Option<String>) {
    if golden == now.as_bytes() {
        return ("same", None);
    }
    let golden = String::from_utf8_lossy(golden);
    let diff = TextDiff::of(&golden, now).unified();
    ("differs", Some(format!("--- golden\n+++ now\n{diff}")))
}

/// Returns whether a name is that of a golden file: a number, a command, `.txt`.
pub(super) fn is_golden(name: &str) -> bool {
    let parts = name
        .strip_suffix(".txt")
        .and_then(|name| name.split_once('-'));
    let Some((number, command)) = parts else {
        return false;
    };
    number.len() >= 2
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && command.chars().all(|c| file_name_char(c) == c)
}

fn file_name_char(c: char) -> char {
    if c.is_ascii_alphanumeric() || c == '.' {
        c
    } else {
        '-'
    }
}

pub(super) fn file_name(arguments: &[String]) -> String {
    let joined = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .cloned()
        .collect::<Vec<_>>();
    joined
        .join("-")
        .chars()
        .map(file_name_char)
        .take(100)
        .collect()
}

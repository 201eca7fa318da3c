//! Exit codes, and errors in words with their causes.

use std::process::ExitCode;

use synix::project::ProjectError;
use synix::view::FindError;

use crate::render::Screen;

/// What the command's exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked.
    Done,
    /// Units failed; the rest is there.
    WithErrors,
    /// Something is still in flight.
    Waiting,
    /// It did not do what was asked; the code says why.
    Failed(u8),
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::WithErrors => 3,
            Exit::Waiting => 4,
            Exit::Failed(code) => code,
        })
    }
}

impl Exit {
    /// A failure that needs no further words.
    pub(crate) const FAILED: Self = Self::Failed(FAILED);
}

/// A mistake in what the user typed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Says what went wrong, with its causes, and returns the exit code.
pub(crate) fn report(error: &anyhow::Error, screen: &Screen) -> Exit {
    let mut lines = vec![format!("error: {error}")];
    lines.extend(
        error
            .chain()
            .skip(1)
            .map(|cause| format!("  because: {cause}")),
    );
    screen.talk(&lines.join("\n"));
    Exit::Failed(code(error))
}

fn code(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<ProjectError>() {
        return error.exit_code();
    }
    let names_nothing = matches!(
        error.downcast_ref(),
        Some(FindError::NotFound { .. } | FindError::Ambiguous { .. })
    );
    if names_nothing || error.is::<Usage>() {
        USAGE
    } else {
        FAILED
    }
}

//! Exit codes, and errors with their kinds, causes and hints.

use synix_authoring::build::BuildError as PluginBuildError;
use synix_authoring::desk::DeskError;
use synix_authoring::scaffold::ScaffoldError;
use synix_disk::DiskError;
use synix_engine::view::{ErrorView, FAILED as FAILED_KIND, FindError};
use synix_project::ProjectError;
use synix_sandbox::PluginError;
use synix_store::StoreError;

use crate::render::Screen;
use crate::usage;

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
/// The exit code of a mistake in what the user typed.
pub(crate) const USAGE: u8 = 2;

impl Exit {
    /// Returns the code itself.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::WithErrors => 3,
            Self::Waiting => 4,
            Self::Failed(code) => code,
        }
    }

    /// A failure that needs no further words.
    pub(crate) const FAILED: Self = Self::Failed(FAILED);
}

/// A mistake in what the user typed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Says what went wrong, with its causes and what to do, and returns the exit code.
pub(crate) fn report(error: &anyhow::Error, screen: &Screen) -> Exit {
    let (kind, hint, code) = class(error);
    screen.error(&ErrorView::of(kind, hint, &**error));
    Exit::Failed(code)
}

/// Returns the kind of an error, what to do about it and the exit code.
fn class(error: &anyhow::Error) -> (&'static str, Option<String>, u8) {
    if let Some(error) = error.downcast_ref::<ProjectError>() {
        return (error.kind(), error.hint(), error.exit_code());
    }
    if let Some(error) = error.downcast_ref::<FindError>() {
        return (error.kind(), error.hint(), error.exit_code());
    }
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return (error.kind(), error.hint(), FAILED);
    }
    if error.is::<Usage>() {
        return (usage::KIND, None, USAGE);
    }
    let kind = if error.is::<PluginError>()
        || error.is::<DeskError>()
        || error.is::<PluginBuildError>()
        || error.is::<ScaffoldError>()
    {
        "plugin"
    } else if error.is::<DiskError>() || error.is::<std::io::Error>() {
        "file"
    } else {
        FAILED_KIND
    };
    (kind, None, FAILED)
}

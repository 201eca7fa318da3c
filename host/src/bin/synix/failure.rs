//! Exit codes, and errors with their kinds, causes and hints.

use std::process::ExitCode;

use synix::author::build::BuildError as PluginBuildError;
use synix::author::desk::DeskError;
use synix::author::scaffold::ScaffoldError;
use synix::disk::DiskError;
use synix::error_kind::ErrorKind;
use synix::plugin::PluginError;
use synix::project::ProjectError;
use synix::store::StoreError;
use synix::view::{ErrorView, FindError};

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
/// The exit code of a mistake in what the user typed.
pub(crate) const USAGE: u8 = 2;

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

/// Says what went wrong, with its causes and what to do, and returns the exit code.
pub(crate) fn report(error: &anyhow::Error, screen: &Screen) -> Exit {
    let (kind, hint, code) = class(error);
    screen.error(&ErrorView::of(kind, hint, &**error));
    Exit::Failed(code)
}

/// Returns the kind of an error, what to do about it and the exit code.
fn class(error: &anyhow::Error) -> (ErrorKind, Option<String>, u8) {
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
        return (ErrorKind::USAGE, None, USAGE);
    }
    let kind = if error.is::<PluginError>()
        || error.is::<DeskError>()
        || error.is::<PluginBuildError>()
        || error.is::<ScaffoldError>()
    {
        ErrorKind::PLUGIN
    } else if error.is::<DiskError>() || error.is::<std::io::Error>() {
        ErrorKind::FILE
    } else {
        ErrorKind::FAILED
    };
    (kind, None, FAILED)
}

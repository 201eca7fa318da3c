//! Exit codes, and errors with their kinds, causes and hints.

use std::process::ExitCode;

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

/// The user or the system ended a command that drives no build.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// Ends a command that has nothing to lose at the first Ctrl-C or SIGTERM, whatever its plugins are at.
pub(crate) fn leave_when_interrupted(screen: &Screen) -> anyhow::Result<()> {
    let screen = *screen;
    synix_project::at_interrupt(move || {
        report(&Interrupted.into(), &screen);
        #[expect(
            clippy::exit,
            reason = "a guest on the main thread may run for as long as its limits allow"
        )]
        std::process::exit(FAILED.into());
    })?;
    Ok(())
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
    if error.is::<Interrupted>() {
        return ("interrupted", None, FAILED);
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

//! Exit codes, and errors with their kinds, causes and hints.

use synix_authoring::build::BuildError as PluginBuildError;
use synix_authoring::scaffold::ScaffoldError;
use synix_authoring::unit_run::UnitRunError;
use synix_core::error_kind::ErrorKind;
use synix_core::exit_code::ExitCode;
use synix_disk::DiskError;
use synix_engine::view::{ErrorView, FindError};
use synix_project::ProjectError;
use synix_sandbox::PluginError;
use synix_store::StoreError;

use crate::render::{Errors, Screen};

/// The user or the system ended a command that drives no build.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// Ends a command that has nothing to lose at the first Ctrl-C or SIGTERM, whatever its plugins are at.
pub(crate) fn leave_when_interrupted(screen: &Screen) -> anyhow::Result<()> {
    if !screen.owns_process() {
        // Whoever embeds the command decides when its process ends.
        return Ok(());
    }
    let errors = screen.errors();
    synix_project::at_interrupt(move || {
        tell(&Interrupted.into(), &errors);
        #[expect(
            clippy::exit,
            reason = "a guest on the main thread may run for as long as its limits allow"
        )]
        std::process::exit(ExitCode::Failure.code().into());
    })?;
    Ok(())
}

/// A mistake in what the user typed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Says what went wrong, with its causes and what to do, and returns the exit code.
pub(crate) fn report(error: &anyhow::Error, screen: &Screen) -> ExitCode {
    tell(error, &screen.errors())
}

fn tell(error: &anyhow::Error, errors: &Errors) -> ExitCode {
    let (kind, hint, code) = class(error);
    errors.tell(&ErrorView::of(kind, hint, &**error));
    code
}

/// Returns the kind of an error, what to do about it and the exit code.
fn class(error: &anyhow::Error) -> (ErrorKind, Option<String>, ExitCode) {
    if let Some(error) = error.downcast_ref::<ProjectError>() {
        return (error.kind(), error.hint(), error.exit_code());
    }
    if let Some(error) = error.downcast_ref::<FindError>() {
        return (error.kind(), error.hint(), error.exit_code());
    }
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return (error.kind(), error.hint(), ExitCode::Failure);
    }
    if error.is::<Usage>() {
        return (ErrorKind::USAGE, None, ExitCode::Usage);
    }
    if error.is::<Interrupted>() {
        return (ErrorKind::INTERRUPTED, None, ExitCode::Failure);
    }
    let kind = if error.is::<PluginError>()
        || error.is::<UnitRunError>()
        || error.is::<PluginBuildError>()
        || error.is::<ScaffoldError>()
    {
        ErrorKind::PLUGIN
    } else if error.is::<DiskError>() || error.is::<std::io::Error>() {
        ErrorKind::FILE
    } else {
        ErrorKind::FAILED
    };
    (kind, None, ExitCode::Failure)
}

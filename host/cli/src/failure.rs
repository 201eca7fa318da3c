//! Reports errors with their kinds, causes, hints and exit codes.

use synix_authoring::build::BuildError as PluginBuildError;
use synix_authoring::scaffold::ScaffoldError;
use synix_authoring::unit_run::UnitRunError;
use synix_core::error_kind::ErrorKind;
use synix_core::exit_code::ExitCode;
use synix_disk::DiskError;
use synix_engine::view::{ErrorView, FindError};
use synix_project::ProjectError;
use synix_release::ReleaseError;
use synix_sandbox::PluginError;
use synix_search::SearchError;
use synix_store::StoreError;

use crate::render::{Errors, Screen};

/// A signal interrupted a command that runs no build.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// Ends the process at the first Ctrl-C or SIGTERM, even while a plugin runs. For commands that have nothing to save.
pub(crate) fn leave_when_interrupted(screen: &Screen) -> anyhow::Result<()> {
    if !screen.owns_process() {
        // The program that embeds this command decides when its process ends.
        return Ok(());
    }
    let errors = screen.errors();
    synix_project::on_interrupt(move || {
        report_to(&Interrupted.into(), &errors);
        #[expect(
            clippy::exit,
            reason = "a guest on the main thread may run for as long as its limits allow"
        )]
        std::process::exit(ExitCode::Failure.code().into());
    })?;
    Ok(())
}

/// An invalid argument.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Returns an error as `--json` prints it.
pub(crate) fn view(error: &anyhow::Error) -> ErrorView {
    let (kind, hint, _) = classify(error);
    ErrorView::of(kind, hint, &**error)
}

/// Reports an error with its causes and a hint, and returns the exit code.
pub(crate) fn report(error: &anyhow::Error, screen: &Screen) -> ExitCode {
    report_to(error, &screen.errors())
}

fn report_to(error: &anyhow::Error, errors: &Errors) -> ExitCode {
    let (kind, hint, code) = classify(error);
    errors.report(&ErrorView::of(kind, hint, &**error));
    code
}

/// Returns the kind of an error, the hint and the exit code.
fn classify(error: &anyhow::Error) -> (ErrorKind, Option<String>, ExitCode) {
    if let Some(error) = error.downcast_ref::<ProjectError>() {
        return (error.kind(), error.hint(), error.exit_code());
    }
    if let Some(error) = error.downcast_ref::<FindError>() {
        return (error.kind(), error.hint(), error.exit_code());
    }
    if let Some(error) = error.downcast_ref::<ReleaseError>() {
        return (error.kind(), error.hint(), error.exit_code());
    }
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return (error.kind(), error.hint(), ExitCode::Failure);
    }
    if let Some(error) = error.downcast_ref::<SearchError>() {
        return (error.kind(), error.hint(), error.exit_code());
    }
    #[cfg(feature = "restate")]
    if let Some(error) = error.downcast_ref::<synix_service::ServiceError>() {
        return (error.kind(), error.hint(), error.exit_code());
    }
    #[cfg(feature = "view")]
    if let Some(error) = error.downcast_ref::<synix_web::ServeError>() {
        let hint = error.hint().map(str::to_owned);
        return (ErrorKind::SYSTEM, hint, ExitCode::Failure);
    }
    #[cfg(feature = "view")]
    if let Some(error) = error.downcast_ref::<synix_web::ExportError>() {
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

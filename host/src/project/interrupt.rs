//! Ctrl-C and SIGTERM: what they leave, in words (M8).

use super::ProjectError;
use crate::store::{BuildId, BuildKind, Store};

/// Waits until somebody wants the command to end.
pub(super) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler there is nothing to wait for.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Writes down what an interrupted build left, and says what goes on and what to run.
pub(super) fn left(
    store: &Store,
    build: BuildId,
    kind: BuildKind,
) -> Result<ProjectError, ProjectError> {
    let unclear = store.write(|| store.close_orphans(build))?;
    let mut lines = vec!["interrupted; what was answered is kept".to_owned()];
    if unclear > 0 {
        lines.push(format!(
            "{unclear} requests were on their way and may be billed without an answer"
        ));
    }
    let open: Vec<_> = store
        .submissions_of(build)?
        .into_iter()
        .filter(|submission| submission.state.is_unsettled())
        .collect();
    for submission in &open {
        let (requests, layers) = (submission.requests, &submission.layers);
        lines.push(match &submission.batch {
            Some(batch) => format!(
                "batch {batch} goes on at {}: {requests} requests of {layers}",
                submission.provider
            ),
            None => format!(
                "submission {} to {} is {}: {requests} requests of {layers}",
                submission.token,
                submission.provider,
                submission.state.name()
            ),
        });
    }
    lines.push(match (kind, open.is_empty()) {
        (BuildKind::Build, _) => "`synix build` goes on".to_owned(),
        (BuildKind::Batch, true) => {
            format!("nothing goes on at a provider; `synix batch-build resume {build}` goes on")
        }
        (BuildKind::Batch, false) => format!(
            "`synix batch-build resume {build}` takes the batches up, `synix batch-build cancel {build}` stops them"
        ),
    });
    Ok(ProjectError::Interrupted {
        build,
        left: lines.join("\n  "),
    })
}

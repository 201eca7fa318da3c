//! Ctrl-C and SIGTERM: what they leave, in words (M8).

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::ProjectError;
use synix_store::{BuildId, BuildKind, Store};

/// Ctrl-C and SIGTERM from now on. None of them is lost between two waits.
pub(super) struct Interrupts {
    #[cfg(unix)]
    interrupt: Option<Signal>,
    #[cfg(unix)]
    terminate: Option<Signal>,
}

#[cfg(unix)]
impl Interrupts {
    /// Listens, inside a runtime. A signal that cannot be listened for never comes.
    pub(super) fn listen() -> Self {
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    /// Waits until somebody wants the command to end.
    pub(super) async fn next(&mut self) {
        async fn came(signal: &mut Option<Signal>) {
            if let Some(signal) = signal
                && signal.recv().await.is_some()
            {
                return;
            }
            std::future::pending::<()>().await;
        }
        tokio::select! {
            () = came(&mut self.interrupt) => {}
            () = came(&mut self.terminate) => {}
        }
    }
}

#[cfg(not(unix))]
impl Interrupts {
    /// Listens, inside a runtime.
    pub(super) const fn listen() -> Self {
        Self {}
    }

    /// Waits until somebody wants the command to end.
    pub(super) async fn next(&mut self) {
        // Without a handler there is nothing to wait for.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Calls `act` on a thread of its own at the first Ctrl-C or SIGTERM from now on; the system no longer ends this process.
///
/// For a command that drives no build: one that does listens by itself.
pub fn at_interrupt(act: impl FnOnce() + Send + 'static) -> Result<(), ProjectError> {
    let here = |source| ProjectError::Here { source };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(here)?;
    let mut interrupts = {
        let _inside = runtime.enter();
        Interrupts::listen()
    };
    std::thread::Builder::new()
        .name("synix-signals".to_owned())
        .spawn(move || {
            runtime.block_on(interrupts.next());
            act();
        })
        .map_err(here)?;
    Ok(())
}

/// Writes down what an interrupted build left, and says what goes on and what to run.
pub(super) fn left(
    store: &Store,
    build: BuildId,
    kind: BuildKind,
) -> Result<ProjectError, ProjectError> {
    let unclear = store.write(|tx| tx.close_orphaned_sends(build))?;
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

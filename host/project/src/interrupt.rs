//! Ctrl-C and SIGTERM: how they stop a build, and the summary that the user then gets (M8).

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use tokio_util::sync::CancellationToken;

use super::ProjectError;
use synix_core::clock::Timestamp;
use synix_sandbox::InterruptHandle;
use synix_store::{BuildId, BuildKind, BuildStep, Store};

/// Receives Ctrl-C and SIGTERM. No signal is lost between two waits.
pub(super) struct Interrupts {
    #[cfg(unix)]
    interrupt: Option<Signal>,
    #[cfg(unix)]
    terminate: Option<Signal>,
}

#[cfg(unix)]
impl Interrupts {
    /// Starts to listen. Call this inside a runtime. A signal whose handler the system refuses is never received.
    pub(super) fn listen() -> Self {
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    pub(super) async fn next(&mut self) {
        async fn received(signal: &mut Option<Signal>) {
            if let Some(signal) = signal
                && signal.recv().await.is_some()
            {
                return;
            }
            std::future::pending::<()>().await;
        }
        tokio::select! {
            () = received(&mut self.interrupt) => {}
            () = received(&mut self.terminate) => {}
        }
    }
}

#[cfg(not(unix))]
impl Interrupts {
    /// Starts to listen. Call this inside a runtime.
    pub(super) const fn listen() -> Self {
        Self {}
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) {
        // Without a handler no signal arrives.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Calls `action` on another thread at the first Ctrl-C or SIGTERM. The signal no longer ends the process by itself.
///
/// For a command that runs no build: a build listens by itself.
pub fn on_interrupt(action: impl FnOnce() + Send + 'static) -> Result<(), ProjectError> {
    on_interrupts(action, || {})
}

/// Calls one action on another thread at the first Ctrl-C or SIGTERM, and another one at the second.
pub fn on_interrupts(
    first: impl FnOnce() + Send + 'static,
    second: impl FnOnce() + Send + 'static,
) -> Result<(), ProjectError> {
    let system_error = |source| ProjectError::System { source };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(system_error)?;
    let mut interrupts = {
        let _inside = runtime.enter();
        Interrupts::listen()
    };
    std::thread::Builder::new()
        .name("synix-signals".to_owned())
        .spawn(move || {
            runtime.block_on(interrupts.next());
            first();
            runtime.block_on(interrupts.next());
            second();
        })
        .map_err(system_error)?;
    Ok(())
}

/// Ends builds instead of signals, for a process that runs several.
#[derive(Debug, Clone, Default)]
pub struct StopTokens {
    /// Stops the guests and sends nothing more. Calls in flight are answered and recorded.
    pub stop: CancellationToken,
    /// Leaves calls in flight, too. They may be billed without an answer.
    pub leave: CancellationToken,
}

/// What ends a build before its end: signals to this process, or the program that runs the build.
enum Stops {
    Signals(Interrupts),
    Tokens(StopTokens),
}

impl Stops {
    async fn stop(&mut self) {
        match self {
            Self::Signals(interrupts) => interrupts.next().await,
            Self::Tokens(tokens) => tokens.stop.cancelled().await,
        }
    }

    async fn leave(&mut self) {
        match self {
            Self::Signals(interrupts) => interrupts.next().await,
            Self::Tokens(tokens) => tokens.leave.cancelled().await,
        }
    }
}

/// Stops the guests and the calls of a build at the first signal, and leaves at the second. Without `calls` to wait for,
/// it leaves at the first. `tokens` replace the signals.
pub(super) async fn stop_on_interrupt(
    tokens: Option<StopTokens>,
    guests: InterruptHandle,
    calls: Option<CancellationToken>,
    leave: CancellationToken,
) {
    let mut stops = match tokens {
        None => Stops::Signals(Interrupts::listen()),
        Some(tokens) => Stops::Tokens(tokens),
    };
    stops.stop().await;
    guests.stop();
    if let Some(calls) = calls {
        calls.cancel();
        stops.leave().await;
    }
    leave.cancel();
}

/// Closes the open requests of an interrupted build. Returns an error that says what continues and what to run next.
pub(super) fn interrupted_error(
    store: &Store,
    build: BuildId,
    (kind, is_trial): (BuildKind, bool),
    now: Timestamp,
) -> Result<ProjectError, ProjectError> {
    let unclear = store.write(|tx| {
        tx.add_build_step(build, BuildStep::Interrupted, now)?;
        tx.close_orphaned_sends(build, now)
    })?;
    let mut lines = vec!["interrupted; all answers are kept".to_owned()];
    if unclear > 0 {
        lines.push(format!(
            "{unclear} requests were in flight and may be billed without an answer"
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
                "batch {batch} continues at {}: {requests} requests of {layers}",
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
        (BuildKind::Build, _) if is_trial => format!("run `synix resume {build}` to continue"),
        (BuildKind::Build, _) => "run `synix build` to continue".to_owned(),
        (BuildKind::Batch, true) => {
            format!("nothing runs at a provider; run `synix batch-build resume {build}` to continue")
        }
        (BuildKind::Batch, false) => format!(
            "run `synix batch-build resume {build}` to continue the batches, or `synix batch-build cancel {build}` to cancel them"
        ),
    });
    Ok(ProjectError::Interrupted {
        build,
        summary: lines.join("\n  "),
    })
}

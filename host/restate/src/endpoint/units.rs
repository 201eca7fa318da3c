//! The service that Restate calls: takes a chunk, returns its outcome.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use restate_sdk::endpoint::ServiceOptions;
use restate_sdk::prelude::{
    Context, HandlerError, IntoServiceDefinition as _, ServiceDefinition, TerminalError,
};
use synix_core::causes::with_causes;
use tokio::sync::Semaphore;

use super::{ChunkHandler, EndpointError, REFUSED};

/// A call that Restate believes to be stuck is ended and repeated. A unit may run for long, and a connection that is dead
/// is noticed by other means.
const LONGEST_CHUNK: Duration = Duration::from_secs(24 * 3600);
/// How long the server keeps an outcome, for a build that asks again.
const RETENTION: Duration = Duration::from_secs(3600);
/// The server tries a chunk for about 10 seconds before it reports the failure to the build, which says that it waits and
/// asks again. With more patience, nobody would see why a build does not go on.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const ATTEMPTS: u64 = 9;

pub(super) fn definition(handler: ChunkHandler, jobs: NonZero<usize>) -> ServiceDefinition {
    let options = ServiceOptions::new()
        .inactivity_timeout(LONGEST_CHUNK)
        .abort_timeout(LONGEST_CHUNK)
        .idempotency_retention(RETENTION)
        .journal_retention(Duration::ZERO)
        .retry_policy_initial_interval(FIRST_PAUSE)
        .retry_policy_exponentiation_factor(2.0)
        .retry_policy_max_interval(LONGEST_PAUSE)
        .retry_policy_max_attempts(ATTEMPTS)
        .retry_policy_kill_on_max_attempts();
    let units = Units {
        handler,
        slots: Arc::new(Semaphore::new(jobs.get())),
    };
    units.into_service_definition().options(options)
}

struct Units {
    handler: ChunkHandler,
    /// Restate pushes hundreds of chunks at a time. Those beyond the slots wait here.
    slots: Arc<Semaphore>,
}

#[restate_sdk::service(name = "synix.Units")]
impl Units {
    /// A chunk is pure, so there is nothing to journal but its outcome: after a crash it runs again.
    #[handler(name = "run")]
    async fn run(&self, _context: Context<'_>, chunk: Bytes) -> Result<Bytes, HandlerError> {
        let slot = Arc::clone(&self.slots).acquire_owned().await?;
        let handler = Arc::clone(&self.handler);
        let run = tokio::task::spawn_blocking(move || {
            // The slot is free when the thread is, even if nobody waits for the outcome any longer.
            let _slot = slot;
            let outcome = handler(&chunk);
            tracing::debug!(bytes = chunk.len(), ok = outcome.is_ok(), "ran a chunk");
            outcome
        });
        match run.await {
            Ok(Ok(outcome)) => Ok(outcome.into()),
            Ok(Err(EndpointError::Transient(error))) => Err(with_causes(error.as_ref()).into()),
            Ok(Err(EndpointError::Refused(error))) => {
                let message = with_causes(error.as_ref());
                Err(TerminalError::new_with_code(REFUSED, message).into())
            }
            Err(_) => {
                let message = "a worker failed on this chunk; this is a bug in synix";
                Err(TerminalError::new_with_code(REFUSED, message).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::service_names::{RUN, UNITS};

    /// The names are literals in the attributes above.
    #[test]
    fn the_client_calls_the_service_by_its_name() {
        let source = include_str!("units.rs");
        assert!(source.contains(&format!("#[restate_sdk::service(name = \"{UNITS}\")]")));
        assert!(source.contains(&format!("#[handler(name = \"{RUN}\")]")));
    }
}

//! The service that Restate hands builds to: an object for each job, and a service that answers questions.
//!
//! Restate calls a handler of an object once at a time, and in order. So there is never more than one turn of a job, and
//! a turn that is lost with its machine is repeated. What a turn has done is in the state of the project: Restate keeps
//! the job, the number of its turn, and the last report.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use restate_sdk::endpoint::ServiceOptions;
use restate_sdk::prelude::{
    Context, ContextClient as _, ContextReadState as _, ContextSideEffects as _,
    ContextWriteState as _, HandlerError, IntoServiceDefinition as _, Json, ObjectContext,
    RunFuture as _, ServiceDefinition, SharedObjectContext, TerminalError,
};
use serde::{Deserialize, Serialize};
use synix_core::causes::with_causes;
use tokio::sync::Semaphore;

use super::{EndpointError, REFUSED};

/// Runs the builds of jobs. Every method blocks.
pub trait BuildService: Send + Sync + 'static {
    /// Checks a job before it is kept. The key names it among all jobs of the server.
    fn accept(&self, key: &str, job: &str) -> Result<(), EndpointError>;

    /// Takes the build of a job as far as it goes now. Restate may repeat a turn whose reply it lost.
    fn advance(&self, job: &str) -> Result<Progress, EndpointError>;

    /// Answers a question about the builds of a project, or cancels one.
    fn answer(&self, question: &str) -> Result<String, EndpointError>;
}

/// How far a build went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What to tell those who ask about the job.
    pub report: String,
    /// How long to wait before the next turn; `None`: the build has ended.
    pub wait: Option<Duration>,
}

/// The state of a job in the server.
const JOB: &str = "job";
const TURN: &str = "turn";
const REPORT: &str = "report";

/// A build may take days, and Restate would end a call that it believes to be stuck. A connection that is dead is noticed
/// by other means.
const LONGEST_TURN: Duration = Duration::from_secs(365 * 24 * 3600);
/// A job waits for its service for as long as it takes.
const ATTEMPTS: u64 = u32::MAX as u64;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A question is repeated for about 10 seconds before whoever asks is told why it has no answer.
const QUESTION_ATTEMPTS: u64 = 9;
const LONGEST_QUESTION_PAUSE: Duration = Duration::from_secs(2);
/// How long the server keeps the report of a job that has ended.
const RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);

/// Returns the object of jobs, and the service of questions. At most `jobs` builds run at a time.
pub(super) fn definitions(
    service: Arc<dyn BuildService>,
    jobs: NonZero<usize>,
) -> (ServiceDefinition, ServiceDefinition) {
    let options = || {
        ServiceOptions::new()
            .inactivity_timeout(LONGEST_TURN)
            .abort_timeout(LONGEST_TURN)
            .journal_retention(Duration::ZERO)
            .retry_policy_initial_interval(FIRST_PAUSE)
            .retry_policy_exponentiation_factor(2.0)
    };
    let object = Jobs {
        service: Arc::clone(&service),
        slots: Arc::new(Semaphore::new(jobs.get().min(Semaphore::MAX_PERMITS))),
    };
    let lasting = options()
        .retry_policy_max_interval(LONGEST_PAUSE)
        .retry_policy_max_attempts(ATTEMPTS)
        .retry_policy_pause_on_max_attempts();
    let brief = options()
        .retry_policy_max_interval(LONGEST_QUESTION_PAUSE)
        .retry_policy_max_attempts(QUESTION_ATTEMPTS)
        .retry_policy_kill_on_max_attempts();
    (
        object.into_service_definition().options(lasting),
        Questions { service }
            .into_service_definition()
            .options(brief),
    )
}

struct Jobs {
    service: Arc<dyn BuildService>,
    slots: Arc<Semaphore>,
}

#[restate_sdk::object(name = "synix.Job")]
impl Jobs {
    /// Keeps a job, and begins it. The same job again changes nothing.
    #[handler(name = "submit")]
    async fn submit(&self, context: ObjectContext<'_>, job: String) -> Result<(), HandlerError> {
        let key = context.key().to_owned();
        if let Some(kept) = context.get::<String>(JOB).await? {
            if kept == job {
                return Ok(());
            }
            let message = format!("the server has another job with the name {key}");
            return Err(TerminalError::new_with_code(REFUSED, message).into());
        }
        let (service, asked) = (Arc::clone(&self.service), job.clone());
        let check =
            context.run(|| async move { blocking(move || service.accept(&key, &asked)).await });
        check.name("accept").await?;
        context.set(JOB, job);
        next_turn(&context, 1, None);
        Ok(())
    }

    /// Takes the build as far as it goes now. A call of an earlier turn changes nothing.
    #[handler(name = "advance")]
    async fn advance(&self, context: ObjectContext<'_>, turn: u64) -> Result<(), HandlerError> {
        let current = context.get::<u64>(TURN).await?;
        let Some(job) = context.get::<String>(JOB).await? else {
            return Ok(());
        };
        if current != Some(turn) {
            return Ok(());
        }
        let (service, slots) = (Arc::clone(&self.service), Arc::clone(&self.slots));
        let advance = context.run(|| async move {
            let slot = slots.acquire_owned().await?;
            let progress = blocking(move || {
                // The slot is free when the thread is, even if nobody waits for the result any longer.
                let _slot = slot;
                service.advance(&job)
            });
            Ok(Json(progress.await?))
        });
        let Json(progress) = advance.name("advance").await?;
        context.set(REPORT, progress.report);
        match progress.wait {
            Some(wait) => next_turn(&context, turn + 1, Some(wait)),
            None => {
                context.clear(TURN);
                let job = context.object_client::<JobsClient>(context.key());
                job.forget().send_after(RETENTION);
            }
        }
        Ok(())
    }

    /// Deletes a job that has ended.
    #[handler(name = "forget")]
    async fn forget(&self, context: ObjectContext<'_>) -> Result<(), HandlerError> {
        if context.get::<u64>(TURN).await?.is_none() {
            context.clear_all();
        }
        Ok(())
    }

    /// Returns the last report of a job; empty before the first one. It does not wait for a turn that runs.
    #[handler(name = "report")]
    async fn report(&self, context: SharedObjectContext<'_>) -> Result<String, HandlerError> {
        if context.get::<String>(JOB).await?.is_none() {
            let message = "the server knows no such job";
            return Err(TerminalError::new_with_code(UNKNOWN, message).into());
        }
        Ok(context.get(REPORT).await?.unwrap_or_default())
    }
}

/// The status of a reply about a job that the server does not know.
pub(crate) const UNKNOWN: u16 = 410;

/// Begins a turn now, or after a time that the server measures.
fn next_turn(context: &ObjectContext<'_>, turn: u64, wait: Option<Duration>) {
    context.set(TURN, turn);
    let job = context.object_client::<JobsClient>(context.key());
    match wait {
        None => job.advance(turn).send(),
        Some(wait) => job.advance(turn).send_after(wait),
    };
}

struct Questions {
    service: Arc<dyn BuildService>,
}

#[restate_sdk::service(name = "synix.Builds")]
impl Questions {
    #[handler(name = "ask")]
    async fn ask(&self, _context: Context<'_>, question: String) -> Result<String, HandlerError> {
        let service = Arc::clone(&self.service);
        blocking(move || service.answer(&question)).await
    }
}

/// Calls the service on a thread that may block.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, EndpointError> + Send + 'static,
) -> Result<T, HandlerError> {
    match tokio::task::spawn_blocking(call).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(EndpointError::Transient(error))) => Err(with_causes(error.as_ref()).into()),
        Ok(Err(EndpointError::Refused(error))) => {
            let message = with_causes(error.as_ref());
            Err(TerminalError::new_with_code(REFUSED, message).into())
        }
        Err(_) => {
            let message = "the service failed on this call; this is a bug in synix";
            Err(TerminalError::new_with_code(REFUSED, message).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::service_names::{ADVANCE, ASK, BUILDS, JOB, REPORT, SUBMIT};

    /// The names are literals in the attributes above.
    #[test]
    fn the_client_calls_the_handlers_by_their_names() {
        let source = include_str!("builds.rs");
        for name in [SUBMIT, REPORT, ADVANCE, ASK] {
            assert!(source.contains(&format!("#[handler(name = \"{name}\")]")));
        }
        assert!(source.contains(&format!("#[restate_sdk::object(name = \"{JOB}\")]")));
        assert!(source.contains(&format!("#[restate_sdk::service(name = \"{BUILDS}\")]")));
    }
}

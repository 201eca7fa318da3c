//! The vector of one text outside of a build, such as the query of a search.
//!
//! It is a request like those of a layer: kept under its key, paid once by all processes together and by all machines that
//! share their answers, within the budget, and replayed from a cassette.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::BuildError;
use super::answerer::{Answerer as _, PoolState};
use super::budget::Budget;
use super::event::{Event, Observer};
use super::known_answers::{AnswerSource, KnownAnswers};
use super::layers::Roles;
use super::modes::Modes;
use super::options::{BuildContext, BuildOptions};
use super::provider_answerer::{AnswererParts, ProviderAnswerer, WaitPolicy};
use super::shared::SharedStage;
use super::sync::SyncCalls;
use super::unit_embeddings::{check_answer, check_embedding};
use crate::batch::{BatchContext, Batches};
use crate::pending::PendingRequest;
use synix_core::error_kind::ErrorKind;
use synix_core::request::{
    Answer, Ending, Failure, GuestRequest, InvalidVector, Request, RequestKey, Vector,
};
use synix_sandbox::Refusal;
use synix_store::{BuildId, RequestId, RetrySelection, Store};

/// The pause before the requests of another process are looked up again.
const FOREIGN_PAUSE: Duration = Duration::from_millis(250);

/// The name under which the build records what the query cost.
const LAYER: &str = "query";

/// Why a text has no vector.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The text has no visible character.
    #[error("the text is empty, so it has no vector")]
    Empty,
    /// The pipeline file has no such model role.
    #[error("no model role `{0}`; add [models.{0}] to the pipeline file")]
    UnknownRole(String),
    /// The role cannot be used for embeddings.
    #[error("{0}")]
    Refused(Refusal),
    /// A replay has no recording of it.
    #[error(
        "no recording of the vector of this text; build or search with `--cassette-mode record` first"
    )]
    NotRecorded,
    /// The provider did not answer.
    #[error("the provider delivered no vector ({}): {}", .0.kind, .0.message)]
    Failed(Failure),
    /// The stored answer is not a vector.
    #[error(transparent)]
    Invalid(#[from] InvalidVector),
}

impl QueryError {
    /// Returns whether the text or the pipeline file is to blame.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Empty | Self::UnknownRole(_) | Self::Refused(_))
    }

    /// Returns the stable name of the error's class.
    pub(super) const fn kind(&self) -> ErrorKind {
        match self {
            Self::Empty => ErrorKind::USAGE,
            Self::UnknownRole(_) | Self::Refused(_) => ErrorKind::PIPELINE,
            Self::NotRecorded => ErrorKind::CASSETTE,
            Self::Failed(_) | Self::Invalid(_) => ErrorKind::PROVIDER,
        }
    }
}

/// A text whose vector is needed, as a request of a model role.
#[derive(Debug, Clone)]
pub struct Query {
    key: RequestKey,
    request: Arc<Request>,
}

impl Query {
    /// Makes the request of a model role for the vector of `text`, which is cut to the length that the model takes.
    pub fn new(roles: &Roles, role: &str, text: &str) -> Result<Self, BuildError> {
        if text.trim().is_empty() {
            return Err(QueryError::Empty.into());
        }
        let Some(settings) = roles.0.get(role) else {
            return Err(QueryError::UnknownRole(role.to_owned()).into());
        };
        let request = settings.resolve(GuestRequest::embedding(text, None), "");
        let refused = |refusal| BuildError::from(QueryError::Refused(refusal));
        check_embedding(&request, role).map_err(refused)?;
        let key = request
            .key()
            .map_err(|error| refused(Refusal::InvalidRequest(error.to_string())))?;
        Ok(Self {
            key,
            request: Arc::new(request),
        })
    }

    /// Returns the request, to record it in a cassette.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Returns the vector if its answer is known. A replay knows what its cassette has, and nothing else.
    pub fn known_vector(
        &self,
        context: &BuildContext<'_>,
        store: Option<&Store>,
    ) -> Result<Option<Vector>, BuildError> {
        let reader = store.map(|store| store.try_clone()).transpose()?;
        let known = KnownAnswers::new(context.answer_source(), reader, RetrySelection::default());
        let is_replay = matches!(known.source, AnswerSource::Cassette(_));
        match known.answer(self.key, false)? {
            Some(answer) => {
                let bytes = self.request.text().len();
                let answer =
                    check_answer(answer, &self.request, bytes).map_err(QueryError::Failed)?;
                Ok(Some(answer.vector().map_err(QueryError::Invalid)?))
            }
            None if is_replay => Err(QueryError::NotRecorded.into()),
            None => Ok(None),
        }
    }

    /// Returns the answer in the state, to record it in a cassette.
    pub fn answer(&self, store: &Store) -> Result<Option<Answer>, BuildError> {
        Ok(store.answer(self.key, false)?)
    }

    /// Requests the vector from its provider. The caller holds the lock of `build`, which records the cost.
    pub async fn send(
        &self,
        context: &BuildContext<'_>,
        options: &BuildOptions<'_>,
        (store, build): (&Store, BuildId),
        observer: Observer<'_>,
    ) -> Result<Vector, BuildError> {
        let provider = &self.request.provider;
        if let Some(variable) = options.missing_keys.get(provider) {
            return Err(BuildError::MissingKey {
                provider: provider.clone(),
                variable: variable.clone(),
            });
        }
        let mut options = options.clone();
        options.batches.layers = vec![LAYER.to_owned()];
        // The process that has the request in flight, or has claimed it, is waited for.
        options.wait_policy = WaitPolicy::Poll {
            interval: FOREIGN_PAUSE,
            timeout: None,
        };
        let retry = RetrySelection::from_now(store, options.retry_failed.clone())?;
        let clock = context.clock;
        let shared = options.shared.clone();
        let shared = shared
            .map(|client| SharedStage::open(client, store, build, clock, observer))
            .transpose()?;
        let report = |event: &_| observer(&Event::Batch(Clone::clone(event)));
        let parts = AnswererParts {
            calls: SyncCalls::new(store, build, clock, &options, retry),
            batches: Batches::new(BatchContext {
                store,
                build,
                providers: options.providers,
                settings: options.batches.clone(),
                clock,
                observer: &report,
            }),
            budget: Budget::new(store, build, context.prices, options.budget),
            shared,
        };
        let layers = vec![BTreeSet::from([0])];
        let mut answerer =
            ProviderAnswerer::new(parts, Modes::one_sync(), layers, &options, observer);
        answerer.enqueue(vec![self.pending(store)?])?;
        let settled = self.settled(&mut answerer).await;
        let finished = answerer.finish().await;
        // An error of the request itself is the one to report.
        let outcome = settled?;
        finished?;
        match outcome {
            Ok(_) => self.known_vector(context, Some(store))?.ok_or_else(|| {
                let message = "the answer is not in the state".to_owned();
                QueryError::Failed(super::unit::guest_failure(message)).into()
            }),
            Err(failure) => Err(QueryError::Failed(failure).into()),
        }
    }

    fn pending(&self, store: &Store) -> Result<PendingRequest<RequestId>, BuildError> {
        let request = store.write(|tx| tx.add_request(self.key, &self.request))?;
        Ok(PendingRequest {
            key: self.key,
            request,
            layer: 0,
            accept_truncated: false,
            target: Arc::new(crate::pending::Target {
                provider: self.request.provider.clone(),
                model: self.request.model.clone(),
            }),
            kind: self.request.kind,
            repairs: crate::pending::RepairCount::default(),
        })
    }

    /// Waits until the request is settled, here, by another process or by another machine.
    async fn settled(
        &self,
        answerer: &mut ProviderAnswerer<'_>,
    ) -> Result<Result<Ending, Failure>, BuildError> {
        while let Some(settled) = answerer.next_settled(PoolState::Idle).await? {
            if let Some((_, outcome)) = settled.into_iter().find(|(key, _)| *key == self.key) {
                return Ok(outcome);
            }
        }
        let message = "the request did not settle".to_owned();
        Ok(Err(super::unit::guest_failure(message)))
    }
}

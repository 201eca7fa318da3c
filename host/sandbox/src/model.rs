//! The interface to whatever answers the requests of a guest.

use std::any::Any;

use synix_core::request::{Answer, GuestRequest};

/// Answers a guest's requests, or reports why it does not.
///
/// The call owns the model while it runs and returns it with the result. It may run on another thread.
pub trait Model: Any + Send {
    /// Answers the requests of one round, which do not depend on each other.
    ///
    /// A single request is a round of one. The requests are valid, but their model roles are not resolved yet.
    fn complete(&mut self, requests: Vec<GuestRequest>) -> ModelResponse;
}

/// The model of one call, and whether the guest may use it.
pub(super) enum ModelAccess {
    Granted(Box<dyn Model>),
    Denied(Box<dyn Model>),
}

impl ModelAccess {
    /// Gives a call its model; the guest can use it if it is `granted`.
    pub(super) fn new(model: impl Model, granted: bool) -> Self {
        let model = Box::new(model);
        if granted {
            Self::Granted(model)
        } else {
            Self::Denied(model)
        }
    }

    /// Returns the access of a call without a model.
    pub(super) fn none() -> Self {
        Self::new(NoModel, false)
    }

    pub(super) const fn is_granted(&self) -> bool {
        matches!(self, Self::Granted(_))
    }

    /// Passes a round to the model.
    pub(super) fn complete(&mut self, requests: Vec<GuestRequest>) -> ModelResponse {
        match self {
            Self::Granted(model) => model.complete(requests),
            Self::Denied(_) => ModelResponse::Refused(Refusal::NotGranted),
        }
    }

    /// Returns the model after the call, with its original type.
    pub(super) fn into_model<M: Model>(self) -> M {
        let (Self::Granted(model) | Self::Denied(model)) = self;
        let model: Box<dyn Any> = model;
        match model.downcast::<M>() {
            Ok(model) => *model,
            Err(_) => unreachable!("a call returns the model that it received"),
        }
    }
}

/// The model of a call without a model.
struct NoModel;

impl Model for NoModel {
    fn complete(&mut self, _: Vec<GuestRequest>) -> ModelResponse {
        ModelResponse::Refused(Refusal::NotGranted)
    }
}

/// The reply of a model to a round.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelResponse {
    /// One answer for each request, in the same order.
    Answered(Vec<Answer>),
    /// An answer is not known yet: the run ends, and starts again when the answer is known.
    Suspend,
    /// The request is refused; the guest gets the reason.
    Refused(Refusal),
}

/// Why a request is refused. The reason is the same on every run, and the guest gets it as a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The plugin did not declare the capability, or the pipeline does not grant it.
    #[error("the capability `llm` is not declared by the plugin or not granted by the pipeline")]
    NotGranted,
    /// The pipeline has no such model role.
    #[error("the pipeline has no model role {0:?}")]
    UnknownRole(String),
    /// The request breaks this rule of the contract.
    #[error("invalid request: {0}")]
    InvalidRequest(String),
    /// The unit exceeds this limit.
    #[error("over the limit: {0}")]
    OverLimit(String),
}

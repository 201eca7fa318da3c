//! The interface to whatever answers the requests of a guest.

use std::any::Any;

use synix_core::request::{Answer, GuestRequest};

/// Answers a guest's requests, or reports why it does not.
///
/// The call owns the model while it runs and returns it with the result. It may run on another thread.
pub trait Model: Any + Send {
    /// Answers the requests of one round, which do not depend on each other: all ask for completions, or all for
    /// embeddings.
    ///
    /// A single request is a round of one. The requests are valid, but their model roles are not resolved yet.
    fn complete(&mut self, requests: Vec<GuestRequest>) -> ModelResponse;
}

/// The capabilities that a pipeline grants to a plugin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grants {
    /// To send requests to models.
    pub llm: bool,
    /// To request embeddings.
    pub embed: bool,
}

impl Grants {
    /// Every capability.
    pub const ALL: Self = Self {
        llm: true,
        embed: true,
    };
    /// No capability.
    pub const NONE: Self = Self {
        llm: false,
        embed: false,
    };

    /// Returns whether the plugin may send requests of any kind.
    pub const fn any(self) -> bool {
        self.llm || self.embed
    }
}

/// The model of one call, and what the guest may use it for.
pub(super) struct ModelAccess {
    model: Box<dyn Model>,
    grants: Grants,
}

impl ModelAccess {
    /// Gives a call its model; the guest can use it as far as `grants` say.
    pub(super) fn new(model: impl Model, grants: Grants) -> Self {
        Self {
            model: Box::new(model),
            grants,
        }
    }

    /// Returns the access of a call without a model.
    pub(super) fn none() -> Self {
        Self::new(NoModel, Grants::NONE)
    }

    pub(super) const fn grants(&self) -> Grants {
        self.grants
    }

    /// Passes a round to the model. The caller has checked the grant.
    pub(super) fn complete(&mut self, requests: Vec<GuestRequest>) -> ModelResponse {
        self.model.complete(requests)
    }

    /// Returns the model after the call, with its original type.
    pub(super) fn into_model<M: Model>(self) -> M {
        let model: Box<dyn Any> = self.model;
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
    #[error("the capability is not declared by the plugin or not granted by the pipeline")]
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

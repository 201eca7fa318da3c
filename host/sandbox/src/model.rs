//! What the sandbox asks of the one who runs a unit.

use std::any::Any;

use synix_core::request::{Answer, GuestRequest};

/// Answers a guest's questions, or says why not.
///
/// The call owns the model while it runs and hands it back with the result. It may run on another thread.
pub trait Model: Any + Send {
    /// Takes the requests of one round, which do not depend on each other.
    ///
    /// A guest's single question is a round of one. The requests are checked;
    /// their model roles are not resolved.
    fn complete(&mut self, asked: Vec<GuestRequest>) -> Verdict;
}

/// The model of one call, and whether the guest may ask it.
pub(super) enum ModelAccess {
    Granted(Box<dyn Model>),
    Denied(Box<dyn Model>),
}

impl ModelAccess {
    /// Gives a call the model, if it is `granted`.
    pub(super) fn new(model: impl Model, granted: bool) -> Self {
        let model = Box::new(model);
        if granted {
            Self::Granted(model)
        } else {
            Self::Denied(model)
        }
    }

    /// Gives a call no model.
    pub(super) fn none() -> Self {
        Self::new(NoModel, false)
    }

    pub(super) const fn is_granted(&self) -> bool {
        matches!(self, Self::Granted(_))
    }

    /// Asks the model.
    pub(super) fn complete(&mut self, asked: Vec<GuestRequest>) -> Verdict {
        match self {
            Self::Granted(model) => model.complete(asked),
            Self::Denied(_) => Verdict::Refused(Refusal::NotGranted),
        }
    }

    /// Returns the model after the call, as the type that it had before.
    pub(super) fn into_model<M: Model>(self) -> M {
        let (Self::Granted(model) | Self::Denied(model)) = self;
        let model: Box<dyn Any> = model;
        match model.downcast::<M>() {
            Ok(model) => *model,
            Err(_) => unreachable!("a call hands back the model that it was given"),
        }
    }
}

/// The model of a call that takes none.
struct NoModel;

impl Model for NoModel {
    fn complete(&mut self, _: Vec<GuestRequest>) -> Verdict {
        Verdict::Refused(Refusal::NotGranted)
    }
}

/// What becomes of a round.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// One answer for each request, in their order.
    Answered(Vec<Answer>),
    /// An answer is not known yet: the run ends and starts anew when it is.
    Suspend,
    /// The guest is told why it gets none.
    Refused(Refusal),
}

/// Why a request cannot be asked. The same on every run; the guest sees it as a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The plugin did not declare the capability, or the pipeline does not grant it.
    #[error("the capability `llm` is not declared by the plugin or not granted by the pipeline")]
    NotGranted,
    /// The pipeline has no such model role.
    #[error("the pipeline has no model role {0:?}")]
    UnknownRole(String),
    /// The request breaks a rule of the contract, named here.
    #[error("invalid request: {0}")]
    InvalidRequest(String),
    /// The unit reached the limit named here.
    #[error("over the limit: {0}")]
    OverLimit(String),
}

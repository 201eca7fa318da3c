//! What the sandbox asks of the one who runs a unit.

use synix_core::request::{Answer, Ask};

/// Answers a guest's questions, or says why not.
pub trait Model {
    /// Takes the requests of one round, which do not depend on each other.
    ///
    /// A guest's single question is a round of one. The requests are checked;
    /// their model roles are not resolved.
    fn complete(&mut self, asked: Vec<Ask>) -> Verdict;
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

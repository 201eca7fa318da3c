//! Why a batch was not created, and whether that is certain.

use super::ProviderError;

/// Why a batch was not created, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The batch may exist. Look for its token in the provider's list.
    #[error("it is unclear whether the batch was created")]
    Unclear(#[source] ProviderError),
    /// The provider refused, so the batch does not exist.
    #[error("the provider refused the batch")]
    Refused(#[source] ProviderError),
    /// Nothing was sent to the provider, so the batch does not exist.
    #[error("the batch was not sent")]
    NotSent(#[source] ProviderError),
}

impl From<ProviderError> for CreateError {
    fn from(error: ProviderError) -> Self {
        match &error {
            ProviderError::Replied { reply, .. } => match reply.status {
                // After a timeout at a gateway, the server may still create the batch.
                408 => Self::Unclear(error),
                300..=499 => Self::Refused(error),
                _ => Self::Unclear(error),
            },
            ProviderError::Lost { .. }
            | ProviderError::TimedOut { .. }
            | ProviderError::Unreadable { .. } => Self::Unclear(error),
            ProviderError::BaseUrl { .. }
            | ProviderError::Key { .. }
            | ProviderError::Setup { .. }
            | ProviderError::NoCertificates { .. }
            | ProviderError::Redirect { .. }
            | ProviderError::TooLarge { .. }
            | ProviderError::TooSlow { .. }
            | ProviderError::Undecodable { .. }
            | ProviderError::EndlessList { .. }
            | ProviderError::Unreachable { .. }
            | ProviderError::Truncated { .. }
            | ProviderError::Inconsistent { .. }
            | ProviderError::WrongInput { .. }
            | ProviderError::Disk(_) => Self::NotSent(error),
        }
    }
}

//! Providers and model roles, and whether they support batches.

use std::time::Duration;

use super::error_kind::NoBatchReason;
use synix_core::request::{BatchApi, Wire};

/// The settings of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderProfile {
    /// The name in the pipeline file.
    pub name: String,
    /// The wire format.
    pub api: Wire,
    /// The URL, if the file has one; otherwise [`ProviderProfile::default_url`] applies.
    pub base_url: Option<String>,
    /// The environment variable with the API key, if the file names one.
    pub api_key_env: Option<String>,
    /// Whether the provider has the Batch API, if the file says so.
    pub batch: Option<bool>,
    /// The kind of Batch API, if the file says so.
    pub batch_api: Option<BatchApi>,
    /// The maximum number of retries of a failed call.
    pub retries: u32,
    /// The delay before the first retry.
    pub backoff: Duration,
    /// The timeout of a call.
    pub timeout: Duration,
    /// The delays between searches for a batch whose creation is unclear.
    pub look_again: Vec<Duration>,
    /// The maximum number of requests in a batch, if the file has one.
    pub batch_requests: Option<u32>,
    /// The maximum number of input tokens in all open batches, if the file has one.
    pub enqueued_tokens: Option<u64>,
}

/// The pauses between the looks at a provider's list for a batch whose reply was lost.
const LOOK_AGAIN: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

impl ProviderProfile {
    /// Returns the default settings of a provider.
    pub fn new(name: &str, api: Wire) -> Self {
        Self {
            name: name.to_owned(),
            api,
            base_url: None,
            api_key_env: None,
            batch: None,
            batch_api: None,
            retries: 5,
            backoff: Duration::from_millis(500),
            timeout: Duration::from_secs(600),
            look_again: LOOK_AGAIN.to_vec(),
            batch_requests: None,
            enqueued_tokens: None,
        }
    }

    /// Returns the URL of the company that defined the wire format.
    pub const fn default_url(&self) -> &'static str {
        match self.api {
            Wire::OpenAi => "https://api.openai.com/v1",
            Wire::Anthropic => "https://api.anthropic.com",
        }
    }

    /// Returns the URL without a slash at the end.
    pub fn url(&self) -> &str {
        self.base_url
            .as_deref()
            .unwrap_or(self.default_url())
            .trim_end_matches('/')
    }

    /// Returns whether the provider has its default URL.
    pub fn uses_default_url(&self) -> bool {
        self.url() == self.default_url()
    }

    /// Returns whether the provider has batches, if the file says so. Naming the kind of Batch API implies it.
    fn declares_batches(&self) -> Option<bool> {
        self.batch.or(self.batch_api.map(|_| true))
    }

    /// Returns the name of the environment variable with the API key.
    pub fn key_variable(&self) -> &str {
        self.api_key_env.as_deref().unwrap_or(match self.api {
            Wire::OpenAi => "OPENAI_API_KEY",
            Wire::Anthropic => "ANTHROPIC_API_KEY",
        })
    }
}

/// A model and its settings.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRole {
    /// The role's name.
    pub name: String,
    /// The provider's name.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
    /// The maximum length of an answer in tokens; `None` means the provider's limit.
    pub max_tokens: Option<u32>,
    /// The number of dimensions of embeddings; `None` means the model's default.
    pub dimensions: Option<u32>,
    /// The sampling temperature, 0 to 2; `None` means the provider's default.
    pub temperature: Option<f64>,
    /// The maximum number of input tokens of a request, if the file has one.
    pub context_window: Option<u64>,
    /// Whether the model supports batches, if the file says so.
    pub batch: Option<bool>,
}

/// Whether a model supports batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSupport {
    /// It supports batches.
    Available,
    /// The model role says that it does not.
    DisabledByModel,
    /// The provider says that it does not.
    DisabledByProvider,
    /// The provider has a custom URL and no setting for the Batch API.
    NotDeclared,
}

impl BatchSupport {
    /// Returns why the model does not support batches, or `None` if it does.
    pub fn reason(self, role: &ModelRole) -> Option<NoBatchReason> {
        match self {
            Self::Available => None,
            Self::DisabledByModel => Some(NoBatchReason::Model(role.name.clone())),
            Self::DisabledByProvider => Some(NoBatchReason::Provider(role.provider.clone())),
            Self::NotDeclared => Some(NoBatchReason::NotDeclared(role.provider.clone())),
        }
    }
}

pub(super) fn batch_support(
    provider: Option<&ProviderProfile>,
    role: &ModelRole,
    is_redirected: bool,
) -> BatchSupport {
    match (
        role.batch,
        provider.and_then(ProviderProfile::declares_batches),
    ) {
        (Some(true), _) | (None, Some(true)) => BatchSupport::Available,
        (Some(false), _) => BatchSupport::DisabledByModel,
        (None, Some(false)) => BatchSupport::DisabledByProvider,
        (None, None)
            if !is_redirected && provider.is_some_and(ProviderProfile::uses_default_url) =>
        {
            BatchSupport::Available
        }
        (None, None) => BatchSupport::NotDeclared,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(batch: Option<bool>) -> ModelRole {
        ModelRole {
            name: "default".to_owned(),
            provider: "openai".to_owned(),
            model: "m".to_owned(),
            max_tokens: None,
            dimensions: None,
            temperature: None,
            context_window: None,
            batch,
        }
    }

    /// C4.
    #[test]
    fn a_custom_url_has_no_batch_api_unless_the_file_says_so() {
        let own = ProviderProfile::new("openai", Wire::OpenAi);
        let custom = ProviderProfile {
            base_url: Some("http://127.0.0.1:1/v1".to_owned()),
            ..own.clone()
        };
        let declared = ProviderProfile {
            batch: Some(true),
            ..custom.clone()
        };
        let explicit = ProviderProfile {
            base_url: Some("https://api.openai.com/v1/".to_owned()),
            ..own.clone()
        };
        let support = |profile, redirected| batch_support(Some(profile), &role(None), redirected);
        assert_eq!(support(&own, false), BatchSupport::Available);
        assert_eq!(support(&explicit, false), BatchSupport::Available);
        assert_eq!(support(&own, true), BatchSupport::NotDeclared);
        assert_eq!(support(&custom, false), BatchSupport::NotDeclared);
        assert_eq!(support(&declared, true), BatchSupport::Available);
    }

    /// L17, C4: the server of Anthropic has batches, but a compatible server may not.
    #[test]
    fn the_default_url_of_anthropic_has_a_batch_api() {
        let own = ProviderProfile::new("anthropic", Wire::Anthropic);
        let compatible = ProviderProfile {
            base_url: Some("http://127.0.0.1:1".to_owned()),
            ..own.clone()
        };
        let support = |profile| batch_support(Some(profile), &role(None), false);
        assert_eq!(support(&own), BatchSupport::Available);
        assert_eq!(support(&compatible), BatchSupport::NotDeclared);
    }

    /// C4: naming the kind of Batch API implies that there is one, but `batch` takes precedence.
    #[test]
    fn a_named_batch_api_implies_batches() {
        let groq = ProviderProfile {
            base_url: Some("http://127.0.0.1:1/v1".to_owned()),
            batch_api: Some(BatchApi::Groq),
            ..ProviderProfile::new("groq", Wire::OpenAi)
        };
        let refused = ProviderProfile {
            batch: Some(false),
            ..groq.clone()
        };
        let support = |profile| batch_support(Some(profile), &role(None), false);
        assert_eq!(support(&groq), BatchSupport::Available);
        assert_eq!(support(&refused), BatchSupport::DisabledByProvider);
    }

    /// L17.
    #[test]
    fn the_model_role_overrides_the_provider() {
        let provider = ProviderProfile {
            batch: Some(true),
            ..ProviderProfile::new("openai", Wire::OpenAi)
        };
        assert_eq!(
            batch_support(Some(&provider), &role(Some(false)), false),
            BatchSupport::DisabledByModel
        );
        let provider = ProviderProfile {
            batch: Some(false),
            ..provider
        };
        assert_eq!(
            batch_support(Some(&provider), &role(None), false),
            BatchSupport::DisabledByProvider
        );
        assert_eq!(
            batch_support(Some(&provider), &role(Some(true)), true),
            BatchSupport::Available
        );
    }
}

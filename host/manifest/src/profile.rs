//! Providers and model roles, and where the Batch API can be counted on.

use std::time::Duration;

use super::error::NoBatchReason;
use synix_core::request::{BatchApi, Wire};

/// How a provider is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderProfile {
    /// Its name in the pipeline file.
    pub name: String,
    /// The format in which it is spoken to.
    pub api: Wire,
    /// Its URL as written; `None`: [`ProviderProfile::own_url`].
    pub base_url: Option<String>,
    /// The name of the variable that holds its key, as written.
    pub api_key_env: Option<String>,
    /// Whether it has the Batch API, as written.
    pub batch: Option<bool>,
    /// Whose batch API it has, as written.
    pub batch_api: Option<BatchApi>,
    /// How often a failed call is repeated.
    pub retries: u32,
    /// The wait before the first repetition.
    pub backoff: Duration,
    /// How long a call may take.
    pub timeout: Duration,
    /// The waits between looks for a batch whose creation had an unclear result.
    pub look_again: Vec<Duration>,
    /// Requests in one batch at most, as written.
    pub batch_requests: Option<u32>,
    /// Input tokens that may be in batches at once, as written.
    pub enqueued_tokens: Option<u64>,
}

impl ProviderProfile {
    /// Returns the profile of a provider of which nothing else is written.
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
            look_again: [1, 2, 4, 8].map(Duration::from_secs).to_vec(),
            batch_requests: None,
            enqueued_tokens: None,
        }
    }

    /// Returns the URL of the company whose format it speaks.
    pub const fn own_url(&self) -> &'static str {
        match self.api {
            Wire::OpenAi => "https://api.openai.com/v1",
            Wire::Anthropic => "https://api.anthropic.com",
        }
    }

    /// Returns the URL as written or its own, without a slash at the end.
    pub fn url(&self) -> &str {
        self.base_url
            .as_deref()
            .unwrap_or(self.own_url())
            .trim_end_matches('/')
    }

    /// Returns whether the file leaves the provider at its own URL.
    pub fn writes_own_url(&self) -> bool {
        self.url() == self.own_url()
    }

    /// Returns whether it has batches as far as that is written; to name the API is to say so.
    fn declared(&self) -> Option<bool> {
        self.batch.or(self.batch_api.map(|_| true))
    }

    /// Returns the name of the environment variable that holds its key.
    pub fn key_variable(&self) -> &str {
        self.api_key_env.as_deref().unwrap_or(match self.api {
            Wire::OpenAi => "OPENAI_API_KEY",
            Wire::Anthropic => "ANTHROPIC_API_KEY",
        })
    }
}

/// A model and how it is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRole {
    /// The role's name.
    pub name: String,
    /// The provider's name.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
    /// The longest answer in tokens; `None`: the provider's own limit.
    pub max_tokens: Option<u32>,
    /// 0 to 2; `None`: the provider's default.
    pub temperature: Option<f64>,
    /// Whether it can be asked in batches, as written.
    pub batch: Option<bool>,
}

/// Whether a model can be asked in batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSupport {
    /// It can.
    Available,
    /// The model role says that it cannot.
    RefusedByModel,
    /// The provider profile says that it cannot.
    RefusedByProvider,
    /// The provider is not at its own URL and nothing says that it can.
    NotDeclared,
}

impl BatchSupport {
    /// Returns why not, or `None` where it can.
    pub fn reason(self, role: &ModelRole) -> Option<NoBatchReason> {
        match self {
            Self::Available => None,
            Self::RefusedByModel => Some(NoBatchReason::Model(role.name.clone())),
            Self::RefusedByProvider => Some(NoBatchReason::Provider(role.provider.clone())),
            Self::NotDeclared => Some(NoBatchReason::NotDeclared(role.provider.clone())),
        }
    }
}

pub(super) fn batch_support(
    provider: Option<&ProviderProfile>,
    role: &ModelRole,
    redirected: bool,
) -> BatchSupport {
    match (role.batch, provider.and_then(ProviderProfile::declared)) {
        (Some(true), _) | (None, Some(true)) => BatchSupport::Available,
        (Some(false), _) => BatchSupport::RefusedByModel,
        (None, Some(false)) => BatchSupport::RefusedByProvider,
        (None, None) if !redirected && provider.is_some_and(ProviderProfile::writes_own_url) => {
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
            temperature: None,
            batch,
        }
    }

    /// C4: a compatible server has no Batch API unless its profile says so.
    #[test]
    fn a_custom_url_has_no_batch_api_unless_the_profile_says_so() {
        let own = ProviderProfile::new("openai", Wire::OpenAi);
        let custom = ProviderProfile {
            base_url: Some("http://127.0.0.1:1/v1".to_owned()),
            ..own.clone()
        };
        let declared = ProviderProfile {
            batch: Some(true),
            ..custom.clone()
        };
        let spelt_out = ProviderProfile {
            base_url: Some("https://api.openai.com/v1/".to_owned()),
            ..own.clone()
        };
        let support = |profile, redirected| batch_support(Some(profile), &role(None), redirected);
        assert_eq!(support(&own, false), BatchSupport::Available);
        assert_eq!(support(&spelt_out, false), BatchSupport::Available);
        assert_eq!(support(&own, true), BatchSupport::NotDeclared);
        assert_eq!(support(&custom, false), BatchSupport::NotDeclared);
        assert_eq!(support(&declared, true), BatchSupport::Available);
    }

    /// L17, C4: Anthropic's own server has batches, one that speaks its format may not.
    #[test]
    fn the_own_url_of_either_format_has_a_batch_api() {
        let own = ProviderProfile::new("anthropic", Wire::Anthropic);
        let compatible = ProviderProfile {
            base_url: Some("http://127.0.0.1:1".to_owned()),
            ..own.clone()
        };
        let support = |profile| batch_support(Some(profile), &role(None), false);
        assert_eq!(support(&own), BatchSupport::Available);
        assert_eq!(support(&compatible), BatchSupport::NotDeclared);
    }

    /// C4: naming the API says that there is one; `batch` still has its say.
    #[test]
    fn a_provider_whose_batch_api_is_named_has_one() {
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
        assert_eq!(support(&refused), BatchSupport::RefusedByProvider);
    }

    /// L17: support is per model too, and the model has the last word.
    #[test]
    fn the_model_role_overrules_the_provider() {
        let provider = ProviderProfile {
            batch: Some(true),
            ..ProviderProfile::new("openai", Wire::OpenAi)
        };
        assert_eq!(
            batch_support(Some(&provider), &role(Some(false)), false),
            BatchSupport::RefusedByModel
        );
        let provider = ProviderProfile {
            batch: Some(false),
            ..provider
        };
        assert_eq!(
            batch_support(Some(&provider), &role(None), false),
            BatchSupport::RefusedByProvider
        );
        assert_eq!(
            batch_support(Some(&provider), &role(Some(true)), true),
            BatchSupport::Available
        );
    }
}

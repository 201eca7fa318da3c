//! Decides which key may be sent to which server.
//!
//! A key of the environment belongs to a server: that of its company, or the one that the environment itself names. The
//! user must allow any other pair of variable and server. A key in the project's `.env` file is meant for this pipeline,
//! so it may be sent to the server that the pipeline names. No key leaves this machine unencrypted.

use super::ProjectError;
use super::dot_env::DotEnv;
use super::environment::Environment;
use super::server::Server;
use super::trust::Permission;
use synix_manifest::ProviderProfile;
use synix_providers::Secret;

/// The keys of companies: the variable, the server, and the variable that replaces the server.
const COMPANY_KEYS: [(&str, &str, &str); 2] = [
    (
        "OPENAI_API_KEY",
        "https://api.openai.com",
        "OPENAI_BASE_URL",
    ),
    (
        "ANTHROPIC_API_KEY",
        "https://api.anthropic.com",
        "ANTHROPIC_BASE_URL",
    ),
];

/// The origin of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyOrigin {
    Environment,
    DotEnv,
}

/// A provider with its key and server.
pub(super) struct KeyUse {
    /// The server that the environment sets instead.
    pub(super) redirect: Option<String>,
    /// The variable; `None` if the server gets no key.
    pub(super) variable: Option<String>,
    key: Option<(Secret, KeyOrigin)>,
    server: Option<Server>,
    /// Whether the variable belongs to the server.
    belongs: bool,
}

impl KeyUse {
    /// Finds the key and the server of a provider.
    pub(super) fn find(
        profile: &ProviderProfile,
        environment: &Environment,
        dot_env: &DotEnv,
    ) -> Self {
        let redirect = environment.base_url(profile);
        // A server that only the pipeline file names must not get a key that is meant for another.
        let has_key = matches!(profile.name.as_str(), "openai" | "anthropic")
            || profile.api_key_env.is_some();
        let variable = has_key.then(|| profile.key_variable().to_owned());
        let key = variable.as_deref().and_then(|variable| {
            let from_environment = environment.secret(variable);
            let from_file = || dot_env.key(variable).cloned();
            from_environment
                .map(|key| (key, KeyOrigin::Environment))
                .or_else(|| from_file().map(|key| (key, KeyOrigin::DotEnv)))
        });
        let server = Server::parse(redirect.as_deref().unwrap_or(profile.url()));
        let belongs = match (&variable, &server) {
            (Some(variable), Some(server)) => {
                belongs(variable, server, |name| environment.get(name))
            }
            (None, _) | (_, None) => false,
        };
        Self {
            redirect,
            variable,
            key,
            server,
            belongs,
        }
    }

    /// Returns the permission that is needed before the key is sent.
    pub(super) fn required_permission(&self) -> Option<Permission> {
        let (_, KeyOrigin::Environment) = self.key.as_ref()? else {
            return None;
        };
        self.permission()
    }

    /// Returns the permission that is needed if the environment has the key.
    pub(super) fn potential_permission(&self) -> Option<Permission> {
        match self.key {
            Some((_, KeyOrigin::DotEnv)) => None,
            Some((_, KeyOrigin::Environment)) | None => self.permission(),
        }
    }

    fn permission(&self) -> Option<Permission> {
        let (variable, server) = (self.variable.as_ref()?, self.server.as_ref()?);
        if self.belongs || server.is_unencrypted() {
            return None;
        }
        Some(Permission::Key {
            variable: variable.clone(),
            server: server.to_string(),
        })
    }

    /// Returns whether the server belongs to a third party: it is neither the key's own, a company's, nor on this machine.
    pub(super) fn is_third_party(&self) -> bool {
        let is_company = |server: &Server| {
            let mut companies = COMPANY_KEYS
                .iter()
                .filter_map(|(_, url, _)| Server::parse(url));
            companies.any(|own| own == server.origin())
        };
        // The user chose a server that the environment sets.
        self.redirect.is_none()
            && !self.belongs
            && self
                .server
                .as_ref()
                .is_some_and(|server| !server.is_loopback() && !is_company(server))
    }

    pub(super) fn require_encryption(&self, provider: &str) -> Result<(), ProjectError> {
        match (&self.key, &self.variable, &self.server) {
            (Some(_), Some(variable), Some(server)) if server.is_unencrypted() => {
                Err(ProjectError::UnencryptedKey {
                    provider: provider.to_owned(),
                    variable: variable.clone(),
                    server: server.to_string(),
                })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn into_key(self) -> Option<Secret> {
        self.key.map(|(key, _)| key)
    }
}

/// Returns whether a variable may be sent to a server without the user's permission.
fn belongs(variable: &str, server: &Server, environment: impl Fn(&str) -> Option<String>) -> bool {
    if server.is_loopback() {
        return true;
    }
    let company = COMPANY_KEYS.iter().find(|(own, ..)| *own == variable);
    let Some((_, url, moved)) = company else {
        return false;
    };
    let is_own = Server::parse(url).is_some_and(|own| own == server.origin());
    // One host may serve many accounts under different paths, so here the path counts.
    let is_moved = environment(moved)
        .and_then(|url| Server::parse(&url))
        .is_some_and(|moved| moved == *server);
    is_own || is_moved
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W3: a key may be sent to its own server, in every spelling, and to no other.
    #[test]
    fn a_key_belongs_to_its_company_and_to_the_server_that_the_environment_sets() {
        let moved = |name: &str| match name {
            "OPENAI_BASE_URL" => Some("https://Gateway.example:443/team-a/v1/".to_owned()),
            _ => None,
        };
        let belongs =
            |variable: &str, url: &str| belongs(variable, &Server::parse(url).unwrap(), moved);
        for own in [
            "https://api.openai.com/v1",
            "https://API.openai.com:443/other",
            "https://gateway.example/team-a/v1",
            "http://127.0.0.1:8080/v1",
            "http://[::1]:8080",
            "http://localhost:8080",
        ] {
            assert!(belongs("OPENAI_API_KEY", own), "{own}");
        }
        for other in [
            "https://gateway.example/team-b/v1",
            "https://gateway.example",
            "https://gateway.example:8443/team-a/v1",
            "http://gateway.example/team-a/v1",
            "http://api.openai.com/v1",
            "https://api.openai.com.evil.example/v1",
            "https://api.openai.com@evil.example/v1",
            "https://api.anthropic.com",
            "http://0.0.0.0:8080",
            "http://[::ffff:127.0.0.1]:8080",
            "http://10.0.0.1",
        ] {
            assert!(!belongs("OPENAI_API_KEY", other), "{other}");
        }
        assert!(belongs("ANTHROPIC_API_KEY", "https://api.anthropic.com"));
        assert!(!belongs(
            "AWS_SECRET_ACCESS_KEY",
            "https://api.openai.com/v1"
        ));
        assert!(!belongs("GROQ_API_KEY", "https://api.groq.com/openai/v1"));
    }
}

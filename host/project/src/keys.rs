//! Which key goes to which server.
//!
//! A key of the real environment belongs to a server: that of the company, or the one that the environment itself names.
//! Any other pair of variable and server is for the user to admit. A key in the project's `.env` was put there for this
//! pipeline and goes where it says. Neither leaves this machine unencrypted.

use super::ProjectError;
use super::dot_env::DotEnv;
use super::environment::Environment;
use super::server::Server;
use super::trust::Permission;
use synix_manifest::ProviderProfile;
use synix_providers::Secret;

/// Keys that belong to a company: the variable, where it is, and the variable that says where else.
const COMPANIES: [(&str, &str, &str); 2] = [
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

/// Where a key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Environment,
    DotEnv,
}

/// A provider with its key.
pub(super) struct KeyUse {
    /// Where the environment moves it.
    pub(super) redirect: Option<String>,
    /// The variable; `None` for a server that gets no key.
    pub(super) variable: Option<String>,
    key: Option<(Secret, From)>,
    server: Option<Server>,
    /// Whether the variable belongs to the server.
    belongs: bool,
}

impl KeyUse {
    /// Finds the key of a provider.
    pub(super) fn of(
        profile: &ProviderProfile,
        environment: &Environment,
        dot_env: &DotEnv,
    ) -> Self {
        let redirect = environment.base_url(profile);
        // A server that the file alone knows gets no key that was meant for another.
        let has_key = matches!(profile.name.as_str(), "openai" | "anthropic")
            || profile.api_key_env.is_some();
        let variable = has_key.then(|| profile.key_variable().to_owned());
        let key = variable.as_deref().and_then(|variable| {
            let own = environment.secret(variable);
            let file = || dot_env.key(variable).cloned();
            own.map(|key| (key, From::Environment))
                .or_else(|| file().map(|key| (key, From::DotEnv)))
        });
        let server = Server::of(redirect.as_deref().unwrap_or(profile.url()));
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

    /// Returns what the user has to admit before the key is sent.
    pub(super) fn asks(&self) -> Option<Permission> {
        let (_, From::Environment) = self.key.as_ref()? else {
            return None;
        };
        self.pair()
    }

    /// Returns what the user would have to admit where the environment has the key.
    pub(super) fn would_ask(&self) -> Option<Permission> {
        match self.key {
            Some((_, From::DotEnv)) => None,
            Some((_, From::Environment)) | None => self.pair(),
        }
    }

    fn pair(&self) -> Option<Permission> {
        let (variable, server) = (self.variable.as_ref()?, self.server.as_ref()?);
        if self.belongs || server.is_open() {
            return None;
        }
        Some(Permission::Key {
            variable: variable.clone(),
            server: server.to_string(),
        })
    }

    /// Says whether it is a server of strangers: neither the key's own, nor on this machine.
    pub(super) fn is_strange(&self) -> bool {
        let is_company = |server: &Server| {
            let mut companies = COMPANIES.iter().filter_map(|(_, url, _)| Server::of(url));
            companies.any(|own| own == server.origin())
        };
        // Where the environment moves a provider is the user's own choice.
        self.redirect.is_none()
            && !self.belongs
            && self
                .server
                .as_ref()
                .is_some_and(|server| !server.is_loopback() && !is_company(server))
    }

    /// Refuses to send a key to another machine unencrypted.
    pub(super) fn check(&self, provider: &str) -> Result<(), ProjectError> {
        match (&self.key, &self.variable, &self.server) {
            (Some(_), Some(variable), Some(server)) if server.is_open() => {
                Err(ProjectError::UnencryptedKey {
                    provider: provider.to_owned(),
                    variable: variable.clone(),
                    server: server.to_string(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Returns the key.
    pub(super) fn into_key(self) -> Option<Secret> {
        self.key.map(|(key, _)| key)
    }
}

/// Says whether a variable may be sent to a server without a word of the user.
fn belongs(variable: &str, server: &Server, environment: impl Fn(&str) -> Option<String>) -> bool {
    if server.is_loopback() {
        return true;
    }
    let company = COMPANIES.iter().find(|(own, ..)| *own == variable);
    let Some((_, url, moved)) = company else {
        return false;
    };
    let is_own = Server::of(url).is_some_and(|own| own == server.origin());
    // One host may serve many accounts by path, so here the path counts.
    let is_moved = environment(moved)
        .and_then(|url| Server::of(&url))
        .is_some_and(|moved| moved == *server);
    is_own || is_moved
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W3: a key goes to its own server, in whatever way that is spelt, and to no other.
    #[test]
    fn a_key_belongs_to_its_company_and_to_where_the_environment_moves_it() {
        let moved = |name: &str| match name {
            "OPENAI_BASE_URL" => Some("https://Gateway.example:443/team-a/v1/".to_owned()),
            _ => None,
        };
        let belongs =
            |variable: &str, url: &str| belongs(variable, &Server::of(url).unwrap(), moved);
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

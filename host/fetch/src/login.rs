//! The passwords that `docker login` keeps in its config file.
//!
//! Credential helpers are programs and are not run. A file that cannot be read
//! is one without passwords: most plugins need none.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// What proves to a registry who asks.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Login {
    /// Nothing.
    Anonymous,
    /// User and password.
    Basic(String, String),
    /// A token.
    Bearer(String),
}

/// Where docker's config file is, if anywhere.
#[derive(Debug, Clone, Default)]
pub struct Logins {
    file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Default, Deserialize)]
struct Entry {
    auth: Option<String>,
    registrytoken: Option<String>,
}

impl Logins {
    /// Reads nothing yet.
    pub const fn at(file: Option<PathBuf>) -> Self {
        Self { file }
    }

    /// Returns what proves to a registry who asks.
    pub(super) fn of(&self, registry: &str) -> Login {
        let bytes = self
            .file
            .as_deref()
            .and_then(|file| synix_disk::read_if_there(file).ok().flatten())
            .unwrap_or_default();
        find(&bytes, registry).unwrap_or(Login::Anonymous)
    }
}

fn find(config: &[u8], registry: &str) -> Option<Login> {
    let config: Config = serde_json::from_slice(config).ok()?;
    let entry = config
        .auths
        .into_iter()
        .find_map(|(name, entry)| (server(&name) == server(registry)).then_some(entry))?;
    if let Some(token) = entry.registrytoken.filter(|token| !token.is_empty()) {
        return Some(Login::Bearer(token));
    }
    let decoded = STANDARD.decode(entry.auth?).ok()?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(Login::Basic(user.to_owned(), password.to_owned()))
}

/// Returns the host of an entry's name, which may be a URL; docker's own registry has two.
fn server(name: &str) -> &str {
    let name = name
        .strip_prefix("https://")
        .or_else(|| name.strip_prefix("http://"))
        .unwrap_or(name);
    match name.split('/').next().unwrap_or_default() {
        "index.docker.io" => "docker.io",
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{
        "auths": {
            "ghcr.io": {"auth": "bWU6cGFzczp3b3Jk"},
            "https://index.docker.io/v1/": {"auth": "aHViOnB3"},
            "tokens.example.com": {"registrytoken": "t"},
            "helper.example.com": {},
            "broken.example.com": {"auth": "%"}
        },
        "credsStore": "desktop"
    }"#;

    #[test]
    fn a_password_goes_to_its_own_registry_only() {
        let found = |registry| find(CONFIG.as_bytes(), registry);
        let basic =
            |user: &str, password: &str| Some(Login::Basic(user.to_owned(), password.to_owned()));
        assert_eq!(found("ghcr.io"), basic("me", "pass:word"));
        assert_eq!(found("docker.io"), basic("hub", "pw"));
        let token = Login::Bearer("t".to_owned());
        assert_eq!(found("tokens.example.com"), Some(token));
        for none in [
            "helper.example.com",
            "broken.example.com",
            "example.com",
            "ghcr.io.example.com",
        ] {
            assert_eq!(found(none), None, "{none}");
        }
        assert_eq!(find(b"{", "ghcr.io"), None);
    }
}

//! The credentials that `docker login` stores in Docker's config file.
//!
//! synix does not run credential helpers, because they are programs. The crate `docker_credential` runs them, so it is
//! not used. An unreadable file counts as empty, because most plugins need no password.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// The credentials for a registry.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Credentials {
    Anonymous,
    Basic(String, String),
    Bearer(String),
}

/// Docker's config file, if there is one.
#[derive(Debug, Clone, Default)]
pub struct DockerCredentials {
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

impl DockerCredentials {
    /// Stores the path; the file is read later.
    pub const fn from_file(file: Option<PathBuf>) -> Self {
        Self { file }
    }

    /// Returns the credentials for a registry.
    pub(super) fn for_registry(&self, registry: &str) -> Credentials {
        let bytes = self
            .file
            .as_deref()
            .and_then(|file| synix_disk::read_if_exists(file).ok().flatten())
            .unwrap_or_default();
        find(&bytes, registry).unwrap_or(Credentials::Anonymous)
    }
}

fn find(config: &[u8], registry: &str) -> Option<Credentials> {
    let config: Config = serde_json::from_slice(config).ok()?;
    let entry = config
        .auths
        .into_iter()
        .find_map(|(name, entry)| (server(&name) == server(registry)).then_some(entry))?;
    if let Some(token) = entry.registrytoken.filter(|token| !token.is_empty()) {
        return Some(Credentials::Bearer(token));
    }
    let decoded = STANDARD.decode(entry.auth?).ok()?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(Credentials::Basic(user.to_owned(), password.to_owned()))
}

/// Returns the host of an entry, whose name may be a URL. Docker's own registry has two names.
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
    fn a_password_is_only_used_for_its_own_registry() {
        let found = |registry| find(CONFIG.as_bytes(), registry);
        let basic = |user: &str, password: &str| {
            Some(Credentials::Basic(user.to_owned(), password.to_owned()))
        };
        assert_eq!(found("ghcr.io"), basic("me", "pass:word"));
        assert_eq!(found("docker.io"), basic("hub", "pw"));
        let token = Credentials::Bearer("t".to_owned());
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

//! Decides whether a token server belongs to the owner of a registry, and so may receive its passwords.

use std::net::IpAddr;

/// Registries with a token server under a different domain, as they document it.
const TOKEN_SERVERS: [(&str, &str); 3] = [
    ("docker.io", "auth.docker.io"),
    ("registry.hub.docker.com", "auth.docker.io"),
    ("lscr.io", "ghcr.io"),
];

/// Second-level labels under which anybody can register a name in a country's domain.
const SECOND_LEVEL: [&str; 18] = [
    "ac", "asso", "co", "com", "ed", "edu", "gob", "gov", "gouv", "govt", "ltd", "mil", "ne",
    "net", "nom", "or", "org", "sch",
];

/// Suffixes under which each name belongs to a different customer.
const SHARED_SUFFIXES: [&str; 17] = [
    "amazonaws.com",
    "appspot.com",
    "azure-api.net",
    "azurecr.io",
    "azurewebsites.net",
    "cloudfront.net",
    "fly.dev",
    "github.io",
    "gitlab.io",
    "herokuapp.com",
    "jfrog.io",
    "netlify.app",
    "ngrok.io",
    "pages.dev",
    "pkg.dev",
    "run.app",
    "workers.dev",
];

/// Returns whether `server` may issue tokens for `registry`. Both are hosts without a port.
pub(super) fn may_issue_tokens(registry: &str, server: &str) -> bool {
    let (registry, server) = (normalize(registry), normalize(server));
    if registry == server {
        return true;
    }
    let is_pair = |(name, tokens): &(&str, &str)| registry == *name && server == *tokens;
    if TOKEN_SERVERS.iter().any(is_pair) {
        return true;
    }
    match (owned_domain(&registry), owned_domain(&server)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

fn normalize(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Returns the part of a name that its owner registered, or `None` for an address.
fn owned_domain(host: &str) -> Option<&str> {
    if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return None;
    }
    let labels: Vec<&str> = host.split('.').collect();
    let last_labels = |count: usize| {
        let from = labels.len().checked_sub(count)?;
        let bytes: usize = labels.iter().take(from).map(|label| label.len() + 1).sum();
        host.get(bytes..)
    };
    let is_shared = |suffix: &&str| {
        host.strip_suffix(*suffix)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if let Some(shared) = SHARED_SUFFIXES.iter().find(|suffix| is_shared(suffix)) {
        // Below these suffixes there are names for regions of a cloud, so the complete name counts.
        return (host.len() > shared.len()).then_some(host);
    }
    let is_country = labels.last().is_some_and(|label| label.len() == 2);
    let second = labels.len().checked_sub(2).and_then(|at| labels.get(at));
    if is_country && second.is_some_and(|label| SECOND_LEVEL.contains(label)) {
        return last_labels(3);
    }
    last_labels(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_servers_of_the_same_owner_issue_tokens() {
        for (registry, server) in [
            ("ghcr.io", "ghcr.io"),
            ("index.docker.io", "auth.docker.io"),
            ("registry.hub.docker.com", "auth.docker.io"),
            ("registry.gitlab.com", "gitlab.com"),
            ("registry.digitalocean.com", "api.digitalocean.com"),
            ("lscr.io", "ghcr.io"),
            ("docker.elastic.co", "docker-auth.elastic.co"),
            ("registry.example.co.uk", "auth.example.co.uk"),
            ("Registry.Example.com.", "auth.example.com"),
            ("127.0.0.1", "127.0.0.1"),
            ("localhost", "localhost"),
        ] {
            assert!(may_issue_tokens(registry, server), "{registry} {server}");
        }
        for (registry, server) in [
            ("ghcr.io", "evil.io"),
            ("example.com", "example.com.evil.net"),
            ("example.com", "notexample.com"),
            ("a.co.uk", "b.co.uk"),
            ("one.azurecr.io", "two.azurecr.io"),
            ("azurecr.io", "two.azurecr.io"),
            ("registry.example.com", "127.0.0.1"),
            ("127.0.0.1", "127.0.0.2"),
            ("10.0.0.1", "11.0.0.1"),
            ("localhost", "otherhost"),
            ("io", "ghcr.io"),
            ("ghcr.io", "lscr.io"),
        ] {
            assert!(!may_issue_tokens(registry, server), "{registry} {server}");
        }
    }
}

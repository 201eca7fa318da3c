//! Whether two hosts are of one owner: where a registry's passwords may go.

use std::net::IpAddr;

/// Registries whose tokens come from another owner's name, as they document it.
const TOKEN_SERVERS: [(&str, &str); 3] = [
    ("docker.io", "auth.docker.io"),
    ("registry.hub.docker.com", "auth.docker.io"),
    ("lscr.io", "ghcr.io"),
];

/// Second labels below a country under which anybody may have a name.
const SECOND_LEVEL: [&str; 18] = [
    "ac", "asso", "co", "com", "ed", "edu", "gob", "gov", "gouv", "govt", "ltd", "mil", "ne",
    "net", "nom", "or", "org", "sch",
];

/// Suffixes below which each name is a customer of its own.
const SHARED: [&str; 17] = [
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

/// Tells whether a registry at `registry` may have its tokens from `server`; both are hosts without port.
pub(super) fn may_give_tokens(registry: &str, server: &str) -> bool {
    let (registry, server) = (plain(registry), plain(server));
    if registry == server {
        return true;
    }
    let known = |(name, tokens): &(&str, &str)| registry == *name && server == *tokens;
    if TOKEN_SERVERS.iter().any(known) {
        return true;
    }
    match (owner(&registry), owner(&server)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

fn plain(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Returns the part of a name that one owner has registered; an address has none.
fn owner(host: &str) -> Option<&str> {
    if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return None;
    }
    let labels: Vec<&str> = host.split('.').collect();
    let of_labels = |count: usize| {
        let from = labels.len().checked_sub(count)?;
        let bytes: usize = labels.iter().take(from).map(|label| label.len() + 1).sum();
        host.get(bytes..)
    };
    let is_shared = |suffix: &&str| {
        host.strip_suffix(*suffix)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if let Some(shared) = SHARED.iter().find(|suffix| is_shared(suffix)) {
        // Regions of a cloud are names below the suffix, so the whole name counts.
        return (host.len() > shared.len()).then_some(host);
    }
    let is_country = labels.last().is_some_and(|label| label.len() == 2);
    let second = labels.len().checked_sub(2).and_then(|at| labels.get(at));
    if is_country && second.is_some_and(|label| SECOND_LEVEL.contains(label)) {
        return of_labels(3);
    }
    of_labels(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_from_the_registrys_owner_and_nobody_else() {
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
            assert!(may_give_tokens(registry, server), "{registry} {server}");
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
            assert!(!may_give_tokens(registry, server), "{registry} {server}");
        }
    }
}

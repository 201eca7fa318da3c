//! Which host names and addresses refer to this machine.

use std::net::IpAddr;

/// Returns whether a host, with or without a port, is this machine.
pub fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name.ends_with(".localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_on_this_machine_are_loopback() {
        for local in [
            "localhost",
            "a.localhost",
            "127.0.0.1:80",
            "127.9.9.9",
            "[::1]:80",
            "[::1]",
        ] {
            assert!(is_loopback(local), "{local}");
        }
        for remote in [
            "localhost.example.com",
            "10.0.0.1",
            "[2001:db8::1]",
            "",
            "127.0.0.1.a",
        ] {
            assert!(!is_loopback(remote), "{remote}");
        }
    }
}

//! Which redirects a download follows.
//!
//! Other calls follow no redirect, because they carry the key. A file may be
//! on a storage server that its provider redirects to; that request carries
//! no key. A server must not redirect synix to this machine, to a private
//! network, or to plain HTTP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;

use synix_core::loopback::is_loopback;

/// The most redirects in a row.
pub(super) const MAX_REDIRECTS: usize = 5;

const PRIVATE_ADDRESS: &str =
    "an address of this machine or a private network, which synix does not follow";

/// Returns the target of a redirect, or why synix does not follow it.
pub(super) fn resolve(from: &Url, location: &str) -> Result<Url, &'static str> {
    let to = from.join(location).map_err(|_| "which is not a URL")?;
    if !to.has_host() {
        return Err("which is not a URL of a web server");
    }
    let is_local = |url: &Url| url.host_str().is_some_and(is_loopback);
    match (is_local(from), is_local(&to)) {
        (true, true) if matches!(to.scheme(), "http" | "https") => return Ok(to),
        (true, _) => {
            return Err(
                "an address outside this machine, which synix does not follow from a local provider",
            );
        }
        (false, true) => return Err(PRIVATE_ADDRESS),
        (false, false) => {}
    }
    if from.scheme() != "https" || to.scheme() != "https" {
        return Err("which synix does not follow: both addresses must use https");
    }
    if ip_address(&to).is_some_and(is_private) && !ip_address(from).is_some_and(is_private) {
        return Err(PRIVATE_ADDRESS);
    }
    Ok(to)
}

/// Looks up the host of a redirect target, so that a host name cannot bypass [`resolve`].
///
/// The caller connects to these addresses. There are none if only a proxy knows the name.
pub(super) async fn look_up(from: &Url, to: &Url) -> Result<Vec<SocketAddr>, &'static str> {
    let (Some(host), Some(port)) = (to.host_str(), to.port_or_known_default()) else {
        return Err("which is not a URL of a web server");
    };
    if from.host_str().is_some_and(is_loopback) || ip_address(to).is_some() {
        return Ok(Vec::new());
    }
    let Ok(found) = tokio::net::lookup_host((host, port)).await else {
        return Ok(Vec::new());
    };
    let found: Vec<SocketAddr> = found.collect();
    let from_private = ip_address(from).is_some_and(is_private);
    if !from_private && found.iter().any(|address| is_private(address.ip())) {
        return Err(PRIVATE_ADDRESS);
    }
    Ok(found)
}

/// Returns the origin of a URL, because its user, path and query may be secret.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn ip_address(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_matches(['[', ']']).parse().ok()
}

/// Returns whether an address is outside the public network.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || first == 0
        // Carrier-grade NAT; some clouds use it for their found services.
        || (first == 100 && (64..128).contains(&second))
        || (first == 198 && (18..20).contains(&second))
        || first >= 240
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // IPv4-mapped, IPv4-compatible and NAT64 addresses.
    let inner = match segments {
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    };
    inner.is_some_and(is_private_v4)
        || address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    /// X11
    #[test]
    fn a_remote_server_may_redirect_only_to_public_https() {
        let remote = url("https://api.example.com/v1/files/f/content");
        assert_eq!(
            resolve(&remote, "/b").unwrap().as_str(),
            "https://api.example.com/b"
        );
        assert!(resolve(&remote, "https://store.example.net/b?signature=x").is_ok());
        for refused in [
            "http://store.example.net/b",
            "http://127.0.0.1/b",
            "https://127.0.0.1/b",
            "https://localhost/b",
            "https://0.0.0.0/b",
            "https://10.1.2.3/b",
            "https://192.168.0.1/b",
            "https://169.254.169.254/latest",
            "https://100.100.100.200/latest",
            "https://[::1]/b",
            "https://[fd00::1]/b",
            "https://[fe80::1]/b",
            "https://[::ffff:169.254.169.254]/b",
            "https://[64:ff9b::a9fe:a9fe]/b",
            "https://2852039166/b",
            "file:///etc/passwd",
            "data:,x",
            "https://",
        ] {
            assert!(resolve(&remote, refused).is_err(), "{refused}");
        }
    }

    /// X11
    #[test]
    fn a_local_server_may_redirect_only_to_this_machine() {
        let local = url("http://127.0.0.1:80/a");
        assert!(resolve(&local, "http://127.0.0.1:81/b").is_ok());
        assert!(resolve(&local, "http://localhost:81/b").is_ok());
        assert!(resolve(&local, "https://example.com/b").is_err());
        assert!(resolve(&local, "http://10.0.0.1/b").is_err());
    }

    #[tokio::test]
    async fn a_host_name_does_not_bypass_the_rules() {
        // This name represents any that resolves to a loopback address.
        let remote = url("https://api.example.com/");
        let found = look_up(&remote, &url("https://localhost/b")).await;
        assert!(found.is_err() || found.is_ok_and(|found| found.is_empty()));
    }

    #[test]
    fn the_origin_contains_no_secret() {
        let signed = url("https://user:word@store.example.net/b?signature=x");
        assert_eq!(origin(&signed), "https://store.example.net");
    }
}

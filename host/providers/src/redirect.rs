//! Where the files of a provider may be fetched from when it sends us elsewhere.
//!
//! A provider's own calls follow no redirect: they carry the key. A file may
//! be at a store that its provider names, which gets no key. A server cannot
//! make this machine ask itself or its neighbours, nor ask in the open.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;

use synix_core::loopback::is_loopback;

/// Redirects followed one after the other.
pub(super) const MOST: usize = 5;

const NOT_NEAR: &str = "which is an address of this machine or its network and is not followed";

/// Returns where a redirect leads, or why it is not followed.
pub(super) fn next(from: &Url, location: &str) -> Result<Url, &'static str> {
    let to = from.join(location).map_err(|_| "which is no URL")?;
    if !to.has_host() {
        return Err("which is no URL of the web");
    }
    let near = |url: &Url| url.host_str().is_some_and(is_loopback);
    match (near(from), near(&to)) {
        (true, true) if matches!(to.scheme(), "http" | "https") => return Ok(to),
        (true, _) => return Err("which is not on this machine and is not followed from here"),
        (false, true) => return Err(NOT_NEAR),
        (false, false) => {}
    }
    if from.scheme() != "https" || to.scheme() != "https" {
        return Err("which is not followed: only https leads to https");
    }
    if literal(&to).is_some_and(is_private) && !literal(from).is_some_and(is_private) {
        return Err(NOT_NEAR);
    }
    Ok(to)
}

/// Looks up the host that a redirect leads to; a name is not a way around [`next`].
///
/// The addresses are those to connect to. None are found where only a proxy knows the name.
pub(super) async fn addresses(from: &Url, to: &Url) -> Result<Vec<SocketAddr>, &'static str> {
    let (Some(host), Some(port)) = (to.host_str(), to.port_or_known_default()) else {
        return Err("which is no URL of the web");
    };
    if from.host_str().is_some_and(is_loopback) || literal(to).is_some() {
        return Ok(Vec::new());
    }
    let Ok(found) = tokio::net::lookup_host((host, port)).await else {
        return Ok(Vec::new());
    };
    let found: Vec<SocketAddr> = found.collect();
    let from_private = literal(from).is_some_and(is_private);
    if !from_private && found.iter().any(|address| is_private(address.ip())) {
        return Err(NOT_NEAR);
    }
    Ok(found)
}

/// Returns a URL without what may be a secret: its user, its path and its query.
pub(super) fn shown(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_matches(['[', ']']).parse().ok()
}

/// Returns whether an address is not one of the public network.
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
        // Shared by the customers of a carrier, and by some clouds for their own services.
        || (first == 100 && (64..128).contains(&second))
        || (first == 198 && (18..20).contains(&second))
        || first >= 240
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // An IPv4 address in another form.
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
    fn a_far_server_leads_to_public_https_alone() {
        let far = url("https://api.example.com/v1/files/f/content");
        assert_eq!(
            next(&far, "/b").unwrap().as_str(),
            "https://api.example.com/b"
        );
        assert!(next(&far, "https://store.example.net/b?signature=x").is_ok());
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
            assert!(next(&far, refused).is_err(), "{refused}");
        }
    }

    /// X11
    #[test]
    fn this_machine_leads_to_itself_alone() {
        let near = url("http://127.0.0.1:80/a");
        assert!(next(&near, "http://127.0.0.1:81/b").is_ok());
        assert!(next(&near, "http://localhost:81/b").is_ok());
        assert!(next(&near, "https://example.com/b").is_err());
        assert!(next(&near, "http://10.0.0.1/b").is_err());
    }

    #[tokio::test]
    async fn a_name_is_no_way_around() {
        // Names below `.localhost` are refused by name; this one stands for any that resolves so.
        let far = url("https://api.example.com/");
        let own = addresses(&far, &url("https://localhost/b")).await;
        assert!(own.is_err() || own.is_ok_and(|found| found.is_empty()));
    }

    #[test]
    fn what_is_shown_holds_no_secret() {
        let signed = url("https://user:word@store.example.net/b?signature=x");
        assert_eq!(shown(&signed), "https://store.example.net");
    }
}

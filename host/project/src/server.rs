//! A server as its URL names it, read by the parser that makes the connection.
//!
//! Two spellings of one host (`API.OpenAI.com`, a port that is the default, a number for an address) are one server
//! here, and what only looks like a host (`https://api.openai.com@example.org`) is none.

use std::fmt;
use std::net::{IpAddr, ToSocketAddrs as _};

use reqwest::Url;

use synix_fetch::is_public_address;

/// Where something would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    scheme: String,
    host: String,
    port: Option<u16>,
    path: String,
}

impl Server {
    /// Reads a URL; `None` where it names no server.
    pub(super) fn of(url: &str) -> Option<Self> {
        let url = Url::parse(url.trim()).ok()?;
        let host = url.host_str().filter(|host| !host.is_empty())?;
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: host.to_owned(),
            port: url.port_or_known_default(),
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Returns the server with nothing of the path.
    pub(super) fn origin(&self) -> Self {
        Self {
            path: String::new(),
            ..self.clone()
        }
    }

    /// Says whether it is this machine. Names that only a resolver says to be are not.
    pub(super) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.address().is_some_and(|address| address.is_loopback())
    }

    /// Says whether what is sent can be read on its way to another machine.
    pub(super) fn is_open(&self) -> bool {
        self.scheme != "https" && !self.is_loopback()
    }

    /// Says whether the URL itself leads into a network that only this machine or its neighbours reach.
    pub(super) fn is_private(&self) -> bool {
        match self.address() {
            Some(address) => !is_public_address(address),
            None => {
                let name = self.host.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
        }
    }

    /// Says the same of the addresses that the name has now; a name without an address has none that is private.
    pub(super) fn resolves_to_private(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        let found = (host, self.port.unwrap_or(443)).to_socket_addrs();
        found.is_ok_and(|mut found| found.any(|found| !is_public_address(found.ip())))
    }

    fn address(&self) -> Option<IpAddr> {
        self.host.trim_matches(['[', ']']).parse().ok()
    }

    fn default_port(&self) -> Option<u16> {
        match self.scheme.as_str() {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        }
    }
}

/// Shows the URL without what may be a secret: user, password and query.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if let Some(port) = self.port.filter(|port| Some(*port) != self.default_port()) {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Server {
        Server::of(url).unwrap()
    }

    #[test]
    fn spellings_of_one_server_are_one() {
        let own = server("https://api.openai.com/v1");
        for same in [
            "https://API.OpenAI.com/v1/",
            "HTTPS://api.openai.com:443/v1",
            "https://me:secret@api.openai.com/v1?x=1",
            "https://api.openai.com/x/../v1",
        ] {
            assert_eq!(server(same), own, "{same}");
        }
        for other in [
            "http://api.openai.com/v1",
            "https://api.openai.com:8443/v1",
            "https://api.openai.com./v1",
            "https://api.openai.com@example.org/v1",
            "https://api.openai.com.example.org/v1",
            "https://xn--pi-7kc.openai.com/v1",
            "https://аpi.openai.com/v1",
            "https://example.org/api.openai.com/v1",
        ] {
            assert_ne!(server(other).origin(), own.origin(), "{other}");
        }
        // A backslash is a slash to the parser, and so to the connection.
        let odd = server("https://api.openai.com\\@example.org/v1");
        assert_eq!(odd.origin(), own.origin());
        assert_eq!(Server::of("no URL"), None);
    }

    #[test]
    fn this_machine_is_told_from_the_world() {
        for near in [
            "http://localhost:1",
            "http://127.0.0.1",
            "http://127.1:80",
            "http://2130706433",
            "http://[::1]:80",
        ] {
            assert!(
                server(near).is_loopback() && !server(near).is_open(),
                "{near}"
            );
        }
        for far in [
            "http://localhost.example.org",
            "http://localhost.",
            "http://127.0.0.1.nip.io",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://[::ffff:127.0.0.1]",
            "http://127.0.0.1@example.org",
        ] {
            assert!(!server(far).is_loopback() && server(far).is_open(), "{far}");
        }
        assert!(!server("https://example.org").is_open());
    }

    #[test]
    fn private_addresses_are_known_in_every_spelling() {
        for private in [
            "http://localhost/a",
            "https://x.localhost",
            "https://localhost.",
            "https://10.1.2.3",
            "https://192.168.0.1",
            "https://172.16.9.9",
            "https://169.254.169.254/latest",
            "https://0x7f.1",
            "https://0.0.0.0",
            "https://100.64.0.1",
            "https://[::1]",
            "https://[::]",
            "https://[fe80::1]",
            "https://[fd00::1]",
            "https://[::ffff:10.0.0.1]",
            "https://[64:ff9b::a00:1]",
            "https://[2002:7f00:1::]",
        ] {
            assert!(server(private).is_private(), "{private}");
        }
        for public in [
            "https://example.org",
            "https://8.8.8.8",
            "https://172.32.0.1",
            "https://[2606:4700::1]",
            "https://[::ffff:8.8.8.8]",
        ] {
            assert!(!server(public).is_private(), "{public}");
        }
    }

    #[test]
    fn a_server_is_shown_without_secrets() {
        let shown = |url: &str| server(url).to_string();
        assert_eq!(
            shown("https://me:pw@a.example:443/v1/?key=1#x"),
            "https://a.example/v1"
        );
        assert_eq!(shown("http://a.example:8080"), "http://a.example:8080");
    }
}

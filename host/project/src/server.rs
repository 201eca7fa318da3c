//! A server, parsed from its URL by the parser that also makes the connection.
//!
//! Different spellings of a host (`API.OpenAI.com`, a default port, a number as the address) are the same server. A URL
//! with a misleading user name (`https://api.openai.com@example.org`) is the server after the `@`.

use std::fmt;
use std::net::{IpAddr, ToSocketAddrs as _};

use reqwest::Url;

use synix_fetch::is_public_address;

/// The target of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    scheme: String,
    host: String,
    port: Option<u16>,
    path: String,
}

impl Server {
    /// Parses a URL; `None` if it names no server.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let url = Url::parse(url.trim()).ok()?;
        let host = url.host_str().filter(|host| !host.is_empty())?;
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: host.to_owned(),
            port: url.port_or_known_default(),
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Returns the server without the path.
    pub(super) fn origin(&self) -> Self {
        Self {
            path: String::new(),
            ..self.clone()
        }
    }

    /// Returns whether the server is on this machine. Names that only a resolver maps to this machine do not count.
    pub(super) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.address().is_some_and(|address| address.is_loopback())
    }

    /// Returns whether requests would cross the network unencrypted.
    pub(super) fn is_unencrypted(&self) -> bool {
        self.scheme != "https" && !self.is_loopback()
    }

    /// Returns whether the URL itself names an address in a private network, or on this machine.
    pub(super) fn is_private(&self) -> bool {
        match self.address() {
            Some(address) => !is_public_address(address),
            None => {
                let name = self.host.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
        }
    }

    /// Returns whether the name currently resolves to such an address.
    pub(super) fn resolves_to_private(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        let addresses = (host, self.port.unwrap_or(443)).to_socket_addrs();
        addresses
            .is_ok_and(|mut addresses| addresses.any(|address| !is_public_address(address.ip())))
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

/// Shows the URL without possible secrets: user, password and query.
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
        Server::parse(url).unwrap()
    }

    #[test]
    fn spellings_of_one_server_are_equal() {
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
        // The parser reads a backslash as a slash, and so does the connection.
        let backslash = server("https://api.openai.com\\@example.org/v1");
        assert_eq!(backslash.origin(), own.origin());
        assert_eq!(Server::parse("no URL"), None);
    }

    #[test]
    fn servers_on_this_machine_are_recognized() {
        for local in [
            "http://localhost:1",
            "http://127.0.0.1",
            "http://127.1:80",
            "http://2130706433",
            "http://[::1]:80",
        ] {
            assert!(
                server(local).is_loopback() && !server(local).is_unencrypted(),
                "{local}"
            );
        }
        for remote in [
            "http://localhost.example.org",
            "http://localhost.",
            "http://127.0.0.1.nip.io",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://[::ffff:127.0.0.1]",
            "http://127.0.0.1@example.org",
        ] {
            assert!(
                !server(remote).is_loopback() && server(remote).is_unencrypted(),
                "{remote}"
            );
        }
        assert!(!server("https://example.org").is_unencrypted());
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

//! Restricts the addresses that a download may connect to.
//!
//! A name may resolve to any address, and to a different one a moment later. So the guard checks the address of the
//! connection, not the name.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address_zone::AddressZone;

/// Which servers may provide plugins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Only servers with public addresses.
    #[default]
    PublicOnly,
    /// Servers with any address, including this machine and local networks, because the user allowed it.
    Any,
}

/// The zones that a connection may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AllowedZones {
    /// Any zone, because the user allowed this server.
    Any,
    /// Public addresses, and those in the zone of the server that the user allowed.
    PublicOr(AddressZone),
}

impl From<AddressPolicy> for AllowedZones {
    fn from(policy: AddressPolicy) -> Self {
        match policy {
            AddressPolicy::PublicOnly => Self::PublicOr(AddressZone::Public),
            AddressPolicy::Any => Self::Any,
        }
    }
}

impl AllowedZones {
    fn contains(self, zone: AddressZone) -> bool {
        match self {
            Self::Any => true,
            Self::PublicOr(other) => zone == AddressZone::Public || zone == other,
        }
    }
}

/// Resolves the name of the server of a request and checks the addresses.
#[derive(Debug, Clone)]
pub(super) struct ConnectionGuard {
    host: String,
    zones: AllowedZones,
    observed: Arc<Mutex<ObservedZones>>,
}

#[derive(Debug, Default)]
struct ObservedZones {
    refused: Option<AddressZone>,
    connected: Option<AddressZone>,
}

impl ConnectionGuard {
    /// Creates a guard for a URL. Fails if the URL contains an address that is not allowed.
    pub(super) fn for_url(url: &Url, zones: AllowedZones) -> Result<Self, AddressZone> {
        let host = url.host_str().unwrap_or_default();
        let guard = Self {
            host: host.to_owned(),
            zones,
            observed: Arc::default(),
        };
        // The resolver is not called for an address.
        if let Ok(address) = host.trim_matches(['[', ']']).parse() {
            let zone = AddressZone::of(address);
            if !zones.contains(zone) {
                return Err(zone);
            }
            guard.lock().connected = Some(zone);
        }
        Ok(guard)
    }

    /// Returns the zone of a refused address.
    pub(super) fn refused_zone(&self) -> Option<AddressZone> {
        self.lock().refused
    }

    /// Returns the zone of the server. Behind a proxy it is unknown and counts as public.
    pub(super) fn connected_zone(&self) -> AddressZone {
        self.lock().connected.unwrap_or(AddressZone::Public)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ObservedZones> {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns only the allowed addresses, or an error if there is none.
    fn filter(&self, addresses: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
        let mut observed = self.lock();
        let mut allowed = Vec::new();
        for address in addresses {
            let zone = AddressZone::of(address.ip());
            if self.zones.contains(zone) {
                // The connection may use any of the addresses, so a zone that is not public takes precedence.
                if observed
                    .connected
                    .is_none_or(|connected| connected == AddressZone::Public)
                {
                    observed.connected = Some(zone);
                }
                allowed.push(address);
            } else {
                observed.refused = Some(zone);
            }
        }
        if allowed.is_empty()
            && let Some(zone) = observed.refused
        {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                zone.description(),
            ));
        }
        Ok(allowed)
    }
}

impl Resolve for ConnectionGuard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // Any other name belongs to a proxy from the user's environment.
            let allowed = if name.as_str().eq_ignore_ascii_case(&guard.host) {
                guard.filter(addresses)?
            } else {
                addresses
            };
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DNS rebinding: a stranger's name resolves to an address of this machine.
    #[tokio::test]
    async fn a_name_that_resolves_to_this_machine_is_refused() {
        let url = Url::parse("https://localhost/a").unwrap();
        let guard = ConnectionGuard::for_url(&url, AddressPolicy::PublicOnly.into()).unwrap();
        assert!(guard.resolve("localhost".parse().unwrap()).await.is_err());
        assert_eq!(guard.refused_zone(), Some(AddressZone::Loopback));
        let allowed = ConnectionGuard::for_url(&url, AddressPolicy::Any.into()).unwrap();
        assert!(allowed.resolve("localhost".parse().unwrap()).await.is_ok());
        assert_eq!(allowed.connected_zone(), AddressZone::Loopback);
        // The user's own proxy may have any address.
        let remote = Url::parse("https://example.com/a").unwrap();
        let guard = ConnectionGuard::for_url(&remote, AddressPolicy::PublicOnly.into()).unwrap();
        assert!(guard.resolve("localhost".parse().unwrap()).await.is_ok());
    }

    #[test]
    fn addresses_in_urls_are_checked_too() {
        let connect = |url: &str, zones| {
            ConnectionGuard::for_url(&Url::parse(url).unwrap(), zones)
                .map(|guard| guard.connected_zone())
        };
        assert_eq!(
            connect(
                "https://[::ffff:127.0.0.1]/",
                AddressPolicy::PublicOnly.into()
            ),
            Err(AddressZone::Loopback)
        );
        assert_eq!(
            connect("https://0x7f.1/", AddressPolicy::PublicOnly.into()),
            Err(AddressZone::Loopback)
        );
        assert_eq!(
            connect(
                "https://169.254.169.254/",
                AllowedZones::PublicOr(AddressZone::Private)
            ),
            Err(AddressZone::LinkLocal)
        );
        assert_eq!(
            connect(
                "https://10.0.0.1/",
                AllowedZones::PublicOr(AddressZone::Private)
            ),
            Ok(AddressZone::Private)
        );
        assert_eq!(
            connect("https://10.0.0.1/", AddressPolicy::Any.into()),
            Ok(AddressZone::Private)
        );
    }

    /// A public address does not make a private one of the same name allowed.
    #[test]
    fn only_the_allowed_addresses_of_a_name_are_used() {
        let url = Url::parse("https://example.com/").unwrap();
        let guard = ConnectionGuard::for_url(&url, AddressPolicy::PublicOnly.into()).unwrap();
        let addresses = ["127.0.0.1:0", "1.1.1.1:0", "[fe80::1]:0"];
        let allowed = guard.filter(
            addresses
                .iter()
                .map(|address| address.parse().unwrap())
                .collect(),
        );
        assert_eq!(allowed.unwrap(), ["1.1.1.1:0".parse().unwrap()]);
    }
}

//! Which addresses a fetch may connect to.
//!
//! A name may resolve to anything, and to something else a moment later, so it
//! is the address connected to that is looked at, not the name.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Where a plugin may be fetched from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// From public addresses alone.
    #[default]
    Public,
    /// Also from this machine and the networks that it is in: the user has said so.
    Anywhere,
}

/// What sort of address it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    Public,
    /// A network of somebody's own.
    Private,
    /// This very link; clouds answer there with their machines' secrets.
    LinkLocal,
    /// This machine.
    Loopback,
}

impl Zone {
    /// Returns the zone of an address, whatever it is wrapped in.
    pub(super) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [127, ..] | [0, ..] => Self::Loopback,
            [169, 254, ..] => Self::LinkLocal,
            [10, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            // Shared by a carrier's customers.
            | [100, 64..=127, ..]
            // Protocol assignments, examples and benchmarks.
            | [192, 0, 0 | 2, _]
            | [198, 18..=19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            // Multicast, reserved, broadcast.
            | [224..=255, ..] => Self::Private,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let [first, second, .., seventh, eighth] = address.segments();
        let low = Ipv4Addr::from((u32::from(seventh) << 16) | u32::from(eighth));
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Self::Loopback,
            // IPv4 within: compatible, mapped, translated (NAT64, also a network's own prefix).
            [0, 0, 0, 0, 0, 0 | 0xffff, ..]
            | [0, 0, 0, 0, 0xffff, 0, ..]
            | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Self::of_v4(low),
            [0x64, 0xff9b, 1, ..] => Self::Private,
            // IPv4 within: 6to4.
            [0x2002, ..] => {
                let [.., third, _, _, _, _, _] = address.segments();
                Self::of_v4(Ipv4Addr::from((u32::from(second) << 16) | u32::from(third)))
            }
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            // Unique local, site-local, multicast, Teredo, examples.
            [0xfc00..=0xfdff | 0xfec0..=0xfeff | 0xff00..=0xffff, ..] | [0x2001, 0 | 0xdb8, ..] => {
                Self::Private
            }
            _ if first & 0xe000 == 0x2000 => Self::Public,
            _ => Self::Private,
        }
    }

    /// Says in words where it is.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Private => "an address of a private network",
            Self::LinkLocal => "an address of this machine's own link",
            Self::Loopback => "this machine",
        }
    }
}

/// Which zones one connection may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    /// Any: the user has named the server and said yes.
    Any,
    /// The public, and what is in the same zone as the server that the user named.
    PublicOr(Zone),
}

impl From<Reach> for Admitted {
    fn from(reach: Reach) -> Self {
        match reach {
            Reach::Public => Self::PublicOr(Zone::Public),
            Reach::Anywhere => Self::Any,
        }
    }
}

impl Admitted {
    fn holds(self, zone: Zone) -> bool {
        match self {
            Self::Any => true,
            Self::PublicOr(other) => zone == Zone::Public || zone == other,
        }
    }
}

/// The way of one request to its server: resolves the server's name and looks at the addresses.
#[derive(Debug, Clone)]
pub(super) struct Way {
    host: String,
    admitted: Admitted,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    refused: Option<Zone>,
    taken: Option<Zone>,
}

impl Way {
    /// Prepares the way to a URL; fails where the URL itself names an address that is not admitted.
    pub(super) fn to(url: &Url, admitted: Admitted) -> Result<Self, Zone> {
        let host = url.host_str().unwrap_or_default();
        let way = Self {
            host: host.to_owned(),
            admitted,
            seen: Arc::default(),
        };
        // No name is resolved where there is none.
        if let Ok(address) = host.trim_matches(['[', ']']).parse() {
            let zone = Zone::of(address);
            if !admitted.holds(zone) {
                return Err(zone);
            }
            way.lock().taken = Some(zone);
        }
        Ok(way)
    }

    /// Returns the zone for which the connection was refused.
    pub(super) fn refused(&self) -> Option<Zone> {
        self.lock().refused
    }

    /// Returns the zone connected to; behind a proxy nobody here knows it, and it counts as public.
    pub(super) fn taken(&self) -> Zone {
        self.lock().taken.unwrap_or(Zone::Public)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the addresses that are admitted.
    fn admit(&self, found: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
        let mut seen = self.lock();
        let mut kept = Vec::new();
        for address in found {
            let zone = Zone::of(address.ip());
            if self.admitted.holds(zone) {
                // The farthest from the public counts: any of them may be connected to.
                if seen.taken.is_none_or(|taken| taken == Zone::Public) {
                    seen.taken = Some(zone);
                }
                kept.push(address);
            } else {
                seen.refused = Some(zone);
            }
        }
        if kept.is_empty()
            && let Some(zone) = seen.refused
        {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                zone.words(),
            ));
        }
        Ok(kept)
    }
}

impl Resolve for Way {
    fn resolve(&self, name: Name) -> Resolving {
        let way = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // Any other name is that of a proxy, which the user's environment names.
            let kept = if name.as_str().eq_ignore_ascii_case(&way.host) {
                way.admit(found)?
            } else {
                found
            };
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(address: &str) -> Zone {
        Zone::of(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_in_its_zone_however_it_is_written() {
        for public in [
            "1.1.1.1",
            "172.32.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert_eq!(zone(public), Zone::Public, "{public}");
        }
        for private in [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "fd00::1",
            "fec0::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:a00:1::",
            "2001:0:1::1",
            "100::1",
        ] {
            assert_eq!(zone(private), Zone::Private, "{private}");
        }
        for near in [
            "169.254.169.254",
            "fe80::1",
            "febf::1",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
        ] {
            assert_eq!(zone(near), Zone::LinkLocal, "{near}");
        }
        for here in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert_eq!(zone(here), Zone::Loopback, "{here}");
        }
    }

    /// DNS rebinding: the name is a stranger's, the address is ours.
    #[tokio::test]
    async fn a_name_that_resolves_to_this_machine_is_refused() {
        let url = Url::parse("https://localhost/a").unwrap();
        let way = Way::to(&url, Reach::Public.into()).unwrap();
        assert!(way.resolve("localhost".parse().unwrap()).await.is_err());
        assert_eq!(way.refused(), Some(Zone::Loopback));
        let admitted = Way::to(&url, Reach::Anywhere.into()).unwrap();
        assert!(admitted.resolve("localhost".parse().unwrap()).await.is_ok());
        assert_eq!(admitted.taken(), Zone::Loopback);
        // A proxy of the user's own may be anywhere.
        let far = Url::parse("https://example.com/a").unwrap();
        let way = Way::to(&far, Reach::Public.into()).unwrap();
        assert!(way.resolve("localhost".parse().unwrap()).await.is_ok());
    }

    #[test]
    fn addresses_in_urls_are_looked_at_as_well() {
        let to = |url: &str, admitted| {
            Way::to(&Url::parse(url).unwrap(), admitted).map(|way| way.taken())
        };
        assert_eq!(
            to("https://[::ffff:127.0.0.1]/", Reach::Public.into()),
            Err(Zone::Loopback)
        );
        assert_eq!(
            to("https://0x7f.1/", Reach::Public.into()),
            Err(Zone::Loopback)
        );
        assert_eq!(
            to(
                "https://169.254.169.254/",
                Admitted::PublicOr(Zone::Private)
            ),
            Err(Zone::LinkLocal)
        );
        assert_eq!(
            to("https://10.0.0.1/", Admitted::PublicOr(Zone::Private)),
            Ok(Zone::Private)
        );
        assert_eq!(
            to("https://10.0.0.1/", Reach::Anywhere.into()),
            Ok(Zone::Private)
        );
    }

    /// One public address beside a private one does not open the way to the private one.
    #[test]
    fn of_several_addresses_only_those_that_are_admitted_are_kept() {
        let url = Url::parse("https://example.com/").unwrap();
        let way = Way::to(&url, Reach::Public.into()).unwrap();
        let found = ["127.0.0.1:0", "1.1.1.1:0", "[fe80::1]:0"];
        let kept = way.admit(found.iter().map(|one| one.parse().unwrap()).collect());
        assert_eq!(kept.unwrap(), ["1.1.1.1:0".parse().unwrap()]);
    }
}

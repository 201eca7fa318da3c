//! Zones of IP addresses: public, private, link-local or loopback.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The zone of an IP address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddressZone {
    Public,
    /// A private network.
    Private,
    /// The local link, where clouds serve the secrets of their machines.
    LinkLocal,
    /// This machine.
    Loopback,
}

impl AddressZone {
    /// Returns the zone of an address, including IPv4 addresses inside IPv6 addresses.
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
            // Carrier-grade NAT.
            | [100, 64..=127, ..]
            // Protocol assignments, documentation and benchmarks.
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
            // Contains an IPv4 address: compatible, mapped or translated (NAT64).
            [0, 0, 0, 0, 0, 0 | 0xffff, ..]
            | [0, 0, 0, 0, 0xffff, 0, ..]
            | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Self::of_v4(low),
            [0x64, 0xff9b, 1, ..] => Self::Private,
            // Contains an IPv4 address: 6to4.
            [0x2002, ..] => {
                let [.., third, _, _, _, _, _] = address.segments();
                Self::of_v4(Ipv4Addr::from((u32::from(second) << 16) | u32::from(third)))
            }
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            // Unique local, site-local, multicast, Teredo and documentation.
            [0xfc00..=0xfdff | 0xfec0..=0xfeff | 0xff00..=0xffff, ..] | [0x2001, 0 | 0xdb8, ..] => {
                Self::Private
            }
            _ if first & 0xe000 == 0x2000 => Self::Public,
            _ => Self::Private,
        }
    }

    /// Returns a description for messages.
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Private => "an address of a private network",
            Self::LinkLocal => "a link-local address",
            Self::Loopback => "this machine",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(address: &str) -> AddressZone {
        AddressZone::of(address.parse().unwrap())
    }

    #[test]
    fn every_notation_of_an_address_has_the_same_zone() {
        for public in [
            "1.1.1.1",
            "172.32.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert_eq!(zone(public), AddressZone::Public, "{public}");
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
            assert_eq!(zone(private), AddressZone::Private, "{private}");
        }
        for link_local in [
            "169.254.169.254",
            "fe80::1",
            "febf::1",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
        ] {
            assert_eq!(zone(link_local), AddressZone::LinkLocal, "{link_local}");
        }
        for loopback in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert_eq!(zone(loopback), AddressZone::Loopback, "{loopback}");
        }
    }
}

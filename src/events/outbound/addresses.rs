//! Which addresses this server never calls for a merchant.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// How far a merchant's endpoint may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On the public internet.
    Public,
    /// On this machine or in its private network as well; for trying things out.
    Nearby,
}

/// What a private network is made of: the only refused addresses that [`Reach::Nearby`] opens.
const PRIVATE_V4: [Ipv4Net; 4] = [
    v4([10, 0, 0, 0], 8),
    v4([127, 0, 0, 0], 8),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
];

/// Never called, however near one may look: who answers there is not the merchant.
const REFUSED_V4: [Ipv4Net; 14] = [
    v4([0, 0, 0, 0], 8),        // "this network": Linux takes it for loopback
    v4([100, 64, 0, 0], 10),    // shared by carriers; one cloud's metadata lies here
    v4([168, 63, 129, 16], 32), // another cloud's wire server, outside every reserved range
    v4([169, 254, 0, 0], 16),   // link-local, with most clouds' metadata
    v4([192, 0, 0, 0], 24),     // protocol assignments, with a third cloud's metadata
    v4([192, 0, 2, 0], 24),     // documentation
    v4([192, 31, 196, 0], 24),  // AS112
    v4([192, 52, 193, 0], 24),  // AMT
    v4([192, 88, 99, 0], 24),   // 6to4 relays
    v4([192, 175, 48, 0], 24),  // AS112
    v4([198, 18, 0, 0], 15),    // benchmarks
    v4([198, 51, 100, 0], 24),  // documentation
    v4([203, 0, 113, 0], 24),   // documentation
    v4([224, 0, 0, 0], 3),      // multicast, class E, broadcast
];

/// Global unicast: whatever lies outside is refused, so that mapped (`::ffff:0:0/96`), compatible,
/// translated (`64:ff9b::/96`, `64:ff9b:1::/48`), discard, segment-routing, unique-local, link-local, site-local
/// and multicast addresses need no line of their own.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// Inside global unicast, and no merchant's server.
const REFUSED_V6: [Ipv6Net; 6] = [
    v6([0x2001, 0, 0], 23), // protocol assignments: Teredo, ORCHID, benchmarks
    v6([0x2001, 0x0db8, 0], 32), // documentation
    v6([0x2002, 0, 0], 16), // 6to4: any IPv4 address in disguise
    v6([0x2620, 0x4f, 0x8000], 48), // AS112
    v6([0x3ffe, 0, 0], 16), // given back
    v6([0x3fff, 0, 0], 20), // documentation
];

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6([a, b, c]: [u16; 3], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

impl Reach {
    /// Whether a connection to this address may be made.
    pub fn allows(self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.allows_v4(address),
            IpAddr::V6(address) => self.allows_v6(address),
        }
    }

    fn allows_v4(self, address: Ipv4Addr) -> bool {
        if PRIVATE_V4.iter().any(|net| net.contains(&address)) {
            return self == Self::Nearby;
        }
        !REFUSED_V4.iter().any(|net| net.contains(&address))
    }

    fn allows_v6(self, address: Ipv6Addr) -> bool {
        if address.is_loopback() || address.is_unique_local() {
            // One cloud has its metadata at a unique-local address.
            let metadata = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);
            return self == Self::Nearby && address != metadata;
        }
        GLOBAL_V6.contains(&address) && !REFUSED_V6.iter().any(|net| net.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearby_opens_private_networks_and_nothing_else() {
        for private in ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "::1", "fd12::1"] {
            let address = private.parse().unwrap();
            assert!(Reach::Nearby.allows(address) && !Reach::Public.allows(address), "{private}");
        }
        for never in ["0.0.0.0", "169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fe80::1"] {
            let address = never.parse().unwrap();
            assert!(!Reach::Nearby.allows(address), "{never}");
        }
    }
}

//! Where a request really comes from.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;

/// The other end of the connection, put into each request by the server.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Who is counted as one: an IPv4 address, or the /64 network of an IPv6 address. A host owns 2^64
/// addresses there, so whoever counted single ones would let it begin anew at will.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Host(IpAddr);

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

impl Host {
    /// The host behind an address, or `None` for a listed proxy: what many callers send through it
    /// must not be counted as one caller's.
    pub fn unless_proxy(address: IpAddr, proxies: &[IpNet]) -> Option<Self> {
        let address = address.to_canonical();
        (!proxies.iter().any(|proxy| proxy.contains(&address))).then(|| Self::from(address))
    }
}

/// The address to compare; to count, take its [`Host`].
///
/// `X-Forwarded-For` is believed only as far as listed proxies wrote it, read from the right: a
/// caller who invents entries on the left must not escape its limits by that.
pub fn client(extensions: &Extensions, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let peer = extensions.get::<Peer>().map(|Peer(address)| address.ip().to_canonical());
    let mut address = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    let trusted = |address: IpAddr| proxies.iter().any(|proxy| proxy.contains(&address));
    let hops = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|hop| hop.trim().parse::<IpAddr>())
        .collect::<Vec<_>>();
    for hop in hops.into_iter().rev() {
        match hop {
            Ok(hop) if trusted(address) => address = hop.to_canonical(),
            _ => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &str) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(Peer(SocketAddr::new(peer.parse().unwrap(), 1)));
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        client(&extensions, &headers, &proxies).to_string()
    }

    #[test]
    fn what_is_counted_is_an_address_or_a_network() {
        let host = |text: &str| Host::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(host("203.0.113.9").to_string(), "203.0.113.9");
        assert_eq!(host("::ffff:203.0.113.9"), host("203.0.113.9"));
        assert_eq!(host("2001:db8:1:2:3:4:5:6").to_string(), "2001:db8:1:2::/64");
        assert_eq!(host("2001:db8:1:2::"), host("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(host("2001:db8:1:3::"), host("2001:db8:1:2::"));
        assert_ne!(host("203.0.113.9"), host("203.0.113.8"));
    }

    #[test]
    fn a_listed_proxy_has_no_host_of_its_own() {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let host = |text: &str| Host::unless_proxy(text.parse().unwrap(), &proxies);
        assert!(host("10.1.2.3").is_none() && host("::ffff:10.1.2.3").is_none());
        assert!(host("11.1.2.3").is_some());
    }

    #[test]
    fn only_listed_proxies_are_believed() {
        assert_eq!(seen("203.0.113.9", "1.1.1.1"), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", "1.1.1.1"), "1.1.1.1");
        assert_eq!(seen("10.0.0.1", "6.6.6.6, 1.1.1.1"), "1.1.1.1");
        assert_eq!(seen("10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2"), "1.1.1.1");
        assert_eq!(seen("10.0.0.1", "nonsense"), "10.0.0.1");
        assert_eq!(seen("::ffff:10.0.0.1", "1.1.1.1"), "1.1.1.1");
    }
}

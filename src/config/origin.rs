//! A web origin, checked once, so that everything that compares addresses compares the same spelling.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::values::{Parsed, Raw, text};

/// `scheme://host[:port]` in one canonical spelling: lower case, no default port, no path.
///
/// Proofs of possession are compared with it, so two spellings of one origin must be one value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebOrigin {
    text: String,
    https: bool,
    host: String,
}

impl WebOrigin {
    /// Reads `http://host[:port]` or `https://host[:port]`; `None` for anything with a path, a query, a
    /// user or characters that a lenient parser would repair. A repaired origin would be one that the
    /// callers never see in their own requests.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://")?;
        let https = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority: http::uri::Authority = authority.parse().ok()?;
        let host = canonical_host(authority.host())?;
        let port = match authority.as_str().strip_prefix(authority.host())? {
            "" => None,
            _ => Some(authority.port_u16().filter(|port| *port != 0)?),
        };
        let default_port = if https { 443 } else { 80 };
        let port = port.filter(|port| *port != default_port);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Some(Self { text: format!("{scheme}://{host}{port}"), https, host })
    }

    /// Where a caller on this machine finds a listener.
    pub(super) fn of_listener(listen: SocketAddr) -> Self {
        let ip =
            if listen.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { listen.ip() };
        let host = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
        let port = if listen.port() == 80 { String::new() } else { format!(":{}", listen.port()) };
        Self { text: format!("http://{host}{port}"), https: false, host }
    }

    /// The canonical spelling, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether requests to it travel encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(IpAddr::V6(ip)) => {
                ip.is_loopback()
                    || ip.is_unspecified()
                    || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
            }
            Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_unspecified(),
            Err(_) => bare == "localhost" || bare.ends_with(".localhost"),
        }
    }
}

impl std::fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

fn canonical_host(host: &str) -> Option<String> {
    if let Some(inner) = host.strip_prefix('[') {
        let ip: std::net::Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{ip}]"));
    }
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'.';
    let labels = host.split('.').all(|label| !label.is_empty());
    (!host.is_empty() && labels && host.bytes().all(plain)).then(|| host.to_owned())
}

pub(super) fn origin(raw: &Raw) -> Parsed<WebOrigin> {
    let wanted =
        "an origin without a path, such as \"https://pay.example\" or \"http://127.0.0.1:8080\"";
    text(raw).ok().and_then(|text| WebOrigin::parse(&text)).ok_or_else(|| wanted.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_origin_has_one_spelling() {
        for (given, canonical) in [
            ("https://Pay.Example", "https://pay.example"),
            ("https://pay.example/", "https://pay.example"),
            ("https://pay.example:443", "https://pay.example"),
            ("http://pay.example:80", "http://pay.example"),
            ("https://pay.example:8443", "https://pay.example:8443"),
            ("https://[2001:DB8:0::1]:443", "https://[2001:db8::1]"),
        ] {
            assert_eq!(WebOrigin::parse(given).unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for bad in [
            "pay.example",
            "ftp://pay.example",
            "https://",
            "https:///",
            "https://pay.example/v1",
            "https://pay.example?x=1",
            "https://pay.example#x",
            "https://user@pay.example",
            "https://user:secret@pay.example",
            "https://pay.example:",
            "https://pay.example:0",
            "https://pay.example:99999",
            "https://pay..example",
            "https://pay.example.",
            "https://pay exa.mple",
            "https://pay\\example",
            "https://b\u{fc}cher.example",
            "https://[::1",
        ] {
            assert_eq!(WebOrigin::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_listener_on_every_address_is_found_on_loopback() {
        let of = |listen: &str| WebOrigin::of_listener(listen.parse().unwrap());
        assert_eq!(of("0.0.0.0:9000").as_str(), "http://127.0.0.1:9000");
        assert_eq!(of("[::1]:9000").as_str(), "http://[::1]:9000");
        assert_eq!(Some(of("127.0.0.1:80")), WebOrigin::parse("http://127.0.0.1:80"));
    }

    #[test]
    fn loopback_is_seen_in_all_its_names() {
        for local in [
            "http://localhost:8080",
            "http://a.localhost",
            "http://127.9.9.9",
            "http://[::1]:8080",
            "http://[::ffff:127.0.0.1]",
            "http://0.0.0.0:8080",
        ] {
            assert!(WebOrigin::parse(local).unwrap().is_loopback(), "{local}");
        }
        assert!(!WebOrigin::parse("https://localhost.example").unwrap().is_loopback());
    }
}

//! Where a merchant may have its events sent.

use std::{fmt, net::IpAddr};

use reqwest::Url;

use super::Reach;

/// The longest address that is kept.
const LONGEST: usize = 2_048;
/// Names that mean this machine, its network or its cloud to some resolver.
const REFUSED_NAMES: [&str; 9] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "lan",
    "home.arpa",
    "in-addr.arpa",
    "ip6.arpa",
];

/// What an address must be like.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How far it may lie.
    pub reach: Reach,
    /// The ports it may name: others belong to services that take commands in plain text.
    pub ports: Vec<u16>,
}

/// A checked address, as it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Url);

impl Target {
    /// Reads an address, or says what it must be.
    pub fn parse(text: &str, rules: &Rules) -> Result<Self, &'static str> {
        // URL parsers drop line breaks and read `\` as `/`: what is checked must be what was meant.
        if text.bytes().any(|b| b.is_ascii_control() || b == b' ' || b == b'\\') {
            return Err("must be an address without spaces, control characters or backslashes");
        }
        if text.len() > LONGEST {
            return Err("must have at most 2048 characters");
        }
        let url = Url::parse(text)
            .map_err(|_| "must be an address such as https://example.com/webhooks")?;
        match url.scheme() {
            "https" => {}
            "http" if rules.reach == Reach::Nearby => {}
            _ => return Err("must begin with https://"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must hold no user name or password; deliveries are signed instead");
        }
        if url.fragment().is_some() {
            return Err("must have no part after #");
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if rules.reach == Reach::Public && !rules.ports.contains(&port) {
            return Err("must use a port that this server calls, such as 443");
        }
        let target = Self(url);
        target.check_host(rules.reach)?;
        Ok(target)
    }

    /// Checks the host as far as it can be without asking anybody: an address, or a name that
    /// never leads outside.
    fn check_host(&self, reach: Reach) -> Result<(), &'static str> {
        const INSIDE: &str = "must lead to a public address";
        if let Some(address) = self.literal() {
            return if reach.allows(address) { Ok(()) } else { Err(INSIDE) };
        }
        let host = self.0.host_str().unwrap_or_default().trim_end_matches('.');
        if host.is_empty() {
            return Err("must name a host");
        }
        let ends_in = |name: &str| {
            host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let inside = !host.contains('.') || REFUSED_NAMES.iter().any(|name| ends_in(name));
        if inside && reach == Reach::Public { Err(INSIDE) } else { Ok(()) }
    }

    /// The address, where the host is one and not a name: no resolver is asked about it.
    pub fn literal(&self) -> Option<IpAddr> {
        let host = self.0.host_str()?;
        host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// The host.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The whole address.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

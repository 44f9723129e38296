//! The `htu` of a proof, compared after RFC 3986 normalisation with what we know about ourselves.
//!
//! The other side of the comparison is a configured public base plus the path as it arrived. `Host`
//! and forwarded headers are never read: whoever writes them could otherwise make a proof for one
//! server count at another.
//!
//! The parsers of browsers repair what they read (tabs, backslashes, missing slashes). A repaired
//! address is one that two parties read differently, so here it is refused.

use std::{borrow::Cow, fmt, net::Ipv6Addr};

/// Why an `htu` is refused before it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HtuFault {
    /// Not an absolute `http` or `https` URL in the letters of RFC 3986. Names in other scripts are
    /// written in punycode there; we do not translate, since that needs tables which change.
    #[error("is not an absolute http or https URL")]
    NotAUrl,
    /// Carries a user name.
    #[error("carries a user name")]
    UserInfo,
}

/// One public base of this server: origin and, behind a proxy that strips one, a path prefix.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicBase(String);

impl PublicBase {
    /// Reads a configured base. A query or fragment means that somebody misunderstood it.
    pub fn parse(url: &str) -> Result<Self, HtuFault> {
        if url.contains(['?', '#']) {
            return Err(HtuFault::NotAUrl);
        }
        let mut base = canonical(url)?;
        base.truncate(base.trim_end_matches('/').len());
        Ok(Self(base))
    }

    /// The canonical spelling, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the `htu` of one request must be equal to; made once per request.
#[derive(Debug, Clone)]
pub struct ExpectedHtu<'a> {
    bases: &'a [PublicBase],
    path: Cow<'a, str>,
}

impl<'a> ExpectedHtu<'a> {
    /// From the configured bases and the path of the request as it arrived, before any router
    /// stripped a prefix from it; a query that is still there is cut off.
    pub fn new(bases: &'a [PublicBase], raw_path: &'a str) -> Result<Self, HtuFault> {
        let raw_path = raw_path.split(['?', '#']).next().unwrap_or_default();
        if !raw_path.is_empty() && !raw_path.starts_with('/') {
            return Err(HtuFault::NotAUrl);
        }
        Ok(Self { bases, path: canonical_path(raw_path)? })
    }

    /// Whether the proof was made for this request.
    pub fn matches(&self, htu: &str) -> Result<bool, HtuFault> {
        // Honest clients send the canonical spelling: then nothing needs to be built.
        if self.is(htu) {
            return Ok(true);
        }
        Ok(self.is(&canonical(htu)?))
    }

    fn is(&self, canonical: &str) -> bool {
        let path = self.path.as_ref();
        self.bases
            .iter()
            .any(|PublicBase(base)| canonical.strip_prefix(base.as_str()) == Some(path))
    }
}

impl fmt::Display for ExpectedHtu<'_> {
    /// The first spelling, for error messages: canonical, so it has no quotation marks in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = self.bases.first().map_or("", PublicBase::as_str);
        write!(f, "{base}{}", self.path)
    }
}

/// The canonical spelling of an absolute URL, without query and fragment (RFC 9449 §4.3).
fn canonical(url: &str) -> Result<String, HtuFault> {
    if !url.bytes().all(is_uri_letter) {
        return Err(HtuFault::NotAUrl);
    }
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").ok_or(HtuFault::NotAUrl)?;
    let (scheme, default_port) = match scheme {
        _ if scheme.eq_ignore_ascii_case("https") => ("https", "443"),
        _ if scheme.eq_ignore_ascii_case("http") => ("http", "80"),
        _ => return Err(HtuFault::NotAUrl),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(HtuFault::UserInfo);
    }
    let (host, port) = split_port(authority)?;
    let host = canonical_host(host)?;
    let path = canonical_path(path)?;
    let mut url = String::with_capacity(scheme.len() + host.len() + path.len() + 9);
    url.extend([scheme, "://", &host]);
    if !port.is_empty() && port != default_port {
        url.extend([":", port]);
    }
    url.push_str(&path);
    Ok(url)
}

fn split_port(authority: &str) -> Result<(&str, &str), HtuFault> {
    let end_of_ip = authority.rfind(']').unwrap_or(0);
    let colon = authority.rfind(':').filter(|colon| *colon > end_of_ip);
    let (host, port) = match colon {
        Some(colon) => (authority.get(..colon), authority.get(colon + 1..)),
        None => (Some(authority), Some("")),
    };
    let (host, port) = host.zip(port).ok_or(HtuFault::NotAUrl)?;
    // A port with leading zeros is a second spelling that no client writes.
    let spelled = port.is_empty()
        || (!port.starts_with('0') && port.parse::<u16>().is_ok() && !port.starts_with('+'));
    if spelled { Ok((host, port)) } else { Err(HtuFault::NotAUrl) }
}

fn canonical_host(host: &str) -> Result<Cow<'_, str>, HtuFault> {
    if let Some(inner) = host.strip_prefix('[') {
        let ip = inner.strip_suffix(']').and_then(|ip| ip.parse::<Ipv6Addr>().ok());
        return ip.map(|ip| format!("[{ip}]").into()).ok_or(HtuFault::NotAUrl);
    }
    let host = canonical_triplets(host)?;
    let host = if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        host
    };
    // An empty label also covers the empty host and the dot at the end, which names the same machine
    // for DNS and another one for certificates.
    let named = host.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    if named { Ok(host) } else { Err(HtuFault::NotAUrl) }
}

/// Triplets of unreserved letters decoded, the others in capitals, dot segments gone, never empty.
fn canonical_path(path: &str) -> Result<Cow<'_, str>, HtuFault> {
    if path.is_empty() {
        return Ok(Cow::Borrowed("/"));
    }
    let is_path_letter = |byte| is_uri_letter(byte) && !matches!(byte, b'[' | b']' | b'?' | b'#');
    if !path.bytes().all(is_path_letter) {
        return Err(HtuFault::NotAUrl);
    }
    let path = canonical_triplets(path)?;
    if path.contains("/.") { Ok(without_dot_segments(&path).into()) } else { Ok(path) }
}

/// RFC 3986 §6.2.2.1 and §6.2.2.2.
fn canonical_triplets(text: &str) -> Result<Cow<'_, str>, HtuFault> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut pieces = text.split('%');
    let mut canonical = String::with_capacity(text.len());
    canonical.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).ok_or(HtuFault::NotAUrl)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(HtuFault::NotAUrl);
        }
        match u8::from_str_radix(digits, 16) {
            Ok(byte) if is_unreserved(byte) => canonical.push(char::from(byte)),
            _ => canonical.extend(["%", &digits.to_ascii_uppercase()]),
        }
        canonical.push_str(rest);
    }
    Ok(canonical.into())
}

/// RFC 3986 §5.2.4 for a path that begins with a slash.
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut open = false;
    for segment in path.split('/').skip(1) {
        open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let mut path: String = kept.iter().flat_map(|segment| ["/", segment]).collect();
    // A dot segment at the end leaves its slash behind.
    if open || path.is_empty() {
        path.push('/');
    }
    path
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn is_uri_letter(byte: u8) -> bool {
    is_unreserved(byte) || b":/?#[]@!$&'()*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(bases: &[&str], path: &str, htu: &str) -> Result<bool, HtuFault> {
        let bases: Vec<_> = bases.iter().map(|base| PublicBase::parse(base).unwrap()).collect();
        ExpectedHtu::new(&bases, path).unwrap().matches(htu)
    }

    #[test]
    fn spellings_of_one_url() {
        let base = "https://api.example";
        for (path, htu) in [
            ("/oauth/token", "https://api.example/oauth/token"),
            // P40
            ("/oauth/token", "https://api.example/oauth/token?a=b"),
            ("/oauth/token", "https://api.example/oauth/token#x"),
            ("/oauth/token", "https://api.example/oauth/token?a=b#x"),
            ("/oauth/token", "https://api.example/oauth/token?"),
            ("/oauth/token", "https://api.example/oauth/token#"),
            ("/oauth/token", "https://api.example/oauth/token?x=://y/../z"),
            // P41
            ("/oauth/token", "HTTPS://API.Example/oauth/token"),
            ("/oauth/token", "https://api.example:443/oauth/token"),
            ("/oauth/token", "https://api.example:/oauth/token"),
            // P42
            ("/oauth/token", "https://api.example/oauth/%74oken"),
            ("/oauth/%74oken", "https://api.example/oauth/token"),
            ("/~a", "https://api.example/%7Ea"),
            ("/%7ea", "https://api.example/~a"),
            ("/oauth/token", "https://%61pi.example/oauth/token"),
            // P43
            ("/pay/a%2fb", "https://api.example/pay/a%2Fb"),
            ("/pay/%c3%a4", "https://api.example/pay/%C3%A4"),
            // P45
            ("/oauth/token", "https://api.example/oauth/x/../token"),
            ("/oauth/token", "https://api.example/./oauth/./token"),
            ("/oauth/token", "https://api.example/../../oauth/token"),
            ("/oauth/token", "https://api.example/oauth/x/%2e%2E/token"),
            ("/a/", "https://api.example/a/b/.."),
            ("/a/", "https://api.example/a/."),
            ("/a//b", "https://api.example/a//b"),
            // P47
            ("", "https://api.example/"),
            ("/", "https://api.example"),
            ("/", "https://api.example?x"),
            // R31: the query of the request is not part of it either.
            ("/v1/payouts?limit=1", "https://api.example/v1/payouts"),
        ] {
            assert_eq!(verdict(&[base], path, htu), Ok(true), "{path} {htu}");
        }
    }

    #[test]
    fn other_urls() {
        let base = "https://api.example";
        for (path, htu) in [
            // P38
            ("/oauth/token", "https://other.example/oauth/token"),
            ("/oauth/token", "https://api.example:8443/oauth/token"),
            ("/oauth/token", "https://api.example:80/oauth/token"),
            ("/oauth/token", "https://api.example/oauth/tokens"),
            ("/oauth/token", "http://api.example/oauth/token"),
            ("/oauth/token", "https://api.example.evil/oauth/token"),
            ("/oauth/token", "https://api.example"),
            // P44
            ("/pay/a/b", "https://api.example/pay/a%2Fb"),
            ("/pay/a%2Fb", "https://api.example/pay/a/b"),
            ("/token", "https://api.example/%2e%2e%2ftoken"),
            // P46
            ("/oauth/token", "https://api.example/oauth/token/"),
            ("/oauth/token", "https://api.example//oauth/token"),
            ("/oauth/token", "https://api.example/oauth/TOKEN"),
            ("/oauth/token", "https://api.example/oauth/token;x=1"),
            ("/oauth/token", "https://api.example/oauth/token%20"),
            ("/oauth/token", "https://api.example/oauth/token%3Fx"),
            ("/a", "https://api.example/a/."),
        ] {
            assert_eq!(verdict(&[base], path, htu), Ok(false), "{path} {htu}");
        }
    }

    #[test]
    fn what_a_lenient_parser_would_repair() {
        for htu in [
            // P37
            "",
            "not a url",
            "/oauth/token",
            "oauth/token",
            "//api.example/oauth/token",
            "?",
            // P48
            "https:\\\\api.example\\oauth\\token",
            "https://api.example\\oauth/token",
            "https://api.example/oauth/\ttoken",
            "https://api.example/oauth/token\n",
            " https://api.example/oauth/token",
            "https://api.example/oauth/token ",
            "https://api.example/oauth/tok\u{e9}n",
            "https://\u{e4}pi.example/oauth/token",
            "https:/api.example/oauth/token",
            "https:api.example/oauth/token",
            "https:///oauth/token",
            "https://api.example/%",
            "https://api.example/%7",
            "https://api.example/%zz",
            "https://api.example/%+1",
            "https://api.example/\"",
            "https://api.example/[x]",
            "ftp://api.example/oauth/token",
            "wss://api.example/oauth/token",
            "javascript://api.example/oauth/token",
            // P49
            "https://api.example./oauth/token",
            "https://.api.example/oauth/token",
            "https://api..example/oauth/token",
            "https://[::1/oauth/token",
            "https://[::1%25eth0]/oauth/token",
            "https://[::g]/oauth/token",
            "https://::1/oauth/token",
            "https://api.example:443:443/oauth/token",
            "https://api.example:0443/oauth/token",
            "https://api.example:+443/oauth/token",
            "https://api.example:65536/oauth/token",
            "https://api.example:x/oauth/token",
            "https://api%2Fexample/oauth/token",
        ] {
            let refused = verdict(&["https://api.example"], "/oauth/token", htu);
            assert_eq!(refused, Err(HtuFault::NotAUrl), "{htu:?}");
        }
        for htu in ["https://u@api.example/oauth/token", "https://api.example:443@evil.example/"] {
            let refused = verdict(&["https://api.example"], "/oauth/token", htu);
            assert_eq!(refused, Err(HtuFault::UserInfo), "{htu}");
        }
    }

    #[test]
    fn hosts_that_are_numbers_or_punycode() {
        let v6 = &["http://[2001:DB8:0:0::1]:80"];
        for htu in ["http://[2001:db8::1]/t", "http://[2001:0db8:0000:0:0:0:0:0001]:80/t"] {
            assert_eq!(verdict(v6, "/t", htu), Ok(true), "{htu}");
        }
        assert_eq!(verdict(v6, "/t", "http://[2001:db8::2]/t"), Ok(false));
        let idn = &["https://XN--bcher-kva.example"];
        assert_eq!(verdict(idn, "/t", "https://xn--BCHER-kva.example/t"), Ok(true));
        assert_eq!(verdict(idn, "/t", "https://b\u{fc}cher.example/t"), Err(HtuFault::NotAUrl));
        // Not the same text as 127.0.0.1, whatever a resolver makes of it.
        assert_eq!(verdict(&["http://127.0.0.1:8080"], "/t", "http://127.1:8080/t"), Ok(false));
    }

    #[test]
    fn several_bases_and_prefixes() {
        let bases = &["https://api.example/pay/", "http://127.0.0.1:8080"];
        assert_eq!(verdict(bases, "/v1/x", "https://api.example/pay/v1/x"), Ok(true));
        assert_eq!(verdict(bases, "/v1/x", "http://127.0.0.1:8080/v1/x"), Ok(true));
        assert_eq!(verdict(bases, "/v1/x", "https://api.example/v1/x"), Ok(false));
        // The path of the request cannot climb out of the prefix.
        assert_eq!(verdict(bases, "/../v1/x", "https://api.example/v1/x"), Ok(false));
        assert_eq!(verdict(&["https://api.example/pay"], "", "https://api.example/pay/"), Ok(true));
        assert_eq!(verdict(&[], "/v1/x", "/v1/x"), Err(HtuFault::NotAUrl));
    }

    #[test]
    fn bases_and_paths_that_are_none() {
        for bad in
            ["https://a.example?x", "https://a.example#x", "a.example", "https://u@a.example"]
        {
            assert!(PublicBase::parse(bad).is_err(), "{bad}");
        }
        // P51, and an absolute request target that nobody cut to its path.
        for bad in ["*", "real?x=", "http://evil.example/v1", "/a\"b", "/a b", "/%4"] {
            let (bases, path) = ([PublicBase::parse("https://a.example").unwrap()], bad);
            assert!(ExpectedHtu::new(&bases, path).is_err(), "{bad}");
        }
    }

    #[test]
    fn canonical_spellings_stay_as_they_are() {
        for url in ["https://a.example/x%2Fy/~z", "http://[::1]:8080/", "https://a.example/a//b/"] {
            let once = canonical(url).unwrap();
            assert_eq!(once, url);
            assert_eq!(canonical(&once).unwrap(), once);
        }
    }
}

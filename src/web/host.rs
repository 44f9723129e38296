//! The `Host` of a request: never believed, and still refused when it is none.

use axum::{
    extract::Request,
    http::{HeaderMap, Version, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::base::failure::{Code, Failure};

/// RFC 9112 §3.2: a missing, doubled or malformed `Host` is answered with 400. Nothing here decides by
/// it, but a proxy in front may, and a request that two readers send to two places goes to neither.
pub async fn required(request: Request, next: Next) -> Response {
    if is_sound(request.version(), request.headers()) {
        return next.run(request).await;
    }
    Failure::because(Code::InvalidRequest, "send one Host header with a host and no more")
        .into_response()
}

fn is_sound(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        // HTTP/1.0 has none, HTTP/2 says it in the target.
        (None, None) => version != Version::HTTP_11,
        (Some(host), None) => host.to_str().is_ok_and(|host| {
            !host.contains('@')
                && host.parse::<Authority>().is_ok_and(|host| !host.host().is_empty())
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn sound(version: Version, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, HeaderValue::from_str(host).unwrap());
        }
        is_sound(version, &headers)
    }

    #[test]
    fn one_host_and_nothing_beside_it() {
        for good in ["api.example", "api.example:8443", "127.0.0.1:80", "[::1]:80", "LOCALHOST"] {
            assert!(sound(Version::HTTP_11, &[good]), "{good}");
        }
        for bad in ["", "a?b=", "a#", "a/b", "u@a", "a b", "http://a", "a:b:c", ":80", "a,b c"] {
            assert!(!sound(Version::HTTP_11, &[bad]), "{bad}");
        }
        assert!(!sound(Version::HTTP_11, &[]) && !sound(Version::HTTP_11, &["a", "a"]));
        assert!(sound(Version::HTTP_2, &[]) && sound(Version::HTTP_10, &[]));
    }
}

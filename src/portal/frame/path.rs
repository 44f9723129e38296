//! Where to go after the sign-in.

/// The path, if it is one of ours. Stops open redirects: a link to our sign-in page must not end on
/// somebody else's that looks like it.
pub(in crate::portal) fn local(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/portal")?;
    let ours = rest.is_empty() || rest.starts_with('/') || rest.starts_with('?');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~?=&%+".contains(&b);
    // Two dots could climb out; a sign-in page as the goal would be a circle.
    let safe = path.bytes().all(plain) && !path.contains("..") && !path.contains("//");
    (ours && safe && !rest.starts_with("/sign-") && path.len() <= 300).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_follow_a_sign_in() {
        for good in ["/portal", "/portal?a=b", "/portal/credentials/ant_oc_x", "/portal/team?x=1"] {
            assert_eq!(local(good), Some(good));
        }
        for bad in [
            "",
            "/",
            "https://evil.example",
            "//evil.example",
            "/portal.evil.example",
            "/portal//evil.example",
            "/portal/../v1",
            "/portal/\\evil",
            "/portal@evil.example",
            "/portal:evil",
            "/portal\r\nx",
            "/portal/sign-in",
            "javascript:alert(1)",
        ] {
            assert_eq!(local(bad), None, "{bad}");
        }
    }
}

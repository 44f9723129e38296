//! The compact serialisation of a JWS: three parts, two dots, one spelling.

use super::{
    alg::Alg,
    base64url,
    json::{Json, JsonFault, Object},
};

/// One JWS, split and not yet believed.
#[derive(Clone, Copy)]
pub struct Compact<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    signing_input: &'a str,
}

/// Which of the three parts a fault is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The JOSE header.
    Header,
    /// The claims.
    Payload,
}

/// Why a text is no JWS that we read. It never quotes the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompactFault {
    /// Longer than allowed; refused before anything else is done with it.
    TooLong,
    /// Not three parts, or bytes outside the alphabet.
    NotCompact,
    /// A part is not canonical base64url.
    Encoding(Part),
    /// A part is not an acceptable JSON object.
    Json(Part, JsonFault),
}

impl<'a> Compact<'a> {
    /// Splits at the dots. Costs one pass and no memory.
    pub fn split(bytes: &'a [u8], longest: usize) -> Result<Self, CompactFault> {
        if bytes.len() > longest {
            return Err(CompactFault::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| CompactFault::NotCompact)?;
        let (signing_input, signature) = text.rsplit_once('.').ok_or(CompactFault::NotCompact)?;
        let (header, payload) = signing_input.split_once('.').ok_or(CompactFault::NotCompact)?;
        if payload.contains('.') {
            return Err(CompactFault::NotCompact);
        }
        Ok(Self { header, payload, signature, signing_input })
    }

    /// The bytes under the signature: what arrived, never what we would have written.
    pub fn signing_input(&self) -> &'a [u8] {
        self.signing_input.as_bytes()
    }

    /// The decoded header, to be read with [`Object::parse`].
    pub fn header(&self) -> Result<Vec<u8>, CompactFault> {
        base64url::decode(self.header).ok_or(CompactFault::Encoding(Part::Header))
    }

    /// The decoded payload.
    pub fn payload(&self) -> Result<Vec<u8>, CompactFault> {
        base64url::decode(self.payload).ok_or(CompactFault::Encoding(Part::Payload))
    }

    /// The signature, if it has the one length that our algorithms make. `DER` never has it.
    pub fn signature(&self) -> Option<[u8; 64]> {
        base64url::decode_exact(self.signature)
    }
}

/// Reads a decoded part.
pub fn object(bytes: &[u8], part: Part) -> Result<Object<'_>, CompactFault> {
    Object::parse(bytes).map_err(|fault| CompactFault::Json(part, fault))
}

/// Why a JOSE header does not fit, whatever the JWS is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// `typ` is missing or names another kind of JWT: one kind must never pass for another.
    Typ,
    /// `alg` is missing or not on our list.
    Alg,
    /// `crit` demands an extension; we implement none, so there is none that we may accept.
    Crit,
}

/// Checks what every header must have and returns the algorithm.
pub fn check_header(header: &Object<'_>, typ: &str) -> Result<Alg, HeaderFault> {
    check_typ(header, typ)?;
    check_alg(header)
}

/// Whether `typ` is this one.
pub fn check_typ(header: &Object<'_>, typ: &str) -> Result<(), HeaderFault> {
    match header.required_text("typ") {
        Some(given) if is_media_type(given, typ) => Ok(()),
        _ => Err(HeaderFault::Typ),
    }
}

/// The same for JWTs whose standard leaves `typ` open: absent, or one of these.
pub fn check_open_header(header: &Object<'_>, types: &[&str]) -> Result<Alg, HeaderFault> {
    match header.text("typ") {
        Ok(None) => check_alg(header),
        Ok(Some(given)) if types.iter().any(|typ| is_media_type(given, typ)) => check_alg(header),
        _ => Err(HeaderFault::Typ),
    }
}

fn check_alg(header: &Object<'_>) -> Result<Alg, HeaderFault> {
    let alg = read_alg(header)?;
    check_crit(header)?;
    Ok(alg)
}

/// The algorithm, if it is on our list.
pub fn read_alg(header: &Object<'_>) -> Result<Alg, HeaderFault> {
    header.required_text("alg").and_then(Alg::from_name).ok_or(HeaderFault::Alg)
}

/// Whether no extension is demanded.
pub fn check_crit(header: &Object<'_>) -> Result<(), HeaderFault> {
    if header.get("crit").is_some() { Err(HeaderFault::Crit) } else { Ok(()) }
}

/// RFC 7515 §4.1.9: media types compare without case, and `application/` may be left out.
fn is_media_type(given: &str, wanted: &str) -> bool {
    const PREFIX: &str = "application/";
    let short = match given.get(..PREFIX.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => {
            given.get(PREFIX.len()..).unwrap_or_default()
        }
        _ => given,
    };
    short.eq_ignore_ascii_case(wanted)
}

/// Whether a claim of type "string or array of strings" (`aud`) names one of `accepted`.
pub fn names_one_of(value: Option<&Json<'_>>, accepted: &[&str]) -> bool {
    match value {
        Some(Json::Text(text)) => accepted.contains(&text.as_ref()),
        // One element of another type makes it no audience at all, whatever stands beside it.
        Some(Json::Array(items)) => {
            items.iter().all(|item| matches!(item, Json::Text(_)))
                && items.iter().any(
                    |item| matches!(item, Json::Text(text) if accepted.contains(&text.as_ref())),
                )
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_three_parts() {
        for bad in ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "a.b.c,d.e.f"] {
            assert!(
                matches!(Compact::split(bad.as_bytes(), 99), Err(CompactFault::NotCompact)),
                "{bad}"
            );
        }
        let jws = Compact::split(b"eyJ9.e30.AA", 99).unwrap();
        assert_eq!(jws.signing_input(), b"eyJ9.e30");
        assert_eq!(jws.payload().unwrap(), b"{}");
        assert_eq!(jws.signature(), None);
    }

    #[test]
    fn length_is_judged_first() {
        assert!(matches!(Compact::split(&[0xff; 12], 11), Err(CompactFault::TooLong)));
        assert!(matches!(Compact::split(&[0xff; 12], 12), Err(CompactFault::NotCompact)));
    }

    fn check(header: &str) -> Result<Alg, HeaderFault> {
        check_header(&Object::parse(header.as_bytes()).unwrap(), "dpop+jwt")
    }

    #[test]
    fn typ_is_a_media_type() {
        for good in ["dpop+jwt", "DPOP+JWT", "application/dpop+jwt", "Application/DPoP+jwt"] {
            assert_eq!(check(&format!(r#"{{"typ":"{good}","alg":"ES256"}}"#)), Ok(Alg::Es256));
        }
        for bad in [
            r#""JWT""#,
            r#""at+jwt""#,
            r#""dpop+jwtx""#,
            "1",
            "null",
            r#""text/dpop+jwt""#,
            r#""""#,
        ] {
            let header = format!(r#"{{"typ":{bad},"alg":"ES256"}}"#);
            assert_eq!(check(&header), Err(HeaderFault::Typ), "{bad}");
        }
        assert_eq!(check(r#"{"alg":"ES256"}"#), Err(HeaderFault::Typ));
    }

    #[test]
    fn alg_is_a_name_on_the_list() {
        for bad in [r#""none""#, r#""HS256""#, "null", "256", r#"["ES256"]"#] {
            let header = format!(r#"{{"typ":"dpop+jwt","alg":{bad}}}"#);
            assert_eq!(check(&header), Err(HeaderFault::Alg), "{bad}");
        }
        assert_eq!(check(r#"{"typ":"dpop+jwt"}"#), Err(HeaderFault::Alg));
    }

    #[test]
    fn any_critical_extension_is_one_too_many() {
        for crit in [r#"["exp"]"#, "[]", r#""b64""#, r#"["b64"],"b64":false"#, "null"] {
            let header = format!(r#"{{"typ":"dpop+jwt","alg":"EdDSA","crit":{crit}}}"#);
            assert_eq!(check(&header), Err(HeaderFault::Crit), "{crit}");
        }
    }

    #[test]
    fn an_audience_is_a_string_or_an_array_of_strings() {
        let ours = |text: &str| {
            let object = Object::parse(text.as_bytes()).unwrap();
            names_one_of(object.get("aud"), &["https://us"])
        };
        assert!(ours(r#"{"aud":"https://us"}"#));
        assert!(ours(r#"{"aud":["https://them","https://us"]}"#));
        for bad in [
            "{}",
            r#"{"aud":"https://us/"}"#,
            r#"{"aud":[]}"#,
            r#"{"aud":["https://them"]}"#,
            r#"{"aud":["https://us",1]}"#,
            r#"{"aud":{"https://us":1}}"#,
            r#"{"aud":null}"#,
        ] {
            assert!(!ours(bad), "{bad}");
        }
    }
}

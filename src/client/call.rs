//! One call: mint a token, sign a proof, send.

use std::{fmt::Write as _, net::IpAddr, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use reqwest::{Client, Response, Url, redirect::Policy};
use serde_json::Value;

use super::{About, Profile, Prover};
use crate::base::{
    clock::Clock,
    failure::{Code, Failure, Result},
    random::Random,
    secret::Secret,
};

const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_mins(1);
const TOKEN_PATH: &str = "/oauth/token";
const DPOP: HeaderName = HeaderName::from_static("dpop");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What to send.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path, with its query if there is one.
    pub path: String,
    /// Headers besides those that prove who calls.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// As spoken.
    pub version: Version,
    /// Whether it worked.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Calls as the owner of a profile.
#[derive(Debug)]
pub struct Caller {
    http: Client,
    prover: Prover,
    base_url: String,
    basic: Secret<String>,
    token_form: String,
    clock: Clock,
    random: Random,
}

impl Caller {
    /// Prepares; nothing is sent yet.
    pub fn new(profile: Profile, clock: Clock, random: Random) -> Result<Self> {
        let Profile { base_url, client_id, client_secret, key, scope } = profile;
        let http = Client::builder()
            // A redirect would carry the token to an address that the proof was not made for.
            .redirect(Policy::none())
            .connect_timeout(CONNECT_PATIENCE)
            .timeout(PATIENCE);
        if in_the_clear(&base_url) {
            tracing::warn!("base_url is not https: whoever is on the way can read the secret.");
        }
        // Without TLS no certificates are needed, and a small container may have none.
        let http = if base_url.starts_with("http:") { http.tls_certs_only([]) } else { http };
        let pair = format!("{}:{}", encode(&client_id), encode(client_secret.expose()));
        let basic =
            Secret::new(format!("Basic {}", BASE64_STANDARD.encode(Secret::new(pair).expose())));
        let scope = scope.map(|scope| format!("&scope={}", encode(&scope))).unwrap_or_default();
        Ok(Self {
            http: http.build().map_err(Failure::internal)?,
            prover: Prover::new(key),
            base_url,
            basic,
            token_form: format!("grant_type=client_credentials{scope}"),
            clock,
            random,
        })
    }

    /// Mints a token and makes the call with it.
    pub async fn call(&self, call: &Call) -> Result<Answer> {
        let url = self.url(&call.path)?;
        let token = self.mint().await?;
        self.exchange(call, &url, Some(&token)).await
    }

    async fn mint(&self) -> Result<Secret<String>> {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, form)]);
        headers.insert(header::AUTHORIZATION, secret_value(self.basic.expose())?);
        let call = Call {
            method: Method::POST,
            path: TOKEN_PATH.to_owned(),
            headers,
            body: self.token_form.clone().into(),
        };
        let answer = self.exchange(&call, &self.url(TOKEN_PATH)?, None).await?;
        token_in(&answer)
    }

    /// Sends, and once more if the server asks for a nonce: it has done nothing yet then.
    async fn exchange(
        &self,
        call: &Call,
        url: &Url,
        token: Option<&Secret<String>>,
    ) -> Result<Answer> {
        let answer = self.send(call, url, token, None).await?;
        match wanted_nonce(&answer) {
            Some(nonce) => self.send(call, url, token, Some(&nonce)).await,
            None => Ok(answer),
        }
    }

    async fn send(
        &self,
        call: &Call,
        url: &Url,
        token: Option<&Secret<String>>,
        nonce: Option<&str>,
    ) -> Result<Answer> {
        let mut headers = call.headers.clone();
        let token = token.map(Secret::expose);
        if let Some(token) = token {
            let value = Secret::new(format!("DPoP {token}"));
            headers.insert(header::AUTHORIZATION, secret_value(value.expose())?);
        }
        let htu = htu(url);
        let about = About {
            method: call.method.as_str(),
            htu: &htu,
            token: token.map(String::as_str),
            nonce,
        };
        let proof = self.prover.prove(&about, self.clock.now(), &self.random)?;
        headers.insert(DPOP, secret_value(&proof)?);
        let request = self.http.request(call.method.clone(), url.clone()).headers(headers);
        let sent = request.body(call.body.clone()).send().await;
        let sent = sent.map_err(|error| self.not_answered(call, error))?;
        read(sent).await.map_err(|error| self.not_answered(call, error))
    }

    /// The address of a path on this server. It is put behind the base and never resolved against
    /// it: `//elsewhere.example` would send the token there.
    fn url(&self, path: &str) -> Result<Url> {
        let wrong = |why: &str| {
            Failure::because(Code::InvalidParameter, format!("the path {path:?} {why}"))
        };
        if !path.starts_with('/') {
            return Err(wrong("must start with a slash, such as /v1/credential"));
        }
        Url::parse(&format!("{}{path}", self.base_url)).map_err(|error| wrong(&error.to_string()))
    }

    fn not_answered(&self, call: &Call, error: reqwest::Error) -> Failure {
        let base = &self.base_url;
        if error.is_connect() {
            let why =
                format!("{base} cannot be reached; does the server run, and is base_url right?");
            return Failure::new(Code::Unavailable).caused_by(Unreached(why, error.without_url()));
        }
        let repeat = call.headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok());
        let next = repeat.map(|key| format!("; repeat it with --idempotency-key {key}"));
        let why = format!("{base} did not answer{}", next.unwrap_or_default());
        Failure::new(Code::OutcomeUnknown).caused_by(Unreached(why, error.without_url()))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unreached(String, #[source] reqwest::Error);

async fn read(response: Response) -> Result<Answer, reqwest::Error> {
    let (version, status) = (response.version(), response.status());
    let headers = response.headers().clone();
    Ok(Answer { version, status, headers, body: response.bytes().await? })
}

/// The token of a token answer; a refusal says what the server said.
fn token_in(answer: &Answer) -> Result<Secret<String>> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    match text("access_token") {
        Some(token) if answer.status.is_success() => Ok(Secret::new(token.to_owned())),
        _ => {
            let error = text("error").unwrap_or("no OAuth error");
            let why = text("error_description").unwrap_or("is this address a Counterfoil server?");
            let status = answer.status.as_u16();
            Err(Failure::because(
                Code::Unauthorized,
                format!("no token: the server answered {status} {error}: {why}"),
            ))
        }
    }
}

/// The nonce, if that is all the server misses: in the body at the token endpoint (RFC 9449 §8), in
/// the challenge elsewhere (§9).
fn wanted_nonce(answer: &Answer) -> Option<String> {
    if ![StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED].contains(&answer.status) {
        return None;
    }
    let word = "use_dpop_nonce";
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let in_body = body.get("error").and_then(Value::as_str) == Some(word);
    let mut challenges = answer.headers.get_all(header::WWW_AUTHENTICATE).iter();
    let in_challenge = challenges
        .any(|value| value.to_str().is_ok_and(|text| text.contains(&format!("error=\"{word}\""))));
    let nonce = answer.headers.get("dpop-nonce")?.to_str().ok()?;
    (in_body || in_challenge).then(|| nonce.to_owned())
}

/// Whether requests to this base can be read on their way; on this machine nobody is on the way.
pub(super) fn in_the_clear(base_url: &str) -> bool {
    let url = Url::parse(base_url).ok();
    url.filter(|url| url.scheme() == "http").is_some_and(|url| {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let local = host == "localhost" || host.ends_with(".localhost");
        !local && !host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

/// RFC 9449 §4.2: the address without query and fragment, in the spelling that is sent.
fn htu(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// Marked, so that no library of ours prints it.
fn secret_value(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text).map_err(Failure::internal)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Form encoding, which RFC 6749 wants for both halves of Basic too.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_made_for_the_address_without_its_query() {
        let htu = |text: &str| htu(&Url::parse(text).unwrap());
        assert_eq!(htu("http://a.example/v1/x?y=1#z"), "http://a.example/v1/x");
        assert_eq!(htu("http://a.example/v1/../x"), "http://a.example/x");
    }

    #[test]
    fn only_plain_http_to_elsewhere_is_in_the_clear() {
        for safe in
            ["https://pay.example", "http://127.0.0.1:8080", "http://[::1]", "http://localhost:1"]
        {
            assert!(!in_the_clear(safe), "{safe}");
        }
        for open in ["http://pay.example", "http://10.0.0.1", "http://localhost.example"] {
            assert!(in_the_clear(open), "{open}");
        }
    }

    #[test]
    fn what_goes_into_a_form_is_encoded() {
        assert_eq!(encode("a b:c+d"), "a%20b%3Ac%2Bd");
    }

    #[test]
    fn a_nonce_is_taken_only_when_the_server_asks_for_it() {
        let answer =
            |status, headers: &[(&'static str, &'static str)], body: &'static str| Answer {
                version: Version::HTTP_11,
                status,
                headers: headers
                    .iter()
                    .map(|(name, value)| {
                        (HeaderName::from_static(name), HeaderValue::from_static(value))
                    })
                    .collect(),
                body: body.into(),
            };
        let nonce = ("dpop-nonce", "n-1");
        let asks = ("www-authenticate", "DPoP algs=\"ES256\", error=\"use_dpop_nonce\"");
        let refuses = ("www-authenticate", "DPoP error=\"invalid_token\"");
        let body = r#"{"error":"use_dpop_nonce"}"#;
        let (bad, unknown) = (StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED);
        let wanted = Some("n-1".to_owned());
        assert_eq!(wanted_nonce(&answer(bad, &[nonce], body)), wanted);
        assert_eq!(wanted_nonce(&answer(unknown, &[nonce, asks], "")), wanted);
        assert_eq!(wanted_nonce(&answer(unknown, &[nonce, refuses], "")), None);
        assert_eq!(wanted_nonce(&answer(StatusCode::OK, &[nonce], body)), None);
        assert_eq!(wanted_nonce(&answer(bad, &[], body)), None);
    }
}

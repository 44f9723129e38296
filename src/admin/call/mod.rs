//! `counterfoil call`: mints a token, signs a proof, sends, prints the answer.

mod pretty;

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::{Output, Setup};
use crate::base::failure::{Code, Failure, Result};
use crate::base::random::Random;
use crate::client::{Answer, Call, Caller, Profile};
use crate::config::PROFILE_VARIABLE;
use crate::oauth::jose::base64url;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const DPOP: HeaderName = HeaderName::from_static("dpop");

/// What to call, and as whom.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// GET, POST, …
    #[arg(value_parser = method)]
    method: Method,
    /// The path with its query, such as /v1/credential
    path: String,
    /// The body: JSON, @FILE, or - for what comes on stdin
    #[arg(long, value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    data: Option<String>,
    /// Who calls; `credential register --profile-out` writes one
    #[arg(
        long,
        value_name = "FILE",
        env = PROFILE_VARIABLE,
        default_value = "counterfoil-profile.toml"
    )]
    profile: PathBuf,
    /// A further header; may be given several times
    #[arg(long, value_name = "K: V", value_parser = header)]
    header: Vec<(HeaderName, HeaderValue)>,
    /// Makes a repetition harmless [default: a new one for each POST, PUT and PATCH]
    #[arg(long, value_name = "K")]
    idempotency_key: Option<HeaderValue>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Shown {
    status: u16,
    headers: Map<String, Value>,
    body: Box<RawValue>,
}

/// Calls; exit code 1 unless the answer is a 2xx.
pub(super) async fn run(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    let profile = Profile::read(&args.profile)?;
    let call = call(args, &setup.random)?;
    let key = call.headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok());
    let caller = Caller::new(profile, setup.clock.clone(), setup.random.clone())?;
    let answer = caller.call(&call).await?;
    let body = String::from_utf8_lossy(&answer.body);
    let shown = Shown {
        status: answer.status.as_u16(),
        headers: headers(&answer.headers),
        body: raw(&body)?,
    };
    let status_line = format!("{:?} {}", answer.version, answer.status);
    let text = format!("{status_line}\n{}", pretty::json(&body));
    output.answer(&shown, text.trim_end())?;
    verdict(&answer, key)
}

fn verdict(answer: &Answer, key: Option<&str>) -> Result<()> {
    if answer.status.is_success() {
        return Ok(());
    }
    let mut told = format!("the server answered {}", answer.status);
    if let (true, Some(key)) = (answer.status.is_server_error(), key) {
        told.push_str("; repeat it with --idempotency-key ");
        told.push_str(key);
    }
    Err(Failure::because(Code::InvalidState, told))
}

fn call(args: Args, random: &Random) -> Result<Call> {
    let mut headers = HeaderMap::new();
    for (name, value) in args.header {
        headers.append(name, value);
    }
    let body = args.data.as_deref().map(data).transpose()?;
    if body.is_some() && !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let acts = [Method::POST, Method::PUT, Method::PATCH].contains(&args.method);
    if let Some(key) = args.idempotency_key {
        headers.insert(IDEMPOTENCY_KEY, key);
    } else if acts && !headers.contains_key(IDEMPOTENCY_KEY) {
        let key = base64url::encode(random.bytes::<16>());
        headers.insert(IDEMPOTENCY_KEY, key.parse().map_err(Failure::internal)?);
    }
    let body = body.unwrap_or_default().into();
    Ok(Call { method: args.method, path: args.path, headers, body })
}

fn data(text: &str) -> Result<Vec<u8>> {
    let cannot = |what: &str, error: io::Error| {
        Failure::because(Code::InvalidParameter, format!("--data: {what} cannot be read: {error}"))
    };
    if text == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map_err(|error| cannot("stdin", error))?;
        return Ok(bytes);
    }
    match text.strip_prefix('@') {
        Some(file) => fs::read(Path::new(file)).map_err(|error| cannot(file, error)),
        None => Ok(text.as_bytes().to_vec()),
    }
}

/// The body as it came: a number that went through a float would not be the server's number.
fn raw(body: &str) -> Result<Box<RawValue>> {
    if body.is_empty() {
        return to_raw_value(&()).map_err(Failure::internal);
    }
    match serde_json::from_str::<Box<RawValue>>(body) {
        Ok(raw) => Ok(raw),
        Err(_) => to_raw_value(body).map_err(Failure::internal),
    }
}

/// By name; what stands twice is joined as HTTP allows.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let join = |name: &HeaderName| {
        let values = headers.get_all(name).iter();
        let values: Vec<_> =
            values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        (name.to_string(), Value::from(values.join(", ")))
    };
    headers.keys().map(join).collect()
}

fn method(text: &str) -> Result<Method, String> {
    let upper = text.to_ascii_uppercase();
    upper.parse().map_err(|_| "an HTTP method, such as GET or POST".to_owned())
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let wanted = || "a header, such as 'X-Request-ID: mine-1'".to_owned();
    let (name, value) = text.split_once(':').ok_or_else(wanted)?;
    let name: HeaderName = name.trim().parse().map_err(|_| wanted())?;
    let value: HeaderValue = value.trim().parse().map_err(|_| wanted())?;
    if name == header::AUTHORIZATION || name == DPOP {
        return Err(format!("{name} is made here; the profile says who calls"));
    }
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn built(line: &[&str]) -> Call {
        let line = Line::try_parse_from([&["call"], line].concat()).unwrap();
        call(line.args, &Random::seeded(1)).unwrap()
    }

    #[test]
    fn what_acts_gets_a_key_of_its_own_and_what_reads_gets_none() {
        assert!(built(&["GET", "/v1/x"]).headers.is_empty());
        let posted = built(&["post", "/v1/x", "--data", "{}"]);
        assert_eq!(posted.method, Method::POST);
        assert_eq!(posted.headers["content-type"], "application/json");
        assert_eq!(posted.headers[IDEMPOTENCY_KEY].len(), 22);
        let named = built(&["PUT", "/v1/x", "--idempotency-key", "k-1"]);
        assert_eq!(named.headers[IDEMPOTENCY_KEY], "k-1");
        let named = built(&["PATCH", "/v1/x", "--header", "Idempotency-Key: k-2"]);
        assert_eq!(named.headers[IDEMPOTENCY_KEY], "k-2");
    }

    #[test]
    fn what_proves_who_calls_comes_from_the_profile_only() {
        for taken in ["Authorization: Bearer x", "dpop: x", "no colon", "b@d: x"] {
            assert!(header(taken).is_err(), "{taken}");
        }
    }

    #[test]
    fn a_body_is_shown_as_it_came() {
        assert_eq!(raw("{\"amount\": 1.10}").unwrap().get(), "{\"amount\": 1.10}");
        assert_eq!(raw("plain").unwrap().get(), "\"plain\"");
        assert_eq!(raw("").unwrap().get(), "null");
    }
}

//! The one client that calls merchants.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt, io,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use reqwest::{Client, Response, header::HeaderMap, redirect};
use tokio::time::timeout;

use super::{Names, RefusedAddress, Rules, Target, names::Guard};
use crate::base::failure::{Failure, Result};

/// As published: an address that does not take the connection by then has failed.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the rest of an answer is waited for, once its status is known.
const REST: Duration = Duration::from_secs(1);
/// How much of an answer is read and kept: enough to find a fault by, too little to fill memory.
const CAPTURED: usize = 16 << 10;
/// The headers of an answer that are kept: enough to tell which of the receiver's servers answered, and to
/// find the call in its logs. No others, because those may carry what is not ours to keep, such as cookies.
const HEADERS: [&str; 12] = [
    "cf-ray",
    "content-length",
    "content-type",
    "date",
    "location",
    "retry-after",
    "server",
    "via",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-correlation-id",
    "x-request-id",
];
/// How much of each.
const HEADER: usize = 256;
/// Idle connections kept to one host.
const KEPT: usize = 16;

/// How merchants are called.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which addresses are.
    pub rules: Rules,
    /// An egress proxy that makes the connections. It resolves names and must refuse its own
    /// neighbours; addresses and names are checked here as well as they can be.
    pub proxy: Option<String>,
}

/// The client, with its guard.
#[derive(Clone)]
pub struct Outbound {
    client: Client,
    guard: Guard,
    rules: Arc<Rules>,
    proxied: bool,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What stood in `Retry-After`.
    pub retry_after: Option<String>,
    /// The headers that are kept, each cut at 256 bytes.
    pub headers: BTreeMap<&'static str, String>,
    /// The beginning of the body, as text.
    pub body: String,
}

/// Why nothing came back, in words for the merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The address, or what its name leads to, is not called.
    #[error("the address is not public; this server does not call it")]
    Refused,
    /// The name has no address.
    #[error("the name of the host could not be resolved")]
    Name,
    /// No connection.
    #[error("no connection could be made")]
    Connect,
    /// No trust.
    #[error("the TLS handshake failed; is the certificate valid for this name?")]
    Tls,
    /// Too slow.
    #[error("no answer in time")]
    Timeout,
    /// Something that is not HTTP, or half of it.
    #[error("the connection broke or the answer was not HTTP")]
    Broken,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Sent {
    /// What came of it.
    pub outcome: std::result::Result<Answer, Fault>,
    /// How long it took, to the status or to the fault.
    pub took: Duration,
}

impl Outbound {
    /// A client of its own, built once.
    pub fn new(options: &Options, names: Arc<dyn Names>) -> Result<Self> {
        let guard = Guard { names, reach: options.rules.reach };
        let builder = Client::builder()
            .connect_timeout(CONNECT)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_max_idle_per_host(KEPT)
            .pool_idle_timeout(Duration::from_secs(30));
        let builder = match &options.proxy {
            // The proxy itself may well be a neighbour, so its name is not guarded.
            Some(proxy) => {
                let proxy = reqwest::Proxy::all(proxy).map_err(Failure::internal)?;
                builder.proxy(proxy)
            }
            // Without this the environment could name a proxy that nobody set here.
            None => builder.no_proxy().dns_resolver(guard.clone()),
        };
        Ok(Self {
            client: builder.build().map_err(Failure::internal)?,
            guard,
            rules: Arc::new(options.rules.clone()),
            proxied: options.proxy.is_some(),
        })
    }

    /// Reads an address and asks its name, so that a merchant learns at once what will not be called.
    /// A name that cannot be resolved just now is no fault of the address.
    pub async fn check(&self, text: &str) -> std::result::Result<Target, &'static str> {
        let target = Target::parse(text, &self.rules)?;
        if self.proxied || target.literal().is_some() {
            return Ok(target);
        }
        let asked = timeout(CONNECT, self.guard.addresses(target.host().to_owned())).await;
        match asked {
            Ok(Err(error)) if stands_in::<RefusedAddress>(&error) => {
                Err("must lead to a public address")
            }
            _ => Ok(target),
        }
    }

    /// Sends one request. Whoever calls this holds no transaction.
    pub async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
        patience: Duration,
    ) -> Sent {
        let begun = Instant::now();
        // Once more: the rules may have become stricter since the endpoint was created.
        let Ok(target) = Target::parse(url, &self.rules) else {
            return Sent { outcome: Err(Fault::Refused), took: begun.elapsed() };
        };
        let request = self.client.post(target.url().clone()).headers(headers).body(body);
        let sent = timeout(patience, request.send()).await;
        let took = begun.elapsed();
        let outcome = match sent {
            Err(_) => Err(Fault::Timeout),
            Ok(Err(error)) => Err(fault(&error)),
            Ok(Ok(response)) => Ok(read(response).await),
        };
        Sent { outcome, took }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbound({:?})", self.rules)
    }
}

/// The status counts as soon as it is there; a body that stalls, breaks or never ends changes nothing.
async fn read(mut response: Response) -> Answer {
    let status = response.status().as_u16();
    let header = response.headers().get("retry-after");
    let retry_after = header.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let headers = kept(response.headers());
    let mut body = Vec::new();
    let rest = async {
        while body.len() < CAPTURED {
            let Ok(Some(piece)) = response.chunk().await else { break };
            let room = CAPTURED.saturating_sub(body.len()).min(piece.len());
            body.extend_from_slice(piece.get(..room).unwrap_or_default());
        }
    };
    // Dropped on time-out, and the connection with it.
    drop(timeout(REST, rest).await);
    // PostgreSQL keeps no NUL in a text.
    let body = String::from_utf8_lossy(&body).replace('\0', "\u{fffd}");
    Answer { status, retry_after, headers, body }
}

/// What is kept of the headers; where one stands twice, the first.
fn kept(headers: &HeaderMap) -> BTreeMap<&'static str, String> {
    let line = |name: &'static str| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((name, value.get(..value.len().min(HEADER))?.to_owned()))
    };
    HEADERS.into_iter().filter_map(line).collect()
}

fn fault(error: &reqwest::Error) -> Fault {
    if stands_in::<RefusedAddress>(error) {
        Fault::Refused
    } else if error.is_timeout() {
        Fault::Timeout
    } else if stands_in::<rustls::Error>(error) {
        Fault::Tls
    } else if error.is_dns() {
        Fault::Name
    } else if error.is_connect() {
        Fault::Connect
    } else {
        Fault::Broken
    }
}

/// Whether an error of this type is among the causes. An I/O error hides the one it was made from:
/// its `source` is that one's source.
fn stands_in<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    if error.is::<T>() {
        return true;
    }
    let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let inside = inside.is_some_and(|inside| stands_in::<T>(inside));
    inside || error.source().is_some_and(stands_in::<T>)
}

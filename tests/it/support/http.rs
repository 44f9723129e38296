//! HTTP/1.1 by hand, over TCP.
//!
//! A polite client cannot send two `DPoP` headers, a wrong length or half a request; attackers
//! can. [`Request`] builds exactly the bytes it is told to, [`Response`] shows every header line.

use std::{fmt::Write, net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Longer than any timeout of the server; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request under construction; headers go out in the order given, repeats included.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// One TCP connection, kept alive between requests unless the server closes it.
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Request {
    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    /// Where to, without a query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn post(target: &str) -> Self {
        Self::new("POST", target)
    }

    /// Adds a header line; a second one of the same name stays beside the first.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// The body as it is; the caller names its type.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    /// `application/x-www-form-urlencoded`, as the token endpoint wants it.
    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let encoded: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
            .collect();
        self.header("Content-Type", "application/x-www-form-urlencoded").body(encoded.join("&"))
    }

    /// The bytes on the wire. `Host` and `Content-Length` are added only where the test has not
    /// set its own, so that it can lie about them.
    pub(crate) fn bytes(&self, host: &str) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        if !self.has("Host") {
            line("Host", host.as_bytes());
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        let body_expected = !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        let framed = self.has("Content-Length") || self.has("Transfer-Encoding");
        if !framed && (body_expected || !self.body.is_empty()) {
            line("Content-Length", self.body.len().to_string().as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it on a connection of its own.
    pub(crate) async fn send(&self, address: SocketAddr) -> Response {
        Connection::open(address).await.send(self).await
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }
}

impl Response {
    /// The value of a header that must be there at most once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() <= 1, "{name} came {} times: {all:?}", all.len());
        all.first().copied()
    }

    /// Every line of this header, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let own = self.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_str()).collect()
    }

    /// All header lines, in order.
    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{} is not JSON ({error}): {}", self.status, self.text())
        })
    }

    /// Fails with the whole answer when the status is another one.
    #[track_caller]
    pub(crate) fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the answer was: {}", self.text());
        self
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::reach(address).await.expect("the server accepts connections")
    }

    /// Where the server may be gone by now.
    pub(crate) async fn reach(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).await.ok()?;
        stream.set_nodelay(true).expect("it is a TCP stream");
        Some(Self { stream, unread: Vec::new() })
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn send(&mut self, request: &Request) -> Response {
        let host = self.stream.peer_addr().expect("it is connected").to_string();
        self.write(&request.bytes(&host)).await;
        self.read_response().await.expect("the server answers before it closes")
    }

    /// Writes these bytes as they are: half a request, two at once, nonsense. A server that has
    /// refused already may have closed its side: what counts is what can be read then.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next answer; `None` when the server closed without one. 1xx answers are skipped.
    pub(crate) async fn read_response(&mut self) -> Option<Response> {
        loop {
            let head = self.read_until_blank_line().await?;
            let mut response = parse_head(&head);
            if response.status >= 200 {
                response.body = self.read_body(&response).await;
                return Some(response);
            }
        }
    }

    /// Everything unread so far, after waiting for a little more: for answers that come in pieces.
    pub(crate) async fn read_more(&mut self) -> String {
        assert!(self.fill().await, "the server closed in the middle of an answer");
        String::from_utf8_lossy(&self.unread).into_owned()
    }

    /// How many bytes come next; none when the server has closed, however it did.
    pub(crate) async fn read_anything(&mut self) -> usize {
        self.unread.clear();
        self.fill().await;
        self.unread.len()
    }

    /// Whether the server has closed its side, with nothing more to read.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && !self.fill().await
    }

    async fn read_body(&mut self, response: &Response) -> Vec<u8> {
        if matches!(response.status, 204 | 304) {
            return Vec::new();
        }
        if response.header("Transfer-Encoding").is_some_and(|coding| coding == "chunked") {
            return self.read_chunks().await;
        }
        if let Some(length) = response.header("Content-Length") {
            return self.read_exactly(length.parse().expect("a length is a number")).await;
        }
        while self.fill().await {}
        std::mem::take(&mut self.unread)
    }

    async fn read_chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.read_until(b"\r\n").await.expect("a chunk begins with its size");
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            let size = line.split(';').next().unwrap_or_default();
            let size = usize::from_str_radix(size, 16).expect("a chunk's size is hexadecimal");
            if size == 0 {
                self.read_until(b"\r\n").await;
                return body;
            }
            body.extend(self.read_exactly(size).await);
            self.read_exactly(2).await;
        }
    }

    async fn read_until_blank_line(&mut self) -> Option<Vec<u8>> {
        self.read_until(b"\r\n\r\n").await
    }

    /// Everything up to and with `end`; `None` when the server closed before it.
    async fn read_until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            let found = self.unread.windows(end.len()).position(|window| window == end);
            if let Some(position) = found {
                return Some(self.unread.drain(..position + end.len()).collect());
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    async fn read_exactly(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            assert!(self.fill().await, "the server closed in the middle of a body");
        }
        self.unread.drain(..count).collect()
    }

    /// Reads what is there; false at the end. A reset is an end too.
    async fn fill(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await;
        matches!(read.expect("the server answers in time"), Ok(count) if count > 0)
    }
}

fn parse_head(head: &[u8]) -> Response {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.trim_end().split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let status = status.and_then(|digits| digits.parse().ok());
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').expect("a header line has a colon");
        (name.to_owned(), value.trim().to_owned())
    });
    Response {
        status: status.unwrap_or_else(|| panic!("not an HTTP/1.1 answer: {status_line}")),
        headers: headers.collect(),
        body: Vec::new(),
    }
}

fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a string takes everything");
        }
    }
    encoded
}

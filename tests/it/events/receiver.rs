//! A merchant's server that can do everything wrong.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

/// What the receiver does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Answers with this status and an empty body.
    Status(u16),
    /// Answers with exactly these bytes, then closes.
    Bytes(String),
    /// Closes without a word.
    Drop,
    /// Reads everything and never answers.
    Stall,
    /// A head that promises a body, and then nothing, for ever.
    StallInBody,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(own, _)| own == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} came twice");
        value
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("events are JSON")
    }

    /// The event's number in its merchant's log.
    pub(crate) fn sequence(&self) -> i64 {
        self.json()["sequence"].as_i64().expect("events are numbered")
    }
}

type Behaviour = Box<dyn FnMut(&Seen) -> Answer + Send>;

/// A listening receiver.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    behaviour: Arc<Mutex<Behaviour>>,
    counted: watch::Receiver<usize>,
    accepting: JoinHandle<()>,
}

impl Receiver {
    /// One that answers every request with the same status.
    pub(crate) async fn saying(status: u16) -> Self {
        Self::doing(move |_| Answer::Status(status)).await
    }

    pub(crate) async fn doing(behaviour: impl FnMut(&Seen) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let behaviour: Behaviour = Box::new(behaviour);
        let behaviour = Arc::new(Mutex::new(behaviour));
        let (noting, behaving) = (seen.clone(), behaviour.clone());
        let (count, counted) = watch::channel(0);
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, noting.clone(), behaving.clone(), count.clone()));
            }
        });
        Self { address, seen, behaviour, counted, accepting }
    }

    /// From now on something else.
    pub(crate) fn now(&self, behaviour: impl FnMut(&Seen) -> Answer + Send + 'static) {
        *self.behaviour.lock().unwrap() = Box::new(behaviour);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// Everything that came so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Resolves when so many requests have come; fails when that takes unreasonably long.
    pub(crate) async fn has_seen(&self, count: usize) {
        let mut counted = self.counted.clone();
        let waited = counted.wait_for(|counted| *counted >= count);
        let waited = timeout(Duration::from_secs(20), waited).await;
        let came = waited.unwrap_or_else(|_| panic!("{} of {count} came", self.seen().len()));
        assert!(came.is_ok(), "the receiver runs as long as its test");
    }

    /// The numbers of the events that came, in the order of their arrival.
    pub(crate) fn sequences(&self) -> Vec<i64> {
        self.seen().iter().map(Seen::sequence).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: Arc<Mutex<Vec<Seen>>>,
    behaviour: Arc<Mutex<Behaviour>>,
    count: watch::Sender<usize>,
) {
    let mut unread = Vec::new();
    while let Some(request) = read(&mut stream, &mut unread).await {
        let answer = {
            let answer = behaviour.lock().unwrap()(&request);
            seen.lock().unwrap().push(request);
            count.send_modify(|count| *count += 1);
            answer
        };
        let bytes = match answer {
            Answer::Status(status) => {
                format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n")
            }
            Answer::Bytes(bytes) => {
                // The peer may be gone already.
                let _ = stream.write_all(bytes.as_bytes()).await;
                return;
            }
            Answer::Drop => return,
            Answer::Stall => return std::future::pending().await,
            Answer::StallInBody => {
                let head = "HTTP/1.1 200 So\r\nContent-Length: 100\r\n\r\nhalf";
                let _ = stream.write_all(head.as_bytes()).await;
                return std::future::pending().await;
            }
        };
        if stream.write_all(bytes.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    };
    let head: Vec<u8> = unread.drain(..end + 4).collect();
    let head = String::from_utf8(head).ok()?;
    let lines = head.trim_end().split("\r\n").skip(1);
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    while unread.len() < length {
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    }
    Some(Seen { headers, body: unread.drain(..length).collect() })
}

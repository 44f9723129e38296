//! The listener: HTTP/1.1 and HTTP/2, in the clear or by TLS, and an end without a cut request.

mod pulse;
mod tls;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tower::ServiceExt;

use super::{
    address::{Host, Peer},
    places::{Place, Places},
};
use crate::base::{
    failure::{Code, Failure, Result},
    tasks::Tasks,
};
use pulse::{Pulse, Watched};
pub use tls::Tls;

/// How connections are served.
#[derive(Clone, Debug)]
pub struct Options {
    /// The longest request head.
    pub head_limit: usize,
    /// How long requests in hand may take once shutdown has begun.
    pub drain: Duration,
    /// Certificate and key, if TLS is spoken here.
    pub tls: Option<Tls>,
    /// How many connections there may be, and how long one is kept for nothing.
    pub connections: Connections,
}

/// What keeps callers who only hold connections from keeping out those who use them.
#[derive(Clone, Debug)]
pub struct Connections {
    /// How many there may be, and how many from one host.
    pub places: Places,
    /// Peers that have no share, because they bring many callers.
    pub proxies: Arc<[IpNet]>,
    /// How long a handshake may take, the first request to come, or the head of a later one.
    pub head: Duration,
    /// How long a connection may be without a request.
    pub idle: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let connections = Connections::default();
        Self { head_limit: 8_192, drain: Duration::from_secs(1), tls: None, connections }
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            places: Places::new(4_096, 256),
            proxies: Arc::default(),
            head: Duration::from_secs(15),
            idle: Duration::from_secs(75),
        }
    }
}

impl Connections {
    fn admit(&self, peer: SocketAddr) -> Option<Place> {
        let place = self.places.take(Host::unless_proxy(peer.ip(), &self.proxies));
        if place.is_none() {
            metrics::counter!("http_connections_refused_total").increment(1);
        }
        place
    }
}

/// Opens the port; one that is taken is a sentence, not a stack of causes.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "another program listens there; stop it or set `listen`",
            io::ErrorKind::PermissionDenied => "this user may not listen there; set `listen`",
            _ => "the address cannot be used",
        };
        Failure::new(Code::NotConfigured).caused_by(format!("cannot listen on {address}: {why}"))
    })
}

/// Accepts until shutdown begins, then lets every accepted request finish.
pub async fn serve(listener: TcpListener, router: Router, options: Options, tasks: Tasks) {
    let drain = options.drain;
    let graceful = GracefulShutdown::new();
    let (builder, connections) = (builder(options.head_limit), options.connections);
    let server = Server { builder, router, tls: options.tls, connections };
    loop {
        tokio::select! {
            () = tasks.stopping() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    // Nothing is said to whom there is no place for: that, too, would be work.
                    let Some(place) = server.connections.admit(peer) else { continue };
                    let connection = server.clone().connection(stream, peer, graceful.watcher());
                    tasks.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                // Usually out of file descriptors: nothing is gained by asking again at once.
                Err(error) => {
                    tracing::warn!(%error, "A connection could not be accepted.");
                    sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    if timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("Some connections did not end in time and are cut.");
    }
}

#[derive(Clone)]
struct Server {
    builder: auto::Builder<TokioExecutor>,
    router: Router,
    tls: Option<Tls>,
    connections: Connections,
}

fn builder(head_limit: usize) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The pulse tells a slow head from an idle connection; hyper's own limit is one for both, and
        // does not begin before the first bytes.
        .header_read_timeout(None)
        .max_buf_size(head_limit.max(8_192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20))
        .max_concurrent_streams(128)
        .max_header_list_size(u32::try_from(head_limit).unwrap_or(u32::MAX));
    builder
}

impl Server {
    async fn connection(self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        // Small answers must not wait for an acknowledgement of the last packet.
        _ = stream.set_nodelay(true);
        match self.tls.clone() {
            None => self.requests(stream, peer, watcher).await,
            Some(tls) => match timeout(self.connections.head, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.requests(stream, peer, watcher).await,
                Ok(Err(error)) => tracing::debug!(%error, "A TLS handshake failed."),
                Err(_) => tracing::debug!("A TLS handshake took too long."),
            },
        }
    }

    async fn requests<S>(self, stream: S, peer: SocketAddr, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (router, pulse) = (self.router, Pulse::new());
        let beats = pulse.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let busy = beats.request(request.version());
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            let answer = router.clone().oneshot(request);
            async move { answer.await.map(|response| response.map(|body| busy.answering(body))) }
        });
        let io = TokioIo::new(Watched::new(stream, pulse.clone()));
        let connection = self.builder.serve_connection(io, service).into_owned();
        tokio::select! {
            biased;
            outcome = watcher.watch(connection) => {
                // Callers break off all the time; that is their business.
                if let Err(error) = outcome {
                    tracing::debug!(error, "A connection ended early.");
                }
            }
            () = pulse.silence(self.connections.head, self.connections.idle) => {
                tracing::debug!("A connection was kept for nothing and is closed.");
            }
        }
    }
}

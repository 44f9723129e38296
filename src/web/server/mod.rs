//! The listener: HTTP/1.1 and HTTP/2, in the clear or by TLS, and an end without a cut request.

mod tls;

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, body::Body, extract::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tower::ServiceExt;

use super::address::Peer;
use crate::base::{
    failure::{Code, Failure, Result},
    tasks::Tasks,
};
pub use tls::Tls;

/// How long a caller may take to send a request's head, or to shake hands. Stops slow callers from
/// keeping connections for nothing.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);

/// How connections are served.
#[derive(Clone, Debug)]
pub struct Options {
    /// The longest request head.
    pub head_limit: usize,
    /// How long requests in hand may take once shutdown has begun.
    pub drain: Duration,
    /// Certificate and key, if TLS is spoken here.
    pub tls: Option<Tls>,
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
    let server = Server { builder: builder(options.head_limit), router, tls: options.tls };
    loop {
        tokio::select! {
            () = tasks.stopping() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    tasks.spawn(server.clone().connection(stream, peer, graceful.watcher()));
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
}

fn builder(head_limit: usize) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(head_limit.max(8_192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
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
            Some(tls) => match timeout(HEAD_PATIENCE, tls.accept(stream)).await {
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
        let router = self.router;
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            router.clone().oneshot(request)
        });
        let connection = self.builder.serve_connection(TokioIo::new(stream), service).into_owned();
        // Callers break off all the time; that is their business.
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(error, "A connection ended early.");
        }
    }
}

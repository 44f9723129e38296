//! Names to addresses, with a guard before every connection.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Reach;

/// Something that knows the addresses of names.
pub trait Names: Send + Sync {
    /// Every address of this name.
    fn lookup(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The machine's own resolver.
#[derive(Clone, Copy, Debug)]
pub struct SystemNames;

impl Names for SystemNames {
    fn lookup(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A name that leads where this server does not go.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the name leads to an address that is not public")]
pub struct RefusedAddress;

/// The resolver of the client that calls merchants. It stands where the connection is made, so that a
/// name that led outside when the endpoint was created and leads inside now (DNS rebinding) is refused.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) names: Arc<dyn Names>,
    pub(super) reach: Reach,
}

impl Guard {
    /// The addresses of a name, if every one of them may be called: of a name that leads both ways,
    /// none is.
    pub(super) async fn addresses(&self, host: String) -> io::Result<Vec<IpAddr>> {
        let found = self.names.lookup(host).await?;
        if found.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        if found.iter().all(|address| self.reach.allows(*address)) {
            Ok(found)
        } else {
            Err(io::Error::other(RefusedAddress))
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, host) = (self.clone(), name.as_str().to_owned());
        Box::pin(async move {
            let found = guard.addresses(host).await?;
            let addresses: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}

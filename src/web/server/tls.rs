//! TLS with a certificate that can be renewed while we serve.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::base::{
    failure::{Code, Failure, Result},
    tasks::Tasks,
};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// The acceptor, and the files it was made from.
#[derive(Clone)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: Arc<RwLock<Arc<ServerConfig>>>,
    seen: Arc<Mutex<Changed>>,
}

/// When the two files were changed last.
type Changed = [Option<SystemTime>; 2];

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tls({})", self.certificate.display())
    }
}

impl Tls {
    /// Reads both files; a file that cannot be used is named.
    pub fn load(certificate: PathBuf, key: PathBuf) -> Result<Self> {
        // Looked at before they are read: a change in between is then noticed later, not never.
        let seen = Arc::new(Mutex::new(changed_at(&certificate, &key)));
        let current = Arc::new(RwLock::new(Arc::new(read(&certificate, &key)?)));
        Ok(Self { certificate, key, current, seen })
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        TlsAcceptor::from(config).accept(stream).await
    }

    /// Looks at the files every few seconds until shutdown.
    pub async fn keep_up(self, tasks: Tasks) {
        while timeout(LOOK, tasks.stopping()).await.is_err() {
            self.look();
        }
    }

    /// Takes a renewed certificate into use; a broken one is told and the old one stays.
    pub fn look(&self) {
        let now = changed_at(&self.certificate, &self.key);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if now == *seen {
            return;
        }
        *seen = now;
        match read(&self.certificate, &self.key) {
            Ok(config) => {
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                *current = Arc::new(config);
                tracing::info!("The renewed TLS certificate is in use.");
            }
            Err(failure) => {
                let cause = failure.cause_chain();
                tracing::error!(
                    cause,
                    "The renewed TLS certificate cannot be used; the old one stays."
                );
            }
        }
    }
}

fn changed_at(certificate: &PathBuf, key: &PathBuf) -> Changed {
    [certificate, key].map(|path| fs::metadata(path).and_then(|facts| facts.modified()).ok())
}

fn read(certificate: &PathBuf, key: &PathBuf) -> Result<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| unusable(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Failure::internal)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| unusable(certificate, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn unusable(path: &std::path::Path, error: &dyn std::fmt::Display) -> Failure {
    let text = format!("the TLS file {} cannot be used: {error}", path.display());
    Failure::new(Code::NotConfigured).caused_by(text)
}

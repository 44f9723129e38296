//! An SMTP server, by TLS unless the address says otherwise.

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor, message::Mailbox};

use super::{Letter, Mail, sealed, sender};
use crate::base::{
    failure::{Code, Failure, Result},
    secret::Secret,
};

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way to the server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl fmt::Debug for Smtp {
    /// Not the address: it may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Smtp")
    }
}

impl Smtp {
    /// Prepares connections to `smtps://user:password@host` or `smtp://host?tls=required`.
    pub fn new(url: &Secret<String>, from: &str) -> Result<Self> {
        let unusable = |_| {
            // Not lettre's own words: they could quote the password.
            Failure::new(Code::NotConfigured)
                .caused_by("mail.smtp_url cannot be used; write smtps://USER:PASSWORD@HOST:PORT")
        };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose());
        let transport = transport.map_err(unusable)?.timeout(Some(PATIENCE)).build();
        Ok(Self { transport, from: sender(from)? })
    }
}

impl Mail for Smtp {
    fn is_delivered(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let message = sealed(&self.from, letter)?;
            let sent = self.transport.send(message).await;
            sent.map(|_| ()).map_err(|error| Failure::new(Code::Unavailable).caused_by(error))
        })
    }
}

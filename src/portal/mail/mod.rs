//! Letters to people, by way of a folder or an SMTP server.

mod file;
mod smtp;

pub use file::Folder;
pub use smtp::Smtp;

use std::fmt;

use futures_util::future::BoxFuture;
use lettre::{Message, message::Mailbox};

use crate::base::failure::{Failure, Result};

/// A letter in plain text.
#[derive(Clone)]
pub struct Letter {
    /// To whom.
    pub to: String,
    /// Its first line.
    pub subject: String,
    /// The rest. It may hold a one-time link: it is never logged.
    pub text: String,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter(***)")
    }
}

/// How letters leave the house.
pub trait Mail: Send + Sync + fmt::Debug {
    /// Whether somebody brings letters to their readers; if not, whoever wrote one hands it over.
    fn is_delivered(&self) -> bool;

    /// Sends one; done when the next house has it.
    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Result<()>>;
}

/// The letter as RFC 5322 wants it. A line break in an address cannot add a header: the parts are
/// parsed, not joined.
fn sealed(from: &Mailbox, letter: &Letter) -> Result<Message> {
    let to = letter.to.parse::<Mailbox>().map_err(Failure::internal)?;
    Message::builder()
        .from(from.clone())
        .to(to)
        .subject(letter.subject.clone())
        .body(letter.text.clone())
        .map_err(Failure::internal)
}

fn sender(from: &str) -> Result<Mailbox> {
    from.parse().map_err(|_| Failure::internal("mail.from is no address"))
}

//! `[mail]`: letters to people.

use std::path::PathBuf;

use crate::base::secret::Secret;
use crate::config::reader::Reader;
use crate::config::values::{Parsed, Raw, path, text};

/// Where letters go.
#[derive(Debug, Clone)]
pub enum MailHome {
    /// Each into a file of its own.
    Folder(PathBuf),
    /// To a server, whose address may hold a password.
    Smtp(Secret<String>),
}

/// Letters.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Where they go.
    pub home: MailHome,
    /// Who they come from.
    pub from: String,
}

impl Mail {
    pub(in crate::config) fn read(reader: &mut Reader) -> Self {
        let folder = reader.or("mail.folder", PathBuf::from("data/mail"), path);
        let smtp = reader.secret(("mail.smtp_url", "mail.smtp_url_file"), smtp_url);
        let usual = "Counterfoil <no-reply@localhost>".to_owned();
        Self {
            home: smtp.map_or(MailHome::Folder(folder), MailHome::Smtp),
            from: reader.or("mail.from", usual, mailbox),
        }
    }
}

fn smtp_url(url: &str) -> Parsed<String> {
    let known = ["smtp://", "smtps://"].iter().any(|scheme| url.starts_with(scheme));
    let wanted = "smtps://USER:PASSWORD@HOST:PORT or smtp://HOST:PORT?tls=required";
    known.then(|| url.to_owned()).ok_or_else(|| wanted.to_owned())
}

fn mailbox(raw: &Raw) -> Parsed<String> {
    let wanted = "an address such as \"Counterfoil <pay@shop.example>\"";
    let known = |text: &String| text.parse::<lettre::message::Mailbox>().is_ok();
    text(raw).ok().filter(known).ok_or_else(|| wanted.to_owned())
}

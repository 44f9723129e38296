//! A folder in which each letter is a file, for whoever has no mail server at hand.

use std::{io::Write, path::PathBuf};

use futures_util::future::BoxFuture;
use lettre::message::Mailbox;

use super::{Letter, Mail, sealed, sender};
use crate::{
    base::{
        failure::{Failure, Result},
        hex, private_file,
    },
    ctx::Ctx,
};

/// The folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    from: Mailbox,
    ctx: Ctx,
}

impl Folder {
    /// Letters will lie here.
    pub fn new(path: PathBuf, from: &str, ctx: Ctx) -> Result<Self> {
        Ok(Self { path, from: sender(from)?, ctx })
    }

    fn keep(&self, letter: &Letter) -> Result<()> {
        let text = sealed(&self.from, letter)?.formatted();
        let (at, noise) = (self.ctx.now().micros(), hex::encode(&self.ctx.random.bytes::<4>()));
        private_file::make_folder(&self.path).map_err(Failure::internal)?;
        let name = self.path.join(format!("{at}-{noise}.eml"));
        let file = private_file::options().create_new(true).write(true).open(name);
        file.and_then(|mut file| file.write_all(&text)).map_err(Failure::internal)
    }
}

impl Mail for Folder {
    fn is_delivered(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Result<()>> {
        // One small file, and seldom.
        Box::pin(async move { self.keep(letter) })
    }
}

//! Files that are for their owner only: private keys, profiles, the database and what lies beside it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{
    failure::{Code, Failure, Result},
    secret::Secret,
};

/// More than any key or profile has; keeps a mistyped path from filling the memory.
const LARGEST: u64 = 64 << 10;

/// Makes a folder, and those above it that are missing, with mode 0700. One that exists keeps the mode
/// that its owner chose.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Options for a file that is born with mode 0600: other accounts of the machine must not read what
/// it will hold, not even in the moment before a mode could be changed. One that exists keeps its mode.
pub fn options() -> OpenOptions {
    let mut options = File::options();
    options.mode(0o600);
    options
}

/// A new file with mode 0600 whose content is still to come. Reserved before the secret is made, so
/// that a secret which is shown once does not end where it cannot be kept. Dropped unfilled, it goes.
#[derive(Debug)]
pub struct Reserved {
    path: PathBuf,
    file: File,
    filled: bool,
}

impl Reserved {
    /// Makes the file. One that exists stays as it is: it may hold the only copy of a key.
    pub fn new(path: &Path) -> Result<Self> {
        let file = options().create_new(true).write(true).open(path);
        let file = file.map_err(|error| {
            let why = format!("{} cannot be made: {error}; name another file", path.display());
            Failure::because(Code::InvalidParameter, why)
        })?;
        Ok(Self { path: path.to_owned(), file, filled: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the content and waits until the disk has it.
    pub fn fill(mut self, content: &Secret<String>) -> Result<()> {
        let written = self.file.write_all(content.expose().as_bytes());
        let written = written.and_then(|()| self.file.sync_all());
        written.map_err(|error| {
            Failure::internal(format!("{} cannot be written: {error}", self.path.display()))
        })?;
        self.filled = true;
        Ok(())
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.filled {
            // What cannot be removed is empty.
            _ = fs::remove_file(&self.path);
        }
    }
}

/// Reads a secret file, and refuses one that others may read or write: whoever can read it can call
/// as its owner, and whoever can write it can send the owner's calls elsewhere.
pub fn read(path: &Path) -> Result<Secret<String>> {
    let unusable =
        |why: String| Failure::because(Code::InvalidParameter, format!("{} {why}", path.display()));
    let cannot = |error: std::io::Error| unusable(format!("cannot be read: {error}"));
    let file = File::open(path).map_err(cannot)?;
    // Of the open file, not of the path: they could be two files.
    let mode = file.metadata().map_err(cannot)?.permissions().mode() & 0o777;
    if mode & !0o600 != 0 {
        return Err(unusable(format!(
            "has mode {mode:04o}, which lets others at a secret: run `chmod 600 {}`",
            path.display()
        )));
    }
    let mut text = String::new();
    let length = file.take(LARGEST + 1).read_to_string(&mut text).map_err(cannot)?;
    let text = Secret::new(text);
    if u64::try_from(length).is_ok_and(|length| length <= LARGEST) {
        Ok(text)
    } else {
        Err(unusable(format!("is larger than {} KiB: that is another file", LARGEST >> 10)))
    }
}

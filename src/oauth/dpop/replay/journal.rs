//! The file beside a record in memory: every claim is written before it is answered.
//!
//! What a process has written survives its death, `kill -9` included, without a flush to disk, as
//! long as the kernel runs that took it. So a claim costs one short write and no waiting, and after
//! a restart the journal is complete if the same kernel still runs, or if it was closed in order.
//! Otherwise the machine went down and the last lines may be missing: then [`JournalFault`] says so.
//!
//! One file per minute, each a header and lines of fixed length with a tag under a secret of the
//! database: a journal of another installation, or a damaged one, is not believed. Files whose
//! claims are all dead are removed when a new one begins.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::ReplayKey;
use crate::base::{private_file, secret::Secret, timestamp::Timestamp};

const MAGIC: &[u8; 16] = b"counterfoil/uses";
const HEADER: usize = 64;
const HEADER_BYTES: u64 = 64;
const LINE: usize = 32;
const TAG: usize = 8;
const ENDING: &str = "uses";
/// Stands where the time of a claim would: nothing follows.
const CLOSED: i64 = i64::MAX;

/// Where Linux tells one run of the kernel from the next.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Where a journal is kept, and by which run of which kernel.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// A folder that outlives a restart; the journal makes its own inside.
    pub folder: &'a Path,
    /// Where nobody tells, a journal is believed after an orderly end only, which is always sound.
    pub boot: Option<String>,
}

impl<'a> Place<'a> {
    /// In this folder of this machine.
    pub fn here(folder: &'a Path) -> Self {
        Self { folder, boot: fs::read_to_string(BOOT_ID).ok() }
    }
}

/// Why a journal cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub(super) enum JournalFault {
    /// There is none.
    #[error("there is no journal of used proofs")]
    Missing,
    /// A file between two others is gone.
    #[error("a file of the journal of used proofs is missing before {0}")]
    Gap(PathBuf),
    /// A file does not have the shape, or not the tag.
    #[error("{0} is not a journal of used proofs of this installation, or is damaged")]
    Damaged(PathBuf),
    /// The machine went down with the journal open.
    #[error("the machine stopped before the journal of used proofs was on disk")]
    OtherBoot,
    /// The journal is of an older record.
    #[error("the journal is not of the record that was used last")]
    OtherRecord,
    /// The system refuses.
    #[error("the journal of used proofs cannot be read or written")]
    Io(#[from] io::Error),
}

/// What one journal says about itself, and the claims in it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) epoch: i64,
    pub(super) forgotten_until: Option<Timestamp>,
    pub(super) claims: Vec<(ReplayKey, Timestamp)>,
    old: Vec<Old>,
    last_number: u64,
}

/// A file that is complete.
#[derive(Debug)]
struct Old {
    path: PathBuf,
    latest: Timestamp,
}

/// Where a journal is and how its lines are tagged.
pub(super) struct Shelf {
    folder: PathBuf,
    mac: Hmac<Sha256>,
    /// The kernel that runs; none where the system does not tell, which is like another each time.
    boot: Option<String>,
}

impl Shelf {
    pub(super) fn new(place: &Place<'_>, secret: &Secret<[u8; 32]>) -> Self {
        // The block size of the hash, padded with zeros as HMAC itself does: no key can be too long.
        let mut block = [0; 64];
        for (slot, byte) in block.iter_mut().zip(secret.expose()) {
            *slot = *byte;
        }
        let (folder, boot) = (place.folder.join("replay"), place.boot.clone());
        Self { folder, mac: Hmac::new(&block.into()), boot }
    }

    /// Reads everything that is there, if it is everything.
    pub(super) fn read(&self) -> Result<Found, JournalFault> {
        let mut files = self.files()?;
        // The process died between making a file and using it; the one before tells the story.
        if let Some((_, path)) = files.last()
            && fs::metadata(path)?.len() < HEADER_BYTES
        {
            fs::remove_file(path)?;
            files.pop();
        }
        let mut found: Option<Found> = None;
        let mut closed = false;
        let mut same_boot = false;
        for (number, path) in files {
            let file = self.read_file(&path).ok_or_else(|| JournalFault::Damaged(path.clone()))?;
            (closed, same_boot) = (file.closed, file.boot == self.boot_tag());
            let found = found.get_or_insert_with(|| Found {
                epoch: file.epoch,
                forgotten_until: file.forgotten_until,
                claims: Vec::new(),
                old: Vec::new(),
                last_number: number.saturating_sub(1),
            });
            if number != found.last_number + 1 {
                return Err(JournalFault::Gap(path));
            }
            if file.epoch != found.epoch {
                return Err(JournalFault::Damaged(path));
            }
            let latest = file.claims.iter().map(|(_, at)| *at).max();
            let latest = latest.unwrap_or(Timestamp::from_micros(0));
            found.claims.extend(file.claims);
            found.old.push(Old { path, latest });
            found.last_number = number;
        }
        let found = found.ok_or(JournalFault::Missing)?;
        if closed || (same_boot && self.boot.is_some()) {
            Ok(found)
        } else {
            Err(JournalFault::OtherBoot)
        }
    }

    /// Goes on where `found` ended, or begins anew.
    pub(super) fn go_on(
        self,
        found: Option<Found>,
        epoch: i64,
        forgotten_until: Option<Timestamp>,
        life: Duration,
        now: Timestamp,
    ) -> Result<Journal, JournalFault> {
        private_file::make_folder(&self.folder)?;
        let (old, last_number) = if let Some(found) = found {
            (found.old, found.last_number)
        } else {
            for (_, path) in self.files()? {
                fs::remove_file(path)?;
            }
            (Vec::new(), 0)
        };
        let pen = Pen { epoch, forgotten_until, life, old, last_number, page: None, closed: false };
        let journal = Journal { shelf: self, pen: Mutex::new(pen) };
        // The first file must be on disk before the first claim: after a power cut its absence would
        // make the one before, which was closed in order, look complete.
        let mut pen = journal.pen();
        journal.shelf.turn_page(&mut pen, now.micros())?;
        pen.page.as_ref().map_or(Ok(()), |page| page.file.sync_all())?;
        journal.shelf.sync_folder()?;
        drop(pen);
        Ok(journal)
    }

    fn files(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let mut files = Vec::new();
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            if let (Some(number), true) = (number, path.extension().is_some_and(|e| e == ENDING)) {
                files.push((number, path));
            }
        }
        files.sort_unstable();
        Ok(files)
    }

    fn read_file(&self, path: &Path) -> Option<FileFound> {
        let bytes = fs::read(path).ok()?;
        let (header, lines) = bytes.split_first_chunk::<HEADER>()?;
        let (magic, rest) = header.split_first_chunk::<16>()?;
        let (epoch, rest) = rest.split_first_chunk::<8>()?;
        let (until, rest) = rest.split_first_chunk::<8>()?;
        let (boot, tag) = rest.split_first_chunk::<16>()?;
        let (epoch, until) = (i64::from_be_bytes(*epoch), i64::from_be_bytes(*until));
        let shown = self.header(epoch, (until != 0).then(|| Timestamp::from_micros(until)), boot);
        if magic != MAGIC || shown.get(HEADER - 16..) != Some(tag) {
            return None;
        }
        let mut file = FileFound {
            epoch,
            forgotten_until: (until != 0).then(|| Timestamp::from_micros(until)),
            boot: *boot,
            claims: Vec::new(),
            closed: false,
        };
        // A line that is cut short was never answered: the write of it did not return.
        for line in lines.chunks_exact(LINE) {
            let (key, rest) = line.split_first_chunk::<16>()?;
            let (at, _) = rest.split_first_chunk::<8>()?;
            let at = i64::from_be_bytes(*at);
            if self.line(epoch, *key, at) != line {
                return None;
            }
            file.closed = at == CLOSED;
            if !file.closed {
                file.claims.push((ReplayKey::from_bytes(*key), Timestamp::from_micros(at)));
            }
        }
        Some(file)
    }

    fn header(&self, epoch: i64, forgotten_until: Option<Timestamp>, boot: &[u8]) -> Vec<u8> {
        let until = forgotten_until.map_or(0, Timestamp::micros);
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&epoch.to_be_bytes());
        bytes.extend_from_slice(&until.to_be_bytes());
        bytes.extend_from_slice(boot);
        let tag = self.tag(&[&bytes]);
        bytes.extend(tag.into_iter().take(16));
        bytes
    }

    fn line(&self, epoch: i64, key: [u8; 16], at: i64) -> Vec<u8> {
        let at = at.to_be_bytes();
        let tag = self.tag(&[&epoch.to_be_bytes(), &key, &at]);
        let mut bytes = Vec::with_capacity(LINE);
        bytes.extend_from_slice(&key);
        bytes.extend_from_slice(&at);
        bytes.extend(tag.into_iter().take(TAG));
        bytes
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn boot_tag(&self) -> [u8; 16] {
        let tag = self.tag(&[b"boot ", self.boot.as_deref().unwrap_or_default().as_bytes()]);
        tag.split_first_chunk().map_or([0; 16], |(short, _)| *short)
    }

    /// Begins a new file, and removes those in which nothing lives.
    fn turn_page(&self, pen: &mut Pen, now: i64) -> io::Result<()> {
        let number = pen.last_number + 1;
        let path = self.folder.join(format!("{number:012}.{ENDING}"));
        let mut file =
            private_file::options().create(true).write(true).truncate(true).open(&path)?;
        file.write_all(&self.header(pen.epoch, pen.forgotten_until, &self.boot_tag()))?;
        if let Some(full) = pen.page.take() {
            pen.old.push(Old { path: full.path, latest: full.latest });
        }
        let minute = minute_of(now);
        let latest = Timestamp::from_micros(0);
        pen.page = Some(Page { file, path, minute, latest });
        pen.last_number = number;
        let life = pen.life;
        // Oldest first and without a gap: a missing file in between would look like a loss.
        while let Some(oldest) = pen.old.first() {
            if oldest.latest.plus(life).micros() > now {
                break;
            }
            fs::remove_file(&oldest.path)?;
            pen.old.remove(0);
        }
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

struct FileFound {
    epoch: i64,
    forgotten_until: Option<Timestamp>,
    boot: [u8; 16],
    claims: Vec<(ReplayKey, Timestamp)>,
    closed: bool,
}

/// An open journal.
pub(super) struct Journal {
    shelf: Shelf,
    pen: Mutex<Pen>,
}

struct Pen {
    epoch: i64,
    forgotten_until: Option<Timestamp>,
    life: Duration,
    old: Vec<Old>,
    last_number: u64,
    /// None after a write failed: the next claim begins a new file, so that no line follows half a one.
    page: Option<Page>,
    closed: bool,
}

struct Page {
    file: File,
    path: PathBuf,
    minute: i64,
    latest: Timestamp,
}

impl Journal {
    /// Writes a claim down. It may be answered when this has returned, and not before.
    pub(super) fn write(&self, key: ReplayKey, at: Timestamp) -> io::Result<()> {
        let mut pen = self.pen();
        if pen.closed {
            return Err(io::Error::other("the journal is closed"));
        }
        let line = self.shelf.line(pen.epoch, key.to_bytes(), at.micros());
        if pen.page.as_ref().is_none_or(|page| page.minute != minute_of(at.micros())) {
            self.shelf.turn_page(&mut pen, at.micros())?;
        }
        let Some(page) = pen.page.as_mut() else { return Err(io::ErrorKind::NotFound.into()) };
        page.latest = page.latest.max(at);
        // One call to the system, straight into the kernel's memory: a buffer of ours would die
        // with the process.
        let written = page.file.write_all(&line);
        if written.is_err()
            && let Some(broken) = pen.page.take()
        {
            pen.old.push(Old { path: broken.path, latest: broken.latest });
        }
        written
    }

    /// Says that this was all, and waits until it is on disk.
    pub(super) fn close(&self) -> io::Result<()> {
        let mut pen = self.pen();
        if std::mem::replace(&mut pen.closed, true) {
            return Ok(());
        }
        for old in &pen.old {
            File::open(&old.path)?.sync_all()?;
        }
        let line = self.shelf.line(pen.epoch, [0; 16], CLOSED);
        if let Some(page) = pen.page.as_mut() {
            page.file.sync_all()?;
            page.file.write_all(&line)?;
            page.file.sync_all()?;
        }
        self.shelf.sync_folder()
    }

    fn pen(&self) -> MutexGuard<'_, Pen> {
        self.pen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Journal({})", self.shelf.folder.display())
    }
}

fn minute_of(micros: i64) -> i64 {
    micros.div_euclid(60_000_000)
}

//! Temporary directories that are gone when the test process is, however it ends.

use std::{
    fs,
    io::{Read, Write},
    os::unix::{
        fs::{DirBuilderExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// Removes the directory when its input ends, which happens when the test process does. A server
/// that is still stopping may write meanwhile, so it tries for a while.
const REMOVER: &str = r#"
trap '' PIPE
echo watching
read -r _
tries=0
until rm -rf "$1" || [ "$tries" -ge 100 ]; do tries=$((tries + 1)); sleep 0.1; done
"#;

/// A fresh directory with this name in it, readable by this user only.
pub(crate) fn directory(name: &str) -> PathBuf {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let path = root().join(format!("{name}-{}", MADE.fetch_add(1, Ordering::Relaxed)));
    fs::DirBuilder::new().mode(0o700).create(&path).expect("a fresh directory can be made");
    path
}

/// Random lower-case hex, for names and passwords that nobody else on this machine can guess.
pub(crate) fn random_hex() -> String {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut urandom| urandom.read_exact(&mut bytes))
        .expect("/dev/urandom gives bytes");
    let digit = |value: u8| char::from_digit(u32::from(value), 16);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).flatten().collect()
}

fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        // Short, because the path of a unix socket may have 107 bytes only.
        let name = format!("counterfoil-{:.12}", random_hex());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("the temporary directory can be written");
        // A database server under its own user must be able to pass, not to look around.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o711)).expect("it is ours");
        watch(&path);
        path
    })
}

#[expect(clippy::zombie_processes, reason = "it waits for us: that is its work")]
fn watch(path: &Path) {
    let mut remover = Command::new("sh")
        .args(["-c", REMOVER, "remover"])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Ctrl-C at the terminal must end the tests, not the one who cleans up after them.
        .process_group(0)
        .spawn()
        .expect("sh can be started");
    let mut watching = [0; 9];
    remover
        .stdout
        .take()
        .expect("it was asked for")
        .read_exact(&mut watching)
        .expect("the remover says that it watches");
    let mut input = remover.stdin.take().expect("it was asked for");
    input.flush().expect("nothing was written");
    // Held open on purpose until the process ends, whether it returns, panics or is killed.
    std::mem::forget(input);
}

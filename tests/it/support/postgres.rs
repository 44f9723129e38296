//! A private PostgreSQL: one server per test process, one database per test.
//!
//! The server lives in a temporary directory, listens on a port of its own and is stopped by a
//! watchdog when the test process ends. A machine-wide PostgreSQL is never touched. It runs with
//! `fsync = off`, which changes how fast a commit is and nothing that a test can see; tests of
//! durability and benches start a [`Server`] of their own with [`Options::durable`].

#![expect(clippy::disallowed_methods, reason = "the server needs the PATH of this process")]

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

use super::{
    guarded::{Guarded, Program, User},
    scratch,
};

const OLDEST_VERSION: u32 = 15;
const MISSING: &str = "PostgreSQL 15 or newer is not installed: run `make test`, which installs \
                       what the tests need";
const READY: &str = "database system is ready to accept connections";

/// How a private server is run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Flush to disk at each commit, as in production.
    pub(crate) durable: bool,
    /// A library to load before all others: the bench's slow flush.
    pub(crate) preload: Option<PathBuf>,
    /// Further settings, `name=value`.
    pub(crate) settings: Vec<String>,
}

impl Options {
    /// As in production, and with the slow flush that `make bench-slow-disk` loads into the bench's
    /// own process, if it did.
    pub(crate) fn for_bench() -> Self {
        let preload = std::env::var_os("LD_PRELOAD").map(PathBuf::from);
        Self { durable: true, preload, settings: Vec::new() }
    }
}

/// A PostgreSQL server that belongs to this process.
pub(crate) struct Server {
    program: Program,
    port: u16,
    password: String,
    running: Option<Guarded>,
}

/// A migrated database of its own in the shared server; dropped with this value.
pub(crate) struct Database {
    pub(crate) url: String,
    name: String,
}

impl Server {
    /// Makes an empty cluster and starts it.
    pub(crate) fn start(options: &Options) -> Self {
        let binaries = binaries().unwrap_or_else(|| panic!("{MISSING}"));
        let user = user_for_servers();
        let directory = scratch::directory("pg");
        hand_over(&directory, user.as_ref());
        let password = scratch::random_hex();
        make_cluster(&binaries, &directory, user.as_ref(), &password);
        // A free port can be taken by somebody else before the server has it: then the next one.
        let mut complaint = String::new();
        for _ in 0..5 {
            let port = free_port();
            let program = program(&binaries, &directory, user.clone(), port, options);
            match program.start(READY) {
                Ok(running) => return Self { program, port, password, running: Some(running) },
                Err(printed) => complaint = printed,
            }
        }
        panic!("the private PostgreSQL does not start: {complaint}");
    }

    /// The address of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://counterfoil:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// The port it listens on, to put a proxy in front.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9`: as if the machine's memory had failed.
    pub(crate) fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.end("KILL");
        }
    }

    /// Ends it at once but in order: connections are cut, nothing is lost.
    pub(crate) fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.end("INT");
        }
    }

    /// Starts it again after [`Server::kill`] or [`Server::stop`], on the same port and data.
    pub(crate) fn start_again(&mut self) {
        let started = self.program.start(READY);
        self.running = Some(started.unwrap_or_else(|log| panic!("PostgreSQL is gone: {log}")));
    }

    /// One statement as the superuser.
    pub(crate) async fn execute(&self, statement: &str) {
        let mut connection =
            PgConnection::connect(&self.url("postgres")).await.expect("the server answers");
        connection
            .execute(AssertSqlSafe(statement))
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
        connection.close().await.expect("the connection closes");
    }
}

/// The server that all tests of this process share.
pub(crate) fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start(&Options::default()))
}

/// A database of its own for one test: a copy of a template that `migrate` brought up to date
/// once. Copying takes a fraction of the time of migrating.
pub(crate) async fn database(migrate: impl AsyncFnOnce(String)) -> Database {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let server = shared();
    let template = TEMPLATE
        .get_or_init(|| async {
            let name = fresh_name("template");
            server.execute(&format!("CREATE DATABASE {name}")).await;
            migrate(server.url(&name)).await;
            name
        })
        .await;
    let name = fresh_name("t");
    server.execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    Database { url: server.url(&name), name }
}

/// An empty database of its own, to restore a backup into.
pub(crate) async fn empty_database() -> Database {
    let (server, name) = (shared(), fresh_name("t"));
    server.execute(&format!("CREATE DATABASE {name}")).await;
    Database { url: server.url(&name), name }
}

/// A program of the server's own release: a `pg_dump` of another one may refuse the server.
pub(crate) fn tool(name: &str) -> PathBuf {
    binaries().unwrap_or_else(|| panic!("{MISSING}")).join(name)
}

impl Drop for Database {
    /// Frees the disk. The test does not wait for it, and the server's end would do it too.
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime starts").block_on(shared().execute(&statement));
        });
    }
}

fn fresh_name(prefix: &str) -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    format!("{prefix}_{}", MADE.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

fn program(
    binaries: &Path,
    directory: &Path,
    user: Option<User>,
    port: u16,
    options: &Options,
) -> Program {
    let switch = |on: bool| if on { "on" } else { "off" };
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        format!("unix_socket_directories={}", directory.display()),
        "max_connections=300".to_owned(),
        // Shared memory in files of the cluster: a killed server leaves nothing in /dev/shm.
        "dynamic_shared_memory_type=mmap".to_owned(),
        format!("fsync={}", switch(options.durable)),
        format!("full_page_writes={}", switch(options.durable)),
        // Its nap would only add noise to tables that live for a second.
        format!("autovacuum={}", switch(options.durable)),
    ];
    settings.extend(options.settings.iter().cloned());
    let mut program = Program::new(binaries.join("postgres"), directory)
        .arg("-D")
        .arg(directory.join("data"))
        .user(user)
        // QUIT: the data is thrown away, so nobody waits for a last checkpoint.
        .final_signal("QUIT");
    for setting in settings {
        program = program.arg("-c").arg(setting);
    }
    if let Some(library) = &options.preload {
        // Copied to where the server's user can read it: a library that cannot be read is
        // skipped without an error, and the bench would measure the quick disk.
        let copy = directory.join("preload.so");
        fs::copy(library, &copy).expect("the library to preload is there: `make` builds it");
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).expect("it is ours");
        program = program.env("LD_PRELOAD", copy);
    }
    program
}

fn make_cluster(binaries: &Path, directory: &Path, user: Option<&User>, password: &str) {
    // A password even on the loopback: on a shared machine a superuser without one would let any
    // other user run commands as us while the tests run.
    let secret = directory.join("password");
    fs::write(&secret, password).expect("the directory is ours");
    hand_over(&secret, user);
    let mut initdb = Command::new(binaries.join("initdb"));
    initdb
        .args(["--locale=C", "--encoding=UTF8", "--username=counterfoil", "--auth=password"])
        .args(["--no-sync", "--pgdata"])
        .arg(directory.join("data"))
        .arg("--pwfile")
        .arg(&secret)
        // Another user may not be able to read it, and a cluster may be made at any speed.
        .env_remove("LD_PRELOAD")
        .current_dir(directory);
    become_user(&mut initdb, user);
    let output = initdb.output().expect("initdb can be run");
    assert!(
        output.status.success(),
        "initdb failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    fs::remove_file(&secret).expect("it is ours");
}

fn become_user(command: &mut Command, user: Option<&User>) {
    use std::os::unix::process::CommandExt;
    if let Some(user) = user {
        command.gid(user.gid).uid(user.uid);
    }
}

fn hand_over(path: &Path, user: Option<&User>) {
    if let Some(user) = user {
        std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid)).expect("root may give");
    }
}

/// PostgreSQL refuses to run as root, so root borrows another user for it.
fn user_for_servers() -> Option<User> {
    let number = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if number(&["-u"]) != Some(0) {
        return None;
    }
    let found = ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| Some(User { uid: number(&["-u", name])?, gid: number(&["-g", name])? }));
    Some(found.expect("as root, a user `postgres` or `nobody` is needed: PostgreSQL refuses root"))
}

/// The newest installed PostgreSQL: on the path, or where the distributions hide it.
fn binaries() -> Option<PathBuf> {
    let mut places: Vec<PathBuf> = Vec::new();
    if let Some(path) = std::env::var_os("PATH") {
        places.extend(std::env::split_paths(&path));
    }
    for (parent, inside) in [
        ("/usr/lib/postgresql", "bin"),
        ("/usr/libexec", ""),
        ("/usr", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
    ] {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        places.extend(entries.map(|entry| entry.path().join(inside)));
    }
    places
        .into_iter()
        // Through links to where the whole release lies: some systems link a few of its programs.
        .filter_map(|place| place.join("initdb").canonicalize().ok()?.parent().map(Path::to_owned))
        .filter_map(|place| Some((version(&place)?, place)))
        .filter(|(version, _)| *version >= OLDEST_VERSION)
        .max_by_key(|(version, _)| *version)
        .map(|(_, place)| place)
}

fn version(place: &Path) -> Option<u32> {
    let output = Command::new(place.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let number =
        text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    number?.split('.').next()?.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}

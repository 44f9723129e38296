//! Start and end: what a scratched start says, what a drain finishes.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use counterfoil::{app::App, base::random::Random, config::ReplayStore};

use crate::support::{
    app::{TestApp, settings},
    both::TestDb,
    http::Request,
    scratch,
};

fn serve(home: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
    command.args(line.split_whitespace()).current_dir(home).env_clear();
    command
}

fn fails(home: &Path, line: &str) -> String {
    let Output { status, stderr, .. } = serve(home, line).output().unwrap();
    assert_eq!(status.code(), Some(1));
    String::from_utf8_lossy(&stderr).into_owned()
}

/// A running server, and the address from its last line of greeting.
fn started(home: &Path, line: &str) -> (Child, String) {
    started_with(home, line, Stdio::null())
}

fn started_with(home: &Path, line: &str, log: Stdio) -> (Child, String) {
    let mut child = serve(home, line).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
    let mut greeting = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let listening = |line: String| line.strip_prefix("Listening on ").map(str::to_owned);
    let address = greeting.find_map(listening);
    (child, address.expect("the server says where it listens"))
}

fn terminate(child: &Child) {
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
}

#[tokio::test]
async fn one_command_starts_a_sandbox_and_a_signal_ends_it_cleanly() {
    let home = scratch::directory("serve");
    for round in ["first", "second"] {
        let said = home.join("said");
        let log = fs::File::create(&said).unwrap();
        let (mut child, address) = started_with(&home, "--listen 127.0.0.1:0", log.into());
        let answer = Request::get("/readyz").send(address.parse().unwrap()).await;
        answer.expect_status(200);
        terminate(&child);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{round}");
        let said = fs::read_to_string(said).unwrap();
        assert!(
            said.contains("Stopped.") && !said.contains("ERROR") && !said.contains("WARN"),
            "{said}"
        );
    }
    assert!(home.join("data/counterfoil.db").exists() && home.join("keys/ring.json").exists());
}

/// Whoever else has an account on the machine must not read balances or copy used proofs.
#[tokio::test]
async fn what_a_start_makes_is_for_its_owner_and_what_was_there_stays_as_it_was() {
    let home = scratch::directory("modes");
    let (mut child, address) = started(&home, "--listen 127.0.0.1:0");
    Request::get("/readyz").send(address.parse().unwrap()).await.expect_status(200);
    let data = home.join("data");
    for (path, mode) in modes(&data) {
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
    for made in ["counterfoil.db", "counterfoil.db-wal", "counterfoil.db-shm", "replay"] {
        assert!(data.join(made).exists(), "{made}");
    }
    terminate(&child);
    assert!(child.wait().unwrap().success());

    let chosen = [(data.clone(), 0o750), (data.join("counterfoil.db"), 0o640)];
    for (path, mode) in &chosen {
        fs::set_permissions(path, fs::Permissions::from_mode(*mode)).unwrap();
    }
    let (mut child, address) = started(&home, "--listen 127.0.0.1:0");
    Request::get("/readyz").send(address.parse().unwrap()).await.expect_status(200);
    let found = modes(&data);
    for chosen in &chosen {
        assert!(found.contains(chosen), "{chosen:?}: the operator's choice");
    }
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

/// A folder and everything in it, with modes.
fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = vec![(folder.to_owned(), mode(folder))];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(modes(&path));
        } else {
            found.push((path.clone(), mode(&path)));
        }
    }
    found
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_taken_port_is_one_clear_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = scratch::directory("serve");
    let told = fails(&home, &format!("serve --listen {}", taken.local_addr().unwrap()));
    assert!(told.contains("another program listens there"), "{told}");
}

#[test]
fn keys_that_cannot_be_read_are_one_clear_sentence() {
    let home = scratch::directory("serve");
    std::fs::create_dir_all(home.join("keys")).unwrap();
    std::fs::write(home.join("keys/ring.json"), "{ not json").unwrap();
    let told = fails(&home, "serve --listen 127.0.0.1:0");
    assert!(told.contains("the signing keys cannot be used: keys/ring.json"), "{told}");
}

#[test]
fn a_database_that_is_none_is_one_clear_sentence() {
    let home = scratch::directory("serve");
    std::fs::write(home.join("no.db"), "this is a letter, not a database, and it is long enough")
        .unwrap();
    let told = fails(&home, "serve --listen 127.0.0.1:0 --database-url sqlite://no.db");
    assert!(told.lines().count() <= 3 && told.contains("not a database"), "{told}");
}

#[test]
fn a_database_server_that_is_not_there_is_one_clear_sentence() {
    let home = scratch::directory("serve");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://nobody@127.0.0.1:{port}/nothing");
    let told = fails(&home, &format!("serve --listen 127.0.0.1:0 --database-url {url}"));
    let place = format!("the PostgreSQL server at 127.0.0.1:{port} cannot be used");
    assert!(told.lines().count() == 1 && told.contains(&place), "{told}");
}

#[test]
fn an_audit_does_not_make_the_keys_that_it_misses() {
    let home = scratch::directory("verify");
    assert!(serve(&home, "migrate").output().unwrap().status.success());
    let Output { status, stdout, .. } = serve(&home, "verify --json").output().unwrap();
    assert_eq!(status.code(), Some(1));
    let told = String::from_utf8_lossy(&stdout);
    assert!(told.contains("there are none in keys"), "{told}");
    assert!(!home.join("keys").exists());
}

#[tokio::test]
async fn a_second_replica_with_a_record_in_memory_does_not_start() {
    let db = TestDb::postgres().await;
    let app = TestApp::with(&db, |config| config.oauth.replay_store = ReplayStore::Memory).await;
    let mut settings = settings(&db.url, app.address, &app.keys_dir);
    settings.oauth.replay_store = ReplayStore::Memory;
    let (clock, random) = (app.ctx.clock.clone(), Random::seeded(99));
    let refused = App::open(&settings, clock, random).await.unwrap_err();
    assert!(refused.cause_chain().unwrap().contains("another replica"), "{refused:?}");
    app.replica.beat().await.expect("and is not disturbed by those who were refused");
    app.stop().await;
}

#[tokio::test]
async fn a_planned_restart_finds_its_place_free() {
    let db = TestDb::postgres().await;
    let app = TestApp::start(&db).await;
    let (clock, hands, keys) = (app.ctx.clock.clone(), app.hands.clone(), app.keys_dir.clone());
    app.stop().await;
    TestApp::at(&db, clock, hands, keys, |_| ()).await.stop().await;
}

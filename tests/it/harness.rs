//! The harness itself: a test server that lies would make every other test worthless.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
};

use sqlx::{Connection, PgConnection};

use crate::support::{
    both::{TestDb, both},
    guarded::Program,
    http::{Connection as Client, Request},
    postgres::{Options, Server},
    proxy::Proxy,
    redis::Redis,
    scratch,
};

fn runs(pid: u32) -> bool {
    Command::new("sh").args(["-c", &format!("kill -0 {pid}")]).output().unwrap().status.success()
}

both! {
    async fn each_engine_gets_a_migrated_database_of_its_own(db: TestDb) {
        let open = db.open().await;
        assert_eq!(open.engine(), db.engine);
        open.check_version().await.unwrap();
        open.close().await;
    }
}

#[tokio::test]
async fn two_databases_do_not_see_each_other() {
    let databases = [TestDb::postgres().await, TestDb::postgres().await];
    for database in &databases {
        let mut connection = PgConnection::connect(&database.url).await.unwrap();
        sqlx::query("CREATE TABLE mine (n BIGINT)").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

#[test]
fn a_dropped_server_is_gone() {
    let directory = scratch::directory("guarded");
    let script = ["-c", "echo up; exec sleep 1000"];
    let guarded = Program::new("sh", &directory).args(script).start("up").unwrap();
    let pid = guarded.pid;
    assert!(runs(pid));
    drop(guarded);
    assert!(!runs(pid));
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let directory = scratch::directory("guarded");
    let started =
        Program::new("sh", &directory).args(["-c", "echo no licence; exit 3"]).start("up");
    assert!(started.err().unwrap().contains("no licence"));
}

#[tokio::test]
async fn a_killed_postgres_keeps_what_it_acknowledged() {
    let mut server = Server::start(&Options { durable: true, ..Options::default() });
    server.execute("CREATE TABLE kept (n BIGINT)").await;
    server.kill();
    assert!(PgConnection::connect(&server.url("postgres")).await.is_err());
    server.start_again();
    server.execute("INSERT INTO kept VALUES (1)").await;
    server.stop();
    assert!(PgConnection::connect(&server.url("postgres")).await.is_err());
}

#[test]
fn a_killed_redis_forgets_and_a_paused_one_waits() {
    let mut redis = Redis::start();
    let url = redis.url();
    let client = redis_client(&url);
    let set = |key: &str| {
        let mut connection = client.get_connection().unwrap();
        ::redis::cmd("SET").arg(key).arg("1").arg("NX").query::<Option<String>>(&mut connection)
    };
    assert!(set("claim").unwrap().is_some());
    redis.pause();
    redis.resume();
    assert!(set("claim").unwrap().is_none());
    redis.kill();
    assert!(client.get_connection().is_err());
    redis.start_again();
    assert!(set("claim").unwrap().is_some());
}

fn redis_client(url: &str) -> ::redis::Client {
    ::redis::Client::open(url).unwrap()
}

#[test]
fn a_proxy_passes_freezes_and_cuts() {
    let echo = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = echo.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in echo.incoming().flatten() {
            let mut byte = [0];
            while stream.read_exact(&mut byte).is_ok() {
                let _ = stream.write_all(&byte);
            }
        }
    });
    let proxy = Proxy::to(port);
    let connect = || TcpStream::connect(("127.0.0.1", proxy.port)).unwrap();
    let mut byte = [0];
    let mut stream = connect();
    stream.write_all(b"a").unwrap();
    stream.read_exact(&mut byte).unwrap();
    proxy.freeze();
    stream.write_all(b"b").unwrap();
    proxy.mend();
    stream.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"b");
    proxy.cut();
    assert_eq!(stream.read(&mut byte).unwrap_or(0), 0);
    assert_eq!(connect().read(&mut byte).unwrap_or(0), 0);
    proxy.mend();
    let mut again = connect();
    again.write_all(b"c").unwrap();
    again.read_exact(&mut byte).unwrap();
}

#[tokio::test]
async fn the_raw_client_shows_every_header_and_both_framings() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let count = stream.read(&mut request).unwrap();
        stream
            .write_all(
                b"HTTP/1.1 100 Continue\r\n\r\n\
                  HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 2\r\n\r\n{}\
                  HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n\
                  3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
            )
            .unwrap();
        String::from_utf8(request[..count].to_vec()).unwrap()
    });
    let mut client = Client::open(address).await;
    let request =
        Request::post("/x?y").header("DPoP", "1").header("DPoP", "2").form(&[("a", "b c")]);
    let first = client.send(&request).await.expect_status(200);
    assert_eq!(first.all("Set-Cookie"), ["a", "b"]);
    assert_eq!(first.json(), serde_json::json!({}));
    let second = client.read_response().await.unwrap();
    assert_eq!((second.status, second.text().as_str()), (404, "abcde"));
    assert!(client.is_closed().await);
    let sent = server.join().unwrap();
    assert!(sent.starts_with("POST /x?y HTTP/1.1\r\nHost: 127.0.0.1:"));
    assert!(sent.contains("DPoP: 1\r\nDPoP: 2\r\n"));
    assert!(sent.ends_with("Content-Length: 7\r\n\r\na=b%20c"));
}

#[test]
fn temporary_directories_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let directory = scratch::directory("mode");
    let mode = Path::new(&directory).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

//! Connections that are kept for nothing, and callers who open too many.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Bytes, routing::get};
use counterfoil::{
    base::tasks::Tasks,
    web::{
        places::Places,
        server::{self, Connections},
    },
};
use tokio::sync::Barrier;

use crate::support::http::{Connection, Request};

const LONG: Duration = Duration::from_hours(1);
const SHORT: Duration = Duration::from_millis(50);
/// How a connection of HTTP/2 begins, and an empty SETTINGS frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

/// More than the buffers of both ends take.
static HUGE: [u8; 32 << 20] = [0; 32 << 20];

async fn serve(connections: Connections, gate: Arc<Barrier>) -> SocketAddr {
    let tasks = Tasks::default();
    let router = Router::new()
        .route("/", get(async || "hello"))
        .route("/huge", get(async || Bytes::from_static(&HUGE)))
        .route(
            "/gate",
            get(async move || {
                gate.wait().await;
                gate.wait().await;
                "passed"
            }),
        );
    let listener = server::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = server::Options { connections, ..server::Options::default() };
    tasks.spawn(server::serve(listener, router, options, tasks.clone()));
    address
}

async fn patient(head: Duration, idle: Duration) -> SocketAddr {
    let connections = Connections { head, idle, ..Connections::default() };
    serve(connections, Arc::new(Barrier::new(2))).await
}

async fn with_places(most: usize, share: usize, proxies: &[&str]) -> SocketAddr {
    let proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
    let places = Places::new(most, share);
    let connections = Connections { places, proxies, head: LONG, idle: LONG };
    serve(connections, Arc::new(Barrier::new(2))).await
}

/// A connection that the server has certainly accepted.
async fn used(address: SocketAddr) -> Connection {
    let mut connection = Connection::open(address).await;
    connection.send(&Request::get("/")).await.expect_status(200);
    connection
}

/// Reads until the server closes, whatever it says before.
async fn closes(connection: &mut Connection) {
    while connection.read_anything().await > 0 {}
}

#[tokio::test]
async fn whoever_does_not_begin_or_finish_a_first_request_is_let_go() {
    let address = patient(SHORT, LONG).await;
    let said: [&[u8]; 6] = [
        b"",
        b"P",
        b"PRI * HTTP/2.0\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Sl",
        &PREFACE[..24],
        PREFACE,
    ];
    for said in said {
        let mut silent = Connection::open(address).await;
        silent.write(said).await;
        closes(&mut silent).await;
    }
}

#[tokio::test]
async fn a_slow_second_head_is_let_go_and_an_idle_connection_kept() {
    let address = patient(SHORT, LONG).await;
    let (mut idle, mut slow) = (used(address).await, used(address).await);
    slow.write(b"GET / HT").await;
    closes(&mut slow).await;
    idle.send(&Request::get("/")).await.expect_status(200);
}

#[tokio::test]
async fn an_idle_connection_is_let_go_after_a_while() {
    let address = patient(LONG, SHORT).await;
    let mut idle = used(address).await;
    closes(&mut idle).await;
}

#[tokio::test]
async fn a_connection_at_work_is_never_let_go() {
    let gate = Arc::new(Barrier::new(2));
    let connections = Connections { head: SHORT, idle: SHORT, ..Connections::default() };
    let address = serve(connections, gate.clone()).await;
    let mut working = Connection::open(address).await;
    working.write(b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n").await;
    gate.wait().await;
    // Each of these takes as long as the one at work might have.
    for _ in 0..3 {
        closes(&mut Connection::open(address).await).await;
    }
    gate.wait().await;
    let answer = working.read_response().await.unwrap().expect_status(200);
    assert_eq!(answer.text(), "passed");
}

#[tokio::test]
async fn who_does_not_take_the_answer_is_let_go() {
    let connections =
        Connections { places: Places::new(1, 1), head: SHORT, idle: SHORT, ..Default::default() };
    let address = serve(connections, Arc::new(Barrier::new(2))).await;
    let mut greedy = Connection::open(address).await;
    greedy.write(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(greedy.read_more().await.starts_with("HTTP/1.1 200"));
    // The only place is free again once it has been closed.
    let freed = async { while !is_served(address).await {} };
    tokio::time::timeout(Duration::from_secs(20), freed).await.unwrap();
}

async fn is_served(address: SocketAddr) -> bool {
    let mut connection = Connection::open(address).await;
    connection.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    connection.read_response().await.is_some()
}

#[tokio::test]
async fn one_host_has_a_share_of_the_connections() {
    let address = with_places(10, 2, &[]).await;
    let held = [used(address).await, used(address).await];
    assert!(!is_served(address).await);
    drop(held);
    let freed = async { while !is_served(address).await {} };
    tokio::time::timeout(Duration::from_secs(20), freed).await.unwrap();
}

#[tokio::test]
async fn a_listed_proxy_has_no_share_and_counts_as_any_other_in_the_whole() {
    let address = with_places(3, 1, &["127.0.0.0/8"]).await;
    let _held = [used(address).await, used(address).await, used(address).await];
    assert!(!is_served(address).await);
}

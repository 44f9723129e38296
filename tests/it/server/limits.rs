//! What one request may cost, tried on a small server of its own.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request as Incoming},
    middleware::{Next, from_fn, from_fn_with_state},
    routing::{get, post},
};
use counterfoil::{
    base::tasks::Tasks,
    web::{
        error::{Dialect, render},
        json::JsonBody,
        limits::{Arrival, Limits, guard, guard_probe},
        places::Places,
        server,
    },
};
use tokio::sync::{Barrier, Semaphore};

use crate::support::http::{Connection, Request};

struct Small {
    address: SocketAddr,
    tasks: Tasks,
}

impl Small {
    async fn start(patience: Duration, at_once: usize, gate: Arc<Barrier>) -> Self {
        let arrival = Arrival { patience, places: Places::new(10, 10), proxies: Arc::default() };
        Self::with(arrival, patience, at_once, gate).await
    }

    async fn with(
        arrival: Arrival,
        patience: Duration,
        at_once: usize,
        gate: Arc<Barrier>,
    ) -> Self {
        let tasks = Tasks::default();
        let at_once = Arc::new(Semaphore::new(at_once));
        let limits = Limits { body: 1_000, arrival, patience, at_once, tasks: tasks.clone() };
        let limits = Arc::new(limits);
        let probe = Router::new()
            .route("/probe", get(async || "alive"))
            .layer(from_fn_with_state(limits.clone(), guard_probe));
        let router = Router::new()
            .route("/echo", post(async |body: JsonBody| body.0.to_string()))
            .route("/panic", post(async || -> () { panic!("on purpose") }))
            .route("/never", post(async || std::future::pending::<()>().await))
            .route(
                "/gate",
                post(async move || {
                    gate.wait().await;
                    gate.wait().await;
                    "passed"
                }),
            )
            .layer(DefaultBodyLimit::disable())
            .layer(from_fn_with_state(limits, guard))
            .merge(probe)
            .layer(from_fn(|request: Incoming, next: Next| {
                render(Dialect::Payouts, request, next)
            }));
        let listener = server::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let drain = Duration::from_secs(10);
        let options = server::Options { drain, ..server::Options::default() };
        tasks.spawn(server::serve(listener, router, options, tasks.clone()));
        Self { address, tasks }
    }

    /// One place to work, and this many bodies on their way.
    async fn narrow(arriving: Places, proxies: &[&str]) -> Self {
        let proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        let long = Duration::from_secs(20);
        let arrival = Arrival { patience: long, places: arriving, proxies };
        Self::with(arrival, long, 1, Arc::new(Barrier::new(2))).await
    }

    async fn plain() -> Self {
        Self::start(Duration::from_secs(20), 10, Arc::new(Barrier::new(2))).await
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let small = Small::plain().await;
    let text = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    let send = async |body: String| {
        let request = Request::post("/echo").header("Content-Type", "application/json").body(body);
        request.send(small.address).await
    };
    send(text(1_000)).await.expect_status(200);
    let refused = send(text(1_001)).await.expect_status(413);
    assert_eq!(refused.json()["error"]["code"], "body_too_large");
}

#[tokio::test]
async fn a_panic_is_a_plain_500_and_ends_its_own_request_only() {
    let small = Small::plain().await;
    let broken = Request::post("/panic").send(small.address).await.expect_status(500);
    assert_eq!(broken.json()["error"]["message"], "internal server error");
    Request::post("/echo")
        .json(&serde_json::json!({}))
        .send(small.address)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn a_body_that_never_arrives_and_a_handler_that_never_ends_are_given_up() {
    let small = Small::start(Duration::from_millis(50), 10, Arc::new(Barrier::new(2))).await;
    let mut slow = Connection::open(small.address).await;
    slow.write(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{").await;
    let refused = slow.read_response().await.unwrap().expect_status(408);
    assert_eq!(refused.json()["error"]["code"], "request_timeout");
    let unknown = Request::post("/never").send(small.address).await.expect_status(503);
    assert_eq!(unknown.json()["error"]["code"], "outcome_unknown");
    assert!(unknown.header("Retry-After").is_some());
}

#[tokio::test]
async fn a_slow_body_is_given_up_long_before_a_slow_handler() {
    let arrival = Arrival {
        patience: Duration::from_millis(50),
        places: Places::new(10, 10),
        proxies: Arc::default(),
    };
    let gate = Arc::new(Barrier::new(2));
    let small = Small::with(arrival, Duration::from_secs(20), 10, gate.clone()).await;
    let address = small.address;
    let working = async { Request::post("/gate").send(address).await };
    let slow = async {
        gate.wait().await;
        slow_body(address, "1.1.1.1").await.read_response().await.unwrap().expect_status(408);
        gate.wait().await;
    };
    let (worked, ()) = tokio::join!(working, slow);
    worked.expect_status(200);
}

/// Begins a body, and comes back when the server waits for the rest of it.
async fn slow_body(address: SocketAddr, from: &str) -> Connection {
    let mut slow = Connection::open(address).await;
    let head = format!(
        "POST /echo HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {from}\r\nExpect: 100-continue\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    );
    slow.write(head.as_bytes()).await;
    assert!(slow.read_more().await.starts_with("HTTP/1.1 100"));
    slow.write(b"{").await;
    slow
}

fn empty_object() -> Request {
    Request::post("/echo").json(&serde_json::json!({}))
}

#[tokio::test]
async fn slow_bodies_take_no_place_to_work() {
    let small = Small::narrow(Places::new(10, 10), &[]).await;
    let mut slow = Vec::new();
    for _ in 0..5 {
        slow.push(slow_body(small.address, "").await);
    }
    empty_object().send(small.address).await.expect_status(200);
    for mut slow in slow {
        slow.write(b"}").await;
        slow.read_response().await.unwrap().expect_status(200);
    }
}

#[tokio::test]
async fn one_host_cannot_take_every_place_where_bodies_arrive() {
    let small = Small::narrow(Places::new(3, 1), &["127.0.0.0/8"]).await;
    let send = |from: &str| {
        let request = empty_object().header("X-Forwarded-For", from);
        async move { request.send(small.address).await }
    };
    let slow = slow_body(small.address, "2001:db8::1").await;
    let shed = send("2001:db8::2").await.expect_status(503);
    assert_eq!(shed.header("Retry-After"), Some("1"));
    send("2001:db8:0:1::2").await.expect_status(200);
    // The listed proxy itself has no share, and what has no body waits for no place.
    let _proxied = [slow_body(small.address, "").await, slow_body(small.address, "").await];
    send("3.3.3.3").await.expect_status(503);
    Request::get("/probe").send(small.address).await.expect_status(200);
    drop(slow);
    let freed = async { while send("2001:db8::2").await.status != 200 {} };
    tokio::time::timeout(Duration::from_secs(20), freed).await.unwrap();
}

#[tokio::test]
async fn who_announces_too_much_is_not_waited_for() {
    let small = Small::plain().await;
    for method in ["POST /echo", "GET /probe"] {
        let mut huge = Connection::open(small.address).await;
        let head = format!("{method} HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
        huge.write(head.as_bytes()).await;
        huge.read_response().await.unwrap().expect_status(413);
    }
}

#[tokio::test]
async fn load_beyond_the_places_is_shed_at_once() {
    let gate = Arc::new(Barrier::new(2));
    let small = Small::start(Duration::from_secs(20), 1, gate.clone()).await;
    let address = small.address;
    let first = async { Request::post("/gate").send(address).await };
    let others = async {
        gate.wait().await;
        let shed = Request::post("/gate").send(address).await.expect_status(503);
        assert_eq!(shed.json()["error"]["code"], "unavailable");
        assert_eq!(shed.header("Retry-After"), Some("1"));
        Request::get("/probe").send(address).await.expect_status(200);
        gate.wait().await;
    };
    let (first, ()) = tokio::join!(first, others);
    first.expect_status(200);
}

#[tokio::test]
async fn a_drain_finishes_what_was_accepted_and_takes_nothing_new() {
    let gate = Arc::new(Barrier::new(2));
    let small = Small::start(Duration::from_secs(20), 10, gate.clone()).await;
    let address = small.address;
    let tasks = small.tasks.clone();
    let accepted = async { Request::post("/gate").send(address).await };
    let drain = async {
        gate.wait().await;
        tasks.stop();
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        gate.wait().await;
        assert!(tasks.drain(Duration::from_secs(10)).await);
    };
    let (accepted, ()) = tokio::join!(accepted, drain);
    assert_eq!(accepted.expect_status(200).text(), "passed");
}

#[tokio::test]
async fn a_caller_that_leaves_does_not_cut_the_work_in_half() {
    let gate = Arc::new(Barrier::new(2));
    let small = Small::start(Duration::from_secs(20), 10, gate.clone()).await;
    let mut impatient = Connection::open(small.address).await;
    impatient.write(b"POST /gate HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await;
    gate.wait().await;
    drop(impatient);
    // The handler is still there to meet us a second time.
    gate.wait().await;
}

//! What one request may cost, tried on a small server of its own.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request as Incoming},
    middleware::{Next, from_fn, from_fn_with_state},
    routing::post,
};
use counterfoil::{
    base::tasks::Tasks,
    web::{
        error::{Dialect, render},
        json::JsonBody,
        limits::{Limits, guard},
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
        let tasks = Tasks::default();
        let at_once = Arc::new(Semaphore::new(at_once));
        let limits = Limits { body: 1_000, patience, at_once, tasks: tasks.clone() };
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
            .layer(from_fn(|request: Incoming, next: Next| {
                render(Dialect::Payouts, request, next)
            }));
        let listener = server::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let drain = Duration::from_secs(10);
        let options = server::Options { head_limit: 8_192, drain, tls: None };
        tasks.spawn(server::serve(listener, router, options, tasks.clone()));
        Self { address, tasks }
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

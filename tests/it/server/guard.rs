//! No route of the API can be reached without a token and a proof, and nothing from outside makes a 5xx.

use counterfoil::web::openapi;
use serde_json::Value;

use crate::support::{
    app::TestApp,
    both::both,
    http::{Connection, Request},
};

/// Method and path of every operation under `/v1`, with made-up ids in the path.
fn operations() -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(openapi::JSON).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/v1/") {
            continue;
        }
        let filled: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        for method in item.as_object().unwrap().keys() {
            found.push((method.to_uppercase(), filled.join("/")));
        }
    }
    assert!(!found.is_empty());
    found
}

both! {
    async fn every_operation_asks_who_calls(db: TestDb) {
        let app = TestApp::start(&db).await;
        for (method, path) in operations() {
            let answer = app.send(Request::new(&method, &path)).await.expect_status(401);
            assert_eq!(answer.json()["error"]["code"], "unauthorized", "{method} {path}");
            let challenge = answer.header("WWW-Authenticate").unwrap();
            assert!(challenge.starts_with("DPoP "), "{method} {path}: {challenge}");
            assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        }
        app.stop().await;
    }

    async fn unknown_paths_and_methods_are_refused_in_the_envelope(db: TestDb) {
        let app = TestApp::start(&db).await;
        let lost = app.send(Request::get("/v1/nothing")).await.expect_status(404);
        assert_eq!(lost.json()["error"]["code"], "not_found");
        assert!(lost.header("X-Request-ID").unwrap().starts_with("req_"));
        let wrong = app.send(Request::new("DELETE", "/v1/credential")).await.expect_status(405);
        assert_eq!(wrong.json()["error"]["code"], "method_not_allowed");
        assert_eq!(wrong.header("Allow"), Some("GET,HEAD"));
        let wrong = app.send(Request::get("/oauth/token")).await.expect_status(405);
        assert_eq!(wrong.json()["error"], "invalid_request");
        assert_eq!(wrong.header("Allow"), Some("POST"));
        app.stop().await;
    }

    async fn broken_http_ends_its_own_connection_only(db: TestDb) {
        let app = TestApp::start(&db).await;
        let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(100_000));
        for bytes in [
            "nonsense\r\n\r\n",
            "GET / HTTP/9.9\r\n\r\n",
            "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
            &long,
        ] {
            let mut connection = Connection::open(app.address).await;
            connection.write(bytes.as_bytes()).await;
            if let Some(answer) = connection.read_response().await {
                assert!((400..500).contains(&answer.status), "{}: {bytes:.60}", answer.status);
            }
        }
        app.send(Request::get("/healthz")).await.expect_status(200);
        app.stop().await;
    }

    async fn requests_carry_their_name_and_the_security_headers(db: TestDb) {
        let app = TestApp::start(&db).await;
        let named = Request::get("/healthz").header("X-Request-ID", "mine-1");
        let answer = app.send(named).await.expect_status(200);
        assert_eq!(answer.header("X-Request-ID"), Some("mine-1"));
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
        assert!(answer.header("Content-Security-Policy").unwrap().contains("default-src 'none'"));
        let ready = app.send(Request::get("/readyz")).await.expect_status(200).json();
        assert_eq!(ready["checks"]["database"], Value::from("ok"));
        let metrics = app.send(Request::get("/metrics")).await.expect_status(200).text();
        assert!(metrics.contains("http_requests_total{"), "{metrics}");
        app.stop().await;
    }
}

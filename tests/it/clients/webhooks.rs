//! Signatures in the eyes of others: the libraries of Standard Webhooks, and verifiers written from
//! what each API publishes, in Node and in Python.

use std::{path::PathBuf, time::Duration};

use counterfoil::{
    base::failure::{Failure, Result},
    db,
    events::{
        EndpointId,
        endpoints::{self, Filter, Metadata, NewEndpoint},
        log::{self, EventType, NewEvent},
        signatures::Dialect,
    },
};
use serde_json::{Value, json};
use tokio::task::block_in_place;

use super::{NODE_OPTIONS, installed};
use crate::{
    events::receiver::Receiver,
    support::{app::TestApp, both::TestDb, client::Client, guarded::Program, scratch},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_in_node_and_python_take_every_dialect() {
    let db = TestDb::sqlite().await;
    let app = TestApp::in_real_time(&db, |config| config.webhooks.allow_loopback = true).await;
    let client = app.client("webhooks:read").await;
    let (mut cases, mut expected) = (Vec::new(), Vec::new());
    for dialect in Dialect::ALL {
        let receiver = Receiver::saying(200).await;
        let id = make(&app, &client, dialect, &receiver).await;
        let old = key(&app, &client, id).await;
        let before = deliver(&app, &client, &receiver).await;
        let day = Duration::from_hours(24);
        endpoints::rotate(&app.events, client.merchant, id, day).await.unwrap();
        let new = key(&app, &client, id).await;
        let during = deliver(&app, &client, &receiver).await;

        let (many, timed) = (dialect == Dialect::Standard, dialect == Dialect::Payments);
        let stays = !many && dialect != Dialect::Stores;
        let mut expect = |seen: &Value, key: &Value, first: bool, second: bool| {
            cases.push(json!({
                "dialect": dialect.as_str(), "key": key,
                "headers": seen["headers"], "body": seen["body"],
            }));
            expected.push(json!([dialect.as_str(), first, second]));
        };
        expect(&before, &old, true, many || timed);
        expect(&before, &new, false, false);
        // While both are good: what the documented check sees, and what stands beside it.
        expect(&during, &old, stays || many, !stays || timed);
        expect(&during, &new, !stays, stays || many);
        let mut forged = before.clone();
        forged["body"] = json!(before["body"].as_str().unwrap().replace("pay_1", "pay_2"));
        expect(&forged, &old, false, false);
    }
    let cases = Value::Array(cases);
    let python = installed().join("venv/bin/python");
    assert_eq!(verify("node".into(), NODE_OPTIONS, "webhooks.mjs", &cases), expected);
    assert_eq!(verify(python, &[], "webhooks.py", &cases), expected);
    app.stop().await;
}

async fn make(app: &TestApp, client: &Client, dialect: Dialect, to: &Receiver) -> EndpointId {
    let target = app.events.outbound.check(&to.url()).await.unwrap();
    let filter = Filter::read(["*"]).unwrap();
    let new = NewEndpoint { target, filter, dialect, metadata: Metadata::default() };
    endpoints::create(&app.events, client.merchant, &new).await.unwrap().id
}

async fn key(app: &TestApp, client: &Client, id: EndpointId) -> Value {
    let keys = endpoints::secret(&app.events, client.merchant, id).await.unwrap();
    json!({ "secret": keys.current.secret().expose(), "public_key": keys.current.public() })
}

/// Lets something happen; gives what the receiver saw of it.
async fn deliver(app: &TestApp, client: &Client, receiver: &Receiver) -> Value {
    let event =
        NewEvent::new(EventType::PayoutSent, "pay_1", &json!({ "id": "pay_1", "name": "Zoë" }));
    let event = event.map_err(Failure::internal).unwrap();
    let written: Result<_> = db::write!(app.ctx.db, client.merchant, |tx| {
        log::append(tx, &app.ctx, client.merchant, &event).await
    });
    written.unwrap();
    app.run_due_jobs().await;
    let seen = receiver.seen().pop().expect("it was delivered");
    let headers: serde_json::Map<_, _> =
        seen.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({ "headers": headers, "body": String::from_utf8(seen.body).unwrap() })
}

fn verify(program: PathBuf, options: &[&str], script: &str, cases: &Value) -> Vec<Value> {
    let program = Program::new(program, &scratch::directory("client"))
        .args(options)
        .arg(installed().join("scripts").join(script))
        .env("WEBHOOKS", cases.to_string());
    let done = block_in_place(|| program.start("{\"saw\":"));
    let done = done.unwrap_or_else(|printed| panic!("{script} ended early: {printed}"));
    let line: Value = serde_json::from_str(&done.ready_line).expect("the line is JSON");
    line["saw"].as_array().expect("it is a list").clone()
}

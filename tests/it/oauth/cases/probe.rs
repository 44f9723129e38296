//! Protected routes of odd shapes, behind the guard of the real ones, on a listener of their own.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request as Incoming,
    middleware::{Next, from_fn, from_fn_with_state},
    routing::{any, get},
};
use counterfoil::{
    base::tasks::Tasks,
    oauth::{
        access::{Access, May, SeenTokens, required},
        scopes::right,
    },
    web::{
        error::{Dialect, render},
        limits::{Arrival, Limits, guard},
        places::Places,
        requests::RequestLog,
        server,
    },
};
use futures_util::stream;
use tokio::sync::{Notify, Semaphore};

use crate::support::app::TestApp;

/// The server of these routes; proofs name the public address of the [`TestApp`] it belongs to.
pub(super) struct Probe {
    pub(super) address: std::net::SocketAddr,
    /// Lets `/slow` and `/stream` go on.
    pub(super) go_on: Arc<Notify>,
    /// Told when `/slow` has begun.
    pub(super) begun: Arc<Notify>,
    tasks: Tasks,
}

impl Probe {
    pub(super) async fn beside(app: &TestApp) -> Self {
        let (tasks, go_on, begun) =
            (Tasks::default(), Arc::<Notify>::default(), Arc::<Notify>::default());
        let access = Access {
            authority: app.authority.clone(),
            seen: SeenTokens::default(),
            requests: RequestLog::default(),
        };
        let limits = Limits {
            body: 1_000,
            arrival: Arrival {
                patience: Duration::from_secs(30),
                places: Places::new(100, 100),
                proxies: [].into(),
            },
            patience: Duration::from_secs(30),
            at_once: Arc::new(Semaphore::new(100)),
            tasks: tasks.clone(),
        };
        let router = routes(&go_on, &begun)
            .layer(from_fn_with_state(access, required))
            .layer(from_fn_with_state(Arc::new(limits), guard))
            .layer(from_fn(|request: Incoming, next: Next| {
                render(Dialect::Payouts, request, next)
            }));
        let listener = server::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let drain = Duration::from_secs(10);
        let options = server::Options { head_limit: 32 << 10, drain, ..Default::default() };
        tasks.spawn(server::serve(listener, router, options, tasks.clone()));
        Self { address, go_on, begun, tasks }
    }

    pub(super) fn stop(self) {
        self.tasks.stop();
    }
}

fn routes(go_on: &Arc<Notify>, begun: &Arc<Notify>) -> Router {
    let inner = Router::new().route("/deep/{name}", any(async |_: May<right::Any>| "deep"));
    let (slow, entered, flow) = (go_on.clone(), begun.clone(), go_on.clone());
    Router::new()
        .route("/", get(async |_: May<right::Any>| "root"))
        .route("/any/{*rest}", any(async |_: May<right::Any>| "any"))
        .route("/read", get(async |_: May<right::PayoutsRead>| "read"))
        .route("/panic", get(async |_: May<right::Any>| -> &'static str { panic!("on purpose") }))
        .route(
            "/slow",
            get(async move |_: May<right::Any>| {
                entered.notify_one();
                slow.notified().await;
                "slow"
            }),
        )
        .route(
            "/stream",
            get(async move |_: May<right::Any>| {
                let parts = stream::unfold(0, move |number| {
                    let flow = flow.clone();
                    async move {
                        if number > 0 {
                            flow.notified().await;
                        }
                        let part = Ok::<_, std::io::Error>(Bytes::from(format!("part {number}\n")));
                        (number < 3).then_some((part, number + 1))
                    }
                });
                Body::from_stream(parts)
            }),
        )
        .nest("/outer/nest", inner)
}

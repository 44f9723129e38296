//! The cases of the catalogue that need more than one request with something changed.

/// Declares the functions that show cases, the ids of each, and its tests: on SQLite, or on `both`
/// engines where the outcome depends on what is stored.
macro_rules! cases {
    ($($(#[$note:meta])* $engines:ident [$($id:literal),+] async fn $name:ident($db:ident: TestDb) $body:block)+) => {
        pub(super) const IDS: &[(&str, &str)] = &[$($(($id, stringify!($name)),)+)+];
        $(
            $(#[$note])*
            async fn $name($db: $crate::support::both::TestDb) $body

            mod $name {
                use $crate::support::both::TestDb;

                cases!(@ $engines $name);
            }
        )+
    };
    (@ sqlite $name:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn sqlite() {
            super::$name(TestDb::sqlite().await).await;
        }
    };
    (@ postgres $name:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn postgres() {
            super::$name(TestDb::postgres().await).await;
        }
    };
    (@ both $name:ident) => {
        cases!(@ sqlite $name);
        cases!(@ postgres $name);
    };
}
mod assertions;
mod discovery;
mod endpoint;
mod lifecycle;
mod nonces;
mod presented;
mod probe;
mod registration;
mod replays;
mod resources;
mod robustness;
mod tokens;
mod vectors;

use crate::support::{
    app::TestApp,
    client::Client,
    http::{Request, Response},
};

/// Each id with the function that shows it.
pub(super) const CODE: &[&[(&str, &str)]] = &[
    assertions::IDS,
    discovery::IDS,
    endpoint::IDS,
    lifecycle::IDS,
    nonces::IDS,
    presented::IDS,
    registration::IDS,
    replays::IDS,
    resources::IDS,
    robustness::IDS,
    tokens::IDS,
    vectors::IDS,
];

/// A protected route that any valid token opens.
const ROUTE: &str = "/v1/credential";

/// A request there.
fn protected(token: &str, proof: &str) -> Request {
    Request::get(ROUTE).header("Authorization", format!("DPoP {token}")).header("DPoP", proof)
}

/// Presents a token there, with a good proof for it.
async fn present(app: &TestApp, client: &Client, token: &str) -> Response {
    client.get(app, token, ROUTE).await
}

/// Fails unless the answer is this refusal of a protected request.
#[track_caller]
fn refused(answer: Response, status: u16, error: &str) {
    let answer = answer.expect_status(status);
    let challenge = answer.header("WWW-Authenticate").unwrap();
    assert!(challenge.contains(&format!("error=\"{error}\"")), "{challenge}");
}

/// Fails unless the answer is this refusal of the token endpoint or its neighbours.
#[track_caller]
fn denied(answer: Response, status: u16, error: &str) {
    let answer = answer.expect_status(status);
    assert_eq!(answer.json()["error"], error, "{}", answer.text());
}

/// A token request with this form and, as always, a fresh proof.
fn asking(app: &TestApp, client: &Client, form: &[(&str, &str)]) -> Request {
    Request::post("/oauth/token")
        .header("Authorization", client.basic())
        .header("DPoP", client.key.proof(app, "POST", "/oauth/token", None))
        .form(form)
}

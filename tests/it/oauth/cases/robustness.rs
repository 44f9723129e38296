//! Floods, faults and floods of faults, as far as one machine and a minute allow.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use axum::http::HeaderMap;
use counterfoil::{
    base::failure::Code,
    oauth::{
        jose::base64url,
        token::{TokenRequest, grant},
    },
    web::form::Form,
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use tokio::net::TcpStream;

use super::{ROUTE, denied, present, protected};
use crate::support::{
    app::TestApp,
    client::basic,
    http::{Connection, Request},
};

/// One metric of this process, summed over its labels.
async fn counted(app: &TestApp, name: &str) -> u64 {
    let text = app.send(Request::get("/metrics")).await.expect_status(200).text();
    let own = text.lines().filter(|line| line.starts_with(name));
    own.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// A change to some bytes: one flipped, cut out, doubled, or replaced by one with a meaning.
fn mutated(bytes: &[u8], changes: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    const TELLING: &[u8] = b"\"{}[]:,.\\/eE-+0=_ ";
    let mut bytes = bytes.to_vec();
    for (index, kind, byte) in changes {
        if bytes.is_empty() {
            return bytes;
        }
        let at = index.index(bytes.len());
        match kind % 5 {
            0 => bytes[at] ^= byte | 1,
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, bytes[at]),
            3 => bytes.truncate(at),
            _ => bytes[at] = TELLING[usize::from(*byte) % TELLING.len()],
        }
    }
    bytes
}

/// What a header line can carry; the rest would be another request.
fn sendable(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().filter(|byte| *byte >= 0x20 && *byte != 0x7f).collect()
}

/// Guesses of each kind. Where nothing tells two kinds apart, the chance below is off by 4 or so.
const SAMPLES: usize = 10_000;

/// How likely one of the first takes longer than one of the second, in thousandths: 500 when nothing
/// tells them apart, however unevenly a busy machine works (the statistic of Mann and Whitney).
fn chance_of_longer(first: Vec<Duration>, second: Vec<Duration>) -> usize {
    let pairs = first.len() * second.len();
    let first = first.into_iter().map(|taken| (taken, true));
    let mut all: Vec<_> = first.chain(second.into_iter().map(|taken| (taken, false))).collect();
    all.sort_unstable();
    let (mut shorter, mut longer) = (0, 0);
    for (_, is_first) in all {
        if is_first {
            longer += shorter;
        } else {
            shorter += 1;
        }
    }
    1_000 * longer / pairs
}

cases! {
    sqlite ["X1"]
    async fn whatever_is_sent_is_refused_and_nothing_breaks(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
        let mut runner = TestRunner::new_with_rng(Config::default(), seed);
        let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<u8>()), 1..4);
        let mut connection = Connection::open(app.address).await;
        for round in 0..20_000 {
            let changes = changes.new_tree(&mut runner).unwrap().current();
            let proof = client.key.proof(&app, "POST", "/oauth/token", None);
            let good = (basic(client.id.as_str(), client.secret.expose()), "grant_type=client_credentials");
            let (mut dpop, mut authorization, mut form) =
                (proof.clone().into_bytes(), good.0.clone().into_bytes(), good.1.as_bytes().to_vec());
            match round % 4 {
                0 => dpop = sendable(mutated(&dpop, &changes)),
                1 => {
                    // Under a good signature, so that the parsers behind it are reached.
                    let parts: Vec<_> = proof.split('.').map(|part| base64url::decode(part).unwrap()).collect();
                    let (header, claims) = (mutated(&parts[0], &changes), mutated(&parts[1], &changes));
                    let (header, claims) = if round % 8 == 1 { (header, parts[1].clone()) } else { (parts[0].clone(), claims) };
                    let input = format!("{}.{}", base64url::encode(header), base64url::encode(claims));
                    let signature = client.key.signing.sign_bytes(input.as_bytes()).unwrap();
                    dpop = format!("{input}.{}", base64url::encode(signature)).into_bytes();
                }
                2 => authorization = sendable(mutated(&authorization, &changes)),
                _ => form = mutated(&form, &changes),
            }
            let request = Request::post("/oauth/token")
                .header("Authorization", authorization)
                .header("DPoP", dpop)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(form);
            let answer = connection.send(&request).await;
            assert!(answer.status < 500, "{}", answer.text());
            // A change to an irrelevant letter leaves it good; then it is the same client's.
            if answer.status == 200 {
                let minted = answer.json()["access_token"].as_str().unwrap().to_owned();
                assert_eq!(super::tokens::claims_of(&minted)["client_id"], client.id.as_str());
                assert_eq!(super::tokens::claims_of(&minted)["cnf"]["jkt"], client.key.jkt.as_str());
            }
        }
        for _ in 0..500 {
            let changes = changes.new_tree(&mut runner).unwrap().current();
            let bad = String::from_utf8_lossy(&sendable(mutated(token.as_bytes(), &changes))).into_owned();
            let request = protected(&bad, &client.key.proof(&app, "GET", ROUTE, Some(&bad)));
            let answer = connection.send(&request).await;
            let same = bad == token;
            assert!(same || (400..500).contains(&answer.status), "{}: {}", answer.status, answer.text());
        }
        client.mint(&app).await;
        app.stop().await;
    }

    sqlite ["X2"]
    async fn no_byte_of_a_proof_may_change(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let mut connection = Connection::open(app.address).await;
        let proof = client.key.proof(&app, "POST", "/oauth/token", None);
        for at in 0..proof.len() {
            let mut bytes = proof.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let request = Request::post("/oauth/token")
                .header("Authorization", client.basic())
                .header("DPoP", bytes)
                .form(&[("grant_type", "client_credentials")]);
            denied(connection.send(&request).await, 400, "invalid_dpop_proof");
        }
        let request = Request::post("/oauth/token")
            .header("Authorization", client.basic())
            .header("DPoP", proof)
            .form(&[("grant_type", "client_credentials")]);
        connection.send(&request).await.expect_status(200);
        app.stop().await;
    }

    sqlite ["X3"]
    async fn a_hundred_thousand_uses_are_remembered_exactly(db: TestDb) {
        use counterfoil::{
            base::{secret::Secret, timestamp::Timestamp},
            oauth::dpop::replay::{Claim, LIFE, MemoryLimits, MemoryReplay, Outcome, ReplayKeyer},
        };
        drop(db);
        let limits = MemoryLimits { life: LIFE, ceiling: 100_000, per_key_and_minute: u32::MAX };
        let (record, keyer) = (MemoryReplay::new(limits), ReplayKeyer::new(&Secret::new([3; 32])));
        let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".parse().unwrap();
        let claim = |number: u32| Claim {
            key: keyer.name(&jkt, &number.to_string()),
            jkt,
            now: Timestamp::from_unix_seconds(1_800_000_000),
            epoch: 1,
        };
        assert!((0..100_000).all(|number| record.claim(&claim(number)) == Outcome::Fresh));
        assert_eq!(record.claim(&claim(100_000)), Outcome::Full, "nothing is forgotten for it");
        assert!((0..100_000).all(|number| record.claim(&claim(number)) == Outcome::Replayed));
    }

    sqlite ["X4", "X10"]
    async fn a_flood_of_bad_proofs_leaves_nothing_but_counts(db: TestDb) {
        // Two places, for a good proof before and one after.
        let app = TestApp::with(&db, |config| config.oauth.replay_ceiling = 8).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        let before = counted(&app, "dpop_refused_total{reason=\"signature\"").await;
        let mut connection = Connection::open(app.address).await;
        for _ in 0..200 {
            let proof = client.key.proof(&app, "GET", ROUTE, Some(&token));
            let (input, signature) = proof.rsplit_once('.').unwrap();
            let mut bytes = base64url::decode(signature).unwrap();
            bytes[5] ^= 1;
            let bad = format!("{input}.{}", base64url::encode(bytes));
            connection.send(&protected(&token, &bad)).await.expect_status(401);
        }
        let after = counted(&app, "dpop_refused_total{reason=\"signature\"").await;
        assert!(after >= before + 200, "{before} {after}");
        for name in ["tokens_minted_total", "token_cache_total", "argon2_runs_total", "http_requests_total",
            "dpop_uses_held"]
        {
            assert!(counted(&app, name).await > 0, "{name}");
        }
        let shown = app.send(Request::get("/metrics")).await.text();
        assert!(shown.contains("\nargon2_waiting "), "{shown}");
        // The record of eight has a place left.
        app.hands.advance(Duration::from_mins(1));
        present(&app, &client, &token).await.expect_status(200);
        app.stop().await;
    }

    sqlite ["X7"]
    async fn idle_and_slow_callers_keep_nobody_waiting(db: TestDb) {
        // All come from one address here.
        let app = TestApp::with(&db, |config| config.http.max_connections_per_address = 1_000).await;
        let client = app.client("payouts:read").await;
        let mut idle = Vec::new();
        for number in 0..500 {
            let stream = TcpStream::connect(app.address).await.unwrap();
            if number % 2 == 0 {
                use tokio::io::AsyncWriteExt;
                let mut stream = stream;
                stream.write_all(b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Le").await.unwrap();
                idle.push(stream);
            } else {
                idle.push(stream);
            }
        }
        let begun = Instant::now();
        for _ in 0..20 {
            client.mint(&app).await;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        drop(idle);
        app.stop().await;
    }

    sqlite ["X8"]
    async fn an_unknown_client_costs_what_a_wrong_secret_costs(db: TestDb) {
        // An argon2 that costs next to nothing: whatever else differs would show beside it.
        let app = TestApp::start(&db).await;
        // Several of each: which places they have in the tables of this run must not decide.
        let (mut clients, mut nobodies) = (Vec::new(), Vec::new());
        for number in 0..16 {
            clients.push(app.client("payouts:read").await);
            nobodies.push(format!("ant_oc_sandbox_{number:032x}"));
        }
        let proof = clients[0].key.proof(&app, "POST", "/oauth/token", None);
        let form = Form::parse(b"grant_type=client_credentials").unwrap();
        let guess = async |id: &str, number: usize| {
            let mut headers = HeaderMap::new();
            let authorization = basic(id, &format!("{number:048x}"));
            headers.insert("authorization", authorization.parse().unwrap());
            headers.insert("dpop", proof.parse().unwrap());
            let address = IpAddr::from([192, 0, 2, 1]);
            let (method, path) = ("POST", "/oauth/token");
            let request = TokenRequest { method, path, headers: &headers, form: &form, address };
            let begun = Instant::now();
            let refused = grant(&app.authority, &request).await.unwrap_err();
            let taken = begun.elapsed();
            assert_eq!(refused.code(), Code::InvalidClient);
            taken
        };
        let before = app.authority.hasher().runs();
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for number in 0..SAMPLES {
            // Each goes first as often as the other, so that what the machine does meets both alike.
            for turn in [number, number + 1] {
                if turn % 2 == 0 {
                    known.push(guess(clients[number % 16].id.as_str(), number).await);
                } else {
                    unknown.push(guess(&nobodies[number % 16], number).await);
                }
            }
        }
        assert_eq!(app.authority.hasher().runs() - before, 2 * u64::try_from(SAMPLES).unwrap());
        let chance = chance_of_longer(known, unknown);
        assert!((300..=700).contains(&chance), "a known client takes longer in {chance} of 1000");
        app.stop().await;
    }
}

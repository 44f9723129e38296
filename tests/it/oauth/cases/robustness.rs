//! Floods, faults and floods of faults, as far as one machine and a minute allow.

use std::time::{Duration, Instant};

use counterfoil::oauth::jose::base64url;
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
        for round in 0..2_000 {
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
        for name in ["tokens_minted_total", "token_cache_total", "argon2_runs_total", "http_requests_total"] {
            assert!(counted(&app, name).await > 0, "{name}");
        }
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
        let app = TestApp::with(&db, |config| {
            // Dear enough that nothing else of a request shows beside it.
            config.oauth.argon2_memory_kib = 8 << 10;
            config.oauth.argon2_iterations = 6;
        })
        .await;
        let client = app.client("payouts:read").await;
        let ask = async |id: &str, secret: &str| {
            let request = Request::post("/oauth/token")
                .header("Authorization", basic(id, secret))
                .header("DPoP", client.key.proof(&app, "POST", "/oauth/token", None))
                .form(&[("grant_type", "client_credentials")]);
            let begun = Instant::now();
            denied(app.send(request).await, 401, "invalid_client");
            begun.elapsed()
        };
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for guess in 0..9 {
            known.push(ask(client.id.as_str(), &format!("guess {guess}")).await);
            unknown.push(ask(&format!("nobody {guess}"), "x").await);
        }
        // The quickest of each, since a busy machine only ever adds.
        let (known, unknown) = (known.into_iter().min().unwrap(), unknown.into_iter().min().unwrap());
        let (less, more) = (known.min(unknown), known.max(unknown));
        assert!(more < 2 * less, "known {known:?}, unknown {unknown:?}");
        app.stop().await;
    }
}

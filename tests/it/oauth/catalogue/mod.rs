//! The conformance catalogue: `catalogue.toml` says what must be so, this folder asks the server.

mod entry;
mod runner;
mod signature;
mod stage;
mod template;

use std::collections::BTreeMap;

use entry::{Place, catalogue};
pub(super) use signature::other_half;
use stage::Stage;

use crate::support::both::TestDb;

/// How many cases there are of each kind; the numbers run from one without a gap.
const EXPECTED: &[(&str, u32)] = &[
    ("V", 11),
    ("A", 44),
    ("P", 83),
    ("T", 10),
    ("R", 50),
    ("J", 9),
    ("M", 6),
    ("RV", 8),
    ("I", 7),
    ("K", 13),
    ("G", 13),
    ("X", 13),
];

/// Cases that only other machines or programs can show; nothing else may be put off with a reason.
const ELSEWHERE: &[&str] = &["G1", "G12", "G13", "X13"];

#[test]
fn every_case_is_in_the_file_once() {
    let mut expected: Vec<String> = EXPECTED
        .iter()
        .flat_map(|(kind, most)| (1..=*most).map(move |n| format!("{kind}{n}")))
        .collect();
    let mut found: Vec<String> = catalogue().case.into_iter().map(|case| case.id).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn every_case_has_exactly_one_home() {
    let mut homes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in catalogue().case {
        assert!(!case.title.is_empty() && !case.rfc.is_empty(), "{}", case.id);
        let mut found = Vec::new();
        if case.at.is_some() {
            assert!(case.status.is_some() && !case.tries.is_empty(), "{} tries nothing", case.id);
            found.push("its tries".to_owned());
        } else {
            assert!(case.tries.is_empty() && case.says.is_none(), "{} has no place", case.id);
        }
        if case.elsewhere.is_some() {
            assert!(ELSEWHERE.contains(&case.id.as_str()), "{} can be shown here", case.id);
            found.push("elsewhere".to_owned());
        }
        if let Some(test) = case.test {
            assert!(exists(&test), "{}: there is no test {test}", case.id);
            found.push(test);
        }
        homes.insert(case.id, found);
    }
    for (id, function) in super::cases::CODE.iter().flat_map(|cases| cases.iter()) {
        let home = homes.get_mut(*id).unwrap_or_else(|| panic!("{id} is not in the catalogue"));
        home.push((*function).to_owned());
    }
    let wrong: Vec<_> = homes.iter().filter(|(_, homes)| homes.len() != 1).collect();
    assert!(wrong.is_empty(), "cases without a home, or with two: {wrong:?}");
}

/// Whether a test of this name is written in this file.
fn exists(test: &str) -> bool {
    let (file, function) = test.split_once("::").unwrap();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(file);
    let written = std::fs::read_to_string(path).unwrap_or_default();
    written.contains(&format!("fn {function}("))
}

/// One server for all tries of a place: none of them changes anything but the record of proofs.
async fn play(place: Place) {
    let db = TestDb::sqlite().await;
    let stage = Stage::new(&db).await;
    for goal in runner::goals(place) {
        runner::run(&stage, place, *goal).await;
    }
    stage.app.stop().await;
}

#[tokio::test]
async fn token_endpoint() {
    play(Place::Token).await;
}

#[tokio::test]
async fn proofs_at_both_endpoints() {
    play(Place::Proof).await;
}

#[tokio::test]
async fn resources() {
    play(Place::Resource).await;
}

#[tokio::test]
async fn revocation() {
    play(Place::Revoke).await;
}

#[tokio::test]
async fn introspection() {
    play(Place::Introspect).await;
}

#[tokio::test]
async fn public_documents() {
    play(Place::Public).await;
}

//! Sends the tries of the catalogue and compares the answers.

use counterfoil::oauth::jose::Alg;

use super::{
    entry::{Case, Place, Try, catalogue},
    stage::{Goal, INTROSPECT, PUBLIC, RESOURCE, REVOKE, Stage, TOKEN},
};
use crate::support::http::Response;

/// What one try must get.
struct Wanted<'a> {
    status: u16,
    error: Option<&'a str>,
}

/// Runs every data-driven case of these places; reports all failures together.
pub(super) async fn run(stage: &Stage, place: Place, goal: Goal) {
    let mut failures = Vec::new();
    let catalogue = catalogue();
    let cases = catalogue.case.iter().filter(|case| case.at == Some(place));
    for case in cases {
        assert!(!case.tries.is_empty(), "{} has no tries", case.id);
        for (number, change) in case.tries.iter().enumerate() {
            let answer = stage.app.send(stage.request(goal, change)).await;
            let wanted = wanted(case, change, goal);
            let mut faults = judge(case, goal, &wanted, &answer);
            if wanted.status >= 400 {
                // It failed for the stated reason only if the same caller succeeds without it.
                let key = change.key.as_deref().filter(|key| *key == "ed25519");
                let good = Try { key: key.map(str::to_owned), ..Try::default() };
                let after = stage.app.send(stage.request(goal, &good)).await;
                if after.status != 200 {
                    faults.push(format!("a good request afterwards got {}", after.text()));
                }
            }
            for fault in faults {
                let (id, path) = (&case.id, goal.path);
                failures.push(format!("{id} ({}) try {number} at {path}: {fault}", case.title));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// The goals at which the cases of a place are tried.
pub(super) fn goals(place: Place) -> &'static [Goal] {
    match place {
        Place::Token => &[TOKEN],
        Place::Resource => &[RESOURCE],
        Place::Proof => &[TOKEN, RESOURCE],
        Place::Revoke => &[REVOKE],
        Place::Introspect => &[INTROSPECT],
        Place::Public => &[PUBLIC],
    }
}

/// R29: a refused proof is 400 at the token endpoint, 401 and a challenge at a resource.
fn wanted<'a>(case: &'a Case, change: &'a Try, goal: Goal) -> Wanted<'a> {
    let status = change.status.or(case.status).expect("a case with tries has a status");
    let error = change
        .error
        .as_deref()
        .or(case.error.as_deref())
        .filter(|error| status >= 400 && !error.is_empty());
    if case.at == Some(Place::Proof) && goal.path == RESOURCE.path {
        let error = change.resource_error.as_deref().or(error);
        return Wanted { status: if status == 400 { 401 } else { status }, error };
    }
    Wanted { status, error }
}

fn judge(case: &Case, goal: Goal, wanted: &Wanted<'_>, answer: &Response) -> Vec<String> {
    let mut faults = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            faults.push(what);
        }
    };
    let told = format!("{:?} {}", answer.all("WWW-Authenticate"), answer.text());
    let status = answer.status;
    must(status == wanted.status, format!("wanted {}, got {status}: {told}", wanted.status));
    if status != wanted.status {
        return faults;
    }
    if goal.path.starts_with("/.well-known") {
        // Anybody's, and cached.
    } else if goal.path == RESOURCE.path {
        resource(wanted, answer, &mut must);
    } else {
        endpoint(wanted, answer, &mut must);
    }
    if let Some(says) = case.says.as_deref().filter(|_| wanted.status >= 400) {
        must(told.contains(says), format!("the reason is not \"{says}\": {told}"));
    }
    for (name, part) in &case.headers {
        let values = answer.all(name);
        must(
            values.len() == 1 && values[0].contains(part.as_str()),
            format!("{name} is {values:?}, not {part}"),
        );
    }
    faults
}

/// RFC 6749 §5: the shape of answers at the token endpoint and its neighbours.
fn endpoint(wanted: &Wanted<'_>, answer: &Response, must: &mut dyn FnMut(bool, String)) {
    let header = |name| answer.all(name).join(", ");
    must(header("Cache-Control") == "no-store", "it may be cached".to_owned());
    must(header("Pragma") == "no-cache", "it lacks Pragma".to_owned());
    if wanted.status < 400 || answer.body.is_empty() {
        return;
    }
    must(header("Content-Type") == "application/json", "it is not JSON".to_owned());
    let body = answer.json();
    let (error, text) = (body["error"].as_str(), body["error_description"].as_str());
    must(error == wanted.error, format!("error is {error:?}, wanted {:?}", wanted.error));
    // A44: letters that a client can put between quotation marks in a header.
    let allowed = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    must(text.is_some_and(|text| text.bytes().all(allowed)), format!("{text:?}"));
    let basic = header("WWW-Authenticate").starts_with("Basic realm=\"");
    must(basic == (wanted.status == 401), "a 401 has the Basic challenge, no other".to_owned());
}

/// RFC 9449 §7.1: the challenge carries the error.
fn resource(wanted: &Wanted<'_>, answer: &Response, must: &mut dyn FnMut(bool, String)) {
    if wanted.status < 400 {
        return;
    }
    must(answer.all("Cache-Control") == ["no-store"], "it may be cached".to_owned());
    let challenges = answer.all("WWW-Authenticate");
    must(challenges.len() == 1, format!("{} challenges", challenges.len()));
    let challenge = challenges.first().copied().unwrap_or_default();
    let algs = format!("algs=\"{}\"", Alg::ALL.map(Alg::name).join(" "));
    must(challenge.starts_with("DPoP ") && challenge.contains(&algs), challenge.to_owned());
    must(challenge.contains("resource_metadata=\"https://"), challenge.to_owned());
    match wanted.error {
        Some(error) => must(
            challenge.contains(&format!("error=\"{error}\"")),
            format!("wanted {error}: {challenge}"),
        ),
        None => must(!challenge.contains("error"), challenge.to_owned()),
    }
}

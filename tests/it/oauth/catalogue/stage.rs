//! One server with everything that the tries of the catalogue speak of.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use counterfoil::{
    base::failure::Result,
    config::{Config, WebOrigin},
    oauth::{
        credentials::{self, Possession},
        jose::{Jkt, KeyKind, TokenHash, base64url},
        scopes::{Scope, Scopes},
    },
};
use serde_json::Value;

use super::{entry::Try, signature, template};
use crate::support::{
    app::TestApp,
    both::TestDb,
    client::{Client, ProofKey},
    http::Request,
};

/// Not where the server listens: what counts is what callers sign, and that is configured.
pub(super) const BASE: &str = "https://api.example";

/// A protected route that asks for no right, so that any valid token is enough.
const ROUTE: &str = "/v1/credential";

/// The server, a client for each kind of key, and keys that are not theirs.
pub(super) struct Stage {
    pub(super) app: TestApp,
    es256: Actor,
    ed25519: Actor,
    /// Never registered.
    stranger: ProofKey,
    /// Was the ES256 client's, until it was revoked.
    revoked: ProofKey,
    /// Belongs to another client of the same merchant.
    sibling: Client,
}

struct Actor {
    client: Client,
    token: String,
}

impl Stage {
    pub(super) async fn new(db: &TestDb) -> Self {
        Self::with(db, |_| ()).await
    }

    pub(super) async fn with(db: &TestDb, change: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::with(db, |config| {
            published(config);
            change(config);
        });
        let app = app.await;
        let es256 = Actor::new(&app, KeyKind::P256).await;
        let ed25519 = Actor::new(&app, KeyKind::Ed25519).await;
        let stranger = ProofKey::make(&app.ctx.random, KeyKind::P256);
        let revoked = ProofKey::make(&app.ctx.random, KeyKind::P256);
        let add = |key| credentials::add_key(&app.ctx, &es256.client.id, key, Possession::Vouched);
        let added: Result<Jkt> = add(&revoked.jwk).await;
        added.unwrap();
        credentials::revoke_key(&app.ctx, &es256.client.id, &revoked.jkt).await.unwrap();
        let scopes = Scopes::all();
        let sibling = app.client_of(es256.client.merchant, KeyKind::P256, scopes).await;
        app.authority.access_changed().await.unwrap();
        Self { app, es256, ed25519, stranger, revoked, sibling }
    }

    /// The client that a try is about, told by the key it signs with.
    fn actor(&self, key: &str) -> &Actor {
        if key == "ed25519" { &self.ed25519 } else { &self.es256 }
    }

    fn key(&self, name: &str) -> &ProofKey {
        match name {
            "es256" => &self.es256.client.key,
            "ed25519" => &self.ed25519.client.key,
            "stranger" => &self.stranger,
            "revoked" => &self.revoked,
            "sibling" => &self.sibling.key,
            _ => panic!("the catalogue has no key {name}"),
        }
    }
}

/// Names that have every feature the rules about `htu` speak of.
pub(super) fn published(config: &mut Config) {
    let origin = |text| WebOrigin::parse(text).unwrap();
    config.public_url = origin(BASE);
    config.oauth.issuer = origin(BASE);
    config.extra_public_urls =
        vec![origin("http://[2001:db8::1]:8080"), origin("https://xn--bcher-kva.example")];
}

impl Actor {
    async fn new(app: &TestApp, kind: KeyKind) -> Self {
        // Everything but one, so that there is a scope to be refused.
        let scopes = Scope::ALL.iter().copied().filter(|scope| *scope != Scope::SandboxWrite);
        let client = app.client_with(kind, scopes.collect()).await;
        let token = client.mint(app).await;
        Self { client, token }
    }
}

/// Where a request goes, before a try changes that.
#[derive(Clone, Copy)]
pub(super) struct Goal {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) proof: bool,
    form: Option<&'static str>,
}

pub(super) const TOKEN: Goal = Goal {
    method: "POST",
    path: "/oauth/token",
    proof: true,
    form: Some("grant_type=client_credentials"),
};
pub(super) const RESOURCE: Goal = Goal { method: "GET", path: ROUTE, proof: true, form: None };
pub(super) const REVOKE: Goal =
    Goal { method: "POST", path: "/oauth/revoke", proof: false, form: Some("token=unknown") };
pub(super) const INTROSPECT: Goal =
    Goal { method: "POST", path: "/oauth/introspect", proof: false, form: Some("token=${token}") };
pub(super) const PUBLIC: Goal =
    Goal { method: "GET", path: "/.well-known/jwks.json", proof: false, form: None };

impl Stage {
    /// The request of a try; with the default try, a good one.
    pub(super) fn request(&self, goal: Goal, change: &Try) -> Request {
        let key_name = change.key.as_deref().unwrap_or("es256");
        let actor = self.actor(key_name);
        let jti = next_jti();
        let plain = |name: &str| self.value(goal, actor, self.key(key_name), &jti, name);
        let fill = |text: &str| template::fill(text, &plain);
        let parts = proof(change, self.key(key_name), goal.path == ROUTE, &fill);
        let all = |name: &str| match name {
            "jws" => Some(parts.join(".")),
            "h" | "p" | "s" => {
                let at = "hps".find(name).unwrap();
                Some(parts[at].clone())
            }
            _ => plain(name),
        };
        let fill = |text: &str| template::fill(text, &all);

        let method = change.method.as_deref().unwrap_or(goal.method);
        let mut request =
            Request::new(method, &fill(change.target.as_deref().unwrap_or(goal.path)));
        let authorization = change.authorization.clone().unwrap_or_else(|| match goal.path {
            ROUTE => vec!["DPoP ${token}".to_owned()],
            _ if goal.form.is_some() => vec!["Basic ${basic}".to_owned()],
            _ => Vec::new(),
        });
        for value in authorization {
            request = request.header("Authorization", fill(&value));
        }
        let proofs = if goal.proof { vec!["${jws}".to_owned()] } else { Vec::new() };
        for value in change.dpop.clone().unwrap_or(proofs) {
            let name = change.dpop_name.as_deref().unwrap_or("DPoP");
            request = request.header(name, fill(&value));
        }
        for (name, value) in &change.lines {
            request = request.header(name, fill(value));
        }
        if let Some(form) = change.form.as_deref().or(goal.form) {
            let media = change.content_type.as_deref();
            let media = media.unwrap_or("application/x-www-form-urlencoded");
            if !media.is_empty() {
                request = request.header("Content-Type", media);
            }
            request = request.body(fill(form));
        }
        request
    }

    fn value(
        &self,
        goal: Goal,
        actor: &Actor,
        key: &ProofKey,
        jti: &str,
        name: &str,
    ) -> Option<String> {
        let (folder, file) = goal.path.rsplit_once('/').unwrap();
        let client = &actor.client;
        let now = self.app.ctx.now().unix_seconds();
        if let Some(shift) = name.strip_prefix("now") {
            let shift = if shift.is_empty() { 0 } else { shift.parse().unwrap() };
            let moment: i64 = now + shift;
            return Some(moment.to_string());
        }
        let jwk = || serde_json::to_value(key.jwk).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Some(match name {
            "jti" => jti.to_owned(),
            "method" => goal.method.to_owned(),
            "other-method" => if goal.method == "GET" { "POST" } else { "GET" }.to_owned(),
            "method-lower" => goal.method.to_lowercase(),
            "base" => BASE.to_owned(),
            "path" => goal.path.to_owned(),
            "folder" => format!("{folder}/"),
            "file" => file.to_owned(),
            "file-capitals" => file.to_uppercase(),
            "file-head" => format!("%{:02x}", file.as_bytes()[0]),
            "file-tail" => file[1..].to_owned(),
            "ath" => TokenHash::of(&actor.token).to_string(),
            "ath-of-scheme-too" => TokenHash::of(&format!("DPoP {}", actor.token)).to_string(),
            "ath-in-hex" => {
                let digest = base64url::decode(TokenHash::of(&actor.token).as_str()).unwrap();
                digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
            }
            "token" => actor.token.clone(),
            "token-of-ed25519" => self.ed25519.token.clone(),
            "ath-of-ed25519" => TokenHash::of(&self.ed25519.token).to_string(),
            "id" => client.id.to_string(),
            "id-of-sibling" => self.sibling.id.to_string(),
            "secret" => client.secret.expose().clone(),
            "basic" => template::fill("${b64 ${id}:${secret}}", &|name| {
                self.value(goal, actor, key, jti, name)
            }),
            "x" => text(&jwk()["x"]),
            "y" => text(&jwk()["y"]),
            "x-one-short" => recoded(&text(&jwk()["x"]), |bytes| bytes.truncate(31)),
            "x-one-long" => recoded(&text(&jwk()["x"]), |bytes| bytes.insert(0, 0)),
            "y-one-short" => recoded(&text(&jwk()["y"]), |bytes| bytes.truncate(31)),
            "y-off-curve" => recoded(&text(&jwk()["y"]), |bytes| bytes[31] ^= 1),
            "deep" => "[".repeat(900) + &"]".repeat(900),
            _ => return None,
        })
    }
}

fn recoded(text: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = base64url::decode(text).unwrap();
    change(&mut bytes);
    base64url::encode(bytes)
}

fn next_jti() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("case-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// The three parts of the proof that a try describes.
fn proof(
    change: &Try,
    key: &ProofKey,
    with_token: bool,
    fill: &dyn Fn(&str) -> String,
) -> [String; 3] {
    let jwk = serde_json::to_value(key.jwk).unwrap();
    let jwk = jwk.as_object().unwrap().iter();
    let jwk = jwk.map(|(name, value)| (name.as_str(), value.to_string())).collect();
    let jwk = members(jwk, &change.jwk, fill);
    let alg = format!("\"{}\"", key.signing.alg());
    let header = vec![("typ", "\"dpop+jwt\"".to_owned()), ("alg", alg), ("jwk", jwk)];
    let mut claims = vec![
        ("jti", "\"${jti}\"".to_owned()),
        ("htm", "\"${method}\"".to_owned()),
        ("htu", "\"${base}${path}\"".to_owned()),
        ("iat", "${now}".to_owned()),
    ];
    if with_token {
        claims.push(("ath", "\"${ath}\"".to_owned()));
    }
    let header =
        change.header_text.as_deref().map_or_else(|| members(header, &change.header, fill), fill);
    let claims =
        change.claims_text.as_deref().map_or_else(|| members(claims, &change.claims, fill), fill);
    let (header, claims) = (base64url::encode(header), base64url::encode(claims));
    let input = format!("{header}.{claims}");
    let how = change.sign.as_deref().unwrap_or("good");
    [header, claims, signature::sign(how, key, input.as_bytes())]
}

/// A JSON object from texts, which need not be JSON: a try may put anything there.
fn members<'a>(
    mut members: Vec<(&'a str, String)>,
    changes: &'a BTreeMap<String, String>,
    fill: &dyn Fn(&str) -> String,
) -> String {
    for (name, value) in changes {
        match members.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => old.clone_from(value),
            None => members.push((name, value.clone())),
        }
    }
    let written = members.iter().filter(|(_, value)| !value.is_empty());
    let written = written.map(|(name, value)| format!("\"{name}\":{}", fill(value)));
    format!("{{{}}}", written.collect::<Vec<_>>().join(","))
}

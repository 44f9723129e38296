//! A second reader of proofs, for the test: slow, plain, and sharing no code with the check. It may
//! take what the check refuses, never the other way round.

use std::fmt;

use counterfoil::oauth::{dpop::Proof, jose::Alg};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::changes::Texts;

/// What a proof must be about.
pub(super) struct Wanted<'a> {
    pub(super) alg: Alg,
    pub(super) jwk: Value,
    pub(super) method: &'a str,
    pub(super) base: &'a str,
    pub(super) path: &'a str,
    pub(super) now: i64,
    pub(super) ath: String,
}

/// Why these texts are no proof of what is wanted.
pub(super) fn fits(texts: &Texts, wanted: &Wanted<'_>, proof: &Proof) -> Result<(), String> {
    let header = object(&texts.header)?;
    let claims = object(&texts.claims)?;
    let typ = text(&header, "typ")?.to_ascii_lowercase();
    must(typ.trim_start_matches("application/") == "dpop+jwt", "typ")?;
    let alg = text(&header, "alg")?;
    must(fits_key(alg, wanted.alg), "alg")?;
    must(get(&header, "crit").is_none(), "crit")?;
    jwk(get(&header, "jwk"), wanted)?;
    must(text(&claims, "htm")? == wanted.method, "htm")?;
    let htu = plain(text(&claims, "htu")?).ok_or("htu")?;
    must(htu == format!("{}{}", wanted.base, wanted.path), "htu")?;
    must(text(&claims, "ath")? == wanted.ath, "ath")?;
    let jti = text(&claims, "jti")?;
    must((1..=256).contains(&jti.len()) && jti == proof.jti, "jti")?;
    let iat = number(&claims, "iat")?.ok_or("iat")?;
    must((second(wanted.now - 60)..=second(wanted.now + 60)).contains(&iat), "iat")?;
    must(number(&claims, "exp")?.is_none_or(|exp| exp > second(wanted.now)), "exp")?;
    must(number(&claims, "nbf")?.is_none_or(|nbf| nbf <= second(wanted.now + 60)), "nbf")
}

fn must(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

fn second(unix: i64) -> f64 {
    f64::from(u32::try_from(unix).unwrap())
}

/// Ed25519 has an old name and a new one.
fn fits_key(name: &str, alg: Alg) -> bool {
    if alg == Alg::Es256 { name == "ES256" } else { matches!(name, "EdDSA" | "Ed25519") }
}

fn jwk(jwk: Option<&Tree>, wanted: &Wanted<'_>) -> Result<(), String> {
    let Some(Tree::Object(jwk)) = jwk else { return Err("jwk".to_owned()) };
    for (name, value) in wanted.jwk.as_object().ok_or("wanted")? {
        must(Some(text(jwk, name)?) == value.as_str(), name)?;
    }
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        must(get(jwk, private).is_none(), private)?;
    }
    must(get(jwk, "alg").is_none() || fits_key(text(jwk, "alg")?, wanted.alg), "jwk.alg")?;
    must(get(jwk, "use").is_none() || text(jwk, "use")? == "sig", "use")?;
    let verifies = |ops: &Tree| match ops {
        Tree::Array(ops) => ops.contains(&Tree::Text("verify".to_owned())),
        _ => false,
    };
    must(get(jwk, "key_ops").is_none_or(verifies), "key_ops")
}

/// A URL without what may differ: query, fragment, the case of scheme and host, the default port,
/// triplets of plain letters, dot segments.
fn plain(url: &str) -> Option<String> {
    let url = url.split(['?', '#']).next()?;
    let (scheme, rest) = url.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = scheme.to_ascii_lowercase();
    let host = decoded(host)?.to_ascii_lowercase();
    let port = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(port).or(host.strip_suffix(':')).unwrap_or(&host);
    let mut kept = Vec::new();
    for segment in decoded(path)?.split('/').skip(1).map(str::to_owned).collect::<Vec<_>>() {
        match segment.as_str() {
            "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    Some(format!("{scheme}://{host}/{}", kept.join("/")))
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let mut byte = *first;
        if byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            byte = u8::from_str_radix(digits, 16).ok()?;
            rest = &after[2..];
        }
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

/// JSON with every member kept, doubled ones too.
#[derive(Debug, PartialEq)]
enum Tree {
    Object(Vec<(String, Tree)>),
    Array(Vec<Tree>),
    Text(String),
    Number(f64),
    Other,
}

fn object(text: &str) -> Result<Vec<(String, Tree)>, String> {
    match serde_json::from_str(text).map_err(|error| error.to_string())? {
        tree @ Tree::Object(_) if has_doubles(&tree) => Err("doubled".to_owned()),
        Tree::Object(members) => Ok(members),
        _ => Err("no object".to_owned()),
    }
}

fn has_doubles(tree: &Tree) -> bool {
    match tree {
        Tree::Object(members) => members.iter().enumerate().any(|(at, (name, value))| {
            members[..at].iter().any(|(before, _)| before == name) || has_doubles(value)
        }),
        Tree::Array(items) => items.iter().any(has_doubles),
        _ => false,
    }
}

fn get<'a>(members: &'a [(String, Tree)], name: &str) -> Option<&'a Tree> {
    members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn text<'a>(members: &'a [(String, Tree)], name: &str) -> Result<&'a str, String> {
    match get(members, name) {
        Some(Tree::Text(text)) => Ok(text),
        _ => Err(name.to_owned()),
    }
}

/// A member that may be absent, and is a number otherwise.
fn number(members: &[(String, Tree)], name: &str) -> Result<Option<f64>, String> {
    match get(members, name) {
        None => Ok(None),
        Some(Tree::Number(number)) => Ok(Some(*number)),
        Some(_) => Err(name.to_owned()),
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Number(number.to_string().parse().unwrap()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Number(number.to_string().parse().unwrap()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Tree, E> {
        Ok(Tree::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Tree::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Tree::Object(members))
    }
}

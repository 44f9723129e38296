//! The answer to a question about one proof.

use super::{
    question::{Question, path_of},
    words::{apart, fix},
};
use crate::{
    base::{failure::Result, ids::MerchantId},
    oauth::{
        authority::Authority,
        credentials::{self, Client, CredentialStatus, KeyStatus},
        dpop::{Check, Endpoint, Examined, Expected, ProofFault, examine, nonce::Side},
        jose::{Jkt, TokenHash},
    },
};

const TOKEN_ENDPOINT: &str = "/oauth/token";

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As it must be.
    Good,
    /// This alone would refuse it.
    Bad,
    /// Something is missing to tell.
    Open,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about: a member of the proof, or a word for the whole.
    pub about: &'static str,
    /// How it went.
    pub standing: Standing,
    /// In words.
    pub said: String,
    /// What to change; empty where nothing is wrong.
    pub fix: &'static str,
}

/// Everything about one proof.
#[derive(Debug)]
pub struct Explanation {
    /// What a refusal names: the `error`, and its description.
    pub told: Option<(&'static str, String)>,
    /// Every check, in reading order.
    pub findings: Vec<Finding>,
    /// The merchant's own client of the key, if it is one of theirs.
    pub client: Option<Client>,
    /// The thumbprint of the key, if it can be read.
    pub jkt: Option<Jkt>,
}

/// Explains a proof to a merchant. Keys of others are strange keys here, and whether they have been
/// used is not told: a proof that was overheard must not become a question about its owner.
pub async fn explain(
    authority: &Authority,
    merchant: MerchantId,
    question: &Question,
) -> Result<Explanation> {
    let known = authority.known();
    let proof = question.proof.expose().as_bytes();
    // What was not told is taken from the proof itself, and then called open rather than good.
    let (unknown, no_place) = (TokenHash::of(""), authority.htu("/")?);
    let guess = authority.expect(&known, Side::Resource, "", &no_place, None);
    let said = examine(proof, &guess).said;
    let address = question.url.as_deref().or(said.htu.as_deref()).unwrap_or_default();
    let path = path_of(address).filter(|path| authority.htu(path).is_ok()).unwrap_or("/");
    let at = if path == TOKEN_ENDPOINT { Endpoint::Token } else { Endpoint::Resource };
    let (side, hash) = match at {
        Endpoint::Token => (Side::Authorization, None),
        Endpoint::Resource => (Side::Resource, Some(question.token.as_ref().unwrap_or(&unknown))),
    };
    let method = question.method.as_deref().or(said.htm.as_deref()).unwrap_or_default();
    let htu = authority.htu(path)?;
    let mut expected = authority.expect(&known, side, method, &htu, hash);
    expected.now = question.sent_at.unwrap_or(expected.now);
    let examined = examine(proof, &expected);
    let client = match &examined.jkt {
        Some(jkt) => credentials::holder(authority.ctx(), merchant, jkt).await?,
        None => None,
    };
    let used = match (&client, &examined.jkt, &examined.said.jti) {
        (Some(_), Some(jkt), Some(jti)) if examined.fault(Check::Jti).is_none() => {
            Some(authority.is_used(jkt, jti).await?)
        }
        _ => None,
    };
    let view =
        View { question, examined: &examined, expected: &expected, at, client: &client, used };
    let told = view.told().map(|fault| (fault.error_code(at), fault.to_string()));
    let findings = view.findings();
    Ok(Explanation { told, findings, jkt: examined.jkt, client })
}

struct View<'a> {
    question: &'a Question,
    examined: &'a Examined,
    expected: &'a Expected<'a>,
    at: Endpoint,
    client: &'a Option<Client>,
    used: Option<bool>,
}

impl View<'_> {
    /// The first fault, in the order in which requests are checked, of what can be told.
    fn told(&self) -> Option<ProofFault> {
        let walked = self.examined.verdicts.iter().filter(|(check, _)| !self.is_open(*check));
        let mut walked = walked.filter_map(|(_, verdict)| verdict.as_ref().err());
        let strange = self.key_fault().filter(|_| self.examined.jkt.is_some());
        let signature = self.examined.signature.as_ref().and_then(|verdict| verdict.as_ref().err());
        let replayed = (self.used == Some(true)).then_some(ProofFault::Replayed);
        walked.next().cloned().or(strange).or_else(|| signature.cloned()).or(replayed)
    }

    /// Whether a fault of this check may come from what we were not told.
    fn is_open(&self, check: Check) -> bool {
        match check {
            // Pasting takes a while, which says nothing about the request.
            Check::Clock => self.question.sent_at.is_none() && self.ahead() < 0,
            Check::Ath => self.question.token.is_none() && self.examined.said.has_ath,
            _ => false,
        }
    }

    /// Seconds from the request to the signing, as far as both are known.
    fn ahead(&self) -> i64 {
        let signed = self.examined.said.issued_at.unwrap_or(self.expected.now);
        signed.unix_seconds().saturating_sub(self.expected.now.unix_seconds())
    }

    fn findings(&self) -> Vec<Finding> {
        let said = &self.examined.said;
        let mut findings = vec![
            self.plain(
                "form",
                Check::Form,
                "Three parts in canonical base64url, and JSON that can be read in one way only.",
            ),
            self.plain("typ", Check::Typ, "It is a DPoP proof."),
            self.plain("alg", Check::Alg, said.alg.as_deref().unwrap_or_default()),
        ];
        findings.extend(self.only_bad("crit", Check::Crit));
        findings.extend([
            self.jwk(),
            self.key(),
            self.signature(),
            self.htm(),
            self.htu(),
            self.iat(),
        ]);
        findings.extend(self.only_bad("exp", Check::Exp));
        findings.extend(self.only_bad("nbf", Check::Nbf));
        findings.extend([self.jti(), self.ath(), self.nonce()]);
        findings
    }

    fn plain(&self, about: &'static str, check: Check, good: &str) -> Finding {
        match self.examined.fault(check) {
            Some(fault) => bad(about, fault),
            None if self.examined.was_made(check) => finding(about, Standing::Good, good),
            None => finding(
                about,
                Standing::Open,
                "It cannot be read before what stands above is right.",
            ),
        }
    }

    fn only_bad(&self, about: &'static str, check: Check) -> Option<Finding> {
        self.examined.fault(check).map(|fault| bad(about, fault))
    }

    fn jwk(&self) -> Finding {
        match (&self.examined.signature, self.examined.jkt) {
            (Some(Err(fault @ ProofFault::Jwk(_))), _) => bad("jwk", fault),
            (_, Some(jkt)) => finding(
                "jwk",
                Standing::Good,
                format!("A public key alone; its thumbprint is {jkt}."),
            ),
            _ => self.plain("jwk", Check::Jwk, "A public key alone."),
        }
    }

    fn key_fault(&self) -> Option<ProofFault> {
        let counts = self.client.as_ref().zip(self.examined.jkt.as_ref());
        let counts =
            counts.is_some_and(|(client, jkt)| client.is_active() && client.key(jkt).is_some());
        (!counts).then_some(ProofFault::KeyNotRegistered)
    }

    fn key(&self) -> Finding {
        let Some(jkt) = &self.examined.jkt else {
            return finding(
                "key",
                Standing::Open,
                "Whose key it is can be told when jwk can be read.",
            );
        };
        let Some(client) = self.client else {
            let fault = ProofFault::KeyNotRegistered;
            return Finding {
                said: "This key is not registered with you.".to_owned(),
                ..bad("key", &fault)
            };
        };
        let name = format!("{} ({})", client.credential.label, client.credential.client_id);
        let revoked = client.keys.iter().find(|key| key.jkt == *jkt).map(|key| key.status);
        let said = match (client.credential.status, revoked) {
            (CredentialStatus::Revoked { at }, _) => {
                format!("It belongs to {name}, which was revoked at {at}.")
            }
            (_, Some(KeyStatus::Revoked { at })) => {
                format!("It was a key of {name}, and was retired at {at}.")
            }
            _ => {
                return finding(
                    "key",
                    Standing::Good,
                    format!("Registered with {name}, and active."),
                );
            }
        };
        Finding { said, ..bad("key", &ProofFault::KeyNotRegistered) }
    }

    fn signature(&self) -> Finding {
        match &self.examined.signature {
            Some(Ok(())) => {
                finding("signature", Standing::Good, "Made with the private half of jwk.")
            }
            Some(Err(fault @ ProofFault::Signature)) => bad("signature", fault),
            _ => match self.examined.fault(Check::Signature) {
                Some(fault) => bad("signature", fault),
                None => finding(
                    "signature",
                    Standing::Open,
                    "It can be verified when alg and jwk are right.",
                ),
            },
        }
    }

    fn htm(&self) -> Finding {
        let good = match (&self.question.method, &self.examined.said.htm) {
            (None, Some(htm)) => {
                return finding(
                    "htm",
                    Standing::Open,
                    format!("It says {htm}. Tell us the request's method, and we compare."),
                );
            }
            (_, htm) => htm.as_deref().unwrap_or_default(),
        };
        let plain = self.plain("htm", Check::Htm, &format!("{good}, like the request."));
        match plain.standing {
            Standing::Bad => Finding { said: format!("It says {good:?}; {}", plain.said), ..plain },
            _ => plain,
        }
    }

    fn htu(&self) -> Finding {
        let plain =
            self.plain("htu", Check::Htu, "It names this server and the path of the request.");
        let given = self.examined.said.htu.as_deref();
        match (&self.question.url, given) {
            (None, Some(htu)) if plain.standing == Standing::Good => finding(
                "htu",
                Standing::Open,
                format!(
                    "It says {htu}, which is an address of this server. Tell us the request's, and we compare."
                ),
            ),
            (Some(url), _) if url.contains("://") && self.expected.htu.matches(url) != Ok(true) => {
                let note = "The address that you gave is not one of this server's: it compares with its own public address and your path.";
                Finding { said: format!("{} {note}", plain.said), ..plain }
            }
            (_, Some(htu)) if plain.standing == Standing::Bad => {
                Finding { said: format!("It says {htu}. {}", plain.said), ..plain }
            }
            _ => plain,
        }
    }

    fn iat(&self) -> Finding {
        let Some(issued_at) = self.examined.said.issued_at else {
            return self.plain("iat", Check::Iat, "");
        };
        let against = if self.question.sent_at.is_some() { "the request" } else { "this moment" };
        let apart = apart(self.ahead(), self.expected.window);
        let said = format!("Signed at {issued_at}. Compared with {against}: {apart}.");
        match self.examined.fault(Check::Clock) {
            None => finding("iat", Standing::Good, said),
            Some(_) if self.is_open(Check::Clock) => finding(
                "iat",
                Standing::Open,
                format!("{said} Tell us when the request was sent, and we judge."),
            ),
            Some(fault) => Finding { said, ..bad("iat", fault) },
        }
    }

    fn jti(&self) -> Finding {
        let used = match self.used {
            Some(true) => {
                let said = "A request with this proof has gone through in the last minutes: it counts once.";
                return Finding { said: said.to_owned(), ..bad("jti", &ProofFault::Replayed) };
            }
            Some(false) => "No use of it is remembered (uses are kept for some minutes).",
            None => "Whether it was used is told for your own keys only.",
        };
        self.plain("jti", Check::Jti, used)
    }

    fn ath(&self) -> Finding {
        match (self.at, self.is_open(Check::Ath)) {
            (Endpoint::Token, _) => {
                finding("ath", Standing::Good, "The token endpoint asks for none.")
            }
            (_, true) => finding(
                "ath",
                Standing::Open,
                "It has one. Tell us the hash of the access token, and we compare.",
            ),
            _ => self.plain("ath", Check::Ath, "It is the hash of this access token."),
        }
    }

    fn nonce(&self) -> Finding {
        let good = match (self.examined.said.has_nonce, self.expected.nonces.is_off()) {
            (false, _) => "It has none, and none is asked for.",
            (true, true) => "It has one, which this server does not look at.",
            (true, false) => "A valid one of ours.",
        };
        self.plain("nonce", Check::Nonce, good)
    }
}

fn finding(about: &'static str, standing: Standing, said: impl Into<String>) -> Finding {
    Finding { about, standing, said: said.into(), fix: "" }
}

fn bad(about: &'static str, fault: &ProofFault) -> Finding {
    Finding { about, standing: Standing::Bad, said: sentence(&fault.to_string()), fix: fix(fault) }
}

/// A description as a sentence. One that begins with a member's name keeps its letters.
fn sentence(text: &str) -> String {
    match text.strip_prefix('t').filter(|rest| rest.starts_with("he ") || rest.starts_with("his "))
    {
        Some(rest) => format!("T{rest}."),
        None => format!("{text}."),
    }
}

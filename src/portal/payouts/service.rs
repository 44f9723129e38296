//! What somebody sees of a payout, and what they may say about it.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};

use crate::{
    base::{
        failure::{Code, Failure, Result},
        hex,
        ids::MerchantId,
        pagination::{Page, PageRequest},
    },
    ctx::Ctx,
    db::{self, Tx, Witness},
    ledger::statement::{self, Movement},
    payouts::{
        BeneficiaryId, PayoutId,
        beneficiaries::{self, Beneficiary},
        instruments::{self, Instrument},
        payout::{self, Actor, Filter, Payout, Transition},
    },
    portal::{
        trail::{self, Action, Who},
        users,
    },
};

/// The longest reason; it is told to whoever reads the timeline.
const LONGEST_REASON: usize = 255;

/// Some payouts with the names of those whom they pay.
pub(in crate::portal) struct Listed {
    pub(in crate::portal) page: Page<Payout>,
    pub(in crate::portal) names: BTreeMap<BeneficiaryId, String>,
}

/// Payouts with names: two questions, however many rows.
pub(in crate::portal) async fn list(
    ctx: &Ctx,
    merchant: MerchantId,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Listed> {
    let page = payout::list(ctx, merchant, filter, page).await?;
    let ids: Vec<BeneficiaryId> = page.data.iter().map(|payout| payout.beneficiary).collect();
    let names = db::read!(ctx.db, |tx| Ok(beneficiaries::names(tx, merchant, &ids).await?))?;
    Ok(Listed { page, names })
}

/// A payout with everything that its page shows.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) payout: Payout,
    pub(super) steps: Vec<Transition>,
    pub(super) movements: Vec<Movement>,
    /// Who is paid, deleted meanwhile or not.
    pub(super) payee: Beneficiary,
    /// Whether it can still be looked at.
    pub(super) is_known: bool,
    /// Through what, masked.
    pub(super) instrument: Instrument,
    /// How those are called who took steps, by their ids.
    pub(super) people: BTreeMap<String, String>,
    /// Whether whoever looks could have asked for it themselves.
    pub(super) is_own: bool,
}

impl Seen {
    /// Names what the page says of the payee and the account.
    pub(super) fn digest(&self) -> String {
        digest(&self.payee, &self.instrument)
    }
}

/// The payout's own digest names ids. What people go by are names and ends of accounts, so these are
/// bound, too: nobody shall approve a name that was changed while they read it.
fn digest(payee: &Beneficiary, instrument: &Instrument) -> String {
    let shown = &instrument.shown;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let facts = [
        payee.display_name.clone(),
        payee.status.to_string(),
        payee.country.to_string(),
        payee.external_ref.clone().unwrap_or_default(),
        instrument.method.word.to_owned(),
        text(&instrument.label),
        text(&shown.masked),
        text(&shown.bank),
        text(&shown.network),
    ];
    let mut digest = Sha256::new();
    for fact in facts {
        digest.update(fact.len().to_be_bytes());
        digest.update(fact);
    }
    hex::encode(&digest.finalize())
}

async fn payee_of(tx: &mut Tx, payout: &Payout) -> Result<(Beneficiary, Instrument)> {
    let (merchant, id) = (payout.merchant, payout.id);
    let payee = beneficiaries::find_ever(tx, merchant, payout.beneficiary).await?;
    let instrument = instruments::find_ever(tx, merchant, payout.instrument).await?;
    let lacks = |what| Failure::internal(format!("{id} has no {what}"));
    Ok((payee.ok_or_else(|| lacks("beneficiary"))?, instrument.ok_or_else(|| lacks("instrument"))?))
}

/// Everything about one of the merchant's payouts, as it was at one moment.
pub(super) async fn see(ctx: &Ctx, who: &Who, id: PayoutId) -> Result<Seen> {
    let merchant = who.merchant;
    db::read!(ctx.db, |tx| {
        tx.snapshot().await?;
        let payout = payout::find(tx, merchant, id).await?;
        let (payee, instrument) = payee_of(tx, &payout).await?;
        let steps = payout::history(tx, merchant, id).await?;
        Ok(Seen {
            movements: statement::movements_of(tx, merchant, &id.to_string()).await?,
            is_known: beneficiaries::find(tx, merchant, payout.beneficiary).await?.is_some(),
            people: people(tx, merchant, &steps).await?,
            is_own: is_own(tx, who, &payout).await?,
            payout,
            steps,
            payee,
            instrument,
        })
    })
}

/// A payout takes few steps, and of those people take one or two.
async fn people(
    tx: &mut Tx,
    merchant: MerchantId,
    steps: &[Transition],
) -> Result<BTreeMap<String, String>> {
    let mut people = BTreeMap::new();
    for step in steps {
        if let Actor::Person(id) = &step.actor
            && let Ok(user) = id.parse()
            && let Some(account) = users::load(tx, merchant, user).await?
        {
            people.insert(id.clone(), account.person.shown().to_owned());
        }
    }
    Ok(people)
}

/// Stops somebody from approving what they have asked for by a credential of their own: whoever has made
/// one of its keys may still have it.
async fn is_own(tx: &mut Tx, who: &Who, payout: &Payout) -> Result<bool> {
    match &payout.made_by {
        Actor::Client(client) => trail::held_key(tx, who, client).await,
        Actor::Person(id) => Ok(*id == who.user.to_string()),
        Actor::Operator(_) | Actor::House | Actor::Rail(_) => Ok(false),
    }
}

/// What somebody has decided, about what they were shown.
#[derive(Debug)]
pub(super) struct Word<'a> {
    pub(super) approves: bool,
    pub(super) reason: &'a str,
    /// The digest of the payout.
    pub(super) digest: &'a str,
    /// That of the payee and the account.
    pub(super) seen: &'a str,
}

/// Lets a payout go, or sends it back, in one transaction with its trail.
pub(super) async fn decide(ctx: &Ctx, who: &Who, id: PayoutId, word: &Word<'_>) -> Result<Payout> {
    let reason = reason(word.reason)?;
    if reason.is_none() && !word.approves {
        return Err(Failure::invalid(Vec::new()).field("reason", "must say why it is sent back"));
    }
    let action = if word.approves { Action::PayoutApproved } else { Action::PayoutRejected };
    let verdict = if word.approves {
        Ok(reason.unwrap_or("approved in the portal"))
    } else {
        Err(reason.unwrap_or_default())
    };
    let eyes = Eyes { ctx, who, action, reason, seen: Some(word.seen) };
    let by = Actor::Person(who.user.to_string());
    payout::decide_before(&eyes, ctx, (who.merchant, id), word.digest, &by, verdict).await
}

/// Calls a payout off.
pub(super) async fn cancel(ctx: &Ctx, who: &Who, id: PayoutId, why: &str) -> Result<Payout> {
    let reason = reason(why)?;
    let eyes = Eyes { ctx, who, action: Action::PayoutCancelled, reason, seen: None };
    let by = Actor::Person(who.user.to_string());
    payout::cancel_before(&eyes, ctx, (who.merchant, id), &by, reason).await
}

fn reason(text: &str) -> Result<Option<&str>> {
    let text = text.trim();
    if text.chars().count() > LONGEST_REASON || text.chars().any(char::is_control) {
        let why = format!("must be one line of at most {LONGEST_REASON} characters");
        return Err(Failure::invalid(Vec::new()).field("reason", why));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Judges whoever decides, where nobody can come between, and writes the trail.
struct Eyes<'a> {
    ctx: &'a Ctx,
    who: &'a Who,
    action: Action,
    reason: Option<&'a str>,
    /// What a decision is about.
    seen: Option<&'a str>,
}

impl Eyes<'_> {
    async fn judge(&self, tx: &mut Tx, payout: &Payout, seen: &str) -> Result<()> {
        if is_own(tx, self.who, payout).await? {
            let why = "you hold a key of the credential that made this payout, so somebody else has \
                       to decide about it";
            return Err(Failure::because(Code::Forbidden, why));
        }
        let (payee, instrument) = payee_of(tx, payout).await?;
        if digest(&payee, &instrument) != seen {
            let why = "the payee or the account has changed since this page was made; look at it again, \
                       then decide";
            return Err(Failure::because(Code::InvalidState, why));
        }
        Ok(())
    }
}

impl Witness<Payout> for Eyes<'_> {
    fn note<'a>(&'a self, tx: &'a mut Tx, payout: &'a Payout) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if let Some(seen) = self.seen {
                self.judge(tx, payout, seen).await?;
            }
            let amount = payout.amounts.source;
            let note = match self.reason {
                Some(reason) => format!("{amount} · {reason}"),
                None => amount.to_string(),
            };
            let Self { ctx, who, action, .. } = self;
            trail::record(tx, ctx, who, *action, &payout.id.to_string(), &note).await
        })
    }
}

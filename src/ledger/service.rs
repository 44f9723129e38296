//! Writing entries, setting money aside, reading balances.

use super::{
    AccountId, AccountKind, Balance, Entry, EntryId, EntryKind, Hold, HoldEnd, HoldId, HoldState,
    Line, Posting, Recorded, Transfer, store,
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Tx},
    money::{Amount, Currency},
};

/// Writes an entry in the caller's transaction, or refuses because an account does not cover it.
pub async fn record(
    tx: &mut Tx,
    ctx: &Ctx,
    merchant: MerchantId,
    entry: &Entry,
) -> Result<Recorded> {
    let postings = entry.postings().map_err(Failure::internal)?;
    write(tx, ctx, merchant, entry, &postings).await
}

async fn write(
    tx: &mut Tx,
    ctx: &Ctx,
    merchant: MerchantId,
    entry: &Entry,
    postings: &[Posting],
) -> Result<Recorded> {
    check_sum(postings)?;
    let (id, at) = (EntryId::make(&ctx.clock, &ctx.random), ctx.now());
    store::insert_entry(tx, merchant, id, entry, at).await?;
    for posting in postings {
        if store::post(tx, merchant, id, *posting, at).await? {
            continue;
        }
        // The first time that this account is touched, or a refusal.
        let account = AccountId::make(&ctx.clock, &ctx.random);
        store::open_account(tx, merchant, *posting, account, at).await?;
        if !store::post(tx, merchant, id, *posting, at).await? {
            return Err(refused(*posting));
        }
    }
    Ok(Recorded { id, at })
}

/// The shape of an entry guarantees it; what is about to be written is checked once more all the same.
fn check_sum(postings: &[Posting]) -> Result<()> {
    for posting in postings {
        let currency = posting.change.currency();
        let of = postings.iter().filter(|other| other.change.currency() == currency);
        let sum: i128 = of.map(|other| i128::from(other.change.minor())).sum();
        if sum != 0 {
            return Err(Failure::internal("an entry does not sum to zero"));
        }
    }
    Ok(())
}

fn refused(posting: Posting) -> Failure {
    let currency = posting.change.currency();
    match posting.account {
        AccountKind::Available if posting.change.is_negative() => Failure::because(
            Code::InsufficientBalance,
            format!("the available {currency} balance does not cover this; add funds or send less"),
        ),
        AccountKind::Pending if posting.change.is_negative() => {
            Failure::internal("more was taken from what is set aside than is there")
        }
        _ => {
            Failure::because(Code::ValidationError, "the amount is larger than an account can hold")
        }
    }
}

/// Undoes an entry by another one; the first stays as it is.
pub async fn reverse(
    tx: &mut Tx,
    ctx: &Ctx,
    merchant: MerchantId,
    id: EntryId,
) -> Result<Recorded> {
    let done = store::postings_of(tx, merchant, id).await?;
    if done.is_empty() {
        return Err(Failure::new(Code::NotFound));
    }
    let back = done
        .into_iter()
        .map(|posting| posting.change.negated().map(|change| Posting { change, ..posting }));
    let back = back.collect::<Result<Vec<_>, _>>().map_err(Failure::internal)?;
    let mut entry = Entry::new(EntryKind::Reversal, id.to_string(), Vec::new());
    entry.reverses = Some(id);
    write(tx, ctx, merchant, &entry, &back).await.map_err(|failure| match failure.code() {
        Code::InsufficientBalance => failure,
        _ => Failure::because(Code::InvalidState, "this entry has been reversed already")
            .caused_by(failure),
    })
}

/// Sets money aside: out of what is available, into what is pending.
pub async fn place_hold(
    tx: &mut Tx,
    ctx: &Ctx,
    merchant: MerchantId,
    amount: Amount,
    cause: &str,
    expires_at: Option<Timestamp>,
) -> Result<Hold> {
    let (available, pending) = (AccountKind::Available, AccountKind::Pending);
    let aside = Transfer::new(available, pending, amount)
        .ok_or_else(|| Failure::internal("a hold is for more than nothing"))?;
    let recorded =
        record(tx, ctx, merchant, &Entry::new(EntryKind::Hold, cause, vec![aside])).await?;
    let id = HoldId::make(&ctx.clock, &ctx.random);
    let hold = Hold { id, amount, cause: cause.to_owned(), state: HoldState::Held };
    store::insert_hold(tx, merchant, &hold, recorded.at, expires_at).await?;
    Ok(hold)
}

/// Uses a hold for these parts, each to its own account; what is left of it is given back. What else
/// belongs to the same event, an exchange's other side, is booked in the same entry.
pub async fn post_hold(
    tx: &mut Tx,
    ctx: &Ctx,
    merchant: MerchantId,
    id: HoldId,
    kind: EntryKind,
    parts: &[(AccountKind, Amount)],
    also: Vec<Transfer>,
) -> Result<Recorded> {
    let hold = held(tx, merchant, id).await?;
    let mut left = hold.amount;
    let mut transfers = also;
    for (account, amount) in parts {
        left = left.minus(*amount).map_err(Failure::internal)?;
        transfers.extend(Transfer::new(AccountKind::Pending, *account, *amount));
    }
    if left.is_negative() {
        return Err(Failure::internal("a hold was used for more than it holds"));
    }
    transfers.extend(Transfer::new(AccountKind::Pending, AccountKind::Available, left));
    let used = hold.amount.minus(left).map_err(Failure::internal)?;
    store::end_hold(tx, merchant, id, HoldEnd::Posted, used.minor(), ctx.now()).await?;
    record(tx, ctx, merchant, &Entry::new(kind, hold.cause, transfers)).await
}

/// Gives a hold back.
pub async fn release_hold(
    tx: &mut Tx,
    ctx: &Ctx,
    merchant: MerchantId,
    id: HoldId,
) -> Result<Recorded> {
    end_unused(tx, ctx, merchant, id, HoldEnd::Released).await
}

/// Gives back the holds whose time is over; each in a transaction of its own merchant. Gives how many.
pub async fn expire_holds(ctx: &Ctx) -> Result<usize> {
    let mut expired = 0;
    loop {
        let now = ctx.now();
        let due = db::read!(ctx.db, |tx| Ok(store::due_holds(tx, now).await?))?;
        let mut ended = 0;
        for (merchant, id) in due {
            let outcome = db::write!(ctx.db, merchant, |tx| {
                end_unused(tx, ctx, merchant, id, HoldEnd::Expired).await
            });
            match outcome {
                Ok(_) => ended += 1,
                // Used, given back or reset since it was read: it has ended without us.
                Err(failure) if matches!(failure.code(), Code::InvalidState | Code::NotFound) => {}
                Err(failure) => return Err(failure),
            }
        }
        if ended == 0 {
            return Ok(expired);
        }
        expired += ended;
    }
}

async fn end_unused(
    tx: &mut Tx,
    ctx: &Ctx,
    merchant: MerchantId,
    id: HoldId,
    how: HoldEnd,
) -> Result<Recorded> {
    let hold = held(tx, merchant, id).await?;
    store::end_hold(tx, merchant, id, how, 0, ctx.now()).await?;
    let back = Transfer::new(AccountKind::Pending, AccountKind::Available, hold.amount);
    let entry = Entry::new(EntryKind::Release, hold.cause, back.into_iter().collect());
    record(tx, ctx, merchant, &entry).await
}

/// A hold as it is, for those who compare it with what it was placed for.
pub async fn hold(tx: &mut Tx, merchant: MerchantId, id: HoldId) -> Result<Option<Hold>> {
    Ok(store::find_hold(tx, merchant, id).await?)
}

async fn held(tx: &mut Tx, merchant: MerchantId, id: HoldId) -> Result<Hold> {
    let hold = store::find_hold(tx, merchant, id).await?;
    let hold = hold.ok_or_else(|| Failure::new(Code::NotFound))?;
    match hold.state {
        HoldState::Held => Ok(hold),
        HoldState::Ended { how, .. } => Err(Failure::because(
            Code::InvalidState,
            format!("the money set aside for this was {} already", how.as_str()),
        )),
    }
}

/// A merchant's balance in one currency; `None` when it never had any.
pub async fn balance(
    tx: &mut Tx,
    merchant: MerchantId,
    currency: Currency,
) -> Result<Option<Balance>> {
    Ok(store::balances(tx, merchant, Some(currency)).await?.pop())
}

/// A merchant's balances, by currency.
pub async fn balances(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<Balance>> {
    Ok(store::balances(tx, merchant, None).await?)
}

/// The lines of one account, newest first, before a version; each with its version for the next page.
pub async fn lines(
    tx: &mut Tx,
    merchant: MerchantId,
    currency: Currency,
    account: AccountKind,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(i64, Line)>> {
    let before = before.unwrap_or(i64::MAX);
    Ok(store::lines(tx, merchant, currency, account, before, limit).await?)
}

//! The ledger, recomputed while it is in use: what should be equal, and where it is not.

mod store;

pub use store::STATEMENTS;

use crate::{
    base::{failure::Result, ids::MerchantId},
    ctx::Ctx,
    db,
};

/// How many merchants or accounts one look takes in.
const AT_ONCE: i64 = 200;

/// What was looked at and what differs, in sentences.
#[derive(Debug, Default)]
pub struct Findings {
    /// Accounts.
    pub accounts: u64,
    /// The differences.
    pub faults: Vec<String>,
}

/// Recomputes every balance from its postings, every entry's sum, and what is set aside. Each look
/// sees one moment, so that a server that serves meanwhile disturbs nothing.
pub async fn verify(ctx: &Ctx) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut after: Option<MerchantId> = None;
    loop {
        let merchants = db::read!(ctx.db, |tx| Ok(store::merchants(tx, after, AT_ONCE).await?))?;
        let Some(last) = merchants.last() else { return Ok(findings) };
        after = Some(*last);
        for merchant in merchants {
            merchant_findings(ctx, merchant, &mut findings).await?;
        }
    }
}

async fn merchant_findings(ctx: &Ctx, merchant: MerchantId, findings: &mut Findings) -> Result<()> {
    let seen = db::read!(ctx.db, |tx| {
        tx.snapshot().await?;
        let accounts = store::accounts(tx, merchant).await?;
        let unbalanced = store::unbalanced(tx, merchant).await?;
        let gaps = store::gaps(tx, merchant).await?;
        Ok((accounts, unbalanced, gaps))
    })?;
    let (accounts, unbalanced, gaps) = seen;
    for account in accounts {
        findings.accounts += 1;
        let name = format!("{merchant} {} {}", account.currency, account.kind);
        if account.balance_minor != account.sum_minor {
            let (stored, sum) = (account.balance_minor, account.sum_minor);
            findings
                .faults
                .push(format!("{name}: the balance is {stored}, its postings sum to {sum}"));
        }
        if account.version != account.postings {
            let (version, count) = (account.version, account.postings);
            findings
                .faults
                .push(format!("{name}: the version is {version}, there are {count} postings"));
        }
        if account.kind == "pending" && account.balance_minor != account.held_minor {
            let (pending, held) = (account.balance_minor, account.held_minor);
            findings.faults.push(format!("{name}: {pending} is pending, holds are for {held}"));
        }
    }
    let entry =
        |(id, currency, sum)| format!("{merchant} {id}: sums to {sum} {currency}, not to zero");
    findings.faults.extend(unbalanced.into_iter().map(entry));
    let gap = |(currency, kind, version)| {
        format!(
            "{merchant} {currency} {kind}: posting {version} does not follow from the one before"
        )
    };
    findings.faults.extend(gaps.into_iter().map(gap));
    Ok(())
}

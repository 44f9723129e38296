//! What must be true of every payout, each as one sentence that says where it is not.

use crate::{
    base::timestamp::Timestamp,
    events::log::EventType,
    ledger::{Hold, HoldEnd, HoldId, HoldState},
    money::Amount,
    payouts::payout::{Payout, PayoutStatus},
};

/// A step as it is written.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) number: i64,
    pub(super) from: Option<String>,
    pub(super) to: String,
    pub(super) actor: String,
    pub(super) at: Timestamp,
}

/// Somebody's decision as it is written.
#[derive(Debug)]
pub(super) struct Vote {
    pub(super) number: i64,
    pub(super) decision: String,
    pub(super) actor: String,
    pub(super) digest: String,
}

/// What is written about a payout, beside its own row.
#[derive(Debug, Default)]
pub(super) struct Papers {
    pub(super) steps: Vec<Step>,
    pub(super) attempts: i64,
    pub(super) decisions: Vec<Vote>,
    pub(super) told: Vec<(EventType, i64)>,
}

/// A payout and everything that must agree with it.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) payout: &'a Payout,
    pub(super) papers: &'a Papers,
    pub(super) hold: Option<Hold>,
    pub(super) fee_hold: Option<Hold>,
    pub(super) quote_used_by: Option<String>,
    /// After which moment every event is kept.
    pub(super) kept_after: Option<Timestamp>,
}

impl Seen<'_> {
    /// Everything that does not agree.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        self.path(&mut faults);
        if self.money(&mut faults).is_none() {
            faults.push("its amounts do not add up".to_owned());
        }
        self.quote(&mut faults);
        self.rail(&mut faults);
        self.approval(&mut faults);
        self.events(&mut faults);
        faults
    }

    /// The steps are all there, each may follow the one before, and they lead to where it is.
    fn path(&self, faults: &mut Vec<String>) {
        let steps = &self.papers.steps;
        let (counted, written) = (self.payout.steps, steps.len());
        if i64::try_from(written) != Ok(counted) {
            faults.push(format!("it counts {counted} steps, {written} are written down"));
        }
        let mut before: Option<&str> = None;
        for (number, step) in (1..).zip(steps) {
            let (from, to) = (step.from.as_deref(), step.to.as_str());
            if step.number != number {
                faults.push(format!("step {number} is missing, number {} is there", step.number));
                return;
            }
            if from != before {
                let (from, before) = (from.unwrap_or("nowhere"), before.unwrap_or("nowhere"));
                faults.push(format!("step {number} begins at {from}, the last led to {before}"));
            }
            let known = |word: &str| PayoutStatus::parse(word);
            let legal = match (from, known(to)) {
                (None, Some(to)) => to == PayoutStatus::Created,
                (Some(from), Some(to)) => known(from).is_some_and(|from| from.may_become(to)),
                (_, None) => false,
            };
            if !legal {
                let from = from.unwrap_or("nowhere");
                faults.push(format!(
                    "step {number} leads from {from} to {to}; there is no such step"
                ));
            }
            before = Some(to);
        }
        let status = self.payout.status.as_str();
        if before != Some(status) {
            let last = before.unwrap_or("nowhere");
            faults.push(format!("it is {status}, its last step led to {last}"));
        }
    }

    fn was(&self, status: PayoutStatus) -> bool {
        self.papers.steps.iter().any(|step| step.to == status.as_str())
    }

    /// What is set aside is held until the end and no longer, and what was used of it is what the
    /// amounts say.
    fn money(&self, faults: &mut Vec<String>) -> Option<()> {
        use PayoutStatus as S;
        let amounts = &self.payout.amounts;
        let total = amounts.total_debited().ok()?;
        let nothing = Amount::zero(total.currency());
        let fee = if amounts.fee_in_source() { amounts.fee } else { nothing };
        let all = amounts.principal().ok()?.plus(fee).ok()?;
        let (how, used) = match self.payout.status {
            S::Completed => (HoldEnd::Posted, all),
            S::Returned if self.was(S::Completed) => (HoldEnd::Posted, all),
            S::Returned => (HoldEnd::Posted, fee),
            _ => (HoldEnd::Released, nothing),
        };
        self.one_hold((self.payout.hold, self.hold.as_ref()), total, (how, used), faults);
        match (self.payout.fee_hold, amounts.fee_apart()) {
            (None, None) => {}
            (Some(id), Some(fee)) => {
                let used = if how == HoldEnd::Posted { fee } else { Amount::zero(fee.currency()) };
                self.one_hold((id, self.fee_hold.as_ref()), fee, (how, used), faults);
            }
            (None, Some(_)) => faults.push("nothing is set aside for its fee".to_owned()),
            (Some(id), None) => faults.push(format!("{id} is for a fee that nobody owes")),
        }
        Some(())
    }

    fn one_hold(
        &self,
        (id, hold): (HoldId, Option<&Hold>),
        amount: Amount,
        (wanted, use_of): (HoldEnd, Amount),
        faults: &mut Vec<String>,
    ) {
        let status = self.payout.status.as_str();
        let shown = |amount: Amount| format!("{} {}", amount.render(), amount.currency());
        let Some(hold) = hold else {
            faults.push(format!("its hold {id} does not exist"));
            return;
        };
        if hold.amount != amount {
            faults.push(format!("{id} is for {}, not for {}", shown(hold.amount), shown(amount)));
        }
        if hold.cause != self.payout.id.to_string() {
            faults.push(format!("{id} was placed for {}", hold.cause));
        }
        match hold.state {
            HoldState::Held if self.payout.status.is_end() => {
                faults.push(format!("it is {status}, and {id} is still held"));
            }
            HoldState::Held => {}
            HoldState::Ended { how, .. } if !self.payout.status.is_end() => {
                faults.push(format!("it is {status}, and {id} was {} already", how.as_str()));
            }
            HoldState::Ended { how, used, .. } => {
                if how != wanted {
                    let (how, wanted) = (how.as_str(), wanted.as_str());
                    faults.push(format!("it is {status}, and {id} was {how}, not {wanted}"));
                }
                if used != use_of {
                    let (used, wanted) = (shown(used), shown(use_of));
                    faults.push(format!("{used} of {id} was used, not {wanted}"));
                }
            }
        }
    }

    fn quote(&self, faults: &mut Vec<String>) {
        let quote = self.payout.quote;
        match self.quote_used_by.as_deref() {
            Some(by) if by == self.payout.id.to_string() => {}
            Some(by) => faults.push(format!("its quote {quote} was used by {by}")),
            None => faults.push(format!("its quote {quote} was not used")),
        }
    }

    /// Handed over once, or not at all.
    fn rail(&self, faults: &mut Vec<String>) {
        let wanted = i64::from(self.was(PayoutStatus::Processing));
        let count = self.papers.attempts;
        if count != wanted {
            faults.push(format!("it was handed over {count} times; by its steps it was {wanted}"));
        }
    }

    /// What somebody has let through was seen by them as it is now.
    fn approval(&self, faults: &mut Vec<String>) {
        let digest = self.payout.digest();
        for step in &self.papers.steps {
            let approved = step.to == PayoutStatus::Approved.as_str();
            let by_somebody =
                ["operator:", "person:"].iter().any(|kind| step.actor.starts_with(kind));
            if !approved || !by_somebody {
                continue;
            }
            // A decision has the number of the step after which it was given.
            let after = |vote: &&Vote| {
                vote.number + 1 == step.number
                    && vote.actor == step.actor
                    && vote.decision == "approve"
            };
            match self.papers.decisions.iter().find(after) {
                None => faults.push(format!("{} has let it through without a word", step.actor)),
                Some(vote) if vote.digest != digest => {
                    let who = &vote.actor;
                    faults.push(format!("it is not any more what {who} has approved"));
                }
                Some(_) => {}
            }
        }
    }

    /// Each step was told, as far back as events are kept.
    fn events(&self, faults: &mut Vec<String>) {
        let Some(kept_after) = self.kept_after else { return };
        let kinds = self.papers.steps.iter().filter(|step| step.at > kept_after);
        let kinds = kinds.filter_map(|step| PayoutStatus::parse(&step.to));
        let kinds: Vec<_> = kinds.map(PayoutStatus::event).collect();
        for (at, kind) in kinds.iter().enumerate() {
            if kinds.iter().take(at).any(|earlier| earlier == kind) {
                continue;
            }
            let wanted = kinds.iter().filter(|other| *other == kind).count();
            let told = self.papers.told.iter().find(|(known, _)| known == kind);
            let told = told.map_or(0, |(_, count)| *count);
            if i64::try_from(wanted).is_ok_and(|wanted| told < wanted) {
                let kind = kind.as_str();
                faults.push(format!("{wanted} steps are {kind}, {told} events tell of it"));
            }
        }
    }
}

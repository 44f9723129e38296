//! A rail of play money: what happens follows from the merchant's own reference and the clock.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{NoAnswer, Order, Outcome, Rail, Report};
use crate::words;

/// From one step to the next.
const STEP: Duration = Duration::from_secs(1);
/// How much later a delayed payout arrives.
const DELAY: Duration = Duration::from_hours(1);
/// How long after its arrival a payout comes back late.
const LATE: Duration = Duration::from_hours(24);

words! {
    /// What a merchant can ask of a sandbox, by the `reference` of a payout.
    Scenario {
        /// Screening finds the name.
        ScreeningHit = "sandbox:screening_hit",
        /// A limit is reached.
        VelocityBlocked = "sandbox:velocity_blocked",
        /// The risk engine holds it.
        EngineReview = "sandbox:engine_review",
        /// Somebody has to look.
        ManualReview = "sandbox:manual_review",
        /// Somebody has to approve.
        Approval = "sandbox:approval",
        /// The rail refuses it at once.
        Refused = "sandbox:refused",
        /// The rail fails after it has sent.
        Failed = "sandbox:failed",
        /// The money comes back instead of arriving.
        Returned = "sandbox:returned",
        /// It arrives, and comes back a day later.
        LateReturn = "sandbox:late_return",
        /// It arrives an hour late.
        Delayed = "sandbox:delayed",
        /// The rail takes it and its answer is lost.
        AnswerLost = "sandbox:answer_lost",
        /// The rail does not hear of it at first.
        NeverSeen = "sandbox:never_seen",
    }
}

/// Walks a payout to its end within seconds, the same way every time.
#[derive(Clone, Copy, Debug)]
pub struct Sandbox;

impl Sandbox {
    /// What has become of an attempt by now; it keeps no books, it follows from the attempt alone.
    fn report(order: &Order<'_>) -> Report {
        let scenario = order.reference.and_then(Scenario::parse);
        let age = order.now.since(order.attempt.submitted_at);
        let arrival = if scenario == Some(Scenario::Delayed) { DELAY } else { 2 * STEP };
        let arrived = age >= arrival;
        let (outcome, next) = match scenario {
            Some(Scenario::Refused) => (Outcome::Failed("the account is closed".to_owned()), None),
            _ if age < STEP => (Outcome::Accepted, Some(STEP)),
            Some(Scenario::NeverSeen) if age < 2 * STEP => (Outcome::NeverSeen, Some(STEP)),
            _ if !arrived => (Outcome::Sent, Some(arrival.saturating_sub(age))),
            Some(Scenario::Failed) => {
                (Outcome::Failed("the bank could not book it".to_owned()), None)
            }
            Some(Scenario::Returned) => {
                (Outcome::Returned("the beneficiary did not take it".to_owned()), None)
            }
            Some(Scenario::LateReturn) if age >= LATE => {
                (Outcome::Returned("the beneficiary gave it back".to_owned()), None)
            }
            Some(Scenario::LateReturn) => (Outcome::Completed, Some(LATE.saturating_sub(age))),
            _ => (Outcome::Completed, None),
        };
        let reference = Some(format!("SBX-{}", order.attempt.id));
        Report { outcome, reference, ask_again: next }
    }
}

impl Rail for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn submit<'a>(&'a self, order: &'a Order<'a>) -> BoxFuture<'a, Result<Report, NoAnswer>> {
        let scenario = order.reference.and_then(Scenario::parse);
        let first = order.now.since(order.attempt.submitted_at) < STEP;
        Box::pin(async move {
            match scenario {
                Some(Scenario::AnswerLost) => {
                    Err(NoAnswer("it was lost on the way back".to_owned()))
                }
                Some(Scenario::NeverSeen) if first => {
                    Err(NoAnswer("it was lost on the way there".to_owned()))
                }
                _ => Ok(Self::report(order)),
            }
        })
    }

    fn status<'a>(&'a self, order: &'a Order<'a>) -> BoxFuture<'a, Result<Report, NoAnswer>> {
        Box::pin(async move { Ok(Self::report(order)) })
    }
}

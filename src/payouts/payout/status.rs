//! The fourteen states, and the one table of steps between them.

use crate::{events::log::EventType, words};

words! {
    /// Where a payout is.
    PayoutStatus {
        /// Made; nothing has been checked.
        Created = "created",
        /// Names are compared with the lists.
        PendingScreening = "pending_screening",
        /// Somebody's name is on a list.
        ScreeningFailed = "screening_failed",
        /// It waits for a second pair of eyes.
        PendingApproval = "pending_approval",
        /// It may go to its rail.
        Approved = "approved",
        /// The rail has been asked.
        Processing = "processing",
        /// The rail has sent it.
        Sent = "sent",
        /// The beneficiary has it.
        Completed = "completed",
        /// The rail could not.
        Failed = "failed",
        /// It came back.
        Returned = "returned",
        /// It was called off.
        Cancelled = "cancelled",
        /// Somebody has to look at it.
        ManualReview = "manual_review",
        /// It would have gone over a limit.
        VelocityBlocked = "velocity_blocked",
        /// The risk engine holds it until somebody has looked.
        PendingEngineReview = "pending_engine_review",
    }
}

use PayoutStatus as S;

impl PayoutStatus {
    /// The steps that may be taken from here; there are no others.
    ///
    /// Beyond the published tree: a rail can refuse before it sends (`processing` to `failed`), and a
    /// bank can give money back that had arrived (`completed` to `returned`). Both happen, and the
    /// money has to be booked.
    pub const fn next(self) -> &'static [Self] {
        match self {
            S::Created => &[S::PendingScreening, S::ManualReview, S::Cancelled],
            S::PendingScreening => &[
                S::ScreeningFailed,
                S::VelocityBlocked,
                S::PendingEngineReview,
                S::ManualReview,
                S::PendingApproval,
                S::Approved,
                S::Cancelled,
            ],
            S::PendingEngineReview | S::ManualReview => {
                &[S::PendingApproval, S::Approved, S::Cancelled]
            }
            S::PendingApproval => &[S::Approved, S::VelocityBlocked, S::Cancelled],
            S::Approved => &[S::Processing],
            S::Processing => &[S::Sent, S::Failed],
            S::Sent => &[S::Completed, S::Failed, S::Returned],
            S::Completed => &[S::Returned],
            S::ScreeningFailed | S::VelocityBlocked | S::Failed | S::Returned | S::Cancelled => &[],
        }
    }

    /// Whether a step may be taken.
    pub fn may_become(self, next: Self) -> bool {
        self.next().contains(&next)
    }

    /// Whether the merchant can still call it off.
    pub fn can_be_cancelled(self) -> bool {
        self.may_become(Self::Cancelled)
    }

    /// Whether the money that was set aside for it is settled. The one step beyond is that of a bank
    /// which gives back what had arrived.
    pub const fn is_end(self) -> bool {
        matches!(self, S::Completed) || self.next().is_empty()
    }

    /// Whether it waits for somebody's word.
    pub const fn awaits_decision(self) -> bool {
        matches!(self, Self::PendingApproval | Self::PendingEngineReview | Self::ManualReview)
    }

    /// The steps that lead from here to where a rail says that it is; none when it cannot be there.
    pub fn way_to(self, goal: Self) -> Option<Vec<Self>> {
        let through: &[Self] = match (self, goal) {
            (S::Processing, S::Completed | S::Returned) => &[S::Sent],
            _ => &[],
        };
        let way: Vec<Self> = through.iter().copied().chain([goal]).collect();
        let mut at = self;
        for step in &way {
            if !at.may_become(*step) {
                return None;
            }
            at = *step;
        }
        Some(way)
    }

    /// What merchants are told when it gets here.
    pub const fn event(self) -> EventType {
        match self {
            Self::Created => EventType::PayoutCreated,
            Self::PendingScreening => EventType::PayoutScreening,
            Self::ScreeningFailed => EventType::PayoutScreeningFailed,
            Self::PendingApproval | Self::PendingEngineReview | Self::ManualReview => {
                EventType::PayoutHeld
            }
            Self::VelocityBlocked => EventType::PayoutBlocked,
            Self::Approved => EventType::PayoutApproved,
            Self::Processing => EventType::PayoutProcessing,
            Self::Sent => EventType::PayoutSent,
            Self::Completed => EventType::PayoutCompleted,
            Self::Failed => EventType::PayoutFailed,
            Self::Returned => EventType::PayoutReturned,
            Self::Cancelled => EventType::PayoutCancelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancelling_is_possible_from_exactly_the_published_five() {
        let can: Vec<_> = S::ALL.iter().filter(|status| status.can_be_cancelled()).collect();
        let published = [
            S::Created,
            S::PendingScreening,
            S::PendingApproval,
            S::ManualReview,
            S::PendingEngineReview,
        ];
        assert_eq!(can, published.iter().collect::<Vec<_>>());
    }

    #[test]
    fn every_state_can_be_reached_and_the_ends_have_no_way_out() {
        let mut reached = vec![S::Created];
        let mut looked_at = 0;
        while let Some(at) = reached.get(looked_at).copied() {
            looked_at += 1;
            for next in at.next() {
                if !reached.contains(next) {
                    reached.push(*next);
                }
            }
        }
        assert_eq!(reached.len(), S::ALL.len());
        for end in [S::ScreeningFailed, S::VelocityBlocked, S::Failed, S::Returned, S::Cancelled] {
            assert!(end.next().is_empty());
        }
    }

    #[test]
    fn what_a_rail_says_late_is_caught_up_with_and_what_cannot_be_is_refused() {
        assert_eq!(S::Processing.way_to(S::Completed), Some(vec![S::Sent, S::Completed]));
        assert_eq!(S::Processing.way_to(S::Returned), Some(vec![S::Sent, S::Returned]));
        assert_eq!(S::Sent.way_to(S::Failed), Some(vec![S::Failed]));
        assert_eq!(S::Completed.way_to(S::Returned), Some(vec![S::Returned]));
        assert_eq!(S::Completed.way_to(S::Failed), None);
        assert_eq!(S::Cancelled.way_to(S::Completed), None);
        assert_eq!(S::Returned.way_to(S::Completed), None);
    }
}

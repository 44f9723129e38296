//! Roles, rights, and the one table between them.

use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
        secret::Secret,
        timestamp::Timestamp,
    },
    words,
};

use super::UserId;

words! {
    /// What somebody is to the merchant.
    Role {
        /// Everything, and the only one who makes owners.
        Owner = "owner",
        /// Everything but owners.
        Admin = "admin",
        /// Credentials and what programs need.
        Developer = "developer",
        /// Looks, and changes nothing.
        Viewer = "viewer",
        /// Lets payouts go that wait for a second pair of eyes.
        Approver = "approver",
    }
}

words! {
    /// Whether somebody can sign in.
    UserStatus {
        /// Not yet: the invitation is open.
        Invited = "invited",
        /// Yes.
        Active = "active",
        /// Never again.
        Removed = "removed",
    }
}

/// What a page or a form asks of whoever sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Balances, payouts and what became of them.
    SeeMoney,
    /// Let a payout go.
    ApprovePayouts,
    /// Call a payout off.
    ManagePayouts,
    /// Personal data of beneficiaries, in clear.
    SeePersons,
    /// Credentials and their keys.
    SeeCredentials,
    /// Register, rotate, revoke.
    ManageCredentials,
    /// Events, webhook endpoints, requests of the API.
    SeeEvents,
    /// Where events are sent, and that one is sent again.
    ManageWebhooks,
    /// Who else is here.
    SeeTeam,
    /// Invite, change roles, remove.
    ManageTeam,
    /// What everybody has done.
    SeeTrail,
}

use Role::{Admin, Approver, Developer, Owner, Viewer};

/// The one table: what is not in it is not allowed.
const RIGHTS: &[(Right, &[Role])] = &[
    (Right::SeeMoney, &[Owner, Admin, Developer, Viewer, Approver]),
    (Right::ApprovePayouts, &[Owner, Approver]),
    (Right::ManagePayouts, &[Owner, Admin, Developer]),
    (Right::SeePersons, &[Owner, Admin]),
    (Right::SeeCredentials, &[Owner, Admin, Developer, Viewer]),
    (Right::ManageCredentials, &[Owner, Admin, Developer]),
    (Right::SeeEvents, &[Owner, Admin, Developer, Viewer]),
    (Right::ManageWebhooks, &[Owner, Admin, Developer]),
    (Right::SeeTeam, &[Owner, Admin]),
    (Right::ManageTeam, &[Owner, Admin]),
    (Right::SeeTrail, &[Owner, Admin]),
];

impl Role {
    /// Whether the table gives this role the right.
    pub fn has(self, right: Right) -> bool {
        RIGHTS.iter().any(|(known, roles)| *known == right && roles.contains(&self))
    }

    /// Whether somebody of this role may give, change or take the other role. Stops an admin from
    /// becoming an owner through an account of their making.
    pub fn may_handle(self, other: Self) -> bool {
        self.has(Right::ManageTeam) && (self == Owner || other != Owner)
    }

    /// What it is for, in a sentence for people.
    pub const fn about(self) -> &'static str {
        match self {
            Owner => "Everything, the team and its owners too",
            Admin => "Everything but the owners",
            Developer => "Registers credentials and sees what happens",
            Viewer => "Sees what happens and changes nothing",
            Approver => "Lets payouts go that wait for approval",
        }
    }
}

/// Somebody who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// For whom.
    pub merchant: MerchantId,
    /// Their id.
    pub id: UserId,
    /// Where they are written to, and what they sign in with.
    pub email: String,
    /// What others call them; may be empty.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they can sign in.
    pub status: UserStatus,
    /// Since when a code is asked for, if one is.
    pub totp_since: Option<Timestamp>,
    /// When they were made.
    pub created_at: Timestamp,
    /// When they signed in last.
    pub signed_in_at: Option<Timestamp>,
}

impl Person {
    /// How a page calls them.
    pub fn shown(&self) -> &str {
        if self.name.is_empty() { &self.email } else { &self.name }
    }
}

/// A person with what their sign-in is checked against.
#[derive(Clone, Debug)]
pub struct Account {
    /// Who.
    pub person: Person,
    /// argon2id; none as long as no password was chosen.
    pub password_hash: Option<String>,
    /// The sealed secret of their codes, also while it waits for its first code.
    pub totp_sealed: Option<Vec<u8>>,
    /// The last step whose code was used.
    pub totp_last_step: i64,
}

/// Refuses passwords that are guessed first. Length decides (NIST SP 800-63B): rules about kinds of
/// characters make people choose worse ones.
pub fn checked_password(password: &str, email: &str) -> Result<Secret<String>> {
    let fault = |message: &str| Err(Failure::invalid(Vec::new()).field("password", message));
    let lower = password.to_lowercase();
    let (local, _) = email.split_once('@').unwrap_or((email, ""));
    let mut seen: Vec<char> = lower.chars().collect();
    seen.sort_unstable();
    seen.dedup();
    match password.chars().count() {
        0..12 => fault("must have 12 characters or more; a few words make a good one"),
        12..=256 if seen.len() < 5 => fault("must not be the same few characters again and again"),
        12..=256 if local.len() >= 4 && lower.contains(&local.to_lowercase()) => {
            fault("must not hold your e-mail address")
        }
        12..=256 => Ok(Secret::new(password.to_owned())),
        _ => fault("must have at most 256 characters"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_right_stands_once_and_owners_lack_none() {
        let mut rights: Vec<_> = RIGHTS.iter().map(|(right, _)| *right).collect();
        let listed = rights.len();
        rights.sort_unstable();
        rights.dedup();
        assert_eq!(rights.len(), listed);
        assert!(rights.iter().all(|right| Owner.has(*right)));
    }

    #[test]
    fn only_owners_handle_owners_and_only_managers_anybody() {
        assert!(Owner.may_handle(Owner) && Owner.may_handle(Admin) && Admin.may_handle(Viewer));
        assert!(!Admin.may_handle(Owner));
        for role in [Developer, Viewer, Approver] {
            assert!(Role::ALL.iter().all(|other| !role.may_handle(*other)));
        }
    }

    #[test]
    fn passwords_are_long_and_not_the_first_guess() {
        let ok = |text: &str| checked_password(text, "owner@shop.example").is_ok();
        assert!(ok("correct horse battery") && ok("Zürich im Regen"));
        for wrong in ["", "short", "aaaaaaaaaaaaaaa", "121212121212", "my-owner-password"] {
            assert!(!ok(wrong), "{wrong}");
        }
        assert!(!ok(&"abcdef".repeat(50)));
    }
}

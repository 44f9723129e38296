//! A line of the trail.

use super::TrailId;
use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    portal::users::UserId,
    words,
};

words! {
    /// What was done.
    Action {
        /// The right password, or a one-time link, and the code if one is asked for.
        SignedIn = "signed_in",
        /// A password or a code that was wrong.
        SignInRefused = "sign_in_refused",
        /// By the person.
        SignedOut = "signed_out",
        /// One session, or all others.
        SessionEnded = "session_ended",
        /// By whoever knew the old one.
        PasswordChanged = "password_changed",
        /// Codes are asked for from now on.
        TotpOn = "totp_on",
        /// They are not any more.
        TotpOff = "totp_off",
        /// A code for when the device is lost.
        RecoveryCodeUsed = "recovery_code_used",
        /// One more way in.
        PasskeyAdded = "passkey_added",
        /// It is called something else now.
        PasskeyRenamed = "passkey_renamed",
        /// It opens nothing any more.
        PasskeyRemoved = "passkey_removed",
        /// In place of password and code.
        PasskeyUsed = "passkey_used",
        /// An invitation was sent.
        Invited = "invited",
        /// And accepted.
        Joined = "joined",
        /// Somebody may do other things now.
        RoleChanged = "role_changed",
        /// Somebody may do nothing any more.
        Removed = "removed",
        /// A credential with its first key.
        CredentialRegistered = "credential_registered",
        /// For good.
        CredentialRevoked = "credential_revoked",
        /// A new one, the old one for a while beside it.
        SecretRotated = "secret_rotated",
        /// One more.
        KeyAdded = "key_added",
        /// For good.
        KeyRetired = "key_retired",
        /// A payout that waited for it was let go.
        PayoutApproved = "payout_approved",
        /// It was sent back instead.
        PayoutRejected = "payout_rejected",
        /// One was called off.
        PayoutCancelled = "payout_cancelled",
        /// Personal data, in clear.
        PersonSeen = "person_seen",
        /// An endpoint for events.
        WebhookCreated = "webhook_created",
        /// Its address or its filter.
        WebhookChanged = "webhook_changed",
        /// Nothing is sent there any more.
        WebhookSwitchedOff = "webhook_switched_off",
        /// It goes on.
        WebhookSwitchedOn = "webhook_switched_on",
        /// For good.
        WebhookDeleted = "webhook_deleted",
        /// A new one, the old one for a day beside it.
        WebhookSecretRotated = "webhook_secret_rotated",
        /// A test event.
        WebhookTested = "webhook_tested",
        /// One event or many, once more.
        EventsRedelivered = "events_redelivered",
    }
}

impl Action {
    /// For people.
    pub const fn about(self) -> &'static str {
        match self {
            Self::SignedIn => "Signed in",
            Self::SignInRefused => "Sign-in refused",
            Self::SignedOut => "Signed out",
            Self::SessionEnded => "Ended a session",
            Self::PasswordChanged => "Changed the password",
            Self::TotpOn => "Turned on sign-in codes",
            Self::TotpOff => "Turned off sign-in codes",
            Self::RecoveryCodeUsed => "Used a recovery code",
            Self::PasskeyAdded => "Added a passkey",
            Self::PasskeyRenamed => "Renamed a passkey",
            Self::PasskeyRemoved => "Removed a passkey",
            Self::PasskeyUsed => "Used a passkey",
            Self::Invited => "Invited",
            Self::Joined => "Joined",
            Self::RoleChanged => "Changed the role of",
            Self::Removed => "Removed",
            Self::CredentialRegistered => "Registered a credential",
            Self::CredentialRevoked => "Revoked a credential",
            Self::SecretRotated => "Rotated the secret of",
            Self::KeyAdded => "Added a key to",
            Self::KeyRetired => "Retired a key of",
            Self::PayoutApproved => "Approved payout",
            Self::PayoutRejected => "Rejected payout",
            Self::PayoutCancelled => "Cancelled payout",
            Self::PersonSeen => "Saw the personal data of",
            Self::WebhookCreated => "Added a webhook endpoint",
            Self::WebhookChanged => "Changed a webhook endpoint",
            Self::WebhookSwitchedOff => "Switched off a webhook endpoint",
            Self::WebhookSwitchedOn => "Switched on a webhook endpoint",
            Self::WebhookDeleted => "Deleted a webhook endpoint",
            Self::WebhookSecretRotated => "Rotated the secret of a webhook endpoint",
            Self::WebhookTested => "Sent a test event to",
            Self::EventsRedelivered => "Delivered again to",
        }
    }
}

/// Who acts, and from where.
#[derive(Clone, Debug)]
pub struct Who {
    /// For whom.
    pub merchant: MerchantId,
    /// Their id.
    pub user: UserId,
    /// As it was then: people change addresses and leave.
    pub email: String,
    /// The address of their machine.
    pub address: String,
}

/// One thing that was done.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its id.
    pub id: TrailId,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub email: String,
    /// What.
    pub action: Action,
    /// To what.
    pub subject: String,
    /// What else is to be known.
    pub note: String,
    /// From where.
    pub address: String,
}

//! What a session is, and when it ends.

use std::time::Duration;

use super::SessionId;
use crate::{base::timestamp::Timestamp, portal::users::Person, words};

words! {
    /// How far somebody has come.
    Stage {
        /// The password was right; the code is still to come.
        Code = "code",
        /// Signed in.
        Full = "full",
    }
}

/// Without a request for so long, it ends: a machine that was left alone is nobody's for long.
const IDLE: Duration = Duration::from_mins(30);
/// It ends after so long in any case: a stolen cookie does not live for ever.
pub(super) const LIFE: Duration = Duration::from_hours(12);
/// How long somebody may look for their code.
const CODE_LIFE: Duration = Duration::from_mins(10);
/// How seldom a use is noted; each note is a write.
const NOTE_EVERY: Duration = Duration::from_mins(1);

/// Somebody's session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id, which is not its cookie.
    pub id: SessionId,
    /// Whose it is, as they are now.
    pub person: Person,
    /// How far they have come.
    pub stage: Stage,
    /// Where it began.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to within a minute.
    pub seen_at: Timestamp,
}

impl Session {
    /// Whether it still counts.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        let life = match self.stage {
            Stage::Code => CODE_LIFE,
            Stage::Full => LIFE,
        };
        now < self.created_at.plus(life) && now < self.seen_at.plus(IDLE)
    }

    /// Whether this use should be noted.
    pub fn is_note_due(&self, now: Timestamp) -> bool {
        now >= self.seen_at.plus(NOTE_EVERY)
    }
}

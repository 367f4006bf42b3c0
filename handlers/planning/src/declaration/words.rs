//! The words for where a recovery plan stands, and for what is done about a decision: as records and people have them.
//! It never decides anything. A word never changes: what is stored is read by it.

use core::fmt;

use super::{Act, Phase};

impl Phase {
    /// All of them, from least to most.
    pub const ALL: [Self; 6] =
        [Self::Normal, Self::Suspected, Self::Confirmed, Self::AwaitingApproval, Self::FailingOver, Self::FailedOver];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Suspected => "Suspected",
            Self::Confirmed => "Confirmed",
            Self::AwaitingApproval => "AwaitingApproval",
            Self::FailingOver => "FailingOver",
            Self::FailedOver => "FailedOver",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Act {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::TellSuspected => "tellSuspected",
            Self::Show => "show",
            Self::Ask => "ask",
            Self::Start => "start",
            Self::Follow => "follow",
            Self::RefuseWord => "refuseWord",
            Self::Withdraw => "withdraw",
            Self::StepBack => "stepBack",
            Self::StopAndAsk => "stopAndAsk",
            Self::TellFailedOver => "tellFailedOver",
            Self::TellUndone => "tellUndone",
            Self::TellFailedBack => "tellFailedBack",
            Self::Close => "close",
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

//! A verdict in the words that people and programs read.
//! It never decides one.

use lifeboat_planning::retention::{Kind, State};

use super::Told;

impl Told {
    /// The word for its state, as people and programs read it.
    pub fn state_word(&self) -> &'static str {
        match self.state {
            State::Restorable => "succeeded",
            State::NotWhole => "not whole",
            State::Failed => "failed",
            State::InProgress => "in progress",
            State::Deleting => "deleting",
        }
    }

    /// What becomes of it, in words.
    pub fn verdict_words(&self) -> &'static str {
        match self.kind {
            Kind::Keep => "kept",
            Kind::Expire if self.only_reported => "due, and the policy only reports",
            Kind::Expire => "due",
            Kind::Blocked => "blocked",
            Kind::Foreign => "foreign",
        }
    }
}

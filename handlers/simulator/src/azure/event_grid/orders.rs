//! Orders about events to come: lose, repeat, delay or overtake.
//! It never touches an event that no order names.

use serde::{Deserialize, Serialize};

use super::payload::Raised;

/// What is done with an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EventEffect {
    /// It is never delivered.
    Drop,
    /// It is delivered this often, all at once.
    Duplicate {
        /// How often in all.
        copies: u32,
    },
    /// It is delivered later.
    Delay {
        /// By how many seconds.
        seconds: u32,
    },
    /// It is held until a later event was delivered, a minute at most.
    Reorder,
}

/// An order: the next events that match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventOrder {
    /// The operation's name with `*`; any when left out.
    #[serde(default)]
    pub operation: Option<String>,
    /// A part of the subject, whatever its casing; any when left out.
    #[serde(default)]
    pub subject: Option<String>,
    /// How many matching events pass first.
    #[serde(default)]
    pub after: u32,
    /// How many then; `None` means all.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// What is done.
    pub effect: EventEffect,
}

impl EventOrder {
    /// The next write of any machine, once.
    pub fn machine_write(effect: EventEffect) -> Self {
        Self {
            operation: Some("Microsoft.Compute/virtualMachines/write".to_owned()),
            subject: None,
            after: 0,
            times: once(),
            effect,
        }
    }

    /// Only about this machine, by a part of its id.
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// How many matching events.
    pub fn times(mut self, events: u32) -> Self {
        self.times = Some(events);
        self
    }

    /// All matching events until the orders are cleared.
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    pub(super) fn strikes(&mut self, event: &Raised) -> Option<EventEffect> {
        let operation = self.operation.as_deref();
        let operation = operation.is_none_or(|pattern| crate::azure::access::matches(pattern, &event.operation_name));
        let part = self.subject.as_deref().map(str::to_ascii_lowercase);
        let subject = part.is_none_or(|part| event.resource.to_ascii_lowercase().contains(&part));
        if !operation || !subject || self.is_spent() {
            return None;
        }
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        self.times = self.times.map(|left| left.saturating_sub(1));
        Some(self.effect.clone())
    }

    pub(super) fn is_spent(&self) -> bool {
        self.times == Some(0)
    }
}

fn once() -> Option<u32> {
    Some(1)
}

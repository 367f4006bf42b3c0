//! What Azure says is left of its budgets, read from the headers of every answer.
//!
//! It is a hint, never a permission: other processes spend from the same budgets.

use crate::transport::Answer;
use std::{collections::BTreeMap, time::Duration};

/// How many different budgets are remembered. Azure names some forty over all providers.
const MAX_BUDGETS: usize = 128;
/// The longest name of a budget that is kept, in characters.
const MAX_NAME_CHARS: usize = 128;
/// What the headers of ARM's and the providers' budgets begin with.
const PREFIX: &str = "x-ms-ratelimit-remaining-";
/// The header in which providers list budgets of their own: `Microsoft.Compute/PutVM3Min;239,…`.
const PER_RESOURCE: &str = "x-ms-ratelimit-remaining-resource";

/// What was left when Azure last said so, by the budget's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remaining(BTreeMap<String, i64>);

impl Remaining {
    /// What is left of a budget: `subscription-writes`, `Microsoft.Compute/PutRestorePointResource`, `user-quota`, …
    pub fn of(&self, budget: &str) -> Option<i64> {
        self.0.get(budget).copied()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(name, left)| (name.as_str(), *left))
    }

    pub(crate) fn update(&mut self, answer: &Answer) {
        for (name, value) in answer.headers.iter() {
            let name = name.as_str();
            if name.eq_ignore_ascii_case(PER_RESOURCE) {
                for part in value.as_str().split(',') {
                    if let Some((budget, left)) = part.trim().rsplit_once(';') {
                        self.set(budget, left);
                    }
                }
            } else if let Some(budget) = name.to_ascii_lowercase().strip_prefix(PREFIX) {
                self.set(budget, value.as_str());
            }
        }
        if let Some(left) = answer.header("x-ms-user-quota-remaining") {
            self.set("user-quota", left);
        }
    }

    fn set(&mut self, budget: &str, left: &str) {
        let known = self.0.contains_key(budget) || self.0.len() < MAX_BUDGETS;
        if let Some(left) = left.trim().parse().ok().filter(|_| known && budget.chars().count() <= MAX_NAME_CHARS) {
            self.0.insert(budget.to_owned(), left);
        }
    }
}

/// When Resource Graph's budget is full again, if nothing of it is left now: `hh:mm:ss`.
pub(crate) fn graph_wait(answer: &Answer) -> Option<Duration> {
    let left: i64 = answer.header("x-ms-user-quota-remaining")?.trim().parse().ok()?;
    if left > 0 {
        return None;
    }
    let mut parts = answer.header("x-ms-user-quota-resets-after")?.trim().splitn(3, ':').map(str::parse::<u64>);
    let (hours, minutes, seconds) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(seconds)?;
    Some(Duration::from_secs(seconds.min(LONGEST_WINDOW_SECONDS)))
}

/// The longest window that is believed, in seconds; the documented one is five.
const LONGEST_WINDOW_SECONDS: u64 = 3600;

#[cfg(test)]
mod tests;

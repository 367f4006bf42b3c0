//! Says in a machine's ledger how its deletions ended: *gone*, still there after so many attempts, or given up because the point stays.
//! It never concludes: whoever calls it has read what it says. Each end is said once.

use lifeboat_planning::effect::{Effect, PointEffect};
use lifeboat_planning::id::PointName;

use super::facts::is_restore_point;
use super::seen::Subject;
use crate::chain::{Chain, ChainError};
use crate::ledger::{Entry, OutcomeResult, ReadBack};

/// Adds an entry for each point or snapshot of these names, but where the ledger's last word on it is the same.
pub async fn say(chain: &mut Chain<'_>, subject: &Subject, names: &[String], read: ReadBack) -> Result<(), ChainError> {
    for key in names.iter().filter_map(|name| key_of(subject, name)) {
        if !is_said(chain, &key, read) {
            let (result, detail) = (result_of(read), String::new());
            chain.add(Entry::Outcome { effect: key, result, detail, read: Some(read) }).await?;
        }
    }
    Ok(())
}

/// What a release that does not know the field reads in its place.
fn result_of(read: ReadBack) -> OutcomeResult {
    match read {
        ReadBack::Gone => OutcomeResult::Done,
        ReadBack::StillThere => OutcomeResult::NotYet,
        ReadBack::Stays => OutcomeResult::NotSent,
    }
}

/// The key of the effect that deletes this.
fn key_of(subject: &Subject, name: &str) -> Option<String> {
    let (parsed, place) = (PointName::parse(name)?, subject.place.clone());
    let effect = match is_restore_point(subject, name) {
        true => PointEffect::ExpireRestorePoint { place, point: parsed },
        false => PointEffect::ExpireSnapshot { subscription: place.subscription, group: place.group, snapshot: parsed },
    };
    Some(Effect::Point(effect).key())
}

/// Whoever was stopped between the entry and its own record comes here a second time.
fn is_said(chain: &Chain<'_>, key: &str, read: ReadBack) -> bool {
    let words = chain.entries().filter_map(|entry| match entry {
        Entry::Decision(decision) => decision.effects.iter().any(|effect| effect.key == key).then_some(None),
        Entry::Outcome { effect, read, .. } => (effect == key).then_some(*read),
        Entry::Verified { .. } => None,
    });
    words.last().flatten() == Some(read)
}

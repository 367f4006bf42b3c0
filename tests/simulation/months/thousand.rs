//! A thousand machines deleted at once, while something goes wrong or the handler dies: on the day itself, and again when the fourteen
//! days are over after which what is due may go. Judged by the same model as everything else.
//!
//! An ordinary run plays one of the faults with one of the kills; LIFEBOAT_SEEDS of a thousand and more plays each by itself.

use jiff::SignedDuration;

use crate::seeds::asked;
use crate::virtual_time::{run, run_all};

use super::cases::{self, At, Fault, Kill, Transition, Trouble};
use super::play::{Play, Wanted};
use super::{finish, tally};

/// Machines of the estate.
const MACHINES: usize = 1_000;
/// Hours after the deletion: by then each collection was read, a few dozen an hour, and each machine is known to be gone.
const HOURS: u32 = 24;
/// Slots, one a week, that pass before anything of a gone machine may go.
const SLOTS: u32 = 2;
/// When all of it is due, in hours after the beginning: each was seen to be gone within the first day and a half.
const DUE_AFTER_HOURS: i64 = (14 + 2) * 24;
/// Hours of trouble, on the day itself and again when things are due.
const HOURS_OF_TROUBLE: u32 = 3;
/// What an ordinary run plays: a throttled ARM, and a handler that dies after a deletion.
const ONE: Trouble = (Some(Fault::Throttled), Some(Kill { at: At::ArmDelete, after: true }));

#[test]
fn of_a_thousand_machines_deleted_at_once_nothing_goes_too_early_too_fast_or_to_the_last() {
    let only: Option<u64> = asked("LIFEBOAT_SEED");
    let all = asked("LIFEBOAT_SEEDS").is_some_and(|seeds: u64| seeds >= 1_000);
    let troubles: Vec<Trouble> = std::iter::once(ONE).chain(cases::troubles()).collect();
    let some = if all { 1..=troubles.len() as u64 - 1 } else { 0..=0 };
    let numbers: Vec<u64> = only.map_or_else(|| some.collect(), |seed| vec![seed]);
    let results = run_all(&numbers, |&number| {
        let (fault, kill) = troubles[usize::try_from(number).expect("a number") % troubles.len()];
        run(one(number, fault, kill, only.is_some()))
    });
    let (mut failures, mut deleted, mut calls, mut spent) = (Vec::new(), 0, 0, 0.0);
    let count = results.len();
    for (number, result) in numbers.iter().zip(results) {
        match result {
            Ok(done) => {
                deleted += done.deleted;
                calls += done.calls;
                spent += done.spent;
                failures.extend(done.wrongs.iter().map(|wrong| format!("LIFEBOAT_SEED={number}: {wrong}")));
            }
            Err(panic) => failures.push(format!("LIFEBOAT_SEED={number}: {panic}")),
        }
    }
    println!(
        "{MACHINES} machines deleted at once, under {count} troubles: {deleted} points gone, {calls} calls, {spent:.1} s of one core"
    );
    assert!(
        failures.is_empty(),
        "{} wrongs; each runs again alone with its seed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(deleted > 0, "no point was deleted: nothing was put to the test");
}

async fn one(number: u64, fault: Option<Fault>, kill: Option<Kill>, tell: bool) -> tally::Done {
    let began = tally::spent();
    let second = fault == Some(Fault::PermissionLostInOne);
    let mut play = Play::new(number, Wanted { vault: false, second, machines: Some(MACHINES) }, tell).await;
    play.trouble(fault, kill).await;
    play.act(Transition::MassDeletion).await;
    play.hours(HOURS_OF_TROUBLE).await;
    play.mend(fault).await;
    play.hours(HOURS).await;
    for _ in 0..SLOTS {
        let slot = play.next_slot();
        play.skip(slot - SignedDuration::from_mins(9)).await;
        play.rest_of(slot).await;
    }
    play.rig.skip_to(play.rig.epoch + SignedDuration::from_hours(DUE_AFTER_HOURS)).await;
    play.trouble(fault, kill).await;
    play.hours(HOURS_OF_TROUBLE).await;
    play.mend(fault).await;
    finish(play, began, tell).await
}

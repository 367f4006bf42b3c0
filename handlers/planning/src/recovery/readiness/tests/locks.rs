//! Locks, and what follows: a sentence for each level.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::*;

fn with(level: LockLevel, over: &[Locked]) -> (State, Vec<String>, Vec<String>) {
    let lock = LockSeen { name: "keep".into(), at: "group rg-north".into(), level, over: over.to_vec() };
    let mut seen = seen();
    seen.locks[0].locks = Some(vec![lock]);
    let judged = judge(&plan(), &seen, at(100));
    let notes = judged.notes.iter().filter(|note| matches!(note, Note::DeletesLocked { .. })).map(ToString::to_string);
    (judged.state, judged.reasons.iter().map(ToString::to_string).collect(), notes.collect())
}

#[test]
fn a_lock_that_forbids_changes_keeps_a_failover_from_being_done_and_one_that_forbids_deletes_is_told() {
    let over = [Locked::TargetMachines, Locked::Items, Locked::Endpoints];
    let all = "the machines to be, the replicated items and the endpoints of traffic";
    assert_eq!(
        with(LockLevel::ReadOnly, &over),
        (State::NotReady, vec![format!("lock keep (ReadOnly) on group rg-north forbids changes of {all}")], vec![])
    );
    let hinders = "lock keep (CanNotDelete) on group rg-north hinders no failover, and forbids deleting";
    assert_eq!(with(LockLevel::CanNotDelete, &over), (State::Ready, vec![], vec![format!("{hinders} {all}")]));
    let old = "the old machines, as protecting the other way does with the old ones";
    let told = vec![format!("{hinders} {old}")];
    assert_eq!(with(LockLevel::CanNotDelete, &[Locked::OldMachines]), (State::Ready, vec![], told));
    // What no document explains is not taken for harmless.
    let other = with(LockLevel::Other("NotSpecified".into()), &[Locked::OldMachines]);
    assert_eq!(other.1, ["lock keep (NotSpecified) on group rg-north forbids changes of the old machines"]);
    assert_eq!(with(LockLevel::ReadOnly, &[]), (State::Ready, vec![], vec![]), "it stands over nothing of this");
}

#[test]
fn locks_that_could_not_be_read_are_not_none_and_a_lost_region_explains_those_of_old_machines_alone() {
    let unread = |in_from: bool| {
        told(|seen| {
            seen.source_silent = in_from;
            seen.locks[0] = LocksSeen { subscription: "sub".into(), in_from, locks: None };
        })
    };
    let text = "which locks stand in subscription sub could not be read";
    assert_eq!(unread(false), (State::NotReady, vec![text.into()]));
    assert_eq!(unread(true), (State::Silent, vec![Reason::SourceSilent.to_string(), text.into()]));
}

//! What should be there, computed from the simulator's own record of machines and points, and what must never be.
//! It never asks the product, nor uses its rules for names or times.

use std::collections::BTreeMap;

use lifeboat_simulator::azure::PointView;
use lifeboat_tests::Rig;
use lifeboat_tests::azure::MachineView;
use lifeboat_tests::rig::QUEUE;
use lifeboat_tests::tap::Service;

/// Attempts after which a person's turn has come (design §7).
const ATTEMPTS: usize = 3;

/// Everything that is wrong at the end of a run in which all faults have stopped; empty when all is well.
pub fn wrongs(rig: &Rig, names: &[String]) -> Vec<String> {
    let mut wrongs = Vec::new();
    let machines = rig.azure.machines();
    for name in names {
        let points = rig.azure.points(name);
        let living = machines.iter().find(|machine| machine.name == *name);
        if let Some(machine) = living {
            wrongs.extend(of_living(rig, machine, &points));
        }
        for (vm_id, points) in by_machine(&points) {
            wrongs.extend(
                overlaps(&points).map(|(one, other)| format!("{name} ({vm_id}): {one} and {other} stand side by side")),
            );
        }
    }
    wrongs.extend(touched(rig));
    wrongs.extend(ledgers(rig));
    wrongs.extend(names.iter().flat_map(|name| undecided(rig, name)));
    let counts = rig.bus.counts(QUEUE);
    if counts.active + counts.scheduled + counts.locked + counts.dead > 0 {
        wrongs.push(format!("the queue is not empty: {counts:?}"));
    }
    wrongs
}

/// A living machine has exactly its one point if it was created in scope while we were there, else none.
fn of_living(rig: &Rig, machine: &MachineView, points: &[PointView]) -> Option<String> {
    let own: Vec<&PointView> = points.iter().filter(|point| point.vm_id == machine.vm_id).collect();
    let count = |state: &str| own.iter().filter(|point| point.state == state).count();
    let (succeeded, failed) = (count("Succeeded"), count("Failed"));
    let in_scope =
        machine.created >= rig.epoch && machine.env.as_deref() == Some("prod") && machine.managed_by.is_none();
    let right = match in_scope {
        true => (succeeded == 1 && count("Creating") == 0) || (succeeded == 0 && failed >= ATTEMPTS),
        false => own.is_empty(),
    };
    (!right).then(|| {
        let states: Vec<&str> = own.iter().map(|point| point.state.as_str()).collect();
        format!("{} (created {}, in scope: {in_scope}): points {states:?}", machine.name, machine.created)
    })
}

fn by_machine(points: &[PointView]) -> BTreeMap<String, Vec<PointView>> {
    let mut by: BTreeMap<String, Vec<PointView>> = BTreeMap::new();
    for point in points {
        by.entry(point.vm_id.clone()).or_default().push(point.clone());
    }
    by
}

/// Points of one machine that were there at the same time, neither of them failed at that time. A point that succeeded stands from
/// its beginning for ever; one that failed stood until then.
fn overlaps(points: &[PointView]) -> impl Iterator<Item = (String, String)> {
    let stands = |point: &PointView| (point.time_created, if point.state == "Failed" { point.ended } else { None });
    let mut found = Vec::new();
    for (at, one) in points.iter().enumerate() {
        for other in &points[at + 1..] {
            let ((from, until), (other_from, other_until)) = (stands(one), stands(other));
            let apart =
                until.is_some_and(|until| until <= other_from) || other_until.is_some_and(|until| until <= from);
            if !apart {
                found.push((one.name.clone(), other.name.clone()));
            }
        }
    }
    found.into_iter()
}

/// Changes in ARM other than making groups, collections and points of ours.
fn touched(rig: &Rig) -> Vec<String> {
    let writes = rig.wire.calls().into_iter().filter(|call| call.service == Service::Arm && call.writes());
    let foreign = writes.filter(|call| {
        call.method != "PUT" || !call.path.to_ascii_lowercase().contains("/resourcegroups/lifeboat-points-")
    });
    foreign.map(|call| format!("touched what is not ours: {} {}", call.method, call.path)).collect()
}

/// Points that were begun before anybody had written down that they were decided.
fn undecided(rig: &Rig, name: &str) -> Vec<String> {
    let ledgers = rig.read_ledgers().unwrap_or_default();
    let decided = |point: &PointView| ledgers.iter().any(|ledger| ledger.decided(&point.name, point.time_created));
    let points = rig.azure.points(name).into_iter().filter(|point| !decided(point));
    points.map(|point| format!("{name}: {} was begun before it was written down as decided", point.name)).collect()
}

/// Ledgers that do not verify, have effects that nobody answered for, or a head that is behind: of machines that are gone too.
fn ledgers(rig: &Rig) -> Vec<String> {
    let ledgers = match rig.read_ledgers() {
        Ok(ledgers) => ledgers,
        Err(fault) => return vec![fault],
    };
    let mut wrongs = Vec::new();
    for ledger in ledgers {
        if !ledger.unanswered().is_empty() {
            wrongs.push(format!("{}: effects without an outcome: {:?}", ledger.name, ledger.unanswered()));
        }
        if !ledger.sealed {
            wrongs.push(format!("{}: its head is behind", ledger.name));
        }
    }
    wrongs
}

//! What a seed plays in which a plan is to come to a place while the world stands in a stage, or a controller is to be killed there: a
//! disaster that leads there, and nothing beside it. It never draws what would lead elsewhere.

use crate::cases::{At, Kill, Place, Stage};
use crate::model::history::By;
use crate::people::{Minds, Wrong};
use crate::script::{Lie, Outage, Script};
use crate::seed::Drawn;
use crate::shape::{GroupShape, Shape};
use crate::switch::Stops;

/// A failover of one machine and another, that goes through.
fn plain(by: By) -> Drawn {
    let group = |name, wait_mins| GroupShape { name, machines: 1, approve: false, wait_mins };
    let shape = Shape {
        by,
        fence_required: by != By::Rules,
        standing_approval: by == By::Rules,
        groups: vec![group("db", 1), group("web", 0)],
        bystanders: 1,
        ..Shape::plain()
    };
    let script = Script {
        outage: Outage::Lost,
        lie: None,
        known: (Some(0), Some(60), None),
        back_at: Some(Place::WordToCommit),
        taken_back: 0,
        again_at: None,
        twice: false,
        late: false,
        by_events: false,
        repeats: false,
    };
    let minds = Minds {
        begins: Some(30),
        in_calm: false,
        names_fence: true,
        goes_on: (true, true),
        group: true,
        answers: 30,
        commits: 60,
        old_may_go: false,
        aborts: None,
        wrong: None,
        stops: None,
    };
    Drawn {
        shape,
        script,
        minds,
        controllers: 1,
        again_one_in: 0,
        kills: Vec::new(),
        passing: 1,
        pause: None,
        trouble: None,
        stall: None,
    }
}

/// Who declares so that a plan comes to a place.
fn by_of(place: Place, number: u64) -> By {
    match place {
        Place::Confirmed => By::Person,
        Place::AwaitingApproval => By::Approval,
        _ if number.is_multiple_of(3) => By::Rules,
        _ if number.is_multiple_of(2) => By::Approval,
        _ => By::Person,
    }
}

/// What leads to a place.
pub fn to(place: Place, number: u64) -> Drawn {
    let mut drawn = plain(by_of(place, number));
    match place {
        Place::GroupWord => drawn.shape.groups[1].approve = true,
        // A person who waits with the answer before the first group is one who can still turn back.
        Place::Undo => {
            drawn.shape.groups[0].approve = true;
            drawn.minds.answers = 600;
            drawn.minds.aborts = Some(Place::GroupWord);
            calm(&mut drawn);
        }
        Place::StopOld => drawn.script.back_at = Some(Place::StopOld),
        Place::NeedsToProtect | Place::WordToProtect | Place::Protect | Place::FailedOver => {
            drawn.minds.old_may_go = true
        }
        _ => {}
    }
    let short = [
        Place::Preflight,
        Place::NewestPoints,
        Place::Running,
        Place::EnableTarget,
        Place::DisableOld,
        Place::Verify,
        Place::Commit,
        Place::SaveDisks,
        Place::NeedsToProtect,
    ];
    drawn.stall = short.contains(&place).then_some(place);
    drawn
}

/// A person leaves a region in which all is well.
fn calm(drawn: &mut Drawn) {
    drawn.script.outage = Outage::None;
    drawn.minds.in_calm = true;
}

/// A controller is killed there.
pub fn killed(kill: Kill, number: u64) -> Drawn {
    let mut drawn = to(kill.place, number);
    drawn.kills = vec![kill];
    match (kill.place, kill.at) {
        // What was ordered and is refused is told where the plan stands.
        (Place::Normal | Place::Suspected, At::Tell) => {
            drawn.minds.wrong = Some(Wrong::NoRole);
            drawn.minds.in_calm = true;
        }
        (place, At::Queue) if place <= Place::FailedOver => drawn.script.repeats = true,
        (Place::Fence, At::Change) => calm(&mut drawn),
        (Place::StopOld | Place::SaveDisks, At::Change) => drawn.script.back_at = Some(Place::StopOld),
        _ => {}
    }
    drawn
}

/// A few disasters that differ, each with what it is called.
pub fn few() -> Vec<(&'static str, Drawn)> {
    let with = |by: By, change: &dyn Fn(&mut Drawn)| {
        let mut drawn = plain(by);
        change(&mut drawn);
        drawn
    };
    vec![
        ("a person orders it", with(By::Person, &|_| {})),
        ("a person approves of it", with(By::Approval, &|drawn| drawn.shape.approvals = 2)),
        ("the rules declare it", with(By::Rules, &|_| {})),
        ("the old machines go", with(By::Rules, &|drawn| drawn.minds.old_may_go = true)),
        ("a person approves of the commit", with(By::Person, &|drawn| drawn.minds.wrong = Some(Wrong::ApprovesCommit))),
        (
            "the region is back while the workload is failed over",
            with(By::Rules, &|drawn| {
                drawn.script.back_at = Some(Place::FailOver);
                drawn.minds.commits = 900;
            }),
        ),
        (
            "the region is back before anything is failed over",
            with(By::Person, &|drawn| {
                drawn.script.back_at = Some(Place::Fence);
                drawn.minds.names_fence = false;
                drawn.minds.answers = 240;
            }),
        ),
        ("a person turns back", to(Place::Undo, 1)),
        (
            "two sources lie for some minutes",
            with(By::Rules, &|drawn| {
                drawn.script.outage = Outage::None;
                drawn.script.lie = Some(Lie::SoonResolved);
            }),
        ),
        (
            "points fall due while two sources lie",
            with(By::Rules, &|drawn| {
                drawn.shape.keeps = true;
                drawn.script.outage = Outage::None;
                drawn.script.lie = Some(Lie::SoonResolved);
            }),
        ),
        ("points fall due while a region is lost", with(By::Rules, &|drawn| drawn.shape.keeps = true)),
        (
            "points fall due, and the incident is closed before the failover is done",
            with(By::Person, &|drawn| {
                drawn.shape.keeps = true;
                calm(drawn);
                drawn.minds.commits = 5_400;
            }),
        ),
        (
            "changes are stopped before the first failover",
            with(By::Person, &|drawn| drawn.minds.stops = Some(Stops { at: Place::Fence, seconds: 900 })),
        ),
        (
            "changes are stopped while the failover runs",
            with(By::Rules, &|drawn| drawn.minds.stops = Some(Stops { at: Place::FailOver, seconds: 900 })),
        ),
    ]
}

/// The place that a plan is at some time before another one.
fn before(place: Place) -> Place {
    match place {
        Place::Confirmed | Place::AwaitingApproval => Place::Suspected,
        Place::Declared | Place::Preflight => Place::Confirmed,
        Place::Fence => Place::Preflight,
        Place::NewestPoints | Place::GroupWord | Place::GroupWait | Place::FailOver => Place::Fence,
        Place::Running | Place::EnableTarget | Place::DisableOld | Place::Verify | Place::WordToCommit => {
            Place::FailOver
        }
        _ => Place::WordToCommit,
    }
}

/// A plan comes to a place while the world stands so.
pub fn staged(place: Place, stage: Stage, number: u64) -> Drawn {
    let mut drawn = to(place, number);
    drawn.stall = None;
    match stage {
        Stage::Calm => calm(&mut drawn),
        Stage::Lie => {
            drawn.script.outage = Outage::None;
            drawn.script.lie = Some(Lie::TwoSources);
        }
        Stage::Ill => {
            drawn.script.outage = if number.is_multiple_of(2) { Outage::Slow } else { Outage::Throttled };
            drawn.script.back_at = None;
        }
        Stage::Lost => drawn.script.back_at = None,
        Stage::Back => drawn.script.back_at = Some(before(place)),
        Stage::LostAgain => {
            drawn.script.back_at = Some(before(before(place)));
            drawn.script.again_at = Some(before(place));
        }
    }
    drawn
}

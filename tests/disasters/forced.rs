//! What a seed plays in which a plan is to come to a place while the world stands in a stage, or a controller is to be killed there: a
//! disaster that leads there, and nothing beside it. It never draws what would lead elsewhere.

use crate::cases::{At, Kill, Place, Stage};
use crate::minds::{Another, Minds, Wrong};
use crate::model::history::{By, Pick};
use crate::script::{Lie, Outage, Script};
use crate::seed::Drawn;
use crate::shape::{GroupShape, Shape};
use crate::switch::Stops;
use crate::troubles::{Pause, Trouble};

/// Another recovery point in time.
const ANOTHER: Another = Another { pick: Pick::LatestProcessed, late: false };
/// Nobody commits for so long: two reminders.
const TWO_DAYS_SECS: i64 = 49 * 3_600;

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
        another: None,
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
        Place::AnotherPoint => drawn.minds.another = Some(ANOTHER),
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
        (Place::Normal, At::Tell) => {
            drawn.minds.wrong = Some(Wrong::NoRole);
            drawn.minds.in_calm = true;
        }
        // An alert is the first that is heard of the region.
        (Place::Normal, At::Queue) => drawn.script.known = (Some(120), Some(0), None),
        // Those who said that it is lost say that it is back when all is over.
        (Place::FailedOver, At::Queue) => drawn.script.taken_back = 6_000,
        // One that is undone is declared until that is saved, when the failover is over, written down and told.
        (Place::Declared, At::SaveDeclaration | At::Look | At::Tell | At::Ledger) => {
            drawn.shape.by = By::Person;
            drawn.shape.fence_required = true;
            drawn.script.back_at = Some(Place::NewestPoints);
            drawn.minds.names_fence = false;
            drawn.minds.goes_on = (false, false);
            drawn.minds.answers = 240;
        }
        (place, At::Queue) if place < Place::FailedOver => drawn.script.repeats = true,
        (place, At::SaveDeclaration) => evidence_moves_at(&mut drawn, place, number),
        // Whoever is asked takes so long that a poll comes.
        (Place::WordToProtect, At::Look) => drawn.minds.answers = 900,
        (Place::Fence, At::Change) => calm(&mut drawn),
        (Place::StopOld | Place::SaveDisks, At::Change) => drawn.script.back_at = Some(Place::StopOld),
        _ => {}
    }
    drawn
}

/// What is heard of the region changes while a plan stands at a place that it leaves soon.
fn evidence_moves_at(drawn: &mut Drawn, place: Place, number: u64) {
    // How long it takes to come there differs from seed to seed.
    let spread = i64::try_from(number % 7).unwrap_or(0) * 40;
    match place {
        Place::SaveDisks | Place::NeedsToProtect | Place::WordToProtect => {
            drawn.stall = (place != Place::WordToProtect).then_some(place);
            drawn.minds.answers = 900;
            drawn.script.taken_back = 60 + spread;
        }
        // Two sources lie while a person turns back.
        Place::Undo => {
            drawn.stall = Some(Place::Undo);
            drawn.minds.begins = Some(100 + spread);
            drawn.script.lie = Some(Lie::TwoSources);
        }
        _ => {}
    }
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
        ("a person takes another recovery point", to(Place::AnotherPoint, 1)),
        (
            "a person wants another recovery point when it is too late",
            with(By::Rules, &|drawn| drawn.minds.another = Some(Another { late: true, ..ANOTHER })),
        ),
        ("nobody commits for two days", with(By::Person, &|drawn| drawn.minds.commits = TWO_DAYS_SECS)),
        ("two others approve of an order", with(By::Person, &|drawn| drawn.shape.approvals = 2)),
    ]
}

/// The place that a plan is at some time before another one.
fn before(place: Place) -> Place {
    match place {
        Place::Confirmed | Place::AwaitingApproval => Place::Suspected,
        Place::Declared | Place::Preflight => Place::Confirmed,
        Place::Fence => Place::Preflight,
        Place::NewestPoints | Place::GroupWord | Place::GroupWait | Place::FailOver => Place::Fence,
        Place::Running
        | Place::EnableTarget
        | Place::DisableOld
        | Place::Verify
        | Place::AnotherPoint
        | Place::WordToCommit => Place::FailOver,
        Place::Undo => Place::GroupWord,
        Place::Protect => Place::WordToProtect,
        _ => Place::WordToCommit,
    }
}

/// A plan comes to a place while the world stands so.
pub fn staged(place: Place, stage: Stage, number: u64) -> Drawn {
    let mut drawn = to(place, number);
    drawn.stall = None;
    drawn.minds.in_calm = false;
    let script = &mut drawn.script;
    script.outage = Outage::Lost;
    match stage {
        Stage::Calm => calm(&mut drawn),
        Stage::Lie => {
            script.outage = Outage::None;
            script.lie = Some(Lie::TwoSources);
        }
        Stage::Ill => {
            script.outage = if number.is_multiple_of(2) { Outage::Slow } else { Outage::Throttled };
            script.back_at = None;
        }
        Stage::Lost => script.back_at = None,
        Stage::Back => script.back_at = Some(before(place)),
        Stage::LostAgain => {
            script.back_at = Some(before(before(place)));
            script.again_at = Some(before(place));
        }
    }
    not_by_itself(&mut drawn, place, stage);
    drawn
}

/// What a place in a stage takes besides.
fn not_by_itself(drawn: &mut Drawn, place: Place, stage: Stage) {
    match (place, stage) {
        // Those who said that it is lost take long to say that it is back.
        (Place::Confirmed | Place::AwaitingApproval, Stage::Back | Stage::LostAgain) => {
            drawn.script.known = (Some(0), Some(0), None);
            drawn.script.taken_back = 900;
            drawn.script.back_at = Some(Place::Suspected);
            drawn.script.again_at = (stage == Stage::LostAgain).then_some(Place::Suspected);
        }
        // Two others take back what they said of a region that is ill, and those who know that it is say nothing.
        (Place::Normal, Stage::Ill) => {
            drawn.script.known = (None, None, None);
            drawn.script.lie = Some(Lie::SoonResolved);
            drawn.minds.begins = None;
        }
        // Nobody had looked at the region before it was lost: who was to do it was stopped.
        (Place::Normal, Stage::Lost) => {
            drawn.script.known = (None, Some(197), None);
            drawn.minds.begins = None;
            drawn.controllers = 2;
            drawn.pause = Some(Pause { before_sending: false, passing: 0, seconds: 376 });
        }
        // It was well again for long enough.
        (Place::Suspected, Stage::LostAgain) => {
            drawn.script.back_at = Some(Place::Suspected);
            drawn.script.again_at = Some(Place::Normal);
            drawn.minds.begins = None;
        }
        // The fence of what answered for a moment.
        (Place::GroupWord | Place::Undo, Stage::LostAgain) => {
            drawn.script.back_at = Some(Place::Fence);
            drawn.script.again_at = Some(Place::Fence);
        }
        // The disks are saved before the commit goes through.
        (Place::NeedsToProtect, Stage::LostAgain) => {
            drawn.script.back_at = Some(Place::FailOver);
            drawn.script.again_at = Some(Place::Commit);
            drawn.trouble = Some(Trouble::ArmFails);
        }
        (Place::Protect, Stage::LostAgain) => {
            drawn.script.back_at = Some(Place::StopOld);
            drawn.minds.answers = 120;
        }
        // All that is stopped was stopped while all was well: what is saved of it then is not answered.
        (Place::SaveDisks, Stage::Lost) => {
            drawn.minds.in_calm = true;
            drawn.minds.begins = Some(0);
        }
        // Whoever saves the disks dies first, so that the commit is done before.
        (Place::SaveDisks, Stage::Calm | Stage::Lie | Stage::Ill) => {
            if stage == Stage::Ill {
                drawn.script.outage = Outage::Slow;
            }
            drawn.kills = vec![Kill { place, at: At::Change, after: false }];
        }
        _ => {}
    }
}

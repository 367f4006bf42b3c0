//! Draws what a seed plays, plays it to its end, and has the model judge what was.
//! It never decides anything while it plays: the dice are thrown before.

use crate::cases::{Kill, PLACES, Place, Stage};
use crate::dice::Dice;
use crate::model::history::By;
use crate::model::judge;
use crate::people::{Minds, People, WRONGS};
use crate::play::{Play, after};
use crate::record::Record;
use crate::script::{LIES, Outage, Scene, Script};
use crate::shape::{GroupShape, Shape};
use crate::world::World;

/// People and the world are looked at so often.
const TICK_SECS: i64 = 30;
/// No seed goes on for longer.
const SECONDS_MAX: i64 = 10 * 3_600;
/// How long it goes on when all is over.
const AFTERWARDS_SECS: i64 = 900;
/// A region comes back at last, if it waits for a place that is never come to.
const BACK_SECS_MAX: i64 = 3 * 3_600;

/// What a seed plays.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The recovery plan.
    pub shape: Shape,
    /// What happens to the world.
    pub script: Script,
    /// What people have in mind.
    pub minds: Minds,
    /// How many controllers take work.
    pub controllers: usize,
    /// One in so many messages comes again.
    pub again_one_in: u64,
    /// Where controllers are killed.
    pub kills: Vec<Kill>,
}

/// What came of it.
pub struct Done {
    /// What is wrong, by the model.
    pub wrongs: Vec<String>,
    /// Places by stage.
    pub came: Vec<((Place, Stage), usize)>,
    /// Kills that struck.
    pub struck: Vec<Kill>,
    /// Failovers that were begun, and those that went through.
    pub failovers: (usize, usize),
    /// Seconds that passed.
    pub seconds: i64,
}

/// Draws a seed.
pub fn drawn(dice: &mut Dice) -> Drawn {
    let by = dice.of(&[By::Person, By::Approval, By::Rules, By::Rules]);
    let standing_approval = by == By::Rules && dice.percent(75);
    let count = dice.between(1, 3);
    let names = ["db", "web", "job"];
    let group = |dice: &mut Dice, name: &'static str| GroupShape {
        name,
        machines: usize::try_from(dice.between(1, 2)).unwrap_or(1),
        approve: dice.percent(25),
        wait_mins: if dice.percent(40) { dice.between(1, 3) } else { 0 },
    };
    let groups: Vec<GroupShape> = (0..count).map(|at| group(dice, names[usize::try_from(at).unwrap_or(0)])).collect();
    let shape = Shape {
        by,
        approvals: if dice.percent(30) { 2 } else { 1 },
        fence_required: dice.percent(60),
        window_mins: dice.of(&[5, 5, 7]),
        cooldown_hours: 1,
        loss_mins: dice.of(&[60, 30]),
        bystanders: usize::try_from(dice.between(1, 2)).unwrap_or(1),
        groups,
        standing_approval,
        keeps: false,
    };
    let outage = dice.of(&[
        Outage::Lost,
        Outage::Lost,
        Outage::Lost,
        Outage::Lost,
        Outage::None,
        Outage::Slow,
        Outage::Throttled,
    ]);
    let lie = (outage == Outage::None || dice.percent(15)).then(|| dice.of(&LIES));
    let when = |dice: &mut Dice, often: u64, most: i64| dice.percent(often).then(|| dice.between(0, most));
    let known = (when(dice, 85, 300), when(dice, 85, 480), when(dice, 40, 300));
    let script = Script {
        outage,
        lie,
        known,
        back_at: dice.percent(75).then(|| dice.of(&PLACES)),
        taken_back: dice.between(0, 400),
        again_at: dice.percent(30).then(|| dice.of(&PLACES)),
        twice: dice.percent(25),
        late: dice.percent(20),
        by_events: dice.percent(25),
    };
    let minds = Minds {
        begins: dice.percent(85).then(|| dice.between(0, 600)),
        in_calm: dice.percent(12),
        names_fence: dice.percent(40),
        goes_on: (dice.percent(75), dice.percent(50)),
        group: dice.percent(85),
        answers: dice.between(0, 900),
        commits: dice.between(0, 3_600),
        old_may_go: dice.percent(80),
        aborts: dice.percent(20).then(|| dice.of(&PLACES)),
        wrong: dice.percent(50).then(|| dice.of(&WRONGS)),
    };
    Drawn { shape, script, minds, controllers: 1, again_one_in: 0, kills: Vec::new() }
}

/// Plays it.
pub async fn play(seed: u64, drawn: Drawn, dice: Dice, tells: bool) -> (Done, Record) {
    let world = World::new(seed, drawn.shape.clone()).await;
    let began = world.clock.now();
    let mut play = Play::new(world, dice, tells);
    (play.controllers, play.again_one_in) = (drawn.controllers, drawn.again_one_in);
    let mut scene = Scene::new(drawn.script.clone(), &play, 200);
    let mut people = People::new(drawn.minds.clone());
    let limit = after(began, SECONDS_MAX);
    let mut over_since = None;
    while play.world.clock.now() < limit {
        play.pass(TICK_SECS).await;
        scene.look(&mut play);
        people.look(&mut play);
        let now = play.world.clock.now();
        if scene.is_out() && now > after(began, BACK_SECS_MAX) {
            scene.back(&mut play, now);
        }
        if !(scene.is_over() && is_over(&play)) {
            over_since = None;
        } else if now > after(*over_since.get_or_insert(now), AFTERWARDS_SECS) {
            break;
        }
    }
    play.settle().await;
    if tells {
        let mut kinds = std::collections::BTreeMap::new();
        for call in play.world.controllers.iter().flat_map(|one| one.wire.calls()) {
            let path = call.path.replace("%2F", "/");
            let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
            let short = match call.service {
                lifeboat_tests::tap::Service::Blobs => {
                    parts.iter().take(3).copied().collect::<Vec<_>>().join("/").chars().take(40).collect()
                }
                _ => parts.iter().rev().find(|part| !part.contains('-')).copied().unwrap_or_default().to_owned(),
            };
            *kinds.entry(format!("{:?} {} {short}", call.service, call.method)).or_insert(0) += 1;
        }
        kinds.iter().for_each(|(kind, count)| println!("KIND {count:5} {kind}"));
    }
    let seconds = play.world.clock.now().duration_since(began).as_secs();
    let record = play.world.record.clone();
    let history = record.finish();
    if tells {
        for event in &history.events {
            let at = jiff::Timestamp::from_second(event.at).expect("a time");
            println!("{at} {} {:?}", event.at, event.what);
        }
    }
    let wrongs = judge(&history).iter().map(ToString::to_string).collect();
    let came = record.seen().came.iter().map(|(case, count)| (*case, *count)).collect();
    let failovers = record.seen().failovers();
    (Done { wrongs, came, struck: Vec::new(), failovers, seconds }, record)
}

/// Whether nothing goes on any more: no failover runs but one that waits for a person who will not answer, and no incident is open that
/// could be closed.
fn is_over(play: &Play) -> bool {
    matches!(play.place(), Place::Normal | Place::FailedOver | Place::WordToProtect)
}

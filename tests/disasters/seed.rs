//! Draws what a seed plays, plays it to its end, and has the model judge what was.
//! It never decides anything while it plays: the dice are thrown before.

use crate::cases::{Kill, PLACES, Place, Stage, kills};
use crate::dice::Dice;
use crate::minds::{Another, Minds, WRONGS};
use crate::model::history::{By, Pick};
use crate::model::judge;
use crate::people::People;
use crate::play::{IDLE_SECS, Play, after};
use crate::played::Played;
use crate::points::Points;
use crate::script::{LIES, Lie, Outage, Scene, Script};
use crate::shape::{GroupShape, Shape};
use crate::switch::Stops;
use crate::troubles::{Pause, TROUBLES, Trouble, Troubles};
use crate::world::World;

/// People and the world are looked at so often.
const TICK_SECS: i64 = 30;
/// The world's trouble begins after so long.
const BEGINS_SECS: i64 = 200;
/// No seed goes on for longer.
const SECONDS_MAX: i64 = 6 * 3_600;
/// How long it goes on when all is over.
const AFTERWARDS_SECS: i64 = 300;
/// How long nobody commits, where that is let wait: a day and longer.
const WAITS_SECS: (i64, i64) = (26 * 3_600, 50 * 3_600);
/// How long all changes are stopped.
const STOPPED_SECS: (i64, i64) = (120, 1_200);
/// A region comes back at last, if it waits for a place that is never come to.
const BACK_SECS_MAX: i64 = 2_700;

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
    /// Of calls that fit a kill, so many may pass first.
    pub passing: u64,
    /// Where a controller is stopped.
    pub pause: Option<Pause>,
    /// What is in trouble beside the region.
    pub trouble: Option<Trouble>,
    /// Where reads are not answered for a while.
    pub stall: Option<Place>,
}

/// What came of it.
pub struct Done {
    /// What is wrong, by the model.
    pub wrongs: Vec<String>,
    /// Places by stage.
    pub came: Vec<((Place, Stage), usize)>,
    /// Kills that struck.
    pub struck: Vec<Kill>,
    /// Failovers that were begun, those that went through, and those that were undone.
    pub failovers: [usize; 3],
    /// How often a sweep ended that an incident kept from a point that is due, and points that were due and went.
    pub due: [usize; 2],
    /// What else was played.
    pub played: Played,
    /// Calls of the controllers.
    pub calls: usize,
    /// Seconds that passed.
    pub seconds: i64,
}

fn shape(dice: &mut Dice) -> Shape {
    let by = dice.of(&[By::Person, By::Approval, By::Rules, By::Rules]);
    let standing_approval = by == By::Rules && dice.percent(75);
    let count = dice.of(&[1, 1, 2, 2, 3]);
    let group = |dice: &mut Dice, name: &'static str| GroupShape {
        name,
        machines: usize::try_from(dice.of(&[1, 1, 2])).unwrap_or(1),
        approve: dice.percent(20),
        wait_mins: if dice.percent(40) { dice.between(1, 3) } else { 0 },
    };
    let groups: Vec<GroupShape> = ["db", "web", "job"].into_iter().take(count).map(|name| group(dice, name)).collect();
    Shape {
        by,
        approvals: if dice.percent(30) { 2 } else { 1 },
        fence_required: dice.percent(60),
        window_mins: dice.of(&[5, 5, 7]),
        cooldown_hours: 1,
        loss_mins: dice.of(&[60, 30]),
        bystanders: usize::try_from(dice.between(1, 2)).unwrap_or(1),
        groups,
        standing_approval,
        keeps: dice.percent(12),
    }
}

fn script(dice: &mut Dice) -> Script {
    let outages = [
        Outage::Lost,
        Outage::Lost,
        Outage::Lost,
        Outage::Lost,
        Outage::None,
        Outage::None,
        Outage::Slow,
        Outage::Throttled,
    ];
    let outage = dice.of(&outages);
    let lie = (outage == Outage::None || dice.percent(15)).then(|| dice.of(&LIES));
    let when = |dice: &mut Dice, often: u64, most: i64| dice.percent(often).then(|| dice.between(0, most));
    let known = (when(dice, 90, 240), when(dice, 90, 360), when(dice, 40, 300));
    Script {
        outage,
        lie,
        known,
        back_at: dice.percent(75).then(|| dice.of(&PLACES)),
        taken_back: dice.between(0, 400),
        again_at: dice.percent(30).then(|| dice.of(&PLACES)),
        twice: dice.percent(25),
        late: dice.percent(15),
        by_events: dice.percent(25),
        repeats: dice.percent(10),
    }
}

fn minds(dice: &mut Dice) -> Minds {
    Minds {
        begins: dice.percent(85).then(|| dice.between(0, 400)),
        in_calm: dice.percent(12),
        names_fence: dice.percent(40),
        goes_on: (dice.percent(75), dice.percent(50)),
        group: dice.percent(85),
        answers: dice.between(0, 300),
        commits: dice.between(0, 900),
        old_may_go: dice.percent(25),
        aborts: dice.percent(20).then(|| dice.of(&PLACES)),
        wrong: dice.percent(50).then(|| dice.of(&WRONGS)),
        stops: None,
        another: None,
    }
}

/// Draws a seed.
pub fn drawn(seed: u64) -> Drawn {
    let dice = &mut Dice(seed);
    let (shape, mut script, mut minds) = (shape(dice), script(dice), minds(dice));
    let all: Vec<Kill> = kills(PLACES.into_iter()).collect();
    let count = dice.of(&[0, 0, 1, 2, 3]);
    let kills = (0..count).map(|_| dice.of(&all)).collect();
    let pause = dice.percent(25).then(|| Pause::drawn(dice));
    let controllers = if pause.is_some() || dice.percent(30) { 2 } else { 1 };
    let again_one_in = if dice.percent(25) { 4 } else { 0 };
    let trouble = dice.percent(25).then(|| dice.of(&TROUBLES));
    // What came later is drawn last: a seed's number stands for what it always stood for.
    minds.stops =
        dice.percent(15).then(|| Stops { at: dice.of(&PLACES), seconds: dice.between(STOPPED_SECS.0, STOPPED_SECS.1) });
    if script.lie == Some(Lie::OneMachine) && dice.percent(50) {
        script.lie = Some(Lie::OneMachineMeasured);
    }
    of_the_commit(&mut minds, shape.keeps, &mut Dice::beside(seed));
    Drawn { shape, script, minds, controllers, again_one_in, kills, passing: 3, pause, trouble, stall: None }
}

/// What people do at the word to commit, but commit: they take another recovery point, want one too late, or let it wait.
fn of_the_commit(minds: &mut Minds, keeps: bool, dice: &mut Dice) {
    let (takes, late, pick) = (dice.percent(20), dice.percent(35), dice.of(&[Pick::Latest, Pick::LatestProcessed]));
    let (waits, seconds) = (dice.percent(10), dice.between(WAITS_SECS.0, WAITS_SECS.1));
    // Days of points that are made and go would be no cheap ones.
    if waits && !keeps {
        minds.commits = seconds;
    } else if takes {
        minds.another = Some(Another { pick, late });
    }
}

/// Plays it.
pub async fn play(seed: u64, drawn: Drawn, dice: Dice, tells: bool) -> Done {
    let world = World::new(seed, drawn.shape.clone()).await;
    let began = world.clock.now();
    let mut play = Play::new(world, dice, tells);
    (play.controllers, play.again_one_in) = (drawn.controllers, drawn.again_one_in);
    play.world.record.seen().stall = drawn.stall.map(|place| (place, None));
    let mut scene = Scene::new(drawn.script.clone(), &play, BEGINS_SECS);
    let (mut people, mut points) = (People::new(drawn.minds.clone()), Points::default());
    let mut troubles = Troubles::order(&mut play, &drawn.kills, drawn.pause, drawn.trouble, drawn.passing);
    let mut limit = after(began, SECONDS_MAX);
    let mut over_since = None;
    while play.world.clock.now() < limit {
        // Hours in which nothing is to happen but a reminder pass in long steps.
        let idle = scene.is_over() && play.is_easy() && people.let_it_wait(&play);
        play.rest(idle);
        play.pass(if idle { IDLE_SECS } else { TICK_SECS }).await;
        limit = if idle { after(limit, IDLE_SECS) } else { limit };
        scene.look(&mut play);
        people.look(&mut play);
        points.look(&mut play);
        troubles.look(&mut play);
        let now = play.world.clock.now();
        if scene.is_out() && now > after(began, BACK_SECS_MAX) {
            scene.back(&mut play, now);
        }
        if !(scene.is_over() && !people.stop() && is_over(&play, &drawn)) {
            over_since = None;
        } else if now > after(*over_since.get_or_insert(now), AFTERWARDS_SECS) {
            break;
        }
    }
    troubles.end(&play);
    play.settle().await;
    let seconds = play.world.clock.now().duration_since(began).as_secs();
    let calls = play.world.controllers.iter().map(|one| one.wire.count()).sum();
    let history = play.world.record.finish();
    if tells {
        for event in &history.events {
            let at = jiff::Timestamp::from_second(event.at).expect("a time");
            println!("{at} {} {:?}", event.at, event.what);
        }
    }
    let wrongs = judge(&history).iter().map(ToString::to_string).collect();
    let played = Played::of(&history);
    let seen = play.world.record.seen();
    let came = seen.came.iter().map(|(case, count)| (*case, *count)).collect();
    let due = [seen.dues.rested, seen.dues.went];
    Done { wrongs, came, struck: troubles.struck(), failovers: seen.failovers(), due, played, calls, seconds }
}

/// Whether nothing goes on any more: no failover runs but one that waits for a person who will not answer, and no incident is open that
/// could be closed.
fn is_over(play: &Play, drawn: &Drawn) -> bool {
    match play.place() {
        Place::Normal => {
            let seen = play.world.record.seen();
            !seen.said.is_open() && !seen.dues.wait()
        }
        Place::FailedOver => true,
        Place::WordToProtect => !drawn.minds.old_may_go,
        _ => false,
    }
}

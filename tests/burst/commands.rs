//! A burst of commands: every one sent three times, over real handler processes in real time, some of them expired. None is lost, none is doubled:
//! neither in what is remembered, nor in what came of them, nor in what was told.
//! It never takes a handler's word: what is counted lies in the store, in Azure, on the queue and at the topic.

use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_contract::command::{Command, OfPoint, Order, Why};
use lifeboat_execution::orders::memory::Key;
use lifeboat_simulator::bus::Message;
use tokio::time::Instant;

use crate::effects::{self, Sent};
use crate::figures;
use crate::site::Site;

const QUEUE: &str = "commands";
/// One in so many is older than a command may be.
const ONE_EXPIRED_IN: usize = 20;
/// One in so many holds a point of its own: what comes of the others is one switch, of which nobody can count how often it was turned.
const ONE_HOLD_IN: usize = 20;
/// Points of one machine that are held: Azure keeps fifty tags on a resource, and a hold is one on the machine's collection.
const HELD_OF_ONE: usize = 40;
/// Until every machine has its collection: Azure's own work is short in this burst.
const SET_UP_WITHIN: Duration = Duration::from_secs(120);
/// All of it is given up after so long for each command: a hundred times what it takes.
const GIVEN_UP_AFTER_EACH: Duration = Duration::from_millis(500);
/// What a process could not tell is told by the sweep of the next five minutes.
const TOLD_WITHIN: Duration = Duration::from_secs(360);
/// Between two looks at the queue.
const TELLS_EVERY: Duration = Duration::from_secs(10);
/// Between two looks at the topic: each copies all that it accepted.
const ASKS_EVERY: Duration = Duration::from_secs(1);

/// Sends so many commands, each three times, and waits for the end; says whether every line holds.
pub async fn burst(site: &Site, commands: usize, processes: usize) -> bool {
    let points = points(site, commands.div_ceil(ONE_HOLD_IN)).await;
    let (sent, bodies) = orders(site, commands, points);
    let began = Instant::now();
    // The second of each comes right behind the first, and at another process: both are under way at once. A third comes when they are done.
    for body in bodies.iter().flat_map(|body| [body, body]).chain(&bodies) {
        site.world.bus().send(QUEUE, Message::new(body.clone())).expect("the queue takes it");
    }
    let given_up = GIVEN_UP_AFTER_EACH * u32::try_from(commands).unwrap_or(u32::MAX);
    let left = until_empty(site, began, given_up).await;
    let took = began.elapsed();
    let telling = Instant::now();
    while effects::told(site, &sent).missing > 0 && telling.elapsed() < TOLD_WITHIN {
        tokio::time::sleep(ASKS_EVERY).await;
    }
    println!("{commands} commands, each three times, over {processes} processes: {:.1} s", took.as_secs_f64());
    let dead = site.world.bus().dead_letters(QUEUE).len();
    let mut held = true;
    let mut line = |holds: bool, what: &str, figure: String, wanted: &str| {
        held &= holds;
        println!("{what:<46} {figure:>24}   {wanted:<28}{}", if holds { "" } else { "DOES NOT HOLD" });
    };
    line(left == 0 && dead == 0, "messages left; dead letters", format!("{left}; {dead}"), "0; 0");
    line(true, "commands a second", format!("{:.0}", commands as f64 / took.as_secs_f64()), "");
    effects::tell(site, &sent, &mut line).await;
    line(true, "the last told after the last was done", format!("{:.1} s", telling.elapsed().as_secs_f64()), "");
    held
}

/// So many points in Azure that this deployment made, or seems to have made, each to be held by one command.
async fn points(site: &Site, count: usize) -> Vec<String> {
    let names = (0..count.div_ceil(HELD_OF_ONE)).map(|number| format!("held-{number}"));
    let machines: Vec<String> = names.map(|name| site.create(&name)).collect();
    let ready = |site: &Site| figures::protected(site, &machines) == machines.len();
    assert!(site.wait_until(SET_UP_WITHIN, ready).await, "the machines are not protected");
    let collections = site.world.arm().collections();
    let mut points = Vec::new();
    for (number, collection) in (0..count).map(|number| (number, &collections[number / HELD_OF_ONE])) {
        let planted = site.world.arm().plant_point(collection, &format!("lb-held-{number}"));
        points.push(planted.expect("the collection is there").id);
    }
    points
}

/// The commands, and each one's body.
fn orders(site: &Site, commands: usize, mut points: Vec<String>) -> (Sent, Vec<String>) {
    let (mut sent, mut bodies) = (Sent::default(), Vec::new());
    for number in 0..commands {
        let is_expired = number % ONE_EXPIRED_IN == ONE_EXPIRED_IN - 1;
        let point = (number % ONE_HOLD_IN == 0).then(|| points.pop()).flatten();
        let id = format!("c-{number}");
        let now = site.world.clock().now();
        let at = if is_expired { now - SignedDuration::from_hours(24 * 30) } else { now };
        let order = match &point {
            Some(point) => Order::Hold(OfPoint { point: point.clone(), reason: format!("case {number}") }),
            None => Order::StopChanges(Why { reason: format!("the disks of shelf {number} are moved") }),
        };
        let command = Command::new(&id, "/burst", order.clone(), at);
        bodies.push(command.body().to_string());
        if is_expired {
            sent.expired.insert(id);
            continue;
        }
        sent.good.insert(id, Key::of(&command).id);
        match order {
            Order::StopChanges(why) => drop(sent.reasons.insert(why.reason)),
            _ => sent.held.extend(point.map(|point| point.to_lowercase())),
        }
    }
    (sent, bodies)
}

/// Waits until no message is left; how many are.
async fn until_empty(site: &Site, began: Instant, given_up: Duration) -> usize {
    let mut told = Instant::now();
    loop {
        let counts = site.world.bus().counts(QUEUE);
        let left = counts.active + counts.locked + counts.scheduled;
        if left == 0 || began.elapsed() > given_up {
            return left;
        }
        if told.elapsed() > TELLS_EVERY {
            told = Instant::now();
            println!("{:>6.1} s  {left} messages left", began.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

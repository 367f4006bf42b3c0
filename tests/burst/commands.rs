//! A burst of commands: every one sent twice, over real handler processes in real time, some of them expired. None is lost, none is doubled.
//! It never takes a handler's word: what is counted lies in the store and on the queue.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_contract::command::{Command, Order, Why};
use lifeboat_execution::orders::memory::{Key, SeenRecord};
use lifeboat_simulator::bus::Message;
use lifeboat_tests::rig::CONTAINER;
use tokio::time::Instant;

use crate::site::Site;

const QUEUE: &str = "commands";
/// Where the commands that were taken are remembered.
const SEEN: &str = "orders/seen/";
/// One in so many is older than a command may be.
const ONE_EXPIRED_IN: usize = 20;
/// All of it is given up after so long for each command: a hundred times what it takes.
const GIVEN_UP_AFTER_EACH: Duration = Duration::from_millis(500);
/// Between two looks at the queue.
const TELLS_EVERY: Duration = Duration::from_secs(10);

/// Sends so many commands, each twice, and waits for the end; says whether every line holds.
pub async fn burst(site: &Site, commands: usize, processes: usize) -> bool {
    let began = Instant::now();
    let (mut good, mut expired) = (BTreeSet::new(), 0);
    let mut bodies = Vec::new();
    for number in 0..commands {
        let is_expired = number % ONE_EXPIRED_IN == ONE_EXPIRED_IN - 1;
        let id = format!("c-{number}");
        let at = site.world.clock().now();
        let order = Order::StopChanges(Why { reason: format!("the disks of shelf {number} are moved") });
        let at = if is_expired { at - SignedDuration::from_hours(24 * 30) } else { at };
        let command = Command::new(&id, "/burst", order, at);
        bodies.push(command.body().to_string());
        if is_expired {
            expired += 1;
        } else {
            good.insert(Key::of(&command).id);
        }
    }
    // The second of each comes when the first may be under way, and at another process.
    for body in bodies.iter().chain(&bodies) {
        site.world.bus().send(QUEUE, Message::new(body.clone())).expect("the queue takes it");
    }
    let given_up = GIVEN_UP_AFTER_EACH * u32::try_from(commands).unwrap_or(u32::MAX);
    let mut told = Instant::now();
    let left = loop {
        let counts = site.world.bus().counts(QUEUE);
        let left = counts.active + counts.locked + counts.scheduled;
        if left == 0 || began.elapsed() > given_up {
            break left;
        }
        if told.elapsed() > TELLS_EVERY {
            told = Instant::now();
            println!("{:>6.1} s  {left} messages left", began.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let took = began.elapsed();
    let dead = site.world.bus().dead_letters(QUEUE).len();
    let (done, others) = remembered(site, &good);
    println!("{commands} commands, each twice, over {processes} processes: {:.1} s", took.as_secs_f64());
    let mut held = true;
    let mut line = |holds: bool, what: &str, figure: String, wanted: &str| {
        held &= holds;
        println!("{what:<46} {figure:>24}   {wanted:<28}{}", if holds { "" } else { "DOES NOT HOLD" });
    };
    line(left == 0 && dead == 0, "messages left; dead letters", format!("{left}; {dead}"), "0; 0");
    line(done == good.len(), "commands done, each once", format!("{done} of {}", good.len()), "all");
    line(others == 0, "others remembered as done", others.to_string(), "0");
    line(true, "expired ones, refused", expired.to_string(), "");
    line(true, "commands a second", format!("{:.0}", commands as f64 / took.as_secs_f64()), "");
    held
}

/// How many of these commands, by the keys of their ids, are remembered as done, and how many others are.
fn remembered(site: &Site, good: &BTreeSet<String>) -> (usize, usize) {
    let blobs = site.world.blobs();
    let shards = blobs.names(CONTAINER).into_iter().filter(|name| name.starts_with(SEEN));
    let (mut done, mut others) = (0, 0);
    for name in shards {
        let bytes = blobs.bytes(CONTAINER, &name).expect("it was listed");
        let record: SeenRecord = serde_json::from_slice(&bytes).expect("a record");
        for (id, seen) in record.seen {
            if !seen.outcome.is_some_and(|outcome| outcome.done) {
                continue;
            }
            if good.contains(&id) { done += 1 } else { others += 1 }
        }
    }
    (done, others)
}

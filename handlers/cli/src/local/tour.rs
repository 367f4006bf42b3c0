//! The tour: five things that happen to an estate, and whether Lifeboat did what it promises.
//! It never believes the handler: whether a step held is asked of the simulated Azure. It never waits without an end.
//!
//! ```text
//! created ─► the same again ─► lost ─► killed half-way ─► nonsense
//!    └── the first step that does not hold ends the tour: what follows rests on it
//! ```

use std::time::Duration;

use anyhow::{Context, Result};
use jiff::SignedDuration;
use lifeboat_simulator::azure::Os;
use lifeboat_simulator::bus::Message;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::Fault;
use super::control::{self, QUEUE};
use super::estate::{self, NORTH, WEST};
use super::stand_ins::StandIns;
use super::steps::{Missed, Steps};
use crate::client;

/// How long a step may take, in real time: several times what it takes on a slow machine, so that only what hangs runs into it.
const STEP_WITHIN: Duration = Duration::from_secs(30);

/// How often is asked: often enough to see a point while it is made.
const ASKED_EVERY: Duration = Duration::from_millis(50);

/// How long nothing may happen before the simulated time is put forward: a message between two services is on its way for less.
const QUIET_FOR: Duration = Duration::from_millis(300);

/// How late the late copies of an event come, in simulated seconds.
const LATE_SECS: u32 = 40;

/// By when Resource Graph lists a new machine: more than it lags in the simulated Azure.
const LISTED_WITHIN: SignedDuration = SignedDuration::from_secs(15);

/// A message that nobody could have meant: not UTF-8, not JSON, not ours.
const NONSENSE: &[u8] = b"\xff\xfe{\"version\":[[[";

/// Steps of the tour.
const STEPS: u32 = 5;

/// How a step ended: what was seen, or what was missed.
type Held = Result<String, Missed>;

/// What a look at the world says of a wait.
enum Look {
    /// It is so.
    Yes(String),
    /// Not yet; this is seen.
    NotYet(String),
}

struct Tour<'a> {
    on: &'a StandIns,
    steps: &'a mut Steps,
    fault: Option<Fault>,
    quiet_since: Option<Instant>,
}

/// Plays it; says whether all of it held.
pub async fn play(on: &StandIns, steps: &mut Steps, fault: Option<Fault>) -> Result<bool> {
    let mut tour = Tour { on, steps, fault, quiet_since: None };
    tour.plant().await?;
    tour.all().await?;
    Ok(tour.steps.finish(STEPS))
}

impl Tour<'_> {
    /// Plants what can be planted from the start.
    async fn plant(&mut self) -> Result<()> {
        match self.fault {
            // More occurrences than any tour sees.
            Some(Fault::LostSweep) => self.on.host.skip_timer("PolicySweep", 1_000_000),
            Some(Fault::NoSave) => {
                self.on.control.order("/blobs/drop", &json!({ "namePrefix": "ledger/", "times": 1_000_000 })).await?;
            }
            Some(Fault::DoublePoint) | None => {}
        }
        Ok(())
    }

    async fn all(&mut self) -> Result<()> {
        let old = self.old_machines().await?;
        self.steps.begin("A machine is created, and protected");
        let first = self.create("web-04", WEST, Os::Linux).await?;
        let held = self.protected(&first).await?;
        if !self.end(held) {
            return Ok(());
        }
        self.steps.begin("The same event comes again, late and twice, and nothing new is made");
        let held = self.same_again(&first).await?;
        if !self.end(held) {
            return Ok(());
        }
        self.steps.begin("An event is lost, and the sweep finds the machine");
        let held = self.lost(&old).await?;
        if !self.end(held) {
            return Ok(());
        }
        self.steps.begin("The handler is killed half-way, and the work is finished anyway");
        let held = self.killed().await?;
        if !self.end(held) {
            return Ok(());
        }
        self.steps.begin("Nonsense is refused: the handler lives, and no message is lost");
        let held = self.nonsense().await?;
        self.end(held);
        Ok(())
    }

    /// The machines that are there from the start, each with how many points it has.
    async fn old_machines(&self) -> Result<Vec<(String, usize)>> {
        let mut old = Vec::new();
        for id in self.on.control.machines().await? {
            let points = self.on.control.points(&id).await?.len();
            old.push((id, points));
        }
        Ok(old)
    }

    fn end(&mut self, held: Held) -> bool {
        let went_on = held.is_ok();
        self.steps.end(held);
        went_on
    }

    async fn create(&mut self, name: &str, region: &str, os: Os) -> Result<String> {
        let seed = serde_json::to_value(estate::new_machine(name, region, os))?;
        let id = self.on.control.create_machine(&seed).await?;
        self.steps.tell(&format!("{name} ({os:?}) is being created in {region}, tagged env=prod"));
        Ok(id)
    }

    /// Exactly one good point, decided before and written down after.
    async fn protected(&mut self, machine: &str) -> Result<Held> {
        let mut told = String::new();
        let held = self
            .wait(async |tour| {
                let protection = tour.on.control.protection(machine).await?;
                let words = protection.words();
                if words != told {
                    tour.steps.tell(&format!("{}: {words}", name_of(machine)));
                    told.clone_from(&words);
                }
                Ok(if protection.is_whole() { Look::Yes(words) } else { Look::NotYet(words) })
            })
            .await?;
        Ok(held.map_err(|seen| {
            missed("exactly one restore point, Succeeded, with its decision and its outcome in the ledger", seen)
        }))
    }

    async fn same_again(&mut self, machine: &str) -> Result<Held> {
        let writes = self.on.control.point_writes().await?.len();
        let events = self.on.control.events(machine).await?;
        let before = self.on.control.delivered(machine).await?.len();
        for event in &events {
            self.on.control.order("/events/again", &json!({ "id": event.id, "copies": 1 })).await?;
            self.on
                .control
                .order("/events/again", &json!({ "id": event.id, "copies": 2, "seconds": LATE_SECS }))
                .await?;
        }
        let copies = events.len() * 3;
        self.steps.tell(&format!(
            "{} sent again: once now, twice in {LATE_SECS} s",
            counted(events.len(), "event about it is", "events about it are")
        ));
        if self.fault == Some(Fault::DoublePoint) {
            self.on
                .control
                .order("/points/plant", &json!({ "machine": machine, "name": "lb-first-oncreate-2-planted-planted" }))
                .await?;
        }
        let arrived = async |tour: &mut Self, wanted: usize| {
            tour.wait(async |tour| {
                let delivered = tour.on.control.delivered(machine).await?.len() - before;
                let words = format!("{delivered} of {wanted} copies delivered");
                Ok(if delivered >= wanted { Look::Yes(words) } else { Look::NotYet(words) })
            })
            .await
        };
        let expected =
            "every copy is taken, and then there is still exactly one restore point and no second request for one";
        if let Err(seen) = arrived(self, events.len()).await? {
            return Ok(Err(missed(expected, seen)));
        }
        self.forward(SignedDuration::from_secs(i64::from(LATE_SECS)), "the late copies are due");
        if let Err(seen) = arrived(self, copies).await? {
            return Ok(Err(missed(expected, seen)));
        }
        if let Err(seen) = self.wait_until_quiet().await? {
            return Ok(Err(missed(expected, seen)));
        }
        let protection = self.on.control.protection(machine).await?;
        let asked = self.on.control.point_writes().await?.len() - writes;
        let seen = format!("{copies} copies taken; {}; {asked} further requests for one", protection.words());
        Ok(if protection.is_whole() && asked == 0 { Ok(seen) } else { Err(missed(expected, seen)) })
    }

    async fn lost(&mut self, old: &[(String, usize)]) -> Result<Held> {
        self.on.control.order("/events/drop", &json!({ "machine": "web-05", "times": 1_000 })).await?;
        let machine = self.create("web-05", NORTH, Os::Linux).await?;
        let made = self
            .wait(async |tour| {
                let state = tour.on.control.machine_state(&machine).await?;
                Ok(if state == "Succeeded" { Look::Yes(state) } else { Look::NotYet(state) })
            })
            .await?;
        if let Err(seen) = made {
            return Ok(Err(missed("the machine is created", seen)));
        }
        let (raised, taken) =
            (self.on.control.events(&machine).await?.len(), self.on.control.delivered(&machine).await?.len());
        if raised == 0 || taken > 0 {
            return Ok(Err(missed(
                "its events are raised and none arrives",
                format!("{raised} raised, {taken} arrived"),
            )));
        }
        self.steps.tell(&format!("Azure raised {} about it, and none arrived", counted(raised, "event", "events")));
        // Otherwise a sweep that happens to be due at once would look before the machine is listed.
        self.forward(LISTED_WITHIN, "Resource Graph lists the machine by then");
        let due = self.on.host.next_due("PolicySweep").context("the host has no timer for PolicySweep")?;
        self.forward(due.duration_since(self.on.world.clock().now()), "the sweep's timer is due");
        let held = self.protected(&machine).await?;
        let Ok(seen) = held else { return Ok(held) };
        for (id, points) in old {
            if self.on.control.points(id).await?.len() != *points {
                let seen = format!("{} has others than before", name_of(id));
                return Ok(Err(missed("the machines that are there since long get no point of creation", seen)));
            }
        }
        Ok(Ok(format!("{seen}; the {} old machines were left alone", old.len())))
    }

    async fn killed(&mut self) -> Result<Held> {
        self.on.control.order("/faults", &control::next_point_write_hangs()).await?;
        let before = self.on.host.handler_pid();
        let machine = self.create("sql-03", NORTH, Os::Windows).await?;
        let under_way = self
            .wait(async |tour| {
                let writes = tour.on.control.point_writes().await?;
                let unanswered = writes.iter().any(|write| write.status.is_none());
                Ok(if unanswered {
                    Look::Yes(String::new())
                } else {
                    Look::NotYet(format!("{} requests, all answered", writes.len()))
                })
            })
            .await?;
        if let Err(seen) = under_way {
            return Ok(Err(missed("the handler asks for the restore point", seen)));
        }
        let decided = self.on.control.protection(&machine).await?;
        self.steps.tell(&format!("the handler has asked for the point and waits for the answer: {}", decided.words()));
        self.on.host.kill_handler();
        self.steps.tell(&format!("killed: process {}", before.unwrap_or_default()));
        let held = self.protected(&machine).await?;
        let after = self.on.host.handler_pid();
        if after == before {
            return Ok(Err(missed("another process of the handler", "the same process".to_owned())));
        }
        Ok(held.map(|seen| format!("{seen}, by process {}", after.unwrap_or_default())))
    }

    async fn nonsense(&mut self) -> Result<Held> {
        let before = (self.on.host.handler_pid(), self.on.control.point_writes().await?.len());
        let dead = self.on.control.queue().await?.dead;
        let client = client::client(true)?;
        let webhook = format!(
            "{}/runtime/webhooks/eventgrid?functionName=VmWritten&code={}",
            self.on.host.url(),
            self.on.keys.event_grid
        );
        for body in
            ["{\"broken", "[{\"id\":7,\"eventType\":[]}]", "{\"specversion\":\"1.0\",\"type\":\"x\",\"data\":null}"]
        {
            let request = client.post(&webhook).header("aeg-event-type", "Notification");
            let answer = client::ask(request.header("content-type", "application/json").body(body)).await?;
            let meaning = if answer.is_success() { "taken and ignored" } else { "refused" };
            self.steps.tell(&format!("an event `{body}`: {meaning} ({})", answer.status));
        }
        self.on
            .world
            .bus()
            .send(QUEUE, Message { body: NONSENSE.into(), ..Message::default() })
            .context("the bus refuses")?;
        self.steps.tell("a message that is neither text nor JSON is put on the queue");
        let kept = self
            .wait(async |tour| {
                let queue = tour.on.control.queue().await?;
                let words = format!("{} dead letters, {} waiting, {} held", queue.dead, queue.active, queue.locked);
                Ok(if queue.dead == dead + 1 { Look::Yes(words) } else { Look::NotYet(words) })
            })
            .await?;
        if let Err(seen) = kept {
            return Ok(Err(missed("the message is refused until it lies in the dead-letter queue", seen)));
        }
        let url = format!("{}/api/status", self.on.host.url());
        let status = client::ask(client.get(url).header("x-functions-key", &self.on.keys.function)).await?;
        let after = (self.on.host.handler_pid(), self.on.control.point_writes().await?.len());
        let seen = format!(
            "the message lies in the dead-letter queue; {} process of the handler; {} further requests for points; /api/status answers {}",
            if before.0 == after.0 { "the same" } else { "another" },
            after.1 - before.1,
            status.status
        );
        let expected = "the same process answers, the message is kept, and no point was asked for";
        Ok(if before == after && status.status == 200 { Ok(seen) } else { Err(missed(expected, seen)) })
    }

    /// Waits until a look says yes. In between, time is put forward when all that happens is waiting for it.
    async fn wait(&mut self, mut look: impl AsyncFnMut(&mut Self) -> Result<Look>) -> Result<Result<String, String>> {
        let until = Instant::now() + STEP_WITHIN;
        loop {
            match look(self).await? {
                Look::Yes(seen) => return Ok(Ok(seen)),
                Look::NotYet(seen) if Instant::now() >= until => return Ok(Err(seen)),
                Look::NotYet(_) => {}
            }
            self.pass_time().await?;
            sleep(ASKED_EVERY).await;
        }
    }

    /// Waits until nobody does anything and nothing is to be done.
    async fn wait_until_quiet(&mut self) -> Result<Result<String, String>> {
        self.wait(async |tour| {
            let (busy, scheduled) = (tour.is_busy().await?, tour.on.world.bus().next_visible(QUEUE));
            Ok(match (busy, scheduled) {
                (false, None) if tour.quiet_since.is_some_and(|since| since.elapsed() >= QUIET_FOR) => {
                    Look::Yes("quiet".to_owned())
                }
                (false, _) => Look::NotYet("a message waits for its time".to_owned()),
                (true, _) => Look::NotYet("something is still going on".to_owned()),
            })
        })
        .await
    }

    /// When nothing happens but that a message waits for its time, that time comes.
    async fn pass_time(&mut self) -> Result<()> {
        if self.is_busy().await? {
            self.quiet_since = None;
            return Ok(());
        }
        let since = *self.quiet_since.get_or_insert_with(Instant::now);
        let (Some(due), now) = (self.on.world.bus().next_visible(QUEUE), self.on.world.clock().now()) else {
            return Ok(());
        };
        if since.elapsed() >= QUIET_FOR && due > now {
            self.forward(due.duration_since(now), "nothing is left to do until the next look");
        }
        Ok(())
    }

    async fn is_busy(&self) -> Result<bool> {
        let queue = self.on.control.queue().await?;
        Ok(self.on.host.in_flight() > 0 || queue.active > 0 || queue.locked > 0 || self.on.control.is_busy().await?)
    }

    fn forward(&mut self, by: SignedDuration, why: &str) {
        // To the next millisecond, so that what is due then is due.
        let by = SignedDuration::from_millis(i64::try_from(by.as_millis()).unwrap_or(0).max(0) + 1);
        self.on.jump(by);
        self.quiet_since = None;
        self.steps.tell(&format!("simulated time is put forward by {:.0} s: {why}", by.as_secs_f64()));
    }
}

fn missed(expected: &str, seen: String) -> Missed {
    Missed { expected: expected.to_owned(), seen }
}

fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

fn name_of(machine: &str) -> &str {
    machine.rsplit('/').next().unwrap_or(machine)
}

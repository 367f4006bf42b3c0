//! What happens to an estate by events and by their loss: a machine is created, its event comes again, late, or not at all, the handler
//! is killed, and nonsense is sent. It never believes the handler: whether a step held is asked of the simulated Azure.

use anyhow::{Context, Result};
use jiff::SignedDuration;
use lifeboat_simulator::azure::Os;
use lifeboat_simulator::bus::Message;
use serde_json::json;

use super::{Held, Look, Tour, counted, missed, name_of};
use crate::client;
use crate::local::Fault;
use crate::local::control::{self, QUEUE};
use crate::local::estate::{self, NORTH, WEST};
use crate::local::stand_ins::token;

/// How late the late copies of an event come, in simulated seconds.
const LATE_SECS: u32 = 40;

/// By when Resource Graph lists a new machine: more than it lags in the simulated Azure.
const LISTED_WITHIN: SignedDuration = SignedDuration::from_secs(15);

/// A message that nobody could have meant: not UTF-8, not JSON, not ours.
const NONSENSE: &[u8] = b"\xff\xfe{\"version\":[[[";

impl Tour<'_> {
    /// A machine is created, and gets its point.
    pub(super) async fn created(&mut self) -> Result<Held> {
        let machine = self.create("web-04", WEST, Os::Linux).await?;
        self.first = Some(machine.clone());
        self.protected(&machine).await
    }

    /// The machines that are there, each with how many points it has.
    async fn old_machines(&self) -> Result<Vec<(String, usize)>> {
        let mut old = Vec::new();
        for id in self.on.control.machines().await? {
            let points = self.on.control.points(&id).await?.len();
            old.push((id, points));
        }
        Ok(old)
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

    /// Its event comes again.
    pub(super) async fn same_again(&mut self) -> Result<Held> {
        let machine = &self.first.clone().context("no machine was created")?;
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

    /// An event is lost.
    pub(super) async fn lost(&mut self) -> Result<Held> {
        let old = self.old_machines().await?;
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
        for (id, points) in &old {
            if self.on.control.points(id).await?.len() != *points {
                let seen = format!("{} has others than before", name_of(id));
                return Ok(Err(missed("the machines that are there since long get no point of creation", seen)));
            }
        }
        Ok(Ok(format!("{seen}; the {} other machines were left alone", old.len())))
    }

    /// The handler is killed half-way.
    pub(super) async fn killed(&mut self) -> Result<Held> {
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

    /// Nonsense is sent.
    pub(super) async fn nonsense(&mut self) -> Result<Held> {
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
        let status = client::ask(
            client.get(url).header("x-functions-key", &self.on.keys.function).bearer_auth(token(&self.on.world)),
        )
        .await?;
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
}

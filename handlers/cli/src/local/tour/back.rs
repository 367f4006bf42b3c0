//! The old region answers again: its machines are stopped, their disks saved, and on a person's word all is protected the other way.
//! It never believes the handler: which machines run, stand still or are gone is the simulated Azure's record.

use anyhow::Result;
use serde_json::{Value, json};

use super::failing_over::{Pause, asks, last_of};
use super::lost::{names, old_machines};
use super::{Held, Look, Tour, missed};
use crate::local::Fault;
use crate::local::control::{PointSeen, acknowledged_and_not_done};
use crate::local::estate::{NORTH, RECOVERY_GROUP, REPLICATED, WEST, machine_id};
use crate::local::stand_ins::PERSONS;

/// What the names of the old disks' points begin with.
const SAVED: &str = "lb-before-protecting-back-";
/// Orders for one machine after which it must not run any more: it was acknowledged, looked at, and ordered again.
const ORDERS_ENOUGH: usize = 2;

impl Tour<'_> {
    /// It answers again, and is protected the other way.
    pub(super) async fn protected_back(&mut self) -> Result<Held> {
        let expected = "the old machines are stopped first, their disks saved, and only on a person's word they go and the shop is protected the other way";
        self.answers_again().await?;
        let asked = self
            .follow(Pause::Work, async |tour, failover| {
                let run = tour.old_that_run().await?;
                let orders = tour.on.control.accepted("deallocate").await?;
                let ordered =
                    |id: &String| orders.iter().filter(|name| id.to_lowercase().ends_with(name.as_str())).count();
                let lied: Vec<String> = run.iter().filter(|id| ordered(id) >= ORDERS_ENOUGH).cloned().collect();
                if !lied.is_empty() {
                    return Ok(Look::Never(format!(
                        "{} run on, though Azure acknowledged {} orders to stop them; {}; points of their disks: {}",
                        names(&lied),
                        orders.len(),
                        last_of(failover, "under way"),
                        tour.saved().await?
                    )));
                }
                let asked = asks(failover, "turns off and deletes the old machines");
                Ok(match asked {
                    Look::Yes(_) if !run.is_empty() => {
                        Look::Never(format!("a person is asked while {} run", names(&run)))
                    }
                    asked => asked,
                })
            })
            .await?;
        if let Err(seen) = asked {
            return Ok(Err(missed(expected, seen)));
        }
        let (saved, there) = (self.saved().await?, self.old_there().await?);
        self.steps.tell(&format!(
            "Azure's record: {there} old machines stand still, {saved} points of their disks are whole"
        ));
        if (saved, there) != (REPLICATED.len(), REPLICATED.len()) {
            return Ok(Err(missed(
                expected,
                format!("{there} old machines are there, {saved} points of their disks are whole"),
            )));
        }
        if let Err(seen) = self.answer(PERSONS[0]).await? {
            return Ok(Err(missed(expected, seen)));
        }
        let ended = self
            .follow(Pause::Work, async |_, failover| {
                let end = failover.lines.iter().find(|line| line.starts_with("ended"));
                Ok(end.map_or(Look::NotYet(String::new()), |end| Look::Yes(end.clone())))
            })
            .await?;
        let ended = match ended {
            Ok(ended) => ended,
            Err(seen) => return Ok(Err(missed(expected, seen))),
        };
        self.tell_what_others_were_told().await?;
        let there = self.old_there().await?;
        let replicas = self.on.control.replicas().await?;
        let new: Vec<String> = REPLICATED.iter().map(|name| machine_id(RECOVERY_GROUP, name)).collect();
        let is_new = |id: &str| new.iter().any(|new| new.eq_ignore_ascii_case(id));
        let back = replicas.iter().filter(|one| is_new(&one.machine) && one.state == "Protected").count();
        let seen = format!(
            "{}; {there} old machines are there; {back} machines of {NORTH} are protected in {WEST}",
            ended.trim_start_matches("ended").trim()
        );
        let held = there == 0 && back == REPLICATED.len() && self.saved().await? == REPLICATED.len();
        Ok(if held { Ok(seen) } else { Err(missed(expected, seen)) })
    }

    /// What `lifeboat watch` shows of the region and the failover: each kind once, with how often.
    async fn tell_what_others_were_told(&mut self) -> Result<()> {
        let mut kinds: Vec<(String, usize)> = Vec::new();
        for told in self.on.operator.told().await? {
            let kind = told.event["type"].as_str().unwrap_or_default().trim_start_matches("io.lifeboat.").to_owned();
            if !["region.", "approval.", "failover."].iter().any(|about| kind.starts_with(about)) {
                continue;
            }
            match kinds.iter_mut().find(|(own, _)| *own == kind) {
                Some((_, count)) => *count += 1,
                None => kinds.push((kind, 1)),
            }
        }
        let kinds: Vec<String> = kinds.into_iter().map(|(kind, count)| format!("{kind} ({count})")).collect();
        self.steps.tell(&format!("other systems were told, as `lifeboat watch` shows: {}", kinds.join(", ")));
        Ok(())
    }

    /// The region is back, with its machines as they were.
    async fn answers_again(&mut self) -> Result<()> {
        self.on.control.clear_faults().await?;
        self.on.control.order("/regions", &json!({ "region": WEST, "trouble": Value::Null })).await?;
        if self.fault == Some(Fault::FenceLies) {
            let lie = acknowledged_and_not_done("Microsoft.Compute/virtualMachines/deallocate/action");
            self.on.control.order("/faults", &lie).await?;
        }
        let run = self.old_that_run().await?;
        self.steps.tell(&format!("{WEST} answers again, and {} run there as before", names(&run)));
        Ok(())
    }

    /// How many old machines there are.
    async fn old_there(&self) -> Result<usize> {
        let (all, old) = (self.on.control.machines_seen().await?, old_machines());
        Ok(all.iter().filter(|one| old.iter().any(|old| old.eq_ignore_ascii_case(&one.id))).count())
    }

    /// How many old machines have a whole point of their disks.
    async fn saved(&self) -> Result<usize> {
        let mut saved = 0;
        for machine in old_machines() {
            let is_it = |point: &PointSeen| point.name.starts_with(SAVED) && point.state == "Succeeded";
            saved += usize::from(self.on.control.points(&machine).await?.iter().any(is_it));
        }
        Ok(saved)
    }
}

//! The failover that a person approves: step by step to the other region, the traffic after it, and the commit.
//! It never believes the handler: machines, endpoints and what was asked for are the simulated Azure's record.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use jiff::SignedDuration;
use lifeboat_execution::saga::followed::Followed;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::lost::{PLAN, SAGAS, incident, old_machines, phase};
use super::{ASKED_EVERY, Held, Look, STEP_WITHIN, Tour, missed};
use crate::client;
use crate::local::Fault;
use crate::local::control::{EndpointSeen, acknowledged_and_not_done};
use crate::local::estate::{ENDPOINTS, NORTH, RECOVERY_GROUP, REPLICATED, machine_id};
use crate::local::passing;
use crate::local::stand_ins::PERSONS;
use crate::send::{self, OfArgs};

/// The longest pause from one look to the next that is passed over: what is later is a reminder to people.
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(10);
/// How late looks come while nothing happens: of the five minutes in which a fence must be confirmed, three fill the time.
const LATE: SignedDuration = SignedDuration::from_secs(101);
/// Lines of an answer to an order that are told: what became of it and the first that it led to; the steps follow by themselves.
const LINES_TOLD: usize = 2;
/// A pause shorter than this is waited for: its message may come at any moment.
const WAITED_FOR: SignedDuration = SignedDuration::from_millis(500);
/// More than what a message's time is rounded by.
const A_MOMENT: SignedDuration = SignedDuration::from_secs(1);

/// How a pause of the failover is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// Nothing happens in Azure: it is as if the outage had lasted longer.
    Outage,
    /// Azure is at work meanwhile.
    Work,
}

impl Tour<'_> {
    /// A person approves, and the machines come up in the other region.
    pub(super) async fn failed_over(&mut self) -> Result<Held> {
        let expected = "on a person's word, and another one that the old machines cannot be stopped, the machines come up in northeurope in their order, each by one failover";
        if self.fault == Some(Fault::TrafficLies) {
            let lie = acknowledged_and_not_done("Microsoft.Network/trafficManagerProfiles/externalEndpoints/write");
            self.on.control.order("/faults", &lie).await?;
        }
        let (ahead, _) = self.on.operator.failover_ahead(PLAN).await?;
        let incident = incident(&ahead).context("no incident is open")?;
        let approval = send::approval(PLAN, ahead.digest.as_deref().unwrap_or_default(), &OfArgs::incident(&incident));
        if let Err(seen) =
            self.give(PERSONS[0], &format!("approve {PLAN} --incident {incident}"), "Approve", approval).await?
        {
            return Ok(Err(missed(expected, seen)));
        }
        let asked = self.follow(Pause::Outage, async |_, failover| Ok(asks(failover, "cannot be stopped"))).await?;
        if let Err(seen) = asked {
            return Ok(Err(missed(expected, seen)));
        }
        if let Err(seen) = self.answer(PERSONS[1]).await? {
            return Ok(Err(missed(expected, seen)));
        }
        let last = REPLICATED.len() - 1;
        let running = format!("done      group {}: running", ["data", "web"][last]);
        let came = self.follow(Pause::Work, async |_, failover| Ok(is_told(failover, &running))).await?;
        if let Err(seen) = came {
            return Ok(Err(missed(expected, seen)));
        }
        let mut run = Vec::new();
        for name in REPLICATED {
            let new = self.on.control.machine_seen(&machine_id(RECOVERY_GROUP, name)).await?;
            run.extend(new.filter(|new| new.location == NORTH && new.power_state == "running"));
        }
        let order = self.on.control.accepted("unplannedFailover").await?;
        let names: Vec<&str> = run.iter().map(|machine| machine.name()).collect();
        let seen =
            format!("{} run in {NORTH}; Azure was asked to fail over {}", names.join(" and "), order.join(", then "));
        let as_asked = run.len() == REPLICATED.len() && order == REPLICATED;
        Ok(if as_asked { Ok(seen) } else { Err(missed(expected, seen)) })
    }

    /// Traffic is moved, and the answer is verified from outside.
    pub(super) async fn traffic_moved(&mut self) -> Result<Held> {
        let (old, new) = ENDPOINTS;
        let expected = format!("{new} is enabled and online before {old} is disabled, and the shop answers");
        let asked = self
            .follow(Pause::Work, async |tour, failover| {
                let endpoints = tour.on.control.endpoints().await?;
                Ok(unserved(&endpoints).map_or_else(|| asks(failover, "is the failover good"), Look::Never))
            })
            .await?;
        let endpoints = self.on.control.endpoints().await?;
        let on: Vec<&str> = endpoints.iter().filter(|one| one.enabled).map(|one| one.name.as_str()).collect();
        let mut writes = self.on.control.endpoint_writes().await?;
        if let Err(seen) = asked {
            let acknowledged =
                format!("enabled are {}, though Azure acknowledged {} changes", on.join(", "), writes.len());
            return Ok(Err(missed(&expected, format!("{acknowledged}; {seen}"))));
        }
        // The same change sent again, because its answer was lost, is one.
        writes.dedup();
        let answer = client::ask(client::client(true)?.get(self.on.shop.url())).await?;
        self.sweep("HealthPoll").await?;
        let (ahead, _) = self.on.operator.failover_ahead(PLAN).await?;
        let told = self.on.control.told("failover.completed.v1").await?;
        let took = told.first().and_then(|event| event["data"]["rtoSeconds"].as_i64());
        let seen = format!(
            "changed were {}; enabled is {} alone; the shop answers {}; the recovery plan is {}, told to take {} s",
            writes.join(", then "),
            on.join(", "),
            answer.status,
            phase(&ahead),
            took.unwrap_or(-1)
        );
        let moved = on == [new] && writes == [new, old] && answer.status == 200;
        let held = moved && took.is_some() && phase(&ahead) == "FailedOver";
        Ok(if held { Ok(seen) } else { Err(missed(&expected, seen)) })
    }

    /// A person orders the commit.
    pub(super) async fn committed(&mut self) -> Result<Held> {
        let expected = "each failover is committed once, on a person's order and not before";
        let before = self.on.control.accepted("failoverCommit").await?;
        let (ahead, _) = self.on.operator.failover_ahead(PLAN).await?;
        let last = ahead.last.as_ref().context("there is no failover")?;
        let digest = last.asked.first().context("nobody asks for the commit")?.digest(&last.id);
        let order = json!({ "recoveryPlan": PLAN, "digest": digest, "reason": "the shop sells" });
        let given =
            self.give(PERSONS[0], &format!("send CommitFailover recoveryPlan={PLAN}"), "CommitFailover", order).await?;
        if let Err(seen) = given {
            return Ok(Err(missed(expected, seen)));
        }
        let came = self.follow(Pause::Work, async |_, failover| Ok(is_told(failover, "done      commit"))).await?;
        if let Err(seen) = came {
            return Ok(Err(missed(expected, seen)));
        }
        let after = self.on.control.accepted("failoverCommit").await?;
        let states: BTreeSet<String> = self.on.control.replicas().await?.into_iter().map(|one| one.state).collect();
        let states: Vec<String> = states.into_iter().collect();
        let seen = format!(
            "{} committed after the order, {} before; Site Recovery says {}",
            after.len(),
            before.len(),
            states.join(", ")
        );
        let held = before.is_empty() && after.len() == REPLICATED.len() && states == ["UnplannedFailoverCommitted"];
        Ok(if held { Ok(seen) } else { Err(missed(expected, seen)) })
    }

    /// Answers the question that stands: it goes on.
    pub(super) async fn answer(&mut self, person: &str) -> Result<Result<(), String>> {
        let (ahead, _) = self.on.operator.failover_ahead(PLAN).await?;
        let last = ahead.last.as_ref().context("there is no failover")?;
        let question = last.asked.first().context("no question stands")?;
        let approval = send::approval(PLAN, &question.digest(&last.id), &OfArgs::question(question.number));
        self.give(person, &format!("approve {PLAN} --question {}", question.number), "Approve", approval).await
    }

    /// Gives an order with a name, and tells what came of it; an error where it was refused.
    async fn give(&mut self, person: &str, as_typed: &str, name: &str, data: Value) -> Result<Result<(), String>> {
        let answer = self.on.order(person, name, data).await?;
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if !answer.is_success() {
            return Ok(Err(format!("{person}'s order is refused ({}): {}", answer.status, answer.text())));
        }
        let lines = send::told(said["id"].as_str().unwrap_or_default(), &said);
        let lines: Vec<String> = lines.into_iter().take(LINES_TOLD).collect();
        self.steps.tell(&format!("{person}: `lifeboat {as_typed}`: {}", lines.join(" ")));
        Ok(Ok(()))
    }

    /// Follows the failover, telling each step as it passes, until this says yes; pauses are passed over.
    pub(super) async fn follow(
        &mut self,
        pause: Pause,
        mut until: impl AsyncFnMut(&mut Self, &Followed) -> Result<Look>,
    ) -> Result<Result<String, String>> {
        let end = Instant::now() + STEP_WITHIN;
        loop {
            let rests = self.failover_rests();
            let failover = self.on.operator.failover(PLAN).await?.context("there is no failover")?;
            for line in &failover.lines {
                if !line.starts_with("under way") && self.told.insert(line.clone()) {
                    self.steps.tell(line);
                }
            }
            match until(self, &failover).await? {
                Look::Yes(seen) => return Ok(Ok(seen)),
                Look::Never(seen) => return Ok(Err(seen)),
                // What else it asks nobody answers here.
                Look::NotYet(_) if !failover.asked.is_empty() => return Ok(Err(last_of(&failover, "asks"))),
                Look::NotYet(_) if Instant::now() >= end => return Ok(Err(last_of(&failover, "under way"))),
                Look::NotYet(_) => {}
            }
            if rests {
                self.pass_over(pause).await?;
            }
            sleep(ASKED_EVERY).await;
        }
    }

    /// Whether nobody is at work at it.
    fn failover_rests(&self) -> bool {
        let waits = self.on.world.bus().counts(SAGAS);
        self.on.host.in_flight() == 0 && waits.active == 0 && waits.locked == 0
    }

    /// The time of its next look comes.
    async fn pass_over(&mut self, pause: Pause) -> Result<()> {
        let Some(at) = self.on.world.bus().next_visible(SAGAS) else { return Ok(()) };
        let by = at.duration_since(self.on.wall.now());
        if !(WAITED_FOR..PAUSE_MAX).contains(&by) {
            return Ok(());
        }
        let by = by + A_MOMENT;
        match pause {
            // Looks at a region that does not answer may come late, so that nobody has to watch twenty of them.
            Pause::Outage => self.on.control.age_replicas(by.max(LATE)).await?,
            Pause::Work => self.on.jump(by),
        }
        // From the last look at who is at work to the message nothing is awaited: what somebody writes meanwhile would be lost.
        if self.failover_rests() {
            passing::age(self.on.world.blobs(), if pause == Pause::Outage { by.max(LATE) } else { by });
            self.on.world.bus().bring_forward(SAGAS);
        }
        Ok(())
    }

    /// The old machines that run.
    pub(super) async fn old_that_run(&self) -> Result<Vec<String>> {
        let all = self.on.control.machines_seen().await?;
        let old = old_machines();
        let is_old = |id: &str| old.iter().any(|old| old.eq_ignore_ascii_case(id));
        Ok(all.into_iter().filter(|one| is_old(&one.id) && one.power_state == "running").map(|one| one.id).collect())
    }
}

/// What is wrong with endpoints of which the old one is off before the new one serves.
fn unserved(endpoints: &[EndpointSeen]) -> Option<String> {
    let (old, new) = ENDPOINTS;
    let find = |name: &str| endpoints.iter().find(|one| one.name == name);
    let is_on = |name| find(name).is_some_and(|one| one.enabled);
    let serves = find(new).is_some_and(|one| one.enabled && one.monitor == "Online");
    (!is_on(old) && !serves).then(|| format!("{old} is disabled while {new} does not serve: {endpoints:?}"))
}

/// The last line of this kind.
pub(super) fn last_of(failover: &Followed, kind: &str) -> String {
    let line = failover.lines.iter().rev().find(|line| line.starts_with(kind));
    line.map_or_else(|| "nothing of the failover".to_owned(), |line| format!("the failover: {line}"))
}

/// Whether it asks this.
pub(super) fn asks(failover: &Followed, words: &str) -> Look {
    let mut asked = failover.lines.iter().filter(|line| line.starts_with("asks"));
    match asked.find(|line| line.contains(words)) {
        Some(line) => Look::Yes(line.clone()),
        None => Look::NotYet(String::new()),
    }
}

fn is_told(failover: &Followed, line: &str) -> Look {
    if failover.lines.iter().any(|own| own == line) { Look::Yes(line.to_owned()) } else { Look::NotYet(String::new()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failover(lines: &[&str]) -> Followed {
        Followed {
            id: "shop-1".to_owned(),
            began_at: "2026-11-22T10:00:00Z".parse().expect("a time"),
            ended_at: None,
            is_done: false,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            asked: Vec::new(),
            runbook: String::new(),
        }
    }

    #[test]
    fn the_old_endpoint_may_be_off_only_while_the_new_one_is_online() {
        let endpoint = |name: &str, enabled, monitor: &str| EndpointSeen {
            name: name.to_owned(),
            enabled,
            monitor: monitor.to_owned(),
        };
        let (old, new) = ENDPOINTS;
        for (old_on, new_on, monitor, wrong) in [
            (true, false, "Disabled", false),
            (true, true, "CheckingEndpoint", false),
            (false, true, "Online", false),
            (false, true, "CheckingEndpoint", true),
            (false, false, "Disabled", true),
        ] {
            let endpoints = [endpoint(old, old_on, "Degraded"), endpoint(new, new_on, monitor)];
            assert_eq!(unserved(&endpoints).is_some(), wrong, "{endpoints:?}");
        }
    }

    #[test]
    fn a_question_is_found_by_its_words_and_a_step_by_its_whole_line() {
        let failover =
            failover(&["done      fence", "under way commit", "asks      question 1: is the failover good?"]);
        assert!(matches!(asks(&failover, "is the failover good"), Look::Yes(_)));
        assert!(matches!(asks(&failover, "cannot be stopped"), Look::NotYet(_)));
        assert!(matches!(is_told(&failover, "done      fence"), Look::Yes(_)));
        assert!(matches!(is_told(&failover, "done      commit"), Look::NotYet(_)));
        assert_eq!(last_of(&failover, "under way"), "the failover: under way commit");
        assert_eq!(last_of(&failover, "ended"), "nothing of the failover");
    }
}

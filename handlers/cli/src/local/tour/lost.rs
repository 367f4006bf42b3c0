//! A region is lost: how it is noticed, by one source and then by another one, and how a person is asked.
//! It never believes the handler: what was begun, and what other systems were told, is the simulated Azure's record.

use anyhow::{Context, Result};
use jiff::SignedDuration;
use lifeboat_execution::saga::followed::Ahead;
use lifeboat_simulator::azure::ServiceEvent;
use serde_json::{Value, json};

use super::{Held, Look, Tour, missed, name_of};
use crate::failover;
use crate::local::Fault;
use crate::local::control::machines_break_off;
use crate::local::estate::{REPLICATED, SHOP, SHOP_GROUP, WEST, machine_id};

/// The shop's recovery plan.
pub const PLAN: &str = "shop";
/// The queue whose messages take failovers further.
pub(super) const SAGAS: &str = "sagas";
/// The window of the recovery plan.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// A quiet time for timers: longer than the rest of the tour lets pass, which fires by hand those that matter.
const TIMERS_HELD: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How far the loss that is told may be from the one that Azure's record gives: the region is asked after seconds later.
const LOSS_APART_SECS: i64 = 30;
/// Azure's name for the incident.
const INCIDENT: &str = "SIM1-WEU";

impl Tour<'_> {
    /// It is lost, and suspected.
    pub(super) async fn lost_region(&mut self) -> Result<Held> {
        self.same_time();
        self.recovery = true;
        self.push(true);
        self.steps.tell(&format!(
            "Site Recovery replicates {} to northeurope; somebody pushes a recovery plan for them",
            REPLICATED.join(" and ")
        ));
        self.sweep("ReadinessSweep").await?;
        self.sweep("HealthPoll").await?;
        let expected =
            "the recovery plan is ready; when the region is lost it is suspected, by one source, and nothing is begun";
        let (shown, now) = self.on.operator.recovery(PLAN).await?;
        let Some(shown) = shown.filter(|shown| shown.is_ready(now)) else {
            let (ahead, now) = self.on.operator.failover_ahead(PLAN).await?;
            return Ok(Err(missed(expected, failover::ahead_lines(&ahead, now).join("; "))));
        };
        self.steps.tell(&format!("`lifeboat recovery show {PLAN}` says: ready; {}", shown.loss(now)));
        self.on.control.order("/regions", &json!({ "region": WEST, "trouble": "down" })).await?;
        self.on.control.order("/faults", &machines_break_off(SHOP_GROUP)).await?;
        self.outage = Some(self.on.world.clock().now());
        self.steps.tell(&format!("{WEST} is lost: its machines are not reached, and the shop does not answer"));
        for _ in 0..2 {
            self.sweep("HealthPoll").await?;
        }
        let (ahead, _) = self.on.operator.failover_ahead(PLAN).await?;
        let told = self.on.control.told("region.suspected.v1").await?.len();
        let begun = self.begun().await?;
        let seen = format!(
            "{}; others were told {told} times that it is suspected; {} failovers were asked of Azure",
            stands(&ahead),
            begun.len()
        );
        let suspected = phase(&ahead) == "Suspected" && unmet(&ahead, "sources");
        Ok(if suspected && told == 1 && begun.is_empty() { Ok(seen) } else { Err(missed(expected, seen)) })
    }

    /// A second source says so, and a person is asked.
    pub(super) async fn confirmed(&mut self) -> Result<Held> {
        let expected = "with a second source, and after the window of 5 min, the region counts as lost: a person is asked, is told the loss, and nothing is begun before the answer";
        if self.fault == Some(Fault::OneSource) {
            // Azure tells others, and of ours nobody.
            let event =
                ServiceEvent { subscriptions: vec![STRANGER.to_owned()], ..ServiceEvent::outage(INCIDENT, WEST) };
            self.on.control.order("/service-events", &serde_json::to_value(event)?).await?;
        } else {
            let event = ServiceEvent::outage(INCIDENT, WEST);
            self.on.control.order("/service-events", &serde_json::to_value(event)?).await?;
            let answer = self.on.alert("RegionAlert", &self.alert()).await?;
            self.steps.tell(&format!(
                "Azure's own alert comes: an incident of Virtual Machines in {WEST} ({})",
                answer.status
            ));
        }
        if let Err(seen) = self.wait_until_evaluated().await? {
            return Ok(Err(missed(expected, seen)));
        }
        self.sweep("HealthPoll").await?;
        let (before, _) = self.on.operator.failover_ahead(PLAN).await?;
        self.steps.tell(&stands(&before));
        // The region is asked after in between too: a probe that nobody hears for five minutes says nothing any more.
        self.outlast(WINDOW / 2, "the window of the recovery plan is half over").await?;
        self.sweep("HealthPoll").await?;
        self.outlast(WINDOW / 2 + SignedDuration::from_secs(1), "the window of the recovery plan is over").await?;
        self.sweep("HealthPoll").await?;
        let (ahead, now) = self.on.operator.failover_ahead(PLAN).await?;
        let asked = self.on.control.told("approval.asked.v1").await?;
        let begun = self.begun().await?;
        if phase(&before) != "Suspected" || phase(&ahead) != "AwaitingApproval" || asked.len() != 1 || !begun.is_empty()
        {
            let begun = if begun.is_empty() { "nothing was failed over".to_owned() } else { begun.join(", ") };
            return Ok(Err(missed(expected, format!("{}; {begun}", stands(&ahead)))));
        }
        for line in failover::ahead_lines(&ahead, now).iter().filter(|line| line.starts_with("would ")) {
            self.steps.tell(&format!("`lifeboat failover {PLAN} --show` says: {line}"));
        }
        let told = asked[0]["data"]["dataLossSeconds"].as_i64().unwrap_or(-1);
        let truly = self.lost_seconds().await?;
        let seen = format!(
            "{}; asked: {}; {told} s would be lost, and {truly} s are, by Azure's record",
            stands(&ahead),
            text(&asked[0], "question")
        );
        let is_right = (told - truly).abs() <= LOSS_APART_SECS
            && text(&asked[0], "digest") == ahead.digest.unwrap_or_default()
            && asked[0]["data"]["takesSeconds"].as_i64() == ahead.takes.map(|takes| takes.usually.as_secs());
        Ok(if is_right { Ok(seen) } else { Err(missed(expected, seen)) })
    }

    /// From here on the simulated time is this machine's, as the handler's is: what the handler and Azure say of the same moment is to
    /// agree. Timers rest: those that matter are fired one by one.
    fn same_time(&mut self) {
        let now = self.on.world.clock().now();
        let by = self.on.wall.now().duration_since(now);
        self.on.host.hold_timers_until(now + TIMERS_HELD);
        if by.as_secs() != 0 {
            self.on.jump(by);
            self.steps.tell(&format!(
                "simulated time is put back by {} min: from here on Azure and the handler go by the same time",
                -by.as_mins()
            ));
        }
    }

    /// Lets so much time pass in which nothing happens anywhere, without waiting: what Lifeboat and Site Recovery have becomes older.
    pub(super) async fn outlast(&mut self, by: SignedDuration, why: &str) -> Result<()> {
        crate::local::passing::age(self.on.world.blobs(), by);
        self.on.control.age_replicas(by).await?;
        self.outage = self.outage.and_then(|at| at.checked_sub(by).ok());
        self.steps.tell(&format!("as if {} s went by: {why}", by.as_secs()));
        Ok(())
    }

    /// Waits until what came in is evaluated.
    async fn wait_until_evaluated(&mut self) -> Result<Result<String, String>> {
        self.wait(async |tour| {
            let waits = tour.on.world.bus().counts(SAGAS);
            let quiet = tour.on.host.in_flight() == 0 && waits.active == 0 && waits.locked == 0;
            Ok(if quiet {
                Look::Yes("quiet".to_owned())
            } else {
                Look::NotYet("the evidence is not evaluated".to_owned())
            })
        })
        .await
    }

    /// Failovers that Azure was asked for.
    async fn begun(&self) -> Result<Vec<String>> {
        self.on.control.accepted("unplannedFailover").await
    }

    /// How long before the outage the newest point was made that all have, by Azure's record.
    async fn lost_seconds(&self) -> Result<i64> {
        let outage = self.outage.context("no region is lost")?;
        let newest = self.on.control.replicas().await?.into_iter().filter_map(|one| one.points.first().copied()).min();
        Ok(outage.duration_since(newest.context("there is no recovery point")?).as_secs())
    }

    /// What an action group posts.
    fn alert(&self) -> Value {
        let now = self.on.wall.now().to_string();
        json!({
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {
                "essentials": {
                    "alertId": format!("/subscriptions/{SHOP}/providers/Microsoft.AlertsManagement/alerts/{INCIDENT}"),
                    "alertRule": "lifeboat-service-health", "signalType": "Activity Log",
                    "monitoringService": "ServiceHealth", "monitorCondition": "Fired",
                    "alertTargetIDs": [format!("/subscriptions/{SHOP}")], "firedDateTime": now,
                },
                "alertContext": {
                    "eventTimestamp": now, "level": 2,
                    "properties": {
                        "title": "Virtual machines in West Europe", "service": "Virtual Machines", "region": "West Europe",
                        "incidentType": "Incident", "trackingId": INCIDENT, "impactStartTime": now, "stage": "Active",
                        "impactedServices": "[{\"ServiceName\": \"Virtual Machines\", \"ImpactedRegions\": [{\"RegionName\": \"West Europe\"}]}]",
                        "communicationId": "11000001",
                    },
                },
            },
        })
    }
}

/// A subscription that is not in scope.
const STRANGER: &str = "0e7c5a4f-9d1b-4c1e-8a70-3f5f5b7c9a21";

/// The old machines' ids.
pub(super) fn old_machines() -> Vec<String> {
    REPLICATED.iter().map(|name| machine_id(SHOP_GROUP, name)).collect()
}

/// Names of machines, for people.
pub(super) fn names(ids: &[String]) -> String {
    ids.iter().map(|id| name_of(id)).collect::<Vec<_>>().join(" and ")
}

/// Where the declaration stands.
pub(super) fn phase(ahead: &Ahead) -> &'static str {
    let declared = ahead.shown.as_ref().and_then(|shown| shown.declared.as_ref());
    declared.map_or("nowhere", |declared| declared.phase.word())
}

/// The incident that is open.
pub(super) fn incident(ahead: &Ahead) -> Option<String> {
    Some(ahead.shown.as_ref()?.declared.as_ref()?.incident.as_ref()?.opened_at.to_string())
}

fn unmet(ahead: &Ahead, name: &str) -> bool {
    ahead.unmet.iter().any(|(own, _)| own == name)
}

/// Where it stands and what is not met, in one line.
fn stands(ahead: &Ahead) -> String {
    let unmet: Vec<String> = ahead.unmet.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let unmet = if unmet.is_empty() {
        "every condition is met".to_owned()
    } else {
        format!("not met are {}", unmet.join(", "))
    };
    format!("{PLAN} is {}; {unmet}", phase(ahead))
}

fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event["data"][name].as_str().unwrap_or_default()
}

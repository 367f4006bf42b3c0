//! What a controller asks at the door, as far as the model hears of it: changes of Azure, reads of health, writes of records, events out.
//! It never judges an answer.

use bytes::Bytes;
use jiff::Timestamp;
use lifeboat_tests::failing_over::OTHER;
use lifeboat_tests::rig::LOCATION;
use serde_json::Value;

use crate::model::history::{Call, Evidence, Hand, Mark, Origin, What};
use crate::record::{Record, disk_of};

/// What is asked.
pub enum Asks {
    /// A change of Azure; of a point the machine is found out from what is there then.
    Change(Call),
    /// How machines fare.
    Statuses,
    /// What Service Health says.
    Incidents,
    /// A write of the recovery plan's saga.
    Saga,
    /// A write of its declaration.
    Declaration,
    /// A write of the switch.
    Switch,
    /// Events out.
    Tells,
    /// Anything else.
    Other,
}

impl Asks {
    /// What a request asks.
    pub fn of(host: &str, method: &str, path: &str, body: Bytes) -> Self {
        let lower = path.to_lowercase().replace("%2f", "/");
        if host.contains(".blob.") {
            return match method {
                "PUT" if lower.ends_with("/sagas/shop.json") => Self::Saga,
                "PUT" if lower.ends_with("/declarations/shop.json") => Self::Declaration,
                "PUT" if lower.ends_with("/stop.json") => Self::Switch,
                _ => Self::Other,
            };
        }
        if host.ends_with(".eventgrid.azure.net") {
            return Self::Tells;
        }
        if !host.starts_with("management.") {
            return Self::Other;
        }
        if method == "GET" {
            return match lower.rsplit('/').next() {
                Some("availabilitystatuses") => Self::Statuses,
                Some("events") if lower.contains("resourcehealth") => Self::Incidents,
                _ => Self::Other,
            };
        }
        change(method, path, &lower, &body).map_or(Self::Other, Self::Change)
    }

    /// Whether it changes Azure.
    pub fn changes_azure(&self) -> bool {
        matches!(self, Self::Change(_))
    }
}

fn change(method: &str, path: &str, lower: &str, body: &Bytes) -> Option<Call> {
    let parts: Vec<&str> = path.split('/').collect();
    let from_end = |at: usize| parts.get(parts.len().checked_sub(at)?).map(|part| (*part).to_owned());
    let above = |levels: usize| parts[..parts.len().saturating_sub(levels)].join("/");
    let last = lower.rsplit('/').next().unwrap_or_default();
    let item = || from_end(2).map(|item| item.to_lowercase());
    Some(match (method, last) {
        ("POST", "deallocate") => Call::Deallocate { machine: above(1).to_lowercase() },
        ("POST", "start") => Call::Start { machine: above(1).to_lowercase() },
        ("POST", "unplannedfailover") => Call::Failover { item: item()? },
        ("POST", "applyrecoverypoint") => {
            let said: Value = serde_json::from_slice(body).unwrap_or_default();
            let point = said["properties"]["recoveryPointId"].as_str().map(str::to_lowercase);
            Call::ChangePoint { item: item()?, point }
        }
        ("POST", "failovercommit") => Call::Commit { item: item()? },
        ("POST", "switchprotection") => {
            let said: Value = serde_json::from_slice(body).ok()?;
            let item = said["properties"]["replicationProtectedItemName"].as_str()?;
            Call::ProtectOtherWay { item: item.to_lowercase() }
        }
        ("PATCH" | "PUT", _) if lower.contains("/externalendpoints/") => {
            let said: Value = serde_json::from_slice(body).ok()?;
            let enabled = said["properties"]["endpointStatus"] == "Enabled";
            Call::Endpoint { profile: above(2), endpoint: from_end(1)?, enabled }
        }
        ("PUT", _) if lower.contains("/restorepoints/") => {
            let said: Value = serde_json::from_slice(body).unwrap_or_default();
            let left_out = said["properties"]["excludeDisks"].as_array().is_some_and(|disks| !disks.is_empty());
            let disks = if left_out { Vec::new() } else { vec![String::new()] };
            Call::MakePoint { point: lower.to_owned(), machine: String::new(), region: region_of(lower), disks }
        }
        ("DELETE", _) if lower.contains("/restorepoints/") => {
            Call::DeletePoint { point: lower.to_owned(), machine: String::new(), region: region_of(lower) }
        }
        ("PUT", _) if lower.contains("/protecteditems/") || lower.contains("/replicationprotecteditems/") => {
            Call::Protect { machine: from_end(1)?.to_lowercase(), region: LOCATION.to_owned() }
        }
        ("PUT" | "PATCH" | "DELETE", _) => Call::Other { path: lower.to_owned() },
        _ => return None,
    })
}

/// The region of a point, by the group in which it is made.
fn region_of(path: &str) -> String {
    if path.contains(&format!("-{OTHER}/")) { OTHER.to_owned() } else { LOCATION.to_owned() }
}

impl Record {
    /// Something was answered; no status where the connection broke or nobody answers.
    pub fn answered(&self, controller: &str, asked: &Asks, status: Option<u16>, body: &Bytes) {
        match asked {
            Asks::Change(call) => self.changed(controller, call, status),
            Asks::Statuses if status == Some(200) => self.statuses(body),
            Asks::Incidents if status == Some(200) => self.incidents(body),
            // Written or not: what is there says it.
            Asks::Saga => self.saga_written(controller),
            Asks::Declaration => self.declaration_written(),
            Asks::Switch => self.switch_written(),
            Asks::Tells => self.told(),
            Asks::Statuses | Asks::Incidents | Asks::Other => {}
        }
    }

    fn changed(&self, controller: &str, call: &Call, status: Option<u16>) {
        let status = status.or_else(|| self.kept().arm.requests().last().and_then(|request| request.status));
        if status.is_some_and(|status| (200..300).contains(&status)) {
            let (now, by) = (self.kept().clock.now(), Hand::Controller(controller.to_owned()));
            let call = self.whole(call);
            let mut seen = self.seen();
            if let Call::Failover { item } = &call
                && let Some(seconds) = seen.fails_next.take()
            {
                let at = Timestamp::from_second(now.as_second() + seconds).expect("a time");
                seen.failing.insert(item.clone(), at);
            }
            seen.moves |= matches!(call, Call::Failover { .. } | Call::Commit { .. } | Call::ProtectOtherWay { .. });
            if let Call::ProtectOtherWay { item } = &call {
                seen.turning.insert(item.clone());
            }
            if let Call::MakePoint { point, machine, .. } = &call {
                seen.points.insert(point.clone(), (machine.clone(), false));
            }
            if let Call::DeletePoint { point, .. } = &call {
                seen.dues.went += usize::from(seen.dues.due.remove(point));
            }
            seen.tell(now, What::Accepted { by, call });
        }
        self.observe();
    }

    /// A call with the machine of its point.
    fn whole(&self, call: &Call) -> Call {
        match call {
            Call::MakePoint { point, region, disks, .. } => {
                let olds = self.kept().plan.groups.iter().flat_map(|group| &group.members).map(|member| &member.old);
                let has =
                    |old: &&String| self.kept().arm.points_of(old).iter().any(|one| one.id.eq_ignore_ascii_case(point));
                let machine = olds.into_iter().find(has).map(|old| old.to_lowercase()).unwrap_or_default();
                let disks = disks.iter().map(|_| disk_of(&machine)).collect();
                Call::MakePoint { point: point.clone(), machine, region: region.clone(), disks }
            }
            Call::DeletePoint { point, region, .. } => {
                let machine = self.seen().points.get(point).map(|(machine, _)| machine.clone()).unwrap_or_default();
                Call::DeletePoint { point: point.clone(), machine, region: region.clone() }
            }
            other => other.clone(),
        }
    }

    /// How the machines of the old region fare, as a share of them.
    fn statuses(&self, body: &Bytes) {
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        let now = self.kept().clock.now();
        let here = said["value"].as_array().into_iter().flatten().filter(|one| one["location"] == LOCATION);
        let (mut of, mut failing) = (0, Vec::new());
        for one in here {
            of += 1;
            let properties = &one["properties"];
            if properties["availabilityState"] == "Unavailable" && properties["reasonType"] == "Unplanned" {
                failing.push(time(&properties["occuredTime"]).unwrap_or(now));
            }
        }
        let since = failing.iter().min().copied().unwrap_or(now).as_second();
        let mut seen = self.seen();
        seen.tell(now, What::HealthRead);
        let id = seen.next_reading("fleet");
        let fleet = Some((u32::try_from(failing.len()).unwrap_or(0), of));
        seen.tell(
            now,
            What::Evidence(Evidence {
                origin: Origin::ResourceHealth,
                region: LOCATION.to_owned(),
                stream: "fleet".to_owned(),
                id,
                bad: !failing.is_empty(),
                since,
                said: now.as_second(),
                marks: Vec::new(),
                fleet,
            }),
        );
    }

    /// What Service Health says, of each incident in each region.
    fn incidents(&self, body: &Bytes) {
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        let now = self.kept().clock.now();
        let mut seen = self.seen();
        seen.tell(now, What::HealthRead);
        for event in said["value"].as_array().into_iter().flatten() {
            let properties = &event["properties"];
            let stream = event["name"].as_str().unwrap_or_default().to_lowercase();
            let mark = match properties["eventType"].as_str() {
                _ if stream.starts_with("test-") => Some(Mark::Test),
                Some("ServiceIssue") => None,
                Some("PlannedMaintenance") => Some(Mark::Maintenance),
                Some("RCA") => Some(Mark::Rca),
                _ => Some(Mark::OtherClass),
            };
            let regions = properties["impact"].as_array().into_iter().flatten();
            for region in regions.flat_map(|impact| impact["impactedRegions"].as_array().into_iter().flatten()) {
                let name = region["impactedRegion"].as_str().unwrap_or_default().replace(' ', "").to_lowercase();
                let id = seen.next_reading("event");
                let evidence = Evidence {
                    origin: Origin::ServiceHealth,
                    region: name,
                    stream: stream.clone(),
                    id,
                    bad: region["status"] == "Active",
                    since: time(&properties["impactStartTime"]).unwrap_or(now).as_second(),
                    said: time(&properties["lastUpdateTime"]).unwrap_or(now).as_second(),
                    marks: mark.into_iter().collect(),
                    fleet: None,
                };
                seen.tell(now, What::Evidence(evidence));
            }
        }
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

//! What the store has about a recovery plan, for a person who asks: its members, whether it can be executed and why not, its newest
//! points, and what would be lost.
//! It never changes anything, and never asks Azure.

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::Store;
use lifeboat_planning::declaration::READY_FOR;
use lifeboat_planning::recovery::readiness::State;
use serde_json::{Value, json};

use super::record::{self, MemberCopy, Record};
use crate::assumptions;
use crate::declaration::record as declared;
use crate::swap::SwapError;

/// What is known of a recovery plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// What the last look at its readiness left.
    pub record: Record,
    /// Where its declaration stands; none where it was never evaluated.
    pub declared: Option<declared::Record>,
    /// What a person said of what its rules rest on.
    pub standing: Option<assumptions::Record>,
}

/// A member, as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberShown<'a> {
    /// Its group.
    pub group: &'a str,
    /// What was saved of it.
    pub copy: &'a MemberCopy,
    /// Its newest point.
    pub newest: Option<Timestamp>,
    /// When its points were read.
    pub read_at: Option<Timestamp>,
}

/// Reads it; none where nobody ever looked. A repeat is safe.
pub async fn read(store: &Store, plan: &str) -> Result<Option<Shown>, SwapError> {
    let Some(record) = record::read(store, plan).await? else { return Ok(None) };
    let declared = declared::read(store, plan).await?.map(|(record, _)| record);
    let standing = assumptions::standing(store, plan).await?;
    Ok(Some(Shown { record, declared, standing }))
}

impl MemberShown<'_> {
    /// What the agents of its disks held when it was read: that is lost where the machine stops before it is sent.
    pub fn held(&self) -> String {
        let kib = self.copy.replica.pending_kib;
        kib.map_or_else(|| "not told".to_owned(), |kib| format!("{}.{:02} MiB", kib / 1024, kib % 1024 * 100 / 1024))
    }
}

impl Shown {
    /// Its members as they were saved, group by group.
    pub fn members(&self) -> Vec<MemberShown<'_>> {
        let groups = self.record.saved.iter().flat_map(|saved| &saved.groups);
        groups
            .flat_map(|group| group.members.iter().map(move |copy| (group.name.as_str(), copy)))
            .map(|(group, copy)| MemberShown {
                group,
                copy,
                newest: self.record.newest_of(copy),
                read_at: self.record.newest.get(&copy.of.name).map(|own| own.read_at),
            })
            .collect()
    }

    /// True where it is ready, by a look that is not too old.
    pub fn is_ready(&self, now: Timestamp) -> bool {
        self.record.state == State::Ready && now.duration_since(self.record.looked_at) <= READY_FOR
    }

    /// What the last look came to, on a line.
    pub fn verdict(&self, now: Timestamp) -> String {
        let record = &self.record;
        let old = if now.duration_since(record.looked_at) > READY_FOR { ", too long to rely on" } else { "" };
        let looked = format!("looked at {} ago, {}{old}", age(record.looked_at, now), record.looked_at);
        match record.state {
            State::Ready => format!("ready, {looked}"),
            State::Silent => format!("its region is silent, {looked}"),
            State::NotReady => format!("NOT READY, {looked}"),
            State::MemberRefuses => format!("NOT READY, and a member does not allow failover, {looked}"),
        }
    }

    /// What would be lost: by the open incident, as it was decided last; else if the source stopped serving now.
    pub fn loss(&self, now: Timestamp) -> String {
        let last = self.declared.as_ref().filter(|declared| declared.incident.is_some());
        if let Some(told) = last.and_then(|declared| declared.last.as_ref()?["loss"].as_str()) {
            return told.to_owned();
        }
        match self.record.point_at() {
            Some(at) => format!("{} if the source stopped serving now: newest usable point {at}", age(at, now)),
            None => "not known: a member has no usable point, or nothing was saved yet".to_owned(),
        }
    }

    /// What its rules rest on, and who approved of it.
    pub fn assumed(&self) -> String {
        assumptions::told(self.standing.as_ref())
    }

    /// As lines, without the members.
    pub fn lines(&self, now: Timestamp) -> Vec<String> {
        let record = &self.record;
        let mut lines = vec![format!("recovery plan {}, from {} to {}", record.recovery_plan, record.from, record.to)];
        lines.push(self.verdict(now));
        lines.extend(record.reasons.iter().map(|reason| format!("  {}", reason.text)));
        lines.extend(record.notes.iter().map(|note| format!("  note: {note}")));
        if record.state != State::Ready {
            lines.push(match record.ready_at {
                Some(at) => format!("it was ready last {} ago, {at}", age(at, now)),
                None => "it was never ready".to_owned(),
            });
        }
        lines.push(match &record.saved {
            Some(saved) => format!("what the path needs was saved {} ago, {}", age(saved.at, now), saved.at),
            None => "nothing of what the path needs is saved: no look has read all of it".to_owned(),
        });
        lines.push(self.assumed());
        lines.push(format!("would be lost: {}", self.loss(now)));
        lines
    }

    /// As JSON: the record, with what follows from it now.
    pub fn as_json(&self, now: Timestamp) -> Value {
        json!({
            "ready": self.is_ready(now),
            "lookedAtSecondsAgo": now.duration_since(self.record.looked_at).as_secs(),
            "pointAt": self.record.point_at().map(|at| at.to_string()),
            "loss": self.loss(now),
            "phase": self.declared.as_ref().map(|declared| declared.phase.word()),
            "assumptions": { "digest": assumptions::digest(), "standing": self.standing },
            "record": self.record,
        })
    }
}

/// How old something is, as people say it.
pub fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).max(SignedDuration::ZERO).as_secs();
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, minutes) => format!("{hours}h{minutes:02}m"),
        (days, hours, _) => format!("{days}d{hours:02}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_plan_is_told_with_its_reasons_their_age_and_what_would_be_lost() {
        let record: Record = serde_json::from_slice(include_bytes!("../../golden/readiness-v1.json")).expect("reads");
        let mut shown = Shown { record, declared: None, standing: None };
        let now: Timestamp = "2026-11-22T11:15:00Z".parse().expect("a time");
        let lines = shown.lines(now).join("\n");
        for part in [
            "recovery plan shop, from westeurope to northeurope",
            "NOT READY, looked at 10m ago, 2026-11-22T11:05:00Z",
            "  web-1: disk web-1-data is not replicated",
            "it was ready last 40m ago",
            "saved 40m ago",
            "would be lost: 14m if the source stopped serving now: newest usable point 2026-11-22T11:01:00Z",
        ] {
            assert!(lines.contains(part), "{part} is not in\n{lines}");
        }
        assert!(!shown.is_ready(now));
        assert_eq!(shown.as_json(now)["pointAt"], "2026-11-22T11:01:00Z");
        assert_eq!(shown.members().len(), 1);
        (shown.record.state, shown.record.reasons) = (State::Ready, Vec::new());
        assert!(shown.is_ready(now));
        let late: Timestamp = "2026-11-22T12:15:00Z".parse().expect("a time");
        assert!(!shown.is_ready(late), "a look that old says nothing");
        assert!(shown.lines(late).join("\n").contains("too long to rely on"));
    }
}

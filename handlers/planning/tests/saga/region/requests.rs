//! What the two regions do when a change is sent to them, and what must never be sent.

use jiff::Timestamp;
use lifeboat_planning::saga::failover::{FailoverEffect, Fence, JobKind, Power, TrafficEffect};
use lifeboat_planning::saga::{Ask, Outcome};

use super::{COMMIT_SECS, FAILOVER_SECS, ONLINE_SECS, Regions, SAVE_SECS, STOP_SECS, SWITCH_SECS, secs};

impl Regions {
    fn job(&mut self, name: &str, kind: JobKind, now: Timestamp, takes: i64) -> Outcome {
        let failed = core::mem::take(&mut self.next_job_fails).then(|| "150097".to_owned());
        let machine = self.machines.get_mut(name).expect("a member");
        if machine.jobs.iter().any(|(_, _, end, _)| *end > now) {
            return Outcome::Refused("JobInProgress".into());
        }
        machine.jobs.push((kind, now, now + secs(takes), failed));
        Outcome::Accepted
    }

    /// The first thing sent to the old side once it is back, while a machine of it may run, is a stop.
    fn sent_to_the_old_side(&mut self, is_stop: bool) {
        let runs = self.machines.values().any(|it| !it.gone && it.power != Power::Deallocated);
        if core::mem::take(&mut self.back) && runs && !is_stop && self.failed_over() {
            self.never("the first request to the old side was no stop");
        }
    }

    pub(super) fn failed_over(&self) -> bool {
        self.machines.values().any(|it| it.new.is_some())
    }

    fn fail_over(&mut self, name: &str, now: Timestamp) -> Outcome {
        let unfenced = self.machines.values().any(|it| !it.gone && it.power != Power::Deallocated);
        let accepted = self.order.fence == Fence::ImpossibleAccepted || self.words.contains(&Ask::FenceImpossible);
        if unfenced && !accepted {
            self.never("failed over without a fence");
        }
        let machine = &self.machines[name];
        let may_be = |(kind, _, end, failed): &(JobKind, Timestamp, Timestamp, Option<String>)| {
            *kind == JobKind::Failover && (*end > now || failed.is_none())
        };
        if machine.jobs.iter().any(may_be) || machine.new.is_some() {
            self.never("a member was failed over twice");
            return Outcome::Refused("OperationNotAllowed".into());
        }
        self.machines.get_mut(name).expect("a member").failovers += 1;
        self.job(name, JobKind::Failover, now, FAILOVER_SECS)
    }

    fn protect_back(&mut self, name: &str, now: Timestamp) -> Outcome {
        let answered = self.order.protect_back.is_some() || self.words.contains(&Ask::ProtectBack);
        let machine = &self.machines[name];
        if machine.saved_at.is_none_or(|at| at > now) || machine.power != Power::Deallocated {
            self.never("protected the other way before the old disks were saved");
        }
        if !answered {
            self.never("protected the other way without a person's word");
        }
        if !self.machines[name].committed || self.machines[name].turned_round.is_some() {
            return Outcome::Refused("OperationNotAllowed".into());
        }
        self.job(name, JobKind::ProtectBack, now, SWITCH_SECS)
    }

    pub(super) fn machine(&mut self, effect: &FailoverEffect, now: Timestamp) -> Outcome {
        let old_side = !matches!(
            effect,
            FailoverEffect::FailOver { .. } | FailoverEffect::ChangePoint { .. } | FailoverEffect::Commit { .. }
        );
        if old_side && !self.old_region_answers {
            if let FailoverEffect::ProtectBack { item, .. } = effect
                && self.shown_answering.get(&self.member_of(item)) != Some(&now)
            {
                self.never("protected the other way while the old region did not answer");
            }
            return Outcome::NoAnswer;
        }
        if old_side {
            self.sent_to_the_old_side(matches!(effect, FailoverEffect::StopOld { .. }));
        }
        match effect {
            FailoverEffect::StopOld { machine } => {
                let machine = self.machines.get_mut(&self.member_of(machine)).expect("a member");
                if !matches!(machine.power, Power::Deallocated | Power::Deallocating) {
                    (machine.power, machine.power_at) = (Power::Deallocating, now + secs(STOP_SECS));
                }
                Outcome::Accepted
            }
            FailoverEffect::StartOld { machine } => {
                let begun = |(kind, _, end, failed): &(JobKind, Timestamp, Timestamp, Option<String>)| {
                    *kind == JobKind::Failover && (*end > now || failed.is_none())
                };
                if self.machines.values().any(|it| it.jobs.iter().any(begun)) {
                    self.never("an old machine was started after a failover was accepted");
                }
                let machine = self.machines.get_mut(&self.member_of(machine)).expect("a member");
                if machine.power != Power::Running {
                    (machine.power, machine.power_at) = (Power::Starting, now + secs(STOP_SECS));
                }
                Outcome::Accepted
            }
            FailoverEffect::FailOver { item, .. } => self.fail_over(&self.member_of(item), now),
            FailoverEffect::ChangePoint { item, .. } => {
                self.job(&self.member_of(item), JobKind::ChangePoint, now, FAILOVER_SECS)
            }
            FailoverEffect::Commit { item } => {
                if !self.words.contains(&Ask::Commit) {
                    self.never("committed without a person's word");
                }
                self.job(&self.member_of(item), JobKind::Commit, now, COMMIT_SECS)
            }
            FailoverEffect::SaveDisks { machine, .. } => {
                let machine = self.machines.get_mut(&self.member_of(machine)).expect("a member");
                machine.saved_at = machine.saved_at.or(Some(now + secs(SAVE_SECS)));
                Outcome::Accepted
            }
            FailoverEffect::ProtectBack { item, .. } => self.protect_back(&self.member_of(item), now),
        }
    }

    pub(super) fn online(&self, profile: &str, endpoint: &str, now: Timestamp) -> bool {
        self.endpoints.get(&(profile.to_owned(), endpoint.to_owned())).is_some_and(|(on, at)| *on && now >= *at)
    }

    pub(super) fn traffic(&mut self, effect: &TrafficEffect, now: Timestamp) -> Outcome {
        match effect {
            TrafficEffect::Enable { profile, endpoint } => {
                let it = self.endpoints.get_mut(&(profile.clone(), endpoint.clone())).expect("an endpoint");
                if !it.0 {
                    *it = (true, now + secs(ONLINE_SECS));
                }
            }
            TrafficEffect::Disable { profile, endpoint, keeps, online } => {
                let kept = (profile.clone(), keeps.clone());
                if *online && self.shown_online.get(&kept) != Some(&true) {
                    self.never("the old endpoint was disabled before the target was seen online");
                }
                // Whoever performs it reads again first.
                let enabled = self.endpoints.get(&kept).is_some_and(|(on, _)| *on);
                if !enabled || *online && !self.online(profile, keeps, now) {
                    return Outcome::NotNow(secs(15));
                }
                self.endpoints.insert((profile.clone(), endpoint.clone()), (false, now));
                if !self.endpoints.iter().any(|((of, _), (on, _))| of == profile && *on) {
                    self.never("the last enabled endpoint was disabled");
                }
            }
        }
        Outcome::Accepted
    }
}

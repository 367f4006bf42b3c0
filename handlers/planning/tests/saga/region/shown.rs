//! What the two regions show of their machines and profiles, when they are asked.
//! It never changes anything but what was last shown.

use jiff::Timestamp;
use lifeboat_planning::saga::failover::{
    EndpointFacts, Facts, ItemFacts, JobFacts, JobState, Known, MachineFacts, MemberFacts, Monitor, PointFacts, Power,
    ProfileFacts,
};

use super::{REPLICATION_SECS, Regions, secs};

impl Regions {
    pub(super) fn old(&self, name: &str) -> Option<Facts> {
        let it = &self.machines[name];
        let machine = MachineFacts {
            id: format!("/old/{name}"),
            vm_id: format!("old-{name}"),
            location: self.order.from.clone(),
            created_at: Timestamp::UNIX_EPOCH,
            power: it.power,
            provisioned: true,
        };
        self.old_region_answers.then_some(Facts::Old(if it.gone { Known::Absent } else { Known::Is(machine) }))
    }

    pub(super) fn member(&self, name: &str, now: Timestamp) -> Facts {
        let it = &self.machines[name];
        let (on_primary, state) = match (it.new, it.turned_round) {
            (_, Some(at)) if now >= at + secs(REPLICATION_SECS) => (true, "Protected"),
            (_, Some(_)) => (true, "InitialReplicationInProgress"),
            (Some(_), None) => (false, "FailedOverInSomeWords"),
            (None, None) => (true, "Protected"),
        };
        let item = ItemFacts {
            state: state.into(),
            on_primary,
            allows_failover: state == "Protected",
            healthy: true,
            errors: Vec::new(),
            in_multi_vm_group: false,
            turned_round: it.turned_round.is_some(),
        };
        let target = it.new.map_or(Known::Absent, |created_at| {
            Known::Is(MachineFacts {
                id: format!("/new/{name}"),
                vm_id: format!("new-{name}"),
                location: self.order.to.clone(),
                created_at,
                power: Power::Running,
                provisioned: true,
            })
        });
        let points = (0..4).map(|ago| PointFacts {
            id: format!("point-{ago}"),
            time: self.order.stopped_serving_at - secs(60 + 300 * ago) - self.stalled,
            application: ago == 2,
        });
        let jobs = it.jobs.iter().map(|(kind, began_at, end, failed)| {
            let state = match failed {
                _ if *end > now => JobState::Running,
                Some(code) => JobState::Failed(code.clone()),
                None => JobState::Succeeded,
            };
            JobFacts { kind: *kind, state, began_at: *began_at, warnings: Vec::new() }
        });
        Facts::Member(MemberFacts {
            item: Known::Is(item),
            target,
            alike: Vec::new(),
            points: points.collect(),
            jobs: jobs.collect(),
        })
    }

    pub(super) fn profile(&mut self, profile: &str, now: Timestamp) -> Facts {
        for (key, (on, at)) in self.endpoints.iter().filter(|((of, _), _)| of == profile) {
            self.shown_online.insert(key.clone(), *on && now >= *at);
        }
        let endpoints = self.endpoints.iter().filter(|((of, _), _)| of == profile).map(|((_, name), (on, at))| {
            let monitor = match (on, now >= *at) {
                (false, _) => Monitor::Other,
                (true, true) => Monitor::Online,
                (true, false) => Monitor::Checking,
            };
            EndpointFacts { name: name.clone(), enabled: *on, monitor, unmonitored: false }
        });
        Facts::Profile(Known::Is(ProfileFacts { enabled: true, endpoints: endpoints.collect() }))
    }
}

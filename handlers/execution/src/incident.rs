//! Whether an incident is open that concerns a machine: from *suspected* until it is closed, nothing of a region's machines is deleted, nor
//! of the recovery plan's members on either side, and nothing is made, enabled or started on them. A failover that is still under way when
//! its incident is closed keeps what its members have, too.
//! It never takes what it could not read for none: then every machine counts as concerned.
//!
//! ```text
//! declarations/<plan>.json ─► open incidents ─┬─ the machine is in the lost region      concerned
//!                                             ├─ it is a member, on the other side      concerned
//!                                             └─ else                                   not
//! sagas/<plan>.json, not ended ── before deletions: it is a member, on either side      concerned
//! unreadable ─► every machine is concerned
//! ```

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::Store;
use lifeboat_planning::declaration::Phase;
use lifeboat_planning::id::{hash, points_group};
use lifeboat_planning::policy::{Location, MachineAttributes, Match, Reach, reach};
use lifeboat_planning::recovery::RecoveryPlan;

use crate::declaration::record::{self, Record};
use crate::saga::record::{Kept, SagaRecord};

/// How long the open incident of a recovery plan that is no longer in force stands: nobody evaluates it any more, and a push that left
/// the recovery plan out by mistake is found within a day.
pub const ORPHAN_STANDS: SignedDuration = SignedDuration::from_hours(24);

/// Why a machine is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is in the region that a recovery plan's incident is about.
    Region {
        /// The recovery plan.
        recovery_plan: String,
    },
    /// It is a member of the recovery plan, on the other side.
    Member {
        /// The recovery plan.
        recovery_plan: String,
    },
    /// It is a member of the recovery plan, whose failover is under way.
    Saga {
        /// The recovery plan.
        recovery_plan: String,
    },
    /// Whether an incident is open could not be read.
    NotRead,
}

/// A machine, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Machine<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its region; `None` where only the group of its points is known.
    pub region: Option<&'a str>,
    /// The resource group of its points, whose name says the region.
    pub points_in: &'a str,
    /// What policies match on, where it is known.
    pub about: Option<&'a MachineAttributes>,
}

/// The open incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incidents {
    open: Vec<Open>,
    not_read: bool,
}

/// One open incident.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Open {
    recovery_plan: String,
    opened_at: Timestamp,
    /// Whether only a failover is under way, and the incident is closed.
    saga: bool,
    from: Location,
    to: Location,
    members: Vec<String>,
    /// The conditions of the recovery plan's groups, while it is in force.
    groups: Option<Vec<Match>>,
}

/// What stands before a deletion: the open incidents of all recovery plans, also of those that are in force no longer, and failovers that
/// are under way without one. One listing where there was never a declaration.
pub async fn before_deletions(store: &Store, plans: &[RecoveryPlan], now: Timestamp) -> Incidents {
    let names = match store.list(record::FOLDER).await {
        Ok(names) => names,
        Err(error) => return Incidents::not_read(&error),
    };
    read(store, &names, (plans, Failovers::UnderWay), now).await
}

/// What stands before anything is made, enabled or started: the open incidents of the recovery plans in force, and their failovers that are
/// not committed: until then a member's new machine gets no backups of its own (`runbooks.md`, rule 3). Nothing is read where there are none.
pub async fn before_changes(store: &Store, plans: &[RecoveryPlan], now: Timestamp) -> Incidents {
    let names: Vec<String> = plans.iter().map(|plan| record::blob_name(&plan.name)).collect();
    read(store, &names, (plans, Failovers::NotCommitted), now).await
}

/// Which failovers count where no incident is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failovers {
    /// All that have not ended.
    UnderWay,
    /// Those of which nobody knows yet whether they are good.
    NotCommitted,
}

impl Failovers {
    fn counts(self, saga: &SagaRecord) -> bool {
        self == Self::UnderWay || !saga.is_committed()
    }
}

async fn read(
    store: &Store,
    names: &[String],
    (plans, which): (&[RecoveryPlan], Failovers),
    now: Timestamp,
) -> Incidents {
    let mut incidents = Incidents::default();
    for name in names {
        let record = match record::read_blob(store, name).await {
            Ok(Some((record, _))) => record,
            Ok(None) => continue,
            Err(error) => return Incidents::not_read(&error),
        };
        if Open::is_open(&record, plans, now) {
            incidents.open.push(Open::of(record, plans));
        } else {
            match Kept::read(store, &record.recovery_plan).await {
                Ok(found) => {
                    let counts = found.filter(|kept| which.counts(&kept.record));
                    incidents.open.extend(counts.and_then(|kept| Open::of_saga(&kept.record, record, plans)));
                }
                Err(error) => return Incidents::not_read(&error),
            }
        }
    }
    incidents
}

impl Incidents {
    fn not_read(error: &impl fmt::Display) -> Self {
        tracing::error!(error = %error, "whether an incident is open cannot be read: nothing is deleted, made, enabled or started");
        Self { open: Vec::new(), not_read: true }
    }

    /// True where nothing is open, and that is known.
    pub fn is_none(&self) -> bool {
        self.open.is_empty() && !self.not_read
    }

    /// What tells these incidents from others: a decision that rests on them rests on this.
    pub fn mark(&self) -> String {
        let one = |open: &Open| {
            let what = if open.saga { "failover" } else { "incident" };
            format!("{what} {} {}", open.recovery_plan, open.opened_at)
        };
        let all: Vec<String> = self.open.iter().map(one).collect();
        hash(&[&all.join("\n"), if self.not_read { "not read" } else { "" }])
    }

    /// Why a machine is concerned, where it is.
    pub fn about(&self, machine: Machine<'_>) -> Option<Why> {
        if self.not_read {
            return Some(Why::NotRead);
        }
        self.open.iter().find_map(|open| {
            let recovery_plan = || open.recovery_plan.clone();
            if open.saga {
                let either_side = machine.is_in(&open.from) || machine.is_in(&open.to);
                let member = either_side && open.has_member(machine);
                return member.then(|| Why::Saga { recovery_plan: recovery_plan() });
            }
            if machine.is_in(&open.from) {
                return Some(Why::Region { recovery_plan: recovery_plan() });
            }
            let other_side = machine.is_in(&open.to) && open.has_member(machine);
            other_side.then(|| Why::Member { recovery_plan: recovery_plan() })
        })
    }
}

impl Open {
    /// Whether a record's incident is open, and the recovery plan not long taken out.
    fn is_open(record: &Record, plans: &[RecoveryPlan], now: Timestamp) -> bool {
        let in_force = plans.iter().any(|plan| plan.name == record.recovery_plan);
        let stands = in_force || now.duration_since(record.evaluated_at) <= ORPHAN_STANDS;
        // The phase too: a record that says that something is under way is believed without an incident. One that failed over stays so
        // after its incident is closed.
        let under_way = !matches!(record.phase, Phase::Normal | Phase::FailedOver);
        stands && (record.incident.is_some() || under_way)
    }

    fn of(record: Record, plans: &[RecoveryPlan]) -> Self {
        let plan = plans.iter().find(|plan| plan.name == record.recovery_plan);
        let opened_at = record.incident.as_ref().map_or(record.evaluated_at, |incident| incident.opened_at);
        Self {
            opened_at,
            saga: false,
            from: Location::new(&record.from),
            to: Location::new(&record.to),
            members: record.members,
            groups: plan.map(|plan| plan.groups.iter().map(|group| group.members.clone()).collect()),
            recovery_plan: record.recovery_plan,
        }
    }

    /// A failover that is under way, whatever became of its incident; none where it has ended.
    fn of_saga(saga: &SagaRecord, record: Record, plans: &[RecoveryPlan]) -> Option<Self> {
        let under_way = saga.ended_at.is_none();
        under_way.then(|| Self { opened_at: saga.began_at, saga: true, ..Self::of(record, plans) })
    }

    /// Whether a machine on the other side is a member: by the name that it has here and there, or by what the groups ask of a machine,
    /// were it in the lost region. Of a recovery plan that is gone nobody says what its groups asked.
    fn has_member(&self, machine: Machine<'_>) -> bool {
        let by_name = self.members.iter().any(|name| name.eq_ignore_ascii_case(machine.name));
        let Some(groups) = &self.groups else { return true };
        let by_groups = || {
            let about = machine.about?;
            let there = MachineAttributes { location: self.from.as_str().to_owned(), ..about.clone() };
            Some(groups.iter().any(|members| reach(members, &there) != Reach::Outside))
        };
        by_name || by_groups().unwrap_or(false)
    }
}

impl Machine<'_> {
    fn is_in(&self, region: &Location) -> bool {
        let known = self.about.map(|about| about.location.as_str()).or(self.region);
        known.is_some_and(|own| region.is(own)) || points_group(region.as_str()).eq_ignore_ascii_case(self.points_in)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region { recovery_plan } => {
                write!(f, "its region has an open incident of the recovery plan {recovery_plan}")
            }
            Self::Member { recovery_plan } => {
                write!(f, "it is a member of the recovery plan {recovery_plan}, which has an open incident")
            }
            Self::Saga { recovery_plan } => {
                write!(f, "it is a member of the recovery plan {recovery_plan}, whose failover is under way")
            }
            Self::NotRead => f.write_str("whether an incident is open could not be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swap::SwapError;

    const PLAN: &str = include_str!("../../contract/examples/recovery-plan.yaml");

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn plan() -> RecoveryPlan {
        lifeboat_contract::recovery::read_recovery_plan(PLAN, "plan.yaml").expect("the example is a recovery plan")
    }

    fn record(phase: Phase) -> Record {
        let golden = include_bytes!("../golden/declaration-v1.json");
        let record: Record = crate::record::read_up_to(record::VERSION, "golden", golden).expect("reads");
        let plan = plan();
        let incident = record.incident.clone().filter(|_| phase != Phase::Normal);
        let (from, to) = (plan.from.as_str().to_owned(), plan.to.as_str().to_owned());
        Record { recovery_plan: plan.name, from, to, phase, incident, ..record }
    }

    fn incidents(record: Record, plans: &[RecoveryPlan], now: &str) -> Incidents {
        let open = Open::is_open(&record, plans, at(now)).then(|| Open::of(record, plans));
        Incidents { open: open.into_iter().collect(), not_read: false }
    }

    fn machine<'a>(name: &'a str, region: &'a str) -> Machine<'a> {
        Machine { name, region: Some(region), points_in: "", about: None }
    }

    #[test]
    fn from_suspected_until_the_incident_is_closed_the_region_s_machines_are_concerned() {
        let (plans, now) = ([plan()], "2026-11-22T03:00:00Z");
        let (from, to) = (plan().from.as_str().to_owned(), plan().to.as_str().to_owned());
        for phase in Phase::ALL {
            let open = incidents(record(phase), &plans, now);
            let concerned = open.about(machine("any", &from)).is_some();
            assert_eq!(concerned, phase != Phase::Normal, "{phase}");
            assert_eq!(open.is_none(), phase == Phase::Normal, "{phase}");
        }
        let recovered = Record { phase: Phase::Normal, ..record(Phase::Suspected) };
        let open = incidents(recovered, &plans, now);
        assert!(matches!(open.about(machine("any", &from)), Some(Why::Region { .. })), "well again, and not closed");
        assert_eq!(open.about(machine("any", &to)), None);
        assert_eq!(open.about(machine("any", "uksouth")), None);
        let closed = Record { phase: Phase::FailedOver, ..record(Phase::Normal) };
        assert!(incidents(closed, &plans, now).is_none(), "failed over, and its incident is closed");
        let by_group = Machine { region: None, points_in: &points_group(&from), ..machine("gone", "") };
        assert!(open.about(by_group).is_some(), "of a machine that is gone its points' group says where it was");
    }

    #[test]
    fn of_a_failover_that_is_under_way_the_members_are_concerned_on_either_side_after_the_incident_too() {
        let golden = include_bytes!("../golden/saga-v1.json");
        let saga: SagaRecord =
            crate::record::read_up_to(crate::saga::record::VERSION, "golden", golden).expect("a record");
        let (plans, ended_at) = ([plan()], saga.ended_at);
        let (from, to) = (plan().from.as_str().to_owned(), plan().to.as_str().to_owned());
        for (ended_at, concerned) in [(None, true), (ended_at.or(Some(saga.began_at)), false)] {
            let saga = SagaRecord { ended_at, ..saga.clone() };
            let closed = Record { phase: Phase::FailedOver, ..record(Phase::Normal) };
            let open = Open::of_saga(&saga, closed, &plans).into_iter().collect();
            let incidents = Incidents { open, not_read: false };
            assert_eq!(incidents.is_none(), !concerned);
            for region in [&from, &to] {
                assert_eq!(incidents.about(machine("VM-1", region)).is_some(), concerned, "{region}");
                assert_eq!(incidents.about(machine("any", region)), None, "{region}: no member");
            }
            assert_eq!(incidents.about(machine("VM-1", "uksouth")), None);
        }
        // New machines get backups of their own from the commit on, and their points stay until the failover has ended.
        let mut saga = saga;
        let which = [Failovers::UnderWay, Failovers::NotCommitted];
        assert_eq!(which.map(|which| which.counts(&saga)), [true, true], "a person is asked whether it is good");
        saga.progress.push_str("step forward 2026-11-22T10:20:00Z over commit\n");
        assert_eq!(which.map(|which| which.counts(&saga)), [true, false], "committed");
        // What an incident kept is looked at again when only the failover keeps it.
        let both = [false, true].map(|saga| {
            let open = Open { saga, ..Open::of(record(Phase::FailedOver), &plans) };
            Incidents { open: vec![open], not_read: false }.mark()
        });
        assert_ne!(both[0], both[1]);
    }

    #[test]
    fn a_member_is_concerned_on_the_other_side_by_its_name_and_by_what_its_group_asks() {
        let plans = [plan()];
        let to = plan().to.as_str().to_owned();
        let open = incidents(record(Phase::Suspected), &plans, "2026-11-22T03:00:00Z");
        assert!(matches!(open.about(machine("VM-1", &to)), Some(Why::Member { .. })));
        let by_tag = MachineAttributes {
            name: "other".to_owned(),
            location: to.clone(),
            tags: [("tier".to_owned(), "db".to_owned()), ("app".to_owned(), "shop".to_owned())].into(),
            ..MachineAttributes::default()
        };
        let members = &plans[0].groups[0].members;
        let there = MachineAttributes { location: plans[0].from.as_str().to_owned(), ..by_tag.clone() };
        let expected = reach(members, &there) != Reach::Outside;
        let seen = Machine { about: Some(&by_tag), ..machine("other", &to) };
        assert_eq!(open.about(seen).is_some(), expected);
    }

    #[test]
    fn an_incident_of_a_recovery_plan_that_was_taken_out_stands_for_a_day() {
        let from = plan().from.as_str().to_owned();
        for (now, concerned) in [("2026-11-22T03:00:00Z", true), ("2026-11-24T03:00:00Z", false)] {
            let open = incidents(record(Phase::Confirmed), &[], now);
            assert_eq!(open.about(machine("any", &from)).is_some(), concerned, "{now}");
            assert_eq!(
                open.about(machine("any", plan().to.as_str())).is_some(),
                concerned,
                "{now}: nobody knows the members"
            );
        }
        let open = incidents(record(Phase::Confirmed), &[plan()], "2026-11-29T03:00:00Z");
        assert!(!open.is_none(), "of one that is in force it stands until it is closed");
    }

    #[test]
    fn what_could_not_be_read_counts_as_an_incident_of_every_machine() {
        let unread = Incidents::not_read(&SwapError::Busy);
        assert_eq!(unread.about(machine("any", "uksouth")), Some(Why::NotRead));
        assert!(!unread.is_none());
        assert_ne!(unread.mark(), Incidents::default().mark());
    }
}

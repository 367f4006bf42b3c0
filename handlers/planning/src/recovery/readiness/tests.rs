//! What makes a recovery plan ready, and what keeps it from that: one sentence a case.

mod leads;
mod locks;

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use alloc::{format, vec};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::declaration::Readiness;
use crate::policy::{Location, Match};
use crate::recovery::{
    Action, By, Declaration, Evidence, Fence, Group, Measured, Replication, Reported, Traffic as PlanTraffic, Verify,
};
use crate::saga::failover::{
    self, EndpointFacts, ItemFacts, Known, Member, Monitor, PointChoice, PointFacts, ProfileFacts, TargetFacts,
};

fn at(minutes: i64) -> Timestamp {
    let base: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    base.checked_add(SignedDuration::from_mins(minutes)).unwrap()
}

fn plan() -> RecoveryPlan {
    let group = |name: &str, after: Vec<Action>| Group {
        name: name.into(),
        members: Match::All(vec![]),
        before: vec![],
        after,
    };
    RecoveryPlan {
        name: "shop".into(),
        from: Location::new("West Europe"),
        to: Location::new("North Europe"),
        replication: Replication::SiteRecovery,
        groups: vec![group("data", vec![Action::Wait(SignedDuration::from_mins(2))]), group("web", vec![])],
        traffic: vec![PlanTraffic {
            profile: "tm-shop".into(),
            from: "weu".into(),
            to: "neu".into(),
            verify: Verify { url: "https://shop.example/healthz".into(), within: SignedDuration::from_mins(5) },
        }],
        declaration: Declaration {
            by: By::Approval,
            approvals: 1,
            evidence: Evidence {
                reported: [Reported::ServiceHealth].into(),
                measured: [Measured::Probe].into(),
                alerts: [].into(),
                at_least: 2,
                window: SignedDuration::from_mins(10),
            },
            cooldown: SignedDuration::from_hours(6),
            fence: Fence::Required,
            max_data_loss: SignedDuration::from_mins(15),
        },
    }
}

fn member(name: &str) -> MemberSeen {
    let disk = format!("/disks/{name}-os");
    MemberSeen {
        name: name.into(),
        item: Known::Is(ItemFacts {
            state: "Protected".into(),
            on_primary: true,
            allows_failover: true,
            healthy: true,
            errors: vec![],
            in_multi_vm_group: false,
            turned_round: false,
        }),
        rpo: Some(Rpo { age: SignedDuration::from_mins(4), reckoned_at: at(99) }),
        disks: vec![DiskSeen { id: disk.clone(), ready: true }],
        left_out: 0,
        machine_disks: Known::Is(vec![disk.to_uppercase()]),
        points: Known::Is(vec![PointFacts { id: "p".into(), time: at(96), application: false }]),
        mapping: Known::Is(()),
        target: Known::Absent,
        size: Some(("Standard_D2s_v5".into(), Known::Is(true))),
        pending_kib: Some(0),
        not_carried: vec![],
    }
}

fn seen() -> Seen {
    let endpoint = |name: &str, enabled| EndpointFacts {
        name: name.into(),
        enabled,
        monitor: Monitor::Online,
        unmonitored: false,
    };
    let profile = ProfileFacts { enabled: true, endpoints: vec![endpoint("weu", true), endpoint("neu", false)] };
    let place = |what, name: &str| PlaceSeen { what, name: name.into(), location: Known::Is("northeurope".into()) };
    Seen {
        groups: Known::Is(vec![
            GroupSeen { name: "data".into(), members: vec![member("db-1"), member("db-2")] },
            GroupSeen { name: "web".into(), members: vec![member("web-1")] },
        ]),
        not_listed: vec![],
        source_silent: false,
        target: TargetFacts {
            vault: Known::Is(()),
            groups: Known::Is(()),
            networks: Known::Is(true),
            quota_has_room: Known::Is(true),
        },
        places: vec![place(Place::Vault, "rsv"), place(Place::Controller, "lb-neu")],
        traffic: vec![TrafficSeen {
            profile: "TM-shop".into(),
            facts: Known::Is(profile),
            endpoints: vec![leads::by_name("weu", "weu.example.net"), leads::by_name("neu", "neu.example.net")],
        }],
        addresses: leads::addresses(),
        rights: vec![RightSeen { scope: "group rg-north".into(), in_from: false, missing: Some(vec![]) }],
        saving: vec![RightSeen { scope: "group points".into(), in_from: true, missing: Some(vec![]) }],
        locks: vec![LocksSeen { subscription: "sub".into(), in_from: false, locks: Some(vec![]) }],
    }
}

fn db_1(seen: &mut Seen) -> &mut MemberSeen {
    let Known::Is(groups) = &mut seen.groups else { panic!("they are known") };
    &mut groups[0].members[0]
}

fn item(seen: &mut Seen) -> &mut ItemFacts {
    let Known::Is(item) = &mut db_1(seen).item else { panic!("it is known") };
    item
}

fn told(change: impl FnOnce(&mut Seen)) -> (State, Vec<String>) {
    let mut seen = seen();
    change(&mut seen);
    let judged = judge(&plan(), &seen, at(100));
    (judged.state, judged.reasons.iter().map(ToString::to_string).collect())
}

#[test]
fn a_recovery_plan_of_which_all_is_known_and_well_is_ready() {
    assert_eq!(told(|_| {}), (State::Ready, vec![]));
    let unlisted = |s: &mut Seen| db_1(s).size = Some(("Standard_D2s_v5".into(), Known::Absent));
    assert_eq!(told(unlisted), (State::Ready, vec![]), "where no size is listed, nothing is said");
    let notes: Vec<String> = judge(&plan(), &seen(), at(100)).notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            Note::CapacityNotKnown.to_string(),
            "endpoint neu of profile tm-shop leads to public address pip-neu in northeurope".to_string()
        ]
    );
}

#[test]
fn whether_the_old_disks_can_be_saved_is_told_and_hinders_no_failover() {
    let told = |missing: Option<Vec<String>>| {
        let mut seen = seen();
        seen.saving[0].missing = missing;
        let judged = judge(&plan(), &seen, at(100));
        (judged.state, judged.notes.last().map(ToString::to_string).unwrap_or_default())
    };
    let after = "not allowed in group points: after a failover the old disks could not be saved, nor the other way be protected";
    assert_eq!(told(Some(vec!["a/write".into()])), (State::Ready, format!("a/write is {after}")));
    let two = Some(vec!["a/write".into(), "b/write".into()]);
    assert_eq!(told(two), (State::Ready, format!("a/write and 1 more actions are {after}")));
    let unread = "what is allowed in group points, where the old disks are saved after a failover, could not be read";
    assert_eq!(told(None), (State::Ready, unread.into()));
}

#[test]
fn what_is_lost_with_the_old_machine_and_what_the_new_one_lacks_is_told_and_hinders_nothing() {
    let mut seen = seen();
    (db_1(&mut seen).pending_kib, db_1(&mut seen).not_carried) =
        (Some(1_330), vec!["identity SystemAssigned".into(), "extension Monitor".into()]);
    let judged = judge(&plan(), &seen, at(100));
    let notes: Vec<String> = judged.notes.iter().map(ToString::to_string).collect();
    assert_eq!(judged.state, State::Ready);
    let pending = "db-1: its agent still holds 1.29 MiB, which is lost where the old machine stops before it is sent";
    let lacks = "db-1: not carried over to the machine to be: identity SystemAssigned, extension Monitor";
    assert!(notes.ends_with(&[pending.into(), lacks.into()]), "{notes:?}");
}

type Case = (&'static str, State, fn(&mut Seen));

/// Each case changes one thing of a recovery plan that is ready, and is told by one reason.
const CASES: &[Case] = &[
    ("which machines are members could not be read", State::NotReady, |s| s.groups = Known::Unknown),
    ("db-9 is not listed any more, and not proven gone", State::NotReady, |s| s.not_listed = vec!["db-9".into()]),
    ("group web has no member", State::NotReady, |s| {
        if let Known::Is(groups) = &mut s.groups {
            groups[1].members.clear();
        }
    }),
    ("db-1 is in group data and in group web", State::NotReady, |s| {
        if let Known::Is(groups) = &mut s.groups {
            groups[1].members.push(member("db-1"));
        }
    }),
    ("db-1: its replicated item could not be read", State::NotReady, |s| db_1(s).item = Known::Unknown),
    ("db-1 is not replicated by any vault in scope", State::MemberRefuses, |s| db_1(s).item = Known::Absent),
    ("db-1 may not be failed over now, by Azure's word", State::MemberRefuses, |s| item(s).allows_failover = false),
    ("db-1 is in a multi-VM group, which fails over as a whole alone", State::MemberRefuses, |s| {
        item(s).in_multi_vm_group = true;
    }),
    ("db-1 is not protected on its primary side, but InitialReplicationInProgress", State::MemberRefuses, |s| {
        item(s).state = "InitialReplicationInProgress".into();
    }),
    ("db-1 is replicated in bad health", State::NotReady, |s| item(s).healthy = false),
    ("db-1 has error 150039 in its failover's health", State::NotReady, |s| item(s).errors = vec!["150039".into()]),
    ("db-1: how old its newest point is, is not told", State::NotReady, |s| db_1(s).rpo = None),
    ("db-1: its newest point is 901 s old, at most 900 s may be lost", State::NotReady, |s| {
        db_1(s).rpo = Some(Rpo { age: SignedDuration::from_secs(841), reckoned_at: at(99) });
    }),
    ("db-1: how old its newest point is, was last reckoned at 2026-11-01T01:24:00Z", State::NotReady, |s| {
        db_1(s).rpo = Some(Rpo { age: SignedDuration::ZERO, reckoned_at: at(84) });
    }),
    ("db-1: disk db-1-data is not replicated", State::NotReady, |s| {
        db_1(s).machine_disks = Known::Is(vec!["/disks/db-1-os".into(), "/disks/db-1-data".into()]);
        db_1(s).left_out = 1;
    }),
    ("db-1: 1 of its disks are not replicated, by Site Recovery's word", State::NotReady, |s| db_1(s).left_out = 1),
    ("db-1: disk db-1-os is not copied whole", State::NotReady, |s| db_1(s).disks[0].ready = false),
    ("db-1: the machine could not be read, so which disks it has is not known", State::NotReady, |s| {
        db_1(s).machine_disks = Known::Unknown;
    }),
    ("db-1: its recovery points could not be read", State::NotReady, |s| db_1(s).points = Known::Unknown),
    ("db-1 has no recovery point", State::NotReady, |s| db_1(s).points = Known::Is(vec![])),
    ("db-1: its container is not mapped to the other region", State::NotReady, |s| db_1(s).mapping = Known::Absent),
    ("db-1: db-1 has the id of the machine to be", State::NotReady, |s| db_1(s).target = Known::Is("/x/db-1".into())),
    ("db-1: whether a machine has the id of the machine to be could not be read", State::NotReady, |s| {
        db_1(s).target = Known::Unknown;
    }),
    ("db-1: Standard_D2s_v5 is not among the sizes that Site Recovery offers for it", State::NotReady, |s| {
        db_1(s).size = Some(("Standard_D2s_v5".into(), Known::Is(false)));
    }),
    ("db-1: which sizes Site Recovery offers for it could not be read", State::NotReady, |s| {
        db_1(s).size = Some(("Standard_D2s_v5".into(), Known::Unknown));
    }),
    ("whether the vault is there could not be read", State::NotReady, |s| s.target.vault = Known::Unknown),
    ("a target network is not there, or a member names none", State::NotReady, |s| s.target.networks = Known::Absent),
    ("whether the target networks are there could not be read", State::NotReady, |s| {
        s.target.networks = Known::Unknown
    }),
    ("a target network lies in the region that may be lost", State::NotReady, |s| {
        s.target.networks = Known::Is(false);
    }),
    ("quota or sizes of the target region do not suffice", State::NotReady, |s| {
        s.target.quota_has_room = Known::Is(false);
    }),
    ("profile tm-shop is not there", State::NotReady, |s| s.traffic[0].facts = Known::Absent),
    ("profile tm-shop could not be read", State::NotReady, |s| s.traffic.clear()),
    ("profile tm-shop lacks an endpoint", State::NotReady, |s| {
        if let Known::Is(profile) = &mut s.traffic[0].facts {
            profile.endpoints.pop();
        }
    }),
    ("the deployment lb-neu lies in the region that may be lost", State::NotReady, |s| {
        s.places[1].location = Known::Is("West Europe".into());
    }),
    ("where the vault rsv lies is not known", State::NotReady, |s| s.places[0].location = Known::Unknown),
    ("a/b and 1 more actions are not allowed in group rg-north", State::NotReady, |s| {
        s.rights[0].missing = Some(vec!["a/b".into(), "a/c".into()]);
    }),
    ("what is allowed in group rg-north could not be read", State::NotReady, |s| s.rights[0].missing = None),
];

#[test]
fn each_thing_that_is_not_as_it_must_be_or_not_known_is_told_by_its_own_reason() {
    for (text, state, change) in CASES {
        assert_eq!(told(change), (*state, vec![(*text).to_string()]), "{text}");
    }
}

#[test]
fn a_region_that_is_silent_says_nothing_against_what_was_ready_before() {
    let silent = |s: &mut Seen| {
        s.source_silent = true;
        db_1(s).machine_disks = Known::Unknown;
        db_1(s).rpo = Some(Rpo { age: SignedDuration::from_hours(1), reckoned_at: at(100) });
        item(s).healthy = false;
    };
    let (state, reasons) = told(silent);
    assert_eq!((state, reasons.len()), (State::Silent, 4), "{reasons:?}");
    // It counts for as long as that was ready, and never longer; without such a look it is not ready.
    assert_eq!(state.readiness(at(100), Some(at(70))), Readiness::Ready { at: at(70) });
    assert_eq!(state.readiness(at(100), None), Readiness::NotReady { at: at(100) });
    // What the silence does not explain stands.
    let (state, _) = told(|s| {
        silent(s);
        s.target.quota_has_room = Known::Is(false);
    });
    assert_eq!((state, state.readiness(at(100), Some(at(70)))), (State::NotReady, Readiness::NotReady { at: at(100) }));
    let (state, _) = told(|s| {
        silent(s);
        item(s).allows_failover = false;
    });
    assert_eq!(state.readiness(at(100), Some(at(70))), Readiness::MemberRefuses { at: at(100) });
}

#[test]
fn a_workload_is_lost_back_to_the_oldest_of_its_members_newest_points() {
    assert_eq!(newest_usable([Some(at(3)), Some(at(1)), Some(at(2))]), Some(at(1)));
    assert_eq!(newest_usable([Some(at(3)), None]), None, "a member without a point is lost whole");
    assert_eq!(newest_usable([]), None);
}

fn saved() -> SavedPath {
    let of = |name: &str| {
        let text = String::from(name);
        let (item, old) = (format!("/items/{name}"), format!("/old/{name}"));
        Arc::new(Member {
            name: text.clone(),
            item,
            old,
            old_vm_id: text,
            old_networks: vec![],
            target: format!("/new/{name}"),
            not_carried: vec![],
        })
    };
    SavedPath {
        digest: plan().digest(),
        groups: vec![
            SavedGroup { name: "web".into(), members: vec![of("web-1")] },
            SavedGroup { name: "data".into(), members: vec![of("db-1"), of("db-2")] },
        ],
        profiles: [("tm-shop".into(), "/profiles/tm-shop".into())].into(),
    }
}

fn ordered() -> Ordered {
    Ordered {
        id: "shop/1".into(),
        at: at(100),
        point: PointChoice::Latest,
        fence: failover::Fence::Required,
        stopped_serving_at: at(90),
        loss_max: None,
        passed: vec![],
        protect_back: None,
    }
}

#[test]
fn an_order_has_the_groups_in_the_recovery_plans_order_with_the_members_that_were_saved() {
    let order = order(&plan(), &saved(), &ordered()).unwrap();
    let groups: Vec<(&str, Vec<&str>)> = order
        .groups
        .iter()
        .map(|group| (group.name.as_str(), group.members.iter().map(|it| it.name.as_str()).collect()))
        .collect();
    assert_eq!(groups, [("data", vec!["db-1", "db-2"]), ("web", vec!["web-1"])]);
    assert_eq!(order.groups[0].after, [failover::Action::Wait(SignedDuration::from_mins(2))]);
    assert_eq!((order.from.as_str(), order.to.as_str()), ("westeurope", "northeurope"));
    assert_eq!(order.traffic[0].profile, "/profiles/tm-shop");
    assert_eq!(order.loss_max, SignedDuration::from_mins(15), "nobody approved of more");
}

#[test]
fn no_order_is_made_of_what_does_not_fit_the_recovery_plan() {
    let mut other = plan();
    other.groups[0].members = Match::Any(vec![]);
    assert_eq!(order(&other, &saved(), &ordered()), Err(OrderRefused::OtherPlan));
    let mut less = saved();
    less.groups[1].members.clear();
    assert_eq!(order(&plan(), &less, &ordered()), Err(OrderRefused::NoMembers("data".into())));
    let mut lost = saved();
    lost.profiles.clear();
    assert_eq!(order(&plan(), &lost, &ordered()), Err(OrderRefused::NoProfile("tm-shop".into())));
}

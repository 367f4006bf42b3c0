//! What pages show, made of the records as they are stored, at one moment.
//! It never reads a store.

use jiff::{SignedDuration, Timestamp};
use lifeboat_contract::command::StartFailover;
use lifeboat_contract::status::{Attention, Build, RecoveryPlanStatus, Status};
use lifeboat_execution::declaration::record::Record;
use lifeboat_execution::orders::approvals::{Approval, OrderRecord, of_incident};
use lifeboat_execution::readiness::shown::Shown as ReadinessShown;
use lifeboat_execution::saga::followed::Ahead;
use lifeboat_execution::saga::record::SagaRecord;
use lifeboat_execution::saga::shown::Shown;
use lifeboat_execution::signals::region::RegionEvidence;
use lifeboat_execution::stop::Stop;
use lifeboat_execution::views::{Failover, PlanRow, Recovery, Start, Viewed, What};
use lifeboat_planning::declaration::Phase;
use lifeboat_planning::saga::Takes;
use serde::de::DeserializeOwned;

const DIGEST: &str = "3f0c6a1de1d14bd0f1fae2c8c8f5f2f3f0c4a3dbb7a9c7a54fd6e7c1a2b3c4d5";

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn of<R: DeserializeOwned>(record: &str) -> R {
    serde_json::from_str(record).expect("a record")
}

fn viewed(at_text: &str, what: What) -> Viewed {
    Viewed { at: at(at_text), deployment: "lb-neu".to_owned(), what }
}

/// A declaration with conditions of both kinds.
pub fn declared(phase: Phase) -> Record {
    let mut record: Record = of(include_str!("../../../../execution/golden/declaration-v1.json"));
    record.phase = phase;
    record.last = Some(serde_json::json!({ "conditions": [
        { "name": "sources", "met": true, "neededFor": "confirming", "value": "serviceHealth, probe; it takes 2" },
        { "name": "window", "met": false, "neededFor": "confirming", "value": "together since 2026-11-22T02:03:00Z, for 2m; it takes 10m" },
        { "name": "bothClasses", "met": true, "neededFor": "rules", "value": "1 reported, 1 measured" },
    ] }));
    record
}

pub fn region() -> Viewed {
    let evidence = RegionEvidence {
        region: "westeurope".to_owned(),
        signals: Some(of(include_str!("../../../../execution/golden/region-signals-v1.json"))),
        fleet: Some(of(include_str!("../../../../execution/golden/fleet-v1.json"))),
        declarations: vec![declared(Phase::AwaitingApproval)],
    };
    viewed("2026-11-22T02:40:00Z", What::Region(Box::new(evidence)))
}

pub fn recovery() -> Viewed {
    let documents = [("shop.yaml", include_str!("../../../../contract/examples/recovery-plan.yaml"))];
    let plan = lifeboat_contract::policy::read_documents(&documents).expect("it reads").recovery_plans.remove(0);
    let record = of(include_str!("../../../../execution/golden/readiness-v1.json"));
    let ahead = Ahead {
        shown: Some(ReadinessShown { record, declared: Some(declared(Phase::Suspected)), standing: None }),
        digest: Some(DIGEST.to_owned()),
        unmet: vec![("window".to_owned(), "2m of 10m".to_owned()), ("ready".to_owned(), "not ready".to_owned())],
        runbook: Ok("failover, table 1\n\n  1. preflight\n".to_owned()),
        takes: Some(Takes {
            usually: SignedDuration::from_secs(450),
            at_most: SignedDuration::from_hours(3),
            questions: 1,
        }),
        last: None,
    };
    let recovery = Recovery { plan, ahead, declared: Some(declared(Phase::Suspected)), waiting: vec![waiting()] };
    viewed("2026-11-22T11:15:00Z", What::Recovery(Box::new(recovery)))
}

/// An order that one of two approved.
pub fn waiting() -> OrderRecord {
    let given = at("2026-11-22T11:00:00Z");
    OrderRecord {
        id: "start-shop-1".to_owned(),
        incident: None,
        by: "00000000-0000-4000-8000-0000000000aa".to_owned(),
        at: given,
        says: StartFailover { digest: DIGEST.to_owned(), ..of_incident("shop", "the region is lost") },
        needs: 2,
        approvals: vec![Approval {
            by: "00000000-0000-4000-8000-0000000000bb".to_owned(),
            at: given + SignedDuration::from_mins(1),
            id: "a-1".to_owned(),
        }],
        ended: None,
    }
}

/// The stored failover, after its record was changed so.
pub fn shown(change: impl Fn(&mut SagaRecord)) -> Shown {
    let mut record: SagaRecord = of(include_str!("../../../../execution/golden/saga-v1.json"));
    change(&mut record);
    let saga = record.saga().expect("its progress reads");
    Shown { look_again_at: record.look_again_at, ..Shown::of(&saga, record.began_at, record.ended_at) }
}

pub fn of_failover(shown: Option<Shown>) -> Failover {
    Failover {
        plan: "shop".to_owned(),
        shown,
        declared: Some(declared(Phase::FailingOver)),
        waiting: Vec::new(),
        stopped: None,
        not_read: Vec::new(),
    }
}

/// A failover that serves from the other region and asks whether it is to be committed.
pub fn failover() -> Viewed {
    let failover = of_failover(Some(shown(|_| {})));
    viewed("2026-11-22T10:14:40Z", What::Failover(Box::new(failover)))
}

/// A stop of all changes.
pub fn stopped() -> Option<Stop> {
    Some(of(include_str!("../../../../execution/golden/stop-v1.json")))
}

/// One that was never begun, while all changes are stopped and something cannot be read.
pub fn no_failover() -> Viewed {
    let not_read = vec!["the orders that wait could not be read: the store did not answer for the record".to_owned()];
    let failover = Failover { stopped: stopped(), not_read, waiting: vec![waiting()], ..of_failover(None) };
    viewed("2026-11-22T11:15:00Z", What::Failover(Box::new(failover)))
}

pub fn start() -> Viewed {
    let now = at("2026-11-22T11:15:00Z");
    let status = RecoveryPlanStatus {
        name: "shop".to_owned(),
        from: "westeurope".to_owned(),
        to: "northeurope".to_owned(),
        phase: Some("Suspected".to_owned()),
        evaluated_at: Some(now - SignedDuration::from_secs(30)),
        incident_since: Some(now - SignedDuration::from_mins(12)),
    };
    let quiet = RecoveryPlanStatus {
        name: "books".to_owned(),
        phase: None,
        evaluated_at: None,
        incident_since: None,
        ..status.clone()
    };
    let ready = "NOT READY, looked at 10m ago, 2026-11-22T11:05:00Z".to_owned();
    let what = Start {
        build: Build {
            version: "0.1.0".to_owned(),
            id: "b1".to_owned(),
            started: now - SignedDuration::from_hours(30),
        },
        plans: vec![
            PlanRow { status: quiet, readiness: "never looked at".to_owned(), failover: None },
            PlanRow { status, readiness: ready, failover: Some("under way since 2026-11-22T11:01:00Z".to_owned()) },
        ],
        attention: vec![Attention {
            since: now - SignedDuration::from_mins(12),
            what: "recovery plan shop: westeurope is suspected to be lost; not met: window".to_owned(),
            advice: Some("look at the evidence".to_owned()),
        }],
    };
    viewed("2026-11-22T11:15:00Z", What::Start(what))
}

pub fn status() -> Status {
    of(include_str!("../../../../contract/golden/status.v1.json"))
}

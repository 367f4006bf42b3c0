//! One example of each kind of event, as a deployment would tell it.
//! It never tells of a real machine.

use jiff::{SignedDuration, Timestamp};

use super::{
    AlarmClosed, AlarmRaised, ApprovalAsked, ArmId, CommandDone, CommandRefused, Event, FailoverCompleted,
    FailoverFailed, FailoverRefused, FailoverStarted, FailoverStep, Line, List, Name, PointCreated, PointExpired,
    PointFailed, ProtectionEnabled, RegionConfirmed, RegionRecovered, RegionSuspected, RpoBreached,
};

const MACHINE: &str = "/subscriptions/00000000-0000-4000-8000-00000000000a/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/web-1";
const POINT: &str = "lb-daily-20261122t0200z-1-0123456789abcdef-fedcba9876543210";
const PERSON: &str = "00000000-0000-4000-8000-0000000000aa";
const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn name(text: &str) -> Name {
    Name::new(text)
}

fn machine() -> ArmId {
    ArmId::new(MACHINE)
}

/// All of them, in the order of the table of kinds. `began` stands for the moment of each.
pub fn examples(began: Timestamp) -> Vec<Event> {
    let mut all = of_points(began);
    all.extend(of_alarms(began));
    all.extend(of_regions(began));
    all.extend(of_failovers(began));
    all.extend(of_commands(began));
    all
}

fn of_points(at: Timestamp) -> Vec<Event> {
    let (point, policy) = (name(POINT), Some(name("production")));
    let consistency = Some(name("ApplicationConsistent"));
    vec![
        Event::new(
            PointCreated { machine: machine(), point: point.clone(), policy: policy.clone(), consistency },
            POINT,
            at,
        ),
        Event::new(PointFailed { machine: machine(), point: point.clone(), policy: policy.clone() }, POINT, at),
        Event::new(PointExpired { machine: machine(), point, policy: policy.clone() }, POINT, at),
        Event::new(
            ProtectionEnabled {
                machine: machine(),
                policy,
                what: Line::new("protect the machine in vault rsv-weu-1 by vault policy EnhancedPolicy"),
            },
            "7",
            at,
        ),
    ]
}

fn of_alarms(at: Timestamp) -> Vec<Event> {
    let (cause, policy) = (name("rpoBreached"), Some(name("production")));
    let machines = List::new([machine()]);
    vec![
        Event::new(
            RpoBreached { policy: name("production"), since: at, machines: machines.clone(), machines_total: 1 },
            "1",
            at,
        ),
        Event::new(
            AlarmRaised {
                cause: cause.clone(),
                policy: policy.clone(),
                what: Line::new("the newest conforming point of 1 machine is older than 24h"),
                since: at,
                machines,
                machines_total: 1,
            },
            "1",
            at,
        ),
        Event::new(AlarmClosed { cause, policy, since: at, closed_at: at, count: 12 }, "1", at),
    ]
}

fn of_regions(at: Timestamp) -> Vec<Event> {
    let (recovery_plan, region, incident) = (name("shop"), name("westeurope"), name("shop-1"));
    let (reported, measured) = ("serviceHealth: active, Virtual Machines", "probe: 12 of 12 failed since 02:00");
    let evidence = List::new([Line::new(reported)]);
    let suspected = RegionSuspected {
        recovery_plan: recovery_plan.clone(),
        region: region.clone(),
        incident: incident.clone(),
        since: at,
        evidence,
    };
    let confirmed = RegionConfirmed {
        recovery_plan: recovery_plan.clone(),
        region: region.clone(),
        incident: incident.clone(),
        since: at,
        evidence: List::new([Line::new(reported), Line::new(measured)]),
        data_loss_seconds: Some(240),
    };
    let until = at.checked_add(SignedDuration::from_hours(1)).unwrap_or(at);
    let asked = ApprovalAsked {
        recovery_plan: recovery_plan.clone(),
        incident: incident.clone(),
        digest: name(DIGEST),
        question: Line::new("fail shop over to northeurope?"),
        approvals: 1,
        until,
        data_loss_seconds: Some(240),
        takes_seconds: Some(1_800),
    };
    vec![
        Event::new(suspected, "shop-1", at),
        Event::new(confirmed, "shop-1", at),
        Event::new(RegionRecovered { recovery_plan, region, incident }, "shop-1", at),
        Event::new(asked, DIGEST, at),
    ]
}

fn of_failovers(at: Timestamp) -> Vec<Event> {
    let (recovery_plan, saga) = (name("shop"), name("shop-1"));
    let started = FailoverStarted {
        recovery_plan: recovery_plan.clone(),
        saga: saga.clone(),
        incident: Some(name("shop-1")),
        by: Some(name("approval")),
        digest: Some(name(DIGEST)),
    };
    let step = FailoverStep {
        recovery_plan: recovery_plan.clone(),
        saga: saga.clone(),
        step: name("failover/web"),
        state: name("done"),
        machine: Some(machine()),
        detail: Some(Line::new("running in northeurope")),
    };
    let completed = FailoverCompleted {
        recovery_plan: recovery_plan.clone(),
        saga: saga.clone(),
        rto_seconds: 1_620,
        data_loss_seconds: Some(240),
    };
    let failed = FailoverFailed {
        recovery_plan: recovery_plan.clone(),
        saga,
        step: name("failover/web"),
        reason: Line::new("the job of web-1 failed: RecoveryPointNotFound"),
        question: Some(Line::new("go on without web-1, choose another recovery point, or fail back?")),
    };
    let unmet = List::new([Line::new("a second source of evidence: 1 of 2")]);
    vec![
        Event::new(started, "shop-1", at),
        Event::new(step, "shop-1/failover/web/web-1/done", at),
        Event::new(completed, "shop-1", at),
        Event::new(failed, "shop-1/failover/web/1", at),
        Event::new(FailoverRefused { recovery_plan, incident: Some(name("shop-1")), unmet }, "shop-1/1", at),
    ]
}

fn of_commands(at: Timestamp) -> Vec<Event> {
    let command = name("4c6a5a1e-1f0d-4d1e-9c34-0d4a3f0f6b11");
    let refused = CommandRefused {
        command: command.clone(),
        ordered: name("StartFailover"),
        field: Some(name("data.recoveryPlan")),
        reason: Line::new("there is no recovery plan shopp; did you mean shop?"),
        by: Some(name(PERSON)),
    };
    let done = CommandDone {
        command,
        ordered: name("Hold"),
        outcome: Line::new("the point is held"),
        dryrun: false,
        by: None,
    };
    vec![Event::new(refused, "", at), Event::new(done, "", at)]
}

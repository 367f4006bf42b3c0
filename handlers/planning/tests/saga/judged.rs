//! Whether a member is failed over: what item, job and machine say together, as a table.

use jiff::Timestamp;
use lifeboat_planning::saga::failover::{
    Facts, Failover, ItemFacts, JobFacts, JobKind, JobState, Known, Look, MachineFacts, MemberFacts, Power,
};
use lifeboat_planning::saga::{Runbook, Seen, Sent};

use crate::orders::lone;

/// What it is, how often the failover was sent, what is seen besides a protected item and no machine, and what that means.
const CASES: &[(&str, u32, &str, &str)] = &[
    ("nothing sent, nothing there", 0, "", "not begun"),
    ("sent, nothing seen of it", 1, "", "not begun"),
    ("the item cannot be read", 1, "item-unknown", "unknown"),
    ("the item is gone", 1, "item-gone", "not-ready"),
    ("the machine cannot be read", 1, "machine-unknown", "unknown"),
    ("the item does not allow it", 0, "not-allowed", "not-allowed"),
    ("the item does not allow it, after it was sent", 1, "not-allowed", "not-allowed"),
    ("somebody's machine has the target's id", 0, "machine-before", "target-taken"),
    ("the item is elsewhere already", 0, "moved", "not-ready"),
    ("its job runs", 1, "job-running", "going"),
    ("a job that somebody else began runs", 0, "job-running", "going"),
    ("its job runs and the item has moved", 1, "moved job-running", "going"),
    ("its job failed and nothing changed", 1, "job-failed", "not begun"),
    ("its job failed and the item does not allow another", 1, "not-allowed job-failed", "job"),
    ("its job failed and the item moved", 1, "moved job-failed", "job"),
    ("its job failed and a machine is there", 1, "machine-new job-failed", "job"),
    ("a job failed and another one runs", 2, "job-failed job-again", "going"),
    ("the item moved and no job is listed yet", 1, "moved", "unknown"),
    ("a machine is there and no job is listed yet", 1, "machine-new", "unknown"),
    ("it succeeded and the machine is new", 1, "moved machine-new job-succeeded", "done"),
    ("it succeeded and no machine is there", 1, "moved job-succeeded", "target-not-found"),
    ("it succeeded and the machine is older than the request", 1, "machine-before job-succeeded", "target-not-found"),
    ("it succeeded and the machine is the old one", 1, "machine-old job-succeeded", "target-not-found"),
    ("it succeeded and the machine is in another region", 1, "machine-elsewhere job-succeeded", "target-not-found"),
    ("it succeeded under a name with a suffix", 1, "moved alike job-succeeded", "done"),
    ("it succeeded and two machines have such a name", 1, "moved alike alike job-succeeded", "target-not-found"),
    ("a job of an incident before counts for nothing", 1, "job-before", "not begun"),
];

fn moment(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

fn machine(vm_id: &str, location: &str, created_at: &str) -> MachineFacts {
    let (id, vm_id, location) = ("/new/vm".into(), vm_id.into(), location.into());
    MachineFacts { id, vm_id, location, created_at: moment(created_at), power: Power::Running, provisioned: true }
}

fn item() -> ItemFacts {
    ItemFacts {
        state: "Protected".into(),
        on_primary: true,
        allows_failover: true,
        healthy: true,
        errors: Vec::new(),
        in_multi_vm_group: false,
        turned_round: false,
    }
}

fn job(state: JobState, began_at: &str) -> JobFacts {
    JobFacts { kind: JobKind::Failover, state, began_at: moment(began_at), warnings: Vec::new() }
}

/// One word of what is seen.
fn see(facts: &mut MemberFacts, word: &str) {
    let (during, after) = ("2026-11-26T03:10:05Z", "2026-11-26T03:11:50Z");
    match word {
        "item-unknown" => facts.item = Known::Unknown,
        "item-gone" => facts.item = Known::Absent,
        "not-allowed" => facts.item = Known::Is(ItemFacts { allows_failover: false, ..item() }),
        "moved" => {
            let state = "SomethingElse".into();
            facts.item = Known::Is(ItemFacts { state, on_primary: false, allows_failover: false, ..item() });
        }
        "machine-unknown" => facts.target = Known::Unknown,
        "machine-before" => facts.target = Known::Is(machine("new-vm", "northeurope", "2026-11-26T02:00:00Z")),
        "machine-new" => facts.target = Known::Is(machine("new-vm", "NorthEurope", after)),
        "machine-old" => facts.target = Known::Is(machine("OLD-VM", "northeurope", after)),
        "machine-elsewhere" => facts.target = Known::Is(machine("new-vm", "westeurope", after)),
        "alike" => facts.alike.push(machine("new-vm", "northeurope", after)),
        "job-running" => facts.jobs.push(job(JobState::Running, during)),
        "job-failed" => facts.jobs.push(job(JobState::Failed("150097".into()), during)),
        "job-succeeded" => facts.jobs.push(job(JobState::Succeeded, during)),
        "job-again" => facts.jobs.insert(0, job(JobState::Running, after)),
        "job-before" => facts.jobs.push(job(JobState::Succeeded, "2026-11-01T00:00:00Z")),
        other => panic!("{other}"),
    }
}

#[test]
fn whether_a_member_is_failed_over_is_judged_by_job_item_and_machine_together() {
    for (name, attempts, words, wanted) in CASES {
        let member = lone().groups[0].members[0].clone();
        let sent = Sent { attempts: *attempts, first_at: (*attempts > 0).then(|| moment("2026-11-26T03:10:00Z")) };
        let mut saga = Failover::new(lone());
        saga.memory.of_mut("vm").point = Some((None, None));
        let mut facts = MemberFacts {
            item: Known::Is(item()),
            target: Known::Absent,
            alike: Vec::new(),
            points: Vec::new(),
            jobs: Vec::new(),
        };
        words.split_whitespace().for_each(|word| see(&mut facts, word));
        let now = moment("2026-11-26T03:13:00Z");
        let judged = match saga.judge(&Look::FailedOver(member), sent, &Facts::Member(facts), now) {
            Seen::Failed(why) => why.kind.word(),
            Seen::Done => "done",
            Seen::Going => "going",
            Seen::NotBegun => "not begun",
            Seen::Unknown => "unknown",
        };
        assert_eq!(judged, *wanted, "{name}");
    }
}

#[test]
fn a_warning_beside_success_is_kept_once_and_read_again_and_one_of_a_job_that_runs_or_failed_is_not() {
    let member = lone().groups[0].members[0].clone();
    let sent = Sent { attempts: 1, first_at: Some(moment("2026-11-26T03:10:00Z")) };
    let text = "28175: The VM name 'vm' was modified, by 100%\nto 'vm-1'";
    let judged = |state: JobState| {
        let mut facts = MemberFacts {
            item: Known::Is(item()),
            target: Known::Absent,
            alike: Vec::new(),
            points: Vec::new(),
            jobs: vec![JobFacts { warnings: vec![text.into()], ..job(state, "2026-11-26T03:10:05Z") }],
        };
        see(&mut facts, "moved");
        see(&mut facts, "alike");
        let mut saga = Failover::new(lone());
        for _ in 0..2 {
            let now = moment("2026-11-26T03:13:00Z");
            saga.judge(&Look::FailedOver(member.clone()), sent, &Facts::Member(facts.clone()), now);
        }
        saga
    };
    let saga = judged(JobState::Succeeded);
    assert_eq!(saga.memory.of("vm").warnings, [format!("failover: {text}")]);
    let mut again = Failover::new(lone());
    assert!(Runbook::memory(&saga).iter().all(|line| !line.contains('\n') && again.remember(line)));
    assert_eq!(again.memory, saga.memory);
    for state in [JobState::Running, JobState::Failed("150097".into())] {
        assert!(judged(state).memory.of("vm").warnings.is_empty());
    }
}

#[test]
fn a_machine_that_was_stopped_before_is_deallocated_by_the_fence_and_not_started_by_undoing_it() {
    let member = lone().groups[0].members[0].clone();
    let now = moment("2026-11-26T03:13:00Z");
    for (power, runs) in
        [(Power::Running, true), (Power::Other, true), (Power::Stopped, false), (Power::Deallocated, false)]
    {
        let mut saga = Failover::new(lone());
        let seen = |power| {
            Facts::Old(Known::Is(MachineFacts { power, ..machine("old-vm", "westeurope", "2026-11-01T00:00:00Z") }))
        };
        let fenced = saga.judge(&Look::Stopped(member.clone()), Sent::default(), &seen(power), now);
        assert_eq!(fenced, if power == Power::Deallocated { Seen::Done } else { Seen::NotBegun }, "{power:?}");
        let undone = saga.judge(&Look::Started(member.clone()), Sent::default(), &seen(Power::Deallocated), now);
        assert_eq!(undone, if runs { Seen::NotBegun } else { Seen::Done }, "{power:?}");
    }
}

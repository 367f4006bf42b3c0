//! A job's phases, its end and the filters of its list.
//!
//! It never asks Azure.

use super::{Job, JobFilter, JobStatus, filter_time, read};
use serde_json::{Value, json};

const JOB: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/backupJobs/j";

fn job(properties: Value) -> Job {
    read(&json!({ "id": JOB, "properties": properties })).unwrap()
}

fn backup(status: &str, snapshot: Option<&str>) -> Job {
    let tasks = snapshot.map(|status| json!([{ "taskId": "Take Snapshot", "status": status }]));
    job(json!({ "operation": "Backup", "status": status, "extendedInfo": { "tasksList": tasks } }))
}

#[test]
fn a_backup_takes_snapshots_until_that_task_ends_and_a_list_does_not_tell() {
    for (status, snapshot, takes) in [
        ("InProgress", Some("InProgress"), Some(true)),
        ("InProgress", Some("NotStarted"), Some(true)),
        ("InProgress", Some("Completed"), Some(false)),
        ("InProgress", Some("Failed"), Some(false)),
        ("InProgress", None, None),
        ("SomethingNew", None, None),
        ("Cancelling", Some("InProgress"), Some(true)),
        ("Completed", Some("InProgress"), Some(false)),
        ("Failed", None, Some(false)),
    ] {
        assert_eq!(backup(status, snapshot).takes_snapshot(), takes, "{status} {snapshot:?}");
    }
    assert_eq!(job(json!({ "operation": "Restore", "status": "InProgress" })).takes_snapshot(), Some(false));
}

#[test]
fn a_job_has_ended_only_by_a_word_that_says_so() {
    for (text, ended) in [
        ("Completed", true),
        ("completedwithwarnings", true),
        ("Failed", true),
        ("Cancelled", true),
        ("Cancelling", false),
        ("InProgress", false),
        ("SomethingNew", false),
        ("", false),
    ] {
        assert_eq!(job(json!({ "status": text })).status.is_ended(), ended, "{text}");
    }
    assert_eq!(job(json!({})).status, JobStatus::Other(String::new()));
}

#[test]
fn a_job_belongs_to_the_machine_that_its_container_names() {
    let machine = |name: &str| {
        format!("/subscriptions/s/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/{name}").parse().unwrap()
    };
    let own = job(json!({ "containerName": "iaasvmcontainerv2;g;m" }));
    assert!(own.is_of(&machine("M")) && !own.is_of(&machine("m2")));
    assert!(!job(json!({ "entityFriendlyName": "m" })).is_of(&machine("m")), "a name alone is of any group");
}

#[test]
fn a_failed_job_tells_its_errors_and_what_it_advises() {
    let failed = job(json!({ "status": "Failed", "errorDetails": [{
        "errorCode": 400001, "errorTitle": "UserErrorGuestAgentStatusUnavailable", "errorString": "text\nmore",
        "recommendations": ["do this", 7],
    }]}));
    let error = &failed.errors[0];
    assert_eq!((error.code, error.title.as_deref()), (Some(400_001), Some("UserErrorGuestAgentStatusUnavailable")));
    assert_eq!((error.text.as_deref(), &error.recommendations[..]), (Some("text more"), &["do this".to_owned()][..]));
}

#[test]
fn a_filter_asks_for_machines_only_and_writes_times_by_twelve_hours() {
    let time = |text: &str| text.parse().unwrap();
    for (moment, written) in [
        ("2026-01-02T00:03:04Z", "2026-01-02 12:03:04 AM"),
        ("2026-01-02T12:00:00Z", "2026-01-02 12:00:00 PM"),
        ("2026-01-02T13:03:04.9Z", "2026-01-02 01:03:04 PM"),
    ] {
        assert_eq!(filter_time(time(moment)), written);
    }
    let between = Some((time("2026-01-02T00:00:00Z"), time("2026-01-03T00:00:00Z")));
    let all = JobFilter { operation: Some("Backup"), status: Some("InProgress"), between };
    assert_eq!(
        all.text(),
        "startTime eq '2026-01-02 12:00:00 AM' and endTime eq '2026-01-03 12:00:00 AM' and operation eq 'Backup' and \
         backupManagementType eq 'AzureIaasVM' and status eq 'InProgress'"
    );
    assert_eq!(JobFilter::default().text(), "backupManagementType eq 'AzureIaasVM'");
    let odd = JobFilter { status: Some("' or '1"), ..JobFilter::default() };
    assert!(odd.text().ends_with("status eq ''' or ''1'"), "{}", odd.text());
}

//! What is believed about what tells of a region's health: alerts, and events about resources' health.
//!
//! It never decides anything.

use super::{
    Entry,
    Grade::{Assumed, Documented},
    entry,
};

/// The entries.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "alert-schema",
        Documented,
        "an alert is `{schemaId, data: {essentials, alertContext}}`; its sender is `monitoringService`, written in several ways",
        "Learn, common alert schema, and its sample payloads",
    ),
    entry(
        "alert-stage",
        Documented,
        "each communication of an incident is an alert that says `Fired`; its state is `stage`, of a resolved one too",
        "Learn, sample payloads: the test of Service Health is `Fired` and `Resolved`",
    ),
    entry(
        "alert-services",
        Documented,
        "`impactedServices` is a text that holds JSON, or JSON itself",
        "Learn, activity log schema and sample payloads, which differ",
    ),
    entry(
        "alert-test-mark",
        Documented,
        "the test of a Service Health action group says `IsSynthetic` \"True\" and a tracking id that begins with `TEST-`; other tests have no mark",
        "Learn, sample payloads for test actions",
    ),
    entry(
        "alert-level-numbers",
        Assumed,
        "a level of 4 is informational, which makes nothing unavailable",
        "numbers are in the samples without their meaning; read so, such an incident makes no evidence",
    ),
    entry(
        "alert-one-id",
        Assumed,
        "`Fired` and `Resolved` of one metric or log alert carry one `alertId`",
        "no source shows a pair; an alert whose end is not known again ends by silence, which is no recovery",
    ),
    entry(
        "region-display-name",
        Assumed,
        "a region's display name without blanks and capitals is no other region's name",
        "so for all names of the locations list in hand; a name that is in no list is no region",
    ),
    entry(
        "health-services",
        Assumed,
        "the services that machines rest on are those named in the code, by these names",
        "no source lists the names; one that is missing costs evidence and makes none",
    ),
    entry(
        "signal-since",
        Assumed,
        "a beginning that a sender gives is right only within the day before it says so",
        "a wrong early one makes the loss look small; then the time of saying stands",
    ),
    entry(
        "signal-silence",
        Assumed,
        "a word stands for two hours of an incident or a fired rule, half an hour of a machine, five minutes of a probe",
        "incidents' own texts promise updates within the hour; silence counts neither for a loss nor for recovery",
    ),
    entry(
        "health-event-cause",
        Documented,
        "`AvailabilityStatusChanged` does not say who did it; `ResourceAnnotated` says `context` and `category`",
        "Learn, HealthResources events, and annotations of machines",
    ),
    entry(
        "health-event-halves",
        Assumed,
        "an annotation within a quarter of an hour of a machine's becoming unavailable tells its cause",
        "no source ties them; the next reading of Resource Health has both",
    ),
];

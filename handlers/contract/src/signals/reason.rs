//! Why a payload does not count, or could not be read: each reason a value.
//! It never decides which; the readers do.

/// Why something that was understood does not count. [`NotCounted::rule`] names the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NotCounted {
    /// `IsSynthetic`, or a tracking id that begins with `TEST-`.
    #[error("it is a test")]
    Test,
    /// Planned work of Azure's.
    #[error("it is maintenance")]
    Maintenance,
    /// What is told after an incident.
    #[error("it tells the cause of an incident that is over")]
    Rca,
    /// Security.
    #[error("it is about security")]
    Security,
    /// Something is asked of the subscriber.
    #[error("it asks for an action, and is no outage")]
    ActionRequired,
    /// An advisory, or news.
    #[error("it is an advisory")]
    Advisory,
    /// An incident whose level says that nothing is unavailable.
    #[error("its level says that nothing is unavailable")]
    LowLevel,
    /// Somebody did it.
    #[error("a user or the machine itself did it")]
    UserInitiated,
    /// A machine is unavailable and nothing says by whom.
    #[error("its cause is not told")]
    CauseUnknown,
    /// A machine serves, but not as it should.
    #[error("degraded is not unavailable")]
    Degraded,
    /// Azure does not know.
    #[error("Azure does not know how it is")]
    HealthUnknown,
    /// `Global`, or a name that no region has.
    #[error("it names no region that is known")]
    UnknownRegion,
    /// A service that machines do not rest on.
    #[error("it is about a service that machines do not rest on")]
    OtherService,
    /// Neither rule nor resource is named by a recovery plan, and the resource is no machine of the estate.
    #[error("neither its rule nor its resource is known")]
    UnknownTarget,
    /// A resource that is no machine.
    #[error("it is about something that is no machine")]
    NotAMachine,
    /// A backup job.
    #[error("backup failures count for nothing")]
    Backup,
    /// Something somebody did to a resource.
    #[error("it tells what somebody did")]
    Administrative,
    /// An event of another kind.
    #[error("it is no event about health")]
    OtherEvent,
    /// A probe that was not sent says nothing about what it was to ask.
    #[error("the probe was not sent")]
    ProbeNotSent,
    /// Resource Health, or a part of it, did not answer.
    #[error("it was not answered")]
    NotAnswered,
}

impl NotCounted {
    /// The rule by which it does not count (events.md, runbooks.md §1).
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Test => "events.md 2.1 pitfall 11",
            Self::Maintenance => "events.md 2.2 classes; 6 inputs",
            Self::Rca => "events.md 2.2 stages",
            Self::Security | Self::ActionRequired | Self::Advisory => "events.md 2.2 classes",
            Self::LowLevel => "events.md 2.2 level",
            Self::UserInitiated => "events.md 6 ignore; 2.3",
            Self::CauseUnknown => "events.md 6 inputs; 1.2 health",
            Self::Degraded | Self::HealthUnknown => "events.md 2.3",
            Self::UnknownRegion | Self::UnknownTarget => "runbooks.md 1 rule 10",
            Self::OtherService => "events.md 6 inputs",
            Self::NotAMachine => "events.md 1.2 health",
            Self::Backup => "events.md 2.1 pitfall 13",
            Self::Administrative => "events.md 2.4",
            Self::OtherEvent => "events.md 1.2",
            Self::ProbeNotSent | Self::NotAnswered => "events.md 6 rule 4: silence is no evidence",
        }
    }
}

/// Why something could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum RawBecause {
    /// It is no JSON object, or lacks what every payload of its door has.
    #[error("it is not what arrives at this door")]
    NotOfThisDoor,
    /// An alert that is not of the common schema.
    #[error("it is an alert of another schema than the common one")]
    OtherSchema,
    /// Its sender is none that is known.
    #[error("its `monitoringService` is none that is known")]
    UnknownSender,
    /// It is a kind of incident that is not known.
    #[error("its `incidentType` or `eventType` is none that is known")]
    UnknownKind,
    /// Its stage, status or condition is missing or none that is known.
    #[error("its stage or state is missing or none that is known")]
    UnknownState,
    /// It has no name by which it could be told from others.
    #[error("it has no id")]
    NoId,
    /// The services that it concerns could not be read.
    #[error("its `impactedServices` could not be read")]
    UnreadableServices,
    /// It is a form of ours and does not keep to it.
    #[error("it is not of the form of a probe's result")]
    NotAProbe,
}

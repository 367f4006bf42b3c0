//! Examples of what triggers send: ours, in the official shapes, one list for all functions.
//! They never name a real account; the machine is one of the estate that `lifeboat local` simulates.

/// A function of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "PascalCase")]
pub enum Function {
    /// Event Grid: a machine was written.
    VmWritten,
    /// Event Grid: a machine was deleted.
    VmDeleted,
    /// Service Bus: a look at one machine is due.
    Reconcile,
    /// Timer: the estate is to be held against policy.
    PolicySweep,
    /// Timer: points that are due go.
    ExpirySweep,
    /// HTTP: an action group tells of an alert.
    RegionAlert,
    /// Event Grid: the health of resources changed.
    RegionHealthChanged,
    /// Timer: the regions of recovery plans are to be asked after.
    HealthPoll,
    /// Timer: can every recovery plan be executed?
    ReadinessSweep,
    /// Service Bus: evidence is to be evaluated, or a saga goes on.
    SagaWoken,
    /// Service Bus: somebody orders something.
    Command,
    /// HTTP: what is protected.
    Api,
}

impl Function {
    /// The name that the host knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::VmWritten => "VmWritten",
            Self::VmDeleted => "VmDeleted",
            Self::Reconcile => "Reconcile",
            Self::PolicySweep => "PolicySweep",
            Self::ExpirySweep => "ExpirySweep",
            Self::RegionAlert => "RegionAlert",
            Self::RegionHealthChanged => "RegionHealthChanged",
            Self::HealthPoll => "HealthPoll",
            Self::ReadinessSweep => "ReadinessSweep",
            Self::SagaWoken => "SagaWoken",
            Self::Command => "Command",
            Self::Api => "Api",
        }
    }
}

/// One example.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Whom it is for.
    pub function: Function,
    /// Its name.
    pub name: &'static str,
    /// What it stands for.
    pub about: &'static str,
    /// What the trigger brings: an event, the body of a message, the state of a timer, or a request line.
    pub data: &'static str,
}

/// Every example.
pub const EXAMPLES: [Example; 20] = [
    Example {
        function: Function::VmWritten,
        name: "created",
        about: "a machine was created, in Event Grid's own schema",
        data: include_str!("../examples/VmWritten/created.json"),
    },
    Example {
        function: Function::VmWritten,
        name: "created-cloudevents",
        about: "the same as a CloudEvent",
        data: include_str!("../examples/VmWritten/created-cloudevents.json"),
    },
    Example {
        function: Function::VmWritten,
        name: "updated",
        about: "a machine was changed: read again, and nothing made",
        data: include_str!("../examples/VmWritten/updated.json"),
    },
    Example {
        function: Function::VmWritten,
        name: "deleted-ignored",
        about: "a machine was deleted: ignored, with the reason in the log",
        data: include_str!("../examples/VmWritten/deleted-ignored.json"),
    },
    Example {
        function: Function::VmDeleted,
        name: "deleted",
        about: "a machine was deleted, in Event Grid's own schema: read again, and nothing deleted",
        data: include_str!("../examples/VmDeleted/deleted.json"),
    },
    Example {
        function: Function::VmDeleted,
        name: "deleted-cloudevents",
        about: "the same as a CloudEvent",
        data: include_str!("../examples/VmDeleted/deleted-cloudevents.json"),
    },
    Example {
        function: Function::Reconcile,
        name: "look",
        about: "somebody asks for a look at one machine",
        data: include_str!("../examples/Reconcile/look.json"),
    },
    Example {
        function: Function::PolicySweep,
        name: "tick",
        about: "the timer fires as planned",
        data: include_str!("../examples/PolicySweep/tick.json"),
    },
    Example {
        function: Function::PolicySweep,
        name: "past-due",
        about: "the timer makes up for a run that the host slept through (with --direct only)",
        data: include_str!("../examples/PolicySweep/past-due.json"),
    },
    Example {
        function: Function::ExpirySweep,
        name: "hour",
        about: "the timer of expiry fires as planned",
        data: include_str!("../examples/ExpirySweep/hour.json"),
    },
    Example {
        function: Function::RegionAlert,
        name: "incident",
        about: "Service Health tells of an incident in a region",
        data: include_str!("../examples/RegionAlert/incident.json"),
    },
    Example {
        function: Function::RegionAlert,
        name: "test",
        about: "the test of an action group: understood, and counts for nothing",
        data: include_str!("../examples/RegionAlert/test.json"),
    },
    Example {
        function: Function::RegionHealthChanged,
        name: "unavailable",
        about: "a machine became unavailable; who is to blame is not told",
        data: include_str!("../examples/RegionHealthChanged/unavailable.json"),
    },
    Example {
        function: Function::HealthPoll,
        name: "minute",
        about: "the timer of the poll fires as planned",
        data: include_str!("../examples/HealthPoll/minute.json"),
    },
    Example {
        function: Function::ReadinessSweep,
        name: "half-hour",
        about: "the timer of readiness fires as planned",
        data: include_str!("../examples/ReadinessSweep/half-hour.json"),
    },
    Example {
        function: Function::SagaWoken,
        name: "evaluate",
        about: "a region's evidence of one minute is to be evaluated",
        data: include_str!("../examples/SagaWoken/evaluate.json"),
    },
    Example {
        function: Function::SagaWoken,
        name: "step",
        about: "one more look at a recovery plan's saga: of one that it does not have, nothing is done",
        data: include_str!("../examples/SagaWoken/step.json"),
    },
    Example {
        function: Function::Command,
        name: "stop-changes",
        about: "stops all changes: told as lapsed, because an example is old",
        data: include_str!("../../contract/examples/commands/StopChanges.json"),
    },
    Example {
        function: Function::Api,
        name: "status",
        about: "asks how all is",
        data: include_str!("../examples/Api/status.txt"),
    },
    Example {
        function: Function::Api,
        name: "points",
        about: "asks for the points of one machine",
        data: include_str!("../examples/Api/points.txt"),
    },
];

/// An example by its name.
pub fn find(function: Function, name: &str) -> Option<&'static Example> {
    EXAMPLES.iter().find(|example| example.function == function && example.name == name)
}

/// The names for one function, for a message.
pub fn names(function: Function) -> String {
    let names: Vec<&str> = EXAMPLES.iter().filter(|e| e.function == function).map(|e| e.name).collect();
    names.join(", ")
}

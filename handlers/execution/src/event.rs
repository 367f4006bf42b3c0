//! What can wake Lifeboat: one variant for each function, under the function's own noun.
//! It never says what is done about it.

use jiff::Timestamp;
use lifeboat_contract::command::Token;

use crate::orders::Door;
use crate::views::View;

/// What woke us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Event Grid: a machine was written. A hint: it does not say created or updated.
    VmWritten(VmWritten),
    /// Event Grid: a machine was deleted. A hint: it may be there again, or still be there.
    VmDeleted(VmDeleted),
    /// Service Bus: a look at one machine is due. The body is the message as it lay on the queue.
    Reconcile(Vec<u8>),
    /// Timer: hold the estate against policy.
    PolicySweep(PolicySweep),
    /// Timer: let go of the points that are due.
    ExpirySweep(ExpirySweep),
    /// HTTP: an action group tells of an alert. The body as it came.
    RegionAlert(Vec<u8>),
    /// Event Grid: the health of resources changed. The events as they came.
    RegionHealthChanged(Vec<serde_json::Value>),
    /// Timer: ask how the regions of the recovery plans are.
    HealthPoll(HealthPoll),
    /// Timer: look whether every recovery plan can be executed.
    ReadinessSweep(ReadinessSweep),
    /// Service Bus: evidence is to be evaluated, or a saga goes on. The body is the message as it lay on the queue.
    SagaWoken(Vec<u8>),
    /// Service Bus, or `Api`: somebody orders something.
    Command(Command),
    /// HTTP: somebody asks.
    Api(Api),
}

/// An order, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The command: a CloudEvent in structured JSON.
    pub body: Vec<u8>,
    /// Through which door it came.
    pub door: Door,
    /// The access token beside it, where it came with one.
    pub token: Option<Token>,
}

/// A machine was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmWritten {
    /// The event's own id: two deliveries of one event carry the same.
    pub event_id: String,
    /// ARM id of the machine.
    pub machine: String,
}

/// A machine was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmDeleted {
    /// The event's own id: two deliveries of one event carry the same.
    pub event_id: String,
    /// ARM id of the machine.
    pub machine: String,
}

/// The sweep's timer fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicySweep {
    /// It fired later than it should have.
    pub past_due: bool,
    /// When it last ran, by the host's word.
    pub last: Option<Timestamp>,
}

/// The timer of expiry fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpirySweep {
    /// It fired later than it should have.
    pub past_due: bool,
    /// When it last ran, by the host's word.
    pub last: Option<Timestamp>,
}

/// The timer of the poll fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthPoll {
    /// It fired later than it should have.
    pub past_due: bool,
    /// When it last ran, by the host's word.
    pub last: Option<Timestamp>,
}

/// The timer of readiness fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadinessSweep {
    /// It fired later than it should have.
    pub past_due: bool,
    /// When it last ran, by the host's word.
    pub last: Option<Timestamp>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Api {
    /// How this deployment does.
    Status,
    /// The points of one machine, or of all.
    Points {
        /// ARM id of the machine.
        machine: Option<String>,
    },
    /// What a page shows.
    View(View),
    /// Stop all changes.
    Stop {
        /// Why, in a person's words.
        reason: String,
    },
    /// Hold a point: it does not expire until a person with a name lets it go.
    Hold {
        /// ARM id of the restore point or snapshot.
        point: String,
        /// Why, in a person's words.
        reason: String,
    },
}

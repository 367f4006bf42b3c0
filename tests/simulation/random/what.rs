//! What happens to the estate of a seed, and what goes wrong meanwhile.
//! It never plays any of it.

/// What happens to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transition {
    Create,
    Update,
    Delete,
    Recreate,
    Agent,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    EventDropped,
    EventTwice,
    EventLate,
    EventOvertaken,
    Killed,
    KilledBefore,
    KilledAfter,
    KilledWithLease,
    Throttled,
    ThrottledFor,
    Error500,
    ResetBefore,
    ResetAfter,
    PointFails,
    StoreError,
    StoreReset,
    QueueError,
    QueueReset,
    HostLost,
}

/// All of them.
pub const TRANSITIONS: [Transition; 5] =
    [Transition::Create, Transition::Update, Transition::Delete, Transition::Recreate, Transition::Agent];
/// All of them.
pub const TROUBLES: [Trouble; 19] = [
    Trouble::EventDropped,
    Trouble::EventTwice,
    Trouble::EventLate,
    Trouble::EventOvertaken,
    Trouble::Killed,
    Trouble::KilledBefore,
    Trouble::KilledAfter,
    Trouble::KilledWithLease,
    Trouble::Throttled,
    Trouble::ThrottledFor,
    Trouble::Error500,
    Trouble::ResetBefore,
    Trouble::ResetAfter,
    Trouble::PointFails,
    Trouble::StoreError,
    Trouble::StoreReset,
    Trouble::QueueError,
    Trouble::QueueReset,
    Trouble::HostLost,
];

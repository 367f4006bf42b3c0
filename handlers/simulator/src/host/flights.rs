//! What is in flight, by what began it: a stop waits for some kinds, drain and idle look at all.
//! It never holds an invocation up.

use std::sync::Arc;

use tokio::sync::watch;

/// What began an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An HTTP request.
    Http,
    /// A delivery of Event Grid.
    EventGrid,
    /// A timer.
    Timer,
    /// A message.
    ServiceBus,
    /// The admin API.
    Admin,
}

/// How many of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts([usize; 5]);

#[derive(Clone)]
pub(super) struct Flights(Arc<watch::Sender<Counts>>);

/// Counts as long as it lives.
pub(super) struct Flight {
    flights: Flights,
    cause: Cause,
}

impl Counts {
    pub(super) fn of(self, cause: Cause) -> usize {
        self.0[cause as usize]
    }

    pub(super) fn all(self) -> usize {
        self.0.iter().sum()
    }
}

impl Flights {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::channel(Counts::default()).0))
    }

    pub(super) fn begin(&self, cause: Cause) -> Flight {
        self.0.send_modify(|counts| counts.0[cause as usize] += 1);
        Flight { flights: self.clone(), cause }
    }

    pub(super) fn now(&self) -> Counts {
        *self.0.borrow()
    }

    /// Waits until the counts are as wished.
    pub(super) async fn wait(&self, wished: impl Fn(Counts) -> bool) {
        // The sender lives as long as self, so this ends only when the wish is met.
        self.0.subscribe().wait_for(|counts| wished(*counts)).await.ok();
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.0.send_modify(|counts| counts.0[self.cause as usize] -= 1);
    }
}

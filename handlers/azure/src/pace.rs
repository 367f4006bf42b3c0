//! Remembers what Azure asked us to wait for, so that no other call of this process runs into the same refusal.
//!
//! It never delays what Azure did not ask to be delayed, and knows nothing of other processes.

use crate::error::Error;
use azure_core::http::Method;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How many waits are remembered. Each is a few dozen bytes; over it the oldest ends go first.
const MAX_GATES: usize = 4096;

/// What a call spends from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Spends {
    subscription: String,
    class: &'static str,
    operation: &'static str,
    path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Gate {
    /// All reads, writes or deletes of a subscription.
    Subscription(String, &'static str),
    /// One operation in a subscription.
    Operation(String, &'static str),
    /// One operation on one resource.
    Resource(&'static str, String),
}

/// The waits.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<HashMap<Gate, Instant>>);

impl Spends {
    pub fn new(method: Method, operation: &'static str, path: &str) -> Self {
        let path = path.to_lowercase();
        let mut segments = path.split('/').skip_while(|segment| *segment != "subscriptions").skip(1);
        let subscription = segments.next().unwrap_or_default().to_owned();
        let class = match method {
            Method::Delete => "delete",
            Method::Put | Method::Patch => "write",
            // Recorded: a POST that stops a machine spends a write. One to Resource Graph reads.
            Method::Post if !operation.ends_with("/read") => "write",
            _ => "read",
        };
        Self { subscription, class, operation, path }
    }

    fn gates(&self) -> [Gate; 3] {
        [
            Gate::Subscription(self.subscription.clone(), self.class),
            Gate::Operation(self.subscription.clone(), self.operation),
            Gate::Resource(self.operation, self.path.clone()),
        ]
    }
}

impl Pace {
    /// How long this call must still wait.
    pub fn wait(&self, spends: &Spends) -> Option<Duration> {
        let now = Instant::now();
        let gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = spends.gates().iter().filter_map(|gate| gates.get(gate)).max().copied()?;
        (until > now).then(|| until - now)
    }

    /// Notes a refusal that named a time.
    ///
    /// Azure throttles in three layers: ARM's bucket of a subscription, the provider's budget of an operation, and the
    /// budget of one resource. The width is read from the codes: `SubscriptionRequestsThrottled` is ARM's own budget for the subscription, a
    /// target that ends in `Resource` is the machine's or the collection's own, and the rest is the operation's.
    /// *Assumed* for targets: one 429 body is documented, none recorded.
    pub fn note(&self, spends: &Spends, error: &Error) {
        let Some(wait) = error.retry_after() else { return };
        let gate = if error.mentions("SubscriptionRequestsThrottled") {
            Gate::Subscription(spends.subscription.clone(), spends.class)
        } else if error.targets().any(|target| target.contains("Subscription") || target.ends_with("Min")) {
            Gate::Operation(spends.subscription.clone(), spends.operation)
        } else {
            Gate::Resource(spends.operation, spends.path.clone())
        };
        let now = Instant::now();
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= MAX_GATES {
            gates.retain(|_, until| *until > now);
        }
        if gates.len() < MAX_GATES {
            let until = gates.entry(gate).or_insert(now);
            *until = (*until).max(now + wait);
        }
    }
}

//! A stand-in for a Service Bus namespace of the Standard tier: queues with peek-lock, schedule, duplicate detection,
//! TTL and dead letters, over REST and inside the process.
//! It never draws lots (tokens and numbers are counted) and never reads another clock than the simulator's.

mod errors;
mod faults;
mod message;
mod properties;
mod queue;
mod rest;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::azure::blobs::TokenCheck;
use crate::azure::blobs::wire::guid;
use crate::clock::Clock;

pub use self::errors::BusError;
pub use self::faults::{BusFault, BusFaultEffect};
pub use self::message::{DeadLetter, DeadLetterReason, Locked, Message};
pub use self::queue::{Counts, QueueOptions};

use self::queue::Queue;

/// Marks tracking ids of refusals.
const TRACKING_IDS: u32 = 0x5eb0_0003;

/// A namespace. Clones show the same queues.
#[derive(Clone)]
pub struct Bus {
    clock: Clock,
    token_check: Option<TokenCheck>,
    queues: Arc<Mutex<BTreeMap<String, Queue>>>,
    faults: Arc<Mutex<Vec<BusFault>>>,
    /// Wakes receivers when a message may have become visible.
    changed: Arc<Notify>,
    tracking_ids: Arc<AtomicU64>,
}

impl Bus {
    /// A namespace with these queues, empty. Any bearer token is good until [`Bus::with_token_check`].
    pub fn new(clock: Clock, queues: Vec<QueueOptions>) -> Self {
        let placed = (1_u32..).zip(queues);
        let queues = placed.map(|(place, options)| (options.name.clone(), Queue::new(options, place))).collect();
        Self {
            clock,
            token_check: None,
            queues: Arc::new(Mutex::new(queues)),
            faults: Arc::default(),
            changed: Arc::default(),
            tracking_ids: Arc::default(),
        }
    }

    /// Answers 401 to every REST request whose token does not pass.
    pub fn with_token_check(mut self, check: TokenCheck) -> Self {
        self.token_check = Some(check);
        self
    }

    /// The REST data plane, for a listener or for calls inside the process.
    pub fn router(&self) -> Router {
        Router::new().fallback(rest::serve).with_state(self.clone())
    }

    /// Sends a message past token check and faults.
    pub fn send(&self, queue: &str, message: Message) -> Result<(), BusError> {
        let outcome = self.with(queue, |queue, now| queue.accept(message, now))?;
        self.changed.notify_waiters();
        outcome
    }

    /// Waits until a message is visible and locks it. Dropping the future loses nothing. For a queue that does not
    /// exist it never ends.
    pub async fn receive(&self, queue: &str) -> Locked {
        loop {
            // Made before the look: from then on it hears of changes, so none between look and wait is missed.
            let changed = self.changed.notified();
            let next = match self.with(queue, |queue, now| (queue.take(now), queue.next_visible())) {
                Ok((Some(locked), _)) => return locked,
                Ok((None, next)) => next,
                Err(error) => {
                    tracing::warn!(queue, %error, "nothing will ever be received");
                    None
                }
            };
            match next {
                Some(at) => tokio::select! {
                    () = changed => {}
                    () = self.clock.sleep_until(at) => {}
                },
                None => changed.await,
            }
        }
    }

    /// Locks a message if one is visible.
    pub fn try_receive(&self, queue: &str) -> Result<Option<Locked>, BusError> {
        self.with(queue, Queue::take)
    }

    /// The message is done. Fails when the lock is lost.
    pub fn complete(&self, lock_token: &str) -> Result<(), BusError> {
        self.on_lock(|queue, now| queue.complete(lock_token, now))
    }

    /// The message is delivered again at once, or is dead after its last delivery. Fails when the lock is lost.
    pub fn abandon(&self, lock_token: &str) -> Result<(), BusError> {
        let outcome = self.on_lock(|queue, now| queue.abandon(lock_token, now));
        self.changed.notify_waiters();
        outcome
    }

    /// Holds the lock for another lock duration; answers its new end. Fails when the lock is lost.
    pub fn renew(&self, lock_token: &str) -> Result<Timestamp, BusError> {
        self.on_lock(|queue, now| queue.renew(lock_token, now))
    }

    /// The dead-letter queue of a queue, oldest first; empty for a queue that does not exist.
    pub fn dead_letters(&self, queue: &str) -> Vec<DeadLetter> {
        self.with(queue, Queue::dead_letters).unwrap_or_default()
    }

    /// Sends all dead letters of a queue again, each under a new MessageId; says how many.
    pub fn resubmit(&self, queue: &str) -> usize {
        let count = self.with(queue, Queue::resubmit).unwrap_or_default();
        self.changed.notify_waiters();
        count
    }

    /// What waits in a queue: visible messages in order, then scheduled ones by time.
    pub fn waiting(&self, queue: &str) -> Vec<Message> {
        self.with(queue, Queue::waiting).unwrap_or_default()
    }

    /// How many messages are where; zeros for a queue that does not exist.
    pub fn counts(&self, queue: &str) -> Counts {
        self.with(queue, Queue::counts).unwrap_or_default()
    }

    /// When something becomes visible by itself; for a driver that jumps the clock from event to event.
    pub fn next_visible(&self, queue: &str) -> Option<Timestamp> {
        self.with(queue, |queue, _| queue.next_visible()).ok().flatten()
    }

    /// The first message that waits for its time is visible now; answers how long it would have waited, none where none waits.
    pub fn bring_forward(&self, queue: &str) -> Option<SignedDuration> {
        let waited = self.with(queue, |queue, now| queue.bring_forward(now)).ok().flatten();
        self.changed.notify_waiters();
        waited
    }

    /// Lets waiting receivers look again: needed after [`Clock::jump`], which tokio's timers do not notice.
    pub fn clock_jumped(&self) {
        self.changed.notify_waiters();
    }

    /// Orders a fault. Of several that match a send the first ordered one strikes.
    pub fn fault(&self, fault: BusFault) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// The next `sends` REST sends to `queue` are answered 201 and forgotten.
    pub fn drop_next(&self, queue: &str, sends: u32) {
        self.fault(BusFault::new(BusFaultEffect::Drop).on_queue(queue).times(sends));
    }

    /// Takes back all faults that have not struck.
    pub fn clear_faults(&self) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn accepts(&self, token: Option<&str>) -> bool {
        self.token_check.as_ref().map_or(token.is_some(), |check| check(token))
    }

    fn strike(&self, queue: &str) -> Option<BusFaultEffect> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let effect = faults.iter_mut().find_map(|fault| fault.strikes(queue));
        faults.retain(|fault| !fault.is_spent());
        effect
    }

    fn check(&self, queue: &str, message: &Message) -> Result<(), BusError> {
        self.with(queue, |queue, _| queue.check(message))?
    }

    fn complete_in(&self, queue: &str, lock_token: &str) -> Result<(), BusError> {
        self.with(queue, |queue, now| queue.complete(lock_token, now))?
    }

    fn abandon_in(&self, queue: &str, lock_token: &str) -> Result<(), BusError> {
        let outcome = self.with(queue, |queue, now| queue.abandon(lock_token, now))?;
        self.changed.notify_waiters();
        outcome
    }

    fn renew_in(&self, queue: &str, lock_token: &str) -> Result<Timestamp, BusError> {
        self.with(queue, |queue, now| queue.renew(lock_token, now))?
    }

    fn new_tracking_id(&self) -> String {
        guid(TRACKING_IDS, self.tracking_ids.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn with<T>(&self, queue: &str, act: impl FnOnce(&mut Queue, Timestamp) -> T) -> Result<T, BusError> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.get_mut(queue).ok_or(BusError::NoSuchQueue)?;
        Ok(act(queue, self.clock.now()))
    }

    /// Tokens of locks differ between queues, so at most one queue knows the token.
    fn on_lock<T>(&self, act: impl Fn(&mut Queue, Timestamp) -> Result<T, BusError>) -> Result<T, BusError> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        queues.values_mut().find_map(|queue| act(queue, now).ok()).ok_or(BusError::LockLost)
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").finish_non_exhaustive()
    }
}

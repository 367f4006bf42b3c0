//! One queue: what is visible, scheduled, locked and dead at a given moment.
//! It never reads a clock, never waits and never loses a message but by TTL, by detection of a duplicate or on order.
//!
//! ```text
//! accept ─┬─ duplicate ► dropped
//!         ├─ later ► scheduled ── its time ──┐
//!         └─────────────────────────────► active ── TTL ► dropped or dead
//!                                        ▲    │ take
//!            abandon, lock runs out      │    ▼
//!            (deliveries < limit) ───────┴─ locked ── complete ► gone
//!            (deliveries = limit) ► dead ◄────┘
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::errors::BusError;
use super::message::{DeadLetter, DeadLetterReason, Locked, Message, Stored, later};
use crate::azure::blobs::wire::guid;

/// Longest MessageId, in characters, from the quotas of Service Bus.
const MESSAGE_ID_CHARACTERS: usize = 128;
/// Longest lock, from the reference of queues.
const LOCK_LONGEST: Duration = Duration::from_secs(5 * 60);
/// Marks ids of messages that the broker names; the queue's place in the namespace is added.
const MESSAGE_IDS: u32 = 0x5eb1_0000;
/// Marks tokens of locks; the queue's place in the namespace is added.
const LOCK_TOKENS: u32 = 0x5eb2_0000;

/// How a queue behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueOptions {
    /// Its name; may have slashes.
    pub name: String,
    /// How long a receiver holds a message; more than five minutes counts as five.
    pub lock_duration: Duration,
    /// Deliveries before a message goes to the dead-letter queue.
    pub max_delivery_count: u32,
    /// How long MessageIds are remembered; `None` switches detection off.
    pub duplicate_window: Option<Duration>,
    /// TTL of messages that bring none, and the upper limit of those that do; `None` means no end.
    pub default_time_to_live: Option<Duration>,
    /// Whether expired messages go to the dead-letter queue.
    pub dead_letter_on_expiration: bool,
    /// Largest message in bytes, properties included.
    pub max_message_bytes: usize,
}

/// How many messages are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Visible.
    pub active: usize,
    /// Not yet visible.
    pub scheduled: usize,
    /// Held by a receiver.
    pub locked: usize,
    /// In the dead-letter queue.
    pub dead: usize,
    /// Duplicates that were accepted and dropped so far.
    pub duplicates: u64,
    /// Completed so far, destructive reads included.
    pub completed: u64,
    /// Expired and dropped so far.
    pub expired: u64,
}

/// The queue itself.
#[derive(Debug)]
pub(super) struct Queue {
    options: QueueOptions,
    /// Place in the namespace, so that no two queues give the same token.
    place: u32,
    active: BTreeMap<u64, Stored>,
    scheduled: BTreeMap<(Timestamp, u64), Stored>,
    locked: BTreeMap<String, (Timestamp, Stored)>,
    dead: Vec<DeadLetter>,
    seen: BTreeMap<String, Timestamp>,
    last_sequence_number: u64,
    last_message_id: u64,
    last_lock: u64,
    duplicates: u64,
    completed: u64,
    expired: u64,
}

impl QueueOptions {
    /// A queue of the Standard tier: locks of a minute, ten deliveries, 256 KB, duplicates found for a day.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            lock_duration: Duration::from_secs(60),
            max_delivery_count: 10,
            duplicate_window: Some(Duration::from_secs(24 * 60 * 60)),
            default_time_to_live: None,
            dead_letter_on_expiration: false,
            max_message_bytes: 256 * 1024,
        }
    }
}

impl Queue {
    pub(super) fn new(options: QueueOptions, place: u32) -> Self {
        Self {
            options,
            place,
            active: BTreeMap::new(),
            scheduled: BTreeMap::new(),
            locked: BTreeMap::new(),
            dead: Vec::new(),
            seen: BTreeMap::new(),
            last_sequence_number: 0,
            last_message_id: 0,
            last_lock: 0,
            duplicates: 0,
            completed: 0,
            expired: 0,
        }
    }

    /// Takes a message in; a duplicate is dropped without a word.
    pub(super) fn accept(&mut self, message: Message, now: Timestamp) -> Result<(), BusError> {
        self.check(&message)?;
        self.settle(now);
        if let (Some(id), Some(window)) = (&message.message_id, self.options.duplicate_window) {
            self.seen.retain(|_, accepted| later(*accepted, window) > now);
            if self.seen.contains_key(id) {
                self.duplicates += 1;
                return Ok(());
            }
            self.seen.insert(id.clone(), now);
        }
        self.keep(message, now);
        Ok(())
    }

    /// Whether the queue would take the message at all.
    pub(super) fn check(&self, message: &Message) -> Result<(), BusError> {
        if message.message_id.as_ref().is_some_and(|id| id.is_empty() || id.chars().count() > MESSAGE_ID_CHARACTERS) {
            return Err(BusError::BadMessageId);
        }
        if message.size() > self.options.max_message_bytes {
            return Err(BusError::MessageTooLarge);
        }
        Ok(())
    }

    /// Locks the first visible message.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<Locked> {
        self.settle(now);
        let (_, mut stored) = self.active.pop_first()?;
        stored.deliveries += 1;
        self.last_lock += 1;
        let lock_token = guid(LOCK_TOKENS.wrapping_add(self.place), self.last_lock);
        let locked_until = later(now, self.options.lock_duration.min(LOCK_LONGEST));
        let locked = Locked {
            queue: self.options.name.clone(),
            lock_token: lock_token.clone(),
            locked_until,
            delivery_count: stored.deliveries,
            sequence_number: stored.sequence_number,
            enqueued_sequence_number: stored.enqueued_sequence_number,
            enqueued_time: stored.enqueued_time,
            expires_at: stored.expires_at,
            message_id: stored.message_id.clone(),
            message: stored.message.clone(),
        };
        self.locked.insert(lock_token, (locked_until, stored));
        Some(locked)
    }

    /// The message is done.
    pub(super) fn complete(&mut self, lock_token: &str, now: Timestamp) -> Result<(), BusError> {
        self.settle(now);
        self.locked.remove(lock_token).ok_or(BusError::LockLost)?;
        self.completed += 1;
        Ok(())
    }

    /// The message goes back to its place at once, or to the dead-letter queue.
    pub(super) fn abandon(&mut self, lock_token: &str, now: Timestamp) -> Result<(), BusError> {
        self.settle(now);
        let (_, stored) = self.locked.remove(lock_token).ok_or(BusError::LockLost)?;
        self.put_back(stored, now);
        Ok(())
    }

    /// Starts the lock's time again.
    pub(super) fn renew(&mut self, lock_token: &str, now: Timestamp) -> Result<Timestamp, BusError> {
        self.settle(now);
        let (until, _) = self.locked.get_mut(lock_token).ok_or(BusError::LockLost)?;
        *until = later(now, self.options.lock_duration.min(LOCK_LONGEST));
        Ok(*until)
    }

    /// Sends every dead letter again. A new send meets duplicate detection, so each gets a new MessageId.
    pub(super) fn resubmit(&mut self, now: Timestamp) -> usize {
        self.settle(now);
        let dead = std::mem::take(&mut self.dead);
        let count = dead.len();
        for letter in dead {
            self.keep(Message { message_id: None, scheduled_enqueue_time: None, ..letter.message }, now);
        }
        count
    }

    pub(super) fn dead_letters(&mut self, now: Timestamp) -> Vec<DeadLetter> {
        self.settle(now);
        self.dead.clone()
    }

    /// Visible messages, in order.
    pub(super) fn waiting(&mut self, now: Timestamp) -> Vec<Message> {
        self.settle(now);
        let scheduled = self.scheduled.values();
        self.active.values().chain(scheduled).map(|stored| stored.message.clone()).collect()
    }

    pub(super) fn counts(&mut self, now: Timestamp) -> Counts {
        self.settle(now);
        Counts {
            active: self.active.len(),
            scheduled: self.scheduled.len(),
            locked: self.locked.len(),
            dead: self.dead.len(),
            duplicates: self.duplicates,
            completed: self.completed,
            expired: self.expired,
        }
    }

    /// When something becomes visible by itself: a scheduled message or one whose lock runs out.
    pub(super) fn next_visible(&self) -> Option<Timestamp> {
        let scheduled = self.scheduled.keys().next().map(|(at, _)| *at);
        let unlocked = self.locked.values().map(|(until, _)| *until).min();
        scheduled.into_iter().chain(unlocked).min()
    }

    /// Makes the first scheduled message visible; answers how long it would have waited.
    pub(super) fn bring_forward(&mut self, now: Timestamp) -> Option<SignedDuration> {
        let ((at, _), stored) = self.scheduled.pop_first()?;
        self.activate(stored, now);
        Some(at.duration_since(now))
    }

    /// Lets time pass up to `now`, event by event in the order of their times.
    fn settle(&mut self, now: Timestamp) {
        while let Some(at) = self.next_visible().filter(|at| *at <= now) {
            let due = self.scheduled.first_key_value().is_some_and(|((time, _), _)| *time == at);
            if let Some((_, stored)) = due.then(|| self.scheduled.pop_first()).flatten() {
                self.activate(stored, at);
            }
            let lost: Vec<String> =
                self.locked.iter().filter(|(_, (until, _))| *until == at).map(|(token, _)| token.clone()).collect();
            for token in lost {
                if let Some((_, stored)) = self.locked.remove(&token) {
                    self.put_back(stored, at);
                }
            }
        }
        self.expire(now);
    }

    /// A locked message does not expire while it is held.
    fn expire(&mut self, now: Timestamp) {
        let over = |stored: &Stored| stored.expires_at.is_some_and(|at| at <= now);
        let numbers: Vec<u64> =
            self.active.iter().filter(|(_, stored)| over(stored)).map(|(number, _)| *number).collect();
        for number in numbers {
            let Some(stored) = self.active.remove(&number) else { continue };
            let at = stored.expires_at.unwrap_or(now);
            if self.options.dead_letter_on_expiration {
                self.dead.push(stored.into_dead(DeadLetterReason::TtlExpired, at));
            } else {
                self.expired += 1;
            }
        }
    }

    fn keep(&mut self, message: Message, now: Timestamp) {
        let sequence_number = self.next_sequence_number();
        let message_id = message.message_id.clone().unwrap_or_else(|| {
            self.last_message_id += 1;
            guid(MESSAGE_IDS.wrapping_add(self.place), self.last_message_id)
        });
        let scheduled = message.scheduled_enqueue_time.filter(|at| *at > now);
        let stored = Stored {
            message,
            message_id,
            sequence_number,
            enqueued_sequence_number: sequence_number,
            enqueued_time: now,
            expires_at: None,
            deliveries: 0,
        };
        match scheduled {
            Some(at) => {
                self.scheduled.insert((at, sequence_number), stored);
            }
            None => self.show(stored, now),
        }
    }

    /// A scheduled message joins the queue as if it were sent now: it gets a new sequence number.
    fn activate(&mut self, mut stored: Stored, at: Timestamp) {
        stored.sequence_number = self.next_sequence_number();
        self.show(stored, at);
    }

    fn show(&mut self, mut stored: Stored, at: Timestamp) {
        let ttl = match (stored.message.time_to_live, self.options.default_time_to_live) {
            (Some(own), Some(limit)) => Some(own.min(limit)),
            (own, limit) => own.or(limit),
        };
        stored.enqueued_time = at;
        stored.expires_at = ttl.map(|ttl| later(at, ttl));
        self.active.insert(stored.sequence_number, stored);
    }

    fn put_back(&mut self, stored: Stored, at: Timestamp) {
        if stored.deliveries >= self.options.max_delivery_count {
            self.dead.push(stored.into_dead(DeadLetterReason::MaxDeliveryCountExceeded, at));
        } else {
            self.active.insert(stored.sequence_number, stored);
        }
    }

    fn next_sequence_number(&mut self) -> u64 {
        self.last_sequence_number += 1;
        self.last_sequence_number
    }
}

//! Faults on order: which sends to the broker go wrong, how, and how often.
//! It never breaks a receive or a settlement, and never draws lots.

/// What goes wrong with a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusFaultEffect {
    /// 503 with ServerBusy; nothing is enqueued.
    ServerBusy,
    /// 429; nothing is enqueued.
    TooManyRequests,
    /// No answer ever comes; nothing is enqueued.
    Hang,
    /// The connection breaks; nothing is enqueued.
    ResetBefore,
    /// The message is enqueued, then the connection breaks.
    ResetAfter,
    /// Answered 201 and forgotten, without a trace in duplicate detection.
    Drop,
}

/// An order: the next sends that match go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusFault {
    queue: Option<String>,
    passed: u32,
    times: Option<u32>,
    effect: BusFaultEffect,
}

impl BusFault {
    /// The next send to any queue goes wrong, once.
    pub fn new(effect: BusFaultEffect) -> Self {
        Self { queue: None, passed: 0, times: Some(1), effect }
    }

    /// Only sends to this queue.
    pub fn on_queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// Lets this many matching sends pass first.
    pub fn after(mut self, sends: u32) -> Self {
        self.passed = sends;
        self
    }

    /// How many matching sends go wrong.
    pub fn times(mut self, sends: u32) -> Self {
        self.times = Some(sends);
        self
    }

    /// Every matching send goes wrong until [`super::Bus::clear_faults`].
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// Counts the send and says whether it goes wrong.
    pub(super) fn strikes(&mut self, queue: &str) -> Option<BusFaultEffect> {
        if self.queue.as_deref().is_some_and(|own| own != queue) || self.is_spent() {
            return None;
        }
        if self.passed > 0 {
            self.passed -= 1;
            return None;
        }
        self.times = self.times.map(|left| left.saturating_sub(1));
        Some(self.effect)
    }

    /// Whether it will never strike again.
    pub(super) fn is_spent(&self) -> bool {
        self.times == Some(0)
    }
}

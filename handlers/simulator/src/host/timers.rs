//! Timer triggers: when they are due, what they tell the function, what they remember.
//! A timer never overlaps with itself, and never makes up for more than one missed run.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::core::{Core, lock};
use super::dates;
use super::definitions::{Function, Trigger};
use super::encoder::{Metadata, Value};
use super::flights::Cause;
use super::invoke::{Call, Input, Payload};
use super::json::Json;
use super::logs::LogLevel;
use super::schedule::Schedule;
use super::timer_status::TimerStatus;

/// Pauses between tries to start a listener, in seconds, as recorded; *assumed*: later ones are two minutes.
const RECOVERY: [f64; 5] = [2.05, 3.9, 5.4, 8.4, 17.05];
const RECOVERY_LONGEST: Duration = Duration::from_secs(120);

/// A timer while its listener runs.
struct Timer {
    function: Function,
    binding: String,
    schedule: Schedule,
    /// `None` without a monitor.
    status: Option<TimerStatus>,
    last_fired: Timestamp,
}

impl Core {
    /// Fires a timer until the listener is stopped.
    pub(super) async fn run_timer(self: Arc<Self>, function: Function) {
        let Ok(Trigger::Timer { binding, schedule, monitor, at_start }) = function.trigger.clone() else { return };
        let now = self.options.clock.now();
        let monitored = monitor && schedule.can_be_monitored(now);
        if monitored && !self.options.has_storage() {
            return self.cannot_listen(&function.name).await;
        }
        let mut timer = Timer { function, binding, schedule, status: None, last_fired: now };
        let mut past_due = false;
        if monitored {
            let Some((status, missed)) = self.status_at_start(&timer, now) else { return };
            (timer.status, past_due) = (Some(status), missed);
        }
        if past_due || at_start {
            timer = self.run_once(timer, now, past_due, true).await;
        }
        loop {
            let name = timer.function.name.clone();
            let due = match timer.status {
                Some(status) => Some(status.next),
                None => timer.schedule.next(timer.last_fired),
            };
            let Some(due) = due else { return };
            lock(&self.timers).due.insert(name.clone(), due);
            let asked_for = self.wait_until_due(&name, due).await;
            if let Some(until) = self.held_beyond(due).filter(|_| !asked_for) {
                // A moment before, so that an occurrence at that very time fires.
                timer.last_fired = until.checked_sub(SignedDuration::from_secs(1)).unwrap_or(due).max(due);
                let after = timer.schedule.next(timer.last_fired);
                timer.status = timer.status.and_then(|status| Some(TimerStatus { next: after?, ..status }));
                continue;
            }
            if !asked_for && self.is_skipped(&name) {
                timer.last_fired = due;
                let after = timer.schedule.next(due);
                timer.status = timer.status.and_then(|status| Some(TimerStatus { next: after?, ..status }));
                continue;
            }
            timer = self.run_once(timer, self.options.clock.now(), false, asked_for).await;
        }
    }

    /// What a function learns from a timer that an admin fires: the stored status, which stays as it is.
    pub(super) fn admin_timer_value(&self, function: &str, schedule: &Schedule, monitor: bool) -> Value {
        let monitored = monitor && schedule.can_be_monitored(self.options.clock.now());
        let status = monitored.then(|| self.options.timer_status.get(function)).flatten();
        timer_value(schedule, status, false)
    }

    fn status_at_start(&self, timer: &Timer, now: Timestamp) -> Option<(TimerStatus, bool)> {
        let (store, name) = (&self.options.timer_status, &timer.function.name);
        let Some(known) = store.get(name) else {
            let next = timer.schedule.next(now)?;
            // The stored status says when it was written; the one in memory does not, as recorded.
            store.set(name, TimerStatus { last: None, next, last_updated: Some(now) });
            return Some((TimerStatus { last: None, next, last_updated: None }, false));
        };
        let next = timer.schedule.next(known.last.or(known.last_updated)?)?;
        Some((TimerStatus { next, ..known }, now > next))
    }

    /// `true` when control asked for the run. A jump of the clock is noticed when `timers_changed` is told.
    async fn wait_until_due(&self, name: &str, due: Timestamp) -> bool {
        loop {
            let changed = self.timers_changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if lock(&self.timers).fire.remove(name) {
                return true;
            }
            if self.options.clock.now() >= due || self.held_beyond(due).is_some() {
                return false;
            }
            tokio::select! {
                () = self.options.clock.sleep_until(due) => {}
                () = changed => {}
            }
        }
    }

    /// Until when timers are held, where an occurrence lies before that.
    fn held_beyond(&self, due: Timestamp) -> Option<Timestamp> {
        lock(&self.timers).held_until.filter(|until| due < *until)
    }

    fn is_skipped(&self, name: &str) -> bool {
        let mut timers = lock(&self.timers);
        match timers.skip.get_mut(name) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    /// Runs in a task of its own, because an invocation outlives its listener.
    async fn run_once(self: &Arc<Self>, mut timer: Timer, at: Timestamp, past_due: bool, early: bool) -> Timer {
        let (done, finished) = tokio::sync::oneshot::channel();
        let core = self.clone();
        let before = (timer.last_fired, timer.status);
        let call = Call {
            function: timer.function.name.clone(),
            cause: Cause::Timer,
            retry: timer.function.retry,
            caller: None,
            input: Input::Payload(Payload {
                binding: timer.binding.clone(),
                value: timer_value(&timer.schedule, timer.status, past_due),
                metadata: Metadata::default(),
                polluting: None,
            }),
        };
        let (name, schedule) = (timer.function.name.clone(), timer.schedule.clone());
        self.spawn(async move {
            // The outcome is logged; a failed run is not made up for.
            core.invoke(call).await.ok();
            let (_, status) = before;
            // A timer that fires a moment early ran at its due time.
            let ran = status.filter(|status| !early && !past_due && status.next > at).map_or(at, |status| status.next);
            let after = status.and_then(|_| schedule.next(ran));
            let after = after.map(|next| TimerStatus { last: Some(ran), next, last_updated: Some(ran) });
            if let Some(status) = after {
                core.options.timer_status.set(&name, status);
            }
            // The listener may have been stopped meanwhile.
            done.send((ran, after)).ok();
        });
        // Without an answer the host has ended, and this listener with it.
        (timer.last_fired, timer.status) = finished.await.unwrap_or(before);
        timer
    }

    async fn cannot_listen(&self, name: &str) {
        let mut pauses = RECOVERY.into_iter().map(Duration::from_secs_f64);
        loop {
            let text = format!("The listener for function 'Functions.{name}' was unable to start.");
            let cause = "System.InvalidOperationException: Could not create BlobContainerClient for ScheduleMonitor";
            self.logs.write(
                LogLevel::Error,
                "Host.Startup",
                format!(
                    "{text}\nMicrosoft.Azure.WebJobs.Host.Listeners.FunctionListenerException: {text}\n ---> {cause}"
                ),
            );
            tokio::time::sleep(pauses.next().unwrap_or(RECOVERY_LONGEST)).await;
        }
    }
}

fn timer_value(schedule: &Schedule, status: Option<TimerStatus>, past_due: bool) -> Value {
    let moment = |at: Option<Timestamp>| {
        let text = at.map_or("0001-01-01T00:00:00".to_owned(), dates::precise);
        Json::Text(format!("{text}+00:00"))
    };
    let status = status.map_or(Json::Null, |status| {
        Json::object([
            ("Last", moment(status.last)),
            ("Next", moment(Some(status.next))),
            ("LastUpdated", moment(status.last_updated)),
        ])
    });
    Value::Object(Json::object([
        ("Schedule", Json::object([("AdjustForDST", Json::Bool(schedule.adjusts_for_dst()))])),
        ("ScheduleStatus", status),
        ("IsPastDue", Json::Bool(past_due)),
    ]))
}

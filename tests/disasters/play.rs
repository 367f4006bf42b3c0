//! Plays time: timers fire, messages are delivered to one of two controllers, and what was killed or could not be done comes again.
//! It never decides what happens to the world (`script` does) or what people do (`people` does).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lifeboat_contract::sagas::QUEUE as SAGAS;
use lifeboat_execution::orders::Door;
use lifeboat_execution::{Answer, Command, Event, ExpirySweep, HealthPoll, PolicySweep, ReadinessSweep};
use lifeboat_simulator::bus::Locked;
use lifeboat_tests::rig::QUEUE;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::alerts::Arrival;
use crate::cases::Place;
use crate::dice::Dice;
use crate::model::history::{Order, What};
use crate::world::{Came, Controller, World};

/// The queue of people's orders.
pub const COMMANDS: &str = "commands";
/// From one poll to the next while something is at stake, while nothing is, and while the workload serves from the other region: an hour of
/// quiet polls finds nothing.
const POLL_SECS: (i64, i64, i64) = (60, 240, 600);
/// From one policy sweep to the next, and while nothing has gone wrong, so that it has nothing to tell and nobody to wake.
const SWEEP_SECS: (i64, i64) = (300, 1_800);
/// What a kill or a trouble leaves is over after so long.
const UNEASY_SECS: i64 = 1_200;
/// From one look at readiness to the next.
const READY_SECS: i64 = 1_800;
/// From one sweep of expiry to the next; while an incident keeps something that is due; and when that may go: it comes when it comes.
const EXPIRE_SECS: (i64, i64, i64) = (3_600, 900, 120);
/// No wait is longer, so that messages whose lock ran out are met.
const STEP_SECS: i64 = 15;
/// Nor is it where nothing is to happen for hours, and things are looked at as seldom; how often timers fire then.
pub const IDLE_SECS: i64 = 600;
const IDLE_TIMER_SECS: i64 = 3 * 3_600;
/// From one look at Azure to the next, where nothing is known to be due.
const OBSERVE_SECS: i64 = 60;
/// How long a message is kept from the queue that could not be taken care of.
const AGAIN: Duration = Duration::from_secs(20);

/// What an invocation was for.
#[derive(Debug)]
enum Work {
    Timer(Timer),
    /// A sweep of expiry: when it began, and whether an incident was open.
    Expiry(Timestamp, bool),
    Message(Box<Locked>),
    Delivery(Arrival),
}

/// A timer of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Poll,
    Sweep,
    Ready,
    Expire,
}

/// One seed under way.
pub struct Play {
    /// The world.
    pub world: Arc<World>,
    /// The dice.
    pub dice: Dice,
    /// Orders by their ids, as the model is told them whenever they reach a door.
    pub orders: BTreeMap<String, Order>,
    /// Whether what happens is printed.
    pub tells: bool,
    /// One in so many messages is delivered once more although it was taken care of; none where it is 0.
    pub again_one_in: u64,
    /// Which controllers take work: the first alone, or both.
    pub controllers: usize,
    /// Until when something that went wrong with the controllers may have left something to be told, or a saga to be woken.
    pub uneasy_until: Timestamp,
    /// Whether nothing is to happen for hours.
    idle: bool,
    running: JoinSet<(Work, Came)>,
    due: BTreeMap<Timer, Timestamp>,
    under_way: Vec<Timer>,
    observed: Timestamp,
    /// When something happens in Azure by itself.
    in_azure: Option<Timestamp>,
}

impl Play {
    /// In this world, from now on.
    pub fn new(world: Arc<World>, dice: Dice, tells: bool) -> Self {
        let now = world.clock.now();
        let mut due =
            BTreeMap::from([(Timer::Poll, now), (Timer::Sweep, after(now, SWEEP_SECS.0)), (Timer::Ready, now)]);
        if world.shape.keeps {
            due.insert(Timer::Expire, after(now, SWEEP_SECS.0));
        }
        Self {
            world,
            dice,
            orders: BTreeMap::new(),
            tells,
            again_one_in: 0,
            controllers: 1,
            uneasy_until: now,
            idle: false,
            running: JoinSet::new(),
            due,
            under_way: Vec::new(),
            observed: now,
            in_azure: None,
        }
    }

    /// Where the recovery plan stands.
    pub fn place(&self) -> Place {
        self.world.record.seen().place.unwrap_or(Place::Normal)
    }

    /// Prints something, where that is asked for.
    pub fn say(&self, what: impl FnOnce() -> String) {
        if self.tells {
            println!("{} {}", self.world.clock.now(), what());
        }
    }

    /// Lets so much time pass.
    pub async fn pass(&mut self, seconds: i64) {
        let until = after(self.world.clock.now(), seconds);
        loop {
            let now = self.world.clock.now();
            self.fire(now);
            self.receive();
            if now >= until {
                return;
            }
            let next = self.next(now, until);
            let wait = Duration::try_from(next.duration_since(now)).unwrap_or_default().max(Duration::from_millis(1));
            tokio::select! {
                biased;
                Some(done) = self.running.join_next() => self.back(done.expect("an invocation ends")),
                () = tokio::time::sleep_until(Instant::now() + wait) => self.observe(),
            }
        }
    }

    /// Lets what is under way end.
    pub async fn settle(&mut self) {
        while let Some(done) = self.running.join_next().await {
            self.back(done.expect("an invocation ends"));
        }
    }

    fn next(&mut self, now: Timestamp, until: Timestamp) -> Timestamp {
        self.in_azure = self.in_azure.or_else(|| self.world.azure.arm.next_due());
        let timers = self.due.iter().filter(|(timer, _)| !self.under_way.contains(timer)).map(|(_, at)| *at);
        let messages = self.queues().into_iter().filter_map(|queue| self.world.bus.next_visible(queue));
        let azure = self.in_azure.filter(|at| *at > now);
        let step = if self.idle { IDLE_SECS } else { STEP_SECS };
        timers.chain(messages).chain(azure).chain([until, after(now, step)]).min().unwrap_or(until)
    }

    fn observe(&mut self) {
        let now = self.world.clock.now();
        let is_due = now.duration_since(self.observed).as_secs() >= if self.idle { IDLE_SECS } else { OBSERVE_SECS };
        if is_due || self.in_azure.is_some_and(|at| at <= now) {
            (self.observed, self.in_azure) = (now, None);
            self.world.record.observe();
        }
    }

    fn queues(&self) -> Vec<&'static str> {
        let mut queues = vec![COMMANDS, SAGAS];
        queues.extend(self.world.shape.keeps.then_some(QUEUE));
        queues
    }

    fn every(&self, timer: Timer) -> i64 {
        match timer {
            _ if self.idle => IDLE_TIMER_SECS,
            Timer::Poll => {
                let place = self.place();
                let quiet = matches!(place, Place::Normal | Place::FailedOver)
                    || place >= Place::WordToCommit && place != Place::Undo;
                if quiet && self.running.is_empty() { POLL_SECS.1 } else { POLL_SECS.0 }
            }
            Timer::Sweep if self.world.clock.now() < self.uneasy_until => SWEEP_SECS.0,
            Timer::Sweep => SWEEP_SECS.1,
            Timer::Ready => READY_SECS,
            Timer::Expire => {
                let seen = self.world.record.seen();
                match seen.said.is_open() {
                    true if !seen.dues.due.is_empty() => EXPIRE_SECS.1,
                    false if seen.dues.wait() => EXPIRE_SECS.2,
                    _ => EXPIRE_SECS.0,
                }
            }
        }
    }

    /// Fires the timers that are due, each one only when it is not under way.
    fn fire(&mut self, now: Timestamp) {
        let (past_due, last) = (false, None);
        let due: Vec<Timer> = self
            .due
            .iter()
            .filter(|(timer, at)| **at <= now && !self.under_way.contains(timer))
            .map(|(timer, _)| *timer)
            .collect();
        for timer in due {
            self.due.insert(timer, after(now, self.every(timer)));
            self.under_way.push(timer);
            let event = match timer {
                Timer::Poll => Event::HealthPoll(HealthPoll { past_due, last }),
                Timer::Sweep => Event::PolicySweep(PolicySweep { past_due, last }),
                Timer::Ready => Event::ReadinessSweep(ReadinessSweep { past_due, last }),
                Timer::Expire => Event::ExpirySweep(ExpirySweep { past_due, last }),
            };
            let work = match timer {
                Timer::Expire => Work::Expiry(now, self.world.record.seen().said.is_open()),
                _ => Work::Timer(timer),
            };
            self.invoke(work, event);
        }
    }

    /// Something went wrong: sweeps come as often as they do, until what it left is over.
    pub fn is_uneasy(&mut self) {
        let now = self.world.clock.now();
        self.uneasy_until = after(now, UNEASY_SECS);
        let soon = after(now, SWEEP_SECS.0);
        let due = self.due.entry(Timer::Sweep).or_insert(soon);
        *due = (*due).min(soon);
    }

    /// Nothing is to happen for hours, or something is again: timers that rested fire soon.
    pub fn rest(&mut self, idle: bool) {
        let soon = after(self.world.clock.now(), POLL_SECS.0);
        if self.idle && !idle {
            self.due.values_mut().for_each(|at| *at = (*at).min(soon));
        }
        self.idle = idle;
    }

    /// Whether nothing went wrong of late.
    pub fn is_easy(&self) -> bool {
        self.world.clock.now() >= self.uneasy_until
    }

    /// The next poll comes at once: something has happened.
    pub fn poll_soon(&mut self) {
        let at = after(self.world.clock.now(), POLL_SECS.0);
        let due = self.due.entry(Timer::Poll).or_insert(at);
        *due = (*due).min(at);
    }

    /// The next sweep of expiry comes at once: something has fallen due.
    pub fn expire_soon(&mut self) {
        let at = after(self.world.clock.now(), EXPIRE_SECS.2);
        let due = self.due.entry(Timer::Expire).or_insert(at);
        *due = (*due).min(at);
    }

    /// Something is delivered to a door that is not a queue; its sender sends it again until it is taken.
    pub fn deliver(&mut self, arrival: Arrival) {
        for evidence in &arrival.evidence {
            self.world.record.tell(What::Evidence(evidence.clone()));
        }
        let event = arrival.event.clone();
        self.invoke(Work::Delivery(arrival), event);
    }

    fn receive(&mut self) {
        for queue in self.queues() {
            while let Ok(Some(locked)) = self.world.bus.try_receive(queue) {
                let body = locked.message.body.to_vec();
                let event = match queue {
                    SAGAS => Event::SagaWoken(body),
                    COMMANDS => {
                        self.reaches(&body);
                        Event::Command(Command { body, door: Door::Queue, token: None })
                    }
                    _ => Event::Reconcile(body),
                };
                self.invoke(Work::Message(Box::new(locked)), event);
            }
        }
    }

    /// An order reaches a door.
    fn reaches(&self, body: &[u8]) {
        let said: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        if let Some(order) = said["id"].as_str().and_then(|id| self.orders.get(id)) {
            self.say(|| format!("order {order:?}"));
            self.world.record.order(order.clone());
        }
    }

    fn invoke(&mut self, work: Work, event: Event) {
        let at = self.dice.below(self.controllers as u64) as usize;
        let controller: Arc<Controller> = Arc::clone(&self.world.controllers[at]);
        let (record, polls) = (self.world.record.clone(), matches!(event, Event::HealthPoll(_)));
        self.running.spawn(async move {
            let came = controller.handle(event, &record, polls).await;
            if matches!(came, Came::NotDone(_)) {
                tokio::time::sleep(AGAIN).await;
            }
            (work, came)
        });
    }

    /// An invocation has ended.
    fn back(&mut self, (work, came): (Work, Came)) {
        match &came {
            Came::Done(Answer::Done(report)) if self.tells => {
                report.lines.iter().for_each(|line| println!("{}   {line}", self.world.clock.now()));
            }
            Came::Done(Answer::Ordered(told)) => self.say(|| format!("  {told:?}")),
            Came::NotDone(error) => self.say(|| format!("  {work:?} not done: {error}")),
            Came::Killed => self.say(|| "  killed".to_owned()),
            Came::Done(_) => {}
        }
        if matches!(came, Came::Killed | Came::NotDone(_)) {
            self.is_uneasy();
        }
        match (work, came) {
            (Work::Timer(timer), _) => self.under_way.retain(|one| *one != timer),
            (Work::Expiry(began, open), came) => {
                self.under_way.retain(|one| *one != Timer::Expire);
                if matches!(came, Came::Done(_)) {
                    self.world.record.swept(began, open);
                }
            }
            (Work::Message(locked), Came::Done(_)) => {
                let again = self.again_one_in > 0 && self.dice.below(self.again_one_in) == 0;
                let bus = &self.world.bus;
                // Whoever took longer than the lock lasts finds it gone, and the message comes again.
                let _ = if again { bus.abandon(&locked.lock_token) } else { bus.complete(&locked.lock_token) };
            }
            (Work::Message(locked), Came::NotDone(_)) => drop(self.world.bus.abandon(&locked.lock_token)),
            // The host sees that its handler is gone, or is gone itself.
            (Work::Message(locked), Came::Killed) => {
                if self.dice.below(2) == 0 {
                    let _ = self.world.bus.abandon(&locked.lock_token);
                }
            }
            (Work::Delivery(_), Came::Done(_)) => {}
            (Work::Delivery(arrival), Came::NotDone(_) | Came::Killed) => self.deliver(arrival),
        }
    }
}

/// So many seconds later.
pub fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at + SignedDuration::from_secs(seconds)
}

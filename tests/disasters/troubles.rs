//! What goes wrong with the controllers and what they rest on, ordered before a seed is played: kills at a kind of call where the plan
//! stands at a place, a controller that is stopped and goes on much later, ARM, store, queue and topic in trouble. It strikes only where
//! it was ordered, and counts only what struck.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use lifeboat_simulator::azure::blobs::{BlobFault, BlobFaultEffect};
use lifeboat_simulator::azure::{ArmFault, ArmFaultEffect, TopicTrouble};
use lifeboat_simulator::bus::{BusFault, BusFaultEffect};
use lifeboat_tests::failing_over::lock;
use lifeboat_tests::instance::Place as Stop;
use lifeboat_tests::tap::Fate;

use crate::cases::{At, Kill};
use crate::dice::Dice;
use crate::model::history::What;
use crate::play::{Play, after};

/// A request that was let go late must still be answered for before its lease is taken over.
const STOPPED_BEFORE_SENDING_SECS_MAX: i64 = 35;
/// What is told while a controller is stopped.
const STOPPED: &str = "a stopped controller";
/// After so long the operation of a failover fails.
const FAILS_AFTER_SECS: u32 = 90;

/// A controller that is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Right before a request to Azure leaves, or when the store has answered what the next request rests on.
    pub before_sending: bool,
    /// Such requests that pass first.
    pub passing: u64,
    /// For so long.
    pub seconds: i64,
}

impl Pause {
    /// Draws one.
    pub fn drawn(dice: &mut Dice) -> Self {
        let before_sending = dice.percent(40);
        let most = if before_sending { STOPPED_BEFORE_SENDING_SECS_MAX } else { 420 };
        let passing = dice.below(if before_sending { 6 } else { 90 });
        Self { before_sending, passing, seconds: dice.between(5, most) }
    }
}

/// What is in trouble beside the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The topic takes nothing.
    Topic,
    /// A message to the queue is refused.
    Queue,
    /// The store fails some times.
    Store,
    /// The store does, and does not say so.
    StoreSilent,
    /// ARM refuses failovers some times.
    Throttled,
    /// ARM does what was asked, and does not say so.
    ArmSilent,
    /// ARM fails.
    ArmFails,
    /// A failover is accepted, and fails.
    FailoverFails,
    /// An endpoint's change is acknowledged and not done.
    TrafficLies,
    /// A stop is acknowledged and not done.
    FenceLies,
}

/// All of them.
pub const TROUBLES: [Trouble; 10] = [
    Trouble::Topic,
    Trouble::Queue,
    Trouble::Store,
    Trouble::StoreSilent,
    Trouble::Throttled,
    Trouble::ArmSilent,
    Trouble::ArmFails,
    Trouble::FailoverFails,
    Trouble::TrafficLies,
    Trouble::FenceLies,
];

/// Troubles under way.
pub struct Troubles {
    struck: Arc<Mutex<Vec<Kill>>>,
    /// Whether a controller was stopped, and that it goes on was not told yet.
    stopped: Arc<AtomicBool>,
    trouble: Option<Trouble>,
    until: Timestamp,
}

impl Troubles {
    /// Orders them.
    pub fn order(play: &mut Play, kills: &[Kill], pause: Option<Pause>, trouble: Option<Trouble>, most: u64) -> Self {
        let struck: Arc<Mutex<Vec<Kill>>> = Arc::default();
        let left: Vec<(Kill, u64)> = kills.iter().map(|kill| (*kill, play.dice.below(most))).collect();
        let left = Arc::new(Mutex::new(left));
        for controller in &play.world.controllers {
            let (left, struck, record) = (Arc::clone(&left), Arc::clone(&struck), play.world.record.clone());
            controller.wire.decide(Box::new(move |call| {
                let mut left = lock(&left);
                if left.is_empty() {
                    return Fate::Live;
                }
                let Some(at) = At::of(call) else { return Fate::Live };
                let Some(place) = at.place(call, record.seen().place) else { return Fate::Live };
                let Some(found) = left.iter().position(|(kill, _)| (kill.place, kill.at) == (place, at)) else {
                    return Fate::Live;
                };
                if left[found].1 > 0 {
                    left[found].1 -= 1;
                    return Fate::Live;
                }
                let (kill, _) = left.remove(found);
                lock(&struck).push(kill);
                kill.fate()
            }));
        }
        let stopped: Arc<AtomicBool> = Arc::default();
        if let Some(pause) = pause {
            let mut passing = pause.passing;
            let (record, began) = (play.world.record.clone(), Arc::clone(&stopped));
            let stop = if pause.before_sending { Stop::Transport } else { Stop::Answer };
            let is_it = move |request: &azure_core::http::Request| {
                let (url, method) = (request.url(), request.method());
                let to_arm = url.host_str().is_some_and(|host| host.starts_with("management."));
                let path = url.path().to_lowercase();
                let sends = to_arm && method != azure_core::http::Method::Get && !path.contains("resourcegraph");
                let rests = path.contains("leases") && path.contains("saga-") || path.ends_with("shop.json");
                let counts = if pause.before_sending { sends } else { !to_arm && rests };
                if counts && passing > 0 {
                    passing -= 1;
                    return false;
                }
                if counts {
                    began.store(true, Ordering::Relaxed);
                    record.tell(What::Fault { name: STOPPED.to_owned(), on: true });
                }
                counts
            };
            let lasts = Duration::from_secs(pause.seconds.unsigned_abs());
            play.world.controllers[0].stopper.stops_for(lasts, stop, Box::new(is_it));
        }
        let until = after(play.world.clock.now(), play.dice.between(900, 3_600));
        let troubles = Self { struck, stopped, trouble, until };
        troubles.begin(play);
        troubles
    }

    /// Kills that struck.
    pub fn struck(&self) -> Vec<Kill> {
        lock(&self.struck).clone()
    }

    fn begin(&self, play: &mut Play) {
        let Some(trouble) = self.trouble else { return };
        let world = &play.world;
        let (arm, times) = (&world.azure.arm, u32::try_from(1 + play.dice.below(3)).unwrap_or(1));
        let fault = |effect: ArmFaultEffect, path: &str| {
            arm.fault(ArmFault::new(effect).on_method("POST").on_path(path).times(times))
        };
        match trouble {
            Trouble::Topic => {
                let how = [TopicTrouble::Unavailable, TopicTrouble::ResetAfter, TopicTrouble::Hang];
                world.azure.topic.trouble(play.dice.of(&how), None);
            }
            Trouble::Queue => world.bus.fault(BusFault::new(BusFaultEffect::ServerBusy).after(times * 7).times(times)),
            Trouble::Store => {
                world.blobs.fault(BlobFault::new(BlobFaultEffect::InternalError).after(times * 200).times(times));
            }
            Trouble::StoreSilent => {
                world.blobs.fault(BlobFault::new(BlobFaultEffect::ResetAfter).after(times * 200).times(times));
            }
            Trouble::Throttled => {
                fault(ArmFaultEffect::TooManyRequests { retry_after_seconds: Some(9) }, "/unplannedFailover")
            }
            Trouble::ArmSilent => fault(ArmFaultEffect::ResetAfter, "/unplannedFailover"),
            Trouble::ArmFails => fault(ArmFaultEffect::InternalServerError, "/failoverCommit"),
            Trouble::FailoverFails => {
                let (after_seconds, code) = (FAILS_AFTER_SECS, "OnOrder".to_owned());
                arm.fault(
                    ArmFault::new(ArmFaultEffect::OperationFails { after_seconds, code }).on_path("/unplannedFailover"),
                );
                world.record.seen().fails_next = Some(FAILS_AFTER_SECS.into());
            }
            Trouble::TrafficLies => {
                arm.lie_about("Microsoft.Network/trafficManagerProfiles/externalEndpoints/write", "externalEndpoints");
            }
            Trouble::FenceLies => arm.lie_about("Microsoft.Compute/virtualMachines/deallocate/action", "/deallocate"),
        }
        self.tell(play, true);
    }

    fn tell(&self, play: &Play, on: bool) {
        let name = format!("{:?}", self.trouble);
        play.world.record.tell(What::Fault { name, on });
    }

    /// What has lasted long enough ends.
    pub fn look(&mut self, play: &mut Play) {
        let now = play.world.clock.now();
        let stopped = self.stopped.load(Ordering::Relaxed);
        if self.trouble.is_some() || stopped || play.world.record.seen().stall.is_some() {
            play.is_uneasy();
        }
        if self.trouble.is_some() && now >= self.until {
            self.mend(play);
        }
        if stopped && !play.world.controllers[0].stopper.is_stopped() {
            self.goes_on(play);
        }
    }

    fn goes_on(&self, play: &Play) {
        play.say(|| "a controller that was stopped goes on".to_owned());
        self.stopped.store(false, Ordering::Relaxed);
        play.world.record.tell(What::Fault { name: STOPPED.to_owned(), on: false });
    }

    fn mend(&mut self, play: &Play) {
        play.world.azure.topic.clear_troubles();
        play.world.azure.arm.clear_faults();
        play.world.blobs.clear_faults();
        play.world.bus.clear_faults();
        play.world.record.seen().fails_next = None;
        self.tell(play, false);
        self.trouble = None;
    }

    /// All is mended, and nobody is stopped or killed any more.
    pub fn end(&mut self, play: &Play) {
        for controller in &play.world.controllers {
            controller.wire.stop_deciding();
            controller.stopper.stops_nowhere();
        }
        if self.stopped.load(Ordering::Relaxed) {
            play.world.controllers[0].stopper.go_on();
            self.goes_on(play);
        }
        if self.trouble.is_some() {
            self.mend(play);
        }
    }
}

//! The switch that stops all changes: somebody turns it where the recovery plan stands at some place, and a person lets changes go on later.
//! It never looks whether it was obeyed: the model does.

use jiff::Timestamp;
use lifeboat_contract::command::{Order, Why};

use crate::cases::Place;
use crate::play::{Play, after};

/// When it is turned, and back.
#[derive(Clone, Copy, Debug)]
pub struct Stops {
    /// Where the plan stands then.
    pub at: Place,
    /// After so many seconds changes go on.
    pub seconds: i64,
}

/// The switch under way.
#[derive(Debug)]
pub struct Switch {
    stops: Option<Stops>,
    since: Option<Timestamp>,
}

impl Switch {
    /// To be turned so, if at all.
    pub fn new(stops: Option<Stops>) -> Self {
        Self { stops, since: None }
    }

    /// What is to be ordered now.
    pub fn look(&mut self, play: &Play) -> Option<Order> {
        let (stops, now) = (self.stops?, play.world.clock.now());
        let why = |reason: &str| Why { reason: reason.to_owned() };
        match self.since {
            None if play.place() == stops.at => {
                self.since = Some(now);
                Some(Order::StopChanges(why("something is wrong")))
            }
            Some(since) if now >= after(since, stops.seconds) => {
                (self.stops, self.since) = (None, None);
                Some(Order::ResumeChanges(why("it is well again")))
            }
            _ => None,
        }
    }

    /// Whether changes are stopped, or were let go on just now.
    pub fn is_turned(&self) -> bool {
        self.since.is_some()
    }
}

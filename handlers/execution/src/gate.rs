//! What stands before every deletion, in one place: the switch, the clocks, the day after `init`, and the counter with its breaker.
//! It never deletes, and never lets one through that it has not counted before.

use std::fmt;

use jiff::Timestamp;
use lifeboat_planning::allowance::Allowance;

use crate::breakers;
use crate::counters::{Kind, Reserved};
use crate::estate::Estate;
use crate::lifeboat::Lifeboat;
use crate::{stop, watch};

/// Why nothing may be deleted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// A person has stopped all changes, or the switch cannot be read.
    Stopped,
    /// The store was begun or adopted less than a day ago.
    NewEstate {
        /// From then on it may be.
        until: Timestamp,
    },
    /// Azure's clock and ours differ, or Azure's was not heard yet.
    ClockSkew,
    /// The counter could not be written.
    NotCounted,
}

/// Counts up to `wanted` deletions of a policy's points before they are made, where nothing stands against deleting at all.
pub async fn expiry(
    lifeboat: &Lifeboat,
    estate: &Estate,
    policy: &str,
    wanted: u32,
    allowance: Allowance,
) -> Result<Reserved, Withheld> {
    let now = lifeboat.clock.now();
    let until = estate.expiry_allowed_from();
    if now < until {
        return Err(Withheld::NewEstate { until });
    }
    if !watch::clocks_agree(lifeboat) {
        return Err(Withheld::ClockSkew);
    }
    if stop::is_stopped(&lifeboat.store).await {
        return Err(Withheld::Stopped);
    }
    let reserved = breakers::reserve(&lifeboat.store, policy, Kind::Expiry, wanted, allowance, now).await;
    reserved.map_err(|error| {
        tracing::error!(error = %error, policy, "nothing expires: what would be done cannot be counted");
        Withheld::NotCounted
    })
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("a person has stopped all changes"),
            Self::NewEstate { until } => write!(f, "nothing expires before {until}: the store is new"),
            Self::ClockSkew => f.write_str("Azure's clock and ours do not agree"),
            Self::NotCounted => f.write_str("what would be done cannot be counted"),
        }
    }
}

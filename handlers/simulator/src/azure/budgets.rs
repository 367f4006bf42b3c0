//! Budgets: how many calls are let in, how fast a budget refills, and what a refused caller is told.
//! It never waits, and never lets a caller in that comes back before the time it was told.
//!
//! ```text
//! bucket   full ──call──► less ──time──► full          one call short: refused, Retry-After until the next one
//! window   first call opens it ── its length ──► empty  full: refused until it ends
//! sliding  each call counts for a while                 full: refused until the oldest is forgotten
//! ```

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

/// Micro-calls in a call: buckets are counted in whole numbers, so that two runs agree.
const MICRO: u64 = 1_000_000;
/// Refused callers remembered at most.
const REFUSALS_REMEMBERED: usize = 100_000;

/// How a budget comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refill {
    /// A bucket that gains this many calls a second.
    PerSecond(u32),
    /// A bucket that gains this many calls a minute.
    PerMinute(u32),
    /// Each call counts for this many seconds.
    SlidingSeconds(u32),
    /// All calls since the window's first are forgotten this many seconds after it.
    WindowSeconds(u32),
}

/// One budget, by the name that Azure gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) capacity: u32,
    pub(crate) refill: Refill,
    /// The entry of the evidence register that its size and its refill rest on.
    pub(crate) evidence: &'static str,
}

/// A call on a budget; the scope says whose: a subscription, a resource, a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    pub(crate) rule: &'static Rule,
    pub(crate) scope: String,
}

/// A budget that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) rule: &'static Rule,
    pub(crate) retry_after_seconds: u32,
}

/// What is left of a budget after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) rule: &'static Rule,
    pub(crate) calls: u32,
    /// Seconds until a window is forgotten; 0 for the other kinds.
    pub(crate) resets_seconds: u32,
}

/// All budgets as they are used, and who was told to wait.
#[derive(Debug, Default)]
pub(crate) struct Budgets {
    meters: HashMap<(&'static str, String), Meter>,
    told: HashMap<u64, Told>,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    until: Timestamp,
    seconds: u32,
}

#[derive(Debug)]
enum Meter {
    Bucket { micro: u64, at: Timestamp },
    Sliding { calls: VecDeque<Timestamp> },
    Window { opened: Timestamp, calls: u32 },
}

impl Charge {
    pub(crate) fn new(rule: &'static Rule, scope: impl Into<String>) -> Self {
        Self { rule, scope: scope.into() }
    }
}

impl Budgets {
    /// Takes one call from each budget, or from none and says which is used up.
    pub(crate) fn take(&mut self, charges: &[Charge], now: Timestamp) -> Result<Vec<Left>, Refusal> {
        for charge in charges {
            if let Some(seconds) = self.meter(charge, now).short(charge.rule, now) {
                return Err(Refusal { rule: charge.rule, retry_after_seconds: seconds.max(1) });
            }
        }
        Ok(charges.iter().map(|charge| self.meter(charge, now).take(charge.rule, now)).collect())
    }

    /// What is left of a budget, without a call.
    #[cfg(test)]
    fn left(&mut self, charge: &Charge, now: Timestamp) -> Left {
        self.meter(charge, now).left(charge.rule, now)
    }

    /// Whether this caller comes back too early. Then its waiting time starts again, and is answered.
    pub(crate) fn too_early(&mut self, caller: u64, now: Timestamp) -> Option<u32> {
        let told = self.told.get_mut(&caller)?;
        if told.until <= now {
            self.told.remove(&caller);
            return None;
        }
        told.until = later(now, told.seconds);
        Some(told.seconds)
    }

    /// Remembers that this caller was told to wait.
    pub(crate) fn tell(&mut self, caller: u64, seconds: u32, now: Timestamp) {
        if self.told.len() >= REFUSALS_REMEMBERED {
            self.told.retain(|_, told| told.until > now);
        }
        self.told.insert(caller, Told { until: later(now, seconds), seconds });
    }

    fn meter(&mut self, charge: &Charge, now: Timestamp) -> &mut Meter {
        let rule = charge.rule;
        let meter = self.meters.entry((rule.name, charge.scope.clone())).or_insert_with(|| match rule.refill {
            Refill::PerSecond(_) | Refill::PerMinute(_) => {
                Meter::Bucket { micro: u64::from(rule.capacity) * MICRO, at: now }
            }
            Refill::SlidingSeconds(_) => Meter::Sliding { calls: VecDeque::new() },
            Refill::WindowSeconds(_) => Meter::Window { opened: now, calls: 0 },
        });
        meter.settle(rule, now);
        meter
    }
}

impl Meter {
    fn settle(&mut self, rule: &Rule, now: Timestamp) {
        match self {
            Self::Bucket { micro, at } => {
                let gained = u64::try_from(now.duration_since(*at).as_micros()).unwrap_or(0);
                let gained = gained.saturating_mul(u64::from(per_minute(rule.refill))) / 60;
                *micro = micro.saturating_add(gained).min(u64::from(rule.capacity) * MICRO);
                *at = now;
            }
            Self::Sliding { calls } => {
                while calls.front().is_some_and(|&first| later(first, length(rule.refill)) <= now) {
                    calls.pop_front();
                }
            }
            Self::Window { opened, calls } => {
                if later(*opened, length(rule.refill)) <= now {
                    (*opened, *calls) = (now, 0);
                }
            }
        }
    }

    /// Seconds until there is a call again; `None` when there is one.
    fn short(&self, rule: &Rule, now: Timestamp) -> Option<u32> {
        match self {
            Self::Bucket { micro, .. } if *micro < MICRO => {
                let wanted = (MICRO - micro) * 60;
                let per_second = u64::from(per_minute(rule.refill)).max(1) * MICRO;
                Some(u32::try_from(wanted.div_ceil(per_second)).unwrap_or(u32::MAX))
            }
            Self::Sliding { calls } if calls.len() >= rule.capacity as usize => {
                calls.front().map(|&first| seconds_until(later(first, length(rule.refill)), now))
            }
            Self::Window { opened, calls } if *calls >= rule.capacity => {
                Some(seconds_until(later(*opened, length(rule.refill)), now))
            }
            _ => None,
        }
    }

    fn take(&mut self, rule: &'static Rule, now: Timestamp) -> Left {
        match self {
            Self::Bucket { micro, .. } => *micro = micro.saturating_sub(MICRO),
            Self::Sliding { calls } => calls.push_back(now),
            Self::Window { opened, calls } => {
                if *calls == 0 {
                    *opened = now;
                }
                *calls += 1;
            }
        }
        self.left(rule, now)
    }

    fn left(&self, rule: &'static Rule, now: Timestamp) -> Left {
        let (calls, resets_seconds) = match self {
            Self::Bucket { micro, .. } => (u32::try_from(micro / MICRO).unwrap_or(u32::MAX), 0),
            Self::Sliding { calls } => {
                (rule.capacity.saturating_sub(u32::try_from(calls.len()).unwrap_or(u32::MAX)), 0)
            }
            Self::Window { opened, calls } => {
                (rule.capacity.saturating_sub(*calls), seconds_until(later(*opened, length(rule.refill)), now))
            }
        };
        Left { rule, calls, resets_seconds }
    }
}

fn per_minute(refill: Refill) -> u32 {
    match refill {
        Refill::PerSecond(calls) => calls * 60,
        Refill::PerMinute(calls) => calls,
        Refill::SlidingSeconds(_) | Refill::WindowSeconds(_) => 0,
    }
}

fn length(refill: Refill) -> u32 {
    match refill {
        Refill::SlidingSeconds(seconds) | Refill::WindowSeconds(seconds) => seconds,
        Refill::PerSecond(_) | Refill::PerMinute(_) => 0,
    }
}

fn later(at: Timestamp, seconds: u32) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX)
}

fn seconds_until(at: Timestamp, now: Timestamp) -> u32 {
    u32::try_from(at.duration_since(now).as_millis().max(0).unsigned_abs().div_ceil(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: Rule = Rule { name: "bucket", capacity: 3, refill: Refill::PerSecond(1), evidence: "test" };
    const SLIDING: Rule = Rule { name: "sliding", capacity: 3, refill: Refill::SlidingSeconds(3600), evidence: "test" };
    const WINDOW: Rule = Rule { name: "window", capacity: 2, refill: Refill::WindowSeconds(5), evidence: "test" };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    /// Each case: the rule, the seconds at which calls come, and what each is told: what is left, or how long to wait.
    #[test]
    fn each_kind_of_budget_refuses_and_refills_as_described() {
        let check = |rule: &'static Rule, calls: &[(i64, Result<u32, u32>)]| {
            let mut budgets = Budgets::default();
            for (place, &(second, expected)) in calls.iter().enumerate() {
                let told = budgets.take(&[Charge::new(rule, "x")], at(second));
                let told = told.map(|left| left[0].calls).map_err(|refusal| refusal.retry_after_seconds);
                assert_eq!(told, expected, "{} call {place}", rule.name);
            }
        };
        check(&BUCKET, &[(0, Ok(2)), (0, Ok(1)), (0, Ok(0)), (0, Err(1)), (1, Ok(0)), (10, Ok(2))]);
        check(
            &SLIDING,
            &[(0, Ok(2)), (10, Ok(1)), (20, Ok(0)), (30, Err(3570)), (3599, Err(1)), (3600, Ok(0)), (3601, Err(9))],
        );
        check(&WINDOW, &[(0, Ok(1)), (1, Ok(0)), (2, Err(3)), (5, Ok(1))]);
    }

    #[test]
    fn of_several_budgets_none_is_taken_when_one_is_used_up() {
        let mut budgets = Budgets::default();
        let (bucket, window) = (Charge::new(&BUCKET, "a"), Charge::new(&WINDOW, "a"));
        for _ in 0..2 {
            budgets.take(std::slice::from_ref(&window), at(0)).unwrap();
        }
        assert_eq!(budgets.take(&[bucket.clone(), window], at(0)).unwrap_err().rule.name, "window");
        assert_eq!(budgets.left(&bucket, at(0)).calls, 3);
    }

    #[test]
    fn a_retry_inside_its_waiting_time_is_refused_and_starts_it_again() {
        let mut budgets = Budgets::default();
        budgets.tell(1, 10, at(0));
        assert_eq!(budgets.too_early(2, at(1)), None, "another caller is not held");
        assert_eq!(budgets.too_early(1, at(9)), Some(10));
        assert_eq!(budgets.too_early(1, at(18)), Some(10));
        assert_eq!(budgets.too_early(1, at(28)), None);
    }
}

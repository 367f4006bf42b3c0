//! The bounds of time that the promises have, each with its source; where no text has a number, the comment says what it was derived from.
//! It never measures: `calm` and `duties` do.

/// Suspected is told within this after the first evidence arrived (issue 7).
pub const SUSPECTED_SECONDS_MAX: i64 = 120;

/// A decision stands within this after the window ended (issue 7).
pub const DECIDED_SECONDS_MAX: i64 = 120;

/// An order or approval is refused after 60 minutes (design §8).
pub const APPROVAL_SECONDS_MAX: i64 = 60 * 60;

/// A request is dropped this long after the check that it rests on (design §4): what was true so shortly before may be rested on.
pub const LATEST_MOMENT_SECONDS: i64 = 10;

/// A stop is confirmed to the person when the latest moment and the request's time-out have passed (design §4): until then a request that
/// rests on a check of before may still be accepted, and no later. No text has a number for the time-out: half a minute.
pub const UNDER_WAY_SECONDS_MAX: i64 = LATEST_MOMENT_SECONDS + 30;

/// How long a request of a stale epoch may still be accepted after the newer epoch was saved. A lease is taken over only when the latest
/// moment and the request's time-out have passed (design §4), so the bound is spent before the newer epoch is saved and nothing is left.
pub const STALE_ACCEPTED_SECONDS_MAX: i64 = 0;

/// One look: a saga that overslept is woken by the policy sweep, every five minutes (design §5), so no look is farther away than that.
pub const ONE_LOOK_SECONDS: i64 = 5 * 60;

/// One look at the old side while an old machine there may run: its region is asked how it is each minute, the shortest time from one read to
/// the next that design §5 has, and a look that began while it was still silent ends when its request does (design §4: the latest moment and
/// the time-out).
pub const OLD_SIDE_LOOK_SECONDS: i64 = 60 + UNDER_WAY_SECONDS_MAX;

/// One deallocation: recorded are 20 s (runbooks §1), and a slow region takes several times as long.
pub const ONE_DEALLOCATION_SECONDS: i64 = 3 * 60;

/// A change of the world is known to Lifeboat within this: evidence is told within two minutes, and the same holds of its end.
pub const KNOWN_SECONDS: i64 = 120;

/// "Readiness every 30 minutes" (design §6): a decision by rules may rest on a run that is as old as this, and the run takes its time.
pub const READINESS_SECONDS_MAX: i64 = 35 * 60;

/// A read of Resource Health is fresh for this long: `HealthPoll` reads each minute (design §5), and two answers may be late. No text has a
/// number.
pub const FRESH_READ_SECONDS_MAX: i64 = 180;

/// A probe that was not heard of for this long says nothing any more: five ticks of `HealthPoll`. No text has a number.
pub const PROBE_AGE_SECONDS_MAX: i64 = 5 * 60;

/// No message counts that was said longer ago than this. No text has a number; a day is more than any reading of "stale" allows.
pub const EVIDENCE_AGE_SECONDS_MAX: i64 = 24 * 60 * 60;

/// A message that was said less than this before it arrived, and of what began so shortly before, is surely fresh: what is not fresh by
/// all readings makes no duty.
pub const SURELY_FRESH_SECONDS: i64 = 15 * 60;

/// How many machines a region has is known to be so old at most: ten minutes, and one poll.
pub const FLEET_AGE_SECONDS_MAX: i64 = 11 * 60;

/// A probe that failed this often in a row is surely evidence: fewer may be taken for a blip (hysteresis, design §8).
pub const SURELY_BAD_PROBES: u32 = 3;

/// The failed region is waited for no longer than this before the first failover or a question. Issue 7 says "a bound" and no number; the
/// fence of a hundred machines on connections that hang, in a few rounds of looks.
pub const FENCE_SECONDS_MAX: i64 = 30 * 60;

/// A saga that waits for nobody shows progress within this. The longest operation on a tape is the 56 minutes until the item is protected
/// the other way (runbooks §1); twice that.
pub const SILENT_SECONDS_MAX: i64 = 2 * 60 * 60;

/// After a kill the message comes back when its lock of up to five minutes is over, or with the next sweep, whichever is later.
pub const AFTER_KILL_SECONDS: i64 = 10 * 60;

/// An order is acted on or refused within this: two minutes as for evidence, and one look for a lease that is taken.
pub const ORDER_SECONDS_MAX: i64 = SUSPECTED_SECONDS_MAX + ONE_LOOK_SECONDS;

/// What was saved is told within this: the outbox is drained after each invocation and by the sweep, every five minutes (issue 7).
pub const TELL_SECONDS_MAX: i64 = ONE_LOOK_SECONDS + 60;

/// A question is asked within this after it is due: one look, and what is read for it.
pub const ASK_SECONDS_MAX: i64 = KNOWN_SECONDS + ONE_LOOK_SECONDS;

/// Reminding is daily (design §8), and a timer may be an hour late.
pub const REMINDER_SECONDS_MAX: i64 = 25 * 60 * 60;

/// Once the target is online the old endpoint is disabled within this: the next look reads it.
pub const OLD_ENDPOINT_SECONDS_MAX: i64 = 2 * ONE_LOOK_SECONDS;

/// A saga that neither ended nor asked is not going to, after this long without a fault or a person's answer: all steps of a failover
/// together take less than this on the tapes, protecting the other way included.
pub const WHOLE_SAGA_SECONDS_MAX: i64 = 6 * 60 * 60;

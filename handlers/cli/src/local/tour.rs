//! The tour: what happens to an estate, and whether Lifeboat did what it promises.
//! It never believes the handler: whether a step held is asked of the simulated Azure. It never waits without an end.
//!
//! ```text
//! points on schedule ─► expired ─► a breaker ─► created ─► the same again ─► lost ─► killed half-way ─► nonsense ─► into a vault
//!    ─► a region is lost ─► confirmed ─► failed over ─► traffic moved ─► committed ─► protected the other way
//!    └── the first step that does not hold ends the tour: what follows rests on it
//! ```
//!
//! Time in the simulated Azure is put forward where all that happens is waiting; the handler's is this machine's own. Where they differ
//! by five minutes the handler deletes nothing, so what deletes comes first. The bus goes by this machine's time too, because the
//! handler says to it when it wants to look again; such a look is brought forward together with the simulated time. A failover goes by the
//! handler's time from step to step: where it pauses, what Lifeboat remembers is made older instead (`passing`).

mod back;
mod events;
mod failing_over;
mod lost;
mod points;
mod vault;

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::Fault;
use super::control::QUEUE;
use super::stand_ins::StandIns;
use super::steps::{Missed, Steps};
pub use lost::PLAN;
use points::FileServer;

/// How long a step may take, in real time: several times what it takes on a slow machine, so that only what hangs runs into it.
const STEP_WITHIN: Duration = Duration::from_secs(30);

/// How often is asked: often enough to see a point while it is made.
const ASKED_EVERY: Duration = Duration::from_millis(50);

/// How long nothing may happen before the simulated time is put forward: a message between two services is on its way for less.
const QUIET_FOR: Duration = Duration::from_millis(300);

/// How a step ended: what was seen, or what was missed.
type Held = Result<String, Missed>;

/// A step of the tour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Scheduled,
    Expired,
    Breaker,
    Created,
    SameAgain,
    Lost,
    Killed,
    Nonsense,
    Vault,
    LostRegion,
    Confirmed,
    FailedOver,
    TrafficMoved,
    Committed,
    ProtectedBack,
}

/// All steps, in their order.
const STEPS: [Step; 15] = [
    Step::Scheduled,
    Step::Expired,
    Step::Breaker,
    Step::Created,
    Step::SameAgain,
    Step::Lost,
    Step::Killed,
    Step::Nonsense,
    Step::Vault,
    Step::LostRegion,
    Step::Confirmed,
    Step::FailedOver,
    Step::TrafficMoved,
    Step::Committed,
    Step::ProtectedBack,
];

/// Where the region is lost among them.
const LOST_FROM: usize = 9;

/// What a look at the world says of a wait.
enum Look {
    /// It is so.
    Yes(String),
    /// Not yet; this is seen.
    NotYet(String),
    /// It is not, and waiting changes nothing.
    Never(String),
}

struct Tour<'a> {
    on: &'a StandIns,
    steps: &'a mut Steps,
    fault: Option<Fault>,
    quiet_since: Option<Instant>,
    /// The machine that was created first.
    first: Option<String>,
    /// The machine that has points on schedule.
    file_server: Option<FileServer>,
    /// Whether the recovery plan is in force.
    recovery: bool,
    /// When the region was lost.
    outage: Option<Timestamp>,
    /// What was told of the failover.
    told: BTreeSet<String>,
}

impl Step {
    fn title(self) -> &'static str {
        match self {
            Self::Scheduled => "A point is made on schedule, once",
            Self::Expired => "Points expire, each with its reasons, and a hold refuses one",
            Self::Breaker => "A policy lets too many go at once, and a breaker opens",
            Self::Created => "A machine is created, and protected",
            Self::SameAgain => "The same event comes again, late and twice, and nothing new is made",
            Self::Lost => "An event is lost, and the sweep finds the machine",
            Self::Killed => "The handler is killed half-way, and the work is finished anyway",
            Self::Nonsense => "Nonsense is refused: the handler lives, and no message is lost",
            Self::Vault => "A machine is found unprotected, and is protected in a vault and backed up",
            Self::LostRegion => "A region is lost, and is suspected by what we measure ourselves",
            Self::Confirmed => "Azure says so too, the window passes, and a person is asked",
            Self::FailedOver => "A person approves, and the machines come up in the other region",
            Self::TrafficMoved => "The traffic is moved, and the answer is verified from outside",
            Self::Committed => "A person orders the commit",
            Self::ProtectedBack => {
                "The old region answers again, and all is protected the other way on a person's word"
            }
        }
    }
}

/// The steps that a planted fault concerns: the others would take their time and show nothing of it.
fn steps_under(fault: Option<Fault>) -> &'static [Step] {
    match fault {
        None => &STEPS,
        Some(Fault::LostSweep) => &[Step::Lost],
        Some(Fault::NoSave) => &[Step::Created],
        Some(Fault::DoublePoint) => &[Step::Created, Step::SameAgain],
        Some(Fault::LostPoint | Fault::ForeignGone) => &[Step::Scheduled, Step::Expired],
        Some(Fault::OneSource) => &STEPS[LOST_FROM..LOST_FROM + 2],
        Some(Fault::TrafficLies) => &STEPS[LOST_FROM..LOST_FROM + 4],
        Some(Fault::FenceLies) => &STEPS[LOST_FROM..],
    }
}

/// Plays it; says whether all of it held.
pub async fn play(on: &StandIns, steps: &mut Steps, fault: Option<Fault>) -> Result<bool> {
    let mut tour = Tour {
        on,
        steps,
        fault,
        quiet_since: None,
        first: None,
        file_server: None,
        recovery: false,
        outage: None,
        told: BTreeSet::new(),
    };
    tour.plant().await?;
    let played = steps_under(fault);
    for step in played {
        tour.steps.begin(step.title());
        let held = tour.step(*step).await?;
        let went_on = held.is_ok();
        tour.steps.end(held);
        if !went_on {
            break;
        }
    }
    Ok(tour.steps.finish(u32::try_from(played.len()).unwrap_or(u32::MAX)))
}

impl Tour<'_> {
    /// Plants what can be planted from the start.
    async fn plant(&mut self) -> Result<()> {
        match self.fault {
            // More occurrences than any tour sees.
            Some(Fault::LostSweep) => self.on.host.skip_timer("PolicySweep", 1_000_000),
            Some(Fault::NoSave) => {
                self.on.control.order("/blobs/drop", &json!({ "namePrefix": "ledger/", "times": 1_000_000 })).await?;
            }
            // The others are planted in the step that they are about.
            Some(_) | None => {}
        }
        Ok(())
    }

    async fn step(&mut self, step: Step) -> Result<Held> {
        match step {
            Step::Scheduled => self.scheduled().await,
            Step::Expired => self.expired().await,
            Step::Breaker => self.breaker().await,
            Step::Created => self.created().await,
            Step::SameAgain => self.same_again().await,
            Step::Lost => self.lost().await,
            Step::Killed => self.killed().await,
            Step::Nonsense => self.nonsense().await,
            Step::Vault => self.vault().await,
            Step::LostRegion => self.lost_region().await,
            Step::Confirmed => self.confirmed().await,
            Step::FailedOver => self.failed_over().await,
            Step::TrafficMoved => self.traffic_moved().await,
            Step::Committed => self.committed().await,
            Step::ProtectedBack => self.protected_back().await,
        }
    }

    /// Waits until a look says yes. In between, time is put forward when all that happens is waiting for it.
    async fn wait(&mut self, mut look: impl AsyncFnMut(&mut Self) -> Result<Look>) -> Result<Result<String, String>> {
        let until = Instant::now() + STEP_WITHIN;
        loop {
            match look(self).await? {
                Look::Yes(seen) => return Ok(Ok(seen)),
                Look::Never(seen) => return Ok(Err(seen)),
                Look::NotYet(seen) if Instant::now() >= until => return Ok(Err(seen)),
                Look::NotYet(_) => {}
            }
            self.pass_time().await?;
            sleep(ASKED_EVERY).await;
        }
    }

    /// Waits until nobody does anything and nothing is to be done.
    async fn wait_until_quiet(&mut self) -> Result<Result<String, String>> {
        self.wait(async |tour| {
            let (busy, scheduled) = (tour.is_busy().await?, tour.on.world.bus().next_visible(QUEUE));
            Ok(match (busy, scheduled) {
                (false, None) if tour.quiet_since.is_some_and(|since| since.elapsed() >= QUIET_FOR) => {
                    Look::Yes("quiet".to_owned())
                }
                (false, _) => Look::NotYet("a message waits for its time".to_owned()),
                (true, _) => Look::NotYet("something is still going on".to_owned()),
            })
        })
        .await
    }

    /// When nothing happens but that a message waits for its time, that time comes.
    async fn pass_time(&mut self) -> Result<()> {
        if self.is_busy().await? {
            self.quiet_since = None;
            return Ok(());
        }
        let since = *self.quiet_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= QUIET_FOR
            && let Some(by) = self.on.world.bus().bring_forward(QUEUE)
        {
            self.forward(by, "nothing is left to do until the next look");
        }
        Ok(())
    }

    async fn is_busy(&self) -> Result<bool> {
        let queue = self.on.control.queue().await?;
        Ok(self.on.host.in_flight() > 0 || queue.active > 0 || queue.locked > 0 || self.on.control.is_busy().await?)
    }

    fn forward(&mut self, by: SignedDuration, why: &str) {
        // To the next millisecond, so that what is due then is due.
        let by = SignedDuration::from_millis(i64::try_from(by.as_millis()).unwrap_or(0).max(0) + 1);
        self.on.jump(by);
        self.quiet_since = None;
        self.steps.tell(&format!("simulated time is put forward by {:.0} s: {why}", by.as_secs_f64()));
    }
}

fn missed(expected: &str, seen: String) -> Missed {
    Missed { expected: expected.to_owned(), seen }
}

fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

fn name_of(machine: &str) -> &str {
    machine.rsplit('/').next().unwrap_or(machine)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn under_each_fault_steps_of_the_tour_are_played_in_their_order() {
        assert_eq!(steps_under(None), STEPS);
        for fault in Fault::value_variants() {
            let played = steps_under(Some(*fault));
            let places: Vec<usize> =
                played.iter().map(|step| STEPS.iter().position(|one| one == step).expect("a step")).collect();
            assert!(!places.is_empty() && places.is_sorted(), "{fault:?}");
        }
    }
}

//! Takes one saga further: load under its lease, step, write down, save, perform, feed back, until nothing more happens at once.
//! It never performs what is not saved, and never waits for what Azure has begun: when to look again is what it gives back.
//!
//! ```text
//! lease ─► load ─► step ─► ledger ─► save ─► looks, changes ─┬─► answers ─► step …
//!                   ▲                                        └─► none: tell when to look again
//!                   └── each change: lease renewed, the switch read again, and sent within ten seconds of that or never
//! ```

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::Latest;
use lifeboat_azure::blobs::Lease;
use lifeboat_contract::events::Event as Told;
use lifeboat_planning::facts::Owner;
use lifeboat_planning::saga::failover::{self, Change, Failover, Look};
use lifeboat_planning::saga::{Effect, Notice, OrderRefused, Outcome, Saga, Tag, What, reminded};

use super::book::Book;
use super::record::Kept;
use super::round::{AT_ONCE, Round};
use super::{Event, Ran, SagaError, events, looks, perform_failover, perform_traffic, tell};
use crate::lifeboat::{Lifeboat, Report};
use crate::stop;

/// How long after the check that it rests on a request may be sent (design §4).
const LATEST: Duration = Duration::from_secs(10);
/// How many looks are under way at once: as many as the step table has unfinished, so that a region that does not answer is waited for
/// once and not once for each of several batches.
const LOOKS_AT_ONCE: usize = 100;
/// How often one invocation steps, at most: past it the rest is for the next look, which is due at once.
const ROUNDS_MAX: usize = 20;
/// How long one invocation goes on, at most: below the host's time for one, and past it the rest is for the next look.
const RUN_SECS_MAX: u64 = 120;
/// From one look at the switch to the next while all changes are stopped.
const STOPPED_SECS: i64 = 60;

/// A saga at work in one invocation.
pub struct Turn<'a> {
    pub lifeboat: &'a Lifeboat,
    pub owner: Owner,
    pub lease: Lease,
    pub kept: Kept,
    pub report: Report,
    /// Why an order was refused.
    pub refused: Option<OrderRefused>,
    /// What the next save tells other systems.
    pub told: Vec<Told>,
}

/// What brings an event to a saga.
#[derive(Clone, Copy, Debug)]
pub enum Through<'a> {
    /// The message of the look of this number.
    Look(u32),
    /// A person's order of this id.
    Order(&'a str),
    /// Neither.
    Itself,
}

impl Turn<'_> {
    /// Takes it further by an event.
    pub async fn run(&mut self, event: Event, through: Through<'_>) -> Result<Ran, SagaError> {
        let mut saga = self.kept.record.saga()?;
        if saga.ended() {
            Book::of(self.lifeboat, &self.kept.record.id, &self.kept.record.recovery_plan).close().await?;
            self.kept.archive(&self.lifeboat.store).await?;
            self.refused = matches!(through, Through::Order(_)).then_some(OrderRefused::Ended);
            return Ok(self.ran(None));
        }
        let (last, again_at) = (self.kept.record.looks, self.kept.record.look_again_at);
        self.kept.record.looks = match through {
            Through::Look(look) if look <= last => return Ok(Ran { taken: false, ..self.ran(again_at) }),
            Through::Look(look) => look,
            Through::Order(_) | Through::Itself => last.saturating_add(1),
        };
        // Whoever was here before may have been stopped in the middle: a higher number has all looked at again that it left in flight.
        let epoch = self.kept.record.epoch + 1;
        if matches!(event, Event::Woken) && stop::is_stopped(&self.lifeboat.store).await {
            return self.rest(saga, epoch).await;
        }
        let (id, plan) = (self.kept.record.id.clone(), self.kept.record.recovery_plan.clone());
        let mut book = Book::of(self.lifeboat, &id, &plan);
        let mut cause = event.to_string();
        let mut what = vec![event.what()];
        let until = tokio::time::Instant::now() + Duration::from_secs(RUN_SECS_MAX);
        for round in 0..ROUNDS_MAX {
            let (before, now) = (events::Before::of(&saga), self.lifeboat.clock.now());
            let (next, effects) = failover::steps(saga, epoch, what, now);
            saga = next;
            self.told = events::of(&self.kept.record, &before, &saga, &effects, now);
            let warned = before.news(&saga);
            book.decided(&cause, self.kept.record.looks, (&effects, &warned)).await?;
            let refused = effects.iter().any(|effect| matches!(effect, Effect::Tell(Notice::OrderRefused(_))));
            if let Through::Order(id) = through
                && round == 0
                && !refused
            {
                self.kept.record.took(id);
            }
            self.save(&saga).await?;
            self.tell(&effects);
            warned.iter().for_each(|it| tell::warning(&plan, it, &mut self.report));
            what = self.perform(&saga, &effects, &mut book).await?;
            if what.is_empty() || tokio::time::Instant::now() >= until {
                break;
            }
            "what was answered".clone_into(&mut cause);
        }
        if !what.is_empty() {
            // What was answered last is not taken: the next look, which is due at once, finds it out again.
            saga.look_again_at = Some(self.lifeboat.clock.now());
        }
        book.seal().await?;
        if saga.ended() {
            self.kept.archive(&self.lifeboat.store).await?;
        }
        Ok(self.ran(saga.look_again_at))
    }

    /// Saves how far it is, and in the same write what that tells.
    async fn save(&mut self, saga: &Saga<Failover>) -> Result<(), SagaError> {
        let now = self.lifeboat.clock.now();
        self.kept.record.take(saga, now);
        self.kept.save(&self.lifeboat.outbox, &std::mem::take(&mut self.told), now).await
    }

    fn tell(&mut self, effects: &[Effect<Failover>]) {
        for effect in effects {
            if let Effect::Tell(notice) = effect {
                tell::notice(&self.kept.record.recovery_plan, notice, &mut self.report);
                if let Notice::OrderRefused(why) = notice {
                    self.refused = Some(*why);
                }
            }
        }
    }

    fn ran(&mut self, look_again_at: Option<Timestamp>) -> Ran {
        let record = &self.kept.record;
        Ran {
            report: std::mem::take(&mut self.report),
            look_again_at,
            looks: record.looks,
            taken: true,
            refused: self.refused,
            ended: record.ended_at.is_some(),
        }
    }

    /// Rests while all changes are stopped; what stands open is asked again when that is due, which changes nothing in Azure.
    async fn rest(&mut self, saga: Saga<Failover>, epoch: u64) -> Result<Ran, SagaError> {
        let (before, now) = (events::Before::of(&saga), self.lifeboat.clock.now());
        let (saga, effects) = reminded(saga, epoch, now);
        if !effects.is_empty() {
            let (id, plan) = (self.kept.record.id.clone(), self.kept.record.recovery_plan.clone());
            self.told = events::of(&self.kept.record, &before, &saga, &effects, now);
            let mut book = Book::of(self.lifeboat, &id, &plan);
            book.decided("a reminder", self.kept.record.looks, (&effects, &[])).await?;
            self.save(&saga).await?;
            self.tell(&effects);
            book.seal().await?;
        }
        Ok(self.pause(&saga))
    }

    /// Rests while all changes are stopped, and says in which state that is.
    fn pause(&mut self, saga: &Saga<Failover>) -> Ran {
        let now = self.lifeboat.clock.now();
        let until = now.checked_add(SignedDuration::from_secs(STOPPED_SECS)).unwrap_or(Timestamp::MAX);
        tell::paused(&self.kept.record.recovery_plan, saga, until, &mut self.report);
        self.ran(Some(until))
    }

    /// Performs what is saved, and gives back what was answered.
    async fn perform(
        &mut self,
        saga: &Saga<Failover>,
        effects: &[Effect<Failover>],
        book: &mut Book<'_>,
    ) -> Result<Vec<What<Failover>>, SagaError> {
        let looks: Vec<(&Tag, &Look)> = effects.iter().filter_map(look).collect();
        let changes: Vec<(String, &Tag, &Change)> = effects.iter().filter_map(change).collect();
        let mut answers = Vec::new();
        // Changes first: their checks were just made.
        for some in changes.chunks(AT_ONCE) {
            let outcomes = self.change(saga, some).await?;
            book.became(&outcomes).await?;
            answers.extend(outcomes.into_iter().map(|(_, tag, outcome)| What::Answered(tag, outcome)));
        }
        if !looks.is_empty() {
            self.lifeboat.store.renew(&self.lease).await?;
            let round = Round::of(&self.lifeboat.arm, looks.iter().map(|(_, look)| *look)).await;
            let mut read = Vec::new();
            for (tag, look) in looks {
                read.push(observe(self.lifeboat, saga, &round, tag, look));
            }
            answers.extend(stream::iter(read).buffered(LOOKS_AT_ONCE).collect::<Vec<_>>().await);
        }
        Ok(answers)
    }

    /// Sends some changes at once, all after one check: that the lease is still ours, and that changes are not stopped.
    async fn change(
        &mut self,
        saga: &Saga<Failover>,
        some: &[(String, &Tag, &Change)],
    ) -> Result<Vec<(String, Tag, Outcome)>, SagaError> {
        let checked = tokio::time::Instant::now();
        self.lifeboat.store.renew(&self.lease).await?;
        let stopped = stop::is_stopped(&self.lifeboat.store).await;
        if stopped {
            let until = self.lifeboat.clock.now();
            tell::paused(&self.kept.record.recovery_plan, saga, until, &mut self.report);
        }
        let (latest, by) = (Latest(checked + LATEST), (&saga.runbook, &self.owner));
        let mut sent = Vec::new();
        for (_, _, change) in some {
            sent.push(send(self.lifeboat, by, change, (stopped, latest)));
        }
        let outcomes: Vec<Outcome> = stream::iter(sent).buffered(AT_ONCE).collect().await;
        let named = some.iter().zip(outcomes).map(|((key, tag, _), outcome)| (key.clone(), (*tag).clone(), outcome));
        let outcomes: Vec<_> = named.collect();
        for ((_, _, outcome), (_, _, change)) in outcomes.iter().zip(some) {
            let became = match outcome {
                Outcome::Accepted => continue,
                Outcome::Refused(words) => format!("refused: {words}"),
                Outcome::NotNow(pause) => format!("not now, again in {} s", pause.as_secs()),
                Outcome::NoAnswer => "no answer came; what is there will be read".to_owned(),
            };
            tell::outcome(&self.kept.record.recovery_plan, &change.to_string(), &became, &mut self.report);
        }
        Ok(outcomes)
    }
}

/// Answers one look.
async fn observe(lifeboat: &Lifeboat, saga: &Saga<Failover>, round: &Round, tag: &Tag, look: &Look) -> What<Failover> {
    match looks::answer(lifeboat, saga, round, look).await {
        Some(facts) => What::Observed(tag.clone(), facts),
        None => What::NotObserved(tag.clone()),
    }
}

/// Sends one change, unless all changes are stopped.
async fn send(
    lifeboat: &Lifeboat,
    by: (&Failover, &Owner),
    change: &Change,
    (stopped, latest): (bool, Latest),
) -> Outcome {
    match change {
        _ if stopped => Outcome::NotNow(SignedDuration::from_secs(STOPPED_SECS)),
        Change::Failover(effect) => perform_failover::perform(lifeboat, by, effect, latest).await,
        Change::Traffic(effect) => perform_traffic::perform(lifeboat, effect, latest).await,
    }
}

fn look(effect: &Effect<Failover>) -> Option<(&Tag, &Look)> {
    match effect {
        Effect::Look(tag, look) => Some((tag, look)),
        Effect::Change(..) | Effect::Tell(_) => None,
    }
}

fn change(effect: &Effect<Failover>) -> Option<(String, &Tag, &Change)> {
    match effect {
        Effect::Change(tag, change) => Some((effect.key(), tag, change)),
        Effect::Look(..) | Effect::Tell(_) => None,
    }
}

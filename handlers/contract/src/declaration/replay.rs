//! Plays a history in virtual time: takes each line as it arrived, looks after each and once a minute, and keeps what was decided.
//! It never reads a clock, and never looks past the last line.
//!
//! Machines are known by what Resource Health's answers in the history name; regions by the recovery plan's two.

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::declaration::{Act, Decision, Declaration, Facts, Phase, SagaSeen, Word, settle};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::signal::{Signal, Signals, Taken};

use super::history::Line;
use super::supposed::Supposed;
use crate::signals::{Door, Known, Raw, Uncounted, read};

/// How often the handler looks: its timer's minute.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What became of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// The line, from 1.
    pub line: usize,
    /// When it arrived.
    pub at: Timestamp,
    /// Where.
    pub door: Door,
    /// Its signals, and what became of each.
    pub signals: Vec<(Signal, Taken)>,
    /// What of it does not count.
    pub uncounted: Vec<Uncounted>,
    /// What of it could not be read.
    pub raw: Vec<Raw>,
}

/// A history that was played.
#[derive(Clone, Debug)]
pub struct Played {
    /// Every line.
    pub heard: Vec<Heard>,
    /// Each decision that moved, or asked for something that the one before it did not.
    pub decisions: Vec<Decision>,
    /// How it stands at the end.
    pub last: Option<Decision>,
    /// What is remembered at the end.
    pub state: Declaration,
}

/// Plays a history for a recovery plan.
pub fn replay(plan: &RecoveryPlan, supposed: &Supposed, lines: &[Line]) -> Played {
    let mut stage = Stage::new(plan, supposed);
    let mut clock = lines.first().map(|line| line.at);
    for line in lines {
        while let Some(now) = clock
            && now < line.at
        {
            stage.look(now);
            clock = now.checked_add(LOOK_EVERY).ok();
        }
        stage.take(line);
        stage.look(line.at);
    }
    stage.played
}

/// A replay on its way.
struct Stage<'a> {
    plan: RecoveryPlan,
    supposed: &'a Supposed,
    known: Known,
    signals: Signals,
    /// The saga was begun.
    begun: bool,
    played: Played,
}

impl<'a> Stage<'a> {
    fn new(plan: &'a RecoveryPlan, supposed: &'a Supposed) -> Self {
        let mut known = Known::default();
        for region in [plan.from.as_str(), plan.to.as_str()] {
            known.add_region(region, region);
        }
        let mut plan = plan.clone();
        plan.declaration.evidence.alerts.extend(supposed.named().iter().map(|name| name.to_lowercase()));
        for name in &plan.declaration.evidence.alerts {
            known.add_named(name, plan.from.as_str());
        }
        let state = Declaration::default();
        let played = Played { heard: Vec::new(), decisions: Vec::new(), last: None, state };
        Self { plan, supposed, known, signals: Signals::default(), begun: false, played }
    }

    fn take(&mut self, line: &Line) {
        let reading = read(line.door, &line.body, &self.known, line.at);
        for (machine, region) in &reading.machines {
            self.known.add_machine(machine, region);
        }
        let taken = self.signals.take(&reading.signals, line.at);
        if reading.whole {
            self.signals.read_whole(line.at);
        }
        self.played.heard.push(Heard {
            line: line.number,
            at: line.at,
            door: line.door,
            signals: reading.signals.into_iter().zip(taken).collect(),
            uncounted: reading.uncounted,
            raw: reading.raw,
        });
    }

    fn look(&mut self, now: Timestamp) {
        self.signals.age(now);
        self.decide(now);
        // What was to begin begins at once; then the saga is what the world shows.
        if self.played.state.phase == Phase::FailingOver && !self.begun {
            self.begun = true;
            self.decide(now);
        }
        if !matches!(self.played.state.phase, Phase::FailingOver | Phase::FailedOver) {
            self.begun = false;
        }
    }

    fn decide(&mut self, now: Timestamp) {
        let opened_at = self.played.state.incident.as_ref().map(|incident| incident.opened_at);
        let assumed = self.supposed.assumed();
        let begun_before = self.played.state.failover_ended_at.is_some();
        // A word is good for one failover.
        let word = self.supposed.word(now).filter(|_| !self.begun && !begun_before);
        let word = word.map(|passes| Word { passes: passes.clone() });
        let facts = Facts {
            signals: &self.signals,
            machines: self.known.machines_in(self.plan.from.as_str()),
            target_machines: self.known.machines_in(self.plan.to.as_str()),
            readiness: self.supposed.readiness(now),
            point_at: self.supposed.point_at(opened_at, now),
            fence: self.supposed.fence(),
            assumed: &assumed,
            rejected: self.supposed.rejected(opened_at, now),
            saga: if self.begun { self.supposed.saga(now) } else { SagaSeen::None },
            saga_began_at: None,
            word: word.as_ref(),
        };
        let (state, decisions) = settle(&self.played.state, &self.plan, &facts, now);
        self.played.state = state;
        for decision in decisions {
            self.keep(&decision);
            self.played.last = Some(decision);
        }
    }

    /// Keeps a decision that says something new: the same request, made again at the next look, is not.
    fn keep(&mut self, decision: &Decision) {
        let asks = decision.act != Act::Nothing;
        let again = self.played.decisions.last().is_some_and(|last| last.act == decision.act && last.to == decision.to);
        if decision.from != decision.to || (asks && !again) {
            self.played.decisions.push(decision.clone());
        }
    }
}

//! One event's worth of a saga: which tasks are begun, which steps are over, when to look again.
//! It never reads facts (`outcome`) and never undoes (`undo`).

use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use jiff::Timestamp;

use super::event::{Effect, Notice, Tag, Way};
use super::progress::{At, Halt, Phase, Progress, StepProgress, TaskProgress};
use super::table::{Does, Lane, Opens, Patience, Runbook, Step, Task, Work, find};
use super::words::{Ask, Begun, End, State, Why, WhyKind};
use super::{FLIGHT_SECS_MAX, MOVES_MAX, SETTLE_SECS, Saga, later, seconds};

/// A saga at work on one event.
pub(super) struct Run<R: Runbook> {
    pub(super) table: Rc<Vec<Lane<R>>>,
    pub(super) saga: Saga<R>,
    pub(super) effects: Vec<Effect<R>>,
    pub(super) now: Timestamp,
}

/// How a step's tasks stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tally {
    /// Some are unfinished.
    Going,
    /// All are done or given up.
    Over,
    /// Some failed, and nothing more happens by itself.
    Failed,
}

/// True when a change of a step of no return has begun, or failed without its being known whether it had.
pub(super) fn passed<R: Runbook>(table: &[Lane<R>], progress: &Progress) -> bool {
    let began = |step: &Step<R>| {
        let tasks = progress.steps.get(&(Way::Forward, step.name.clone())).map(|it| it.tasks.values());
        tasks.into_iter().flatten().any(|task| match task.begun {
            Begun::Yes => true,
            Begun::Perhaps => task.state == State::Failed,
            Begun::No => false,
        })
    };
    table.iter().flat_map(|lane| &lane.steps).any(|step| step.no_return && began(step))
}

impl<R: Runbook> Run<R> {
    pub(super) fn passed(&self) -> bool {
        passed(&self.table, &self.saga.progress)
    }

    pub(super) fn tell(&mut self, notice: Notice) {
        self.effects.push(Effect::Tell(notice));
    }

    /// All that was in flight under another fencing number is looked at again.
    pub(super) fn forget_flights(&mut self) {
        for task in self.saga.progress.steps.values_mut().flat_map(|step| step.tasks.values_mut()) {
            if task.in_flight() {
                (task.state, task.next_at) = (State::Look, self.now);
            }
        }
    }

    /// Draws up the table anew, after something was learned. Tasks that are no longer in it end with that, unless something began.
    pub(super) fn relearn(&mut self) {
        self.table = Rc::new(self.saga.runbook.lanes());
        for ((_, name), progress) in &mut self.saga.progress.steps {
            let tasks = find(&self.table, name).and_then(|(_, _, step)| step.work()).map(|work| &work.tasks);
            let listed = |key: &String| tasks.is_none_or(|tasks| tasks.iter().any(|task| task.key == *key));
            progress.tasks.retain(|key, task| task.finished() || listed(key));
        }
    }

    /// Goes as far as it goes without another answer.
    pub(super) fn advance(&mut self) {
        if self.asks_about_unknown_steps() {
            self.remind();
            self.saga.look_again_at = self.next_look();
            return;
        }
        for _ in 0..MOVES_MAX {
            let moved = match self.saga.progress.phase {
                Phase::Ended(_) => false,
                Phase::Undoing(..) => self.advance_undo(),
                Phase::Forward => self.advance_lanes(),
            };
            if !moved {
                break;
            }
        }
        self.end_when_all_lanes_have();
        self.remind();
        self.saga.look_again_at = self.next_look();
    }

    /// Takes every lane one move further; true when one moved.
    fn advance_lanes(&mut self) -> bool {
        let mut moved = false;
        for lane in 0..self.table.len() {
            moved |= self.advance_lane(lane);
        }
        moved
    }

    fn end_when_all_lanes_have(&mut self) {
        let lanes = &self.saga.progress.lanes;
        if self.saga.progress.phase == Phase::Forward && lanes.iter().all(|lane| !matches!(lane.at, At::Step(_))) {
            let left = lanes.iter().any(|lane| lane.at == At::Left);
            self.end(if left { End::Left } else { End::Done });
        }
    }

    pub(super) fn end(&mut self, end: End) {
        self.saga.progress.phase = Phase::Ended(end);
        self.saga.progress.lanes.iter_mut().for_each(|lane| lane.question = None);
        self.tell(Notice::Ended(end));
    }

    /// Takes one lane further; true when it moved and may move again.
    fn advance_lane(&mut self, lane: usize) -> bool {
        let place = &self.saga.progress.lanes[lane];
        let At::Step(name) = &place.at else { return false };
        let name = name.clone();
        if self.table[lane].opens == Opens::PastNoReturn && !self.passed() {
            return false;
        }
        if lane == 0 && self.saga.progress.halt.is_some() && self.halt(&name) {
            return true;
        }
        if self.saga.progress.lanes[lane].question.as_ref().is_some_and(|question| question.blocks) {
            return false;
        }
        let table = Rc::clone(&self.table);
        let Some((_, at, step)) = find(&table, &name) else { return false };
        if !step.needs.iter().all(|need| self.is_done(need)) {
            return self.asks_about_needs(lane, step);
        }
        let next = table[lane].steps.get(at + 1).map(|step| step.name.clone());
        let now = self.now;
        let began_at = self.step_mut(Way::Forward, &name).began_at;
        match &step.does {
            Does::Wait(wait) if now < later(began_at, *wait) => false,
            Does::Ask(asked) if asked.answered_by.is_none() => self.put_asked(lane, &name, asked),
            Does::Wait(_) | Does::Ask(_) => self.step_over(lane, &name, next),
            Does::Work(work) => match self.advance_work(Way::Forward, step, work) {
                Tally::Over => self.step_over(lane, &name, next),
                Tally::Failed => self.step_failed(lane, step, work),
                Tally::Going => self.asks_meanwhile(lane, &name, work, began_at),
            },
        }
    }

    /// True when the step is over and every task of it done: one that was given up does not count for those that need it.
    pub(super) fn is_done(&self, name: &str) -> bool {
        let step = self.saga.progress.steps.get(&(Way::Forward, name.to_string()));
        step.is_some_and(|step| step.over && step.tasks.values().all(|task| task.state == State::Done))
    }

    /// True when the step is over.
    pub(super) fn is_over(&self, name: &str) -> bool {
        self.saga.progress.steps.get(&(Way::Forward, name.to_string())).is_some_and(|step| step.over)
    }

    pub(super) fn step_mut(&mut self, way: Way, name: &str) -> &mut StepProgress {
        let now = self.now;
        self.saga.progress.steps.entry((way, name.to_string())).or_insert_with(|| StepProgress::new(now))
    }

    /// Ends a step and goes to the next one.
    pub(super) fn step_over(&mut self, lane: usize, name: &str, next: Option<String>) -> bool {
        self.step_mut(Way::Forward, name).over = true;
        self.tell(Notice::StepDone(name.to_string()));
        if let Some(question) = self.saga.progress.lanes[lane].question.take() {
            self.tell(Notice::Withdrawn(question.number));
        }
        self.saga.progress.lanes[lane].at = next.map_or(At::Finished, At::Step);
        true
    }

    /// What an order to stop, or the region's return, comes to. True when it is settled.
    fn halt(&mut self, name: &str) -> bool {
        let Some(halt) = self.saga.progress.halt.clone() else { return false };
        if self.passed() {
            self.saga.progress.halt = None;
            self.tell(match halt {
                Halt::Abort(_) => Notice::OrderRefused(super::OrderRefused::PastNoReturn),
                Halt::Recovered => Notice::GoesOnThoughRecovered,
            });
            return true;
        }
        if self.uncertain(name) {
            return false;
        }
        match halt {
            Halt::Abort(by) => {
                self.saga.progress.halt = None;
                self.begin_undo(Why::with(WhyKind::Aborted, &by));
                true
            }
            Halt::Recovered => {
                // It stays until it is answered: nothing is begun meanwhile.
                let standing = self.saga.progress.lanes[0].question.as_ref().map(|question| question.ask);
                if standing != Some(Ask::Recovered) {
                    self.put_recovered(name);
                }
                false
            }
        }
    }

    /// True while it is not known whether something that was sent for this step was accepted.
    pub(super) fn uncertain(&self, name: &str) -> bool {
        let no_return = find(&self.table, name).is_some_and(|(_, _, step)| step.no_return);
        let step = self.saga.progress.steps.get(&(Way::Forward, name.to_string()));
        step.into_iter().flat_map(|step| step.tasks.values()).any(|task| {
            let settles_at = task.last_sent.map(|sent| later(sent, seconds(SETTLE_SECS)));
            let perhaps = task.begun == Begun::Perhaps && task.state != State::Failed;
            task.state == State::Changing || perhaps && (no_return || settles_at.is_some_and(|at| self.now < at))
        })
    }

    /// True when nothing more may be begun in a step forward: it shall stop, or a task of it failed and all may yet be undone.
    pub(super) fn held(&self, name: &str) -> bool {
        let failed = |step: &StepProgress| step.tasks.values().any(|task| task.state == State::Failed);
        let step = self.saga.progress.steps.get(&(Way::Forward, name.to_string()));
        !self.passed() && (self.saga.progress.halt.is_some() || step.is_some_and(failed))
    }

    /// Begins what may be begun and looks at what is due.
    pub(super) fn advance_work(&mut self, way: Way, step: &Step<R>, work: &Work<R>) -> Tally {
        let held = way == Way::Forward && self.held(&step.name);
        let mut tasks: Vec<&Task<R>> = work.tasks.iter().collect();
        if way == Way::Back {
            tasks.retain(|task| task.undo.is_some());
            tasks.reverse();
        }
        let now = self.now;
        let (mut all, mut any_failed, mut any_going) = (true, false, false);
        let begun = |it: &StepProgress| it.tasks.values().filter(|task| !task.finished()).count();
        let mut unfinished = begun(self.step_mut(way, &step.name));
        for task in tasks {
            let progress = self.step_mut(way, &step.name);
            if !progress.tasks.contains_key(&task.key) {
                if held || unfinished >= work.at_once.max(1) {
                    all = false;
                    continue;
                }
                progress.tasks.insert(task.key.clone(), TaskProgress::new(now));
                unfinished += 1;
            }
            self.look_if_due(way, &step.name, task);
            let state = self.step_mut(way, &step.name).tasks[&task.key].state;
            any_failed |= state == State::Failed;
            any_going |= !matches!(state, State::Done | State::Failed | State::GivenUp);
        }
        match (any_failed, any_going) {
            (true, false) if all || held => Tally::Failed,
            // While a failure holds back the others, those that were begun only settle what was sent.
            (true, true) if held && !self.uncertain(&step.name) => Tally::Failed,
            (false, false) if all => Tally::Over,
            _ => Tally::Going,
        }
    }

    /// Sends a look at a task whose time has come.
    fn look_if_due(&mut self, way: Way, step: &str, task: &Task<R>) {
        let (now, epoch) = (self.now, self.saga.progress.epoch);
        let Some(progress) = self.step_mut(way, step).tasks.get_mut(&task.key) else { return };
        if progress.finished() || now < progress.next_at {
            return;
        }
        progress.state = State::Looking;
        progress.number += 1;
        progress.next_at = later(now, seconds(FLIGHT_SECS_MAX));
        let tag = Tag { epoch, step: step.to_string(), task: task.key.clone(), way, number: progress.number };
        let look = match (way, &task.undo) {
            (Way::Back, Some((look, _))) => look,
            _ => &task.look,
        };
        self.effects.push(Effect::Look(tag, look.clone()));
    }

    /// The earliest moment at which anything can happen by itself.
    fn next_look(&self) -> Option<Timestamp> {
        let progress = &self.saga.progress;
        if self.saga.ended() {
            return None;
        }
        let reminders = self.saga.questions().map(|question| question.remind_at);
        let tasks = self
            .open_steps()
            .into_iter()
            .flat_map(|key| progress.steps.get(&key))
            .flat_map(|step| step.tasks.values().filter(|task| !task.finished()).map(|task| task.next_at));
        reminders.chain(tasks).chain(self.waits()).min()
    }

    /// The steps that are worked at.
    fn open_steps(&self) -> Vec<(Way, String)> {
        match &self.saga.progress.phase {
            Phase::Undoing(_, at) => alloc::vec![(Way::Back, at.clone())],
            Phase::Ended(_) => Vec::new(),
            Phase::Forward => {
                let passed = self.passed();
                let opens = self.table.iter().map(|lane| passed || lane.opens == Opens::AtOnce);
                let open =
                    self.saga.progress.lanes.iter().zip(opens).filter(|(lane, opens)| {
                        *opens && !lane.question.as_ref().is_some_and(|question| question.blocks)
                    });
                let at = open.filter_map(|(lane, _)| match &lane.at {
                    At::Step(name) => Some((Way::Forward, name.clone())),
                    At::Finished | At::Left => None,
                });
                at.collect()
            }
        }
    }

    /// When waits of the table are over, and when somebody is asked about a watch.
    fn waits(&self) -> Vec<Timestamp> {
        let wait = |(way, name): (Way, String)| {
            let began_at = self.saga.progress.steps.get(&(way, name.clone()))?.began_at;
            match &find(&self.table, &name)?.2.does {
                Does::Wait(wait) => Some(later(began_at, *wait)),
                Does::Work(Work { patience: Patience::Watches(after, _), .. }) => {
                    Some(later(began_at, *after)).filter(|at| *at > self.now)
                }
                Does::Work(_) | Does::Ask(_) => None,
            }
        };
        self.open_steps().into_iter().filter_map(wait).collect()
    }
}

//! Orders and answers of people, and the news that the region came back.
//! It never checks who a person is: whoever hands an order over has done that.

use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::event::{Notice, OrderRefused, Way};
use super::progress::{At, Halt, Phase, Question};
use super::run::Run;
use super::table::{Does, Runbook, find};
use super::words::{Ask, Choice, End, State, Why, WhyKind};

impl<R: Runbook> Run<R> {
    fn refuse(&mut self, why: OrderRefused) {
        self.tell(Notice::OrderRefused(why));
    }

    /// A person orders it to be undone: taken at once or when all that was sent is answered for; refused past the point of no return.
    pub(super) fn abort(&mut self, by: String) {
        match self.saga.progress.phase {
            Phase::Ended(_) => self.refuse(OrderRefused::Ended),
            Phase::Undoing(..) => self.refuse(OrderRefused::UndoingAlready),
            Phase::Forward if self.passed() => self.refuse(OrderRefused::PastNoReturn),
            Phase::Forward => self.saga.progress.halt = Some(Halt::Abort(by)),
        }
    }

    /// The region came back: before the point of no return the saga stops and asks; after it, it goes on.
    pub(super) fn recovered(&mut self) {
        let under_way = matches!(self.saga.progress.lanes[0].at, At::Step(_));
        match self.saga.progress.phase {
            Phase::Forward if self.passed() && under_way => self.tell(Notice::GoesOnThoughRecovered),
            Phase::Forward if self.saga.progress.halt.is_none() && under_way => {
                self.saga.progress.halt = Some(Halt::Recovered);
            }
            Phase::Forward | Phase::Undoing(..) | Phase::Ended(_) => {}
        }
    }

    /// A person answers a question.
    pub(super) fn answer(&mut self, number: u32, choice: Choice, pick: Option<&R::Pick>, by: String) {
        if self.saga.ended() {
            return self.refuse(OrderRefused::Ended);
        }
        let standing = |question: &Option<Question>| question.as_ref().is_some_and(|it| it.number == number);
        let Some(lane) = self.saga.progress.lanes.iter().position(|lane| standing(&lane.question)) else {
            return self.refuse(OrderRefused::NoSuchQuestion);
        };
        let Some(question) = self.saga.progress.lanes[lane].question.clone() else { return };
        if !question.choices.contains(&choice) {
            return self.refuse(OrderRefused::NotOffered);
        }
        match choice {
            Choice::FailBack => return self.refuse(OrderRefused::FailbackNotBuilt),
            Choice::Undo if self.passed() => return self.refuse(OrderRefused::PastNoReturn),
            Choice::AnotherPoint => {
                let tasks = self.failed(&question.step);
                if !pick.is_some_and(|pick| self.saga.runbook.pick(pick, &question.step, &tasks)) {
                    return self.refuse(OrderRefused::PickMissing);
                }
            }
            Choice::GoOn | Choice::Again | Choice::Undo | Choice::End => {}
        }
        if !self.passed() {
            self.saga.runbook.heard();
        }
        self.relearn();
        self.saga.progress.lanes[lane].question = None;
        self.tell(Notice::Answered { question: number, choice, by: by.clone() });
        match choice {
            Choice::GoOn => self.go_on(lane, &question),
            Choice::Again => self.again(&question.step),
            Choice::AnotherPoint => self.with_another(lane, &question.step),
            Choice::Undo => {
                self.saga.progress.halt = None;
                let why = match question.ask {
                    Ask::Recovered => WhyKind::Recovered.into(),
                    _ => Why::with(WhyKind::Aborted, &by),
                };
                self.begin_undo(why);
            }
            // Where the first lane is left, nothing can be said of what comes after it.
            Choice::End if lane == 0 => self.end(End::Left),
            Choice::End => self.saga.progress.lanes[lane].at = At::Left,
            Choice::FailBack => {}
        }
    }

    /// The direction that the saga goes in.
    fn way(&self) -> Way {
        match self.saga.progress.phase {
            Phase::Undoing(..) => Way::Back,
            Phase::Forward | Phase::Ended(_) => Way::Forward,
        }
    }

    fn failed(&self, step: &str) -> Vec<String> {
        let step = self.saga.progress.steps.get(&(self.way(), step.to_string()));
        let tasks = step.into_iter().flat_map(|step| &step.tasks);
        tasks.filter(|(_, task)| task.state == State::Failed).map(|(key, _)| key.clone()).collect()
    }

    /// On without what failed, or past the table's question.
    fn go_on(&mut self, lane: usize, question: &Question) {
        if question.ask == Ask::Recovered {
            self.saga.progress.halt = None;
            return;
        }
        let (way, given_up) = (self.way(), self.failed(&question.step));
        let table = Rc::clone(&self.table);
        let Some((_, at, step)) = find(&table, &question.step) else { return };
        let next = table[lane].steps.get(at + 1).map(|step| step.name.clone());
        let work = match &step.does {
            Does::Work(work) => work,
            Does::Ask(_) | Does::Wait(_) => {
                self.step_over(lane, &question.step, next);
                return;
            }
        };
        for key in &given_up {
            if let Some(task) = self.step_mut(way, &question.step).tasks.get_mut(key) {
                task.state = State::GivenUp;
            }
            if let Some(task) = work.tasks.iter().find(|task| task.key == *key && way == Way::Forward) {
                self.saga.runbook.gave_up(&task.look);
            }
        }
        self.relearn();
    }

    /// What failed is tried again, from a look on, with attempts and time of its own. Whether the old attempts began stays open.
    fn again(&mut self, step: &str) {
        let (now, way) = (self.now, self.way());
        for task in self.step_mut(way, step).tasks.values_mut().filter(|task| task.state != State::Done) {
            if task.state == State::Failed {
                (task.state, task.next_at, task.attempts, task.why) = (State::Look, now, 0, None);
                task.first_sent = None;
            }
            task.since = now;
        }
    }

    /// With another recovery point: back to the step that changes it, or what failed is tried again.
    fn with_another(&mut self, lane: usize, step: &str) {
        let asked = find(&self.table, step).and_then(|(_, _, step)| match &step.does {
            Does::Ask(asked) => asked.another.clone(),
            Does::Work(_) | Does::Wait(_) => None,
        });
        let Some(back) = asked else { return self.again(step) };
        let steps = self.table[lane].steps.iter().map(|step| step.name.clone());
        let again: Vec<String> = steps.skip_while(|name| *name != back).take_while(|name| name != step).collect();
        for name in again.into_iter().chain([step.to_string()]) {
            self.saga.progress.steps.remove(&(Way::Forward, name));
        }
        self.saga.progress.lanes[lane].at = At::Step(back);
    }
}

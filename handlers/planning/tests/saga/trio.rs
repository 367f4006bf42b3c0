//! What every step table must stand: each step repeated, each step failed in turn and unwound, each undo repeated.
//! It knows no saga.

use std::rc::Rc;

use lifeboat_planning::saga::{
    Ask, At, Begun, Choice, Does, End, Lane, Patience, Phase, Question, Runbook, Saga, Step, Way, WhyKind,
};

use crate::harness::{Driver, Fault, Planted, World, goes_on};

type Table<W> = Vec<Lane<<W as World>::Book>>;

/// The table once all has been learned that a clean run learns, and the run.
pub fn clean<W: World>(world: &W) -> (Table<W>, Driver<W>) {
    let mut driver = Driver::new(world.clone());
    driver.run();
    assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Done), "{}", driver.saga.to_text());
    (driver.saga.runbook.lanes(), driver)
}

/// Does each step again, right after it is over. Returns how many.
pub fn each_step_repeated<W: World>(world: &W) -> usize {
    let (table, clean) = clean(world);
    let mut repeated = 0;
    for (lane, steps) in table.iter().enumerate().map(|(at, lane)| (at, &lane.steps)) {
        for step in steps {
            let mut driver = Driver::new(world.clone());
            driver.run_until(|driver| driver.over(Way::Forward, &step.name));
            driver.saga.progress.steps.remove(&(Way::Forward, step.name.clone()));
            driver.saga.progress.lanes[lane].at = At::Step(step.name.clone());
            driver.saga.progress.lanes[lane].question = None;
            if let Phase::Ended(_) = driver.saga.progress.phase {
                driver.saga.progress.phase = Phase::Forward;
            }
            driver.dies_saved();
            driver.run();
            assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Done), "{}", step.name);
            assert_eq!(driver.world.state(), clean.world.state(), "{} was not the same twice", step.name);
            repeated += 1;
        }
    }
    repeated
}

/// The tasks of a table's steps, each with what can go wrong with it.
fn faults<R: Runbook>(table: &[Lane<R>]) -> Vec<(usize, &Step<R>, String, Fault)> {
    let mut all = Vec::new();
    for (lane, step) in table.iter().enumerate().flat_map(|(at, lane)| lane.steps.iter().map(move |step| (at, step))) {
        let tasks = step.work().into_iter().flat_map(|work| &work.tasks);
        for task in tasks {
            let changing = [Fault::Refused, Fault::Lies, Fault::Lost];
            let of_change = changing.into_iter().filter(|_| task.change.is_some());
            all.extend(of_change.chain([Fault::Blind]).map(|fault| (lane, step, task.key.clone(), fault)));
        }
    }
    all
}

/// A person who undoes at this step where that is offered, says nothing to its failure, and else goes on.
fn undoes(question: &Question, step: &str) -> Option<Choice> {
    match question.ask {
        Ask::Failed => None,
        _ if question.choices.contains(&Choice::Undo) && question.step == step => Some(Choice::Undo),
        _ => goes_on(question),
    }
}

/// Has each task of each step fail, in each way, for good. Before the point of no return all must be as it was; after it a question must
/// stand, and once the fault is gone, "again" must lead to the end. Returns how many were undone and how many asked.
pub fn each_step_failed<W: World>(world: &W) -> (usize, usize) {
    let (table, clean) = clean(world);
    let (mut undone, mut asked) = (0, 0);
    for (lane, step, task, fault) in faults(&table) {
        let named = format!("{} of {task}: {fault:?}", step.name);
        let mut driver = Driver::new(world.clone());
        let name = step.name.clone();
        driver.person = Rc::new(move |question| undoes(question, &name));
        driver.planted.push(Planted { step: step.name.clone(), task, way: Way::Forward, fault, times: u32::MAX });
        driver.run_until(|driver| {
            driver.saga.questions().any(|it| it.step == step.name && undoes(it, &step.name).is_none())
        });
        if driver.planted[0].times == u32::MAX {
            // It had nothing to strike: what the step is for was so already.
            assert_ne!(fault, Fault::Blind, "{named}: never looked at");
            continue;
        }
        let work = step.work().expect("a step with tasks");
        let goes_on_anyway = matches!(work.patience, Patience::GivesUp(_)) && fault != Fault::Refused;
        match &driver.saga.progress.phase {
            Phase::Ended(End::Undone) => {
                assert_eq!(lane, 0, "{named}: only the first lane is undone");
                assert_eq!(driver.world.state(), world.state(), "{named}: undone, and not as it was");
                assert!(!driver.saga.past_no_return() || begun_by_nobody(&driver.saga, step), "{named}");
                undone += 1;
            }
            Phase::Ended(End::Done) if goes_on_anyway => {}
            Phase::Forward => {
                assert!(lane > 0 || driver.saga.past_no_return(), "{named}: it asks where it could undo");
                driver.planted.clear();
                driver.person = Rc::new(again);
                driver.run();
                assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Done), "{named}\n{}", driver.saga.to_text());
                assert_eq!(driver.world.state(), clean.world.state(), "{named}: it ended otherwise than a clean run");
                asked += 1;
            }
            other => panic!("{named}: {other:?}"),
        }
    }
    (undone, asked)
}

fn again(question: &Question) -> Option<Choice> {
    let again = question.choices.contains(&Choice::Again);
    question.blocks.then(|| if again { Choice::Again } else { question.choices[0] })
}

fn begun_by_nobody<R: Runbook>(saga: &Saga<R>, step: &Step<R>) -> bool {
    let tasks = saga.progress.steps.get(&(Way::Forward, step.name.clone())).map(|step| step.tasks.values());
    tasks.into_iter().flatten().all(|task| task.begun == Begun::No)
}

/// Undoes each step that has an undo: when it never happened, when it happened, and twice. Returns how many.
pub fn each_undo_repeated<W: World>(world: &W) -> usize {
    let (table, _) = clean(world);
    let mut repeated = 0;
    let undoable = table[0]
        .steps
        .iter()
        .filter(|step| step.work().is_some_and(|work| work.tasks.iter().any(|task| task.undo.is_some())));
    for step in undoable {
        // Never begun.
        let mut driver = Driver::new(world.clone());
        turn_round(&mut driver, &step.name);
        driver.run();
        assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Undone), "{}", step.name);
        assert_eq!(driver.world.state(), world.state(), "{}: undone though it never happened", step.name);
        // Done, then undone, and undone again.
        let mut driver = Driver::new(world.clone());
        driver.run_until(|driver| driver.saga.progress.lanes[0].at == At::Step(step.name.clone()));
        let before = driver.world.state();
        driver.run_until(|driver| driver.over(Way::Forward, &step.name));
        // In a world where the step could not be done there is nothing to undo; it is undone all the same.
        repeated += usize::from(driver.world.state() != before);
        driver.person = Rc::new(again);
        for round in ["once", "twice"] {
            driver.told.clear();
            turn_round(&mut driver, &step.name);
            driver.run_until(|driver| driver.over(Way::Back, &step.name));
            assert!(driver.over(Way::Back, &step.name), "{} is not undone {round}", step.name);
            assert_eq!(driver.world.state(), before, "{} undone {round}", step.name);
        }
    }
    repeated
}

/// Has a saga undo from a step on, whatever it thinks of that.
fn turn_round<W: World>(driver: &mut Driver<W>, step: &str) {
    let progress = &mut driver.saga.progress;
    progress.steps.retain(|(way, _), _| *way == Way::Forward);
    progress.phase = Phase::Undoing(WhyKind::Aborted.into(), step.to_string());
    progress.lanes.iter_mut().for_each(|lane| lane.question = None);
    driver.dies_saved();
}

/// Every lane's steps have names of their own, none of which changes with what was learned.
pub fn names_are_stable<W: World>(world: &W) {
    let names = |table: &Table<W>| -> Vec<String> {
        table.iter().flat_map(|lane| &lane.steps).map(|step| step.name.clone()).collect()
    };
    let (after, _) = clean(world);
    let before = names(&world.book().lanes());
    assert_eq!(before, names(&after), "a step's name depends on what was learned");
    let mut unique = before.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), before.len(), "two steps have one name");
    for step in after.iter().flat_map(|lane| &lane.steps) {
        if let Does::Work(work) = &step.does {
            let mut keys: Vec<_> = work.tasks.iter().map(|task| &task.key).collect();
            keys.sort();
            keys.dedup();
            assert_eq!(keys.len(), work.tasks.len(), "{}: two tasks have one key", step.name);
        }
        for need in &step.needs {
            assert!(before.contains(need), "{} needs {need}, which is no step", step.name);
        }
    }
}

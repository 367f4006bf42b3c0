//! A step table as a runbook that a person could follow by hand, and how far a saga is in it.
//! It never decides.

use alloc::string::String;
use core::fmt::{self, Write};

use super::Saga;
use super::event::Way;
use super::progress::{At, Phase, StepProgress};
use super::table::{Does, Lane, Opens, Patience, Runbook, Step, Work};
use super::words::State;

/// The runbook of a saga; with its progress beside each step that was begun.
pub fn print<R: Runbook>(saga: &Saga<R>) -> String {
    let mut text = String::new();
    // Writing into a text does not fail.
    let _ = whole(&mut text, saga);
    text
}

fn whole<R: Runbook>(text: &mut String, saga: &Saga<R>) -> fmt::Result {
    writeln!(text, "{}, table {}", R::NAME, R::VERSION)?;
    match &saga.progress.phase {
        Phase::Forward => {}
        Phase::Undoing(why, at) => writeln!(text, "being undone, at {at}, because {why}")?,
        Phase::Ended(end) => writeln!(text, "ended: {end}")?,
    }
    for (lane, place) in saga.runbook.lanes().iter().zip(&saga.progress.lanes) {
        lane_text(text, saga, lane, &place.at)?;
        if let Some(question) = &place.question {
            writeln!(text, "\n    ? {question}")?;
        }
    }
    Ok(())
}

fn lane_text<R: Runbook>(text: &mut String, saga: &Saga<R>, lane: &Lane<R>, at: &At) -> fmt::Result {
    let opens = match lane.opens {
        Opens::AtOnce => "at once",
        Opens::PastNoReturn => "beside it, from the point of no return on",
    };
    writeln!(text, "\n{} ({opens})", lane.name)?;
    for (number, step) in lane.steps.iter().enumerate() {
        let begun = saga.progress.steps.get(&(Way::Forward, step.name.clone()));
        let here = matches!(at, At::Step(name) if *name == step.name);
        let mark = match begun {
            Some(begun) if begun.over => "x",
            Some(_) if here => ">",
            _ => " ",
        };
        writeln!(text, "\n{mark} {:>2}. {}", number + 1, step.name)?;
        if !step.needs.is_empty() {
            writeln!(text, "      after   {}", step.needs.join(", "))?;
        }
        step_text(text, step, begun)?;
        if step.no_return {
            writeln!(text, "      ══ point of no return: once one of these was accepted, nothing is undone any more")?;
        }
    }
    Ok(())
}

fn step_text<R: Runbook>(text: &mut String, step: &Step<R>, begun: Option<&StepProgress>) -> fmt::Result {
    match &step.does {
        Does::Wait(wait) => writeln!(text, "      wait    {} s", wait.as_secs()),
        Does::Ask(asked) => {
            write!(text, "      ask     {}", asked.ask)?;
            if !asked.words.is_empty() {
                write!(text, " ({})", asked.words)?;
            }
            for (at, choice) in asked.choices.iter().enumerate() {
                write!(text, "{}{choice}", if at == 0 { ": " } else { "; " })?;
            }
            if let Some(by) = &asked.answered_by {
                write!(text, " [answered with the order by {by}]")?;
            }
            writeln!(text)
        }
        Does::Work(work) => work_text(text, work, begun),
    }
}

fn work_text<R: Runbook>(text: &mut String, work: &Work<R>, begun: Option<&StepProgress>) -> fmt::Result {
    if work.tasks.is_empty() {
        return writeln!(text, "      nothing, unless it is asked for");
    }
    for task in &work.tasks {
        let progress = begun.and_then(|step| step.tasks.get(&task.key));
        let mut marked = |word: &str, what: &dyn fmt::Display, shown: bool| {
            write!(text, "      {word:<7} {what}")?;
            match progress {
                Some(progress) if shown => match (&progress.why, progress.state) {
                    (Some(why), State::Failed | State::GivenUp) => writeln!(text, " [{}: {why}]", progress.state),
                    _ => writeln!(text, " [{}]", progress.state),
                },
                _ => writeln!(text),
            }
        };
        if let Some(change) = &task.change {
            marked("do", change, false)?;
        }
        marked("verify", &task.look, true)?;
        if let Some((_, undo)) = &task.undo {
            marked("undo", undo, false)?;
        }
    }
    if let Some(usually) = work.usually.filter(|usually| usually.is_positive()) {
        writeln!(text, "      usually {} s each", usually.as_secs())?;
    }
    match work.patience {
        Patience::Fails(bound) => writeln!(text, "      within  {} s each, {} at once", bound.as_secs(), work.at_once),
        Patience::GivesUp(bound) => writeln!(
            text,
            "      within  {} s each, {} at once; then it goes on without, as was accepted",
            bound.as_secs(),
            work.at_once
        ),
        Patience::Watches(after, ask) => {
            writeln!(text, "      watches until it is done; after {} s also asks: {ask}", after.as_secs())
        }
    }
}

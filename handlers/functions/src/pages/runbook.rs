//! The step table of a failover, as a person would follow it by hand: how each step stands, since when, and what is in it.
//! It never hides a step; of many things in one it tells first those that are not done.

use std::borrow::Cow;

use jiff::Timestamp;
use lifeboat_execution::saga::shown::{DoesShown, LaneShown, Shown, Stands, StepShown, StepStands, TaskShown};
use lifeboat_planning::saga::Opens;
use maud::{Markup, html};

use super::parts::{Tone, aged, aged_or, of_step, of_thing, span, state};

/// Things of one step that are told, at most: a group may have a hundred members, and a person reads those that are not done.
const TOLD_MAX: usize = 30;

/// All lanes.
pub fn lanes(shown: &Shown, now: Timestamp) -> Markup {
    html! { @for lane in &shown.lanes { (of_lane(lane, now)) } }
}

fn of_lane(lane: &LaneShown, now: Timestamp) -> Markup {
    html! {
        h3 {
            (lane.name)
            @if lane.opens == Opens::PastNoReturn { " (beside it, from the point of no return on)" }
        }
        ol.steps {
            @for (number, step) in lane.steps.iter().enumerate() {
                @let (words, tone) = how(step);
                li.(tone.class()) {
                    p {
                        span.name { (number + 1) ". " (step.name) } " " (state(&words, tone))
                        @if let Some(since) = step.since { span.quiet { " began " (aged(since, now)) } }
                    }
                    (does(step, now))
                    @if step.no_return { (no_return(step)) }
                }
            }
        }
    }
}

/// How a step stands: what was gone on without is told with it.
fn how(step: &StepShown) -> (Cow<'static, str>, Tone) {
    let without = match &step.does {
        DoesShown::Tasks(tasks) => tasks.iter().filter(|task| task.stands == Stands::GivenUp).count(),
        DoesShown::Wait(..) | DoesShown::Ask(..) => 0,
    };
    match (step.stands, without) {
        (StepStands::Done, 1..) => (format!("over, {without} gone on without").into(), Tone::Warn),
        (stands, _) => (stands.words().into(), of_step(stands)),
    }
}

/// The point of no return, as far as the step tells whether it is passed.
fn no_return(step: &StepShown) -> Markup {
    html! {
        p.noreturn {
            @if step.stands == StepStands::Done { "Point of no return, which is passed: nothing is undone any more" }
            @else { "Point of no return: once one of these was accepted, nothing is undone any more" }
        }
    }
}

fn does(step: &StepShown, now: Timestamp) -> Markup {
    html! {
        @if !step.needs.is_empty() && matches!(step.stands, StepStands::NotYet | StepStands::Waits) {
            p.quiet { "After: " (step.needs.join(", ")) }
        }
        @match &step.does {
            DoesShown::Wait(wait, until) => p.quiet {
                "Waits " (span(*wait))
                @if let (Some(until), StepStands::Going) = (until, step.stands) { ", until " (aged(*until, now)) }
            },
            DoesShown::Ask(ask, words, answered_by) => p.quiet {
                "Asks: " (ask)
                @if !words.is_empty() { " (" (words) ")" }
                @if let Some(by) = answered_by { "; answered with the order by " code { (by) } }
            },
            DoesShown::Tasks(tasks) if tasks.is_empty() => p.quiet { "Nothing, unless it is asked for" },
            DoesShown::Tasks(all) => (tasks(step, all, now)),
        }
    }
}

fn tasks(step: &StepShown, all: &[TaskShown], now: Timestamp) -> Markup {
    let is_open = matches!(
        step.stands,
        StepStands::Going | StepStands::Failed | StepStands::Asks | StepStands::Undoing | StepStands::Left
    );
    let (done, open): (Vec<&TaskShown>, Vec<&TaskShown>) = all.iter().partition(|task| is_settled(task.stands));
    let more = all.len().saturating_sub(TOLD_MAX);
    html! {
        details open[is_open] {
            summary { (summary(step, all)) }
            div.wide {
                table.stack {
                    thead {
                        tr {
                            th scope="col" { "What" } th scope="col" { "State" }
                            th scope="col" { "Since" } th scope="col" { "Sent" }
                        }
                    }
                    tbody { @for task in open.into_iter().chain(done).take(TOLD_MAX) { (row(task, now)) } }
                }
            }
            @if more > 0 { p.quiet { "and " (more) " more" } }
        }
    }
}

fn row(task: &TaskShown, now: Timestamp) -> Markup {
    html! {
        tr {
            td {
                @if let Some(change) = &task.change { (change) br; span.quiet { "until " (task.verify) } }
                @else { (task.verify) }
                @if let Some(why) = &task.why { br; strong { (why) } }
            }
            td data-of="State" { (state(task.stands.words(), of_thing(task.stands))) }
            td data-of="Since" { (aged_or(task.since, now, "–")) }
            td data-of="Sent" {
                @match task.attempts { 0 => "–", 1 => "once", times => { (times) " times" } }
            }
        }
    }
}

/// How many of a step's things stand how.
fn summary(step: &StepShown, all: &[TaskShown]) -> String {
    let count = |is: &[Stands]| all.iter().filter(|task| is.contains(&task.stands)).count();
    let mut parts = vec![match step.stands {
        StepStands::Undone | StepStands::Undoing => {
            format!("{} of {} undone", count(&[Stands::Undone]), all.len())
        }
        _ => format!("{} of {} done", count(&[Stands::Done]), all.len()),
    }];
    for (stands, word) in [
        (Stands::Going, "under way"),
        (Stands::Failed, "failed"),
        (Stands::GivenUp, "gone on without"),
        (Stands::NotUndone, "could not be undone"),
    ] {
        let found = count(&[stands]);
        if found > 0 {
            parts.push(format!("{found} {word}"));
        }
    }
    parts.join(", ")
}

/// True where nothing more is to be seen of it.
const fn is_settled(stands: Stands) -> bool {
    matches!(stands, Stands::Done | Stands::Undone)
}

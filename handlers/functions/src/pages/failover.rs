//! A failover: what it waits for, what it moves from where to where, and its steps.
//! It never says more than the saga's last save and the records beside it.

use jiff::Timestamp;
use lifeboat_execution::saga::shown::{GroupShown, MemberShown, Shown, Stands, TrafficShown};
use lifeboat_execution::views::{Failover, View};
use lifeboat_planning::declaration::Phase as Declared;
use lifeboat_planning::saga::failover::PointChoice;
use lifeboat_planning::saga::{Choice, End, Halt, Phase, Question};
use maud::{Markup, html};

use super::parts::{Tone, aged, aged_or, command, link, of_thing, state};
use super::{orders, region, runbook};

/// The body of the page.
pub fn body(failover: &Failover, now: Timestamp) -> Markup {
    let links = html! {
        p {
            (link(&View::Recovery(failover.plan.clone()), "The recovery plan, with its readiness"))
            @if let Some(declared) = &failover.declared {
                " · " (link(&View::Region(declared.from.clone()), &format!("The evidence about {}", declared.from)))
            }
        }
    };
    html! {
        @if let Some(stop) = &failover.stopped {
            div.box.bad {
                p { strong { "All changes are stopped" } " since " (aged(stop.stopped_at, now)) ": " (stop.reason) }
                p { "A failover rests meanwhile. A person with a name lets it go on:" }
                pre { code { "lifeboat resume --reason 'why, in your words'" } }
            }
        }
        @for what in &failover.not_read { div.box.warn { p { (what) } } }
        @match &failover.shown {
            Some(shown) => (running(shown, now)),
            None => (none(failover)),
        }
        (region::awaited(failover.declared.as_ref(), &failover.waiting, now))
        (links)
    }
}

fn none(failover: &Failover) -> Markup {
    let begins = failover.declared.as_ref().is_some_and(|one| one.phase == Declared::FailingOver);
    html! {
        p.lead { "No failover of this recovery plan was ever begun." }
        @if begins { p { "One is about to begin." } }
        @if let Some(order) = orders::fail_over(&failover.plan, &[]) {
            (command("This shows what one would do and lose, and orders it once you typed the recovery plan's name", &order))
        }
    }
}

fn running(shown: &Shown, now: Timestamp) -> Markup {
    html! {
        (stands(shown, now))
        @for question in shown.questions() { (asked(shown, question, now)) }
        h2 { "What moves" }
        (sides(shown))
        (groups(&shown.groups, now))
        (told(&shown.groups))
        (traffic(&shown.traffic))
        h2 { "The steps, in their order" }
        (runbook::lanes(shown, now))
        (ways_out(shown))
        h2 { "The order" }
        dl {
            dt { "Failover" } dd { code { (shown.id) } }
            dt { "Begun" } dd { (aged(shown.began_at, now)) }
            dt { "The source stopped serving" } dd { (aged(shown.stopped_serving_at, now)) }
            dt { "Recovery point" } dd { (point(shown.point)) }
        }
    }
}

/// Where it stands, in a sentence.
fn stands(shown: &Shown, now: Timestamp) -> Markup {
    let back = if shown.past_no_return {
        "It is past the point of no return: nothing is undone any more."
    } else {
        "It is before the point of no return: all of it can still be undone."
    };
    html! {
        p.lead {
            (shown.from) " → " (shown.to) ": "
            @match &shown.phase {
                Phase::Forward if shown.questions().any(|question| question.blocks) => {
                    (state("waits for a person", Tone::Warn))
                }
                Phase::Forward => (state("under way", Tone::Go)),
                Phase::Undoing(..) => (state("being undone", Tone::Warn)),
                Phase::Ended(End::Done) => (state("done", Tone::Good)),
                Phase::Ended(End::Undone) => (state("undone", Tone::Warn)),
                Phase::Ended(End::Left) => (state("left to people", Tone::Bad)),
            }
        }
        @match &shown.phase {
            Phase::Forward => p { "Since " (aged(shown.began_at, now)) ". " (back) },
            Phase::Undoing(why, _) => p { "It is being undone, because: " (why) "." },
            Phase::Ended(end) => p { "It ended " (aged_or(shown.ended_at, now, "")) ": " (end) "." },
        }
        @match &shown.halt {
            Some(Halt::Abort(by)) => p {
                "An order to undo it was taken from " code { (by) } ": nothing more is sent, and it is decided as soon as all that was \
                 sent is answered for."
            },
            Some(Halt::Recovered) => p { "The region came back: it stops, and asks as soon as all that was sent is answered for." },
            None => {}
        }
        @if let Some(next) = shown.look_again_at { p.quiet { "It is looked at next " (aged(next, now)) "." } }
    }
}

/// A question, and the command for each answer.
fn asked(shown: &Shown, question: &Question, now: Timestamp) -> Markup {
    let steps = shown.lanes.iter().flat_map(|lane| &lane.steps);
    let since = steps.filter(|step| step.name == question.step).find_map(|step| step.since);
    html! {
        section.box.warn aria-label={ "Question " (question.number) } {
            h2 { "Question " (question.number) ": a person's answer is awaited" }
            p.lead { (question.ask) }
            @if !question.words.is_empty() { p { "About: " strong { (question.words) } } }
            p.quiet {
                "At step “" (question.step) "”"
                @if let Some(since) = since { ", which began " (aged(since, now)) }
                ". " @if !question.blocks { "It goes on meanwhile. " }
                "Asked again " (aged(question.remind_at, now)) "."
            }
            p { "Anyone with the role to operate may answer:" }
            @for answer in orders::answers(&shown.recovery_plan, &shown.id, question) {
                @match &answer.command {
                    Some(text) => (command(&capital(&answer.choice.to_string()), text)),
                    None => p { (capital(&answer.choice.to_string())) ": " (refused(answer.choice)) },
                }
            }
        }
    }
}

const fn refused(choice: Choice) -> &'static str {
    match choice {
        Choice::FailBack => "this release does not fail back yet, and refuses it.",
        _ => "no command is offered: a name in it is none that a shell should be given.",
    }
}

/// From where to where, with what is known of both sides.
fn sides(shown: &Shown) -> Markup {
    let members = || shown.groups.iter().flat_map(|group| &group.members);
    let of = |is: fn(&MemberShown) -> Stands| members().filter(|it| is(it) == Stands::Done).count();
    let all = members().count();
    html! {
        div.sides {
            section {
                h3 { (shown.from) }
                ul {
                    li { (of(|it| it.stopped)) " of " (all) " old machines known to be stopped" }
                    @for it in &shown.traffic { li { "endpoint " strong { (it.from) } ": " (old_endpoint(it)) } }
                }
            }
            div.to aria-hidden="true" { "→" }
            section {
                h3 { (shown.to) }
                ul {
                    li { (of(|it| it.running)) " of " (all) " new machines run" }
                    @for it in &shown.traffic { li { "endpoint " strong { (it.to) } ": " (new_endpoint(it)) } }
                }
            }
        }
    }
}

fn groups(groups: &[GroupShown], now: Timestamp) -> Markup {
    html! {
        div.wide {
            table.stack {
                caption { "Groups in their order, with their members" }
                thead {
                    tr {
                        th scope="col" { "Group and member" }
                        th scope="col" { "Old machine" }
                        th scope="col" { "Recovery point" }
                        th scope="col" { "Failed over" }
                        th scope="col" { "New machine" }
                        th scope="col" { "Committed" }
                        th scope="col" { "Protected the other way" }
                    }
                }
                tbody {
                    @for (number, group) in groups.iter().enumerate() {
                        @for it in &group.members { (member(number + 1, &group.name, it, now)) }
                    }
                }
            }
        }
    }
}

/// What a person has to know of members besides how they stand.
fn told(groups: &[GroupShown]) -> Markup {
    let all: Vec<String> = groups.iter().flat_map(|group| &group.members).flat_map(MemberShown::told).collect();
    html! {
        @if !all.is_empty() {
            div.box.warn {
                p { "To be known of its members:" }
                ul { @for one in &all { li { (one) } } }
            }
        }
    }
}

fn member(number: usize, group: &str, it: &MemberShown, now: Timestamp) -> Markup {
    let cell = |of: &str, stands: Stands| html! { td data-of=(of) { (thing(stands)) } };
    html! {
        tr {
            th scope="row" {
                (number) ". " (group) ": " (it.name)
                @if it.left_out { " " (state("left out", Tone::Warn)) }
            }
            td data-of="Old machine" { (old_machine(it.stopped)) }
            td data-of="Recovery point" { (aged_or(it.point_at, now, "not chosen yet")) }
            (cell("Failed over", it.failed_over))
            td data-of="New machine" { (new_machine(it.running)) }
            (cell("Committed", it.committed))
            (cell("Protected the other way", it.protected_back))
        }
    }
}

/// What the failover knows of a machine of the lost region.
fn old_machine(stands: Stands) -> Markup {
    let words = match stands {
        Stands::NotYet => "as it was",
        Stands::Going => "not known to be stopped",
        Stands::Done => "stopped",
        Stands::Failed => "not stopped",
        Stands::GivenUp => "not stopped, gone on without",
        Stands::Undoing => "being started again",
        Stands::Undone => "as it was again",
        Stands::NotUndone => "could not be started again",
    };
    state(words, of_thing(stands))
}

/// What the failover knows of a machine of the region that takes over.
fn new_machine(stands: Stands) -> Markup {
    match stands {
        Stands::Going => state("not known to run", Tone::Go),
        Stands::Done => state("runs", Tone::Good),
        Stands::Failed => state("does not run", Tone::Bad),
        stands => thing(stands),
    }
}

fn traffic(moves: &[TrafficShown]) -> Markup {
    html! {
        @if !moves.is_empty() {
            div.wide {
                table.stack {
                    caption { "Traffic: the target is online before the old endpoint is disabled" }
                    thead {
                        tr {
                            th scope="col" { "Profile" }
                            th scope="col" { "Target endpoint" }
                            th scope="col" { "Old endpoint" }
                            th scope="col" { "Answer from outside" }
                        }
                    }
                    tbody {
                        @for it in moves {
                            tr {
                                th scope="row" { (it.profile) }
                                td data-of="Target endpoint" { strong { (it.to) } ": " (new_endpoint(it)) }
                                td data-of="Old endpoint" { strong { (it.from) } ": " (old_endpoint(it)) }
                                td data-of="Answer from outside" {
                                    @match &it.url {
                                        Some(url) => { (answer(it.answers)) " " code { (url) } }
                                        None => "nothing is asked",
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What the failover knows of the endpoint that takes over.
fn new_endpoint(it: &TrafficShown) -> Markup {
    let words = match it.enabled {
        Stands::NotYet => "as it was: not looked at yet",
        Stands::Going => "being enabled: not known to be online",
        Stands::Done => "enabled and online, as looked at",
        Stands::Failed => "not online",
        Stands::GivenUp => "not online, and gone on without it",
        Stands::Undoing => "being disabled again",
        Stands::Undone => "disabled again",
        Stands::NotUndone => "could not be disabled again",
    };
    state(words, of_thing(it.enabled))
}

/// What the failover knows of the endpoint that is taken over from.
fn old_endpoint(it: &TrafficShown) -> Markup {
    let words = match it.disabled {
        Stands::NotYet => "as it was: not touched yet",
        Stands::Going => "being disabled",
        Stands::Done => "disabled, as looked at",
        Stands::Failed => "not disabled",
        Stands::GivenUp => "not disabled, and gone on without it",
        Stands::Undoing => "being enabled again",
        Stands::Undone => "enabled again",
        Stands::NotUndone => "could not be enabled again",
    };
    state(words, of_thing(it.disabled))
}

fn answer(stands: Stands) -> Markup {
    match stands {
        Stands::Done => state("answers", Tone::Good),
        Stands::Failed => state("does not answer", Tone::Bad),
        stands => thing(stands),
    }
}

/// What a person may order besides.
fn ways_out(shown: &Shown) -> Markup {
    let undone = (shown.phase == Phase::Forward && !shown.past_no_return).then(|| orders::undo(&shown.recovery_plan));
    html! {
        @if let Some(order) = undone.flatten() {
            (command("Until the point of no return it can be undone", &order))
        }
    }
}

fn thing(stands: Stands) -> Markup {
    state(stands.words(), of_thing(stands))
}

fn point(point: PointChoice) -> Markup {
    html! {
        @match point {
            PointChoice::Latest => "the latest, which Site Recovery processes first",
            PointChoice::LatestProcessed => "the latest that is processed",
            PointChoice::ApplicationConsistent => "the latest application-consistent one",
            PointChoice::At(moment) => { "the latest not after " (super::parts::moment(moment)) }
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

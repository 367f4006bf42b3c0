//! A recovery plan: whether it can be executed and why not, its members with their newest points, and what a failover would do.
//! It judges nothing: the verdict is that of the last look.

use jiff::Timestamp;
use lifeboat_contract::declaration as words;
use lifeboat_execution::readiness::shown::{MemberShown, Shown};
use lifeboat_execution::views::{Recovery, View};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::recovery::readiness::State;
use lifeboat_planning::saga::Takes;
use maud::{Markup, html};

use super::parts::{Tone, aged_or, command, link, span, state};
use super::{orders, region};

/// The body of the page.
pub fn body(recovery: &Recovery, now: Timestamp) -> Markup {
    let Recovery { plan, ahead, declared, waiting } = recovery;
    html! {
        p.lead {
            (plan.from.as_str()) " → " (plan.to.as_str()) ": "
            @match &ahead.shown { Some(shown) => (verdict(shown, now)), None => (state("never looked at", Tone::Warn)) }
            @if let Some(declared) = declared { " " (region::phase(declared.phase)) }
        }
        p {
            (link(&View::Failover(plan.name.clone()), "Its failover, step by step")) " · "
            (link(&View::Region(plan.from.as_str().to_owned()), &format!("The evidence about {}", plan.from.as_str())))
            " · " (link(&View::Region(plan.to.as_str().to_owned()), &format!("About {}", plan.to.as_str())))
        }
        @if let Some(declared) = declared { (region::incident(declared, now)) }
        (region::awaited(declared.as_ref(), waiting, now))
        h2 { "Readiness" }
        @match &ahead.shown {
            Some(shown) => (readiness(shown, ahead.takes.as_ref(), now)),
            None => p { "It was never looked at. It is looked at every half hour, by the deployment whose region is " (plan.to.as_str()) "." },
        }
        h2 { "Groups, in their order" }
        (groups(plan, ahead.shown.as_ref(), now))
        h2 { "Traffic, after all groups run" }
        (traffic(plan))
        h2 { "When the region counts as lost" }
        (rules(plan))
        @if let Some(declared) = declared { (region::conditions(declared)) }
        h2 { "What a failover would do" }
        @match &ahead.runbook {
            Ok(runbook) => details { summary { "The steps, as a person would follow them by hand" } pre { (runbook) } },
            Err(why) => p { "No failover can begin: " (why) "." },
        }
        (order(recovery))
    }
}

fn verdict(shown: &Shown, now: Timestamp) -> Markup {
    let (words, tone) = match shown.record.state {
        State::Ready if shown.is_ready(now) => ("ready", Tone::Good),
        State::Ready => ("ready, by a look too long ago to rely on", Tone::Warn),
        State::Silent => ("its region is silent", Tone::Warn),
        State::NotReady => ("not ready", Tone::Bad),
        State::MemberRefuses => ("not ready, and a member does not allow failover", Tone::Bad),
    };
    state(words, tone)
}

fn readiness(shown: &Shown, takes: Option<&Takes>, now: Timestamp) -> Markup {
    let record = &shown.record;
    let of_state = if record.state == State::Ready { "box good" } else { "box warn" };
    html! {
        div class=(of_state) {
            p { (shown.verdict(now)) }
            @if !record.reasons.is_empty() { ul { @for reason in &record.reasons { li { (reason.text) } } } }
        }
        dl {
            dt { "Ready last" } dd { (aged_or(record.ready_at, now, "never")) }
            dt { "Saved for the day on which the region is silent" }
            dd { (aged_or(record.saved.as_ref().map(|saved| saved.at), now, "nothing: no look has read all of it")) }
            dt { "Would be lost" } dd { (shown.loss(now)) }
            dt { "Would take" } dd { (takes.map_or_else(|| "not known".to_owned(), words::takes)) }
            dt { "The path" } dd { (shown.assumed()) }
        }
        @for note in &record.notes { p.quiet { "Note: " (note) } }
    }
}

fn groups(plan: &RecoveryPlan, shown: Option<&Shown>, now: Timestamp) -> Markup {
    let members = shown.map(Shown::members).unwrap_or_default();
    html! {
        p { (plan.groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>().join(", then ")) }
        @if members.is_empty() { p { "Its members are not known: nothing was saved yet." } }
        @else {
            div.wide {
                table.stack {
                    caption { "Members, as they were saved" }
                    thead {
                        tr {
                            th scope="col" { "Group" } th scope="col" { "Member" } th scope="col" { "Size" }
                            th scope="col" { "Disks replicated" } th scope="col" { "Held by agents" } th scope="col" { "Newest point" } th scope="col" { "Read" }
                        }
                    }
                    tbody { @for it in &members { (member(it, now)) } }
                }
            }
        }
    }
}

fn member(it: &MemberShown<'_>, now: Timestamp) -> Markup {
    let disks = &it.copy.machine.disks;
    let replicated = disks.iter().filter(|disk| disk.replicated).count();
    html! {
        tr {
            td data-of="Group" { (it.group) }
            th scope="row" { (it.copy.of.name) }
            td data-of="Size" { (it.copy.machine.size.as_deref().unwrap_or("not known")) }
            td data-of="Disks replicated" {
                (replicated) " of " (disks.len())
                @if replicated < disks.len() { " " (state("not all", Tone::Bad)) }
            }
            td data-of="Held by agents" { (it.held()) }
            td data-of="Newest point" { (aged_or(it.newest, now, "not known")) }
            td data-of="Read" { (aged_or(it.read_at, now, "never")) }
        }
    }
}

fn traffic(plan: &RecoveryPlan) -> Markup {
    html! {
        @if plan.traffic.is_empty() { p { "None is moved." } }
        @else {
            ul {
                @for it in &plan.traffic {
                    li {
                        "profile " strong { (it.profile) } ": from endpoint " strong { (it.from) } " to " strong { (it.to) }
                        "; then " code { (it.verify.url) } " must answer within " (span(it.verify.within))
                    }
                }
            }
        }
    }
}

fn rules(plan: &RecoveryPlan) -> Markup {
    let declaration = &plan.declaration;
    html! {
        dl {
            dt { "By" }
            dd {
                (declaration.by.name()) @if declaration.approvals > 1 { ", approved by " (declaration.approvals) " others" }
            }
            dt { "Evidence" }
            dd { (declaration.evidence.at_least) " sources together for " (span(declaration.evidence.window)) }
            dt { "Most that may be lost" } dd { (span(declaration.max_data_loss)) }
            dt { "Old machines" }
            dd { "stopping them is " (declaration.fence.name()) }
            dt { "Cool-down" } dd { (span(declaration.cooldown)) }
        }
    }
}

fn order(recovery: &Recovery) -> Markup {
    let unmet: Vec<&str> = recovery.ahead.unmet.iter().map(|(name, _)| name.as_str()).collect();
    let is_running = recovery.ahead.last.as_ref().is_some_and(|last| last.ended_at.is_none());
    html! {
        @if is_running {
            p { "One is unfinished: " (link(&View::Failover(recovery.plan.name.clone()), "follow it")) "." }
        } @else if recovery.ahead.runbook.is_ok() && let Some(text) = orders::fail_over(&recovery.plan.name, &unmet) {
            @if unmet.is_empty() {
                (command("This shows it again, and orders it once you typed the recovery plan's name", &text))
            } @else {
                (command("Not every condition is met; an order has to name those that it passes", &text))
            }
        }
    }
}

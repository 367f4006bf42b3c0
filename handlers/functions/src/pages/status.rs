//! The page of `/api/status`: policies, the last sweep, points and holds, and what needs a person.
//! It shows nothing that the JSON does not say.

use jiff::Timestamp;
use lifeboat_contract::status::{PolicyMode, PolicyStatus, Status};
use maud::{Markup, html};

use super::parts::aged;
use super::shell::Shell;
use super::{PAGES, start};

/// The page.
pub fn page(status: &Status) -> Markup {
    let title = format!("Lifeboat {}", status.deployment);
    let shell = Shell { title, view: None, deployment: Some(&status.deployment), at: Some(status.at), still: false };
    shell.around(&body(status, status.at))
}

fn body(status: &Status, now: Timestamp) -> Markup {
    html! {
        h2 { "What needs a person" }
        (start::attention(&status.attention, now))
        h2 { "Policies, points and holds" }
        dl {
            dt { "Policy" } dd { (policy(&status.policy)) }
            dt { "Last sweep" }
            dd {
                @match &status.last_sweep {
                    Some(sweep) => {
                        "number " (sweep.number) ", completed " (aged(sweep.completed, now))
                        ": saw " (sweep.found) ", queued " (sweep.queued)
                    }
                    None => "none completed yet",
                }
            }
            dt { "Machines seen" }
            dd {
                (status.machines.seen)
                @if let Some(matched) = status.machines.matched { ", covered by the policy " (matched) }
            }
            dt { "Points" }
            dd {
                (status.points.succeeded) " succeeded, " (status.points.in_progress) " being made, "
                (status.points.failed) " failed"
            }
            @if status.holds_total > 0 { dt { "Holds" } dd { (status.holds_total) } }
        }
        @if !status.recovery_plans.is_empty() { p { a href=(PAGES) { "Recovery plans, regions and failovers" } } }
        p.quiet { "Release " (status.build.version) ", build " (status.build.id) }
    }
}

fn policy(policy: &PolicyStatus) -> Markup {
    html! {
        @match policy {
            PolicyStatus::InForce { name, mode, digest, others, not_read } => {
                (name) ", " (word(*mode))
                @for other in others { "; " (other.name) ", " (word(other.mode)) }
                @if !not_read.is_empty() { "; a newer bundle cannot be read" }
                ", digest " code { (digest.get(..12).unwrap_or(digest)) }
            }
            PolicyStatus::Unreadable { document, problems } => {
                "unreadable, nothing is changed: " code { (document) }
                ul { @for problem in problems { li { (problem) } } }
            }
            PolicyStatus::Missing { document } => { "none at " code { (document) } ", nothing is changed" }
        }
    }
}

fn word(mode: PolicyMode) -> &'static str {
    match mode {
        PolicyMode::Report => "report",
        PolicyMode::Enforce => "enforce",
    }
}

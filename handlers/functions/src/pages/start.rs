//! What there is to look at, and what needs a person.
//! It says nothing of points and policies: `/api/status` does.

use jiff::Timestamp;
use lifeboat_contract::status::Attention;
use lifeboat_execution::views::{PlanRow, Start, View};
use maud::{Markup, html};

use super::parts::{aged, aged_or, link};

/// The body of the page.
pub fn body(start: &Start, now: Timestamp) -> Markup {
    html! {
        h2 { "What needs a person" }
        (attention(&start.attention, now))
        h2 { "Recovery plans" }
        @if start.plans.is_empty() { p { "None is in force." } }
        @else {
            div.wide {
                table.stack {
                    thead {
                        tr {
                            th scope="col" { "Recovery plan" } th scope="col" { "Regions" } th scope="col" { "Evidence says" }
                            th scope="col" { "Readiness" } th scope="col" { "Failover" }
                        }
                    }
                    tbody { @for row in &start.plans { (plan(row, now)) } }
                }
            }
        }
        h2 { "More" }
        p { a href="/api/status" { "Policies, points and holds" } }
        p.quiet {
            "Release " (start.build.version) ", build " (start.build.id) ", running since " (aged(start.build.started, now))
        }
    }
}

/// What needs a person, or that nothing does.
pub fn attention(all: &[Attention], now: Timestamp) -> Markup {
    html! {
        @for one in all {
            div.box.warn {
                p { strong { (one.what) } }
                p.quiet { "Since " (aged(one.since, now)) @if let Some(advice) = &one.advice { ". " (advice) } }
            }
        }
        @if all.is_empty() { div.box.good { p { "Nothing needs a person." } } }
    }
}

fn plan(row: &PlanRow, now: Timestamp) -> Markup {
    let (name, from, to) = (&row.status.name, &row.status.from, &row.status.to);
    html! {
        tr {
            th scope="row" { (link(&View::Recovery(name.clone()), name)) }
            td data-of="Regions" {
                (link(&View::Region(from.clone()), from)) " → " (link(&View::Region(to.clone()), to))
            }
            td data-of="Evidence says" {
                (row.status.phase.as_deref().unwrap_or("never evaluated"))
                @if let Some(since) = row.status.incident_since { "; an incident is open since " (aged(since, now)) }
                br; span.quiet { "evaluated " (aged_or(row.status.evaluated_at, now, "never")) }
            }
            td data-of="Readiness" { (row.readiness) }
            td data-of="Failover" {
                (link(&View::Failover(name.clone()), row.failover.as_deref().unwrap_or("none was ever begun")))
            }
        }
    }
}

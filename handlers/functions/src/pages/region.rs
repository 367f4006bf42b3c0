//! The evidence about a region, and where the recovery plans that name it stand, with every condition.
//! It judges nothing: which word is silence, and which condition is met, others have said.

use jiff::Timestamp;
use lifeboat_contract::declaration as words;
use lifeboat_execution::declaration::record::Record;
use lifeboat_execution::orders::approvals::OrderRecord;
use lifeboat_execution::signals::region::{RegionEvidence, about, is_silent, signals_told};
use lifeboat_execution::signals::stored::{RegionSignals, StoredThread};
use lifeboat_execution::views::View;
use lifeboat_planning::declaration::Phase;
use lifeboat_planning::saga::Takes;
use lifeboat_planning::signal::State;
use maud::{Markup, html};

use super::orders;
use super::parts::{Tone, aged, aged_or, command, link, state};

/// The body of the page.
pub fn body(evidence: &RegionEvidence, now: Timestamp) -> Markup {
    html! {
        p.lead {
            @if evidence.is_quiet() { (state("quiet", Tone::Good)) " Nothing fails there, and no incident is open." }
            @else { (state("not quiet", Tone::Warn)) " Something fails there, or an incident is open." }
        }
        dl {
            dt { "Machines" }
            dd {
                @match &evidence.fleet {
                    Some(fleet) => { (fleet.machines) ", as of " (aged(fleet.at, now)) }
                    None => "never read",
                }
            }
            @if let Some(signals) = &evidence.signals {
                dt { "Resource Health read whole" } dd { (aged_or(signals.read_at, now, "never")) }
                dt { "Last good answer to a probe" } dd { (aged_or(signals.good_probe_at, now, "none is known")) }
            }
        }
        h2 { "Evidence" }
        @match &evidence.signals {
            Some(signals) if !signals.threads.is_empty() => (threads(signals, now)),
            Some(_) => p { "Nothing that was said stands." },
            None => p { "Nothing was ever said of it." },
        }
        @for one in &evidence.declarations { (declared(one, now)) }
        @if evidence.declarations.is_empty() { p { "No recovery plan that names it was ever evaluated." } }
    }
}

fn threads(signals: &RegionSignals, now: Timestamp) -> Markup {
    let (told, more) = signals_told(signals);
    html! {
        div.wide {
            table.stack {
                caption { "Who says what. A word that is not repeated becomes silence, which is neither evidence nor recovery." }
                thead {
                    tr {
                        th scope="col" { "Who" } th scope="col" { "About" } th scope="col" { "Says" }
                        th scope="col" { "Since" } th scope="col" { "Last said" }
                    }
                }
                tbody { @for one in told { (thread(one, now)) } }
            }
        }
        @if more > 0 { p.quiet { "and " (more) " more" } }
    }
}

fn thread(one: &StoredThread, now: Timestamp) -> Markup {
    let (words, tone) = match one.state {
        State::Failing => ("failing", Tone::Bad),
        State::Well => ("well", Tone::Good),
        State::Unavailable => ("not serving, and nobody is blamed", Tone::Warn),
        State::PlatformFault => ("the platform is to blame", Tone::Warn),
        State::Excused => ("stopped by its user or a plan: does not count", Tone::Plain),
    };
    html! {
        tr {
            th scope="row" { (one.origin) br; span.quiet { (one.origin.class()) } }
            td data-of="About" { (about(one)) }
            td data-of="Says" {
                (state(words, tone))
                @if is_silent(one, now) { " " (state("silent since", Tone::Plain)) }
            }
            td data-of="Since" { (aged(one.since, now)) }
            td data-of="Last said" { (aged(one.affirmed_at, now)) }
        }
    }
}

/// A recovery plan's declaration.
fn declared(one: &Record, now: Timestamp) -> Markup {
    html! {
        h2 { "Recovery plan " (one.recovery_plan) " " (phase(one.phase)) }
        p {
            (one.from) " → " (one.to) ", evaluated " (aged(one.evaluated_at, now)) ". "
            (link(&View::Recovery(one.recovery_plan.clone()), "Its readiness")) " · "
            (link(&View::Failover(one.recovery_plan.clone()), "Its failover"))
        }
        (incident(one, now))
        (conditions(one))
        (awaited(Some(one), &[], now))
    }
}

/// The open incident.
pub fn incident(one: &Record, now: Timestamp) -> Markup {
    html! {
        @if let Some(incident) = &one.incident {
            div.box.warn {
                p {
                    strong { "An incident is open" } " since " (aged(incident.opened_at, now)) ", told of by "
                    (incident.senders.iter().map(|sender| sender.name.as_str()).collect::<Vec<_>>().join(", "))
                    ". Until it is closed nothing of this recovery plan's machines is deleted."
                }
                @if let Some(at) = incident.failover_begun_at { p { "A failover was begun for it " (aged(at, now)) "." } }
                @if let Some(at) = incident.recovered_at { p { "The region counts as recovered since " (aged(at, now)) "." } }
            }
        }
    }
}

/// Every condition of the last decision, met or not.
pub fn conditions(one: &Record) -> Markup {
    let kept = one.conditions();
    html! {
        @if kept.is_empty() { p { "No condition was decided on yet." } }
        @else {
            div.wide {
                table.stack {
                    caption { "What it takes for the region to count as lost, as decided last" }
                    thead {
                        tr { th scope="col" { "Condition" } th scope="col" { "Met" } th scope="col" { "What was found" } }
                    }
                    tbody {
                        @for condition in &kept {
                            tr {
                                th scope="row" {
                                    (condition.name)
                                    @if condition.for_rules { br; span.quiet { "for rules" } }
                                }
                                td data-of="Met" {
                                    @if condition.met { (state("met", Tone::Good)) } @else { (state("not met", Tone::Warn)) }
                                }
                                td data-of="What was found" { (condition.value) }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(digest) = one.digest_shown() {
            p.quiet { "An order or approval names what is shown by its digest: " code { (digest) } }
        }
    }
}

/// What waits for a person before a failover begins: a declaration that asks, orders that wait for others.
pub fn awaited(declared: Option<&Record>, waiting: &[OrderRecord], now: Timestamp) -> Markup {
    let asks = declared.filter(|one| one.phase == Phase::AwaitingApproval);
    html! {
        @if let Some((one, incident)) = asks.and_then(|one| Some((one, one.incident.as_ref()?))) {
            section.box.warn {
                h3 { "A person is asked: shall " (one.recovery_plan) " fail over from " (one.from) " to " (one.to) "?" }
                p { (would(one)) }
                @match orders::of_incident(&one.recovery_plan, &incident.opened_at.to_string(), one.digest_shown()) {
                    Some([yes, no]) => { (command("Yes", &yes)) (command("No", &no)) }
                    None => p { "No command is offered: a name in it is none that a shell should be given." },
                }
            }
        }
        @for order in waiting { (order_waits(order, now)) }
    }
}

/// What saying yes would cost: what would be lost, and how long it would take.
fn would(declared: &Record) -> Markup {
    let lost = declared.last.as_ref().and_then(|last| last["loss"].as_str()).unwrap_or("not known");
    let takes = declared.takes.map(Takes::from);
    html! {
        "Would be lost: " (lost) ". Would take: "
        (takes.as_ref().map_or_else(|| "not known".to_owned(), words::takes)) "."
    }
}

fn order_waits(order: &OrderRecord, now: Timestamp) -> Markup {
    let given = order.approvals.iter().map(|approval| approval.by.as_str()).collect::<Vec<_>>().join(", ");
    let missing = usize::from(order.needs).saturating_sub(order.approvals.len());
    let commands = match &order.incident {
        Some(incident) => orders::of_incident(&order.says.recovery_plan, incident, Some(&order.says.digest)),
        None => orders::of_order(&order.says.recovery_plan, &order.id, &order.says.digest),
    };
    html! {
        section.box.warn {
            h3 { "An order to fail over waits for " (missing) " more to approve it" }
            p {
                "Given " (aged(order.at, now)) " by " code { (order.by) } ": " (order.says.reason) ". "
                @if !given.is_empty() { "Approved by " code { (given) } ". " }
                "It lapses " (aged(order.lapses_at(), now)) "."
            }
            @match commands {
                Some([yes, no]) => { (command("Approve", &yes)) (command("Reject", &no)) }
                None => p { "No command is offered: a name in it is none that a shell should be given." },
            }
        }
    }
}

/// Where a declaration stands.
pub fn phase(phase: Phase) -> Markup {
    let (words, tone) = match phase {
        Phase::Normal => ("normal", Tone::Good),
        Phase::Suspected => ("suspected to be lost", Tone::Warn),
        Phase::Confirmed => ("counts as lost", Tone::Bad),
        Phase::AwaitingApproval => ("counts as lost, a person is asked", Tone::Bad),
        Phase::FailingOver => ("failing over", Tone::Go),
        Phase::FailedOver => ("failed over", Tone::Good),
    };
    state(words, tone)
}

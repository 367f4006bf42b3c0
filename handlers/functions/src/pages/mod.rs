//! The pages that `Api` serves: HTML from the same answers that programs get.
//! They work without JavaScript, refresh themselves by polling, and show nothing that the JSON does not say.

use lifeboat_contract::status::{PolicyStatus, Status};
use maud::{DOCTYPE, Markup, html};

/// Seconds between two looks of an open page.
const REFRESH_SECS: u32 = 5;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}\
h1{font-size:1.4rem}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #d8dee4}\
.attention{background:#fff4e5;border-left:4px solid #d97706;padding:.5rem 1rem;margin:.5rem 0}.quiet{color:#57606a}";

/// The page of `/api/status`.
pub fn status(status: &Status) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="refresh" content=(REFRESH_SECS);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Lifeboat " (status.deployment) }
                style { (STYLE) }
            }
            body {
                h1 { "Lifeboat " (status.deployment) }
                p.quiet { "As of " (status.at) ", release " (status.build.version) " (" (status.build.id) ")" }
                @for attention in &status.attention {
                    div.attention {
                        strong { (attention.what) } " since " (attention.since)
                        @if let Some(advice) = &attention.advice { br; (advice) }
                    }
                }
                @if status.attention.is_empty() { p { "Nothing needs attention." } }
                table {
                    tr { th { "Policy" } td { (policy(&status.policy)) } }
                    tr { th { "Last sweep" } td {
                        @match &status.last_sweep {
                            Some(sweep) => { "number " (sweep.number) ", " (sweep.started) " to " (sweep.completed)
                                ": saw " (sweep.found) ", queued " (sweep.queued) }
                            None => "none completed yet",
                        }
                    } }
                    tr { th { "Machines seen" } td { (status.machines.seen)
                        @if let Some(matched) = status.machines.matched { ", covered by the policy " (matched) }
                    } }
                    tr { th { "Points" } td {
                        (status.points.succeeded) " succeeded, " (status.points.in_progress) " being made, "
                        (status.points.failed) " failed"
                    } }
                    @if status.holds_total > 0 {
                        tr { th { "Holds" } td { (status.holds_total) } }
                    }
                }
            }
        }
    }
}

fn policy(policy: &PolicyStatus) -> Markup {
    html! {
        @match policy {
            PolicyStatus::InForce { name, mode, digest, others, not_read } => {
                (name) ", " (format!("{mode:?}").to_lowercase())
                @for other in others { "; " (other.name) ", " (format!("{:?}", other.mode).to_lowercase()) }
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

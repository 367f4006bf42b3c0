//! The pages that `Api` serves: HTML of what `execution` reads for people, for a browser that runs no script.
//! They read nothing themselves, decide nothing, order nothing (there is no form), and show every text as text.
//!
//! ```text
//! GET /api/pages                    what there is to look at, and what needs a person
//! GET /api/pages/region/{region}    the evidence about a region, and where the recovery plans that name it stand
//! GET /api/pages/recovery/{plan}    whether a recovery plan can be executed, and what it would do
//! GET /api/pages/failover/{plan}    a failover step by step, over what it moves
//! ```
//! Each page asks for itself again every few seconds; `?still=1` is the same page, which does not.

mod failover;
pub mod orders;
mod parts;
mod recovery;
mod region;
mod runbook;
mod shell;
mod start;
mod status;

use http::{HeaderName, HeaderValue, StatusCode, header};
use lifeboat_contract::status::Status;
use lifeboat_execution::views::{View, Viewed, What};
use maud::{Markup, html};

use crate::host::HttpReply;
use shell::Shell;

/// Where the pages are.
pub const PAGES: &str = "/api/pages";

/// The page that a path asks for; none where it asks for none. Names are taken as they come: none of ours needs an escape.
pub fn asked(path: &str) -> Option<View> {
    let (head, rest) = path.split_at_checked(PAGES.len())?;
    if !head.eq_ignore_ascii_case(PAGES) || !(rest.is_empty() || rest.starts_with('/')) {
        return None;
    }
    let rest = rest.trim_matches('/');
    let Some((kind, name)) = rest.split_once('/') else { return rest.is_empty().then_some(View::Start) };
    if name.contains('/') {
        return None;
    }
    let name = name.to_owned();
    match kind.to_ascii_lowercase().as_str() {
        "region" => Some(View::Region(name)),
        "recovery" => Some(View::Recovery(name)),
        "failover" => Some(View::Failover(name)),
        _ => None,
    }
}

/// Where a page is.
pub fn path(view: &View) -> String {
    let (kind, name) = match view {
        View::Start => return PAGES.to_owned(),
        View::Region(name) => ("region", name),
        View::Recovery(plan) => ("recovery", plan),
        View::Failover(plan) => ("failover", plan),
    };
    format!("{PAGES}/{kind}/{}", segment(name))
}

/// The answer with a page. One that is `still` does not ask for itself again.
pub fn reply(viewed: &Viewed, still: bool) -> HttpReply {
    let status = if matches!(viewed.what, What::Nothing(_)) { StatusCode::NOT_FOUND } else { StatusCode::OK };
    guarded(status, page(viewed, still))
}

/// The answer with the page of `/api/status`.
pub fn reply_status(of: &Status) -> HttpReply {
    guarded(StatusCode::OK, status::page(of))
}

/// The answer where what a page shows could not be read: it asks again by itself.
pub fn reply_unread(view: &View, why: &str) -> HttpReply {
    let shell = Shell { title: "Not read".to_owned(), view: Some(view), deployment: None, at: None, still: false };
    let body = html! {
        p.lead { "What this page shows could not be read just now: " (why) "." }
        p { "It is asked for again by itself. Nothing that runs depends on this page." }
    };
    guarded(StatusCode::SERVICE_UNAVAILABLE, shell.around(&body))
}

/// A page.
pub fn page(viewed: &Viewed, still: bool) -> Markup {
    let (title, view, body) = match &viewed.what {
        What::Start(start) => (format!("Lifeboat {}", viewed.deployment), View::Start, start::body(start, viewed.at)),
        What::Region(evidence) => {
            let name = evidence.region.clone();
            (format!("Region {name}"), View::Region(name), region::body(evidence, viewed.at))
        }
        What::Recovery(shown) => {
            let name = shown.plan.name.clone();
            (format!("Recovery plan {name}"), View::Recovery(name), recovery::body(shown, viewed.at))
        }
        What::Failover(shown) => {
            let name = shown.plan.clone();
            (format!("Failover by {name}"), View::Failover(name), failover::body(shown, viewed.at))
        }
        What::Nothing(view) => ("Nothing of this name".to_owned(), view.clone(), nothing(view)),
    };
    let shell = Shell { title, view: Some(&view), deployment: Some(&viewed.deployment), at: Some(viewed.at), still };
    shell.around(&body)
}

fn nothing(view: &View) -> Markup {
    html! {
        p.lead {
            @match view {
                View::Region(name) => { "No region is named " code { (name) } "." }
                View::Recovery(name) | View::Failover(name) => {
                    "No recovery plan named " code { (name) } " is in force."
                }
                View::Start => { "There is no such page." }
            }
        }
        p { a href=(PAGES) { "What there is to look at" } }
    }
}

/// An answer with what keeps a browser from doing more with it than show it.
fn guarded(status: StatusCode, page: Markup) -> HttpReply {
    let mut reply = HttpReply::html(status, page.into_string());
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        reply.headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(shell::content_policy()) {
        reply.headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    reply
}

/// A name as one part of a path: what is no letter, digit or `-_.` is escaped.
fn segment(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests;

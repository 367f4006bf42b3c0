//! A played history as lines for people and as JSON for programs.
//! It never leaves out a condition, met or not, and never shows a payload: bodies may hold what is nobody else's.

use lifeboat_planning::declaration::{Decision, NeededFor, Source};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::signal::Taken;
use serde_json::{Value, json};

use super::replay::{Heard, Played};
use super::supposed::Supposed;
use super::words::{condition, loss, source};
use crate::recovery::NO_WAY_BACK;

/// As lines.
pub fn as_lines(plan: &RecoveryPlan, supposed: &Supposed, played: &Played) -> Vec<String> {
    let (from, to, by) = (plan.from.as_str(), plan.to.as_str(), plan.declaration.by.name());
    let mut lines = vec![format!("recovery plan `{}`, from {from} to {to}, declared by {by}", plan.name)];
    lines.extend(supposed.words().into_iter().map(|words| format!("supposed, {words}")));
    lines.push(String::new());
    lines.extend(played.heard.iter().flat_map(not_taken));
    for decision in &played.decisions {
        lines.push(format!("{}  {} → {}  {}", decision.at, decision.from, decision.to, decision.act));
        lines.extend(said(decision));
    }
    if played.decisions.is_empty() {
        lines.push("nothing moved".to_owned());
    }
    if let Some(last) = &played.last {
        lines.push(format!("{}  at the end: {}", last.at, last.to));
        lines.extend(said(last));
    }
    lines.push(NO_WAY_BACK.to_owned());
    lines
}

/// What a decision rests on, a line for each source that speaks and each condition.
pub fn decision_as_lines(decision: &Decision) -> Vec<String> {
    said(decision).into_iter().map(|line| line.trim_start().to_owned()).collect()
}

fn said(decision: &Decision) -> Vec<String> {
    let spoken = |s: &&Source| s.standing != lifeboat_planning::declaration::Standing::Nothing;
    let sources = decision.sources.iter().filter(spoken).map(|s| format!("    {}", source(s)));
    let conditions = decision.conditions.iter().map(|one| {
        let mark = if one.met { "met    " } else { "NOT MET" };
        let rules = if one.needed_for == NeededFor::Rules { ", for rules" } else { "" };
        format!("    {mark} {}{rules}: {}", one.name(), condition(one))
    });
    sources.chain(conditions).collect()
}

/// What of a line did not become evidence.
fn not_taken(heard: &Heard) -> Vec<String> {
    let begin = format!("line {}, {}, {}:", heard.line, heard.at, heard.door);
    let late = heard.signals.iter().filter(|(_, taken)| *taken != Taken::Stands);
    let late = late.map(|(signal, why)| format!("{begin} {} does not count: {}", signal.origin, taken(*why)));
    let uncounted = heard
        .uncounted
        .iter()
        .map(|one| format!("{begin} {} does not count: {} ({})", one.about, one.why, one.why.rule()));
    let raw = heard.raw.iter().map(|one| format!("{begin} kept as it came: {}", one.why));
    late.chain(uncounted).chain(raw).collect()
}

fn taken(taken: Taken) -> &'static str {
    match taken {
        Taken::Stands => "it stands",
        Taken::Repeated => "the very message was heard before",
        Taken::Older => "its sender has said something newer",
        Taken::Stale => "it was said too long ago when it arrived",
        Taken::NoRoom => "there is no room for another thread",
    }
}

/// As JSON.
pub fn as_json(plan: &RecoveryPlan, supposed: &Supposed, played: &Played) -> Value {
    json!({
        "plan": plan.name,
        "from": plan.from.as_str(),
        "to": plan.to.as_str(),
        "by": plan.declaration.by.name(),
        "notes": [NO_WAY_BACK],
        "supposed": supposed.words(),
        "heard": played.heard.iter().map(heard).collect::<Vec<_>>(),
        "transitions": played.decisions.iter().map(decision_as_json).collect::<Vec<_>>(),
        "end": played.last.as_ref().map(decision_as_json),
    })
}

fn heard(heard: &Heard) -> Value {
    let signals: Vec<Value> = heard
        .signals
        .iter()
        .map(|(signal, why)| {
            json!({
                "origin": signal.origin.word(),
                "region": signal.region,
                "state": signal.state.word(),
                "since": signal.since.map(|at| at.to_string()),
                "saidAt": signal.said_at.to_string(),
                "counts": *why == Taken::Stands,
                "why": taken(*why),
            })
        })
        .collect();
    let uncounted: Vec<Value> = heard
        .uncounted
        .iter()
        .map(|one| json!({ "about": one.about, "why": one.why.to_string(), "rule": one.why.rule() }))
        .collect();
    let raw: Vec<String> = heard.raw.iter().map(|one| one.why.to_string()).collect();
    json!({
        "line": heard.line,
        "at": heard.at.to_string(),
        "door": heard.door.word(),
        "signals": signals,
        "uncounted": uncounted,
        "raw": raw,
    })
}

/// One decision as JSON, with every condition, met or not.
pub fn decision_as_json(decision: &Decision) -> Value {
    let conditions: Vec<Value> = decision
        .conditions
        .iter()
        .map(|one| {
            json!({
                "name": one.name().word(),
                "met": one.met,
                "neededFor": match one.needed_for {
                    NeededFor::Confirming => "confirming",
                    NeededFor::Rules => "rules",
                },
                "value": condition(one),
            })
        })
        .collect();
    let sources: Vec<Value> = decision
        .sources
        .iter()
        .map(|one| {
            json!({
                "origin": one.origin.word(),
                "class": one.origin.class().to_string(),
                "since": one.since.map(|at| at.to_string()),
                "machines": one.share.map(|share| json!({ "failing": share.failing, "of": share.of })),
                "names": one.names,
                "said": source(one),
            })
        })
        .collect();
    json!({
        "at": decision.at.to_string(),
        "from": decision.from.word(),
        "to": decision.to.word(),
        "act": decision.act.word(),
        "incident": decision.incident.map(|at| at.to_string()),
        "lossSeconds": decision.loss.span().map(|span| span.as_secs()),
        "loss": loss(&decision.loss),
        "sources": sources,
        "conditions": conditions,
    })
}

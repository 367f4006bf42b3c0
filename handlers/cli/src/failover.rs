//! `lifeboat failover`: what would be lost and what would be done, a person's yes, the order, and the failover followed live.
//! It never acts itself: it sends an order, as `lifeboat send` does, and reads the store.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use lifeboat_contract::declaration as words;
use lifeboat_execution::declaration::shown::StoredTakes;
use lifeboat_execution::operator::Operator;
use lifeboat_execution::orders::approvals::LAPSES_AFTER;
use lifeboat_execution::saga::followed::{Ahead, Followed};
use lifeboat_execution::{ARM_URL, Connections};
use lifeboat_functions::pages::orders;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::output::{self, Form, Outcome};
use crate::send::{self, SenderArgs};
use crate::settings::Settings;

/// How often the store is asked while a failover is followed: one small request.
const ASKED_EVERY: Duration = Duration::from_secs(5);
/// Readings in a row that may fail before the command gives up: a minute.
const FAILURES_MAX: u32 = 12;
/// How long the approvals of others are waited for: an order lapses after an hour.
const WAITS_FOR: Duration = Duration::from_secs(LAPSES_AFTER.as_secs().unsigned_abs());

/// Shows what a failover would do and lose, asks, orders it, and follows it.
///
/// Where a failover of the recovery plan runs already, it is followed, and nothing is ordered. Leaving (Ctrl-C) changes nothing: the
/// handler goes on, and the same command picks it up again, from anywhere. Questions that it asks are answered by `lifeboat approve` and
/// `lifeboat reject`; the commit is ordered by `lifeboat send CommitFailover`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat failover shop --show --store https://acct.blob.core.windows.net/lifeboat
  lifeboat failover shop --reason 'the region is lost' --store https://acct.blob.core.windows.net/lifeboat
  lifeboat failover shop --reason 'planned' --pass sources --pass window --confirm shop --store …

Exit codes: 0 the workload serves from the other region, or what would be done is shown, 1 it was refused, undone, or asks a person, 2 the
command line was not understood.")]
pub struct FailoverArgs {
    /// The recovery plan.
    plan: String,
    /// The container that is the store.
    #[arg(long, value_name = "URL")]
    store: String,
    /// Shows what would be done and lost, and ends.
    #[arg(long)]
    show: bool,
    /// Why, in your words.
    #[arg(long, value_name = "TEXT", required_unless_present = "show")]
    reason: Option<String>,
    /// A condition that is passed though it is not met; once for each.
    #[arg(long = "pass", value_name = "CONDITION")]
    passes: Vec<String>,
    /// Which recovery point: latest, latestProcessed, applicationConsistent, or a time.
    #[arg(long, value_name = "POINT")]
    point: Option<String>,
    /// Answers ahead that it is protected the other way once it is committed and the old disks are saved: Site Recovery then deletes the old
    /// machines.
    #[arg(long)]
    protect_back: bool,
    /// The recovery plan's name once more, where nobody can be asked for it.
    #[arg(long, value_name = "PLAN")]
    confirm: Option<String>,
    #[command(flatten)]
    sender: SenderArgs,
}

/// Runs the command.
pub async fn run(args: &FailoverArgs, settings: &Settings) -> Result<Outcome> {
    let operator = Operator::connect(&Connections::signed_in(), ARM_URL, &args.store)?;
    let read = output::with_progress("reading the recovery plan", operator.failover_ahead(&args.plan)).await;
    let (ahead, now) = read.context("what a failover would do is not known")?;
    let running = ahead.last.as_ref().filter(|last| last.ended_at.is_none());
    if let Some(running) = running.filter(|_| !args.show) {
        output::say(format!("The failover {} runs since {}.", running.id, running.began_at));
        return follow(&operator, (&args.plan, None), args.sender.output).await;
    }
    match args.sender.output {
        Form::Json => output::say_json(&as_json(&ahead, now)),
        Form::Text => ahead_lines(&ahead, now).iter().for_each(output::say),
    }
    if args.show {
        return Ok(Outcome::Held);
    }
    let Some(digest) = &ahead.digest else { bail!("the recovery plan was never evaluated: nothing was shown yet") };
    if let Err(why) = &ahead.runbook {
        bail!("no failover can begin: {why}");
    }
    if !is_confirmed(args)? {
        output::tell("Nothing was ordered.");
        return Ok(Outcome::DidNotHold);
    }
    let sent = send::order(&args.sender, settings, "StartFailover", order(args, digest)).await?;
    if sent == Outcome::DidNotHold {
        return Ok(sent);
    }
    // One that ended before is not the one that was ordered.
    let before = ahead.last.as_ref().map(|last| last.id.as_str());
    follow(&operator, (&args.plan, before), args.sender.output).await
}

fn order(args: &FailoverArgs, digest: &str) -> Value {
    let mut data = json!({ "recoveryPlan": args.plan, "digest": digest, "reason": args.reason });
    if !args.passes.is_empty() {
        data["passes"] = args.passes.clone().into();
    }
    if let Some(point) = &args.point {
        data["point"] = point.as_str().into();
    }
    if args.protect_back {
        data["protectBack"] = true.into();
    }
    data
}

/// Whether a person typed the recovery plan's name.
fn is_confirmed(args: &FailoverArgs) -> Result<bool> {
    if let Some(name) = &args.confirm {
        return Ok(*name == args.plan);
    }
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here: give the recovery plan's name in --confirm");
    }
    let mut stderr = std::io::stderr();
    write!(stderr, "Type the recovery plan's name to fail over: ")?;
    stderr.flush()?;
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    Ok(typed.trim() == args.plan)
}

/// What an order would do and lose, as lines.
pub fn ahead_lines(ahead: &Ahead, now: jiff::Timestamp) -> Vec<String> {
    let mut lines = match &ahead.shown {
        Some(shown) => shown.lines(now),
        None => vec!["its readiness was never looked at".to_owned()],
    };
    lines.extend(ahead.takes.as_ref().map(|takes| format!("would take: {}", words::takes(takes))));
    lines.push(String::new());
    if ahead.unmet.is_empty() {
        lines.push("every condition is met".to_owned());
    }
    lines.extend(ahead.unmet.iter().map(|(name, value)| format!("NOT MET {name}: {value} (--pass {name})")));
    match &ahead.digest {
        Some(digest) => lines.push(format!("the order names what is shown by its digest: {digest}")),
        None => lines.push("it was never evaluated, and no order can name what was shown".to_owned()),
    }
    lines.push(String::new());
    match &ahead.runbook {
        Ok(runbook) => lines.extend(runbook.lines().map(str::to_owned)),
        Err(why) => lines.push(format!("no failover can begin: {why}")),
    }
    lines
}

fn as_json(ahead: &Ahead, now: jiff::Timestamp) -> Value {
    let unmet: Vec<Value> = ahead.unmet.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    json!({
        "readiness": ahead.shown.as_ref().map(|shown| shown.as_json(now)),
        "digest": ahead.digest,
        "unmet": unmet,
        "takes": ahead.takes.map(StoredTakes::from),
        "runbook": ahead.runbook.as_ref().ok(),
        "refused": ahead.runbook.as_ref().err(),
        "running": ahead.last.as_ref().filter(|last| last.ended_at.is_none()).map(|last| &last.id),
    })
}

/// Follows it until it has ended, a person is asked, or whoever follows leaves. Where others have to approve of the order first, it is
/// waited for as long as an order stands.
async fn follow(operator: &Operator, (plan, before): (&str, Option<&str>), form: Form) -> Result<Outcome> {
    let going = async {
        let (mut told, mut failures, began) = (BTreeSet::new(), 0, Instant::now());
        loop {
            match operator.failover(plan).await.map(|found| found.filter(|one| is_ordered(one, before))) {
                Ok(Some(failover)) => {
                    failures = 0;
                    tell(plan, &failover, &mut told, form);
                    if let Some(outcome) = came(&failover) {
                        return Ok(outcome);
                    }
                }
                Ok(None) if began.elapsed() >= WAITS_FOR => {
                    output::tell("No failover has begun: the order has lapsed by now.");
                    return Ok(Outcome::DidNotHold);
                }
                Ok(None) => {
                    failures = 0;
                    if told.insert(String::new()) {
                        output::tell("No failover has begun yet: it begins when enough have approved of the order.");
                    }
                }
                Err(error) => {
                    failures += 1;
                    if failures >= FAILURES_MAX {
                        return Err(error);
                    }
                }
            }
            tokio::time::sleep(ASKED_EVERY).await;
        }
    };
    tokio::select! {
        came = going => came.context("the store does not answer any more; the failover goes on without you"),
        _left = tokio::signal::ctrl_c() => {
            output::tell("You left; the failover goes on, and the same command picks it up again.");
            Ok(Outcome::DidNotHold)
        }
    }
}

/// Whether this is what was ordered, and not the one before it, which has ended.
fn is_ordered(failover: &Followed, before: Option<&str>) -> bool {
    before.is_none_or(|before| failover.id != before)
}

/// What there is to say when nothing more comes by itself.
fn came(failover: &Followed) -> Option<Outcome> {
    match (failover.ended_at, failover.asked.is_empty()) {
        (Some(_), _) => Some(if failover.is_done { Outcome::Held } else { Outcome::DidNotHold }),
        (None, false) => Some(Outcome::DidNotHold),
        (None, true) => None,
    }
}

fn tell(plan: &str, failover: &Followed, told: &mut BTreeSet<String>, form: Form) {
    let yes = failover.asked.iter().filter_map(|question| orders::yes(plan, &failover.id, question));
    for line in failover.lines.iter().cloned().chain(yes.map(|command| format!("yes by    {command}"))) {
        if told.insert(line.clone()) {
            match form {
                Form::Text => output::say(&line),
                Form::Json => output::say(json!({ "failover": failover.id, "line": line })),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lifeboat_execution::saga::record::SagaRecord;

    use super::*;

    fn followed(ended: bool, is_done: bool, asks: bool) -> Followed {
        let record: SagaRecord =
            serde_json::from_slice(include_bytes!("../../execution/golden/saga-v1.json")).expect("a record");
        let saga = record.saga().expect("it reads");
        let at = "2026-11-22T10:00:00Z".parse().expect("a time");
        Followed {
            id: "shop-1".to_owned(),
            began_at: at,
            ended_at: ended.then_some(at),
            is_done,
            lines: Vec::new(),
            asked: saga.questions().filter(|_| asks).cloned().collect(),
            runbook: String::new(),
        }
    }

    #[test]
    fn it_is_followed_until_it_has_ended_or_a_person_is_asked() {
        assert_eq!(came(&followed(false, false, false)), None);
        assert_eq!(came(&followed(false, false, true)), Some(Outcome::DidNotHold));
        assert_eq!(came(&followed(true, true, false)), Some(Outcome::Held));
        assert_eq!(came(&followed(true, false, false)), Some(Outcome::DidNotHold));
    }

    #[test]
    fn a_failover_that_ended_before_is_not_the_one_that_was_ordered() {
        let (undone, other) =
            (followed(true, false, false), Followed { id: "shop-2".to_owned(), ..followed(false, false, false) });
        assert!(!is_ordered(&undone, Some("shop-1")) && is_ordered(&other, Some("shop-1")));
        assert!(is_ordered(&undone, None), "one that runs already is followed");
    }

    #[test]
    fn what_would_be_done_is_shown_also_where_nothing_was_ever_looked_at() {
        let refused = Err("nothing was saved".to_owned());
        let ahead = Ahead { shown: None, digest: None, unmet: Vec::new(), runbook: refused, takes: None, last: None };
        let text = ahead_lines(&ahead, "2026-11-22T10:00:00Z".parse().expect("a time")).join("\n");
        for part in ["never looked at", "never evaluated", "no failover can begin: nothing was saved"] {
            assert!(text.contains(part), "{text}");
        }
    }
}

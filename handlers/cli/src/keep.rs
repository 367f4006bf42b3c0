//! `lifeboat keep`: which points a policy would keep and which it would let go, each with every reason, of dates given as lines.
//! It never asks Azure and never deletes anything: it shows what the handler would decide, by the handler's own code.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{ArgGroup, Args};
use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use lifeboat_contract::keep::{
    AtLeast, DatedPoint, EntryRules, Kind, PointSeen, Presence, Question, TimeZone, Verdict, due_oldest_first,
    entries_of_rules, read_dates, verdicts, zone,
};
use lifeboat_contract::policy::{DOCUMENT_BYTES_MAX, read_policy};
use lifeboat_execution::clock::Clock;
use serde_json::{Value, json};

use crate::check;
use crate::output::{self, Form, Outcome};

/// Bound on a file of dates: a hundred thousand of the longest lines.
const DATES_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Shows which points a policy would keep and which it would let go, and why.
///
/// The dates are lines of time, kind and state, and what else is known: `2026-11-22T02:00:00Z restorePoint restorable held`.
/// A time without an offset is one of the policy's zone. Kinds: restorePoint, snapshot (of all disks of a machine together).
/// States: restorable, inProgress, failed, deleting, notWhole. Else: foreign, held, locked, openAccess, copying, saga,
/// lastOfDisk, and the consistency reached: crash, fileSystem, application.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("rules").required(true).args(["policy", "keep"])))]
#[command(after_help = "Examples:
  lifeboat keep --policy policies/production.yaml --dates dates.txt
  lifeboat keep --keep last=3,daily=7,within=2d --zone Europe/Berlin --dates dates.txt
  lifeboat keep --policy policies/production.yaml --dates - --now 2027-01-01T00:00:00Z --output json

Exit codes: 0 shown, 1 a file was not understood, 2 the command line was not understood.")]
pub struct KeepArgs {
    /// The policy whose rules are applied.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Rules instead of a policy: last, hourly, daily, weekly, monthly, yearly, min with a number; within with a duration.
    #[arg(long, value_name = "RULES")]
    keep: Option<String>,
    /// The zone of the rules given by --keep.
    #[arg(long, default_value = "UTC", conflicts_with = "policy")]
    zone: String,
    /// The entry of the policy; needed where two entries make points of the same kind.
    #[arg(long, conflicts_with = "keep")]
    entry: Option<String>,
    /// The points, one a line; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    dates: PathBuf,
    /// When it is judged; now, where it is not given.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// A point with what was decided on it.
struct Judged<'a> {
    point: &'a DatedPoint,
    seen: PointSeen<'a>,
    entry: Option<&'a EntryRules>,
    verdict: Verdict,
}

/// Runs the command.
pub fn run(args: &KeepArgs) -> Result<Outcome> {
    let Some(entries) = entries(args)? else { return Ok(Outcome::DidNotHold) };
    let text = read(&args.dates, DATES_BYTES_MAX)?;
    let dates = read_dates(&text).with_context(|| called(&args.dates))?;
    let now = args.now.unwrap_or_else(|| Clock::wall().now());
    let judged = judge(&entries, &dates, now).with_context(|| called(&args.dates))?;
    match args.output {
        Form::Json => output::say_json(&as_json(&judged, now)),
        Form::Text => show(&judged, now),
    }
    Ok(Outcome::Held)
}

/// The verdict on each point of such lines by a policy's text, in their order: its word, and its reasons in words.
pub fn told(policy: &str, dates: &str, now: Timestamp) -> Result<Vec<(String, String)>> {
    let Ok(document) = read_policy(policy, "the policy") else { bail!("the policy cannot be read") };
    let entries: Vec<EntryRules> = document.policy.points.iter().map(EntryRules::from).collect();
    let dates = read_dates(dates)?;
    let judged = judge(&entries, &dates, now)?;
    Ok(judged.iter().map(|one| (one.verdict.kind.word().to_owned(), one.verdict.reasons.to_string())).collect())
}

/// The entries that are asked for; `None` where the policy is none, which then is told.
fn entries(args: &KeepArgs) -> Result<Option<Vec<EntryRules>>> {
    let Some(file) = &args.policy else {
        let rules = args.keep.as_deref().unwrap_or_default();
        return Ok(Some(entries_of_rules(rules, &zone(&args.zone)?)?));
    };
    let (name, text) = (called(file), read(file, DOCUMENT_BYTES_MAX as u64)?);
    let policy = match read_policy(&text, &name) {
        Ok(document) => document.policy,
        Err(problems) => {
            match args.output {
                Form::Json => {
                    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    output::say_json(&json!({ "ok": false, "problems": problems }));
                }
                Form::Text => check::show_problems(&name, &text, &problems),
            }
            return Ok(None);
        }
    };
    let mut entries: Vec<EntryRules> = policy.points.iter().map(EntryRules::from).collect();
    if let Some(name) = &args.entry {
        entries.retain(|entry| entry.name == *name);
        if entries.is_empty() {
            bail!("the policy has no entry `{name}`");
        }
    }
    one_of_each_kind(&entries)?;
    Ok(Some(entries))
}

/// Points of one kind cannot tell which of two entries made them.
fn one_of_each_kind(entries: &[EntryRules]) -> Result<()> {
    for (at, entry) in entries.iter().enumerate() {
        if let Some(other) = entries[..at].iter().find(|other| other.kind == entry.kind) {
            bail!("`{}` and `{}` make points of the same kind; say which is meant by --entry", other.name, entry.name);
        }
    }
    Ok(())
}

/// The verdict on each point, in the order of the lines: those of one kind by the entry of that kind; by none, where there is none.
fn judge<'a>(entries: &'a [EntryRules], dates: &'a [DatedPoint], now: Timestamp) -> Result<Vec<Judged<'a>>> {
    let utc = TimeZone::UTC;
    let mut judged = Vec::with_capacity(dates.len());
    let mut kinds: Vec<_> = dates.iter().map(|point| point.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let entry = entries.iter().find(|entry| entry.kind == kind);
        let zone = entry.map_or(&utc, |entry| &entry.zone);
        let points: Vec<&DatedPoint> = dates.iter().filter(|point| point.kind == kind).collect();
        let seen: Vec<PointSeen<'_>> =
            points.iter().map(|point| Ok(point.seen(point.at(zone)?))).collect::<Result<_>>()?;
        let question = Question {
            keep: entry.and_then(|entry| entry.keep.as_ref()),
            zone,
            at_least: entry.map_or(AtLeast::Crash, |entry| entry.at_least),
            machine: Presence::Living,
            when_gone: entry.map(|entry| entry.when_gone).unwrap_or_default(),
            deleted_by_hand: false,
            now,
        };
        let verdicts = verdicts(&question, &seen);
        let each = points.into_iter().zip(seen).zip(verdicts);
        judged.extend(each.map(|((point, seen), verdict)| Judged { point, seen, entry, verdict }));
    }
    judged.sort_by_key(|judged| judged.point.line);
    Ok(judged)
}

/// The points that would go, in the order in which they would.
fn going<'a>(judged: &[Judged<'a>]) -> Vec<&'a DatedPoint> {
    let seen: Vec<PointSeen<'_>> = judged.iter().map(|judged| judged.seen).collect();
    let verdicts: Vec<Verdict> = judged.iter().map(|judged| judged.verdict).collect();
    due_oldest_first(&seen, &verdicts).into_iter().map(|index| judged[index].point).collect()
}

fn show(judged: &[Judged<'_>], now: Timestamp) {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["line", "time", "kind", "state", "verdict", "because"]);
    for Judged { point, seen, entry, verdict } in judged {
        table.add_row([
            point.line.to_string(),
            local(seen.at, *entry),
            point.kind_word().to_owned(),
            point.state_word().to_owned(),
            verdict.kind.word().to_owned(),
            verdict.reasons.to_string(),
        ]);
    }
    output::say(table);
    let count = |kind| judged.iter().filter(|judged| judged.verdict.kind == kind).count();
    let (keep, blocked, foreign) = (count(Kind::Keep), count(Kind::Blocked), count(Kind::Foreign));
    let going = going(judged);
    output::say(format_args!(
        "{} points at {now}: {keep} keep, {blocked} blocked, {foreign} foreign, {} expire",
        judged.len(),
        going.len()
    ));
    if let (Some(first), Some(last)) = (going.first(), going.last()) {
        output::say(format_args!("oldest first: from line {} to line {}", first.line, last.line));
    }
}

fn as_json(judged: &[Judged<'_>], now: Timestamp) -> Value {
    let points: Vec<Value> = judged
        .iter()
        .map(|Judged { point, seen, entry, verdict }| {
            let reasons: Vec<Value> = verdict
                .reasons
                .iter()
                .map(|reason| json!({ "reason": reason.word(), "says": reason.to_string() }))
                .collect();
            json!({
                "line": point.line,
                "time": seen.at,
                "kind": point.kind_word(),
                "state": point.state_word(),
                "entry": entry.map(|entry| &entry.name),
                "verdict": verdict.kind.word(),
                "reasons": reasons,
            })
        })
        .collect();
    let going: Vec<usize> = going(judged).into_iter().map(|point| point.line).collect();
    json!({ "ok": true, "now": now, "points": points, "linesDueOldestFirst": going })
}

/// A time as clocks of the entry's zone show it, with the offset.
fn local(at: Timestamp, entry: Option<&EntryRules>) -> String {
    entry.map_or_else(
        || at.to_string(),
        |entry| at.to_zoned_datetime(entry.zone.clone()).strftime("%FT%T%:z").to_string(),
    )
}

/// A file's name as messages give it.
pub fn called(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}

/// The text of a file, or of standard input.
pub fn read(path: &Path, bytes_max: u64) -> Result<String> {
    let of = || format!("{} cannot be read", called(path));
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(bytes_max + 1).read_to_end(&mut bytes).with_context(of)?;
    } else {
        std::fs::File::open(path).with_context(of)?.take(bytes_max + 1).read_to_end(&mut bytes).with_context(of)?;
    }
    if bytes.len() as u64 > bytes_max {
        bail!("{} is longer than {bytes_max} bytes", called(path));
    }
    String::from_utf8(bytes).with_context(of)
}

//! `lifeboat points`: which recovery points there are, of whom, and what becomes of each, by the operator's own sign-in.
//! It never changes anything, and decides nothing itself: the verdicts are those of the sweep that deletes.

use anyhow::{Context, Result};
use clap::Args;
use comfy_table::{Table, presets};
use jiff::Timestamp;
use lifeboat_execution::vault_verdicts::{ItemVerdicts, VaultReason, VaultVerdict};
use lifeboat_execution::verdicts::{Reader, Told, Verdicts, Whose};
use lifeboat_execution::{ARM_URL, Connections};
use serde_json::{Value, json};

use crate::output::{self, Form, Outcome};

/// Shows the recovery points of a machine, or of all, and what becomes of each.
///
/// Azure and the store are read by your own sign-in (`az login`), and nothing is changed. The verdicts are what the hourly sweep would
/// decide now: kept, due, blocked (due but for something in the way) or foreign (not made by this deployment, never touched). The sweep
/// deletes only in regions that the deployment owns, within the limits of each policy, and reads everything again before.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat points --store https://acct.blob.core.windows.net/lifeboat --subscriptions 0000…,1111…
  lifeboat points web-1 --why --store https://acct.blob.core.windows.net/lifeboat --subscriptions 0000…

Exit codes: 0 told, 1 something could not be read, or there is no point, 2 the command line was not understood.")]
pub struct PointsArgs {
    /// The machine: its ARM id or its name; without one all are shown.
    machine: Option<String>,
    /// Shows every reason of each verdict.
    #[arg(long)]
    why: bool,
    /// Shows points in vaults of all machines too; those of a machine that is named are always shown. Some calls for each machine.
    #[arg(long)]
    vaults: bool,
    /// The container that is the store.
    #[arg(long, value_name = "URL")]
    store: String,
    /// All subscriptions in scope: a machine that moved to another one would look gone.
    #[arg(long, value_name = "IDS", value_delimiter = ',', required = true)]
    subscriptions: Vec<String>,
    /// Where Azure Resource Manager is.
    #[arg(long, value_name = "URL", default_value = ARM_URL)]
    arm: String,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Runs the command.
pub async fn run(args: &PointsArgs) -> Result<Outcome> {
    let whose = args.machine.as_deref().map_or(Ok(Whose::All), Whose::parse)?;
    let work = async {
        let reader = Reader::open(Connections::signed_in(), &args.arm, &args.store, &args.subscriptions).await?;
        reader.verdicts(&whose, args.vaults || args.machine.is_some()).await
    };
    let verdicts = output::with_progress("reading points, locks and ledgers", work).await;
    let verdicts = verdicts.context("the points cannot be told")?;
    match args.output {
        Form::Json => output::say_json(&as_json(&verdicts)),
        Form::Text => show(&verdicts, args.why),
    }
    let none = verdicts.points.is_empty() && verdicts.in_vaults.iter().all(|(_, item)| item.verdicts.is_empty());
    if let (true, Form::Text, Some(machine)) = (none, args.output, &args.machine) {
        output::tell(format_args!("lifeboat: there is no point of {machine}"));
    }
    let whole = verdicts.unread.is_empty() && !none;
    Ok(if whole { Outcome::Held } else { Outcome::DidNotHold })
}

fn show(verdicts: &Verdicts, why: bool) {
    text(verdicts, why).iter().for_each(output::say);
    for line in &verdicts.unread {
        output::tell(format_args!("not read: {line}"));
    }
}

fn text(verdicts: &Verdicts, why: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for of_machine in verdicts.points.chunk_by(|one, other| one.machine.eq_ignore_ascii_case(&other.machine)) {
        let machine = of_machine.first().map(|point| point.machine.as_str()).filter(|machine| !machine.is_empty());
        lines.push(machine.unwrap_or("of a machine that Azure does not name").to_owned());
        let mut table = Table::new();
        let columns = ["POINT", "OF", "KIND", "STATE", "CONSISTENCY", "MADE BY", "VERDICT", "BECAUSE"];
        let shown = if why { columns.len() } else { columns.len() - 1 };
        table.load_preset(presets::NOTHING).set_header(columns.iter().take(shown));
        for point in of_machine {
            table.add_row(row(point).into_iter().take(shown));
        }
        lines.extend(table.lines().map(|line| format!("  {}", line.trim_end())));
    }
    for (machine, item) in &verdicts.in_vaults {
        lines.push(format!("{machine} in {}", item.vault));
        lines.extend(in_vault(item, why));
    }
    lines.push(count(verdicts));
    match &verdicts.digest {
        Some(digest) => lines.push(format!("by the policies of the bundle {digest}")),
        None => lines.push("without policies: everything stays".to_owned()),
    }
    lines.extend(verdicts.withheld.iter().map(|why| format!("nothing is deleted for now: {why}")));
    lines
}

/// The points of one item. They are Azure Backup's: the verdict is always the same, and the reasons say what would make each go.
fn in_vault(item: &ItemVerdicts, why: bool) -> Vec<String> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["POINT", "OF", "VERDICT", "BECAUSE"].iter().take(if why {
        4
    } else {
        3
    }));
    for point in &item.verdicts {
        let because: Vec<String> = point.reasons.iter().map(ToString::to_string).collect();
        let row = [point.name.clone(), time(point.at), point.kind.word().to_owned(), because.join("; ")];
        table.add_row(row.into_iter().take(if why { 4 } else { 3 }));
    }
    table.lines().map(|line| format!("  {}", line.trim_end())).collect()
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or("-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

fn row(point: &Told) -> [String; 8] {
    let kind = point.snapshots.map_or("restore point".to_owned(), |count| format!("set of {count} snapshots"));
    let made_by = point.made_by.as_ref().map_or("-".to_owned(), |(policy, entry)| format!("{policy}/{entry}"));
    let tried = point.deletion.iter().map(|tried| format!("; {tried}")).collect::<String>();
    [
        point.name.clone(),
        time(point.at),
        kind,
        point.state_word().to_owned(),
        point.consistency.clone().unwrap_or_else(|| "-".to_owned()),
        made_by,
        point.verdict_words().to_owned(),
        format!("{}{tried}", point.reasons),
    ]
}

fn count(verdicts: &Verdicts) -> String {
    let of = |word: &str| verdicts.points.iter().filter(|point| point.kind.word() == word).count();
    let (keep, expire, blocked, foreign) = (of("keep"), of("expire"), of("blocked"), of("foreign"));
    let all = verdicts.points.len();
    let in_vaults: usize = verdicts.in_vaults.iter().map(|(_, item)| item.verdicts.len()).sum();
    let beside = if in_vaults > 0 { format!("; {in_vaults} in vaults, foreign") } else { String::new() };
    format!("{all} points: {keep} kept, {expire} due, {blocked} blocked, {foreign} foreign{beside}")
}

fn as_json(verdicts: &Verdicts) -> Value {
    let point = |point: &Told| {
        let reasons: Vec<Value> =
            point.reasons.iter().map(|one| json!({ "reason": one.word(), "says": one.to_string() })).collect();
        json!({
            "machine": point.machine,
            "id": point.id,
            "name": point.name,
            "snapshots": point.snapshots,
            "of": point.at,
            "state": point.state_word(),
            "consistency": point.consistency,
            "policy": point.made_by.as_ref().map(|(policy, _)| policy),
            "entry": point.made_by.as_ref().map(|(_, entry)| entry),
            "verdict": point.kind.word(),
            "onlyReported": point.only_reported,
            "reasons": reasons,
            "deletion": point.deletion,
        })
    };
    let in_vault = |(machine, item): &(String, ItemVerdicts)| {
        let point = |point: &VaultVerdict| {
            let reason = |one: &VaultReason| json!({ "reason": one.word(), "says": one.to_string() });
            let reasons: Vec<Value> = point.reasons.iter().map(reason).collect();
            json!({ "name": point.name, "of": point.at, "verdict": point.kind.word(), "reasons": reasons })
        };
        let points: Vec<Value> = item.verdicts.iter().map(point).collect();
        json!({ "machine": machine, "vault": item.vault, "item": item.item, "points": points })
    };
    json!({
        "ok": verdicts.unread.is_empty(),
        "at": verdicts.at,
        "deployment": verdicts.deployment,
        "digest": verdicts.digest,
        "points": verdicts.points.iter().map(point).collect::<Vec<_>>(),
        "inVaults": verdicts.in_vaults.iter().map(in_vault).collect::<Vec<_>>(),
        "withheld": verdicts.withheld,
        "unread": verdicts.unread,
    })
}

#[cfg(test)]
mod tests {
    use lifeboat_contract::keep::{Kind, Reason, Reasons, State};

    use super::*;

    fn told(name: &str, kind: Kind, reasons: &[Reason]) -> Told {
        Told {
            machine: "/subscriptions/s/vm-1".to_owned(),
            id: format!("/subscriptions/s/collection/restorePoints/{name}"),
            name: name.to_owned(),
            snapshots: None,
            at: Some("2026-11-22T02:00:00Z".parse().unwrap()),
            state: State::Restorable,
            consistency: None,
            made_by: Some(("production".to_owned(), "daily".to_owned())),
            kind,
            only_reported: false,
            reasons: reasons.iter().copied().collect::<Reasons>(),
            deletion: None,
        }
    }

    fn verdicts() -> Verdicts {
        let due = Told { only_reported: true, ..told("p-2", Kind::Expire, &[Reason::NoRuleKeeps]) };
        let held = Told {
            machine: "/subscriptions/s/vm-2".to_owned(),
            snapshots: Some(2),
            deletion: Some("3 attempts to delete it".to_owned()),
            ..told("p-3", Kind::Blocked, &[Reason::Held, Reason::NoRuleKeeps])
        };
        Verdicts {
            at: "2026-11-23T00:00:00Z".parse().unwrap(),
            deployment: "lb-weu".to_owned(),
            digest: Some("9f2c".to_owned()),
            points: vec![told("p-1", Kind::Keep, &[Reason::Last, Reason::Daily]), due, held],
            withheld: vec!["all changes are stopped".to_owned()],
            in_vaults: Vec::new(),
            unread: Vec::new(),
        }
    }

    #[test]
    fn points_are_shown_machine_by_machine_and_with_why_every_reason() {
        assert_eq!(
            text(&verdicts(), true).join("\n"),
            "/subscriptions/s/vm-1\n   \
               POINT  OF                    KIND           STATE      CONSISTENCY  MADE BY           VERDICT                           BECAUSE\n   \
               p-1    2026-11-22 02:00:00Z  restore point  succeeded  -            production/daily  kept                              last: one of the newest; daily: the newest of its day\n   \
               p-2    2026-11-22 02:00:00Z  restore point  succeeded  -            production/daily  due, and the policy only reports  no rule keeps it\n\
             /subscriptions/s/vm-2\n   \
               POINT  OF                    KIND                STATE      CONSISTENCY  MADE BY           VERDICT  BECAUSE\n   \
               p-3    2026-11-22 02:00:00Z  set of 2 snapshots  succeeded  -            production/daily  blocked  a person holds it; no rule keeps it; 3 attempts to delete it\n\
             3 points: 1 kept, 1 due, 1 blocked, 0 foreign\n\
             by the policies of the bundle 9f2c\n\
             nothing is deleted for now: all changes are stopped"
        );
        let plain = text(&verdicts(), false).join("\n");
        assert!(!plain.contains("BECAUSE") && !plain.contains("a person holds it"), "{plain}");
    }

    #[test]
    fn programs_get_each_reason_as_a_word_and_in_words() {
        let said = as_json(&verdicts());
        assert_eq!((&said["ok"], &said["points"][1]["onlyReported"]), (&true.into(), &true.into()));
        assert_eq!(said["points"][2]["verdict"], "blocked");
        assert_eq!(said["points"][2]["reasons"][0], json!({ "reason": "held", "says": "a person holds it" }));
    }
}

//! `lifeboat plan`: what the handler would do now, by its own code and the operator's own sign-in.
//! It never changes anything, in Azure or in the store, and orders nothing: the handler looks for itself.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use lifeboat_contract::plan::{ExpiryPlan, MachinePlan, PlanDocument, PlannedStep, PoliciesFrom};
use lifeboat_contract::policy::check_policies;
use lifeboat_execution::bundle::{Bundle, File};
use lifeboat_execution::{ARM_URL, Asked, Build, Connections, Onlooker, Settings};
use serde_json::json;

use crate::output::{self, Form, Outcome};
use crate::policy_files;

/// Machines looked at by one plan where nothing else is said: each is some ten calls, and an operator's calls share the budgets of
/// the subscription with everybody else's.
const AT_MOST: usize = 500;

/// Shows what the handler would do now: for each machine what, why, and what is refused and why; and which points would expire.
///
/// Machines are looked at as the handler looks at them, with its own code, and nothing is changed: no lease, no counter, no record.
/// Machines that need nothing are counted, unless you name them. With `--policies` it says what those policies would do, were they
/// in force; without a store they are asked of machines alone, and nothing is known of points that a deployment made. You act by
/// your own sign-in (`az login`), and see what you may read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat plan --store https://acct.blob.core.windows.net/lifeboat --deployment lb-weu --subscriptions 0000…,1111… --regions westeurope
  lifeboat plan web-1 db-1 --store … --deployment lb-weu --subscriptions 0000… --regions westeurope
  lifeboat plan --policies policies/ --subscriptions 0000… --regions westeurope --output json

Exit codes: 0 shown, and nothing of it waits for a person, 1 something that is refused waits for a person, was not read or stands against
the audit, or there is no plan and why is said, 2 the command line was not understood.")]
pub struct PlanArgs {
    /// Machines by ARM id or name; all that a policy covers where none is named.
    #[arg(value_name = "MACHINE")]
    machines: Vec<String>,
    #[command(flatten)]
    scope: Scope,
    /// Policies instead of those in force: files, and folders with all .yaml and .yml files below them.
    #[arg(long, value_name = "FILE|DIR")]
    policies: Vec<PathBuf>,
    /// Machines looked at, at most; how many were left out is said.
    #[arg(long, value_name = "NUMBER", default_value_t = AT_MOST)]
    at_most: usize,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// What a deployment sees, as its settings say.
#[derive(Debug, Args)]
struct Scope {
    /// The container that is the store.
    #[arg(long, value_name = "URL", required_unless_present = "policies", requires = "deployment")]
    store: Option<String>,
    /// The deployment's id, as in the setting LIFEBOAT_DEPLOYMENT.
    #[arg(long, value_name = "ID")]
    deployment: Option<String>,
    /// The subscriptions in scope, as in LIFEBOAT_SUBSCRIPTIONS.
    #[arg(long, value_name = "IDS", value_delimiter = ',', required = true)]
    subscriptions: Vec<String>,
    /// The regions whose machines the deployment may change, as in LIFEBOAT_OWNED_REGIONS.
    #[arg(long, value_name = "REGIONS", value_delimiter = ',', required = true)]
    regions: Vec<String>,
    /// Where Azure Resource Manager is.
    #[arg(long, value_name = "URL", default_value = ARM_URL)]
    arm: String,
}

/// Runs the command.
pub async fn run(args: &PlanArgs) -> Result<Outcome> {
    let policies = match bundle(args)? {
        Ok(policies) => policies,
        Err(problems) => return Ok(refused(args, &problems)),
    };
    let scope = &args.scope;
    let settings = settings(scope.deployment.as_deref(), &scope.regions, &scope.subscriptions);
    let onlooker = Onlooker::connect(&Connections::signed_in(), &scope.arm, scope.store.as_deref(), settings)?;
    let asked = Asked { machines: args.machines.clone(), policies, at_most: args.at_most };
    let plan = output::with_progress("looking at the machines", onlooker.foresee(&asked)).await;
    let plan = plan.context("there is no plan")?;
    match args.output {
        Form::Json => output::say_json(&plan),
        Form::Text => output::say(shown(&plan)),
    }
    Ok(if plan.holds() { Outcome::Held } else { Outcome::DidNotHold })
}

/// The settings of a deployment, as whoever looks for it gives them.
pub fn settings(deployment: Option<&str>, regions: &[String], subscriptions: &[String]) -> Settings {
    Settings {
        deployment: deployment.unwrap_or_default().to_owned(),
        owned_regions: regions.to_vec(),
        subscriptions: subscriptions.to_vec(),
        build: Build { version: env!("CARGO_PKG_VERSION").to_owned(), id: String::new() },
    }
}

/// The policies given, as a bundle; the inner error are the problems of those that cannot be put in force.
fn bundle(args: &PlanArgs) -> Result<Result<Option<Bundle>, Vec<String>>> {
    if args.policies.is_empty() {
        return Ok(Ok(None));
    }
    let files = policy_files::read(&args.policies)?;
    let checked = check_policies(&files);
    if !checked.holds() {
        return Ok(Err(checked.problems.iter().map(ToString::to_string).collect()));
    }
    Ok(Ok(Some(Bundle::new(files.into_iter().map(|(name, text)| File { name, text }).collect()))))
}

fn refused(args: &PlanArgs, problems: &[String]) -> Outcome {
    match args.output {
        Form::Json => output::say_json(&json!({ "ok": false, "problems": problems })),
        Form::Text => problems.iter().for_each(output::say),
    }
    Outcome::DidNotHold
}

/// The plan for people: notes, a table of machines, a table of points, and what is counted.
fn shown(plan: &PlanDocument) -> String {
    let mut parts: Vec<String> = plan.notes.iter().map(|note| format!("note: {note}")).collect();
    parts.extend(plan.unseen.iter().map(|subscription| not_all_seen(subscription)));
    if !plan.machines.is_empty() {
        parts.push(machines(&plan.machines));
    }
    if !plan.expiry.points.is_empty() {
        parts.push(points(&plan.expiry));
    }
    parts.extend(plan.expiry.unread.iter().map(|(machine, why)| format!("points of {machine} were not read: {why}")));
    parts.push(counted(plan));
    parts.join("\n")
}

/// That absence proves nothing there.
pub fn not_all_seen(subscription: &str) -> String {
    format!(
        "the machines of the subscription {subscription} may not all be seen: you may not read them, or it is not enabled"
    )
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}

/// A row for each effect and each refusal; the machine stands in the first of its rows.
fn machines(machines: &[MachinePlan]) -> String {
    let mut table = table(&["machine", "policy", "", "what", "because"]);
    for one in machines {
        let mut rows: Vec<[String; 3]> = Vec::new();
        let mut step = |word: &str, step: &PlannedStep| {
            let instead = step.instead.as_ref().map(|instead| format!("; {instead}")).unwrap_or_default();
            rows.push([word.to_owned(), step.what.clone(), format!("{}{instead}", step.why)]);
        };
        one.effects.iter().for_each(|effect| step("do", effect));
        one.would.iter().for_each(|effect| step("would", effect));
        for refusal in &one.refusals {
            let word = if refusal.needs_person { "not, a person's turn" } else { "not" };
            rows.push([word.to_owned(), String::new(), refusal.why.clone()]);
        }
        rows.extend(one.audit.iter().map(|note| ["audit".to_owned(), String::new(), note.clone()]));
        rows.extend(one.unread.iter().map(|why| ["not read".to_owned(), String::new(), why.clone()]));
        if rows.is_empty() {
            rows.push(["nothing".to_owned(), String::new(), "all is as its policy says".to_owned()]);
        }
        for (at, [word, what, because]) in rows.into_iter().enumerate() {
            let named = |text: &str| if at == 0 { text.to_owned() } else { String::new() };
            let policy = one.policy.as_deref().unwrap_or("–");
            table.add_row([named(name(&one.machine)), named(policy), word, what, because]);
        }
    }
    table.to_string()
}

/// A row for each point that no rule keeps.
fn points(expiry: &ExpiryPlan) -> String {
    let mut table = table(&["machine", "policy", "", "point", "of", "because"]);
    for point in &expiry.points {
        let why = expiry.withheld.as_ref().or(point.left.as_ref());
        let (word, left) = match why {
            None => ("delete", String::new()),
            Some(why) => ("due, stays", format!("; stays for now: {why}")),
        };
        let because = format!("{}{left}", point.reasons.join("; "));
        let [machine, policy, word, of] =
            [name(&point.machine), &point.policy, word, &point.at.to_string()].map(ToOwned::to_owned);
        table.add_row([machine, policy, word, point.point.clone(), of, because]);
    }
    table.to_string()
}

/// What is counted, a line each.
fn counted(plan: &PlanDocument) -> String {
    let mut lines: Vec<String> = Vec::new();
    let does = |machine: &&MachinePlan| !machine.effects.is_empty();
    let would = |machine: &&MachinePlan| machine.effects.is_empty() && !machine.would.is_empty();
    let [doing, reported] = [plan.machines.iter().filter(does).count(), plan.machines.iter().filter(would).count()];
    let rest = plan.machines.len() - doing - reported;
    lines.push(format!(
        "machines: {doing} with something to do, {reported} with something only told, {rest} others shown"
    ));
    lines.extend(plan.quiet.by_reason.iter().map(|(reason, count)| format!("machines: {count} more: {reason}")));
    if plan.quiet.not_looked_at > 0 {
        lines.push(format!("machines: {} not looked at (--at-most)", plan.quiet.not_looked_at));
    }
    let expiry = &plan.expiry;
    let verdicts: Vec<String> = expiry.verdicts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    if !verdicts.is_empty() {
        lines.push(format!("points: {}", verdicts.join(", ")));
    }
    if let Some(why) = &expiry.withheld {
        lines.push(format!("points: nothing is deleted: {why}"));
    }
    if expiry.not_read > 0 {
        lines.push(format!("points: {} collections not read (--at-most)", expiry.not_read));
    }
    let from = match plan.policies.from {
        PoliciesFrom::Store => "in force",
        PoliciesFrom::Files => "given, not in force",
    };
    let digest: String = plan.policies.digest.chars().take(12).collect();
    lines.push(format!("policies {from}: {}, digest {digest}", plan.policies.names.join(", ")));
    lines.push("Nothing was changed.".to_owned());
    lines.join("\n")
}

/// The last part of an ARM id.
fn name(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use lifeboat_contract::plan::{PointDue, PoliciesUsed, Quiet, RefusalSaid, VERSION};

    use super::*;

    fn step(what: &str, why: &str, instead: Option<&str>) -> PlannedStep {
        let instead = instead.map(ToOwned::to_owned);
        PlannedStep { key: "k".to_owned(), what: what.to_owned(), why: why.to_owned(), instead }
    }

    fn document() -> PlanDocument {
        let id = |name: &str| {
            format!("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{name}")
        };
        let instead = "crash-consistent instead of application-consistent: the VM agent is not ready";
        let machines = vec![
            MachinePlan {
                machine: id("web-1"),
                policy: Some("production".to_owned()),
                effects: vec![step("make it", "it is wanted", Some(instead)), step("make that", "it is wanted", None)],
                ..MachinePlan::default()
            },
            MachinePlan {
                machine: id("db-1"),
                refusals: vec![RefusalSaid { why: "the VM is shy".to_owned(), needs_person: true }],
                ..MachinePlan::default()
            },
        ];
        let point = |name: &str, left: Option<&str>| PointDue {
            machine: id("web-1"),
            point: name.to_owned(),
            at: "2026-11-22T02:00:00Z".parse().expect("a time"),
            policy: "production".to_owned(),
            reasons: vec!["no rule keeps it".to_owned()],
            effects: vec![step("delete it", "no rule keeps it", None)],
            left: left.map(ToOwned::to_owned),
        };
        PlanDocument {
            version: VERSION,
            at: "2026-11-22T10:00:00Z".parse().expect("a time"),
            deployment: "lb-weu".to_owned(),
            estate: Some("e".to_owned()),
            policies: PoliciesUsed {
                from: PoliciesFrom::Store,
                digest: "0123456789abcdef".to_owned(),
                names: vec!["production".to_owned()],
            },
            notes: vec!["changes are stopped".to_owned()],
            unseen: vec!["s-2".to_owned()],
            machines,
            quiet: Quiet { by_reason: [("no point is due".to_owned(), 7)].into(), not_looked_at: 3 },
            expiry: ExpiryPlan {
                points: vec![point("lb-a", None), point("lb-b", Some("the limit is reached"))],
                verdicts: [("expire".to_owned(), 2), ("keep".to_owned(), 4)].into(),
                ..ExpiryPlan::default()
            },
        }
    }

    #[test]
    fn each_effect_and_each_refusal_has_a_row_and_what_is_quiet_is_counted() {
        let said = shown(&document());
        let row = |what: &str| {
            let line = said.lines().find(|line| line.contains(what)).unwrap_or_default();
            line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            row("make it"),
            [
                "web-1",
                "production",
                "do",
                "make it",
                "it is wanted; crash-consistent instead of application-consistent: the VM agent is not ready"
            ],
            "{said}"
        );
        assert_eq!(row("make that"), ["do", "make that", "it is wanted"], "the machine stands in its first row");
        assert_eq!(row("shy"), ["db-1", "–", "not, a person's turn", "the VM is shy"]);
        assert_eq!(row("lb-a"), ["web-1", "production", "delete", "lb-a", "2026-11-22T02:00:00Z", "no rule keeps it"]);
        assert!(said.contains("due, stays") && said.contains("stays for now: the limit is reached"), "{said}");
        for line in [
            "note: changes are stopped",
            "the machines of the subscription s-2 may not all be seen: you may not read them, or it is not enabled",
            "machines: 1 with something to do, 0 with something only told, 1 others shown",
            "machines: 7 more: no point is due",
            "machines: 3 not looked at (--at-most)",
            "points: 2 expire, 4 keep",
            "policies in force: production, digest 0123456789ab",
            "Nothing was changed.",
        ] {
            assert!(said.lines().any(|own| own == line), "{line} is not in\n{said}");
        }
    }

    #[test]
    fn programs_get_the_same_with_keys_and_reasons() {
        let said = serde_json::to_value(document()).expect("JSON");
        assert_eq!(said["version"], 1);
        assert_eq!(said["machines"][0]["effects"][0]["key"], "k");
        assert_eq!(said["machines"][1]["refusals"][0]["needsPerson"], true);
        assert_eq!(said["expiry"]["points"][1]["left"], "the limit is reached");
        assert_eq!(
            (&said["quiet"]["byReason"]["no point is due"], &said["policies"]["from"]),
            (&7.into(), &"store".into())
        );
    }

    #[test]
    fn where_nothing_is_deleted_every_due_point_stays_and_says_so() {
        let mut plan = document();
        plan.expiry.withheld = Some("changes are stopped".to_owned());
        let said = points(&plan.expiry);
        assert_eq!(said.matches("due, stays").count(), 2, "{said}");
        assert!(!said.contains("delete"), "{said}");
    }
}

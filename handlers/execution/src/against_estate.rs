//! Holds documents against the machines and vaults that are there: what they ask for and the estate does not allow.
//! It never judges their text (`contract` does), never changes anything, and concludes nothing of what it could not read.
//!
//! ```text
//! Graph: machines ─► which policy each follows ─┬─ equals ──────────────────────────► left alone
//!                                               ├─ placement ─► vaults, vault policies ─► not there, elsewhere, too many
//!                                               └─ schedules ─► against_budgets.rs ──────► more points than Azure makes
//! recovery plans ─► against_recovery.rs ───────────────────────────────────────────────────► what keeps them from being executed
//! ```

use std::collections::{BTreeMap, BTreeSet};

use lifeboat_azure::graph::{self, MachineRow};
use lifeboat_azure::vault_policies::{self, VaultPolicy};
use lifeboat_azure::vaults::{self, MAX_MACHINES_PER_VAULT, Vault};
use lifeboat_azure::{ArmClient, Error};
use lifeboat_contract::policy::{Advice, Checked, CheckedPolicy, Covered, Misfit, Problem};
use lifeboat_planning::creation::region;
use lifeboat_planning::enforcement::{self, MACHINES_PER_VAULT_POLICY_MAX};
use lifeboat_planning::policy::{self, BackupPolicy, Choice, MachineAttributes, Placement};

use crate::observe::row_attributes;
use crate::onlooker::Onlooker;
use crate::policy_sweep;
use crate::{against_budgets, against_recovery};

/// What the estate says to a set of documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldAgainst {
    /// Machines in scope.
    pub machines: usize,
    /// Subscriptions whose machines may not all be seen: those that are not are not judged.
    pub unseen: Vec<String>,
    /// How many of them follow each policy, by its name.
    pub followed: BTreeMap<String, usize>,
    /// How many of them are members of each recovery plan, by its name; none where that could not be read.
    pub members: BTreeMap<String, Option<usize>>,
    /// Errors and warnings, in the order of the documents and in each in the order of its text.
    pub problems: Vec<Problem>,
}

/// The machines of one policy in one subscription that one of its placements is for.
struct Placed<'a> {
    policy: &'a CheckedPolicy,
    index: usize,
    placement: &'a Placement,
    subscription: &'a str,
    machines: Vec<&'a MachineAttributes>,
}

/// Vaults and vault policies that were read, or why not; by subscription, and by vault.
#[derive(Default)]
struct Vaults {
    of: BTreeMap<String, Result<Vec<Vault>, String>>,
    policies: BTreeMap<String, Result<Vec<VaultPolicy>, String>>,
}

impl Onlooker {
    /// Holds documents whose text has no errors against the estate. Machines outside the regions of the settings are left out;
    /// where the settings have none, all count. Whether `noConformingPointFor` holds is not asked: it counts as not.
    ///
    /// # Errors
    /// Which machines there are could not be read. What else could not be read is a warning.
    pub async fn hold_against(&self, checked: &Checked) -> Result<HeldAgainst, Error> {
        let (arm, settings) = (&self.lifeboat.arm, &self.lifeboat.settings);
        let rows = graph::all_machines(arm, &settings.subscriptions).await?;
        let unseen = policy_sweep::unreadable(&self.lifeboat).await;
        let owned = |row: &MachineRow| {
            settings.owned_regions.is_empty() || settings.owned_regions.contains(&region(&row.location))
        };
        let machines: Vec<MachineAttributes> = rows.into_iter().filter(|row| owned(row)).map(row_attributes).collect();
        let policies: Vec<BackupPolicy> = checked.policies.iter().map(|read| read.policy.clone()).collect();
        let of_name = |name: &str| checked.policies.iter().find(|read| read.policy.name == name);
        let mut followers: BTreeMap<&str, Vec<&MachineAttributes>> = BTreeMap::new();
        let mut equal: BTreeMap<Vec<&str>, Covered> = BTreeMap::new();
        for machine in &machines {
            match policy::choose(&policies, machine) {
                Choice::None => {}
                Choice::One(policy) => followers.entry(&policy.name).or_default().push(machine),
                Choice::Equal(these) => {
                    let names = these.iter().map(|policy| policy.name.as_str()).collect();
                    equal.entry(names).or_default().add(&machine.name);
                }
            }
        }
        let mut problems = Vec::new();
        let mut matched: BTreeSet<&str> = followers.keys().copied().collect();
        for (names, of) in equal {
            matched.extend(&names);
            problems.extend(equals(&names, of, of_name));
        }
        let mut all: Vec<(&CheckedPolicy, Vec<&MachineAttributes>)> = Vec::new();
        for read in &checked.policies {
            let own = followers.remove(read.policy.name.as_str()).unwrap_or_default();
            if !matched.contains(read.policy.name.as_str()) {
                problems.push(read.misfit("spec.match", Misfit::NoMachines, None, None));
            }
            all.push((read, own));
        }
        let placed = place(&all, &mut problems);
        let seen = Vaults::read(arm, &placed).await;
        for one in &placed {
            problems.extend(seen.judge(one));
        }
        problems.extend(too_many(&placed));
        problems.extend(against_budgets::judge(&all, self.lifeboat.clock.now()));
        let (members, not_ready) = against_recovery::judge(&self.lifeboat, &checked.recovery_plans).await;
        problems.extend(not_ready);
        let files = checked.policies.iter().map(|read| &read.file);
        let files: Vec<&String> = files.chain(checked.recovery_plans.iter().map(|read| &read.file)).collect();
        let place_of = |own: &String| files.iter().position(|file| *file == own);
        problems.sort_by_key(|problem| (place_of(&problem.file), problem.line, problem.column));
        let followed = all.iter().map(|(read, own)| (read.policy.name.clone(), own.len())).collect();
        Ok(HeldAgainst { machines: machines.len(), unseen, followed, members, problems })
    }
}

/// Machines that several policies of the same highest priority match: told at the last of these, which names the others.
fn equals<'a>(names: &[&str], of: Covered, of_name: impl Fn(&str) -> Option<&'a CheckedPolicy>) -> Option<Problem> {
    let (last, others) = names.split_last()?;
    let read = of_name(last)?;
    let others = others.iter().map(|name| (*name).to_owned()).collect();
    let misfit = Misfit::EqualPriorities { others, priority: read.policy.priority, of };
    let expected = Some("priorities that differ".to_owned());
    Some(read.misfit("spec.priority", misfit, expected, Some(Advice::Prefer)))
}

/// The machines of each placement, by subscription; those without a placement are told.
fn place<'a>(all: &[(&'a CheckedPolicy, Vec<&'a MachineAttributes>)], problems: &mut Vec<Problem>) -> Vec<Placed<'a>> {
    let mut placed = Vec::new();
    for (read, machines) in all {
        let Some(rule) = &read.policy.vault else { continue };
        let mut by_place: BTreeMap<(usize, String), Placed<'a>> = BTreeMap::new();
        let mut without: BTreeMap<String, Covered> = BTreeMap::new();
        for machine in machines {
            let Some(placement) = enforcement::placement(rule, machine) else {
                without.entry(region(&machine.location)).or_default().add(&machine.name);
                continue;
            };
            let index = rule.placement.iter().position(|own| std::ptr::eq(own, placement)).unwrap_or_default();
            let key = (index, machine.subscription.to_lowercase());
            let subscription = machine.subscription.as_str();
            let one = by_place.entry(key);
            let new = || Placed { policy: read, index, placement, subscription, machines: Vec::new() };
            one.or_insert_with(new).machines.push(machine);
        }
        for (region, of) in without {
            let misfit = Misfit::NoPlacement { region, of };
            problems.push(read.misfit("spec.vault.placement", misfit, None, None));
        }
        placed.extend(by_place.into_values());
    }
    placed
}

/// More machines than a vault or a vault policy protects, by what policies ask for alone: a floor.
fn too_many(placed: &[Placed<'_>]) -> Vec<Problem> {
    let mut counts: BTreeMap<(String, Option<String>), (usize, &Placed<'_>)> = BTreeMap::new();
    for one in placed {
        for machine in &one.machines {
            let vault = format!("{}/{}", one.subscription, one.placement.vault).to_lowercase();
            let policy = enforcement::vault_policy_name(one.placement, machine).map(str::to_lowercase);
            counts.entry((vault.clone(), None)).or_insert((0, one)).0 += 1;
            if policy.is_some() {
                counts.entry((vault, policy)).or_insert((0, one)).0 += 1;
            }
        }
    }
    let over = counts.into_iter().filter_map(|((_, policy), (machines, one))| {
        let (of, most) = match policy {
            None => (one.placement.vault.clone(), MAX_MACHINES_PER_VAULT),
            Some(policy) => (policy, MACHINES_PER_VAULT_POLICY_MAX),
        };
        let misfit = Misfit::TooManyMachines { of, machines, most };
        let is_over = machines > usize::try_from(most).unwrap_or(usize::MAX);
        is_over.then(|| one.problem("vaults[0]", misfit, None, Some(Advice::SpreadOut)))
    });
    over.collect()
}

impl Placed<'_> {
    fn problem(&self, field: &str, misfit: Misfit, expected: Option<String>, advice: Option<Advice>) -> Problem {
        self.policy.misfit(&format!("spec.vault.placement[{}].{field}", self.index), misfit, expected, advice)
    }

    fn all(&self) -> Covered {
        covered(&self.machines)
    }
}

fn covered(machines: &[&MachineAttributes]) -> Covered {
    let mut of = Covered::default();
    machines.iter().for_each(|machine| of.add(&machine.name));
    of
}

impl Vaults {
    /// Reads the vaults of each subscription, and the vault policies of each vault that a placement names.
    async fn read(arm: &ArmClient, placed: &[Placed<'_>]) -> Self {
        let mut seen = Self::default();
        let subscriptions: BTreeSet<&str> = placed.iter().map(|one| one.subscription).collect();
        for subscription in subscriptions {
            let read = vaults::list(arm, subscription).await.map_err(|error| error.to_string());
            seen.of.insert(subscription.to_lowercase(), read);
        }
        for one in placed {
            let id = match seen.named(one) {
                Some(Ok(found)) if found.len() == 1 => found[0].id.clone(),
                _ => continue,
            };
            if !seen.policies.contains_key(id.key()) {
                let read = vault_policies::list(arm, &id).await.map_err(|error| error.to_string());
                seen.policies.insert(id.key().to_owned(), read);
            }
        }
        seen
    }

    /// The vaults of a placement's name.
    fn named(&self, one: &Placed<'_>) -> Option<Result<Vec<&Vault>, &String>> {
        let read = self.of.get(&one.subscription.to_lowercase())?.as_ref();
        let is_it = |vault: &&Vault| vault.name.eq_ignore_ascii_case(&one.placement.vault);
        Some(read.map(|all| all.iter().filter(is_it).collect()))
    }

    /// What is wrong with the vault of one placement in one subscription.
    fn judge(&self, one: &Placed<'_>) -> Vec<Problem> {
        let (vault, subscription) = (one.placement.vault.clone(), one.subscription.to_owned());
        let wanted = || Some(format!("a vault of that name in {}", one.placement.location.as_str()));
        let found = match self.named(one) {
            None => return Vec::new(),
            Some(Err(because)) => {
                let (what, because) = (format!("the vaults of the subscription {subscription}"), because.clone());
                let misfit = Misfit::NotRead { what, because };
                return vec![one.problem("vaults[0]", misfit, None, Some(Advice::LetRead))];
            }
            Some(Ok(found)) => found,
        };
        let located = match found.as_slice() {
            [] => {
                let misfit = Misfit::NoVault { vault, subscription, of: one.all() };
                return vec![one.problem("vaults[0]", misfit, wanted(), Some(Advice::MakeOrName))];
            }
            [one] => one,
            _ => {
                let misfit = Misfit::SeveralVaults { vault, subscription };
                return vec![one.problem("vaults[0]", misfit, Some("one vault of that name".to_owned()), None)];
            }
        };
        if !one.placement.location.is(&located.location) {
            let misfit = Misfit::VaultElsewhere { vault, located: located.location.clone(), of: one.all() };
            return vec![one.problem("vaults[0]", misfit, wanted(), Some(Advice::MakeOrName))];
        }
        self.judge_policies(one, located)
    }

    /// What is wrong with the vault policies that the machines of a placement shall have.
    fn judge_policies(&self, one: &Placed<'_>, vault: &Vault) -> Vec<Problem> {
        let by_tag = one.placement.vault_policy_from_tag.as_deref();
        let policies = match self.policies.get(vault.id.key()) {
            None => return Vec::new(),
            Some(Err(because)) => {
                let (what, because) = (format!("the vault policies of `{}`", vault.name), because.clone());
                let misfit = Misfit::NotRead { what, because };
                return vec![one.problem("vaults[0]", misfit, None, Some(Advice::LetRead))];
            }
            Some(Ok(policies)) => policies,
        };
        let mut by_name: BTreeMap<Option<&str>, Vec<&MachineAttributes>> = BTreeMap::new();
        for machine in &one.machines {
            by_name.entry(enforcement::vault_policy_name(one.placement, machine)).or_default().push(machine);
        }
        let mut problems = Vec::new();
        for (name, machines) in by_name {
            let Some(name) = name else {
                let misfit =
                    Misfit::VaultPolicyNotNamed { tag: by_tag.unwrap_or_default().to_owned(), of: covered(&machines) };
                let expected = Some("the tag on each of them, or a `vaultPolicy` for those without".to_owned());
                problems.push(one.problem("vaultPolicyFromTag", misfit, expected, None));
                continue;
            };
            let own = one.placement.vault_policy.as_deref();
            let field = if own == Some(name) { "vaultPolicy" } else { "vaultPolicyFromTag" };
            let misfit = match policies.iter().find(|policy| policy.name.eq_ignore_ascii_case(name)) {
                Some(policy) if policy.is_for_machines() => continue,
                Some(_) => Misfit::VaultPolicyNotForMachines { vault_policy: name.to_owned() },
                None => Misfit::NoVaultPolicy {
                    vault: vault.name.clone(),
                    vault_policy: name.to_owned(),
                    of: covered(&machines),
                },
            };
            let names: Vec<&str> =
                policies.iter().filter(|policy| policy.is_for_machines()).map(|policy| policy.name.as_str()).collect();
            let expected = (!names.is_empty()).then(|| format!("one of {}", names.join(", ")));
            problems.push(one.problem(field, misfit, expected, Some(Advice::MakeOrName)));
        }
        problems
    }
}

//! Says what the handler would do now: a look at each machine as the handler takes it, up to where it would begin to act.
//! It never acts: no lease, no budget, no ledger, no alarm, no record of any kind is written.
//!
//! ```text
//! store: estate, policies, switch ─┐
//! Graph: machines ─ a policy? ─────┼─► each: observe ─► follow ─► switch, counters ─► audit ─► said
//! collections: points ─────────────┴─► each: facts ─► decide ─► audit ─► counters ─────────► said   (expiry_sweep/foresee.rs)
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use lifeboat_azure::graph::{self, MachineRow};
use lifeboat_azure::{Error, ResourceId};
use lifeboat_contract::plan::{self as said, ExpiryPlan, MachinePlan, PlanDocument, PoliciesFrom, PoliciesUsed, Quiet};
use lifeboat_contract::recovery::NO_WAY_BACK;
use lifeboat_planning::allowance::Allowance;
use lifeboat_planning::creation::region;
use lifeboat_planning::facts::{Facts, Owner};
use lifeboat_planning::policy::{self, BackupPolicy, Choice};
use lifeboat_planning::refusal::Refusal;
use lifeboat_planning::{Followed, Plan, Work, none_matches};

use crate::breakers;
use crate::bundle::{Bundle, BundleError};
use crate::counters::Kind;
use crate::estate::{self, Estate, EstateError};
use crate::expiry_sweep::{self, ExpiryError};
use crate::incident::{self, Incidents};
use crate::observe::{self, row_attributes};
use crate::onlooker::Onlooker;
use crate::policies::{self, InForce, PolicyError};
use crate::record::SweepRecord;
use crate::sweep_record::{self, SweepRecordError};
use crate::{decided, limits, policy_sweep, reconcile, said_of, stop};

/// Machines looked at at a time, as the sweeps do.
const PARALLEL: usize = 8;

/// What is asked.
#[derive(Debug, Default)]
pub struct Asked {
    /// Machines by ARM id or name; all in scope where it is empty.
    pub machines: Vec<String>,
    /// Policies instead of those in force.
    pub policies: Option<Bundle>,
    /// Machines looked at and collections read, at most: each costs some calls of the operator's share of Azure's budgets.
    pub at_most: usize,
}

/// Why there is no plan. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ForeseeError {
    /// There is no estate to go by.
    #[error(transparent)]
    Estate(#[from] EstateError),
    /// There is no policy to go by.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The policies given are none to go by.
    #[error("the policies given cannot be read")]
    Bundle(#[from] BundleError),
    /// Which machines there are is not known. Repeating is safe.
    #[error("Azure did not say which machines there are")]
    Azure(#[from] Error),
    /// Since when creations are known cannot be read.
    #[error(transparent)]
    Record(#[from] SweepRecordError),
    /// What expiry rests on cannot be read.
    #[error("what expiry rests on cannot be read")]
    Expiry(#[from] ExpiryError),
    /// Machines of these names are not seen. Whether they are there is not known: what one may not read is not seen.
    #[error("Azure shows you no machine {} in these subscriptions", names.join(", "))]
    NoSuchMachine {
        /// The names.
        names: Vec<String>,
    },
    /// No policies were given and there is no store that has some.
    #[error("there are no policies to go by: neither a store nor files are given")]
    NoPolicies,
}

/// What all looks of one plan rest on.
struct Ground {
    estate: Option<Estate>,
    owner: Owner,
    in_force: Arc<InForce>,
    from: PoliciesFrom,
    known_since: Timestamp,
    stopped: bool,
    incidents: Incidents,
    notes: Vec<String>,
    now: Timestamp,
}

/// A machine that was looked at.
struct Looked<'a> {
    machine: String,
    policy: Option<&'a BackupPolicy>,
    plan: Plan,
    facts: Option<Facts>,
    unread: Option<String>,
}

impl Onlooker {
    /// What the handler would do now. Machines of which nothing is to be said are counted, unless they were asked for by name.
    ///
    /// # Errors
    /// What all of it rests on cannot be read; what cannot be read of one machine is said of that machine.
    pub async fn foresee(&self, asked: &Asked) -> Result<PlanDocument, ForeseeError> {
        let ground = self.ground(asked).await?;
        let rows = graph::all_machines(&self.lifeboat.arm, &self.lifeboat.settings.subscriptions).await?;
        let unseen = policy_sweep::unreadable(&self.lifeboat).await;
        let mut quiet = Quiet::default();
        let wanted = self.wanted(&rows, asked, &ground, &mut quiet)?;
        let ids: BTreeSet<String> = wanted.iter().map(|id| id.to_lowercase()).collect();
        let looks = stream::iter(wanted).map(|machine| self.look(machine, &ground)).buffered(PARALLEL);
        let mut looked: Vec<Looked<'_>> = looks.collect().await;
        self.count(&mut looked, &ground).await;
        let by_name = !asked.machines.is_empty();
        let mut machines = Vec::new();
        for one in looked {
            match one.quiet_reason().filter(|_| !by_name) {
                Some(reason) => *quiet.by_reason.entry(reason).or_default() += 1,
                None => machines.push(one.said(&ground)),
            }
        }
        let expiry = match &ground.estate {
            None => ExpiryPlan::default(),
            Some(estate) => {
                let of = |machine: &str| !by_name || ids.contains(&machine.to_lowercase());
                let in_force = Arc::clone(&ground.in_force);
                expiry_sweep::foresee::foresee(&self.lifeboat, estate, in_force, of, asked.at_most).await?
            }
        };
        let names = ground.in_force.policies.iter().map(|policy| policy.name.clone()).collect();
        Ok(PlanDocument {
            version: said::VERSION,
            at: ground.now,
            deployment: self.lifeboat.settings.deployment.clone(),
            estate: ground.estate.map(|estate| estate.id),
            policies: PoliciesUsed { from: ground.from, digest: ground.in_force.digest.clone(), names },
            notes: ground.notes,
            unseen,
            machines,
            quiet,
            expiry,
        })
    }

    /// What all looks rest on, read as the handler reads it, and not remembered.
    async fn ground(&self, asked: &Asked) -> Result<Ground, ForeseeError> {
        let (store, settings, now) = (&self.lifeboat.store, &self.lifeboat.settings, self.lifeboat.clock.now());
        let mut notes = Vec::new();
        let estate = match self.has_store {
            true => Some(estate::read(store, &settings.deployment).await?),
            false => None,
        };
        let (in_force, from) = match &asked.policies {
            Some(bundle) => {
                let (documents, (_, digest)) = (bundle.documents()?, bundle.to_bytes());
                (Arc::new(InForce::of(documents, digest, None)), PoliciesFrom::Files)
            }
            None if self.has_store => (policies::read(store).await?, PoliciesFrom::Store),
            None => return Err(ForeseeError::NoPolicies),
        };
        if let Some(not_read) = &in_force.not_read {
            notes.push(format!("{} cannot be read; the last good policies are in force", not_read.document));
        }
        if !in_force.recovery_plans.is_empty() {
            notes.push(NO_WAY_BACK.to_owned());
        }
        if !self.has_store {
            notes.push("no store was asked: points that a deployment made are taken for foreign ones".to_owned());
        }
        let record = match self.has_store {
            true => sweep_record::read(store).await?.map(|(record, _)| record),
            false => None,
        };
        if record.is_none() && self.has_store {
            notes.push("no sweep was made yet: `onCreate` counts back from now".to_owned());
        }
        let stopped = self.has_store && stop::is_stopped(store).await;
        if stopped {
            notes.push("changes are stopped".to_owned());
        }
        let owner = estate.as_ref().map_or_else(
            // Nothing carries an empty id: what another store may have made is not taken for ours.
            || Owner { deployment: settings.deployment.clone(), estate: String::new() },
            Estate::owner,
        );
        let known_since = record.unwrap_or_else(|| SweepRecord::first(now)).known_since;
        let incidents = match self.has_store {
            true => incident::before_changes(store, &in_force.recovery_plans, now).await,
            false => Incidents::default(),
        };
        Ok(Ground { estate, owner, in_force, from, known_since, stopped, incidents, notes, now })
    }

    /// The ids of the machines to look at: those asked for, else all that a policy covers. The others are counted.
    fn wanted(
        &self,
        rows: &[MachineRow],
        asked: &Asked,
        ground: &Ground,
        quiet: &mut Quiet,
    ) -> Result<Vec<String>, ForeseeError> {
        let mut wanted = BTreeSet::new();
        if asked.machines.is_empty() {
            for row in rows {
                match self.passed_over(row, &ground.in_force.policies) {
                    Some(refusal) => *quiet.by_reason.entry(refusal.to_string()).or_default() += 1,
                    None => drop(wanted.insert(row.id.clone())),
                }
            }
        }
        let mut missing = Vec::new();
        for name in &asked.machines {
            let is_it = |row: &&MachineRow| row.id.eq_ignore_ascii_case(name) || row.name.eq_ignore_ascii_case(name);
            let found: Vec<String> = rows.iter().filter(is_it).map(|row| row.id.clone()).collect();
            match found.is_empty() {
                false => wanted.extend(found),
                // Resource Graph lags: a machine that ARM may know already is looked at by its id.
                true if name.parse::<ResourceId>().is_ok() => drop(wanted.insert(name.clone())),
                true => missing.push(name.clone()),
            }
        }
        if !missing.is_empty() {
            return Err(ForeseeError::NoSuchMachine { names: missing });
        }
        quiet.not_looked_at = wanted.len().saturating_sub(asked.at_most);
        Ok(wanted.into_iter().take(asked.at_most).collect())
    }

    /// Why a machine need not be looked at, by what Resource Graph says of it.
    fn passed_over(&self, row: &MachineRow, policies: &[BackupPolicy]) -> Option<Refusal> {
        let about = row_attributes(row.clone());
        let covered = policy::ask_age(policies) || policy::choose(policies, &about) != Choice::None;
        if !covered {
            return Some(none_matches(policies, &about));
        }
        let owned = self.lifeboat.settings.owned_regions.contains(&region(&about.location));
        (!owned).then_some(Refusal::NotOurRegion)
    }

    /// The first look of a handler at one machine, up to where it would save what it decided.
    async fn look<'a>(&self, machine: String, ground: &'a Ground) -> Looked<'a> {
        let nothing = |machine, unread| Looked { machine, policy: None, plan: Plan::default(), facts: None, unread };
        let Ok(id) = machine.parse::<ResourceId>() else {
            return nothing(machine, Some("its id is not an ARM id".to_owned()));
        };
        let Ground { owner, in_force, known_since, now, .. } = ground;
        let asked = observe::Asked { owner, policies: &in_force.policies, known_since: *known_since, now: *now };
        let facts = match observe::facts(&self.lifeboat, &id, asked).await {
            Ok(facts) => facts,
            Err(error) => return nothing(machine, Some(error.to_string())),
        };
        let work = Work { look: 0 };
        let Followed { policy, plan } = lifeboat_planning::follow(work, &in_force.policies, &facts, *now);
        let plan = if ground.stopped && !plan.effects.is_empty() { plan.stopped() } else { plan };
        let concerned = !plan.effects.is_empty() && reconcile::of_seen(&ground.incidents, &facts.machine).is_some();
        let plan = if concerned { plan.during_incident() } else { plan };
        Looked { machine, policy, plan, facts: Some(facts), unread: None }
    }

    /// Takes from the plans what the day's counters would not grant, machine by machine, as looks one after the other would find it.
    async fn count(&self, looked: &mut [Looked<'_>], ground: &Ground) {
        let mut left: BTreeMap<String, u32> = BTreeMap::new();
        for one in looked.iter_mut().filter(|one| one.plan.effects.iter().any(limits::begins)) {
            let Some(policy) = one.policy else { continue };
            if !left.contains_key(&policy.name) {
                left.insert(policy.name.clone(), self.beginnings(policy, ground.now).await);
            }
            match left.get_mut(&policy.name) {
                Some(left) if *left > 0 => *left -= 1,
                _ => one.plan = limits::without_beginning(std::mem::take(&mut one.plan)),
            }
        }
    }

    /// How many beginnings of protection the day's counter of a policy would still grant.
    async fn beginnings(&self, policy: &BackupPolicy, now: Timestamp) -> u32 {
        let allowance = Allowance::protection(&policy.limits);
        if !self.has_store {
            return allowance.beyond;
        }
        let (store, kind) = (&self.lifeboat.store, Kind::Protection);
        match breakers::would_grant(store, &policy.name, kind, allowance.beyond, allowance, now).await {
            Ok(granted) => granted,
            Err(error) => {
                tracing::warn!(error = %error, policy = policy.name, "the counter cannot be read: nothing would begin");
                0
            }
        }
    }
}

impl Looked<'_> {
    /// What is counted of a machine of which nothing is to be said: everything is as the policies ask, or not theirs.
    fn quiet_reason(&self) -> Option<String> {
        let plan = &self.plan;
        let only_fine = plan.refusals.iter().all(|refusal| {
            use Refusal::{AlreadyProtected, ManagedElsewhere, NoPolicyMatches, NotNew, NotOurRegion, NothingDue};
            matches!(
                refusal,
                NothingDue | AlreadyProtected | NotNew | NoPolicyMatches | ManagedElsewhere | NotOurRegion
            )
        });
        if self.unread.is_some() || !plan.effects.is_empty() || !plan.would.is_empty() || !only_fine {
            return None;
        }
        let reasons: Vec<String> = plan.refusals.iter().map(ToString::to_string).collect();
        Some(if reasons.is_empty() { said_of::PROTECTED.to_owned() } else { reasons.join("; ") })
    }

    fn said(self, ground: &Ground) -> MachinePlan {
        let Self { machine, policy, plan, facts, unread } = self;
        let audit = facts.map(|facts| decided::audited(&plan, &ground.in_force, policy, &facts)).unwrap_or_default();
        MachinePlan {
            machine,
            policy: policy.map(|policy| policy.name.clone()),
            effects: said_of::steps(&plan.effects, &plan),
            would: said_of::steps(&plan.would, &plan),
            refusals: said_of::refusals(&plan),
            audit,
            look_again_at: plan.look_again_at,
            unread,
        }
    }
}

/// An error with its causes, on one line.
pub fn with_causes(error: &(impl StdError + 'static)) -> String {
    let chain = std::iter::successors(Some(error as &dyn StdError), |error| StdError::source(*error));
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

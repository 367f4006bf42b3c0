//! Begins the failover that was decided on: an order made of what was saved, the saga's record, and the message of its first look.
//! It never decides, and never begins a second one: the saga's record is one blob of the recovery plan.

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::declaration::{Act, Decision, Name};
use lifeboat_planning::id::hash;
use lifeboat_planning::recovery::readiness::Ordered;
use lifeboat_planning::recovery::{self, RecoveryPlan};
use lifeboat_planning::saga::failover::{FailoverOrder, Fence, PointChoice, Unmet};

use super::word::{NotGiven, Word};
use super::{DeclarationError, record};
use crate::lifeboat::Lifeboat;
use crate::readiness::{self, NoOrder};
use crate::saga::{self, Begun, Declared, DeclaredBy, SagaError};
use crate::saga_woken;

/// How old a decision may be when its failover begins: evidence is read each minute, so that what is older may have been taken back.
const DECIDED_MAX: SignedDuration = SignedDuration::from_secs(60);

/// The order of the failover that was decided on, by the rules or by a person's word.
pub(super) async fn order(
    lifeboat: &Lifeboat,
    plan: &RecoveryPlan,
    decision: &Decision,
    word: Option<&Word>,
) -> Result<FailoverOrder, NoOrder> {
    let passes = |name| word.is_some_and(|word| word.passes.contains(&name));
    let by_rules = word.is_none() && plan.declaration.fence == recovery::Fence::BestEffort;
    let fence = if by_rules || passes(Name::FencePossible) { Fence::ImpossibleAccepted } else { Fence::Required };
    let passed = [(Name::Ready, Unmet::Health), (Name::DataLoss, Unmet::Loss)];
    let ordered = Ordered {
        id: id(plan, opened(decision), word),
        at: decision.at,
        point: word.map_or(PointChoice::Latest, |word| word.point),
        fence,
        // Where nothing says that it stopped, it serves until it is stopped.
        stopped_serving_at: decision.loss.stopped_at.unwrap_or(decision.at),
        loss_max: decision.loss.span().filter(|span| passes(Name::DataLoss) && *span > plan.declaration.max_data_loss),
        passed: passed.into_iter().filter(|(name, _)| passes(*name)).map(|(_, unmet)| unmet).collect(),
        protect_back: word.filter(|word| word.protect_back).map(|word| word.by.clone()),
    };
    readiness::order(&lifeboat.store, plan, &ordered).await
}

/// The rules begin one failover of an incident. A person's word begins one as well, also where an earlier one of the incident was undone.
fn id(plan: &RecoveryPlan, incident: Timestamp, word: Option<&Word>) -> String {
    let word = word.map_or("", |word| word.id.as_str());
    format!("{}-{}", plan.name, hash(&[&plan.name, &incident.to_string(), word]))
}

/// The incident that a decision belongs to; the moment itself, where it opens one.
pub(super) fn opened(start: &Decision) -> Timestamp {
    start.incident.unwrap_or(start.at)
}

/// The decision that begins a failover, if one does.
pub(super) fn start_of(decisions: &[Decision]) -> Option<&Decision> {
    decisions.iter().find(|decision| decision.act == Act::Start)
}

/// Begins it, and queues its first look; refused where another one is not finished. A repeat is safe: it is the same saga, and the same
/// look.
pub(super) async fn begin(
    lifeboat: &Lifeboat,
    plan: &RecoveryPlan,
    (order, incident): (FailoverOrder, Timestamp),
    word: Option<&Word>,
) -> Result<Result<Vec<String>, NotGiven>, DeclarationError> {
    let id = order.id.clone();
    // Read once more: another copy of the order may have been refused since this one was decided on.
    if let Some(word) = word
        && let Some((record, _)) = record::read(&lifeboat.store, &plan.name).await?
        && let Some(why) = record.refusal_of(word)
    {
        return Ok(Err(NotGiven::Before(why.to_owned())));
    }
    let declared = Declared {
        by: Some(match word {
            None => DeclaredBy::Rules,
            Some(word) if word.incident.is_some() => DeclaredBy::Approval,
            Some(_) => DeclaredBy::Person,
        }),
        incident: Some(incident.to_string()),
        digest: word.map(|word| word.digest.clone()),
        command: word.map(|word| word.id.clone()),
        until: order.ordered_at.checked_add(DECIDED_MAX).ok(),
    };
    match saga::begin_declared(lifeboat, order, &declared).await? {
        Begun::Now | Begun::Before => {}
        Begun::Another(other) => {
            tracing::warn!(recovery_plan = plan.name, other, "another failover is not finished, and none is begun");
            return Ok(Err(NotGiven::UnderWay));
        }
    }
    let record = saga::read(lifeboat, &plan.name).await?.ok_or(SagaError::Missing)?;
    saga_woken::queue_next(lifeboat, &plan.name, record.looks, record.look_again_at).await?;
    Ok(Ok(vec![format!("{}: the failover {id} is begun", plan.name)]))
}

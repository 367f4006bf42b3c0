//! Conditions, sources and the loss in words.
//! It never judges them; `planning` has.

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::declaration::{
    Condition, FenceSeen, Loss, Readiness, SagaSeen, Source, Standing, StoppedBy, Value,
};
use lifeboat_planning::saga::Takes;
use lifeboat_planning::signal::Origin;

/// A condition's value in words.
pub fn condition(condition: &Condition) -> String {
    match &condition.value {
        Value::Sources(failing, at_least) => format!("{}; it takes {at_least}", origins(failing)),
        Value::Window(None, _, needed) => format!("not failing together; it takes {}", span(*needed)),
        Value::Window(Some(since), together, needed) => {
            format!("together since {since}, for {}; it takes {}", span(*together), span(*needed))
        }
        Value::FreshRead(None) => "Resource Health was never read whole".to_owned(),
        Value::FreshRead(Some(at)) => format!("Resource Health was last read whole at {at}"),
        Value::TargetHealthy(None) => "the target region was not read freshly".to_owned(),
        Value::TargetHealthy(Some(failing)) if failing.is_empty() => "nothing fails there".to_owned(),
        Value::TargetHealthy(Some(failing)) => format!("not well there: {}", origins(failing)),
        Value::Ready(readiness) => ready(*readiness),
        Value::NoCooldown(None) => "none".to_owned(),
        Value::NoCooldown(Some(until)) => format!("a failover ended; the cool-down lasts until {until}"),
        Value::DataLoss(estimate, most) => format!("{}; at most {} may be lost", loss(estimate), span(*most)),
        Value::OncePerIncident(None) => "no failover was begun for this incident".to_owned(),
        Value::OncePerIncident(Some(at)) => format!("a failover was begun for this incident at {at}"),
        Value::NoSaga(SagaSeen::Running { .. }) => "a saga of the recovery plan is unfinished".to_owned(),
        Value::NoSaga(_) => "no saga is unfinished".to_owned(),
        Value::BothClasses(reported, measured, None, _) => format!("{reported} reported, {measured} measured"),
        Value::BothClasses(reported, measured, Some(since), needed) => {
            format!("{reported} reported, {measured} measured, both since {since}; it takes {}", span(*needed))
        }
        Value::FencePossible(seen, asked) => format!("{}; the recovery plan asks for {}", fence(*seen), asked.name()),
        Value::StandingApproval(entries) if entries.is_empty() => "given".to_owned(),
        Value::StandingApproval(entries) => format!("not given for: {}", entries.join(", ")),
        Value::NotRejected(None) => "nobody said no".to_owned(),
        Value::NotRejected(Some(at)) => format!("a person said no at {at}"),
    }
}

/// A source in words.
pub fn source(source: &Source) -> String {
    let standing = match source.standing {
        Standing::Failing => "failing",
        Standing::Uneasy => "uneasy",
        Standing::Silent => "silent",
        Standing::Well => "well",
        Standing::Nothing => "nothing said",
    };
    let mut words = format!("{} ({}): {standing}", source.origin, source.origin.class());
    if let Some(share) = source.share {
        words.push_str(&format!(", {} of {} machines", share.failing, share.of));
    }
    if let Some(since) = source.since {
        words.push_str(&format!(", since {since}"));
    }
    if !source.names.is_empty() {
        words.push_str(&format!(", by {}", source.names.join(", ")));
    }
    words
}

/// The estimate of the loss in words.
pub fn loss(loss: &Loss) -> String {
    let Loss { stopped_at, by, point_at } = loss;
    let stopped = stopped_at.map(|at: Timestamp| match by {
        StoppedBy::Evidence(origin) => format!("stopped at {at} by {origin}"),
        StoppedBy::LastGoodProbe => format!("last answered well at {at}"),
    });
    match (stopped, point_at, loss.span()) {
        (Some(stopped), Some(point), Some(lost)) => format!("{} lost: {stopped}, newest point {point}", span(lost)),
        (None, _, _) => "unknown: nothing says when it stopped serving".to_owned(),
        (Some(stopped), _, _) => format!("unknown: {stopped}, no usable point"),
    }
}

/// How long a failover takes, in words.
pub fn takes(takes: &Takes) -> String {
    let Takes { usually, at_most, questions } = takes;
    let words = format!(
        "about {} until the workload serves, by what was recorded; after {} at most it serves or asks a person",
        span(*usually),
        span(*at_most)
    );
    match questions {
        0 => words,
        1 => format!("{words}; 1 question on the way waits for a person"),
        many => format!("{words}; {many} questions on the way wait for people"),
    }
}

/// A duration as people write it.
pub(super) fn span(span: SignedDuration) -> String {
    let seconds = span.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, 0, 0) => format!("{hours}h"),
        (hours, minutes, _) => format!("{hours}h{minutes}m"),
    }
}

fn origins(origins: &[Origin]) -> String {
    let words: Vec<&str> = origins.iter().map(|origin| origin.word()).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn ready(readiness: Readiness) -> String {
    match readiness {
        Readiness::Ready { at } => format!("ready, looked at {at}"),
        Readiness::NotReady { at } => format!("not ready, looked at {at}"),
        Readiness::MemberRefuses { at } => format!("a member does not allow failover, looked at {at}"),
        Readiness::Unknown => "unknown".to_owned(),
    }
}

fn fence(seen: FenceSeen) -> &'static str {
    match seen {
        FenceSeen::NotTried => "not tried yet",
        FenceSeen::Confirmed => "confirmed",
        FenceSeen::Impossible => "impossible",
    }
}

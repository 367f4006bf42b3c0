//! The form of a recovery plan: which fields there are, which must be there, and which this release does not act on yet.
//! It never reads a document; the reader and the schema both follow these tables. What stands around `spec` is every document's.

use crate::policy::form::{Field, Span, Standing, Whole, fields};

use Standing::{Later, Optional, Required};

/// `spec`.
pub const SPEC: &[Field] = &fields([
    ("from", Required),
    ("to", Required),
    ("replication", Required),
    ("groups", Required),
    ("traffic", Optional),
    ("declaration", Required),
    ("readiness", Optional),
    ("drill", Later),
]);
/// An item of `spec.groups`.
pub const GROUP: &[Field] =
    &fields([("name", Required), ("members", Required), ("before", Optional), ("after", Optional)]);
/// An item of `before` or `after`, in which exactly one of these stands.
pub const ACTION: &[Field] = &fields([("wait", Optional), ("approve", Optional), ("hook", Later)]);
/// An item of `spec.traffic`.
pub const TRAFFIC: &[Field] =
    &fields([("profile", Required), ("from", Required), ("to", Required), ("verify", Required)]);
/// `verify` of an item of `spec.traffic`.
pub const VERIFY: &[Field] = &fields([("url", Required), ("within", Required)]);
/// `spec.declaration`. How much may be lost is nobody's to guess, and neither is what shows that a region is lost.
pub const DECLARATION: &[Field] = &fields([
    ("by", Optional),
    ("approvals", Optional),
    ("evidence", Required),
    ("cooldown", Optional),
    ("fence", Optional),
    ("maxDataLoss", Required),
]);
/// `evidence` of the declaration.
pub const EVIDENCE: &[Field] = &fields([
    ("reported", Optional),
    ("measured", Optional),
    ("alerts", Optional),
    ("atLeast", Optional),
    ("for", Required),
]);
/// At least one of these stands in `evidence`.
pub const EVIDENCE_NEEDS: &[&str] = &["reported", "measured"];
/// `spec.readiness`.
pub const READINESS: &[Field] = &fields([("every", Required)]);

/// The one condition of policies that is none of `members`: what belongs together must not change by the mere age of points, least
/// of all while a region is failing.
pub const NO_MEMBER_CONDITION: &str = "noConformingPointFor";
/// Conditions of `members`: those of policies but for that one.
pub const MEMBER_CONDITIONS: &[Field] = &fields([
    ("all", Optional),
    ("any", Optional),
    ("not", Optional),
    ("tag", Optional),
    ("name", Optional),
    ("resourceGroup", Optional),
    ("subscription", Optional),
    ("location", Optional),
    ("os", Optional),
    ("size", Optional),
]);

/// Values of `replication` that this release reads.
pub const REPLICATIONS: &[&str] = &["siteRecovery"];
/// Values of `replication` of later releases.
pub const REPLICATIONS_LATER: &[&str] = &["snapshots"];
/// Values of `declaration.by`.
pub const BY: &[&str] = &["person", "approval", "rules"];
/// The value of `declaration.by` where nothing is said.
pub const BY_DEFAULT: &str = "approval";
/// Values of `evidence.reported`.
pub const REPORTED: &[&str] = &["serviceHealth", "resourceHealth"];
/// Values of `evidence.measured`.
pub const MEASURED: &[&str] = &["probe", "metricAlert"];
/// Values of `declaration.fence`; the first is the default.
pub const FENCES: &[&str] = &["required", "bestEffort"];
/// The value of `readiness.every`: the sweep that asks has one rhythm for all recovery plans.
pub const READINESS_EVERY: &str = "30m";
/// Any duration that can be written: what is told of another than the one allowed is that, and no bound.
pub const ANY_TIME: Span = Span { least: "0m", most: "999999d" };

/// The longest name of a group: it stands in the steps of a failover, in one column of a table.
pub const GROUP_NAME_CHARS_MAX: usize = 40;
/// The longest question of `approve`: what a person reads at three in the morning.
pub const QUESTION_CHARS_MAX: usize = 200;
/// The longest URL: as long as any that servers commonly take.
pub const URL_CHARS_MAX: usize = 2_000;
/// Bound on the groups: each is a stage that waits for the one before it, and Site Recovery's own plans have seven (azure.md C.5).
pub const GROUPS_MAX: usize = 20;
/// Bound on the actions before or after a group: each holds up everything behind it.
pub const ACTIONS_MAX: usize = 8;
/// Bound on the items of `traffic`: each is moved under one lease and verified before the next.
pub const TRAFFIC_MAX: usize = 20;

/// Alert rules and resources in `evidence.alerts`, at most: of more, nobody could say which of them speaks for a region.
pub const ALERTS_MAX: usize = 20;
/// Characters of one of them, at most: the longest ARM ids have some 500.
pub const ALERT_CHARS_MAX: usize = 1_000;
/// Bounds of `declaration.approvals`: one, or two besides the one who asks.
pub const APPROVALS: Whole = Whole { least: 1, most: 2 };
/// The value of `declaration.approvals` where nothing is said.
pub const APPROVALS_DEFAULT: i64 = 1;
/// Bounds of `evidence.atLeast`: never one source alone, and there are four.
pub const AT_LEAST: Whole = Whole { least: lifeboat_planning::recovery::ORIGINS_MIN as i64, most: 4 };

/// Bounds of `wait`. A minute, because looks are scheduled by it; a day, because who waits longer waits for a person.
pub const WAIT: Span = Span { least: "1m", most: "24h" };
/// Bounds of `verify.within`. A minute, because names and probes take some; two hours are longer than any lifetime of a name.
pub const VERIFY_WITHIN: Span = Span { least: "1m", most: "2h" };
/// Bounds of `evidence.for`. Five minutes, because in less a flap would do; a day, because who waits longer decides by hand.
pub const EVIDENCE_FOR: Span = Span { least: "5m", most: "24h" };
/// Bounds of `declaration.cooldown`. An hour, because a region that came back often goes again; a week, because an incident that old
/// says nothing about the next.
pub const COOLDOWN: Span = Span { least: "1h", most: "7d" };
/// The value of `declaration.cooldown` where nothing is said.
pub const COOLDOWN_DEFAULT: &str = "6h";
/// Bounds of `declaration.maxDataLoss`. Five minutes, because Site Recovery makes a point that often (azure.md C.5); a week, because
/// who may lose more than that has no need to hurry.
pub const MAX_DATA_LOSS: Span = Span { least: "5m", most: "7d" };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::form::CONDITIONS;

    #[test]
    fn members_take_every_condition_of_policies_but_the_age_of_points() {
        let names = |of: &[Field]| of.iter().map(|field| field.name).collect::<Vec<_>>();
        let mut expected = names(CONDITIONS);
        expected.retain(|name| *name != NO_MEMBER_CONDITION);
        assert_eq!(names(MEMBER_CONDITIONS), expected);
        assert_eq!(expected.len() + 1, CONDITIONS.len());
    }
}

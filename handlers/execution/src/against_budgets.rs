//! Holds the schedules of policies against what Azure makes in a time: machines times points, in each subscription and region.
//! It never asks Azure. What it counts is a floor: only slots whose whole windows lie in a time count for it, so that nothing is
//! refused that fits.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use lifeboat_contract::policy::{Advice, CheckedPolicy, Misfit, Problem};
use lifeboat_planning::creation::region;
use lifeboat_planning::points::SPREAD;
use lifeboat_planning::policy::{MachineAttributes, PointKind};
use lifeboat_planning::schedule::opening;

use crate::budget::Budget;

/// How long slots are laid beside each other: a week and a day, so that each weekday has met each hour.
const LAID_OUT: SignedDuration = SignedDuration::from_hours(24 * 8);
/// The longest time that is held against a budget: what is behind for a day is behind for good.
const TIME_MAX: SignedDuration = SignedDuration::from_hours(24);
/// Slots of an entry that are laid out, at most: one in twenty minutes for eight days, and text that asks for more is refused.
const SLOTS_MAX: usize = 600;

/// The machines of one slot of one entry.
#[derive(Clone, Copy)]
struct Wave<'a> {
    from: Timestamp,
    until: Timestamp,
    points: u64,
    of: (&'a CheckedPolicy, usize),
}

/// The worst time of a subscription and region.
struct Worst<'a> {
    from: Timestamp,
    within: SignedDuration,
    points: u64,
    most: u64,
    /// Where most of its points are asked for.
    of: (&'a CheckedPolicy, usize),
}

/// A problem for each subscription and region where more restore points are due in a time than Azure makes.
pub fn judge(all: &[(&CheckedPolicy, Vec<&MachineAttributes>)], now: Timestamp) -> Vec<Problem> {
    let mut waves: BTreeMap<(String, String), Vec<Wave<'_>>> = BTreeMap::new();
    for (read, machines) in all {
        let mut places: BTreeMap<(String, String), u64> = BTreeMap::new();
        for machine in machines {
            *places.entry((machine.subscription.to_lowercase(), region(&machine.location))).or_default() += 1;
        }
        for (index, entry) in read.policy.points.iter().enumerate() {
            let Some(schedule) = entry.schedule.as_ref().filter(|_| entry.kind == PointKind::RestorePoint) else {
                continue;
            };
            let up_to = now.checked_add(LAID_OUT).unwrap_or(Timestamp::MAX);
            for slot in schedule.slots_between(now, up_to).take(SLOTS_MAX) {
                let until = slot.at().checked_add(opening(schedule, slot, SPREAD)).unwrap_or(Timestamp::MAX);
                for (place, points) in &places {
                    let wave = Wave { from: slot.at(), until, points: *points, of: (read, index) };
                    waves.entry(place.clone()).or_default().push(wave);
                }
            }
        }
    }
    let found = waves.into_iter().filter_map(|((subscription, region), mut waves)| {
        waves.sort_by_key(|wave| (wave.from, wave.until));
        let worst = worst(&waves, &Budget::restore_points(&subscription, &region))?;
        Some(told(worst, subscription, region))
    });
    found.collect()
}

fn told(worst: Worst<'_>, subscription: String, region: String) -> Problem {
    let Worst { from, within, points, most, of: (read, index) } = worst;
    let misfit = Misfit::OverBudget { points, subscription, region, from, within, most };
    let expected = Some(format!("at most {most}"));
    read.misfit(&format!("spec.points[{index}].schedule"), misfit, expected, Some(Advice::SpreadOut))
}

/// The time from one slot on that goes furthest over the budget, of those up to a day; none where all of them fit.
fn worst<'a>(waves: &[Wave<'a>], budget: &Budget) -> Option<Worst<'a>> {
    let mut worst: Option<Worst<'a>> = None;
    for (at, first) in waves.iter().enumerate() {
        let later = waves[at..].iter().take_while(|wave| wave.from.duration_since(first.from) < TIME_MAX);
        let mut by_end: Vec<&Wave<'a>> = later.collect();
        by_end.sort_by_key(|wave| wave.until);
        let mut points = 0_u64;
        let mut largest = first;
        for wave in by_end {
            points = points.saturating_add(wave.points);
            largest = if wave.points > largest.points { wave } else { largest };
            let within = wave.until.duration_since(first.from);
            let most = budget.within(within);
            let over = points.saturating_sub(most);
            if over > worst.as_ref().map_or(0, |worst| worst.points.saturating_sub(worst.most)) {
                worst = Some(Worst { from: first.from, within, points, most, of: largest.of });
            }
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use lifeboat_contract::policy::{Checked, check_policies};

    use super::*;

    fn document(name: &str, machines: &str, cron: &str) -> (String, String) {
        let text = format!(
            "apiVersion: lifeboat/v1\nkind: BackupPolicy\nmetadata: {{ name: {name} }}\nspec:\n  match: {{ name: '{machines}' }}\n  \
             points:\n    - name: daily\n      kind: restorePoint\n      schedule: {{ cron: '{cron}', timezone: UTC }}\n      keep: {{ last: \
             3 }}\n"
        );
        (format!("{name}.yaml"), text)
    }

    fn machines(count: usize, subscription: &str) -> Vec<MachineAttributes> {
        let one = |number| MachineAttributes {
            name: format!("vm-{number}"),
            subscription: subscription.to_owned(),
            location: "westeurope".to_owned(),
            ..MachineAttributes::default()
        };
        (0..count).map(one).collect()
    }

    fn judged(checked: &Checked, machines: &[&[MachineAttributes]]) -> Vec<String> {
        let of = |(read, own)| (read, <[MachineAttributes]>::iter(own).collect());
        let all: Vec<(&CheckedPolicy, Vec<&MachineAttributes>)> =
            checked.policies.iter().zip(machines.iter().copied()).map(of).collect();
        judge(&all, Timestamp::UNIX_EPOCH).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn more_machines_than_azure_makes_points_of_in_the_window_are_told_with_the_arithmetic() {
        let checked = check_policies(&[document("one", "*", "0 2 * * *")]);
        // 120 at once and 50 a minute: 3,120 in the hour over which machines are spread.
        assert_eq!(judged(&checked, &[&machines(3_120, "s")]), Vec::<String>::new());
        let said = judged(&checked, &[&machines(3_121, "s")]);
        let wanted = "3121 restore points are due within 1h from 1970-01-01T02:00:00Z on in westeurope of the subscription s, and Azure's \
                      budget gives 3120 in that time; expected at most 3120";
        assert!(said.len() == 1 && said[0].contains(wanted) && said[0].starts_with("one.yaml:9:"), "{said:?}");
        let mut spread = machines(2_000, "s");
        spread.extend(machines(2_000, "other"));
        assert_eq!(judged(&checked, &[&spread]), Vec::<String>::new(), "each subscription has its own");
    }

    #[test]
    fn slots_of_several_policies_at_one_time_count_together_and_apart_they_do_not() {
        let (first, second) = (machines(2_000, "s"), machines(2_000, "S"));
        let together = check_policies(&[document("a", "a*", "0 2 * * *"), document("b", "b*", "0 2 * * *")]);
        let said = judged(&together, &[&first, &second]);
        assert!(said.len() == 1 && said[0].contains("4000 restore points"), "{said:?}");
        let apart = check_policies(&[document("a", "a*", "0 2 * * *"), document("b", "b*", "0 4 * * *")]);
        assert_eq!(judged(&apart, &[&first, &second]), Vec::<String>::new());
        // Hourly slots have a window of a quarter of an hour: 120 at once and 50 a minute are 870.
        let hourly = check_policies(&[document("a", "*", "0 * * * *")]);
        assert_eq!(judged(&hourly, &[&machines(870, "s")]), Vec::<String>::new());
        assert_eq!(judged(&hourly, &[&machines(871, "s")]).len(), 1);
    }
}

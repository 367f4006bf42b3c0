//! Which recovery point a failover takes. It never replaces one kind by another: where there is none of the kind, there is none.

use alloc::string::String;
use jiff::Timestamp;

/// Which recovery point is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointChoice {
    /// All that reached the target, processed first: least loss.
    Latest,
    /// The newest point that is processed already: fastest.
    LatestProcessed,
    /// The newest application-consistent one.
    ApplicationConsistent,
    /// The newest one that is not after this moment.
    At(Timestamp),
}

/// A recovery point of a replicated item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointFacts {
    /// What Azure calls it when it is asked for.
    pub id: String,
    /// What moment it holds.
    pub time: Timestamp,
    /// It is application-consistent.
    pub application: bool,
}

/// The id to ask for (none for the latest) and the moment that the point holds; nothing where there is none of that kind.
///
/// The list may be in any order. Of the latest no moment is known but that it is not before the newest point of the list.
pub fn choose(choice: PointChoice, points: &[PointFacts]) -> Option<(Option<String>, Option<Timestamp>)> {
    let newest = |fits: &dyn Fn(&PointFacts) -> bool| {
        let newest = points.iter().filter(|point| fits(point)).max_by_key(|point| point.time)?;
        Some((Some(newest.id.clone()), Some(newest.time)))
    };
    match choice {
        PointChoice::Latest => Some((None, points.iter().map(|point| point.time).max())),
        PointChoice::LatestProcessed => newest(&|_| true),
        PointChoice::ApplicationConsistent => newest(&|point| point.application),
        PointChoice::At(moment) => newest(&|point| point.time <= moment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn point(id: &str, second: i64, application: bool) -> PointFacts {
        PointFacts { id: id.to_string(), time: Timestamp::new(second, 0).expect("a moment"), application }
    }

    #[test]
    fn each_kind_is_chosen_by_time_and_never_replaced_by_another() {
        let at = |second| Timestamp::new(second, 0).expect("a moment");
        let unsorted = [point("b", 20, true), point("d", 40, false), point("a", 10, false), point("c", 30, false)];
        let crash_only = [point("a", 10, false)];
        type Wanted = Option<(Option<&'static str>, Option<i64>)>;
        let cases: &[(&str, PointChoice, &[PointFacts], Wanted)] = &[
            ("the latest has no id", PointChoice::Latest, &unsorted, Some((None, Some(40)))),
            ("the latest needs no list", PointChoice::Latest, &[], Some((None, None))),
            ("the newest processed", PointChoice::LatestProcessed, &unsorted, Some((Some("d"), Some(40)))),
            ("none processed", PointChoice::LatestProcessed, &[], None),
            ("application-consistent", PointChoice::ApplicationConsistent, &unsorted, Some((Some("b"), Some(20)))),
            ("no crash-consistent one in its place", PointChoice::ApplicationConsistent, &crash_only, None),
            ("a time between two", PointChoice::At(at(35)), &unsorted, Some((Some("c"), Some(30)))),
            ("a time to the second", PointChoice::At(at(30)), &unsorted, Some((Some("c"), Some(30)))),
            ("a time before all", PointChoice::At(at(9)), &unsorted, None),
        ];
        for (name, choice, points, wanted) in cases {
            let wanted = wanted.map(|(id, second)| (id.map(ToString::to_string), second.map(at)));
            assert_eq!(choose(*choice, points), wanted, "{name}");
        }
    }
}

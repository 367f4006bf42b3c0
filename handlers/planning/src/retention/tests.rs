//! What the verdicts say, sentence by sentence; the golden table and the properties over many dates are in `tests/retention`.

use alloc::vec::Vec;

use super::*;
use crate::policy::{AtLeast, WhenMachineDeleted};

const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
const NOW: &str = "2026-11-25T12:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().expect(text)
}

fn point(name: &str) -> PointSeen<'_> {
    // Points are named by their times here, so that a table of names is a table of points.
    PointSeen {
        name,
        at: time(name),
        state: State::Restorable,
        consistency: Some(AtLeast::Application),
        ownership: Ownership::Ours,
        held: Barrier::Absent,
        locked: Barrier::Absent,
        in_use: InUse::default(),
        last_of_disk: false,
    }
}

fn points<'a>(names: &[&'a str]) -> Vec<PointSeen<'a>> {
    names.iter().map(|name| point(name)).collect()
}

/// A question, to be asked of several lists of points.
struct Asked {
    keep: Option<Keep>,
    zone: TimeZone,
    machine: Presence,
    deleted_by_hand: bool,
    at_least: AtLeast,
    now: Timestamp,
}

fn asked(keep: Keep) -> Asked {
    Asked {
        keep: Some(keep),
        zone: TimeZone::posix(BERLIN).expect("a zone"),
        machine: Presence::Living,
        deleted_by_hand: false,
        at_least: AtLeast::Crash,
        now: time(NOW),
    }
}

impl Asked {
    fn verdicts(&self, points: &[PointSeen<'_>]) -> Vec<Verdict> {
        let question = Question {
            keep: self.keep.as_ref(),
            zone: &self.zone,
            at_least: self.at_least,
            machine: self.machine,
            when_gone: WhenMachineDeleted::KeepLast,
            deleted_by_hand: self.deleted_by_hand,
            now: self.now,
        };
        verdicts(&question, points)
    }

    /// Each point's verdict with the words of its reasons.
    fn words(&self, points: &[PointSeen<'_>]) -> Vec<String> {
        let word = |verdict: Verdict| {
            verdict.reasons.iter().fold(String::from(verdict.kind.word()), |text, reason| text + " " + reason.word())
        };
        self.verdicts(points).into_iter().map(word).collect()
    }
}

/// Days of November 2026 at two o'clock, newest last.
const DAYS: [&str; 6] = [
    "2026-11-20T02:00:00Z",
    "2026-11-21T02:00:00Z",
    "2026-11-22T02:00:00Z",
    "2026-11-23T02:00:00Z",
    "2026-11-24T02:00:00Z",
    "2026-11-25T02:00:00Z",
];

const DUE: &str = "expire noRuleKeeps";

#[test]
fn a_point_stays_when_any_rule_keeps_it_and_says_each_that_does() {
    let words = asked(Keep { last: 1, daily: 3, weekly: 2, ..Keep::default() }).words(&points(&DAYS));
    assert_eq!(words, [DUE, DUE, "keep weekly", "keep daily", "keep daily", "keep last daily weekly"]);
}

#[test]
fn no_policy_and_a_policy_without_rules_keep_everything() {
    let none = Asked { keep: None, ..asked(Keep::default()) };
    assert!(none.words(&points(&DAYS)).iter().all(|words| words == "keep noPolicy"));
    let empty = asked(Keep { min: 3, ..Keep::default() });
    assert!(empty.words(&points(&DAYS)).iter().all(|words| words == "keep noRules"));
    let gone = Asked { machine: Presence::GoneSince(time("2020-01-01T00:00:00Z")), ..none };
    assert!(gone.verdicts(&points(&DAYS)).iter().all(|verdict| verdict.kind == Kind::Keep));
}

#[test]
fn within_counts_from_the_newest_point_so_that_nothing_goes_when_backups_stop() {
    let within = |hours| Keep { within: Some(SignedDuration::from_hours(hours)), ..Keep::default() };
    let year_later = Asked { now: time("2027-11-25T12:00:00Z"), ..asked(within(48)) };
    let kinds: Vec<Kind> = year_later.verdicts(&points(&DAYS)).iter().map(|verdict| verdict.kind).collect();
    assert_eq!(kinds, [Kind::Expire, Kind::Expire, Kind::Expire, Kind::Keep, Kind::Keep, Kind::Keep]);
    assert_eq!(year_later.verdicts(&points(&DAYS)), asked(within(48)).verdicts(&points(&DAYS)));
    // A span longer than all time keeps everything.
    let endless = asked(Keep { within: Some(SignedDuration::MAX), ..Keep::default() });
    assert!(endless.verdicts(&points(&DAYS)).iter().all(|verdict| verdict.kind == Kind::Keep));
}

#[test]
fn a_day_of_within_is_never_shorter_than_the_day_of_the_zone() {
    // Clocks went back on 25 October 2026: two o'clock to two o'clock took 25 hours.
    let autumn = ["2026-10-24T00:00:00Z", "2026-10-25T01:00:00Z"];
    let asked = asked(Keep { within: Some(SignedDuration::from_hours(24)), ..Keep::default() });
    assert_eq!(asked.words(&points(&autumn)), ["keep within", "keep within"]);
    // And on 28 March 2027 forward, 23 hours; 24 still count.
    let spring = Asked { now: time("2027-04-01T00:00:00Z"), ..asked };
    let names = ["2027-03-27T00:59:59Z", "2027-03-27T01:00:00Z", "2027-03-28T01:00:00Z"];
    assert_eq!(spring.words(&points(&names)), [DUE, "keep within", "keep within"]);
}

#[test]
fn weeks_are_whole_across_the_end_of_the_year() {
    // ISO week 53 of 2026 runs from Monday 28 December to Sunday 3 January 2027.
    let names = ["2026-12-27T12:00:00Z", "2026-12-28T12:00:00Z", "2026-12-31T12:00:00Z", "2027-01-03T12:00:00Z"];
    let asked = Asked { now: time("2027-01-05T00:00:00Z"), ..asked(Keep { weekly: 5, ..Keep::default() }) };
    assert_eq!(asked.words(&points(&names)), ["keep weekly", DUE, DUE, "keep weekly"]);
    // And the first days of January 2028 belong to week 52 of 2027: no week of the new year.
    let names = ["2027-12-30T12:00:00Z", "2028-01-02T12:00:00Z", "2028-01-03T12:00:00Z"];
    let asked = Asked { now: time("2028-01-05T00:00:00Z"), ..asked };
    assert_eq!(asked.words(&points(&names)), [DUE, "keep weekly", "keep weekly"]);
}

#[test]
fn the_hour_that_clocks_show_twice_is_two() {
    let names = ["2026-10-25T00:10:00Z", "2026-10-25T00:50:00Z", "2026-10-25T01:10:00Z", "2026-10-25T02:10:00Z"];
    let words = asked(Keep { hourly: 3, ..Keep::default() }).words(&points(&names));
    assert_eq!(words, [DUE, "keep hourly", "keep hourly", "keep hourly"]);
}

#[test]
fn days_are_those_of_the_zone() {
    // 23:30 UTC on the 20th is half past midnight on the 21st in Berlin.
    let names = ["2026-11-20T22:30:00Z", "2026-11-20T23:30:00Z", "2026-11-21T12:00:00Z"];
    let berlin = asked(Keep { daily: 2, ..Keep::default() });
    assert_eq!(berlin.words(&points(&names)), ["keep daily", DUE, "keep daily"]);
    let utc = Asked { zone: TimeZone::UTC, ..berlin };
    assert_eq!(utc.words(&points(&names)), [DUE, "keep daily", "keep daily"]);
}

#[test]
fn a_day_that_comes_up_again_is_still_one_day() {
    // Clocks go back from 00:01 to 23:01: after Sunday's first minute it is Saturday again.
    let zone = TimeZone::posix("NST3:30NDT,M3.2.0/0:01,M11.1.0/0:01").expect("a zone");
    let names = ["2026-10-31T20:00:00Z", "2026-11-01T02:30:30Z", "2026-11-01T02:50:00Z", "2026-11-01T12:00:00Z"];
    let asked = Asked { zone, ..asked(Keep { daily: 2, ..Keep::default() }) };
    assert_eq!(asked.words(&points(&names)), [DUE, DUE, "keep daily", "keep daily"]);
}

#[test]
fn min_counts_restorable_points_of_ours_however_consistent_they_are() {
    let mut seen = points(&DAYS[..4]);
    seen[0].consistency = Some(AtLeast::Crash);
    seen[1].consistency = None;
    seen[2].state = State::Failed;
    seen[3].ownership = Ownership::Foreign;
    let mut asked = asked(Keep { last: 1, min: 2, ..Keep::default() });
    asked.at_least = AtLeast::Application;
    let words = asked.words(&seen);
    assert_eq!(words, ["keep min lessConsistent", "keep last lessConsistent", "keep evidence", "foreign notOurs"]);
    // Asking for less, or more, changes no verdict.
    for at_least in [AtLeast::Crash, AtLeast::FileSystem, AtLeast::Application] {
        asked.at_least = at_least;
        let kinds: Vec<Kind> = asked.verdicts(&seen).iter().map(|verdict| verdict.kind).collect();
        assert_eq!(kinds, [Kind::Keep, Kind::Keep, Kind::Keep, Kind::Foreign], "{at_least:?}");
    }
}

#[test]
fn min_is_at_least_one_whatever_the_policy_says_and_fills_up_only_what_is_missing() {
    for min in [0, 1] {
        let words = asked(Keep { last: 1, min, ..Keep::default() }).words(&points(&DAYS[..2]));
        assert_eq!(words, [DUE, "keep last"]);
    }
    let words = asked(Keep { last: 2, min: 3, ..Keep::default() }).words(&points(&DAYS[..4]));
    assert_eq!(words, [DUE, "keep min", "keep last", "keep last"]);
}

#[test]
fn the_only_restorable_point_stays_and_says_so() {
    assert_eq!(asked(Keep { last: 1, ..Keep::default() }).words(&points(&DAYS[..1])), ["keep last onlyRestorable"]);
    let gone = Asked {
        machine: Presence::GoneSince(time("2026-01-01T00:00:00Z")),
        ..asked(Keep { last: 1, ..Keep::default() })
    };
    assert_eq!(gone.words(&points(&DAYS[..1])), ["keep onlyRestorable newestOfGone"]);
}

#[test]
fn what_stands_in_the_way_blocks_what_no_rule_keeps() {
    let mut seen = points(&DAYS);
    seen[0].held = Barrier::Present;
    seen[1].locked = Barrier::Present;
    seen[2].in_use = InUse { open_access: Barrier::Present, copying: Barrier::Present, saga: Barrier::Present };
    seen[3].locked = Barrier::Unknown;
    seen[5].held = Barrier::Present;
    let words = asked(Keep { last: 1, ..Keep::default() }).words(&seen);
    assert_eq!(
        words,
        [
            "blocked held noRuleKeeps",
            "blocked locked noRuleKeeps",
            "blocked openAccess copying usedBySaga noRuleKeeps",
            "blocked barriersUnknown noRuleKeeps",
            DUE,
            "keep last held",
        ]
    );
}

#[test]
fn the_last_point_of_a_disk_stays_in_whatever_state_its_set_is() {
    let mut seen = points(&DAYS);
    seen[0].last_of_disk = true;
    seen[1].last_of_disk = true;
    seen[1].state = State::of_set([State::Restorable, State::Failed, State::NotWhole]);
    let words = asked(Keep { last: 1, ..Keep::default() }).words(&seen);
    assert_eq!(words[..2], ["keep lastOfDisk", "keep lastOfDisk evidence"]);
}

#[test]
fn of_a_disk_that_newer_sets_lack_the_newest_part_stays_though_all_its_sets_are_due() {
    // The data disk was detached after the third day; its part of the third day failed.
    let mut seen = points(&DAYS);
    let part = |disk, day: usize, restorable| DiskPart { point: day, disk, at: time(DAYS[day]), restorable };
    let parts: Vec<DiskPart<'_>> = (0..DAYS.len())
        .map(|day| part("os", day, true))
        .chain([part("data", 2, false), part("data", 0, true), part("data", 1, true)])
        .collect();
    for (point, last) in seen.iter_mut().zip(newest_of_each_disk(DAYS.len(), &parts)) {
        point.last_of_disk = last;
    }
    let words = asked(Keep { last: 1, ..Keep::default() }).words(&seen);
    assert_eq!(words, [DUE, "keep lastOfDisk", DUE, DUE, DUE, "keep last lastOfDisk"]);
}

#[test]
fn a_point_of_a_time_that_has_not_come_stays_and_counts_for_nothing() {
    let mut names = DAYS;
    names[5] = "2027-11-25T02:00:00Z";
    let keep = Keep { last: 1, within: Some(SignedDuration::from_hours(24)), ..Keep::default() };
    assert_eq!(asked(keep).words(&points(&names))[3..], ["keep within", "keep last within", "keep future"]);
}

#[test]
fn a_failed_point_is_due_only_when_a_restorable_one_is_a_week_newer() {
    let names = ["2026-11-01T02:00:00Z", "2026-11-08T01:59:59Z", "2026-11-20T02:00:00Z"];
    let asked = asked(Keep { last: 1, ..Keep::default() });
    let with_newest = |at| {
        let mut seen = points(&names);
        seen[0].state = State::Failed;
        seen[2].at = time(at);
        asked.words(&seen)[0].clone()
    };
    assert_eq!(with_newest("2026-11-08T02:00:00Z"), "expire failedLongAgo");
    assert_eq!(with_newest("2026-11-08T01:59:59Z"), "keep evidence");
    // While nothing succeeds, the evidence of why stays, however late it is.
    let mut failed = points(&names);
    failed.iter_mut().for_each(|point| point.state = State::Failed);
    assert!(asked.words(&failed).iter().all(|words| words == "keep evidence"));
}

#[test]
fn what_is_being_made_copied_or_deleted_is_left_alone() {
    let mut seen = points(&DAYS);
    seen[0].state = State::InProgress;
    seen[1].state = State::NotWhole;
    seen[2].state = State::Deleting;
    let words = asked(Keep { last: 1, ..Keep::default() }).words(&seen);
    assert_eq!(words[..3], ["keep inProgress", "keep notWhole", "blocked deleting"]);
}

#[test]
fn all_points_of_a_gone_machine_stay_for_two_weeks_and_then_all_but_the_newest_are_due() {
    let keep = Keep { daily: 2, ..Keep::default() };
    let since = |text| Asked { machine: Presence::GoneSince(time(text)), ..asked(keep) };
    let lately = since("2026-11-11T12:00:01Z").words(&points(&DAYS));
    assert!(lately.iter().all(|words| words == "keep goneLately"), "{lately:?}");
    let mut seen = points(&DAYS);
    seen[1].state = State::Failed;
    seen[5].state = State::Failed;
    let long = since("2026-11-11T12:00:00Z").words(&seen);
    let gone = "expire machineGone";
    assert_eq!(long, [gone, gone, gone, gone, "keep newestOfGone", gone]);
    // A policy that asks for more than one at least keeps them here too.
    let three = Keep { min: 3, ..keep };
    let long = Asked { keep: Some(three), ..since("2026-11-11T12:00:00Z") }.words(&points(&DAYS));
    assert_eq!(long[2..], [gone, "keep min", "keep min", "keep newestOfGone"]);
}

#[test]
fn nothing_of_a_machine_that_is_not_known_goes() {
    let unknown = Asked { machine: Presence::Unknown, ..asked(Keep { last: 1, ..Keep::default() }) };
    let words = unknown.words(&points(&DAYS[..2]));
    assert_eq!(words, ["blocked machineUnknown noRuleKeeps", "keep last machineUnknown"]);
}

#[test]
fn where_people_deleted_by_hand_nothing_goes_until_two_restorable_points_are_read() {
    let by_hand = Asked { deleted_by_hand: true, ..asked(Keep { last: 1, ..Keep::default() }) };
    let mut seen = points(&DAYS[..3]);
    seen[0].state = State::Failed;
    seen[0].at = time("2026-01-01T00:00:00Z");
    seen[1].state = State::Failed;
    assert_eq!(by_hand.words(&seen)[0], "blocked deletedByHand failedLongAgo");
    seen[1].state = State::Restorable;
    assert_eq!(by_hand.words(&seen), ["expire failedLongAgo", DUE, "keep last"]);
}

#[test]
fn what_is_due_goes_oldest_first() {
    let names = [DAYS[3], DAYS[0], DAYS[5], DAYS[2], DAYS[4]];
    let seen = points(&names);
    let verdicts = asked(Keep { last: 1, ..Keep::default() }).verdicts(&seen);
    assert_eq!(due_oldest_first(&seen, &verdicts), [1, 3, 0, 4]);
}

#[test]
fn of_two_points_of_the_same_moment_the_name_decides_in_whichever_order_they_come() {
    let mut seen = points(&[DAYS[0], DAYS[0]]);
    (seen[0].name, seen[1].name) = ("a", "b");
    let asked = asked(Keep { last: 1, ..Keep::default() });
    assert_eq!(asked.words(&seen), [DUE, "keep last"]);
    seen.reverse();
    assert_eq!(asked.words(&seen), ["keep last", DUE]);
}

#[test]
fn every_reason_has_a_word_and_a_sentence_of_its_own() {
    let words: alloc::collections::BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.word()).collect();
    let sentences: alloc::collections::BTreeSet<String> =
        Reason::ALL.iter().map(|reason| format!("{reason}")).collect();
    assert_eq!((words.len(), sentences.len()), (Reason::ALL.len(), Reason::ALL.len()));
    for (at, reason) in Reason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, at, "{reason:?} is out of order");
    }
}

//! Any schedule in any zone against a walk of real time, a minute at a time, by the clock on the wall.
//! It never asks the schedule how it computes.

use super::*;

/// Every moment of a schedule in a span, by walking real time a minute at a time and looking at the clock on the wall.
fn walk(
    fields: &[Vec<u8>; 5],
    stars: [bool; 2],
    zone: &TimeZone,
    from: Timestamp,
    minutes: i64,
) -> BTreeSet<Timestamp> {
    let fits = |wall: jiff::civil::DateTime| {
        let has = |field: usize, number: i8| fields[field].contains(&u8::try_from(number).unwrap());
        let days = match stars {
            [true, true] => true,
            [false, true] => has(2, wall.day()),
            [true, false] => has(4, wall.weekday().to_sunday_zero_offset()),
            [false, false] => has(2, wall.day()) || has(4, wall.weekday().to_sunday_zero_offset()),
        };
        has(0, wall.minute()) && has(1, wall.hour()) && has(3, wall.month()) && days
    };
    let hourly = (0..24).all(|hour| fields[1].contains(&hour));
    // It begins two days early, so that what was shown once before the span is known when it is shown again.
    let mut real = from - SignedDuration::from_hours(48);
    let mut shown = zone.to_datetime(real - SignedDuration::from_mins(1));
    let mut seen = BTreeSet::new();
    let mut found = BTreeSet::new();
    for _ in 0..minutes + 48 * 60 {
        let wall = zone.to_datetime(real);
        let mut skipped = shown + SignedDuration::from_mins(1);
        let mut into_gap = 0;
        while skipped < wall {
            if fits(skipped) {
                found.insert(real + SignedDuration::from_mins(into_gap));
            }
            skipped += SignedDuration::from_mins(1);
            into_gap += 1;
        }
        if fits(wall) && (hourly || !seen.contains(&wall)) {
            found.insert(real);
        }
        seen.insert(wall);
        shown = wall;
        real += SignedDuration::from_mins(1);
    }
    found.retain(|moment| from < *moment && *moment < from + SignedDuration::from_mins(minutes));
    found
}

fn field(field: Field) -> impl Strategy<Value = Vec<u8>> {
    let all: Vec<u8> = field.range().collect();
    let most = all.len();
    prop_oneof![
        1 => Just(all.clone()),
        2 => prop::sample::subsequence(all.clone(), 1..=most),
        2 => prop::sample::subsequence(all, 1..=3.min(most)),
    ]
}

/// Moments around clock changes, of zones that have had unusual ones, and any.
fn place() -> impl Strategy<Value = (TimeZone, Timestamp)> {
    let names = [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "Pacific/Apia",
        "Africa/Cairo",
        "America/St_Johns",
        "America/Sao_Paulo",
        "Pacific/Kwajalein",
        "Antarctica/Troll",
        "Africa/Casablanca",
        "UTC",
    ];
    let zone = prop::sample::select(names.to_vec()).prop_map(self::zone);
    (zone, 94_694_400i64..2_900_000_000, any::<bool>(), 0i64..60 * 60).prop_map(|(zone, secs, near, before)| {
        let any = Timestamp::from_second(secs - secs % 60).unwrap();
        let change = if near { zone.following(any).next().map(|change| change.timestamp()) } else { None };
        let moment = change.unwrap_or(any) - SignedDuration::from_mins(before);
        (zone, Timestamp::from_second(moment.as_second().div_euclid(60) * 60).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_schedule_has_the_slots_that_a_walk_through_its_minutes_finds(
        minute in field(Field::Minute),
        hour in field(Field::Hour),
        of_month in field(Field::DayOfMonth),
        month in field(Field::Month),
        of_week in field(Field::DayOfWeek),
        stars in any::<[bool; 2]>(),
        (zone, from) in place(),
    ) {
        let fields = [minute, hour, of_month, month, of_week];
        let set = |field: usize| fields[field].iter().copied().collect::<Numbers>();
        let days = match stars {
            [true, true] => Days::Every,
            [false, true] => Days::OfMonth(set(2)),
            [true, false] => Days::OfWeek(set(4)),
            [false, false] => Days::Either { of_month: set(2), of_week: set(4) },
        };
        let Ok(cron) = Cron::new(set(0), set(1), days, set(3)) else { return Ok(()) };
        let schedule = Schedule::new(cron, zone.clone());
        let minutes = 4 * 24 * 60;
        let up_to = from + SignedDuration::from_mins(minutes - 1);
        let walked: Vec<Timestamp> = walk(&fields, stars, &zone, from, minutes).into_iter().collect();
        let slots: Vec<Timestamp> = schedule.slots_between(from, up_to).map(Slot::at).collect();
        prop_assert_eq!(&slots, &walked, "{} from {}", schedule, from);
        prop_assert!(slots.is_sorted_by(|a, b| a < b));
        prop_assert_eq!(schedule.next_after(from).map(Slot::at).filter(|at| *at <= up_to), slots.first().copied());
        prop_assert_eq!(schedule.last_at_or_before(up_to).map(Slot::at).filter(|at| *at > from), slots.last().copied());
    }

    #[test]
    fn looks_at_any_times_make_each_slot_at_most_once_and_never_an_older_after_a_newer(
        looks in prop::collection::vec(0i64..72 * 60, 1..40),
        hours in prop::sample::subsequence((0u8..24).collect::<Vec<_>>(), 1..6),
        window_mins in 0i64..600,
        (zone, from) in place(),
    ) {
        let months = Field::Month.range().collect();
        let cron = Cron::new([30].into_iter().collect(), hours.into_iter().collect(), Days::Every, months).unwrap();
        let schedule = Schedule::new(cron, zone);
        let (key, window) = (MachineKey::new("v", "/vm"), SignedDuration::from_mins(window_mins));
        let mut times: Vec<Timestamp> = looks.iter().map(|mins| from + SignedDuration::from_mins(*mins)).collect();
        times.sort();
        let (mut made, mut missed): (Vec<Slot>, usize) = (Vec::new(), 0);
        for now in times {
            let around = Around::new(&schedule, now, window);
            let due = around.due(made.last().copied(), from, &key).unwrap();
            prop_assert!(due.starts_at >= due.slot.at() && due.starts_at <= due.closes_at);
            prop_assert!(schedule.next_after(due.slot.at()).is_none_or(|next| due.closes_at < next.at()));
            if due.is_now(now) {
                prop_assert!(made.last().is_none_or(|last| *last < due.slot));
                made.push(due.slot);
                missed += due.missed.count;
                let again = around.due(Some(due.slot), from, &key).unwrap();
                prop_assert!(!again.is_now(now), "planning again changes nothing");
            }
        }
        // Each slot up to the last one made was made or said to be missed.
        let all = made.last().map_or(0, |last| schedule.slots_between(from - SignedDuration::from_nanos(1), last.at()).count());
        prop_assert_eq!(made.len() + missed, all);
    }
}

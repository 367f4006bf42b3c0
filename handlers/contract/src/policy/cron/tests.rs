//! Tests of the reading of schedules: tables of what is taken and what is not, and what holds for any text.

use proptest::prelude::*;

use super::*;

fn canonical(text: &str) -> String {
    match parse_cron(text) {
        Ok(cron) => cron.to_string(),
        Err(problem) => format!("{problem}; expected {}", problem.expected()),
    }
}

#[test]
fn an_expression_is_taken_in_the_forms_that_people_know() {
    for (written, meant) in [
        ("0 2 * * *", "0 2 * * *"),
        ("  00   02 * * *  ", "0 2 * * *"),
        ("* * * * *", "* * * * *"),
        ("*/15 8-18 * * mon-fri", "0,15,30,45 8-18 * * 1-5"),
        ("10-40/10 * * * *", "10,20,30,40 * * * *"),
        ("0 0 1,15 * *", "0 0 1,15 * *"),
        ("0 0 * JAN,Jul *", "0 0 * 1,7 *"),
        ("0 0 * feb-apr *", "0 0 * 2-4 *"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * sun", "0 0 * * 0"),
        ("0 0 * * fri-sun", "0 0 * * 0,5,6"),
        ("0 0 * * sun-tue", "0 0 * * 0-2"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        ("0 0 * * 0-7", "0 0 * * *"),
        ("0 0 * * */2", "0 0 * * 0,2,4,6"),
        ("0 0 */10 * *", "0 0 1,11,21,31 * *"),
        ("0 0 13 * fri", "0 0 13 * 5"),
        ("0 0 1-31 * fri", "0 0 * * *"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("0 0 31 1-12/2 *", "0 0 31 1,3,5,7,9,11 *"),
        ("5,5,5-6 1 * * *", "5,6 1 * * *"),
        ("0-59 0-23 1-31 1-12 0-6", "* * * * *"),
    ] {
        assert_eq!(canonical(written), meant, "{written}");
    }
}

#[test]
fn an_error_names_the_field_and_what_is_expected_there() {
    let shape = format!("expected {CRON_EXPECTED}");
    for (written, message) in [
        ("", format!("there are 0 fields; {shape}")),
        ("0 2 * *", format!("there are 4 fields; {shape}")),
        ("0 0 2 * * *", format!("there are 6 fields: seconds and years are not taken; {shape}")),
        ("@daily", format!("nicknames such as @daily are not taken; {shape}")),
        ("60 2 * * *", "`60` is no minute; expected `*`, numbers 0 to 59, ranges (`0-4`) and steps of either (`*/2`)".into()),
        ("0 24 * * *", "`24` is no hour; expected `*`, numbers 0 to 23, ranges (`0-4`) and steps of either (`*/2`)".into()),
        ("0 2 0 * *", "`0` is no day of the month; expected `*`, numbers 1 to 31, ranges (`1-5`) and steps of either (`*/2`)".into()),
        ("0 2 * 13 *", "`13` is no month; expected `*`, numbers 1 to 12 or jan to dec, ranges (`1-5`) and steps of either (`*/2`)".into()),
        ("0 2 * * 8", "`8` is no day of the week; expected `*`, numbers 0 to 6 (7 is Sunday too) or sun to sat, ranges (`0-4`) and steps of either (`*/2`)".into()),
        ("*/60 * * * *", "the step of `*/60` is longer than the minute has numbers; expected a step from 1 to 59".into()),
        ("0 0 */2 * mon", "a step from `*` in one field of days while the other is restricted; expected `*` in one of the two fields, or both written out, as `1,15 * mon`".into()),
        ("0 0 30 2 *", "no year has such a day; expected a day that one of the months has".into()),
        ("0 0 31 4,6,9,11 *", "no year has such a day; expected a day that one of the months has".into()),
    ] {
        assert_eq!(canonical(written), message, "{written}");
    }
}

#[test]
fn what_other_programs_take_and_this_one_does_not_is_said() {
    for (written, field, sign) in [
        ("0 0 L * *", Field::DayOfMonth, 'L'),
        ("0 0 15W * *", Field::DayOfMonth, 'W'),
        ("0 0 LW * *", Field::DayOfMonth, 'L'),
        ("0 0 * * 5L", Field::DayOfWeek, 'L'),
        ("0 0 * * 5#2", Field::DayOfWeek, '#'),
        ("0 0 ? * 1", Field::DayOfMonth, '?'),
        ("0 0 1 * +1", Field::DayOfWeek, '+'),
        ("L 0 * * *", Field::Minute, 'L'),
    ] {
        assert_eq!(parse_cron(written), Err(CronProblem::Unsupported { field, sign }), "{written}");
    }
}

#[test]
fn nothing_half_right_is_taken() {
    for written in [
        "5/15 * * * *",
        "/5 * * * *",
        "*/ * * * *",
        "*/0 * * * *",
        "*/-1 * * * *",
        "*/x * * * *",
        "*/2/3 * * * *",
        "5-1 * * * *",
        "1-2-3 * * * *",
        "-1 * * * *",
        "1- * * * *",
        "*-5 * * * *",
        "** * * * *",
        "*5 * * * *",
        "1.5 * * * *",
        "٣ * * * *",
        "0x1 * * * *",
        "99999999999 * * * *",
        "0 0 * fri *",
        "0 0 * * jan",
        "0 0 * * mond",
        "jan 0 * * *",
        "0 0 * * sat-mon",
        "0 0 * dec-feb *",
        "1,,2 * * * *",
        ", * * * *",
        "1, * * * *",
        "TZ=UTC 0 2 * * *",
        "0\u{a0}2 * * *",
        "0 2 * * *\u{0}",
    ] {
        assert!(parse_cron(written).is_err(), "{written:?}: {:?}", parse_cron(written));
    }
    let long = format!("{} * * * *", "1,".repeat(CRON_BYTES_MAX));
    assert_eq!(parse_cron(&long), Err(CronProblem::TooLong { bytes: long.len() }));
}

#[test]
fn a_zone_is_taken_by_its_own_name_alone() {
    for name in
        ["UTC", "Etc/UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]
    {
        assert_eq!(parse_zone(name).expect(name).iana_name(), Some(name));
    }
    for (name, near) in [
        ("Europe/Berln", Some("Europe/Berlin")),
        ("europe/berlin", Some("Europe/Berlin")),
        ("Berlin", Some("Europe/Berlin")),
        ("America/NewYork", Some("America/New_York")),
        ("Asia/Calcuta", Some("Asia/Calcutta")),
        ("W. Europe Standard Time", None),
        ("Mars/Olympus", None),
        ("", None),
    ] {
        let problem = parse_zone(name).expect_err(name);
        assert_eq!(problem.nearest(), near, "{name}: {problem}");
        assert!(problem.is_of_zone());
    }
}

#[test]
fn an_offset_and_the_zone_of_the_reader_are_refused() {
    for name in ["+01:00", "-5", "UTC+1", "GMT-3", "Etc/GMT+5", "Etc/Unknown", "Z"] {
        assert_eq!(parse_zone(name), Err(CronProblem::Offset(name.to_owned())));
    }
    assert_eq!(parse_zone("Local"), Err(CronProblem::LocalZone));
    assert_eq!(parse_zone("local"), Err(CronProblem::LocalZone));
}

#[test]
fn every_zone_that_is_built_in_can_be_named_unless_it_is_an_offset() {
    let mut taken = 0;
    for name in TimeZoneDatabase::bundled().available() {
        match parse_zone(name.as_str()) {
            Ok(zone) => {
                taken += 1;
                let schedule = Schedule::new(parse_cron("0 2 * * *").unwrap(), zone);
                assert_eq!(schedule.to_string(), format!("0 2 * * * {name}"));
            }
            Err(problem) => assert!(
                name.as_str().starts_with(OFFSETS_PREFIX) || name.as_str().starts_with("GMT"),
                "{name}: {problem}"
            ),
        }
    }
    assert!(taken > 400, "{taken} zones");
}

/// Texts that are nearly expressions.
fn nearly() -> impl Strategy<Value = String> {
    let item = prop_oneof![
        Just("*".to_owned()),
        (0u8..70).prop_map(|n| n.to_string()),
        (0u8..62, 0u8..62).prop_map(|(a, b)| format!("{a}-{b}")),
        (0u8..62).prop_map(|n| format!("*/{n}")),
        (0u8..13, 0u8..32, 0u8..9).prop_map(|(a, b, n)| format!("{a}-{b}/{n}")),
        prop::sample::select(vec!["jan", "DEC", "mon", "Sun", "mon-fri", "L", "?", "", "-", "/"])
            .prop_map(str::to_owned),
    ];
    let field = prop::collection::vec(item, 1..4).prop_map(|items| items.join(","));
    prop::collection::vec(field, 4..7).prop_map(|fields| fields.join(" "))
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_spells_itself(text in prop_oneof![".{0,60}", nearly()], zone in ".{0,30}") {
        if let Ok(cron) = parse_cron(&text) {
            prop_assert_eq!(parse_cron(&cron.to_string()), Ok(cron), "{}", cron);
        }
        if let Err(problem) = parse(&text, &zone) {
            prop_assert!(!problem.to_string().contains('\n') && !problem.expected().is_empty());
        }
    }

    #[test]
    fn every_set_of_times_spells_itself_in_a_form_that_is_read(
        minutes in 1u64..1 << 60,
        hours in 1u64..1 << 24,
        of_month in 1u64..1 << 31,
        months in 1u64..1 << 12,
        of_week in 1u64..1 << 7,
        both in 0u8..4,
    ) {
        let set = |bits: u64, first: u8| (0..64u8).filter(|n| bits >> n & 1 == 1).map(|n| n + first).collect::<Numbers>();
        let days = match both {
            0 => Days::Every,
            1 => Days::OfMonth(set(of_month, 1)),
            2 => Days::OfWeek(set(of_week, 0)),
            _ => Days::Either { of_month: set(of_month, 1), of_week: set(of_week, 0) },
        };
        if let Ok(cron) = Cron::new(set(minutes, 0), set(hours, 0), days, set(months, 1)) {
            let text = cron.to_string();
            prop_assert!(text.len() <= CRON_BYTES_MAX, "{}", text);
            prop_assert_eq!(parse_cron(&text), Ok(cron), "{}", text);
        }
    }
}

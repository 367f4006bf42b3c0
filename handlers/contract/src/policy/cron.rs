//! Schedules as people write them: five fields of cron and the name of a time zone.
//! It never takes seconds, nicknames (`@daily`), `L`, `W`, `#` or `?`, an offset or the machine's own zone, and never guesses.
//!
//! ```text
//! minute hour day-of-month month day-of-week      0-59 0-23 1-31 1-12 0-7 (0 and 7: Sunday), or jan-dec, sun-sat
//! item     *   5   1-5   */15   10-40/10          several, with commas
//! days     a day that fits either field fires, when neither is `*`: as cron has always had it
//! ```
//!
//! croner says what an item stands for, one item at a time. What it would pass over (an empty item, a step past the end, `L` in
//! any field) is refused here, so that an error names its field.

use std::fmt;

use croner::CronComponent;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use lifeboat_planning::schedule::{Cron, CronFault, Days, Field, Numbers, Schedule};

use super::nearest::nearest;

/// What a cron expression looks like, for messages.
pub const CRON_EXPECTED: &str =
    "five fields, minute hour day-of-month month day-of-week, such as `0 2 * * *` or `*/15 8-18 * * mon-fri`";
/// What a zone looks like, for messages.
pub const ZONE_EXPECTED: &str = "the name of a time zone, such as Europe/Berlin or UTC";
/// The longest expression that is read, in bytes: every second number of every field, written out, is below 200.
pub const CRON_BYTES_MAX: usize = 256;

/// The fields in the order in which they are written.
const FIELDS: [Field; 5] = [Field::Minute, Field::Hour, Field::DayOfMonth, Field::Month, Field::DayOfWeek];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// Sunday as the end of a range, `fri-sun`.
const SUNDAY_AT_THE_END: u8 = 7;
/// Zones under here are offsets in disguise (with the sign turned round), or no zone at all; but for one.
const OFFSETS_PREFIX: &str = "Etc/";
const UTC_AMONG_OFFSETS: &str = "Etc/UTC";

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CronProblem {
    /// The expression is longer than any schedule needs.
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// There are not five fields.
    FieldCount(usize),
    /// A nickname, `@daily`.
    Nickname,
    /// A sign that other programs take and this one does not: `L`, `W`, `#`, `?`, `+`.
    Unsupported {
        /// In which field.
        field: Field,
        /// The sign.
        sign: char,
    },
    /// A field with nothing before, after or between its commas.
    EmptyItem(Field),
    /// An item that is no number, name, range or step of its field.
    Item {
        /// In which field.
        field: Field,
        /// As written.
        item: String,
    },
    /// A step that leads out of the field at once.
    Step {
        /// In which field.
        field: Field,
        /// As written.
        item: String,
    },
    /// A step from `*` in one field of days, and the other one restricted: programs differ in what that means.
    AmbiguousDays,
    /// No year has such a day.
    NeverFires,
    /// There is no such zone.
    UnknownZone {
        /// As written.
        zone: String,
        /// The known zone that is nearest.
        nearest: Option<String>,
    },
    /// An offset, which knows nothing of summer time.
    Offset(String),
    /// The zone of whatever computer reads it.
    LocalZone,
}

impl CronProblem {
    /// What is expected instead.
    pub fn expected(&self) -> String {
        match self {
            Self::TooLong { .. } => format!("at most {CRON_BYTES_MAX} bytes"),
            Self::FieldCount(_) | Self::Nickname => CRON_EXPECTED.to_owned(),
            Self::Unsupported { field, .. } | Self::EmptyItem(field) | Self::Item { field, .. } => items(*field),
            Self::Step { field, .. } => format!("a step from 1 to {}", field.range().end() - field.range().start()),
            Self::AmbiguousDays => "`*` in one of the two fields, or both written out, as `1,15 * mon`".to_owned(),
            Self::NeverFires => "a day that one of the months has".to_owned(),
            Self::UnknownZone { .. } | Self::Offset(_) | Self::LocalZone => ZONE_EXPECTED.to_owned(),
        }
    }

    /// The known name that is nearest to the one written.
    pub fn nearest(&self) -> Option<&str> {
        match self {
            Self::UnknownZone { nearest, .. } => nearest.as_deref(),
            _ => None,
        }
    }

    /// True when it is about the zone rather than the expression.
    pub fn is_of_zone(&self) -> bool {
        matches!(self, Self::UnknownZone { .. } | Self::Offset(_) | Self::LocalZone)
    }
}

/// Reads a schedule: an expression and the zone that it is meant in.
pub fn parse(cron: &str, zone: &str) -> Result<Schedule, CronProblem> {
    Ok(Schedule::new(parse_cron(cron)?, parse_zone(zone)?))
}

/// Reads an expression alone.
pub fn parse_cron(text: &str) -> Result<Cron, CronProblem> {
    if text.len() > CRON_BYTES_MAX {
        return Err(CronProblem::TooLong { bytes: text.len() });
    }
    if text.trim_start().starts_with('@') {
        return Err(CronProblem::Nickname);
    }
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [minutes, hours, of_month, months, of_week] =
        <[&str; 5]>::try_from(fields.as_slice()).map_err(|_| CronProblem::FieldCount(fields.len()))?;
    let [minutes, hours, month_days, months, week_days] = [
        parse_field(FIELDS[0], minutes)?,
        parse_field(FIELDS[1], hours)?,
        parse_field(FIELDS[2], of_month)?,
        parse_field(FIELDS[3], months)?,
        parse_field(FIELDS[4], of_week)?,
    ];
    let days = match (of_month == "*", of_week == "*") {
        (true, true) => Days::Every,
        (true, false) => Days::OfWeek(week_days),
        (false, true) => Days::OfMonth(month_days),
        // Some programs take `*/2` for a `*` here, and then want both fields to fit.
        (false, false) if of_month.contains('*') || of_week.contains('*') => return Err(CronProblem::AmbiguousDays),
        (false, false) => Days::Either { of_month: month_days, of_week: week_days },
    };
    Cron::new(minutes, hours, days, months).map_err(|fault| match fault {
        CronFault::NeverFires => CronProblem::NeverFires,
        CronFault::Field(field) => CronProblem::EmptyItem(field),
    })
}

/// Reads the name of a zone, from the database that is built in. Names are taken in their own spelling alone.
pub fn parse_zone(name: &str) -> Result<TimeZone, CronProblem> {
    if name.eq_ignore_ascii_case("local") {
        return Err(CronProblem::LocalZone);
    }
    let digits = name.trim_start_matches("UTC").trim_start_matches("GMT").trim_start_matches(['+', '-']);
    let is_offset = digits.len() < name.len() && digits.starts_with(|c: char| c.is_ascii_digit());
    if is_offset || (name.starts_with(OFFSETS_PREFIX) && name != UTC_AMONG_OFFSETS) || name == "Z" {
        return Err(CronProblem::Offset(name.to_owned()));
    }
    let zones = TimeZoneDatabase::bundled();
    match zones.get(name) {
        Ok(zone) if zone.iana_name() == Some(name) => Ok(zone),
        Ok(zone) => Err(unknown(name, zone.iana_name().map(str::to_owned))),
        Err(_) => Err(unknown(name, nearest_zone(&zones, name))),
    }
}

fn unknown(zone: &str, nearest: Option<String>) -> CronProblem {
    CronProblem::UnknownZone { zone: zone.to_owned(), nearest }
}

/// The zone that was probably meant: the one of that city, else the one that differs by a slip.
fn nearest_zone(zones: &TimeZoneDatabase, written: &str) -> Option<String> {
    let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
    let known = || names.iter().map(String::as_str).filter(|name| !name.starts_with(OFFSETS_PREFIX));
    let city = |name: &&str| name.rsplit_once('/').is_some_and(|(_, city)| city.eq_ignore_ascii_case(written));
    known().find(city).or_else(|| nearest(written, known())).map(str::to_owned)
}

fn parse_field(field: Field, text: &str) -> Result<Numbers, CronProblem> {
    let mut numbers = Vec::new();
    for item in text.split(',') {
        if item.is_empty() {
            return Err(CronProblem::EmptyItem(field));
        }
        numbers.extend(parse_item(field, item)?);
    }
    Ok(numbers.into_iter().collect())
}

fn parse_item(field: Field, item: &str) -> Result<Vec<u8>, CronProblem> {
    let wrong = || CronProblem::Item { field, item: item.to_owned() };
    if let Some(sign) = item.chars().find(|sign| matches!(sign, '#' | '?' | '+')) {
        return Err(CronProblem::Unsupported { field, sign });
    }
    let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
    let plain = match range.split_once('-') {
        Some((from, to)) => {
            let (from, to) = (number(field, from, item)?, number(field, to, item)?);
            let to = if field == Field::DayOfWeek && to == 0 && from > 0 { SUNDAY_AT_THE_END } else { to };
            format!("{from}-{to}")
        }
        None if range == "*" => range.to_owned(),
        None => number(field, range, item)?.to_string(),
    };
    let plain = match step {
        Some(step) if step.is_empty() || !step.bytes().all(|b| b.is_ascii_digit()) => return Err(wrong()),
        Some(step) => format!("{plain}/{step}"),
        None => plain,
    };
    let last = if field == Field::DayOfWeek { SUNDAY_AT_THE_END } else { *field.range().end() };
    let mut component = CronComponent::new(u16::from(*field.range().start()), u16::from(last), 0, 0);
    component.parse(&plain).map_err(|_| wrong())?;
    if component.step > u16::from(field.range().end() - field.range().start()) {
        return Err(CronProblem::Step { field, item: item.to_owned() });
    }
    let sunday_is_zero = |number: u8| if field == Field::DayOfWeek { number % SUNDAY_AT_THE_END } else { number };
    Ok(component.values().into_iter().filter_map(|value| u8::try_from(value).ok()).map(sunday_is_zero).collect())
}

/// A number of a field, or a name that stands for one.
fn number(field: Field, text: &str, item: &str) -> Result<u8, CronProblem> {
    let (names, first): (&[&str], u8) = match field {
        Field::Month => (&MONTHS, 1),
        Field::DayOfWeek => (&WEEKDAYS, 0),
        Field::Minute | Field::Hour | Field::DayOfMonth => (&[], 0),
    };
    if let Some(number) =
        (first..).zip(names).find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(number, _)| number)
    {
        return Ok(number);
    }
    let wrong = || CronProblem::Item { field, item: item.to_owned() };
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_number {
        return text.parse().map_err(|_| wrong());
    }
    // `L`, `15W`, `5L`: known from other programs.
    let letters = text.trim_start_matches(|c: char| c.is_ascii_digit());
    match letters.chars().next() {
        Some(sign @ ('L' | 'W' | 'l' | 'w')) if letters.len() <= 2 => Err(CronProblem::Unsupported { field, sign }),
        _ => Err(wrong()),
    }
}

/// What an item of a field may be.
fn items(field: Field) -> String {
    let (first, last) = (*field.range().start(), *field.range().end());
    let names = match field {
        Field::Month => " or jan to dec",
        Field::DayOfWeek => " (7 is Sunday too) or sun to sat",
        Field::Minute | Field::Hour | Field::DayOfMonth => "",
    };
    format!("`*`, numbers {first} to {last}{names}, ranges (`{first}-{}`) and steps of either (`*/2`)", first + 4)
}

impl fmt::Display for CronProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => write!(f, "the expression has {bytes} bytes"),
            Self::FieldCount(6) => f.write_str("there are 6 fields: seconds and years are not taken"),
            Self::FieldCount(count) => write!(f, "there are {count} fields"),
            Self::Nickname => f.write_str("nicknames such as @daily are not taken"),
            Self::Unsupported { field, sign } => write!(f, "`{sign}` is not taken, here in the {field}"),
            Self::EmptyItem(field) => write!(f, "the {field} has an empty item"),
            Self::Item { field, item } => write!(f, "`{}` is no {field}", item.escape_debug()),
            Self::Step { field, item } => write!(f, "the step of `{item}` is longer than the {field} has numbers"),
            Self::AmbiguousDays => f.write_str("a step from `*` in one field of days while the other is restricted"),
            Self::NeverFires => f.write_str("no year has such a day"),
            Self::UnknownZone { zone, .. } => write!(f, "there is no time zone `{}`", zone.escape_debug()),
            Self::Offset(zone) => write!(f, "`{}` is an offset, which knows no summer time", zone.escape_debug()),
            Self::LocalZone => f.write_str("the zone of whatever computer reads this is not taken"),
        }
    }
}

impl std::error::Error for CronProblem {}

#[cfg(test)]
mod tests;

//! Dates and numbers as .NET reads and writes them, in the zone that the cloud's hosts have: UTC.
//! It never reads a clock.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::json::Json;

/// Nanoseconds of one tick, the grain of .NET's clock.
const TICK_NS: i32 = 100;
/// From this decimal exponent on .NET writes a double with an exponent; *assumed*, as the next: no recording shows it.
const LARGE_EXPONENT: i32 = 15;
/// Below this decimal exponent .NET writes a double with an exponent.
const SMALL_EXPONENT: i32 = -4;

/// A date that JSON text shows, as the library takes it for one.
struct Shown {
    /// In UTC unless the text named no zone.
    at: DateTime,
    /// What is written behind it.
    suffix: &'static str,
}

/// Full precision, no zone: `2026-11-22T13:16:42.3309898`; zeros at the end are dropped.
pub(super) fn precise(at: Timestamp) -> String {
    precise_civil(utc(at))
}

/// Whole seconds, no zone: how a `DateTime` arrives.
pub(super) fn seconds(at: Timestamp) -> String {
    seconds_civil(utc(at))
}

/// A date inside a JSON value as the library writes it back: shorter fraction, offset moved to UTC.
pub(super) fn rewritten(text: &str) -> Option<String> {
    let shown = read(text)?;
    Some(format!("{}{}", precise_civil(shown.at), shown.suffix))
}

/// A date as its invariant text: `01/02/2026 03:04:05`.
pub(super) fn invariant(text: &str) -> Option<String> {
    let at = read(text)?.at;
    let (year, month, day) = (at.year(), at.month(), at.day());
    Some(format!("{month:02}/{day:02}/{year:04} {:02}:{:02}:{:02}", at.hour(), at.minute(), at.second()))
}

/// A value as it looks after the library has read and written it: dates and fractions are put in its own form.
pub(super) fn rewritten_value(value: &Json) -> Json {
    match value {
        Json::Text(text) => Json::Text(rewritten(text).unwrap_or_else(|| text.clone())),
        Json::Number(text) => Json::Number(number(text, true)),
        Json::List(items) => Json::List(items.iter().map(rewritten_value).collect()),
        Json::Object(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.clone(), rewritten_value(value))).collect())
        }
        Json::Null | Json::Bool(_) => value.clone(),
    }
}

/// A number as .NET writes it. With `in_json` a double without a fraction gets `.0`.
pub(super) fn number(text: &str, in_json: bool) -> String {
    if !text.contains(['.', 'e', 'E']) {
        return text.to_owned();
    }
    let Ok(value) = text.parse::<f64>() else { return text.to_owned() };
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let plain = double(value);
    if in_json && !plain.contains(['.', 'E']) { format!("{plain}.0") } else { plain }
}

/// A span as .NET writes it: `00:00:30`.
pub(super) fn span(span: std::time::Duration) -> String {
    let total = span.as_secs();
    let days = if total >= 86_400 { format!("{}.", total / 86_400) } else { String::new() };
    format!("{days}{:02}:{:02}:{:02}", total / 3600 % 24, total / 60 % 60, total % 60)
}

/// Reads a span: `hh:mm:ss`, `d.hh:mm:ss`, with or without a fraction.
pub(super) fn read_span(text: &str) -> Option<std::time::Duration> {
    let parts: Vec<&str> = text.trim().split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let whole = |text: &str, below: u64| text.parse::<u64>().ok().filter(|value| *value < below);
    // Ten million days is the most that .NET can say.
    let days = whole(days, 10_000_000)?;
    let (hours, minutes) = (whole(hours, 24)?, whole(minutes, 60)?);
    let seconds = seconds.parse::<f64>().ok().filter(|value| (0.0..60.0).contains(value))?;
    let whole_part = std::time::Duration::from_secs(days * 86_400 + hours * 3600 + minutes * 60);
    Some(whole_part + std::time::Duration::from_secs_f64(seconds))
}

fn utc(at: Timestamp) -> DateTime {
    TimeZone::UTC.to_datetime(at)
}

fn seconds_civil(at: DateTime) -> String {
    let (year, month, day) = (at.year(), at.month(), at.day());
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

fn precise_civil(at: DateTime) -> String {
    let ticks = at.subsec_nanosecond() / TICK_NS;
    let mut text = seconds_civil(at);
    if ticks > 0 {
        text.push_str(format!(".{ticks:07}").trim_end_matches('0'));
    }
    text
}

/// Only the ISO form with a `T` counts as a date.
fn read(text: &str) -> Option<Shown> {
    let bytes = text.as_bytes();
    if !(19..=40).contains(&bytes.len())
        || bytes[4] != b'-'
        || bytes[7] != b'-'
        || bytes[10] != b'T'
        || !text.is_ascii()
    {
        return None;
    }
    let digits = |from: usize, to: usize| text.get(from..to).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let part = |from, to| digits(from, to)?.parse::<i16>().ok();
    let small = |from, to| digits(from, to)?.parse::<i8>().ok();
    let mut rest = &text[19..];
    let mut nanoseconds = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        if end == 0 {
            return None;
        }
        let ticks: i32 = format!("{:0<7.7}", &fraction[..end]).parse().ok()?;
        nanoseconds = ticks * TICK_NS;
        rest = &fraction[end..];
    }
    let (month, day, hour) = (small(5, 7)?, small(8, 10)?, small(11, 13)?);
    let at = DateTime::new(part(0, 4)?, month, day, hour, small(14, 16)?, small(17, 19)?, nanoseconds).ok()?;
    match rest {
        "" => Some(Shown { at, suffix: "" }),
        "Z" => Some(Shown { at, suffix: "Z" }),
        _ => {
            let moved = at.checked_sub(read_offset(rest)?).ok()?;
            Some(Shown { at: moved, suffix: "+00:00" })
        }
    }
}

fn read_offset(text: &str) -> Option<SignedDuration> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = match text[1..].split_once(':') {
        Some(parts) => parts,
        None => (text.get(1..3)?, text.get(3..)?),
    };
    let part = |text: &str| (text.len() == 2).then(|| text.parse::<i32>().ok()).flatten();
    let offset = Offset::from_seconds(sign * (part(hours)? * 3600 + part(minutes)? * 60)).ok()?;
    Some(SignedDuration::from_secs(i64::from(offset.seconds())))
}

/// The shortest text that reads back as the same double, in .NET's form.
fn double(value: f64) -> String {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (SMALL_EXPONENT..LARGE_EXPONENT).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}E{sign}{:02}", exponent.abs())
}

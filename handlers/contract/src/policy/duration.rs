//! Durations as people write them: a whole number and a unit, `15m`, `24h`, `30d`.
//! It never takes fractions, sums, ISO 8601 or a bare number: one form, so that nobody has to guess a unit.

use jiff::SignedDuration;

/// What a duration looks like, for messages.
pub const EXPECTED: &str = "a duration such as 15m, 24h or 30d";
/// More digits than any bound of ours needs; keeps the product below far inside 64 bits.
const DIGITS_MAX: usize = 6;

/// Reads a duration; `None` when it is not one.
pub fn parse(text: &str) -> Option<SignedDuration> {
    let digits = text.strip_suffix(['m', 'h', 'd'])?;
    if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: i64 = digits.parse().ok()?;
    let seconds_each = match text.chars().next_back()? {
        'm' => 60,
        'h' => 60 * 60,
        // A day is 24 hours here; calendars come in with schedules.
        _ => 24 * 60 * 60,
    };
    Some(SignedDuration::from_secs(count * seconds_each))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_and_one_unit() {
        for (text, minutes) in [("15m", 15), ("24h", 24 * 60), ("30d", 30 * 24 * 60), ("0m", 0), ("007h", 7 * 60)] {
            assert_eq!(parse(text), Some(SignedDuration::from_mins(minutes)), "{text}");
        }
        for text in [
            "", "h", "24", "1.5h", "-1h", "+1h", "24 h", "24H", "PT24H", "1h30m", "10s", "1w", "9999999m", "٣h",
            "24hours",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

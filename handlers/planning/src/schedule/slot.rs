//! The moment that a scheduled point stands for, and its one spelling.
//! It never says which moments a schedule has.

use core::fmt;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Characters of a slot: `20261122T0200Z`.
const SLOT_CHARS: usize = 14;
const SECS_PER_MIN: i64 = 60;

/// The moment that a scheduled point stands for: a whole minute in UTC, not before 1970.
///
/// It is the moment that the schedule names, not the one at which the point was made, so that two looks at one slot give one
/// name. It is spelt `20261122T0200Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(Timestamp);

impl Slot {
    /// The slot of the minute that `at` lies in; `None` before 1970, where no point can be from.
    pub fn new(at: Timestamp) -> Option<Self> {
        let secs = at.as_second();
        if at < Timestamp::UNIX_EPOCH {
            return None;
        }
        Timestamp::from_second(secs - secs % SECS_PER_MIN).ok().map(Self)
    }

    /// The moment itself.
    pub fn at(self) -> Timestamp {
        self.0
    }

    /// Reads `20261122T0200Z`; `None` for any other form, lower case included.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text, b'T', b'Z')
    }

    /// Reads the form that names take, `20261122t0200z`.
    pub(crate) fn parse_in_name(text: &str) -> Option<Self> {
        Self::read(text, b't', b'z')
    }

    /// The form that names take: lower case, as everything in them.
    pub(crate) fn in_name(self) -> impl fmt::Display {
        Spelt { slot: self, middle: 't', end: 'z' }
    }

    fn read(text: &str, middle: u8, end: u8) -> Option<Self> {
        let bytes: &[u8; SLOT_CHARS] = text.as_bytes().try_into().ok()?;
        if bytes[8] != middle || bytes[13] != end {
            return None;
        }
        let number = |from: usize, to: usize| {
            bytes[from..to].iter().try_fold(0i16, |n, b| b.is_ascii_digit().then(|| n * 10 + i16::from(b - b'0')))
        };
        let small = |from: usize| number(from, from + 2).and_then(|n| i8::try_from(n).ok());
        let civil = DateTime::new(number(0, 4)?, small(4)?, small(6)?, small(9)?, small(11)?, 0, 0).ok()?;
        Self::new(Offset::UTC.to_timestamp(civil).ok()?)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Spelt { slot: *self, middle: 'T', end: 'Z' }.fmt(f)
    }
}

/// A slot with the letters of one of its two forms.
struct Spelt {
    slot: Slot,
    middle: char,
    end: char,
}

impl fmt::Display for Spelt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = Offset::UTC.to_datetime(self.slot.0);
        write!(f, "{:04}{:02}{:02}{}", civil.year(), civil.month(), civil.day(), self.middle)?;
        write!(f, "{:02}{:02}{}", civil.hour(), civil.minute(), self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_slot_is_the_whole_minute_and_reads_back_from_its_spelling() {
        for (at, spelt) in [
            ("2026-11-22T02:00:00Z", "20261122T0200Z"),
            ("2026-11-22T02:00:59.999Z", "20261122T0200Z"),
            ("1970-01-01T00:00:00Z", "19700101T0000Z"),
            ("2028-02-29T23:59:00Z", "20280229T2359Z"),
            ("9999-12-30T21:59:00Z", "99991230T2159Z"),
        ] {
            let slot = Slot::new(at.parse().unwrap()).unwrap();
            assert_eq!(slot.to_string(), spelt);
            assert_eq!(Slot::parse(spelt), Some(slot));
            assert_eq!(Slot::parse_in_name(&slot.in_name().to_string()), Some(slot));
            assert_eq!(slot.in_name().to_string(), spelt.to_lowercase());
        }
        assert_eq!(Slot::new("1969-12-31T23:59:59Z".parse().unwrap()), None);
    }

    #[test]
    fn no_other_form_is_a_slot() {
        for text in [
            "",
            "20261122t0200z",
            "20261122T0200",
            "20261122T0200ZZ",
            "2026-11-22T02:00Z",
            "20261322T0200Z",
            "20260229T0200Z",
            "20261122T2400Z",
            "20261122T0260Z",
            "+0261122T0200Z",
            "19691231T2359Z",
            "2026112٣T020Z",
        ] {
            assert_eq!(Slot::parse(text), None, "{text}");
        }
    }
}

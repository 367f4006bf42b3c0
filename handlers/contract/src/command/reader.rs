//! Holds a mapping against its table of fields. It never changes a value and never looks at the clock.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::form::{ARM_ID_CHARS_MAX, DIGEST_CHARS, Field, Holds, ID_CHARS_MAX, NAME_CHARS_MAX};
use super::refusal::{Expected, Fault, Refusal, below};
use crate::policy::nearest::nearest;

/// A mapping with no field but these, all that are required, each holding what it must.
pub(super) fn hold(value: &Value, fields: &'static [Field], path: &str) -> Result<(), Refusal> {
    let map = mapping(value, path)?;
    known(map, fields, path)?;
    for field in fields {
        let path = below(path, field.name);
        match map.get(field.name) {
            Some(value) => holds(value, field.holds, &path)?,
            None if field.required => return Err(Refusal::field(path, Fault::Missing)),
            None => {}
        }
    }
    Ok(())
}

fn mapping<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>, Refusal> {
    let path = if path.is_empty() { "(the whole)" } else { path };
    value.as_object().ok_or_else(|| Refusal::field(path, Fault::Expected(Expected::Mapping)))
}

/// A misspelt name is told before a missing one: it is the same slip.
fn known(map: &Map<String, Value>, fields: &'static [Field], path: &str) -> Result<(), Refusal> {
    let names = || fields.iter().map(|field| field.name);
    match map.keys().find(|name| !names().any(|known| known == *name)) {
        None => Ok(()),
        Some(name) => Err(Refusal::field(below(path, name), Fault::Unknown(nearest(name, names())))),
    }
}

fn holds(value: &Value, what: Holds, path: &str) -> Result<(), Refusal> {
    let expected = |expected| Refusal::field(path, Fault::Expected(expected));
    match what {
        Holds::Text(most) => text(value, most, path).map(drop),
        Holds::Name => shaped(value, NAME_CHARS_MAX, path, Expected::Name, is_name),
        Holds::Digest => shaped(value, DIGEST_CHARS, path, Expected::Digest, is_digest),
        Holds::ArmId => shaped(value, ARM_ID_CHARS_MAX, path, Expected::ArmId, is_arm_id),
        Holds::Id => shaped(value, ID_CHARS_MAX, path, Expected::Id, is_id),
        Holds::Moment => shaped(value, ID_CHARS_MAX, path, Expected::Moment, is_moment),
        Holds::Number => {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            number.filter(|number| *number > 0).map(drop).ok_or_else(|| expected(Expected::Number))
        }
        Holds::Truth => value.as_bool().map(drop).ok_or_else(|| expected(Expected::Truth)),
        Holds::Yes => value.as_bool().filter(|yes| *yes).map(drop).ok_or_else(|| expected(Expected::Yes)),
        Holds::Word(words) => word(value, words, path),
        Holds::Words(words) => list(value, words, path),
        Holds::Point(words) => {
            let point = |text: &str| words.contains(&text) || is_moment(text);
            shaped(value, ID_CHARS_MAX, path, Expected::Point(words), point)
        }
        Holds::OneOf(fields) => {
            let map = mapping(value, path)?;
            known(map, fields, path)?;
            if map.len() != 1 {
                return Err(Refusal::field(path, Fault::NotOne(fields)));
            }
            hold(value, fields, path)
        }
        Holds::Data => mapping(value, path).map(drop),
    }
}

fn text<'a>(value: &'a Value, most: usize, path: &str) -> Result<&'a str, Refusal> {
    let fault = |fault| Refusal::field(path, fault);
    let text = value.as_str().ok_or_else(|| fault(Fault::Expected(Expected::Text)))?;
    if text.trim().is_empty() {
        return Err(fault(Fault::Blank));
    }
    // Bytes are no fewer than characters: most texts need no second look.
    if text.len() > most && text.chars().count() > most {
        return Err(fault(Fault::TooLong(most)));
    }
    Ok(text)
}

fn shaped(
    value: &Value,
    most: usize,
    path: &str,
    expected: Expected,
    right: impl Fn(&str) -> bool,
) -> Result<(), Refusal> {
    let text = text(value, most, path)?;
    if right(text) { Ok(()) } else { Err(Refusal::field(path, Fault::Expected(expected))) }
}

fn word(value: &Value, words: &'static [&'static str], path: &str) -> Result<(), Refusal> {
    let text = text(value, ID_CHARS_MAX, path)?;
    if words.contains(&text) {
        return Ok(());
    }
    Err(Refusal::field(path, Fault::NoWord(words, nearest(text, words.iter().copied()))))
}

fn list(value: &Value, words: &'static [&'static str], path: &str) -> Result<(), Refusal> {
    let list = value.as_array().ok_or_else(|| Refusal::field(path, Fault::Expected(Expected::Words)))?;
    for (at, item) in list.iter().enumerate() {
        word(item, words, path)?;
        if list[..at].contains(item) {
            return Err(Refusal::field(path, Fault::Twice));
        }
    }
    Ok(())
}

fn is_name(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.iter().all(|c| plain(*c) || *c == b'-')
        && bytes.first().is_some_and(|c| plain(*c))
        && bytes.last().is_some_and(|c| plain(*c))
}

fn is_digest(text: &str) -> bool {
    text.len() == DIGEST_CHARS && text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
}

fn is_arm_id(text: &str) -> bool {
    text.to_ascii_lowercase().starts_with("/subscriptions/") && !text.contains(char::is_control)
}

fn is_id(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b':'))
}

fn is_moment(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok()
}

//! What the fields of an event are made of: texts and lists with bounds, and the JSON Schema of each.
//! It never lets a text grow beyond its bound, and never lets through what looks like a secret.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// ARM ids stay below it; see [`crate::event_grid::TEXT_CHARS_MAX`].
pub const ARM_ID_CHARS_MAX: usize = crate::event_grid::TEXT_CHARS_MAX;
/// Names of policies, plans, points, sagas and steps, ids of commands and people: the longest of ours has 80 characters.
pub const NAME_CHARS_MAX: usize = 128;
/// A sentence that a person reads in a message; Azure's own words are cut to the same.
pub const LINE_CHARS_MAX: usize = 512;

/// An ARM id.
pub type ArmId = Text<ARM_ID_CHARS_MAX>;
/// A name, an id, a word.
pub type Name = Text<NAME_CHARS_MAX>;
/// A sentence.
pub type Line = Text<LINE_CHARS_MAX>;

/// A text of at most so many characters, without what looks like a token, a signature or a signed address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text<const CHARS: usize>(String);

/// At most so many of something; the first ones are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct List<T, const MAX: usize>(Vec<T>);

/// What a field is, in a schema and in an event.
pub trait Shape {
    /// Whether it is in every event.
    const REQUIRED: bool = true;

    /// Its JSON Schema.
    fn schema() -> Value;

    /// Whether it is left out of this event.
    fn is_absent(&self) -> bool {
        false
    }
}

impl<const CHARS: usize> Text<CHARS> {
    /// The text, cleaned, and cut where it is longer.
    pub fn new(text: impl AsRef<str>) -> Self {
        let clean = without_secrets(text.as_ref());
        if clean.chars().count() <= CHARS {
            return Self(clean);
        }
        Self(clean.chars().take(CHARS.saturating_sub(1)).chain(['…']).collect())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T, const MAX: usize> List<T, MAX> {
    /// The first so many.
    pub fn new(items: impl IntoIterator<Item = T>) -> Self {
        Self(items.into_iter().take(MAX).collect())
    }
}

impl<const CHARS: usize> Shape for Text<CHARS> {
    fn schema() -> Value {
        json!({ "type": "string", "maxLength": CHARS })
    }
}

impl<T: Shape, const MAX: usize> Shape for List<T, MAX> {
    fn schema() -> Value {
        json!({ "type": "array", "maxItems": MAX, "items": T::schema() })
    }
}

impl<T: Shape> Shape for Option<T> {
    const REQUIRED: bool = false;

    fn schema() -> Value {
        T::schema()
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl Shape for Timestamp {
    fn schema() -> Value {
        json!({ "type": "string", "format": "date-time" })
    }
}

impl Shape for u64 {
    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 0 })
    }
}

impl Shape for bool {
    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

/// The text without what opens something: what is put into it may quote others.
fn without_secrets(text: &str) -> String {
    let mut kept: Vec<String> = Vec::new();
    let mut hides_next = false;
    for word in text.split(' ') {
        let hidden = std::mem::take(&mut hides_next) && !word.is_empty();
        hides_next = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("sharedaccesssignature");
        kept.push(if hidden || is_secret(word) { "…".to_owned() } else { without_query(word) });
    }
    kept.join(" ")
}

/// A token, a signature or a key, by its looks.
fn is_secret(word: &str) -> bool {
    const MARKS: [&str; 5] = ["eyj", "sig=", "accountkey=", "sharedaccesskey=", "code="];
    let lower = word.to_ascii_lowercase();
    let inside_address = lower.contains("://");
    MARKS.iter().any(|mark| match *mark {
        // A token begins so; inside a name the letters mean nothing.
        "eyj" => lower.starts_with(mark) && word.len() > 40,
        // The query of an address goes anyway; what stands before it may stay.
        _ => !inside_address && lower.contains(mark),
    })
}

/// An address without its query, its fragment and whoever it signs in as.
fn without_query(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let (rest, cut) = rest.split_once(['?', '#']).map_or((rest, ""), |(rest, _)| (rest, "?…"));
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let path = path.map(|path| format!("/{path}")).unwrap_or_default();
    format!("{scheme}://{host}{path}{cut}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_bound_and_a_list_at_its_own() {
        assert_eq!(Text::<4>::new("abcd").as_str(), "abcd");
        assert_eq!(Text::<4>::new("äbcde").as_str(), "äbc…");
        assert_eq!(List::<u64, 2>::new([1, 2, 3]), List(vec![1, 2]));
    }

    #[test]
    fn what_opens_something_is_not_in_a_text() {
        let token = format!("eyJ{}.{}", "a".repeat(60), "b".repeat(60));
        for (text, kept) in [
            ("403 for /subscriptions/s/x".to_owned(), "403 for /subscriptions/s/x"),
            (format!("with {token}"), "with …"),
            ("Authorization: Bearer abc.def ended".to_owned(), "Authorization: Bearer … ended"),
            ("SharedAccessSignature sr=x&sig=y".to_owned(), "SharedAccessSignature …"),
            ("at https://u:p@acct.blob/x?sig=1&se=2 failed".to_owned(), "at https://acct.blob/x?… failed"),
            ("https://app/api?code=key".to_owned(), "https://app/api?…"),
            ("AccountKey=abc==".to_owned(), "…"),
        ] {
            assert_eq!(Line::new(&text).as_str(), kept);
        }
    }
}

//! Conditional headers: whether a read or a write may go on, given the blob's ETag and time of change.
//! It never changes anything and never guesses a missing header.

use http::HeaderMap;
use jiff::Timestamp;

use super::errors::ErrorCode;
use super::wire::parse_date;

/// What a condition is held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) etag: &'a str,
    pub(super) modified: Timestamp,
}

/// The four conditional headers of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
    modified_since: Option<Timestamp>,
    unmodified_since: Option<Timestamp>,
}

impl Conditions {
    /// Reads the headers; a date that cannot be read is an error, as a condition must not get lost.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, ErrorCode> {
        if headers.contains_key("x-ms-if-tags") {
            return Err(ErrorCode::NotImplemented);
        }
        Ok(Self {
            if_match: text(headers, "if-match")?,
            if_none_match: text(headers, "if-none-match")?,
            modified_since: date(headers, "if-modified-since")?,
            unmodified_since: date(headers, "if-unmodified-since")?,
        })
    }

    /// `If-None-Match: *`: only when there is nothing yet.
    pub(super) fn demands_absence(&self) -> bool {
        self.if_none_match.as_deref() == Some("*")
    }

    /// A read of an existing blob: `If-Match && If-Unmodified-Since && (If-None-Match || If-Modified-Since)`.
    pub(super) fn check_read(&self, blob: Facts<'_>) -> Result<(), ErrorCode> {
        if self.demands_absence() {
            return Err(ErrorCode::UnsatisfiableCondition);
        }
        let matches = |wanted: &String| names(wanted, blob.etag);
        if self.if_match.as_ref().is_some_and(|wanted| wanted != "*" && !matches(wanted)) {
            return Err(ErrorCode::ConditionNotMet);
        }
        if self.unmodified_since.is_some_and(|since| seconds(blob.modified) > seconds(since)) {
            return Err(ErrorCode::ConditionNotMet);
        }
        let other_etag = self.if_none_match.as_ref().map(|known| !matches(known));
        let newer = self.modified_since.map(|since| seconds(blob.modified) > seconds(since));
        match (other_etag, newer) {
            (None, None) | (Some(true), _) | (_, Some(true)) => Ok(()),
            _ => Err(ErrorCode::NotModified),
        }
    }

    /// A write, on a blob that exists or on a name that is free.
    pub(super) fn check_write(&self, blob: Option<Facts<'_>>) -> Result<(), ErrorCode> {
        self.check_combination()?;
        let Some(blob) = blob else {
            // *assumed* (`blob-if-match-free`): `If-Match: *` on a free name is unmet, as RFC 9110 has it.
            return if self.if_match.is_some() { Err(ErrorCode::ConditionNotMet) } else { Ok(()) };
        };
        let met = if let Some(known) = &self.if_none_match {
            known != "*" && !names(known, blob.etag)
        } else if let Some(wanted) = &self.if_match {
            wanted == "*" || names(wanted, blob.etag)
        } else if let Some(since) = self.modified_since {
            seconds(blob.modified) > seconds(since)
        } else if let Some(since) = self.unmodified_since {
            seconds(blob.modified) <= seconds(since)
        } else {
            true
        };
        if met { Ok(()) } else { Err(ErrorCode::ConditionNotMet) }
    }

    /// Writes take one ETag, and one header or one of the two pairs that belong together.
    fn check_combination(&self) -> Result<(), ErrorCode> {
        let several = |value: &Option<String>| value.as_ref().is_some_and(|value| value.contains(','));
        let positive = usize::from(self.if_match.is_some()) + usize::from(self.unmodified_since.is_some());
        let negative = usize::from(self.if_none_match.is_some()) + usize::from(self.modified_since.is_some());
        if several(&self.if_match) || several(&self.if_none_match) || (positive > 0 && negative > 0) {
            return Err(ErrorCode::MultipleConditionHeadersNotSupported);
        }
        Ok(())
    }
}

/// Whether the header's list of ETags has this one; quotes are optional.
fn names(list: &str, etag: &str) -> bool {
    let bare = |etag: &str| etag.trim().trim_matches('"').to_owned();
    list.split(',').any(|one| bare(one) == bare(etag))
}

/// HTTP dates carry no fraction.
fn seconds(at: Timestamp) -> i64 {
    at.as_second()
}

fn text(headers: &HeaderMap, name: &str) -> Result<Option<String>, ErrorCode> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().map_err(|_| ErrorCode::InvalidHeaderValue)?;
    Ok(Some(text.trim().to_owned()))
}

fn date(headers: &HeaderMap, name: &str) -> Result<Option<Timestamp>, ErrorCode> {
    match text(headers, name)? {
        Some(text) => parse_date(&text).map(Some).ok_or(ErrorCode::InvalidHeaderValue),
        None => Ok(None),
    }
}

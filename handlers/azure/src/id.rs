//! ARM resource ids: parsed once, compared without regard to case, kept as they were written.
//!
//! It never looks anything up, and never lets through a text that could change the path of a URL.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

/// The longest id that is accepted. ARM's own limit is not documented in hand; real ids stay below 700.
pub const MAX_ID_CHARS: usize = 2048;

/// The id of a resource, a resource group or a subscription.
///
/// `Eq`, `Ord` and `Hash` disregard case, because ARM answers in another case than it was asked in.
#[derive(Clone)]
pub struct ResourceId {
    text: String,
    key: String,
}

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// It does not start with `/subscriptions/`: ids of tenants are of no use here.
    #[error("an id starts with /subscriptions/")]
    Root,
    /// A type without a name, or a provider without a type.
    #[error("an id is made of pairs: a type and a name each")]
    Pairs,
    /// A segment is empty, `.` or `..`.
    #[error("a part of the id is empty or a dot path")]
    Segment,
    /// A character that no id contains.
    #[error("the id contains a character that no id has")]
    Character,
    /// Longer than [`MAX_ID_CHARS`].
    #[error("the id is too long")]
    Length,
}

impl ResourceId {
    /// Reads an id.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.chars().count() > MAX_ID_CHARS {
            return Err(IdError::Length);
        }
        // `?`, `#`, `%` and `\` would change the meaning of a URL that the id is put into; controls never occur.
        if text.chars().any(|c| c.is_control() || matches!(c, '?' | '#' | '%' | '\\' | '<' | '>' | '"')) {
            return Err(IdError::Character);
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        let rest = text.strip_prefix('/').ok_or(IdError::Root)?;
        let segments: Vec<&str> = rest.split('/').collect();
        if segments.iter().any(|s| s.trim().is_empty() || *s == "." || *s == "..") {
            return Err(IdError::Segment);
        }
        check_pairs(&segments)?;
        Ok(Self { text: text.to_owned(), key: text.to_lowercase() })
    }

    /// The id of a subscription.
    pub fn of_subscription(subscription: &str) -> Result<Self, IdError> {
        Self::parse(&format!("/subscriptions/{}", one_segment(subscription)?))
    }

    /// The id of a resource group.
    pub fn of_group(subscription: &str, group: &str) -> Result<Self, IdError> {
        let (subscription, group) = (one_segment(subscription)?, one_segment(group)?);
        Self::parse(&format!("/subscriptions/{subscription}/resourceGroups/{group}"))
    }

    /// The id of a resource in a group; `kind` is for example `Microsoft.Compute/virtualMachines`.
    pub fn of_resource(subscription: &str, group: &str, kind: &str, name: &str) -> Result<Self, IdError> {
        let group = Self::of_group(subscription, group)?;
        Self::parse(&format!("{group}/providers/{kind}/{}", one_segment(name)?))
    }

    /// The id of something inside this one, for example `restorePoints`.
    pub fn child(&self, kind: &str, name: &str) -> Result<Self, IdError> {
        Self::parse(&format!("{}/{}/{}", self.text, one_segment(kind)?, one_segment(name)?))
    }

    /// What this one is inside of: for a child its parent, for a resource its group, for a group its subscription.
    pub fn parent(&self) -> Option<Self> {
        let segments: Vec<&str> = self.segments().collect();
        let mut keep = segments.len().checked_sub(2)?;
        if keep >= 2 && segments[keep - 2].eq_ignore_ascii_case("providers") {
            keep -= 2; // the type was the first under its provider: `…/providers/Microsoft.X` alone is no id
        }
        if keep == 0 { None } else { Self::parse(&format!("/{}", segments[..keep].join("/"))).ok() }
    }

    /// The subscription's id, a GUID.
    pub fn subscription(&self) -> &str {
        self.segments().nth(1).unwrap_or_default()
    }

    /// The resource group's name; empty for what is in no group.
    pub fn resource_group(&self) -> &str {
        let mut segments = self.segments().skip(2);
        let is_group = segments.next().is_some_and(|found| found.eq_ignore_ascii_case("resourcegroups"));
        if is_group { segments.next().unwrap_or_default() } else { "" }
    }

    /// The last provider's namespace: `Microsoft.Compute`.
    pub fn provider(&self) -> Option<&str> {
        let at = self.last_provider()?;
        self.segments().nth(at + 1)
    }

    /// The whole type: `Microsoft.Compute/restorePointCollections/restorePoints`.
    pub fn kind(&self) -> Option<String> {
        let at = self.last_provider()?;
        let mut kind = self.segments().nth(at + 1)?.to_owned();
        for part in self.segments().skip(at + 2).step_by(2) {
            kind.push('/');
            kind.push_str(part);
        }
        Some(kind)
    }

    /// Whether it is of that type, case aside.
    pub fn is(&self, kind: &str) -> bool {
        self.kind().is_some_and(|own| own.eq_ignore_ascii_case(kind))
    }

    /// The last name in it.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// In lower case: two ids are the same where their keys are.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The parts between the slashes.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.text.split('/').skip(1)
    }

    fn last_provider(&self) -> Option<usize> {
        self.segments()
            .enumerate()
            .filter(|(at, part)| at % 2 == 0 && part.eq_ignore_ascii_case("providers"))
            .map(|(at, _)| at)
            .last()
    }
}

/// `/subscriptions/{s}[/resourceGroups/{g}][/providers/{namespace}(/{type}/{name})+]…`; every part stands in a pair.
fn check_pairs(segments: &[&str]) -> Result<(), IdError> {
    if !segments[0].eq_ignore_ascii_case("subscriptions") {
        return Err(IdError::Root);
    }
    if !segments.len().is_multiple_of(2) {
        return Err(IdError::Pairs);
    }
    let pairs: Vec<&str> = segments.iter().step_by(2).copied().collect();
    let is_provider = |pair: &&str| pair.eq_ignore_ascii_case("providers");
    // A provider is followed by at least one type.
    let bare = pairs.windows(2).any(|two| is_provider(&two[0]) && is_provider(&two[1]))
        || pairs.last().is_some_and(is_provider);
    // Directly under a subscription stands a group, a provider, or nothing; directly under a group a provider or nothing.
    let second_fits = pairs.get(1).is_none_or(|pair| is_provider(pair) || pair.eq_ignore_ascii_case("resourcegroups"));
    let third_fits = pairs.get(2).is_none_or(|pair| is_provider(&pairs[1]) || is_provider(pair));
    if bare || !second_fits || !third_fits { Err(IdError::Pairs) } else { Ok(()) }
}

fn one_segment(part: &str) -> Result<&str, IdError> {
    if part.is_empty() || part.contains('/') { Err(IdError::Segment) } else { Ok(part) }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for ResourceId {}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceId({})", self.text)
    }
}

impl FromStr for ResourceId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;

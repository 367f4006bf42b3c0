//! Reads `match`: the conditions that say which machines a policy covers.
//! It never reads a list or an empty condition as "all machines": that is written out, as `name: "*"`.

use lifeboat_planning::policy::{Case, Glob, Location, Match, Os};

use super::form::{self, Field};
use super::problem::{Advice, Fault};
use super::reader::{Complaint, Reader, join};
use super::tree::{Node, Place, Value};

const PATTERN: &str = "a text, in which * is any run of characters and ? is one";

/// Reads a condition and all below it, of these conditions.
pub fn read(reader: &mut Reader<'_>, node: &Node, path: &str, of: &'static [Field]) -> Option<Match> {
    condition(reader, node, path, &mut Seen { count: 0, of })
}

/// What was read of one condition so far.
struct Seen {
    /// How many there were.
    count: usize,
    /// Those that may stand there.
    of: &'static [Field],
}

/// Depth is bounded by the document's, the number by `seen`.
fn condition(reader: &mut Reader<'_>, node: &Node, path: &str, seen: &mut Seen) -> Option<Match> {
    seen.count += 1;
    if seen.count > form::CONDITIONS_MAX {
        if seen.count == form::CONDITIONS_MAX + 1 {
            let complaint =
                Complaint::of(Fault::TooManyConditions).expected(format!("at most {}", form::CONDITIONS_MAX));
            reader.complain(node.at, path, complaint);
        }
        return None;
    }
    if let Value::Map(entries) = &node.value
        && entries.is_empty()
    {
        reader.complain(node.at, path, Complaint::of(Fault::EmptyCondition).expected(conditions(seen.of)));
        return None;
    }
    let entries = reader.entries(node, path, seen.of)?;
    if let Some((_, second, _)) = entries.get(1) {
        several(reader, *second, path, entries.len());
    }
    // Each is read, so that each is checked.
    let read: Vec<_> =
        entries.iter().map(|(name, _, value)| one(reader, name, value, &join(path, name), seen)).collect();
    let single = read.len() == 1;
    read.into_iter().next().flatten().filter(|_| single)
}

fn one(reader: &mut Reader<'_>, name: &str, node: &Node, path: &str, seen: &mut Seen) -> Option<Match> {
    match name {
        "all" => several_conditions(reader, node, path, seen).map(Match::All),
        "any" => several_conditions(reader, node, path, seen).map(Match::Any),
        "not" => condition(reader, node, path, seen).map(|inner| Match::Not(Box::new(inner))),
        "tag" => tag(reader, node, path).map(|(key, value)| Match::Tag { key, value }),
        "name" => pattern(reader, node, path).map(Match::Name),
        "resourceGroup" => pattern(reader, node, path).map(Match::ResourceGroup),
        "size" => pattern(reader, node, path).map(Match::Size),
        "subscription" => subscription(reader, node, path),
        "location" => location(reader, node, path).map(Match::Location),
        "os" => reader.choice(node, path, form::SYSTEMS, &[]).map(|os| match os {
            "windows" => Match::Os(Os::Windows),
            _ => Match::Os(Os::Linux),
        }),
        "noConformingPointFor" => reader.span(node, path, form::AGE).map(Match::NoConformingPointFor),
        // The table of conditions and this match are compared by a test.
        _ => None,
    }
}

fn several_conditions(reader: &mut Reader<'_>, node: &Node, path: &str, seen: &mut Seen) -> Option<Vec<Match>> {
    let items = reader.list(node, path)?;
    let read: Vec<_> =
        items.iter().enumerate().map(|(i, item)| condition(reader, item, &format!("{path}[{i}]"), seen)).collect();
    read.into_iter().collect()
}

/// Reads a tag's key and what its value looks like.
pub fn tag(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<(String, Glob)> {
    let Value::Map(entries) = &node.value else {
        return reader.wrong_type(node, path, "a mapping of a tag's key to its value, as { env: prod }", None);
    };
    let Some((key, value)) = entries.first() else {
        reader.complain(node.at, path, Complaint::of(Fault::EmptyCondition).expected("a tag's key and its value"));
        return None;
    };
    if let Some((second, _)) = entries.get(1) {
        several(reader, second.at, path, entries.len());
        return None;
    }
    let key = tag_key(reader, key, path, "a tag's key")?;
    let expected = "a tag's value; * for any";
    let value = reader.text(value, &join(path, key), expected, form::PATTERN_CHARS_MAX)?;
    Some((key.to_string(), Glob::new(value, Case::Sensitive)))
}

/// Reads the key of a tag: any text, but not none.
pub fn tag_key<'n>(reader: &mut Reader<'_>, node: &'n Node, path: &str, expected: &str) -> Option<&'n str> {
    let key = reader.text(node, path, expected, form::TAG_KEY_CHARS_MAX)?;
    if key.is_empty() {
        reader.complain(node.at, path, Complaint::of(Fault::WrongValue(String::new())).expected(expected));
        return None;
    }
    Some(key)
}

fn pattern(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Glob> {
    let text = reader.text(node, path, PATTERN, form::PATTERN_CHARS_MAX)?;
    if text.is_empty() {
        reader.complain(node.at, path, Complaint::of(Fault::WrongValue(String::new())).expected(PATTERN));
        return None;
    }
    Some(Glob::new(text, Case::Insensitive))
}

fn subscription(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Match> {
    let expected = "a subscription's id, as 00000000-0000-0000-0000-000000000000";
    let text = reader.text(node, path, expected, form::PATTERN_CHARS_MAX)?;
    let groups: Vec<&str> = text.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    if lengths.eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Some(Match::Subscription(text.to_string()));
    }
    reader.complain(node.at, path, Complaint::of(Fault::WrongValue(text.to_string())).expected(expected));
    None
}

/// Reads a region.
pub fn location(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Location> {
    let expected = "a region, as westeurope";
    let text = reader.text(node, path, expected, form::PATTERN_CHARS_MAX)?;
    // Regions have neither wildcards nor marks; a pattern here would silently cover nothing.
    if text.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ') && !text.trim().is_empty() {
        return Some(Location::new(text));
    }
    reader.complain(node.at, path, Complaint::of(Fault::WrongValue(text.to_string())).expected(expected));
    None
}

fn several(reader: &mut Reader<'_>, at: Place, path: &str, count: usize) {
    let complaint = Complaint::of(Fault::SeveralConditions(count)).expected("exactly one");
    reader.complain(at, path, complaint.advice(Advice::Combine));
}

fn conditions(of: &[Field]) -> String {
    let now = of.iter().filter(|field| field.standing != form::Standing::Later);
    super::reader::one_of(now.map(|field| field.name))
}

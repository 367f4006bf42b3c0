//! A YAML document as a tree in which every key and value knows its place.
//! It never judges what the document says; only what no reader should have to bear is refused here.
//!
//! Where reading stops, the trail of keys and indexes says in which field.

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Spanned};
use std::cell::RefCell;
use std::fmt;

use super::problem::{Advice, Fault, Found};

/// Bound on a document's length: the design's largest policy is below 4 KiB, and it is read on every invocation.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// Bound on nesting: `spec.match` with the deepest condition allowed is below 40, each level costs stack while it is read.
pub const DEPTH_MAX: usize = 40;
/// Bound on keys and values: 64 KiB of the shortest values would be 30,000; a policy has dozens.
pub const NODES_MAX: usize = 4_096;

/// Bound on the documents of one file: 64 KiB of the smallest policies would be 400; who has more has folders.
pub const DOCUMENTS_MAX: usize = 64;

/// A place in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where.
    pub at: Place,
    /// What.
    pub value: Value,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number, with its value where it is a whole one; fields take no other.
    Number(Option<i64>),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order written, twice the same key included.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The type, as it is called in messages.
    pub fn found(&self) -> Found {
        match self.value {
            Value::Null => Found::Nothing,
            Value::Bool => Found::Boolean,
            Value::Number(_) => Found::Number,
            Value::Text(_) => Found::Text,
            Value::List(_) => Found::List,
            Value::Map(_) => Found::Mapping,
        }
    }
}

impl Node {
    /// Its text, where it is one.
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The value of its field of this name; the first, where there are several.
    pub fn field(&self, name: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(key, _)| key.text() == Some(name)).map(|(_, value)| value)
    }

    /// Where the field with this path stands, as `spec.points[0].keep`; where the last one on the way to it stands, when
    /// there is none.
    pub fn place_of(&self, path: &str) -> Place {
        let steps = path.split(['.', '[']).map(|step| step.trim_end_matches(']'));
        let mut node = self;
        for step in steps {
            let next = match &node.value {
                Value::Map(_) => node.field(step),
                Value::List(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            };
            let Some(next) = next else { break };
            node = next;
        }
        node.at
    }
}

/// What keeps a text from being a tree.
#[derive(Debug)]
pub struct NoTree {
    /// Where.
    pub at: Place,
    /// The path of the field that was being read; empty where that was the document as a whole.
    pub field: String,
    /// What is wrong.
    pub fault: Fault,
    /// What is expected.
    pub expected: Option<String>,
    /// What to do.
    pub advice: Option<Advice>,
}

thread_local! {
    /// The keys and indexes on the way to the value being read. `Spanned` passes no state on to what it holds, so that this
    /// cannot be an argument; it is emptied before each document, and left standing where reading fails.
    static TRAIL: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
}

/// One step of the trail.
#[derive(Debug)]
enum Step {
    Key(String),
    Index(usize),
}

/// Where a text begins.
const START: Place = Place { line: 1, column: 1 };

/// Reads a text as one YAML document.
pub fn read(text: &str) -> Result<Node, Box<NoTree>> {
    bounded(text)?;
    match serde_saphyr::from_str_with_options::<Spanned<Value>>(text, options()) {
        Ok(root) => Ok(Node::from(root)),
        Err(error) => Err(Box::new(no_tree(&error, START))),
    }
}

/// Reads a text as one YAML document or several, each with its places in the whole text. Documents without anything in them
/// are left out; a text that has no other is refused.
pub fn read_several(text: &str) -> Result<Vec<Node>, Box<NoTree>> {
    bounded(text)?;
    match serde_saphyr::from_multiple_with_options::<Spanned<Value>>(text, options()) {
        Ok(roots) if roots.is_empty() => Err(Box::new(NoTree::at_start(Fault::EmptyDocument))),
        Ok(roots) => Ok(roots.into_iter().map(Node::from).collect()),
        Err(error) => Err(Box::new(no_tree(&error, START))),
    }
}

/// Refuses a text that is too long, and makes ready to read another.
fn bounded(text: &str) -> Result<(), Box<NoTree>> {
    TRAIL.with_borrow_mut(Vec::clear);
    if text.len() <= DOCUMENT_BYTES_MAX {
        return Ok(());
    }
    let expected = Some(format!("at most {DOCUMENT_BYTES_MAX}"));
    Err(Box::new(NoTree { expected, ..NoTree::at_start(Fault::TooLarge { bytes: text.len() }) }))
}

impl NoTree {
    fn at_start(fault: Fault) -> Self {
        Self { at: START, field: String::new(), fault, expected: None, advice: None }
    }
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            // Higher than the depth allowed, so that the depth is what is told.
            flow_nesting_limit: 2 * DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_documents: DOCUMENTS_MAX,
            // A few anchors can stand for billions of values, and a policy reads better without any.
            max_anchors: 0,
            max_aliases: 0,
        },
        // Passed on, so that all of them are told, each with its place.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        // YAML 1.2: `no`, `yes`, `on` and `off` are texts, as in `tag: { backup: no }`.
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn no_tree(error: &Error, start: Place) -> NoTree {
    use serde_saphyr::budget::BudgetBreach as Breach;
    let error = error.without_snippet();
    let at = error.location().map_or(start, |at| place(&at));
    let plain = |fault| NoTree { at, field: trail(), fault, expected: None, advice: None };
    match error {
        Error::Eof { .. } => plain(Fault::EmptyDocument),
        Error::MultipleDocuments { .. } => NoTree { advice: Some(Advice::Split), ..plain(Fault::SeveralDocuments) },
        Error::Budget { breach: Breach::Anchors { .. } | Breach::Aliases { .. }, .. }
        | Error::MergeKeyNotAllowed { .. }
        | Error::UnknownAnchor { .. } => NoTree { advice: Some(Advice::WriteOut), ..plain(Fault::Reference) },
        Error::Budget { breach: Breach::Depth { .. }, .. } => {
            NoTree { expected: Some(format!("at most {DEPTH_MAX} levels")), ..plain(Fault::TooDeep) }
        }
        Error::Budget { breach: Breach::Documents { .. }, .. } => {
            NoTree { expected: Some(format!("at most {DOCUMENTS_MAX}")), ..plain(Fault::TooManyDocuments) }
        }
        Error::Budget { .. } => {
            NoTree { expected: Some(format!("at most {NODES_MAX}")), ..plain(Fault::TooManyValues) }
        }
        Error::UnsupportedTag { .. }
        | Error::InvalidScalar { .. }
        | Error::TaggedScalarCannotDeserializeIntoString { .. } => plain(Fault::YamlTag),
        other => plain(Fault::NotYaml(words(other))),
    }
}

/// The trail as a field's path.
fn trail() -> String {
    TRAIL.with_borrow(|steps| {
        steps.iter().fold(String::new(), |path, step| match step {
            Step::Key(name) => super::reader::join(&path, name),
            Step::Index(index) => format!("{path}[{index}]"),
        })
    })
}

/// Reads what is one step further; the step is taken back only when that succeeds.
fn further<T, E>(step: Step, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    TRAIL.with_borrow_mut(|steps| steps.push(step));
    let done = read()?;
    TRAIL.with_borrow_mut(|steps| steps.pop());
    Ok(done)
}

/// The YAML reader's message without its place, which the problem has already.
fn words(error: &Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    text.strip_prefix("error: ").unwrap_or(text).to_string()
}

fn place(at: &serde_saphyr::Location) -> Place {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).max(1);
    Place { line: number(at.line()), column: number(at.column()) }
}

impl From<Spanned<Value>> for Node {
    fn from(spanned: Spanned<Value>) -> Self {
        Self { at: place(&spanned.referenced), value: spanned.value }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Bool)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(Some(number)))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Number(i64::try_from(number).ok()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(i64::try_from(number).ok()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Value, E> {
        Ok(Value::Number(i64::try_from(number).ok()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Number(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_string()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = further(Step::Index(list.len()), || items.next_element::<Spanned<Value>>())? {
            list.push(Node::from(item));
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<Value>>()? {
            // The parser's own bound holds for what it parses; this one also for what is kept.
            if map.len() >= NODES_MAX {
                return Err(A::Error::custom("too many entries"));
            }
            let key = Node::from(key);
            let step = Step::Key(if let Value::Text(name) = &key.value { name.clone() } else { "?".to_string() });
            let value = further(step, || entries.next_value::<Spanned<Value>>())?;
            // A value that is not written has no place of its own; its key's is where a person looks.
            let unwritten = matches!(value.value, Value::Null) && value.referenced.span().is_empty();
            let at = if unwritten { key.at } else { place(&value.referenced) };
            map.push((key, Node { at, value: value.value }));
        }
        Ok(Value::Map(map))
    }
}

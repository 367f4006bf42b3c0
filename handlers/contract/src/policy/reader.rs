//! Reads values of a document's tree by the form and collects what is wrong.
//! It never stops at the first problem, and never knows what a field means; the files beside it do.

use jiff::SignedDuration;
use std::collections::BTreeMap;

use super::duration;
use super::form::{Field, Span, Standing, Whole};
use super::nearest::nearest;
use super::problem::{Advice, Fault, Problem};
use super::tree::{NoTree, Node, Place, Value};

/// Bound on the problems collected: more than a person reads at once.
pub const PROBLEMS_MAX: usize = 50;
/// The fields of a mapping that are there.
pub type Fields<'n> = BTreeMap<&'static str, &'n Node>;

/// Collects problems on the way through a document. What cannot be read is `None`; its problem is then in the list.
pub struct Reader<'f> {
    file: &'f str,
    problems: Vec<Problem>,
}

/// A problem without its place.
pub struct Complaint {
    /// What is wrong.
    pub fault: Fault,
    /// What is expected.
    pub expected: Option<String>,
    /// The nearest known name.
    pub nearest: Option<String>,
    /// What to do.
    pub advice: Option<Advice>,
}

impl Complaint {
    /// A complaint that says no more than what is wrong.
    pub fn of(fault: Fault) -> Self {
        Self { fault, expected: None, nearest: None, advice: None }
    }

    /// With what is expected.
    pub fn expected(self, expected: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), ..self }
    }

    /// With what to do.
    pub fn advice(self, advice: Advice) -> Self {
        Self { advice: Some(advice), ..self }
    }
}

impl<'f> Reader<'f> {
    /// For a document of the file with this name.
    pub fn new(file: &'f str) -> Self {
        Self { file, problems: Vec::new() }
    }

    /// What was found, in the order of the document.
    pub fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        self.problems
    }

    /// True when nothing was found.
    pub fn is_content(&self) -> bool {
        self.problems.is_empty()
    }

    /// Adds what keeps a text from being a tree.
    pub fn no_tree(&mut self, no: NoTree) {
        let complaint = Complaint { expected: no.expected, advice: no.advice, ..Complaint::of(no.fault) };
        self.complain(no.at, &no.field, complaint);
    }

    /// Adds a problem.
    pub fn complain(&mut self, at: Place, path: &str, complaint: Complaint) {
        if self.problems.len() < PROBLEMS_MAX {
            let Complaint { fault, expected, nearest, advice } = complaint;
            let (file, field) = (self.file.to_string(), path.to_string());
            self.problems.push(Problem {
                file,
                line: at.line,
                column: at.column,
                field,
                fault,
                expected,
                nearest,
                advice,
            });
        }
    }

    /// Says that something is agreed but of a later release.
    pub fn not_built_yet(&mut self, at: Place, path: &str, name: &str) {
        self.complain(at, path, Complaint::of(Fault::NotBuiltYet(name.to_string())).advice(Advice::Remove));
    }

    /// Says that a value has another type than expected. Always `None`, to be returned.
    pub fn wrong_type<T>(&mut self, node: &Node, path: &str, expected: &str, advice: Option<Advice>) -> Option<T> {
        let complaint = Complaint::of(Fault::WrongType(node.found())).expected(expected);
        self.complain(node.at, path, Complaint { advice, ..complaint });
        None
    }

    /// The known fields of a mapping; all others, doubles and missing ones are problems.
    pub fn fields<'n>(&mut self, node: &'n Node, path: &str, form: &'static [Field]) -> Option<Fields<'n>> {
        let found = self.entries(node, path, form)?;
        for field in form.iter().filter(|field| field.standing == Standing::Required) {
            if !found.iter().any(|(name, _, _)| *name == field.name) && !self.misspelt(node, field.name) {
                let complaint = Complaint::of(Fault::Missing(field.name.to_string())).advice(Advice::Add);
                self.complain(node.at, &join(path, field.name), complaint);
            }
        }
        Some(found.into_iter().map(|(name, _, value)| (name, value)).collect())
    }

    /// True when the field is there but misspelt, which was told already: one slip, one problem.
    fn misspelt(&self, node: &Node, field: &str) -> bool {
        let Value::Map(entries) = &node.value else { return false };
        let told = |at: Place| {
            self.problems.iter().any(|problem| {
                let here = (problem.line, problem.column) == (at.line, at.column);
                here && matches!(problem.fault, Fault::UnknownField(_)) && problem.nearest.as_deref() == Some(field)
            })
        };
        entries.iter().any(|(key, _)| told(key.at))
    }

    /// The known entries of a mapping in the order written, each with the place of its key; the rest are problems.
    pub fn entries<'n>(
        &mut self,
        node: &'n Node,
        path: &str,
        form: &'static [Field],
    ) -> Option<Vec<(&'static str, Place, &'n Node)>> {
        let Value::Map(entries) = &node.value else {
            return self.wrong_type(node, path, "a mapping", None);
        };
        let mut first_lines: BTreeMap<&str, u32> = BTreeMap::new();
        let mut found = Vec::new();
        for (key, value) in entries {
            let Value::Text(name) = &key.value else {
                self.wrong_type::<()>(key, path, "the name of a field", Some(Advice::Quote));
                continue;
            };
            if let Some(first_line) = first_lines.insert(name, key.at.line) {
                first_lines.insert(name, first_line);
                let fault = Fault::DuplicateField { name: name.clone(), first_line };
                self.complain(key.at, &join(path, name), Complaint::of(fault).advice(Advice::RemoveOne));
                continue;
            }
            match form.iter().find(|field| field.name == name) {
                None => self.unknown_field(key.at, path, name, form),
                Some(field) if field.standing == Standing::Later => {
                    self.not_built_yet(key.at, &join(path, name), name);
                }
                Some(field) => found.push((field.name, key.at, value)),
            }
        }
        Some(found)
    }

    fn unknown_field(&mut self, at: Place, path: &str, name: &str, form: &'static [Field]) {
        let now = form.iter().filter(|field| field.standing != Standing::Later).map(|field| field.name);
        let near = nearest(name, form.iter().map(|field| field.name)).map(str::to_string);
        let complaint = Complaint::of(Fault::UnknownField(name.to_string())).expected(one_of(now));
        let advice = near.is_some().then_some(Advice::Spell);
        self.complain(at, &join(path, name), Complaint { nearest: near, advice, ..complaint });
    }

    /// A list that is not empty.
    pub fn list<'n>(&mut self, node: &'n Node, path: &str) -> Option<&'n [Node]> {
        match &node.value {
            Value::List(items) if items.is_empty() => {
                self.complain(node.at, path, Complaint::of(Fault::EmptyList).expected("at least one item"));
                None
            }
            Value::List(items) => Some(items),
            _ => self.wrong_type(node, path, "a list", None),
        }
    }

    /// A list that is not empty and has at most so many items.
    pub fn list_of_at_most<'n>(&mut self, node: &'n Node, path: &str, most: usize) -> Option<&'n [Node]> {
        let items = self.list(node, path)?;
        if let Some(beyond) = items.get(most) {
            let complaint = Complaint::of(Fault::TooManyItems(items.len())).expected(format!("at most {most}"));
            self.complain(beyond.at, path, complaint);
            return None;
        }
        Some(items)
    }

    /// A text of at most so many characters.
    pub fn text<'n>(&mut self, node: &'n Node, path: &str, expected: &str, chars_max: usize) -> Option<&'n str> {
        let Value::Text(text) = &node.value else {
            let advice = matches!(node.value, Value::Bool | Value::Number(_)).then_some(Advice::Quote);
            return self.wrong_type(node, path, expected, advice);
        };
        let chars = text.chars().count();
        if chars > chars_max {
            self.complain(
                node.at,
                path,
                Complaint::of(Fault::TooLong { chars }).expected(format!("at most {chars_max}")),
            );
            return None;
        }
        Some(text)
    }

    /// One of the texts allowed; those of later releases are told as such.
    pub fn choice(
        &mut self,
        node: &Node,
        path: &str,
        now: &[&'static str],
        later: &[&'static str],
    ) -> Option<&'static str> {
        let expected = one_of(now.iter().copied());
        let Value::Text(text) = &node.value else {
            return self.wrong_type(node, path, &expected, None);
        };
        if let Some(known) = now.iter().find(|known| *known == text) {
            return Some(known);
        }
        if let Some(known) = later.iter().find(|known| *known == text) {
            self.complain(node.at, path, Complaint::of(Fault::NotBuiltYet((*known).to_string())).expected(expected));
            return None;
        }
        // Where only one text is allowed, it is told already.
        let several = now.len() + later.len() > 1;
        let near = nearest(text, now.iter().chain(later).copied()).filter(|_| several).map(str::to_string);
        let complaint = Complaint::of(Fault::WrongValue(text.clone())).expected(expected);
        let advice = near.is_some().then_some(Advice::Spell);
        self.complain(node.at, path, Complaint { nearest: near, advice, ..complaint });
        None
    }

    /// Says so when none of the fields is there of which one is needed, unless one is misspelt or of a later release: that was
    /// told already.
    pub fn need_one_of(&mut self, node: &Node, path: &str, fields: &Fields<'_>, names: &'static [&'static str]) {
        if names.iter().any(|name| fields.contains_key(name) || self.misspelt(node, name)) {
            return;
        }
        let complaint = Complaint::of(Fault::NoneOf(names)).expected(one_of(names.iter().copied()));
        self.complain(node.at, path, complaint.advice(Advice::Add));
    }

    /// A whole number within its bounds.
    pub fn whole(&mut self, node: &Node, path: &str, bounds: Whole) -> Option<i64> {
        let expected = format!("a whole number from {} to {}", bounds.least, bounds.most);
        let Value::Number(Some(number)) = node.value else {
            return self.wrong_type(node, path, &expected, None);
        };
        if !(bounds.least..=bounds.most).contains(&number) {
            self.complain(node.at, path, Complaint::of(Fault::OutOfBounds(number.to_string())).expected(expected));
            return None;
        }
        Some(number)
    }

    /// A duration within its bounds.
    pub fn span(&mut self, node: &Node, path: &str, bounds: Span) -> Option<SignedDuration> {
        let text = match &node.value {
            Value::Text(text) => text,
            // `24` is a number to YAML; what is missing is its unit.
            _ => return self.wrong_type(node, path, duration::EXPECTED, Some(Advice::WriteDuration)),
        };
        let Some(span) = duration::parse(text) else {
            let complaint = Complaint::of(Fault::WrongValue(text.clone())).expected(duration::EXPECTED);
            self.complain(node.at, path, complaint.advice(Advice::WriteDuration));
            return None;
        };
        let too_short = duration::parse(bounds.least).is_some_and(|least| span < least);
        if too_short || duration::parse(bounds.most).is_some_and(|most| span > most) {
            let expected = format!("{} to {}", bounds.least, bounds.most);
            self.complain(node.at, path, Complaint::of(Fault::OutOfBounds(text.clone())).expected(expected));
            return None;
        }
        Some(span)
    }

    /// A text of at least one character, without blanks at its ends, that can stand in a path of Azure's.
    pub fn azure_name<'n>(&mut self, node: &'n Node, path: &str, expected: &str, chars_max: usize) -> Option<&'n str> {
        let text = self.text(node, path, expected, chars_max)?;
        let parts = |c: char| c.is_control() || matches!(c, '/' | '\\' | '?' | '#' | '%' | '*' | '<' | '>' | '&' | ':');
        if !text.is_empty() && text.trim() == text && !text.contains(parts) {
            return Some(text);
        }
        self.complain(node.at, path, Complaint::of(Fault::WrongValue(text.to_string())).expected(expected));
        None
    }

    /// A name of ours: it becomes part of names in Azure, so that it has only what every kind of them takes.
    pub fn name(&mut self, node: &Node, path: &str, chars_max: usize) -> Option<String> {
        let expected = format!("1 to {chars_max} of a-z, 0-9 and -, beginning and ending with a letter or digit");
        let text = self.text(node, path, &expected, chars_max)?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if text.chars().all(|c| plain(c) || c == '-') && text.starts_with(plain) && text.ends_with(plain) {
            return Some(text.to_string());
        }
        self.complain(node.at, path, Complaint::of(Fault::WrongValue(text.to_string())).expected(expected));
        None
    }
}

/// A field's path below another.
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}

/// `a`, `a or b`, `a, b or c`.
pub fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_string(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// True for this very text.
pub fn is_text(node: &Node, expected: &str) -> bool {
    matches!(&node.value, Value::Text(text) if text == expected)
}

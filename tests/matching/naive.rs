//! The plainest statement of which machines a condition covers, to be held against the product's.
//! It never calls the product's matcher, glob or comparison: patterns by a table, letters by a list, names by a question of its own.

/// A condition.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Every one.
    All(Vec<Condition>),
    /// One at least.
    Any(Vec<Condition>),
    /// Not this one.
    Not(Box<Condition>),
    /// A tag's key and a pattern for its value.
    Tag(String, String),
    /// A pattern for the name.
    Name(String),
    /// A pattern for the group.
    Group(String),
    /// A subscription.
    Subscription(String),
    /// A region.
    Location(String),
    /// Whether it is Windows; else Linux.
    Windows(bool),
    /// A pattern for the size.
    Size(String),
    /// So many minutes without a point.
    NoPointFor(i64),
}

/// A machine; what is empty or `None` is not known.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Name.
    pub name: String,
    /// Group.
    pub group: String,
    /// Subscription.
    pub subscription: String,
    /// Region.
    pub location: String,
    /// Whether it is Windows.
    pub windows: Option<bool>,
    /// Size.
    pub size: String,
    /// Tags, each key once.
    pub tags: Vec<(String, String)>,
    /// Whether something else manages it.
    pub managed: bool,
    /// What is known of its newest point.
    pub newest: Newest,
}

/// What is known of the newest conforming point.
#[derive(Clone, Copy, Debug)]
pub enum Newest {
    /// Nothing.
    NotRead,
    /// That there is none.
    NotThere,
    /// Its age in minutes.
    Minutes(i64),
}

/// Whether a policy with this condition is for the machine.
pub fn is_for(condition: &Condition, machine: &Machine) -> bool {
    holds(condition, machine) && (!machine.managed || names(condition, machine))
}

/// Whether the condition holds, whoever manages the machine.
fn holds(condition: &Condition, machine: &Machine) -> bool {
    match condition {
        Condition::All(parts) => !parts.iter().any(|part| !holds(part, machine)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, machine)),
        Condition::Not(part) => !holds(part, machine),
        Condition::Tag(key, pattern) => {
            let value = machine.tags.iter().find(|(k, _)| lower(k) == lower(key)).map(|(_, value)| value);
            value.is_some_and(|value| covers(pattern, value))
        }
        Condition::Name(pattern) => known_and_covers(pattern, &machine.name),
        Condition::Group(pattern) => known_and_covers(pattern, &machine.group),
        Condition::Size(pattern) => known_and_covers(pattern, &machine.size),
        Condition::Subscription(id) => lower(id) == lower(&machine.subscription),
        Condition::Location(region) => plain(region) == plain(&machine.location),
        Condition::Windows(windows) => machine.windows == Some(*windows),
        Condition::NoPointFor(minutes) => match machine.newest {
            Newest::NotRead => false,
            Newest::NotThere => true,
            Newest::Minutes(age) => age >= *minutes,
        },
    }
}

/// Whether a name without wildcards in it, on a way that holds and that no `not` turns round, is the machine's.
fn names(condition: &Condition, machine: &Machine) -> bool {
    holds(condition, machine)
        && match condition {
            Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| names(part, machine)),
            Condition::Name(name) => !name.contains('*') && !name.contains('?'),
            _ => false,
        }
}

fn known_and_covers(pattern: &str, text: &str) -> bool {
    !text.is_empty() && covers(&lower(pattern), &lower(text))
}

/// Patterns by a table: `table[i][j]` says whether the first i characters of the pattern cover the first j of the text.
pub fn covers(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let mut table = vec![vec![false; text.len() + 1]; pattern.len() + 1];
    table[0][0] = true;
    for i in 1..=pattern.len() {
        for j in 0..=text.len() {
            table[i][j] = match pattern[i - 1] {
                '*' => table[i - 1][j] || (j > 0 && table[i][j - 1]),
                '?' => j > 0 && table[i - 1][j - 1],
                letter => j > 0 && letter == text[j - 1] && table[i - 1][j - 1],
            };
        }
    }
    table[pattern.len()][text.len()]
}

/// The letters that the properties use, in both cases.
const LETTERS: [(char, char); 7] = [('A', 'a'), ('B', 'b'), ('E', 'e'), ('W', 'w'), ('Ä', 'ä'), ('É', 'é'), ('Я', 'я')];

fn lower(text: &str) -> String {
    text.chars().map(|c| LETTERS.iter().find(|(upper, _)| *upper == c).map_or(c, |(_, lower)| *lower)).collect()
}

fn plain(region: &str) -> String {
    lower(region).replace(' ', "")
}

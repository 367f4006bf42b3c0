//! What the people of a seed have a mind to do, and what they do wrong.
//! It never does any of it: `people` does.

use crate::cases::Place;
use crate::model::history::Pick;
use crate::switch::Stops;

/// What people have a mind to do.
#[derive(Clone, Debug)]
pub struct Minds {
    /// Seconds after it is shown that the region counts as lost until they order or approve; never where there is none.
    pub begins: Option<i64>,
    /// They order although nothing is said of the region.
    pub in_calm: bool,
    /// They pass the fence by name.
    pub names_fence: bool,
    /// Whether they go on where the fence is impossible, and where the region came back.
    pub goes_on: (bool, bool),
    /// Whether they say yes before a group.
    pub group: bool,
    /// Seconds until they answer a question, and until they commit.
    pub answers: i64,
    pub commits: i64,
    /// Whether the old machines may go.
    pub old_may_go: bool,
    /// Where they abort.
    pub aborts: Option<Place>,
    /// What they do wrong.
    pub wrong: Option<Wrong>,
    /// Where they stop all changes.
    pub stops: Option<Stops>,
    /// Whether they ask for another recovery point.
    pub another: Option<Another>,
}

/// Another recovery point.
#[derive(Clone, Copy, Debug)]
pub struct Another {
    /// The one that is picked.
    pub pick: Pick,
    /// Whether it is asked for when the commit is under way, else before it.
    pub late: bool,
}

/// What somebody does wrong with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// The same command twice.
    Twice,
    /// The same word by another command.
    AnotherWord,
    /// On what was shown when first something was shown.
    OldDigest,
    /// On what nobody was shown.
    NoDigest,
    /// Without the role.
    NoRole,
    /// With a token of another command.
    OtherToken,
    /// A commit that nobody has asked for.
    EarlyCommit,
    /// An answer to a question that is the commit's.
    ApprovesCommit,
    /// A no to what is asked, and then a yes.
    RejectsFirst,
    /// Only a try.
    DryRun,
}

/// All of them.
pub const WRONGS: [Wrong; 10] = [
    Wrong::Twice,
    Wrong::AnotherWord,
    Wrong::OldDigest,
    Wrong::NoDigest,
    Wrong::NoRole,
    Wrong::OtherToken,
    Wrong::EarlyCommit,
    Wrong::ApprovesCommit,
    Wrong::RejectsFirst,
    Wrong::DryRun,
];

//! The words that stand in commands, each list beside the type that it names.
//! It decides nothing; a word that was ever taken is never given another meaning.

use lifeboat_planning::declaration::Name;
use lifeboat_planning::saga::Choice;

/// The conditions of a declaration that an order may pass, by their names.
pub const CONDITIONS: &[&str] = &{
    let mut words = [""; Name::ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = Name::ALL[at].word();
        at += 1;
    }
    words
};
/// Kinds of recovery point, beside a moment.
pub const POINTS: &[&str] = &["latest", "latestProcessed", "applicationConsistent"];
/// Answers to a question that go on.
pub const CHOICES_APPROVE: &[&str] = &["go-on", "again", "another-point"];
/// Answers to a question that do not.
pub const CHOICES_REJECT: &[&str] = &["undo", "end"];
/// Counters with a breaker.
pub const COUNTERS: &[&str] = &["expiry", "protection"];
/// Modes of a policy; the last takes an earlier order back.
pub const MODES: &[&str] = &["report", "enforce", "asWritten"];

/// The condition of this name.
pub fn condition(word: &str) -> Option<Name> {
    Name::ALL.into_iter().find(|name| name.word() == word)
}

/// The answer of this word.
pub fn choice(word: &str) -> Option<Choice> {
    Choice::of_word(word)
}

//! The commands by which a person gives a word that is awaited: what stands on a page to be copied into a shell.
//! They order nothing by standing there, and none holds what a shell would take for more than a text.

use lifeboat_planning::saga::{Ask, Choice, Question};

/// What stands for a digest that is not known.
const DIGEST: &str = "DIGEST";
/// What stands for a person's own words.
const REASON: &str = "'why, in your words'";

/// One answer that a question has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it is.
    pub choice: Choice,
    /// The command that gives it; none where this release refuses it.
    pub command: Option<String>,
}

/// The answers that a question of a saga has. A yes names the question's digest.
pub fn answers(plan: &str, saga: &str, question: &Question) -> Vec<Answer> {
    let digest = question.digest(saga);
    let command = |choice| answer(plan, question, choice, &digest);
    question.choices.iter().map(|choice| Answer { choice: *choice, command: command(*choice) }).collect()
}

/// The command that says yes to a question of a saga; none where it has no such answer, or none that a shell should be given.
pub fn yes(plan: &str, saga: &str, question: &Question) -> Option<String> {
    answers(plan, saga, question).into_iter().find(|answer| answer.choice == Choice::GoOn)?.command
}

fn answer(plan: &str, question: &Question, choice: Choice, digest: &str) -> Option<String> {
    let (plan, digest, number) = (word(plan)?, word(digest)?, question.number);
    Some(match choice {
        Choice::GoOn if question.ask == Ask::Commit => {
            format!("lifeboat send CommitFailover recoveryPlan={plan} digest={digest}")
        }
        Choice::GoOn | Choice::Again => {
            format!("lifeboat approve {plan} --question {number} --choice {} --digest {digest}", choice.word())
        }
        Choice::AnotherPoint => format!(
            "lifeboat send Approve recoveryPlan={plan} digest={digest} 'of={{\"question\":{number}}}' \
             choice=another-point point=latestProcessed"
        ),
        Choice::Undo | Choice::End => {
            format!("lifeboat reject {plan} --question {number} --choice {} --reason {REASON}", choice.word())
        }
        Choice::FailBack => return None,
    })
}

/// Yes and no to a declaration that asks in an incident.
pub fn of_incident(plan: &str, incident: &str, digest: Option<&str>) -> Option<[String; 2]> {
    let (plan, incident, digest) = (word(plan)?, word(incident)?, word(digest.unwrap_or(DIGEST))?);
    Some([
        format!("lifeboat approve {plan} --incident {incident} --digest {digest}"),
        format!("lifeboat reject {plan} --incident {incident} --reason {REASON}"),
    ])
}

/// Yes and no to an order that waits for others. Who approves names the digest that the order names.
pub fn of_order(plan: &str, order: &str, digest: &str) -> Option<[String; 2]> {
    let (plan, order, digest) = (word(plan)?, word(order)?, word(digest)?);
    Some([
        format!("lifeboat approve {plan} --order {order} --digest {digest}"),
        format!("lifeboat reject {plan} --order {order} --reason {REASON}"),
    ])
}

/// The order to fail over, which names each condition that it passes. The command reads the store, at its URL, to show it again first.
pub fn fail_over(plan: &str, unmet: &[&str]) -> Option<String> {
    let passes = unmet.iter().map(|name| Some(format!(" --pass {}", word(name)?))).collect::<Option<String>>()?;
    Some(format!("lifeboat failover {} --store URL --reason {REASON}{passes}", word(plan)?))
}

/// The order to undo a failover.
pub fn undo(plan: &str) -> Option<String> {
    Some(format!("lifeboat abort {} --reason {REASON}", word(plan)?))
}

/// A text as one word of a shell; none where it has what no shell should be given.
fn word(text: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
    if text.is_empty() || text.starts_with('-') || text.chars().any(char::is_control) {
        return None;
    }
    Some(if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plain_word_is_quoted_or_not_offered_at_all() {
        assert_eq!(word("shop-2").as_deref(), Some("shop-2"));
        assert_eq!(word("2026-11-22T10:00:00Z").as_deref(), Some("2026-11-22T10:00:00Z"));
        assert_eq!(word("a; rm -rf ~").as_deref(), Some("'a; rm -rf ~'"));
        assert_eq!(word("a'$(b)").as_deref(), Some(r"'a'\''$(b)'"));
        for text in ["", "--force", "a\nb", "a\u{1b}[2J"] {
            assert_eq!(word(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_failover_is_ordered_with_every_condition_that_it_passes() {
        let command = fail_over("shop", &["sources", "window"]).expect("a command");
        assert_eq!(
            command,
            "lifeboat failover shop --store URL --reason 'why, in your words' --pass sources --pass window"
        );
    }
}

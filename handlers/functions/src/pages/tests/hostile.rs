//! No text from outside ever opens a tag, ends an attribute or becomes a link elsewhere: whatever the texts are, the tags of a page and
//! the names of their attributes are those of the same page with harmless ones.

use jiff::Timestamp;
use lifeboat_execution::views::{Failover, Viewed, What};
use proptest::prelude::*;
use serde_json::Value;

use super::of_records::{declared, failover, of_failover, recovery, region, shown, start, stopped, waiting};
use crate::pages::page;

/// Texts that have done harm elsewhere.
const KNOWN: [&str; 10] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title><script>",
    "</style><script>",
    "--><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "&lt;script&gt;",
    "{{7*7}}\u{0}\u{202e}",
    "a\" autofocus onfocus=\"alert(1)",
];

/// The tags of a page with the names of their attributes, and where its links lead.
fn skeleton(html: &str) -> (Vec<String>, Vec<String>) {
    let (mut tags, mut links) = (Vec::new(), Vec::new());
    let mut rest = html.split_once("</style>").expect("a style").1;
    while let Some((_, after)) = rest.split_once('<') {
        let mut tag = String::new();
        let (mut quoted, mut value, mut end) = (false, String::new(), after.len());
        for (place, sign) in after.char_indices() {
            match (sign, quoted) {
                ('"', false) => (quoted, value) = (true, String::new()),
                ('"', true) => {
                    quoted = false;
                    if tag.ends_with("href=") {
                        links.push(value.clone());
                    }
                }
                (sign, true) => value.push(sign),
                ('>', false) => {
                    end = place + 1;
                    break;
                }
                (sign, false) => tag.push(sign),
            }
        }
        tags.push(tag);
        rest = &after[end..];
    }
    (tags, links)
}

/// Puts a text in the place of every text in a value that is neither a time nor a word of ours.
fn replace(value: &mut Value, text: &str) {
    match value {
        Value::String(own) if own.parse::<Timestamp>().is_err() && !is_word(own) => *own = text.to_owned(),
        Value::Array(all) => all.iter_mut().for_each(|one| replace(one, text)),
        Value::Object(all) => all.values_mut().for_each(|one| replace(one, text)),
        _ => {}
    }
}

/// Words of records: lists that are closed, so that no other text can stand there.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "serviceHealth",
        "resourceHealth",
        "failing",
        "platformFault",
        "AwaitingApproval",
        "FailingOver",
        "Suspected",
        "notReady",
        "notTried",
        "confirming",
        "rules",
        "latest",
    ];
    WORDS.contains(&text)
}

fn with<R: serde::Serialize + serde::de::DeserializeOwned>(record: &R, text: &str) -> R {
    let mut value = serde_json::to_value(record).expect("writes");
    replace(&mut value, text);
    serde_json::from_value(value).expect("reads")
}

/// The pages, with this text in every place that somebody else may fill.
fn pages(text: &str) -> Vec<Viewed> {
    let own = || text.to_owned();
    let mut all = vec![region(), recovery(), failover(), start()];
    for viewed in &mut all {
        viewed.deployment = own();
        match &mut viewed.what {
            What::Region(evidence) => {
                evidence.region = own();
                evidence.signals = evidence.signals.as_ref().map(|signals| with(signals, text));
                evidence.declarations = evidence.declarations.iter().map(|one| with(one, text)).collect();
            }
            What::Recovery(recovery) => {
                recovery.plan.name = own();
                recovery.plan.groups[0].name = own();
                (recovery.plan.traffic[0].profile, recovery.plan.traffic[0].from) = (own(), own());
                recovery.plan.traffic[0].verify.url = own();
                recovery.ahead.runbook = Ok(own());
                recovery.declared = recovery.declared.as_ref().map(|one| with(one, text));
                recovery.waiting = vec![with(&waiting(), text)];
                if let Some(shown) = &mut recovery.ahead.shown {
                    shown.record = with(&shown.record, text);
                }
            }
            What::Failover(failover) => **failover = hostile_failover(text),
            What::Start(start) => {
                start.build.version = own();
                for row in &mut start.plans {
                    (row.status.name, row.status.from, row.status.to) = (own(), own(), own());
                    (row.status.phase, row.readiness, row.failover) = (Some(own()), own(), Some(own()));
                }
                start.attention.iter_mut().for_each(|one| (one.what, one.advice) = (own(), Some(own())));
            }
            What::Nothing(_) => {}
        }
    }
    all
}

fn hostile_failover(text: &str) -> Failover {
    let own = || text.to_owned();
    let mut shown = shown(|_| {});
    (shown.id, shown.recovery_plan, shown.from, shown.to) = (own(), own(), own(), own());
    for group in &mut shown.groups {
        group.name = own();
        group.members.iter_mut().for_each(|member| member.name = own());
    }
    for it in &mut shown.traffic {
        (it.profile, it.from, it.to, it.url) = (own(), own(), own(), Some(own()));
    }
    for lane in &mut shown.lanes {
        if let Some(question) = &mut lane.question {
            (question.words, question.step) = (own(), own());
        }
        for step in &mut lane.steps {
            step.name = own();
            step.needs.iter_mut().for_each(|need| *need = own());
            if let lifeboat_execution::saga::shown::DoesShown::Tasks(tasks) = &mut step.does {
                for task in tasks {
                    (task.verify, task.why) = (own(), Some(own()));
                    task.change = task.change.as_ref().map(|_| own());
                }
            }
        }
    }
    let declared = with(&declared(lifeboat_planning::declaration::Phase::FailingOver), text);
    let (plan, not_read) = (own(), vec![own()]);
    let stopped = stopped().map(|stop| with(&stop, text));
    Failover {
        plan,
        not_read,
        stopped,
        declared: Some(declared),
        waiting: vec![with(&waiting(), text)],
        ..of_failover(Some(shown))
    }
}

/// With each text: the same tags and attributes as with a harmless one, and links to our own pages alone.
fn check(text: &str) {
    // Whether a command can be offered depends on the text: a name that needs quotes stands for all that can be.
    let harmless = if crate::pages::orders::undo(text).is_some() { "a b" } else { "a\nb" };
    for (hostile, plain) in pages(text).iter().zip(&pages(harmless)) {
        let (tags, links) = skeleton(&page(hostile, false).into_string());
        assert_eq!(tags, skeleton(&page(plain, false).into_string()).0, "{text:?}");
        for link in links {
            let rest = link.strip_prefix("/api/").unwrap_or_else(|| panic!("{text:?} leads to {link}"));
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.%?=".contains(c);
            assert!(rest.chars().all(is_plain), "{text:?} leads to {link}");
        }
    }
}

#[test]
fn texts_that_have_done_harm_elsewhere_are_shown_as_texts() {
    for text in KNOWN {
        check(text);
    }
    let html = page(&pages(KNOWN[0])[2], false).into_string();
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !html.contains("<script"), "{html}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_text_opens_a_tag_or_ends_an_attribute(text in r#"[<>&"'`=/a-z :\-\n\u{0}\u{a0}-\u{ff}]{1,40}"#) {
        check(&text);
    }
}

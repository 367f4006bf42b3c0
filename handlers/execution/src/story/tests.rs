//! What a person may ask for, what concerns a point, and how a story reads.

use super::*;
use crate::ledger::{Decision, OutcomeResult};

const MACHINE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/vm-1";
const POINT: &str = "lb-first-oncreate-1-0123456789abcdef-0123456789abcdef";
const OTHER: &str = "lb-first-20261122t0200z-1-0123456789abcdef-0123456789abcdef";

fn effect(key: &str, what: String) -> PlannedEffect {
    PlannedEffect { key: key.to_owned(), what }
}

/// A chain of these entries, a second apart.
fn text(entries: Vec<Entry>) -> (String, Head) {
    let (mut head, mut text) = (Head::empty(), String::new());
    for (second, entry) in entries.into_iter().enumerate() {
        let at = Timestamp::from_second(second as i64).expect("a time");
        let (line, next) = head.next(at, MACHINE, entry).expect("serialises");
        text += &line;
        head = next;
    }
    (text, head)
}

fn entries() -> Vec<Entry> {
    let made = Decision {
        cause: "VmWritten 1".to_owned(),
        look: 1,
        policy: "production".to_owned(),
        policy_digest: "0f".repeat(32),
        effects: vec![
            effect("g", "make resource group g in here".into()),
            effect("p", format!("make restore point {POINT}, x")),
        ],
        ..Decision::default()
    };
    let outcome = |key: &str, result, detail: &str| Entry::Outcome {
        effect: key.into(),
        result,
        detail: detail.into(),
        read: None,
    };
    let expired = Decision {
        cause: "ExpirySweep 7".to_owned(),
        effects: vec![effect("e", format!("delete restore point {POINT}, because no rule keeps it"))],
        ..made.clone()
    };
    let other = Decision { effects: vec![effect("o", format!("delete restore point {OTHER}"))], ..made.clone() };
    vec![
        Entry::Decision(made),
        outcome("g", OutcomeResult::Done, ""),
        outcome("p", OutcomeResult::Done, ""),
        Entry::Verified { point: POINT.into(), succeeded: true, consistency: Some("FileSystemConsistent".into()) },
        Entry::Decision(other),
        outcome("o", OutcomeResult::Done, ""),
        Entry::Decision(expired),
        outcome("e", OutcomeResult::NotPermitted, "the right is missing"),
    ]
}

fn story(fault: Option<Fault>, about: About, entries: Vec<Body>) -> Story {
    let verified = entries.len();
    let chapter = Chapter {
        ledger: "ledger/k.jsonl".to_owned(),
        vm_id: Some("v".to_owned()),
        entries,
        verified,
        fault,
        head: HeadSeen::Kept,
    };
    Story { about, chapters: vec![chapter] }
}

#[test]
fn a_machine_and_a_point_are_asked_for_by_id_or_by_name_and_nothing_else_is() {
    assert!(matches!(About::parse(MACHINE), Some(About::Machine(id)) if id.as_str() == MACHINE));
    assert_eq!(About::parse(" vm-1 "), Some(About::Named("vm-1".to_owned())));
    let named = About::Point { name: POINT.to_owned(), key: None };
    assert_eq!(About::parse(&POINT.to_uppercase().replace("LB-", "lb-")), Some(named.clone()));
    let group = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute";
    assert_eq!(About::parse(&format!("{group}/snapshots/{POINT}")), Some(named));
    let of =
        |collection: &str| About::parse(&format!("{group}/restorePointCollections/{collection}/restorePoints/{POINT}"));
    let key = MachineKey::of_collection("lb-0123456789abcdef");
    assert_eq!(of("lb-0123456789abcdef"), Some(About::Point { name: POINT.to_owned(), key }));
    assert_eq!(of("theirs"), Some(About::Point { name: POINT.to_owned(), key: None }));
    for none in ["", "  ", "/subscriptions/s", "a/b", &format!("{group}/disks/d")] {
        assert_eq!(About::parse(none), None, "{none}");
    }
}

#[test]
fn of_a_point_is_told_why_it_was_made_and_why_its_deletion_was_refused_and_nothing_else() {
    let (text, head) = text(entries());
    let all = ledger::verify(&text, Some(&head)).expect("it verifies");
    let told = of_point(all, POINT);
    assert_eq!(told.iter().map(|body| body.seq).collect::<Vec<_>>(), [1, 3, 4, 7, 8]);
    let lines = story(None, About::Point { name: POINT.to_owned(), key: None }, told).lines();
    let said = lines.join("\n");
    assert!(!said.contains("resource group") && !said.contains(OTHER), "{said}");
    assert_eq!(
        lines[1],
        "  1970-01-01T00:00:00.000Z  decided by policy production of the bundle 0f0f0f0f0f0f, woken by VmWritten 1, look 1"
    );
    assert_eq!(lines[2], format!("    do: make restore point {POINT}, x"));
    assert_eq!(
        lines.last().map(String::as_str),
        Some(format!("  1970-01-01T00:00:07.000Z  outcome of `delete restore point {POINT}`: not permitted: the right is missing").as_str())
    );
}

#[test]
fn nothing_behind_a_fault_is_told_and_the_fault_is() {
    let (text, head) = text(entries());
    let edited = text.replace("ExpirySweep 7", "ExpirySweep 8");
    let (sound, fault) = verified(&edited, Some(&head));
    assert_eq!((&fault, sound.len()), (&Some(Fault::Edited { line: 7 }), 6));
    let story = story(fault, About::Named("vm-1".to_owned()), sound);
    let said = story.lines().join("\n");
    assert!(!story.holds() && said.contains("DOES NOT VERIFY: line 7 was edited"), "{said}");
    assert!(!said.contains("ExpirySweep"), "{said}");
    let cut: String = text.split_inclusive('\n').take(3).collect();
    let (sound, fault) = verified(&cut, Some(&head));
    assert_eq!((fault, sound.len()), (Some(Fault::Cut { kept: 8, found: 3 }), 3), "the end is not there");
}

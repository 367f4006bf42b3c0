//! Every code of the table is found, and what is not in it is shown as Azure said it.
//!
//! It never asks Azure.

use super::{BACKUP_ERRORS, Explained, Source, explain, find};
use crate::{backup_jobs::JobError, evidence};
use std::collections::HashSet;

fn error(code: Option<i64>, title: Option<&str>) -> JobError {
    let recommendations = vec!["do this".to_owned(), "do that".to_owned()];
    JobError { code, title: title.map(str::to_owned), text: Some("It failed.".to_owned()), recommendations }
}

#[test]
fn every_code_stands_once_and_is_found_whatever_its_case() {
    let mut seen = HashSet::new();
    for known in BACKUP_ERRORS {
        assert!(!known.cause.is_empty() && !known.cure.is_empty() && !known.codes.is_empty());
        for code in known.codes {
            assert!(seen.insert(code.to_lowercase()), "{code} stands twice");
            assert_eq!(find(&format!(" {} ", code.to_uppercase())), Some(known));
        }
    }
    assert_eq!(seen.len(), 31 + 4, "31 words and 4 numbers");
}

#[test]
fn an_error_is_known_by_its_number_or_by_its_title() {
    for (code, title, first) in [
        (Some(380_008), None, "AzureVmOffline"),
        (Some(400_094), Some("virtual machine"), "BCMV2VMNotFound"),
        (Some(400_001), Some("GuestAgentSnapshotTaskStatusError"), "UserErrorGuestAgentStatusUnavailable"),
        (None, Some("userErrorFsFreezeFailed"), "UserErrorFsFreezeFailed"),
    ] {
        let error = error(code, title);
        let Explained::Known(known, _) = explain(&error) else { panic!("{error:?}") };
        assert_eq!(known.codes[0], first);
        assert!(explain(&error).to_string().starts_with(&format!("{first}: ")));
    }
}

#[test]
fn an_unknown_code_is_shown_as_azure_said_it() {
    for (code, title, shown) in [
        (Some(7), Some("SomethingNew"), "7: SomethingNew: It failed.; Azure advises: do this; do that"),
        (None, None, "It failed.; Azure advises: do this; do that"),
    ] {
        assert_eq!(explain(&error(code, title)).to_string(), shown);
    }
    let silent = JobError { code: None, title: None, text: None, recommendations: Vec::new() };
    assert_eq!(explain(&silent).to_string(), "Azure gave no reason");
}

#[test]
fn the_register_names_the_codes_that_only_reports_know() {
    let entry = evidence::find("backup-codes-reported").unwrap();
    assert_eq!(entry.grade, evidence::Grade::Assumed);
    for known in BACKUP_ERRORS {
        let words = known.codes.iter().filter(|code| code.parse::<u32>().is_err());
        for code in words {
            let named = entry.behaviour.contains(&format!("`{code}`"));
            assert_eq!(named, known.source == Source::Reports, "{code}");
        }
    }
}

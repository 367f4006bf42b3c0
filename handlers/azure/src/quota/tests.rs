//! Headers of any kind are read without a panic.
//!
//! It never asks Azure.

use super::{Remaining, graph_wait};
use crate::{long_running::Accepted, retry, transport::Answer};
use azure_core::http::headers::Headers;
use jiff::Timestamp;
use proptest::prelude::*;
use std::time::Duration;

fn answer(headers: &[(String, String)]) -> Answer {
    let mut map = Headers::new();
    headers.iter().for_each(|(name, value)| map.insert(name.clone(), value.clone()));
    Answer { status: 200, headers: map, body: bytes::Bytes::new() }
}

#[test]
fn graphs_budget_names_when_it_is_full_again() {
    for (left, resets, expected) in [
        ("0", "00:00:05", Some(5)),
        ("0", "01:00:00", Some(3600)),
        ("14", "00:00:05", None),
        ("0", "5", None),
        ("x", "00:00:05", None),
        ("0", "99999999999999999:00:00", None),
    ] {
        let headers = [("x-ms-user-quota-remaining", left), ("x-ms-user-quota-resets-after", resets)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(graph_wait(&answer(&headers)), expected.map(Duration::from_secs), "{left} {resets}");
    }
}

proptest! {
    #[test]
    fn any_headers_are_read_without_a_panic(
        names in proptest::collection::vec(
            "(x-ms-ratelimit-remaining-[a-z-]{0,12}|x-ms-user-quota-remaining|x-ms-user-quota-resets-after|retry-after|x-ms-retry-after-ms|azure-asyncoperation|location)",
            0..6,
        ),
        values in proptest::collection::vec("([0-9]{0,22}|[0-9:]{0,12}|[ -~]{0,40}|[A-Za-z/.]{1,20};[0-9-]{1,9})", 6),
    ) {
        let headers: Vec<(String, String)> = names.into_iter().zip(values).collect();
        let answer = answer(&headers);
        let now: Timestamp = "2026-11-22T02:00:00Z".parse().unwrap();
        let mut remaining = Remaining::default();
        remaining.update(&answer);
        prop_assert!(remaining.iter().count() <= 200);
        prop_assert!(retry::retry_after(&answer, now).is_none_or(|wait| wait <= Duration::from_secs(86_400)));
        let _ = (graph_wait(&answer), Accepted::read(&answer, now));
    }

    #[test]
    fn any_http_date_is_read_without_a_panic(text in "[A-Za-z]{0,3},? ?[0-9]{0,3} [A-Za-z]{0,3} [0-9]{0,5} [0-9:]{0,9} [A-Z+0-9-]{0,5}") {
        let _ = retry::http_date(&text);
    }
}

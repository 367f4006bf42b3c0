//! What was asked and how it was answered: the counters and the list that tests and the tour judge by.
//! It never holds a body or a token.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Requests kept one by one; the counters go on.
const REQUESTS_KEPT: usize = 100_000;

/// One request to ARM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    /// Its number, from 1.
    pub number: u64,
    /// When it came.
    pub at: Timestamp,
    /// The method.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The action that access was checked for; empty for a path that is not known.
    pub action: String,
    /// `x-ms-client-request-id`.
    pub client_request_id: Option<String>,
    /// The status; none when there was no answer.
    pub status: Option<u16>,
    /// The error's code, where there was one.
    pub error_code: Option<String>,
}

/// Everything that was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestCounts {
    /// Requests in all.
    pub requests: u64,
    /// Requests by action.
    pub by_action: BTreeMap<String, u64>,
    /// Answers by status.
    pub by_status: BTreeMap<u16, u64>,
    /// Answers by error code.
    pub by_error_code: BTreeMap<String, u64>,
    /// Answers 429.
    pub throttled: u64,
    /// Requests that came before the time their refusal had told.
    pub inside_retry_after: u64,
    /// Writes and deletes that were accepted.
    pub writes: u64,
    /// Restore points that were accepted.
    pub restore_points_created: u64,
}

#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    counts: RequestCounts,
    records: VecDeque<RequestRecord>,
}

impl RequestLog {
    /// Notes a request that begins; answers its number.
    pub(crate) fn begin(&mut self, mut record: RequestRecord) -> u64 {
        self.counts.requests += 1;
        record.number = self.counts.requests;
        *self.counts.by_action.entry(record.action.clone()).or_default() += 1;
        if self.records.len() >= REQUESTS_KEPT {
            self.records.pop_front();
        }
        self.records.push_back(record);
        self.counts.requests
    }

    /// Notes how a request was answered.
    pub(crate) fn end(&mut self, number: u64, method: &str, status: u16, error_code: Option<String>) {
        let counts = &mut self.counts;
        *counts.by_status.entry(status).or_default() += 1;
        counts.throttled += u64::from(status == 429);
        let reads = method == "GET" || method == "POST";
        counts.writes += u64::from((200..300).contains(&status) && !reads);
        if let Some(code) = &error_code {
            *counts.by_error_code.entry(code.clone()).or_default() += 1;
        }
        let first = self.records.front().map_or(0, |record| record.number);
        let place = usize::try_from(number.saturating_sub(first)).unwrap_or(usize::MAX);
        if let Some(record) = self.records.get_mut(place) {
            (record.status, record.error_code) = (Some(status), error_code);
        }
    }

    /// Counts a request that came too early.
    pub(crate) fn came_too_early(&mut self) {
        self.counts.inside_retry_after += 1;
    }

    pub(crate) fn counts(&self) -> RequestCounts {
        self.counts.clone()
    }

    pub(crate) fn records(&self) -> Vec<RequestRecord> {
        self.records.iter().cloned().collect()
    }

    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

//! One call of ARM after it was let in, and the answer to it.
//! It never holds anything of another call, and knows no resource type.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::errors::{ArmError, invalid_content};
use super::identity::Principal;

/// Why an operation fails later, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// A call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The query as it was sent.
    pub(crate) raw_query: String,
    /// The query taken apart, names in lower case.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
    /// What status URLs start with: `https://management.azure.com`, or the address that was called.
    pub(crate) base: String,
    /// What the route's pattern left open, in order.
    pub(crate) params: Vec<String>,
    pub(crate) principal: Arc<Principal>,
    pub(crate) client_request_id: Option<String>,
    pub(crate) correlation_id: String,
    pub(crate) action: &'static str,
    pub(crate) now: Timestamp,
    /// A fault on order: what this call starts fails after so many seconds.
    pub(crate) fails: Option<(u32, Failure)>,
}

/// Who did what with which request: what events tell.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) correlation_id: String,
    pub(crate) principal: Arc<Principal>,
    pub(crate) client_request_id: String,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) action: &'static str,
    /// Whether the resource was there before.
    pub(crate) existed: bool,
}

/// An answer that is no refusal.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Option<Value>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Call {
    /// A query parameter, whatever the casing of its name.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        self.query.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
    }

    /// Whether `$expand` names this part.
    pub(crate) fn expands(&self, part: &str) -> bool {
        self.query("$expand").is_some_and(|all| all.split(',').any(|one| one.trim().eq_ignore_ascii_case(part)))
    }

    pub(crate) fn param(&self, place: usize) -> &str {
        self.params.get(place).map_or("", String::as_str)
    }

    /// The body, which must be an object.
    pub(crate) fn object(&self) -> Result<&Value, ArmError> {
        match &self.body {
            Some(body) if body.is_object() => Ok(body),
            _ => Err(invalid_content("The request body must be a JSON object")),
        }
    }

    pub(crate) fn cause(&self, existed: bool) -> Cause {
        let query = if self.raw_query.is_empty() { String::new() } else { format!("?{}", self.raw_query) };
        Cause {
            correlation_id: self.correlation_id.clone(),
            principal: self.principal.clone(),
            client_request_id: self.client_request_id.clone().unwrap_or_default(),
            method: self.method.clone(),
            url: format!("{}{}{query}", self.base, self.path),
            action: self.action,
            existed,
        }
    }
}

impl Answer {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, body: Some(body), headers: Vec::new() }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: None, headers: Vec::new() }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

//! Who may call what: keys and the levels that they open.
//! It never says why a key does not open: the status says all.

use std::collections::BTreeMap;

use super::options::Keys;
use super::wire::RawRequest;

/// The system key of the Event Grid extension.
const EVENT_GRID: &str = "eventgrid_extension";

/// What a key opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// No key, or one that opens nothing.
    Nobody,
    /// Functions of level `function`.
    Function,
    /// Webhooks of one extension.
    System(String),
    /// Everything.
    Admin,
}

/// The keys of a host as they are now.
#[derive(Clone)]
pub(super) struct KeyRing {
    master: String,
    /// Host keys by name.
    pub(super) host: BTreeMap<String, String>,
    /// System keys by name.
    pub(super) system: BTreeMap<String, String>,
}

impl KeyRing {
    pub(super) fn new(keys: &Keys) -> Self {
        let one = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Self {
            master: keys.master.clone(),
            host: one("default", &keys.host),
            system: one(EVENT_GRID, &keys.event_grid),
        }
    }

    /// What a request's key opens. Where the header is there the query is not looked at.
    pub(super) fn access(&self, request: &RawRequest, code: Option<&str>) -> Access {
        let Some(key) = request.header("x-functions-key").or(code) else { return Access::Nobody };
        if key == self.master {
            return Access::Admin;
        }
        if let Some((name, _)) = self.system.iter().find(|(_, value)| *value == key) {
            return Access::System(name.clone());
        }
        if self.host.values().any(|value| value == key) { Access::Function } else { Access::Nobody }
    }
}

impl Access {
    /// Whether it opens the webhook of an extension; the name in any case.
    pub(super) fn opens_webhook(&self, extension: &str) -> bool {
        match self {
            Access::Admin => true,
            Access::System(name) => name.eq_ignore_ascii_case(&format!("{extension}_extension")),
            Access::Nobody | Access::Function => false,
        }
    }
}

//! Refusals in ARM's words: status, code and message, in the shape that was recorded or documented.
//! It never decides when to refuse.

use serde_json::{Map, Value, json};

/// Where a refusal comes from; the gateway marks its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// ARM's front, before any provider was asked.
    Gateway,
    /// The resource provider.
    Provider,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ArmError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) details: Vec<Value>,
    pub(crate) origin: Origin,
    /// Headers besides the common ones.
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl ArmError {
    /// A refusal by a resource provider.
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            details: Vec::new(),
            origin: Origin::Provider,
            headers: Vec::new(),
        }
    }

    /// A refusal by ARM itself.
    pub(crate) fn gateway(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { origin: Origin::Gateway, ..Self::new(status, code, message) }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_details(mut self, details: Vec<Value>) -> Self {
        self.details = details;
        self
    }

    /// The OData error body.
    pub(crate) fn body(&self) -> Value {
        let mut error = Map::new();
        error.insert("code".to_owned(), json!(self.code));
        error.insert("message".to_owned(), json!(self.message));
        if !self.details.is_empty() {
            error.insert("details".to_owned(), json!(self.details));
        }
        json!({ "error": error })
    }
}

/// The gateway's 404 (recorded): `kind` and `name` are those of the top-level resource, also when a child was asked for.
pub(crate) fn resource_not_found(kind: &str, name: &str, group: &str) -> ArmError {
    ArmError::gateway(
        404,
        "ResourceNotFound",
        format!(
            "The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to \
             https://aka.ms/ARMResourceNotFoundFix"
        ),
    )
}

/// The code is documented; the wording is *assumed* (`group-refusals`).
pub(crate) fn group_not_found(group: &str) -> ArmError {
    ArmError::gateway(404, "ResourceGroupNotFound", format!("Resource group '{group}' could not be found."))
}

/// The provider's 404 (recorded for a disk).
pub(crate) fn not_found(name: &str) -> ArmError {
    ArmError::new(404, "NotFound", format!("Resource {name} is not found."))
}

/// *Assumed* (`arm-parent-missing`): code and wording of a child written under a parent that does not exist.
pub(crate) fn parent_not_found(name: &str) -> ArmError {
    ArmError::gateway(
        404,
        "ParentResourceNotFound",
        format!("Can not perform requested operation on nested resource. Parent resource '{name}' not found."),
    )
}

/// *Assumed* (`subscription-missing`): code and wording.
pub(crate) fn subscription_not_found(subscription: &str) -> ArmError {
    ArmError::gateway(404, "SubscriptionNotFound", format!("The subscription '{subscription}' could not be found."))
}

/// *Assumed* (`subscription-read-only`): code, status and wording.
pub(crate) fn subscription_read_only(subscription: &str) -> ArmError {
    ArmError::gateway(
        409,
        "ReadOnlyDisabledSubscription",
        format!(
            "The subscription '{subscription}' is disabled and therefore marked as read only. You cannot perform any \
             write actions on this subscription until it is re-enabled."
        ),
    )
}

/// The code is documented, the wording of the message follows the page.
pub(crate) fn authorization_failed(client: &str, object: &str, action: &str, scope: &str) -> ArmError {
    ArmError::gateway(
        403,
        "AuthorizationFailed",
        format!(
            "The client '{client}' with object id '{object}' does not have authorization to perform action '{action}' \
             over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your \
             credentials."
        ),
    )
}

/// *Assumed* (`machine-busy`): the code that Compute gives while a machine is busy with another restore point.
pub(crate) fn another_operation(target: &str) -> ArmError {
    ArmError::new(
        409,
        "AnotherOperationInProgress",
        format!("Another operation on this or dependent resource '{target}' is in progress. Retry after some time."),
    )
}

/// *Assumed* (`arm-400-wording`): the wording.
pub(crate) fn invalid_parameter(name: &str, why: &str) -> ArmError {
    ArmError::new(400, "InvalidParameter", format!("The value of parameter {name} is invalid. {why}"))
}

/// *Assumed* (`arm-400-wording`): code and wording.
pub(crate) fn invalid_content(why: &str) -> ArmError {
    ArmError::gateway(400, "InvalidRequestContent", format!("The request content was invalid: '{why}'."))
}

//! Events about resources, in both schemas, with the fields that the official samples have.
//! It never tells a resource's own fields: neither does Azure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::azure::call::Cause;
use crate::azure::ids::stamp_z;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Write,
    Delete,
    /// A `POST` that did something, as the official sample has it.
    Action,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Failure,
}

/// The schema in which events are delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventSchema {
    /// Event Grid's own: an array.
    #[default]
    EventGridSchema,
    /// CloudEvents 1.0.
    CloudEventSchemaV1_0,
}

/// An event as it was raised.
#[derive(Clone, Debug)]
pub(crate) struct Raised {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) verb: Verb,
    pub(crate) outcome: Outcome,
    pub(crate) resource: String,
    pub(crate) operation_name: String,
    pub(crate) cause: Cause,
}

impl Raised {
    /// The event type, as `Microsoft.Resources.ResourceWriteSuccess`.
    pub(crate) fn event_type(&self) -> String {
        format!("Microsoft.Resources.Resource{:?}{:?}", self.verb, self.outcome)
    }

    /// The subject. Writes spell `resourcegroups`, deletes `resourceGroups`, as the official samples do.
    pub(crate) fn subject(&self) -> String {
        match self.verb {
            Verb::Write => self.resource.replacen("/resourceGroups/", "/resourcegroups/", 1),
            Verb::Delete | Verb::Action => self.resource.clone(),
        }
    }

    /// The subscription's part of the resource id.
    pub(crate) fn subscription(&self) -> &str {
        self.resource.split('/').nth(2).unwrap_or_default()
    }

    /// One event, not yet in an array.
    pub(crate) fn json(&self, schema: EventSchema, tenant: &str) -> Value {
        let (subject, kind, time) = (self.subject(), self.event_type(), stamp_z(self.at));
        let topic = format!("/subscriptions/{}", self.subscription());
        let data = self.data(tenant);
        match schema {
            EventSchema::EventGridSchema => json!({
                "subject": subject, "eventType": kind, "eventTime": time, "id": self.id, "data": data,
                "dataVersion": "2", "metadataVersion": "1", "topic": topic,
            }),
            EventSchema::CloudEventSchemaV1_0 => json!({
                "subject": subject, "source": topic, "type": kind, "time": time, "id": self.id, "data": data,
                "specversion": "1.0",
            }),
        }
    }

    fn data(&self, tenant: &str) -> Value {
        let (subject, cause) = (self.subject(), &self.cause);
        let provider = self.operation_name.split('/').next().unwrap_or_default();
        let mut data = json!({
            "authorization": { "scope": subject, "action": self.operation_name, "evidence": evidence(cause, self.subscription()) },
            "claims": claims(cause, tenant, self.at),
            "correlationId": cause.correlation_id,
            "resourceProvider": provider,
            "resourceUri": subject,
            "operationName": self.operation_name,

            "status": match self.outcome { Outcome::Success => "Succeeded", Outcome::Failure => "Failed" },
            "subscriptionId": self.subscription(),
            "tenantId": tenant,
        });
        // Only with updates and deletes (documented): a creation's event has no request.
        if cause.existed || self.verb != Verb::Write {
            data["httpRequest"] = json!({
                "clientRequestId": cause.client_request_id,
                "clientIpAddress": "203.0.113.7",
                "method": cause.method,
                "url": cause.url,
            });
        }
        data
    }
}

fn evidence(cause: &Cause, subscription: &str) -> Value {
    let assignment = &cause.principal.object_id;
    json!({
        "role": "Contributor",
        "roleAssignmentScope": format!("/subscriptions/{subscription}"),
        "roleAssignmentId": assignment.replace('-', ""),
        "roleDefinitionId": "b24988ac618042a0ab8820f7382dd24c",
        "principalId": cause.principal.object_id.replace('-', ""),
        "principalType": "ServicePrincipal",
    })
}

fn claims(cause: &Cause, tenant: &str, at: Timestamp) -> Value {
    let object = &cause.principal.object_id;
    json!({
        "aud": "https://management.azure.com/",
        "iss": format!("https://sts.windows.net/{tenant}/"),
        "iat": at.as_second().to_string(),
        "nbf": at.as_second().to_string(),
        "exp": (at.as_second() + 86_400).to_string(),
        "aio": "simulated",
        "appid": cause.principal.client_id,
        "appidacr": "2",
        "http://schemas.microsoft.com/identity/claims/identityprovider": format!("https://sts.windows.net/{tenant}/"),
        "http://schemas.microsoft.com/identity/claims/objectidentifier": object,
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier": object,
        "http://schemas.microsoft.com/identity/claims/tenantid": tenant,
        "uti": "simulated",
        "ver": "1.0",
    })
}

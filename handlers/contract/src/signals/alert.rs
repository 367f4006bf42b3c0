//! Reads an alert of Azure Monitor's common schema, as an action group posts it.
//! It never goes by `signalType`, which several kinds share; and it never reads an alert of another schema.
//!
//! Who sends is told by `monitoringService`, which Azure writes in several ways.

use jiff::Timestamp;
use serde_json::Value;

use super::fields::{field, text, word};
use super::reason::{NotCounted, RawBecause};
use super::{Known, Reading, resource_health, rule_alert, service_health};

/// The schema's own name.
const COMMON_SCHEMA: &str = "azureMonitorCommonAlertSchema";

/// The parts of an alert that readers look at.
pub(super) struct Alert<'a> {
    /// The whole payload.
    pub body: &'a Value,
    /// `data.essentials`.
    pub essentials: &'a Value,
    /// `data.alertContext`; null where it is not there.
    pub context: &'a Value,
    /// `data.alertContext.properties`; null where it is not there.
    pub properties: &'a Value,
    /// When it arrived.
    pub at: Timestamp,
}

/// Reads the body.
pub(super) fn read(body: &Value, known: &Known, at: Timestamp) -> Reading {
    let Some(schema) = text(body, "schemaId") else { return Reading::raw(RawBecause::NotOfThisDoor, body) };
    if !schema.eq_ignore_ascii_case(COMMON_SCHEMA) {
        return Reading::raw(RawBecause::OtherSchema, body);
    }
    let Some(essentials) = field(body, "data").and_then(|data| field(data, "essentials")) else {
        return Reading::raw(RawBecause::NotOfThisDoor, body);
    };
    let context = field(body, "data").and_then(|data| field(data, "alertContext")).unwrap_or(&Value::Null);
    let properties = field(context, "properties").unwrap_or(&Value::Null);
    let alert = Alert { body, essentials, context, properties, at };
    let sender = word(essentials, "monitoringService").unwrap_or_default();
    let sender = sender.strip_prefix("activitylog").filter(|rest| !rest.is_empty()).unwrap_or(&sender);
    match sender {
        "servicehealth" => service_health::read(&alert, known),
        "resourcehealth" => resource_health::read(&alert, known),
        "platform" | "loganalytics" | "logalerts" | "logalertsv2" | "applicationinsights" => {
            rule_alert::read(&alert, known)
        }
        "azurebackup" | "azuresiterecovery" => Reading::uncounted(alert.name(), NotCounted::Backup),
        "administrative" | "autoscale" | "policy" | "recommendation" | "activitylog" => {
            Reading::uncounted(alert.name(), NotCounted::Administrative)
        }
        "security" => Reading::uncounted(alert.name(), NotCounted::Security),
        _ => Reading::raw(RawBecause::UnknownSender, body),
    }
}

impl<'a> Alert<'a> {
    /// What to call it.
    pub(super) fn name(&self) -> &'a str {
        text(self.essentials, "alertRule").or_else(|| text(self.essentials, "alertId")).unwrap_or("an alert")
    }
}

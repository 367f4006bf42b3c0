//! The JSON Schema of recovery plans, from the tables that their reader follows.
//! It never says what only the reader can: two regions that are one, more origins asked for than listed, groups that overlap.

use serde_json::{Value, json};

use super::{
    any_of, azure_name, condition, described, document, exactly_one, list, location, mapping, name, span, whole,
};
use crate::policy::form::{AZURE_NAME_CHARS_MAX, POLICY_NAME_CHARS_MAX, RECOVERY_PLAN};
use crate::recovery::form;

/// The committed file of [`recovery_plan`], beside this crate's manifest.
pub const FILE: &str = "schemas/recovery-plan.schema.json";

/// The schema of a recovery plan, as far as this release reads it.
pub fn recovery_plan() -> Value {
    let name = described(name(POLICY_NAME_CHARS_MAX), "What orders, approvals and records call it.");
    let mut schema = document("Lifeboat recovery plan", RECOVERY_PLAN, &name, &spec());
    schema["$defs"] = json!({
        "condition": condition(form::MEMBER_CONDITIONS),
        "group": group(),
        "action": action(),
        "traffic": traffic(),
    });
    schema
}

fn spec() -> Value {
    mapping(form::SPEC, |field| match field {
        "from" => described(location(), "The region that may be lost, as westeurope."),
        "to" => described(location(), "The region in which the machines come up, as northeurope."),
        "replication" => json!({
            "description": "siteRecovery: Azure Site Recovery, from Azure to Azure.",
            "enum": form::REPLICATIONS,
        }),
        "groups" => described(list("#/$defs/group", form::GROUPS_MAX), "In this order; members of one in parallel."),
        "traffic" => {
            described(list("#/$defs/traffic", form::TRAFFIC_MAX), "Moved after all groups run, in this order.")
        }
        "declaration" => described(declaration(), "When the region counts as lost, and by whose word."),
        _ => described(readiness(), "Whether the recovery plan could be executed now is asked again and again."),
    })
}

fn group() -> Value {
    let actions = |says: &str| described(list("#/$defs/action", form::ACTIONS_MAX), says);
    mapping(form::GROUP, |field| match field {
        "name" => described(name(form::GROUP_NAME_CHARS_MAX), "Unique in the recovery plan."),
        "members" => json!({ "$ref": "#/$defs/condition", "description": "The machines that fail over together." }),
        "before" => actions("Done before the members fail over, in this order."),
        _ => actions("Done after the members run, in this order."),
    })
}

fn action() -> Value {
    exactly_one(mapping(form::ACTION, |field| match field {
        "wait" => span(form::WAIT, "So much time passes."),
        _ => json!({
            "description": "A person answers this question.",
            "type": "string",
            "pattern": r"^[^\r\n]*\S[^\r\n]*$",
            "maxLength": form::QUESTION_CHARS_MAX,
        }),
    }))
}

fn traffic() -> Value {
    let verify = mapping(form::VERIFY, |field| match field {
        "url" => json!({
            "description": "What is asked, from outside: https or http, no credentials.",
            "type": "string",
            "pattern": r"^https?://[^\s/?#@]+([/?][^\s#]*)?$",
            "maxLength": form::URL_CHARS_MAX,
        }),
        _ => span(form::VERIFY_WITHIN, "How long after the traffic was moved it must have answered."),
    });
    mapping(form::TRAFFIC, |field| match field {
        "profile" => described(azure_name(AZURE_NAME_CHARS_MAX), "The name of a Traffic Manager profile."),
        "from" => described(azure_name(AZURE_NAME_CHARS_MAX), "The name of its endpoint for the lost region."),
        "to" => described(azure_name(AZURE_NAME_CHARS_MAX), "The name of its endpoint for the other region."),
        _ => described(verify.clone(), "What shows that the traffic was moved."),
    })
}

fn declaration() -> Value {
    let mut declaration = mapping(form::DECLARATION, |field| match field {
        "by" => json!({
            "description": "person: evidence is only shown. approval: a person is asked. rules: nobody is asked.",
            "enum": form::BY,
            "default": form::BY_DEFAULT,
        }),
        "approvals" => {
            let mut approvals = described(whole(form::APPROVALS), "2: two persons besides the one who asked.");
            approvals["default"] = json!(form::APPROVALS_DEFAULT);
            approvals
        }
        "evidence" => described(evidence(), "What must be seen, and for how long. One source never suffices."),
        "cooldown" => {
            let mut cooldown =
                span(form::COOLDOWN, "How long after a failover, or after the region recovered, no other begins.");
            cooldown["default"] = json!(form::COOLDOWN_DEFAULT);
            cooldown
        }
        "fence" => json!({
            "description": "What rules may do when the old machines cannot be stopped. required: nothing. bestEffort: go on.",
            "enum": form::FENCES,
            "default": form::FENCES[0],
        }),
        _ => span(form::MAX_DATA_LOSS, "How much may be lost: older, the newest usable point does not do."),
    });
    // Rules hear Azure and something else.
    declaration["if"] = json!({ "properties": { "by": { "const": "rules" } }, "required": ["by"] });
    declaration["then"] = json!({ "properties": { "evidence": { "required": form::EVIDENCE_NEEDS } } });
    declaration
}

fn evidence() -> Value {
    let origins = |of: &[&str], says: &str| {
        let items = json!({ "enum": of });
        json!({ "description": says, "type": "array", "minItems": 1, "uniqueItems": true, "items": items })
    };
    let evidence = mapping(form::EVIDENCE, |field| match field {
        "reported" => origins(form::REPORTED, "Origins reported by Azure that count."),
        "measured" => {
            origins(form::MEASURED, "Origins that are measured that count: own probes, metric and log rules.")
        }
        "alerts" => json!({
            "description": "Alert rules by name or ARM id, or resources that they watch by ARM id, whose metric and log alerts speak for `from`. Of others only those on machines of the estate count, as a share.",
            "type": "array",
            "minItems": 1,
            "maxItems": form::ALERTS_MAX,
            "uniqueItems": true,
            "items": { "type": "string", "minLength": 1, "maxLength": form::ALERT_CHARS_MAX },
        }),
        "atLeast" => {
            let mut at_least = described(whole(form::AT_LEAST), "How many of these origins must say so.");
            at_least["default"] = json!(form::AT_LEAST.least);
            at_least
        }
        _ => span(form::EVIDENCE_FOR, "For how long, without a gap."),
    });
    any_of(evidence, form::EVIDENCE_NEEDS)
}

fn readiness() -> Value {
    mapping(
        form::READINESS,
        |_| json!({ "description": "The one rhythm of this release.", "enum": [form::READINESS_EVERY] }),
    )
}

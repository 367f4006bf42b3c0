//! JSON Schemas of the documents that people write, for their editors, and of the commands that are sent.
//! It never decides what is valid: the reader does, from the same tables, and tests hold both together. What a schema cannot
//! say, as the bounds of a duration, the reader says alone.

mod commands;
mod recovery_plan;

use serde_json::{Map, Value, json};

use lifeboat_planning::policy::Limits;

use crate::policy::cron::CRON_BYTES_MAX;
use crate::policy::form::{self, Field, Span, Standing, Whole};

pub use commands::{command, command_file};
pub use recovery_plan::{FILE as RECOVERY_PLAN_FILE, recovery_plan};

/// The committed file of [`backup_policy`], beside this crate's manifest.
pub const BACKUP_POLICY_FILE: &str = "schemas/backup-policy.schema.json";

/// The schema of a backup policy, as far as this release acts on it.
pub fn backup_policy() -> Value {
    let name = described(name(form::POLICY_NAME_CHARS_MAX), "Part of every point's name in Azure.");
    let mut schema = document("Lifeboat backup policy", form::BACKUP_POLICY, &name, &spec());
    schema["$defs"] = json!({ "condition": condition(form::CONDITIONS), "placement": placement(), "point": point() });
    schema
}

/// What stands around `spec` in every document.
fn document(title: &str, kind: &str, name: &Value, spec: &Value) -> Value {
    let metadata = mapping(form::METADATA, |_| name.clone());
    let mut schema = mapping(form::DOCUMENT, |field| match field {
        "apiVersion" => json!({ "const": form::API_VERSION }),
        "kind" => json!({ "const": kind }),
        "metadata" => metadata.clone(),
        _ => spec.clone(),
    });
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(title);
    schema
}

/// The text of the committed file.
pub fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

fn spec() -> Value {
    let spec = mapping(form::SPEC, |field| match field {
        "mode" => json!({
            "description": "report: plan and tell, change nothing. enforce: plan and perform.",
            "enum": form::MODES,
            "default": form::MODES[0],
        }),
        "priority" => {
            let mut priority = described(
                whole(form::PRIORITY),
                "Of the policies that match a machine, the one with the highest is followed.",
            );
            priority["default"] = json!(form::PRIORITY_DEFAULT);
            priority
        }
        "match" => json!({ "$ref": "#/$defs/condition", "description": "The machines that the policy covers." }),
        "rpo" => span(form::AGE, "Alarm when the newest conforming point of a machine is older."),
        "vault" => described(vault(), "Protection in Azure Backup."),
        "limits" => described(limits(), "Beyond normal turnover, over any 24 hours."),
        _ => described(list("#/$defs/point", form::POINTS_MAX), "Lifeboat's own points."),
    });
    any_of(spec, form::SPEC_NEEDS)
}

fn vault() -> Value {
    mapping(form::VAULT, |field| match field {
        "placement" => {
            let places = list("#/$defs/placement", form::PLACEMENTS_MAX);
            described(places, "The vault for the machines of each region; the first for a machine's region counts.")
        }
        _ => json!({
            "description": "report: tell when somebody stopped protection or changed the vault policy.",
            "enum": form::DRIFTS,
            "default": form::DRIFTS[0],
        }),
    })
}

fn placement() -> Value {
    let placement = mapping(form::PLACEMENT, |field| match field {
        "location" => location(),
        "vaults" => json!({
            "description": "Exactly one in this release: a vault in the machines' subscription and region.",
            "type": "array",
            "minItems": 1,
            "maxItems": form::VAULTS_MAX,
            "items": azure_name(form::AZURE_NAME_CHARS_MAX),
        }),
        "vaultPolicyFromTag" => {
            let key = azure_name(form::TAG_KEY_CHARS_MAX);
            described(key, "The key of a machine's tag whose value names the vault policy; asked first.")
        }
        _ => described(azure_name(form::AZURE_NAME_CHARS_MAX), "The vault policy where no tag names one."),
    });
    any_of(placement, form::PLACEMENT_NEEDS)
}

fn limits() -> Value {
    let usual = Limits::default();
    mapping(form::LIMITS, |field| {
        let (bounds, default, says) = match field {
            "expirePerDay" => (form::PER_DAY, usual.expire_per_day, "Points that may expire."),
            "expirePercentPerDay" => {
                let says = "Points that may expire, as a share of the policy's points; the larger of both counts.";
                (form::PERCENT, usual.expire_percent_per_day, says)
            }
            _ => (form::PER_DAY, usual.new_protections_per_day, "Machines whose protection in a vault may be begun."),
        };
        let mut limit = described(whole(bounds), says);
        limit["default"] = json!(default);
        limit
    })
}

fn point() -> Value {
    let point = mapping(form::POINT, |field| match field {
        "name" => {
            described(name(form::ENTRY_NAME_CHARS_MAX), "Unique in the policy; part of the point's name in Azure.")
        }
        "kind" => json!({
            "description": "restorePoint: atomic over the machine's disks. snapshot: a set of incremental snapshots, one a disk, not atomic.",
            "enum": form::POINT_KINDS,
        }),
        "consistency" => mapping(
            form::CONSISTENCY,
            |_| json!({ "description": "The least with which a point conforms; crash where nothing is said.", "enum": form::CONSISTENCIES }),
        ),
        "schedule" => mapping(form::SCHEDULE, |field| match field {
            "cron" => json!({
                "description": "Minute, hour, day of the month, month, day of the week.",
                "type": "string",
                "minLength": 1,
                "maxLength": CRON_BYTES_MAX,
            }),
            _ => json!({
                "description": "An IANA time zone, as Europe/Berlin.",
                "type": "string",
                "minLength": 1,
                "maxLength": form::ZONE_CHARS_MAX,
            }),
        }),
        "onCreate" => {
            let within = span(form::WITHIN, "How old a machine may be and still count as new.");
            described(mapping(form::ON_CREATE, |_| within.clone()), "A point for each machine that is created.")
        }
        "excludeDisks" => {
            let disks = mapping(form::EXCLUDE_DISKS, |_| tag());
            described(disks, "Data disks that are left out; never the OS disk.")
        }
        "keep" => described(keep(), "A point stays when one of these keeps it. Without `keep`, all stay."),
        _ => json!({
            "description": "keepLast: all stay for two weeks, then all but the newest restorable one are due.",
            "enum": form::WHEN_DELETED,
            "default": form::WHEN_DELETED[0],
        }),
    });
    any_of(point, form::POINT_NEEDS)
}

fn keep() -> Value {
    let keep = mapping(form::KEEP, |field| {
        let says = match field {
            "within" => return span(form::KEEP_WITHIN, "All that are at most so much older than the newest."),
            "last" => "The newest so many.",
            "min" => "So many stay at least, of each machine and entry; 1 where nothing is said.",
            _ => "The newest of each such period that has one, for so many periods.",
        };
        described(whole(form::KEEP_COUNT), says)
    });
    any_of(keep, form::KEEP_NEEDS)
}

fn condition(conditions: &[Field]) -> Value {
    let several = json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/condition" } });
    let pattern = json!({
        "description": "* is any run of characters, ? is one; upper and lower case are the same.",
        "type": "string",
        "minLength": 1,
        "maxLength": form::PATTERN_CHARS_MAX,
    });
    let one = mapping(conditions, |field| match field {
        "all" => described(several.clone(), "Every one holds."),
        "any" => described(several.clone(), "At least one holds."),
        "not" => json!({ "$ref": "#/$defs/condition" }),
        "tag" => tag(),
        "subscription" => {
            json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$" })
        }
        "location" => location(),
        "os" => json!({ "enum": form::SYSTEMS }),
        "noConformingPointFor" => {
            span(form::AGE, "The newest conforming point is at least so old, or there is none; not known is neither.")
        }
        _ => pattern.clone(),
    });
    exactly_one(described(
        one,
        "A machine that something else manages is covered only where a name without wildcards names it.",
    ))
}

/// Exactly one field is there.
fn exactly_one(mut schema: Value) -> Value {
    schema["minProperties"] = json!(1);
    schema["maxProperties"] = json!(1);
    schema
}

fn tag() -> Value {
    json!({
        "description": "A tag's key and what its value looks like; values with regard to case.",
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "propertyNames": { "minLength": 1, "maxLength": form::TAG_KEY_CHARS_MAX },
        "additionalProperties": { "type": "string", "maxLength": form::PATTERN_CHARS_MAX },
    })
}

fn location() -> Value {
    json!({
        "description": "A region, as westeurope.",
        "type": "string",
        "pattern": "^[A-Za-z0-9 ]*[A-Za-z0-9][A-Za-z0-9 ]*$",
        "maxLength": form::PATTERN_CHARS_MAX,
    })
}

fn azure_name(chars_max: usize) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": chars_max })
}

fn whole(bounds: Whole) -> Value {
    json!({ "type": "integer", "minimum": bounds.least, "maximum": bounds.most })
}

/// The bounds of a duration are beyond a schema; people read them in the description.
fn span(bounds: Span, says: &str) -> Value {
    json!({
        "description": format!("{says} {} to {}.", bounds.least, bounds.most),
        "type": "string",
        "pattern": "^[0-9]{1,6}[mhd]$",
    })
}

fn list(of: &str, items_max: usize) -> Value {
    json!({ "type": "array", "minItems": 1, "maxItems": items_max, "items": { "$ref": of } })
}

/// At least one of these fields is there.
fn any_of(mut schema: Value, names: &[&str]) -> Value {
    schema["anyOf"] = names.iter().map(|name| json!({ "required": [name] })).collect();
    schema
}

/// A mapping of the fields that this release acts on, and of nothing else.
fn mapping(form: &[Field], of: impl Fn(&str) -> Value) -> Value {
    let now = || form.iter().filter(|field| field.standing != Standing::Later);
    let properties: Map<String, Value> = now().map(|field| (field.name.to_string(), of(field.name))).collect();
    let mut schema = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    let required: Vec<&str> =
        now().filter(|field| field.standing == Standing::Required).map(|field| field.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn name(chars_max: usize) -> Value {
    json!({ "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "maxLength": chars_max })
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = json!(description);
    schema
}

//! Reads `spec.traffic`: which endpoint of which profile is moved to which, and what shows that it was.
//! It never knows which profiles there are; which endpoints are refused for what they are, the estate says.

use lifeboat_planning::recovery::{Traffic, Verify};
use std::collections::BTreeMap;

use super::fault::{NoUrl, RecoveryFault};
use super::{form, url};
use crate::policy::form::AZURE_NAME_CHARS_MAX;
use crate::policy::problem::Fault;
use crate::policy::reader::{Complaint, Reader};
use crate::policy::tree::Node;

const PROFILE: &str = "the name of a Traffic Manager profile";
const ENDPOINT: &str = "the name of an endpoint of the profile";

/// Reads the items.
pub fn read(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Vec<Traffic>> {
    let items = reader.list_of_at_most(node, path, form::TRAFFIC_MAX)?;
    let read: Vec<_> = items.iter().enumerate().map(|(i, item)| one(reader, item, &format!("{path}[{i}]"))).collect();
    let mut first_lines: BTreeMap<(String, String), u32> = BTreeMap::new();
    for (i, (item, traffic)) in items.iter().zip(&read).enumerate() {
        let Some(traffic) = traffic else { continue };
        // What is enabled by one item and disabled by another ends as whichever comes last.
        for (field, endpoint) in [("from", &traffic.from), ("to", &traffic.to)] {
            let at = item.place_of(field);
            let (profile, endpoint) = (traffic.profile.clone(), endpoint.clone());
            let key = (profile.to_lowercase(), endpoint.to_lowercase());
            let Some(first_line) = first_lines.get(&key).copied() else {
                first_lines.insert(key, at.line);
                continue;
            };
            let fault = Fault::RecoveryPlan(RecoveryFault::EndpointTwice { endpoint, profile, first_line });
            let complaint = Complaint::of(fault).expected("one item for each endpoint");
            reader.complain(at, &format!("{path}[{i}].{field}"), complaint);
        }
    }
    read.into_iter().collect()
}

fn one(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Traffic> {
    let fields = reader.fields(node, path, form::TRAFFIC)?;
    let mut name = |field: &str, expected: &str| {
        let path = format!("{path}.{field}");
        let node = fields.get(field)?;
        reader.azure_name(node, &path, expected, AZURE_NAME_CHARS_MAX).map(str::to_string)
    };
    let (profile, from, to) = (name("profile", PROFILE), name("from", ENDPOINT), name("to", ENDPOINT));
    let lower = |name: &Option<String>| name.as_ref().map(|name| name.to_lowercase());
    let same = lower(&from) == lower(&to);
    if let (Some(to), Some(node), true) = (&to, fields.get("to"), same) {
        let fault = Fault::RecoveryPlan(RecoveryFault::SameEndpoint(to.clone()));
        let complaint = Complaint::of(fault).expected("another endpoint than `from`");
        reader.complain(node.at, &format!("{path}.to"), complaint);
    }
    let verify = fields.get("verify").and_then(|n| verify(reader, n, &format!("{path}.verify")));
    // Told already: it is not told of the endpoint a second time, as of one that is moved twice.
    if same {
        return None;
    }
    Some(Traffic { profile: profile?, from: from?, to: to?, verify: verify? })
}

fn verify(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Verify> {
    let fields = reader.fields(node, path, form::VERIFY)?;
    let url = fields.get("url").and_then(|n| address(reader, n, &format!("{path}.url")));
    let within = fields.get("within").and_then(|n| reader.span(n, &format!("{path}.within"), form::VERIFY_WITHIN));
    Some(Verify { url: url?, within: within? })
}

fn address(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<String> {
    let expected = "a URL that is asked from outside, as https://shop.example/healthz or tcp://shop.example:1433";
    let text = reader.text(node, path, expected, form::URL_CHARS_MAX)?;
    match url::check(text) {
        Ok(_) => Some(text.to_string()),
        Err(why) => {
            let expected = if why == NoUrl::Nobodys { "the name or address of the workload" } else { expected };
            let complaint = Complaint::of(Fault::RecoveryPlan(RecoveryFault::NoUrl(why))).expected(expected);
            reader.complain(node.at, path, complaint);
            None
        }
    }
}

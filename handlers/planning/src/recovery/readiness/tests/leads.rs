//! Where endpoints lead, and what follows: a sentence for each endpoint and each address.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use alloc::{format, vec};

use super::*;

/// An endpoint that names an address or a name.
pub(super) fn by_name(name: &str, target: &str) -> EndpointSeen {
    EndpointSeen { name: name.into(), target: EndpointTarget::Name(target.into()) }
}

/// The public addresses in scope: one of each side, and one of a third region.
pub(super) fn addresses() -> AddressesSeen {
    let address = |region: &str, location: &str, last: u8| AddressSeen {
        name: format!("pip-{region}"),
        location: location.into(),
        ip: Some(format!("203.0.113.{last}")),
        fqdn: Some(format!("{region}.example.net")),
        holder: Some(format!("/x/networkInterfaces/web-1-nic-{region}")),
    };
    let all = vec![
        address("weu", "westeurope", 1),
        address("neu", "northeurope", 2),
        address("uks", "uksouth", 3),
        AddressSeen { ip: Some("2001:db8::2".into()), fqdn: None, holder: None, ..address("weu-6", "West Europe", 4) },
    ];
    AddressesSeen { all: Arc::new(all), whole: true }
}

fn by_id(read: Known<AddressSeen>) -> EndpointTarget {
    EndpointTarget::Address { name: "pip-named".into(), read }
}

fn lying_in(location: &str) -> EndpointTarget {
    let named = AddressSeen { name: "pip-named".into(), location: location.into(), ip: None, fqdn: None, holder: None };
    by_id(Known::Is(named))
}

fn named(target: &str) -> EndpointTarget {
    EndpointTarget::Name(target.into())
}

/// What is told where an endpoint names this; all lists read, or a part of them missing.
fn told_of(endpoint: usize, target: EndpointTarget, whole: bool) -> (State, Vec<String>, Vec<String>) {
    let mut seen = seen();
    seen.traffic[0].endpoints[endpoint].target = target;
    seen.addresses.whole = whole;
    let judged = judge(&plan(), &seen, at(100));
    let notes = judged.notes.iter().filter(|note| **note != Note::CapacityNotKnown).map(ToString::to_string);
    (judged.state, judged.reasons.iter().map(ToString::to_string).collect(), notes.collect())
}

const OURS: &str = "endpoint neu of profile tm-shop";
const ELSEWHERE: &str = ": lead it to an address or a balancer in northeurope";

/// What the target's endpoint names; then what is said of it, and whether that keeps the recovery plan from being ready.
fn cases() -> Vec<(EndpointTarget, bool, bool, String)> {
    let leads = |to: &str| format!("{OURS} leads to public address {to}");
    let nobody =
        |to: &str| format!("{OURS} leads to {to}, which is no public address in scope: nothing tells where that is");
    let unread = || format!("where {OURS} leads could not be read");
    let lost = |held: &str| leads(&format!("{held} in the region that may be lost{ELSEWHERE}"));
    let balancer =
        EndpointTarget::Resource("/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/shop".into());
    vec![
        // In the target region: by address, by name, by id; names and regions in any case.
        (named("203.0.113.2"), true, true, leads("pip-neu in northeurope")),
        (named("NEU.Example.NET."), true, true, leads("pip-neu in northeurope")),
        (lying_in("North Europe"), true, true, leads("pip-named in northeurope")),
        // It was found, whatever else could not be read.
        (named("neu.example.net"), false, true, leads("pip-neu in northeurope")),
        (lying_in("northeurope"), false, true, leads("pip-named in northeurope")),
        // In the region that may be lost: an old machine's.
        (named("203.0.113.1"), true, false, lost("pip-weu, held by web-1-nic-weu,")),
        (named("Weu.example.net"), true, false, lost("pip-weu, held by web-1-nic-weu,")),
        (named("2001:0DB8:0::0:2"), true, false, lost("pip-weu-6")),
        (named("weu.example.net"), false, false, lost("pip-weu, held by web-1-nic-weu,")),
        (lying_in("West Europe"), true, false, lost("pip-named")),
        // In a third one.
        (named("uks.example.net"), true, false, leads(&format!("pip-uks in uksouth{ELSEWHERE}"))),
        (lying_in("uksouth"), true, false, leads(&format!("pip-named in uksouth{ELSEWHERE}"))),
        // Gone.
        (by_id(Known::Absent), true, false, leads(&format!("pip-named, which is not there{ELSEWHERE}"))),
        // Nobody can know it.
        (named("shop.another-cloud.example"), true, true, nobody("shop.another-cloud.example")),
        (named("198.51.100.7"), true, true, nobody("198.51.100.7")),
        (balancer.clone(), true, true, nobody("shop")),
        (balancer, false, true, nobody("shop")),
        // Not read is not found nowhere.
        (named("shop.another-cloud.example"), false, false, unread()),
        (named("198.51.100.7"), false, false, unread()),
        (by_id(Known::Unknown), true, false, unread()),
        (EndpointTarget::NotTold, true, false, unread()),
    ]
}

#[test]
fn a_recovery_plan_is_ready_only_where_its_target_endpoint_leads_to_the_target_side_or_where_nobody_can_know() {
    for (target, whole, ready, text) in cases() {
        let (state, reasons, notes) = told_of(1, target.clone(), whole);
        let (told, silent) = if ready { (notes, reasons) } else { (reasons, notes) };
        let old = |text: &String| text.contains("the old side's");
        assert_eq!(told, [text.as_str()], "{target:?} {whole}");
        assert_eq!(silent.iter().filter(|text| !old(text)).count(), 0, "{target:?} {whole}: {silent:?}");
        assert_eq!(state, if ready { State::Ready } else { State::NotReady }, "{target:?} {whole}");
    }
}

#[test]
fn of_an_old_endpoint_it_is_a_note_that_it_leads_to_the_target_side_or_could_not_be_read_and_nothing_else_is_said() {
    let old = "endpoint weu of profile tm-shop, the old side's, leads";
    let there = |name: &str| Some(format!("{old} to public address {name} on the target side"));
    let unread = || Some("where endpoint weu of profile tm-shop, the old side's, leads could not be read".to_string());
    let neu = "endpoint neu of profile tm-shop leads to public address pip-neu in northeurope";
    for (target, whole, told) in [
        (named("NEU.example.net"), true, there("pip-neu")),
        (lying_in("northeurope"), true, there("pip-named")),
        (named("weu.example.net"), true, None),
        (named("uks.example.net"), true, None),
        (named("shop.another-cloud.example"), true, None),
        (by_id(Known::Absent), true, None),
        (named("shop.another-cloud.example"), false, unread()),
        (by_id(Known::Unknown), true, unread()),
    ] {
        let (state, reasons, notes) = told_of(0, target.clone(), whole);
        let expected: Vec<String> = [neu.to_string()].into_iter().chain(told).collect();
        assert_eq!((state, reasons, notes), (State::Ready, vec![], expected), "{target:?} {whole}");
    }
}

#[test]
fn of_two_addresses_of_one_name_the_one_that_lies_elsewhere_counts() {
    for order in [[0, 1], [1, 0]] {
        let mut seen = seen();
        let all = addresses().all;
        let named = |at: usize| AddressSeen { fqdn: Some("twice.example.net".into()), ..all[at].clone() };
        seen.addresses.all = Arc::new(order.map(named).to_vec());
        seen.traffic[0].endpoints[1].target = EndpointTarget::Name("twice.example.net".into());
        assert_eq!(judge(&plan(), &seen, at(100)).state, State::NotReady, "{order:?}");
    }
}

#[test]
fn the_silence_of_the_region_explains_no_address_and_of_a_profile_that_was_not_read_no_address_is_asked() {
    let mut seen = seen();
    seen.source_silent = true;
    seen.traffic[0].endpoints[1].target = EndpointTarget::Name("weu.example.net".into());
    assert_eq!(judge(&plan(), &seen, at(100)).state, State::NotReady);
    seen.traffic[0].facts = Known::Unknown;
    let told: Vec<String> = judge(&plan(), &seen, at(100)).reasons.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["nobody answers in the region that may be lost", "profile tm-shop could not be read"]);
}

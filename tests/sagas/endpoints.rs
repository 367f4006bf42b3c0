//! Where the endpoints of a recovery plan's profile lead: each to an address of its own side, as far as anybody can know it.
//! It never asks what answers there.

use std::time::Duration;

use lifeboat_azure::public_addresses;
use lifeboat_planning::recovery::readiness::State;
use lifeboat_simulator::azure::{ArmFault, ArmFaultEffect, EndpointLead, PublicAddressSeed, RegionTrouble};
use lifeboat_tests::failing_over::{ENDPOINTS, OTHER, OTHER_GROUP, Stage};
use lifeboat_tests::rig::{GROUP, LOCATION, SUBSCRIPTION};
use tokio::time::Instant;

const UNREAD: &str = "where endpoint neu of profile tm-shop leads could not be read";
const OLD_UNREAD: &str = "where endpoint weu of profile tm-shop, the old side's, leads could not be read";
const THERE: &str = "endpoint neu of profile tm-shop leads to public address pip-neu in northeurope";
const NOBODY: &str = "endpoint neu of profile tm-shop leads to neu.example.net, which is no public address in scope: nothing \
                      tells where that is";
const GONE: &str = "endpoint neu of profile tm-shop leads to public address pip-gone, which is not there: lead it to an address or \
                    a balancer in northeurope";
const OLD_ADDRESS: &str = "endpoint neu of profile tm-shop leads to public address pip-weu, held by web-1VMNic, in the region that \
                           may be lost: lead it to an address or a balancer in northeurope";
const OLD_SIDE: &str =
    "endpoint weu of profile tm-shop, the old side's, leads to public address pip-neu on the target side";

/// A public address of each side: the old one is the front machine's.
fn addresses() -> [PublicAddressSeed; 2] {
    let nic = "Microsoft.Network/networkInterfaces/web-1VMNic/ipConfigurations/ipconfig";
    let holder = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/{nic}");
    let address = |group: &str, name: &str, location: &str, last: u8, holder| PublicAddressSeed {
        subscription: SUBSCRIPTION.to_owned(),
        group: group.to_owned(),
        name: format!("pip-{name}"),
        location: location.to_owned(),
        ip: format!("203.0.113.{last}"),
        label: Some(format!("shop-{name}")),
        holder,
    };
    [address(GROUP, "weu", LOCATION, 1, Some(holder)), address(OTHER_GROUP, "neu", OTHER, 2, None)]
}

/// A stage with both, and its recovery plan in force.
fn stage(seed: u64) -> Stage {
    let stage = Stage::new(seed);
    stage.in_force();
    for address in addresses() {
        stage.azure.arm.add_public_address(&address);
    }
    stage
}

fn named(name: &str) -> EndpointLead {
    EndpointLead::Target(name.to_owned())
}

fn by_id(address: &PublicAddressSeed) -> EndpointLead {
    EndpointLead::Resource(address.id().to_uppercase())
}

/// Leads both endpoints somewhere and looks; whether it is ready, with the reasons, and the notes but for the one about capacity.
async fn look(stage: &Stage, weu: &EndpointLead, neu: &EndpointLead) -> (State, Vec<String>, Vec<String>) {
    for (endpoint, lead) in [(ENDPOINTS.0, weu), (ENDPOINTS.1, neu)] {
        stage.azure.arm.lead(&stage.profile, endpoint, lead).expect("it is led there");
    }
    stage.look_at_readiness().await;
    let record = stage.readiness();
    let notes = record.notes.iter().filter(|note| note.contains("endpoint")).cloned().collect();
    (record.state, record.reasons.into_iter().map(|reason| reason.text).collect(), notes)
}

#[tokio::test(start_paused = true)]
async fn a_recovery_plan_is_ready_only_where_its_target_endpoint_leads_to_no_address_of_the_old_side() {
    let stage = stage(71);
    let [weu, neu] = addresses();
    let fqdn = |address: &PublicAddressSeed| named(&address.fqdn().expect("a name").to_uppercase());
    let gone = PublicAddressSeed { name: "pip-gone".to_owned(), ..neu.clone() };
    let balancer = EndpointLead::Resource(format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/{OTHER_GROUP}/providers/Microsoft.Web/sites/neu.example.net"
    ));
    let old = named("weu.example.net");
    for (from, to, reason, note) in [
        (&old, named(&neu.ip), None, Some(THERE)),
        (&old, fqdn(&neu), None, Some(THERE)),
        (&old, by_id(&neu), None, Some(THERE)),
        (&old, named(&weu.ip), Some(OLD_ADDRESS), None),
        (&old, fqdn(&weu), Some(OLD_ADDRESS), None),
        (&old, by_id(&weu), Some(OLD_ADDRESS), None),
        (&old, EndpointLead::Resource(gone.id()), Some(GONE), None),
        (&old, named("neu.example.net"), None, Some(NOBODY)),
        (&old, balancer, None, Some(NOBODY)),
        (&by_id(&weu), named("neu.example.net"), None, Some(NOBODY)),
        (&fqdn(&weu), by_id(&neu), None, Some(THERE)),
    ] {
        let state = if reason.is_some() { State::NotReady } else { State::Ready };
        let told = |text: Option<&str>| text.map(str::to_owned).into_iter().collect::<Vec<_>>();
        assert_eq!(look(&stage, from, &to).await, (state, told(reason), told(note)), "{from:?} {to:?}");
    }
    let (state, reasons, notes) = look(&stage, &by_id(&neu), &named(&neu.ip)).await;
    assert_eq!((state, reasons, notes), (State::Ready, vec![], vec![THERE.to_owned(), OLD_SIDE.to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn addresses_that_could_not_be_read_are_no_addresses_that_nobody_has() {
    let stage = stage(72);
    let [weu, neu] = addresses();
    let leads = [(named("weu.example.net"), named("neu.example.net")), (by_id(&weu), by_id(&neu))];
    let unread = (State::NotReady, vec![UNREAD.to_owned()], vec![OLD_UNREAD.to_owned()]);
    for (from, to) in &leads {
        stage
            .azure
            .arm
            .fault(ArmFault::new(ArmFaultEffect::InternalServerError).on_path("/publicIPAddresses").always());
        assert_eq!(look(&stage, from, to).await, unread, "{to:?}");
        stage.azure.arm.clear_faults();
        assert_eq!(look(&stage, from, to).await.0, State::Ready, "{to:?}");
    }
    stage.azure.take_right(public_addresses::GET.action);
    for (from, to) in &leads {
        assert_eq!(look(&stage, from, to).await, unread, "{to:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_of_a_region_that_hangs_costs_a_look_its_bound_and_is_neither_there_nor_gone() {
    let stage = stage(73);
    let [weu, neu] = addresses();
    assert_eq!(look(&stage, &by_id(&weu), &by_id(&neu)).await.0, State::Ready);
    stage.azure.arm.set_region(LOCATION, Some(RegionTrouble::Down));
    let began = Instant::now();
    let (state, _, notes) = look(&stage, &by_id(&weu), &by_id(&neu)).await;
    assert_eq!((state, notes), (State::Silent, vec![THERE.to_owned(), OLD_UNREAD.to_owned()]));
    let (state, reasons, _) = look(&stage, &by_id(&neu), &by_id(&weu)).await;
    assert!(state == State::NotReady && reasons.contains(&UNREAD.to_owned()), "{reasons:?}");
    assert!(began.elapsed() < Duration::from_secs(2 * 30), "{:?}", began.elapsed());
}

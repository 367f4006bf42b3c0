//! The handler as the rig starts it: made anew at each start, with nothing kept from the one before.
//! It never gives it anything that a deployment would not have.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use azure_core::http::HttpClient;
use jiff::SignedDuration;
use lifeboat_execution::{Authority, Build, Connections, Lifeboat, Places, Settings};
use lifeboat_functions::host::RuntimeOptions;
use lifeboat_simulator::clock::Clock;
use lifeboat_simulator::host::HandlerFactory;

use super::{CONTAINER, DEPLOYMENT, FUNCTION_TIMEOUT, LOCATION, STARTS_MAX, SUBSCRIPTION};
use crate::identity::Identity;

/// The topic, where the deployment tells other systems what it does.
pub(crate) const TOPIC: &str = "https://lb-events.westeurope-1.eventgrid.azure.net/api/events";

/// The settings of the deployment.
pub(crate) fn settings() -> Settings {
    Settings {
        deployment: DEPLOYMENT.to_owned(),
        owned_regions: vec![LOCATION.to_owned()],
        subscriptions: vec![SUBSCRIPTION.to_owned()],
        build: Build { version: "0.0.0".to_owned(), id: "rig".to_owned() },
    }
}

/// Where the simulated Azure takes itself to be.
pub(crate) fn places() -> Places {
    Places {
        arm_url: "https://management.azure.com".to_owned(),
        store_url: format!("https://acct.blob.core.windows.net/{CONTAINER}"),
        bus_namespace: "ns.servicebus.windows.net".to_owned(),
        bus_url: None,
        events_url: None,
        authority: None,
    }
}

/// Makes the handler anew: the real routes over the real clients, with nothing kept from the one before.
pub(super) fn handlers(
    transport: Arc<dyn HttpClient>,
    header: String,
    (clock, skew): (Clock, Arc<AtomicI64>),
    seed: u64,
    (settings, tells): (Settings, Arc<AtomicBool>),
    authority: Authority,
) -> HandlerFactory {
    let started = AtomicU64::new(0);
    Arc::new(move || {
        // Each process throws its own dice: one that drew the dead one's lease id again would walk into its lease.
        let dice = seed.wrapping_mul(STARTS_MAX).wrapping_add(started.fetch_add(1, Ordering::Relaxed));
        let credential = Identity::new(Arc::clone(&transport), header.clone());
        let ahead = SignedDuration::from_secs(skew.load(Ordering::Relaxed));
        let begins = clock.now().checked_add(ahead).expect("a time");
        let own = lifeboat_execution::clock::Clock::starting_at(begins);
        let connections = Connections::new(Arc::clone(&transport), credential, own, dice);
        let events_url = tells.load(Ordering::Relaxed).then(|| TOPIC.to_owned());
        let places = Places { events_url, authority: Some(authority.clone()), ..places() };
        let mut lifeboat = Lifeboat::connect(connections, &places, settings.clone()).expect("the places are places");
        lifeboat.region = Some(LOCATION.to_owned());
        lifeboat_functions::app(Arc::new(lifeboat), RuntimeOptions::below(FUNCTION_TIMEOUT)).router()
    })
}

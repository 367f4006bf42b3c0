//! Puts the hands together: transport, credential, clients, from settings.
//! It opens no connection and asks for no token; the first call does.

use std::sync::Arc;

use lifeboat_execution::clock::Clock;
use lifeboat_execution::{Build, Connections, Lifeboat};

use crate::settings::Settings;

/// The hands of one deployment, over the wire, by the wall's time.
pub fn lifeboat(
    settings: &Settings,
    traceparent: fn() -> Option<String>,
) -> Result<Arc<Lifeboat>, lifeboat_execution::ConnectError> {
    let build = Build { version: env!("CARGO_PKG_VERSION").to_owned(), id: crate::BUILD_ID.to_owned() };
    let connections = Connections::over_https(Clock::wall(), settings.client_id.clone())
        .probing(settings.probe_hosts.clone())
        .with_traceparent(traceparent);
    let deployment = lifeboat_execution::Settings {
        deployment: settings.deployment.clone(),
        owned_regions: settings.owned_regions.clone(),
        subscriptions: settings.subscriptions.clone(),
        build,
    };
    let places = lifeboat_execution::Places {
        arm_url: settings.arm_url.clone(),
        store_url: settings.store_url.clone(),
        bus_namespace: settings.bus_namespace.clone(),
        bus_url: settings.bus_url.clone(),
        events_url: settings.events_url.clone(),
        authority: settings.authority.clone(),
    };
    let mut lifeboat = Lifeboat::connect(connections, &places, deployment)?;
    lifeboat.region.clone_from(&settings.region);
    lifeboat.replication_cache.clone_from(&settings.replication_cache);
    Ok(Arc::new(lifeboat))
}

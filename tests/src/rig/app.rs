//! The host of a rig: how it is started, and started again when it ended by itself.
//! It never stops one.

use std::sync::Arc;
use std::time::Duration;

use lifeboat_simulator::bus::Bus;
use lifeboat_simulator::clock::Clock;
use lifeboat_simulator::host::{HandlerFactory, HandlerLink, Host, HostOptions, TimerStatusStore};

use crate::gateway::Gateway;
use crate::stage;

/// The platform's pause before it starts a host that ended by itself. *Assumed*: no source gives a figure.
const RESTART_PAUSE: Duration = Duration::from_secs(5);

/// What a host is started with.
#[derive(Clone)]
pub(super) struct App {
    pub(super) clock: Clock,
    pub(super) bus: Bus,
    pub(super) factory: HandlerFactory,
    pub(super) timers: TimerStatusStore,
    pub(super) gateway: Gateway,
    pub(super) seed: u64,
    /// Whether the timers of recovery plans fire.
    pub(super) polls: bool,
}

impl App {
    /// Starts it.
    pub(super) async fn start(&self) {
        let settings = [
            ("AzureWebJobsStorage__accountName", "acct"),
            ("ServiceBus__fullyQualifiedNamespace", "ns.servicebus.windows.net"),
        ];
        let link = HandlerLink::InProcess(Arc::clone(&self.factory));
        let mut options = HostOptions::new(stage::app_root(), link, self.clock.clone());
        let disabled = if self.polls { "false" } else { "true" };
        let polls = ["AzureWebJobs.HealthPoll.Disabled", "AzureWebJobs.ReadinessSweep.Disabled"];
        let settings = settings.into_iter().chain(polls.map(|name| (name, disabled)));
        options.settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        options.bus = Some(self.bus.clone());
        options.seed = self.seed;
        options.timer_status = self.timers.clone();
        options.listen = false;
        let host = Host::start(options).await.expect("the staged app is an app");
        host.ready().await;
        self.gateway.put(Some(Arc::new(host)));
    }

    /// Starts the host again whenever it has ended by itself.
    pub(super) async fn watch(self) {
        while let Some(host) = self.gateway.host() {
            host.stopped().await;
            drop(host);
            tokio::time::sleep(RESTART_PAUSE).await;
            self.gateway.put(None);
            self.start().await;
        }
    }
}

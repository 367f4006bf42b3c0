//! Puts the hands together: where Azure is, as whom, over which transport, by which clock.
//! It opens no connection and asks for no token; the first call does.

use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_core::http::HttpClient;
use azure_core::http::Url;
use lifeboat_azure::access::{Random, TraceParent};
use lifeboat_azure::blobs::Store;
use lifeboat_azure::entra::{Authority, Directory};
use lifeboat_azure::event_topic::Topic;
use lifeboat_azure::reading::Reading;
use lifeboat_azure::service_bus::Sender;
use lifeboat_azure::{Access, ArmClient, Error, credentials, probe, transport};
use lifeboat_contract::command::{Command, Refused, Token};
use lifeboat_contract::recovery::{Reached, address_reached};

use crate::budget::Reserved;
use crate::clock::Clock;
use crate::lifeboat::Lifeboat;
use crate::outbox::Outbox;
use crate::policies::Kept;
use crate::settings::Settings;

/// Azure Resource Manager of the public cloud.
pub const ARM_URL: &str = "https://management.azure.com";

/// Where things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Azure Resource Manager.
    pub arm_url: String,
    /// The blob container that is the store.
    pub store_url: String,
    /// Service Bus namespace.
    pub bus_namespace: String,
    /// Where Service Bus is, if not at its namespace.
    pub bus_url: Option<String>,
    /// The Event Grid topic that other systems listen to; nobody is told where there is none.
    pub events_url: Option<String>,
    /// Where the tokens of persons come from, if any are taken.
    pub authority: Option<Authority>,
}

/// How Azure is reached: the one seam, the credential, the clock, the dice.
#[derive(Clone, Debug)]
pub struct Connections {
    access: Access,
    clock: Clock,
    probes: Arc<dyn HttpClient>,
}

/// Why the hands cannot be put together. Repeating is pointless.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// An address is no URL.
    #[error("{what} is not an address: {text}")]
    Address {
        /// Whose address.
        what: &'static str,
        /// What was given.
        text: String,
    },
    /// A URL that cannot be one of Azure's.
    #[error("Azure cannot be reached with these settings")]
    Unusable(#[from] Error),
}

fn url(what: &'static str, text: &str) -> Result<Url, ConnectError> {
    Url::parse(text).map_err(|_| ConnectError::Address { what, text: text.to_owned() })
}

/// The transport of probes: to addresses that are asked from everywhere, to those inside a network only where the host is named, and never
/// to Azure's own on the link.
fn probes_of(inside: Vec<String>) -> Arc<dyn HttpClient> {
    probe::over_http(Arc::new(move |host, address| match address_reached(address) {
        None => false,
        Some(Reached::Outside) => true,
        Some(Reached::Inside) => {
            let host = host.trim_end_matches('.');
            inside.iter().any(|own| own.trim_end_matches('.').eq_ignore_ascii_case(host))
        }
    }))
}

impl Connections {
    /// Over any transport, as anybody: a simulated Azure is put in here.
    pub fn new(transport: Arc<dyn HttpClient>, credential: Arc<dyn TokenCredential>, clock: Clock, seed: u64) -> Self {
        let probes = Arc::clone(&transport);
        let access = Access::new(transport, credential, Arc::new(move || clock.now()), Random::seeded(seed));
        Self { access, clock, probes }
    }

    /// Over HTTPS, as the managed identity: system-assigned, or the user-assigned one with this client id.
    pub fn over_https(clock: Clock, client_id: Option<String>) -> Self {
        let transport = transport::https();
        let credential = credentials::managed_identity(Arc::clone(&transport), client_id);
        let access = Access::new(transport, credential, Arc::new(move || clock.now()), Random::from_system());
        Self { access, clock, probes: probes_of(Vec::new()) }
    }

    /// Over HTTPS, as the person who is signed in to `az` or `azd` on this machine.
    pub fn signed_in() -> Self {
        let clock = Clock::wall();
        let (transport, credential) = (transport::https(), credentials::developer());
        let access = Access::new(transport, credential, Arc::new(move || clock.now()), Random::from_system());
        Self { access, clock, probes: probes_of(Vec::new()) }
    }

    /// A command that is given now, read as the handler reads it. Without an id it gets a new one.
    pub fn command(
        &self,
        id: Option<&str>,
        source: &str,
        name: &str,
        data: serde_json::Value,
        dry_run: bool,
    ) -> Result<Command, Refused> {
        let id = id.map_or_else(|| self.access.random.uuid().to_string(), str::to_owned);
        Command::draft(&id, source, name, data, dry_run, self.clock.now())
    }

    /// An access token of whoever is signed in, for an application: its identifier URI, or its client id. It is the caller's to keep
    /// from others.
    pub async fn token_for(&self, audience: &str) -> Result<Token, azure_core::Error> {
        let scheme = if audience.contains("://") { "" } else { "api://" };
        let scope = format!("{scheme}{}/.default", audience.trim_end_matches('/'));
        let token = self.access.credential.get_token(&[&scope], None).await?;
        Ok(Token::new(token.token.secret()))
    }

    /// For whoever only looks: what could change anything is not sent, whoever asks for it.
    #[must_use]
    pub fn reading_only(mut self) -> Self {
        self.access.transport = Reading::over(self.access.transport);
        self
    }

    /// Probes may ask these hosts although they are inside a network: each as it stands in a URL.
    #[must_use]
    pub fn probing(mut self, inside: Vec<String>) -> Self {
        self.probes = probes_of(inside);
        self
    }

    /// What clients are made of.
    pub(crate) fn parts(&self) -> (&Access, Clock) {
        (&self.access, self.clock)
    }

    /// Continues the caller's trace in every request.
    #[must_use]
    pub fn with_traceparent(mut self, hook: TraceParent) -> Self {
        self.access = self.access.with_traceparent(hook);
        self
    }
}

impl Lifeboat {
    /// One deployment's hands.
    pub fn connect(connections: Connections, places: &Places, settings: Settings) -> Result<Self, ConnectError> {
        let Connections { access, clock, probes } = connections;
        let bus = places.bus_url.clone().unwrap_or_else(|| format!("https://{}", places.bus_namespace));
        let store = Store::new(url("the store", &places.store_url)?, &access)?;
        let outbox = match &places.events_url {
            Some(topic) => {
                let topic = Topic::new(url("the event topic", topic)?, &access)?;
                Outbox::on(store.clone(), topic, &settings.deployment)
            }
            None => Outbox::off(store.clone()),
        };
        Ok(Self {
            arm: ArmClient::new(url("Azure Resource Manager", &places.arm_url)?, &access)?,
            store,
            outbox,
            sender: Sender::new(url("Service Bus", &bus)?, &access)?,
            probes,
            directory: places.authority.clone().map(|authority| Directory::new(authority, &access)).transpose()?,
            clock,
            reserved: Reserved::default(),
            policies: Kept::default(),
            region: None,
            replication_cache: None,
            settings,
            started_at: clock.now(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifeboat_azure::probe::{Probed, ask};

    #[tokio::test]
    async fn a_probe_goes_inside_only_where_the_host_is_named_and_never_to_the_link() {
        let unsent = Probed::NotSent("the name leads to an address that is not asked");
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let inside = format!("http://127.0.0.1:{port}/healthz").parse().expect("a URL");
        assert_eq!(ask(probes_of(Vec::new()).as_ref(), &inside).await, unsent);
        assert_eq!(ask(probes_of(vec!["10.0.0.1".to_owned()]).as_ref(), &inside).await, unsent);
        assert_eq!(ask(probes_of(vec!["127.0.0.1".to_owned()]).as_ref(), &inside).await, Probed::NoAnswer);
        let link: Url = "http://169.254.169.254/metadata/identity".parse().expect("a URL");
        let named = probes_of(vec!["169.254.169.254".to_owned()]);
        assert_eq!(ask(named.as_ref(), &link).await, unsent);
    }
}

//! A person's eyes: reads Azure and the store by their own sign-in, as the handler does, to say what it would do.
//! It never changes anything, in Azure or in the store: what could is not even sent ([`Connections::reading_only`]).

use lifeboat_planning::creation::region;

use crate::connect::{ConnectError, Connections, Places};
use crate::lifeboat::Lifeboat;
use crate::settings::Settings;

/// Stands for what is not there to be asked: a name that never resolves (RFC 6761).
const NOWHERE: &str = "nowhere.invalid";

/// A person's eyes.
#[derive(Debug)]
pub struct Onlooker {
    /// The hands of a handler, over a transport that carries questions alone.
    pub(crate) lifeboat: Lifeboat,
    /// Whether there is a store to ask.
    pub(crate) has_store: bool,
}

impl Onlooker {
    /// A person's eyes on what a deployment with these settings sees. Nothing is sent. Regions may be written as Azure shows them.
    ///
    /// # Errors
    /// An address that is none.
    pub fn connect(
        connections: &Connections,
        arm_url: &str,
        store_url: Option<&str>,
        settings: Settings,
    ) -> Result<Self, ConnectError> {
        let places = Places {
            arm_url: arm_url.to_owned(),
            store_url: store_url.map_or_else(|| format!("https://{NOWHERE}/store"), ToOwned::to_owned),
            bus_namespace: NOWHERE.to_owned(),
            bus_url: None,
            events_url: None,
            authority: None,
        };
        let owned_regions = settings.owned_regions.iter().map(|text| region(text)).collect();
        let settings = Settings { owned_regions, ..settings };
        let lifeboat = Lifeboat::connect(connections.clone().reading_only(), &places, settings)?;
        Ok(Self { lifeboat, has_store: store_url.is_some() })
    }
}

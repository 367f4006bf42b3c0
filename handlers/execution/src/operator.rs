//! What a person does with the store by their own sign-in: begin it, adopt it, put policies in force, read its ledgers and evidence.
//! It never changes anything in Azure but the store, and never acts as the handler.

use std::collections::BTreeMap;

use azure_core::http::Url;
use jiff::Timestamp;
use lifeboat_azure::access::Random;
use lifeboat_azure::blobs::Store;
use lifeboat_azure::{ArmClient, Error, ResourceId, graph};

use crate::bundle::Bundle;
use crate::clock::Clock;
use crate::connect::{ConnectError, Connections};
use crate::estate::{self, Estate, InitError};
use crate::outbox::{self, Told};
use crate::perform::{ESTATE_TAG, OWNER_TAG};
use crate::policies::{self, PushError, Pushed};
use crate::readiness::shown::{self, Shown};
use crate::saga::SagaError;
use crate::saga::followed::{self, Ahead, AheadError, Followed};
use crate::signals::region::{self, RegionEvidence};
use crate::story::{self, About, Story};
use crate::swap::SwapError;
use crate::vault_verdicts::{self, VaultVerdicts};

/// A person's hands on the store.
#[derive(Debug)]
pub struct Operator {
    arm: ArmClient,
    store: Store,
    clock: Clock,
    random: Random,
}

/// Why a store was not adopted.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// Which estate ids are in use could not be read. Repeating is safe.
    #[error("Azure did not say which collections there are")]
    Azure(#[from] Error),
    /// The record was not written.
    #[error(transparent)]
    Init(#[from] InitError),
}

impl Operator {
    /// A person's hands. Nothing is sent.
    pub fn connect(connections: &Connections, arm_url: &str, store_url: &str) -> Result<Self, ConnectError> {
        let url =
            |what, text: &str| Url::parse(text).map_err(|_| ConnectError::Address { what, text: text.to_owned() });
        let (access, clock) = connections.parts();
        Ok(Self {
            arm: ArmClient::new(url("Azure Resource Manager", arm_url)?, access)?,
            store: Store::new(url("the store", store_url)?, access)?,
            clock,
            random: access.random.clone(),
        })
    }

    /// Writes the estate record of a new store.
    pub async fn init(&self, deployment: &str) -> Result<Estate, InitError> {
        estate::init(&self.store, deployment, &self.new_id(), self.now()).await
    }

    /// Writes the estate record of a store that has lost its own, under the id that the deployment's collections carry. What the
    /// person may not read is not asked: the subscriptions should be all that are in scope.
    pub async fn adopt(&self, deployment: &str, subscriptions: &[String]) -> Result<Estate, AdoptError> {
        let made = graph::collections_tagged(&self.arm, subscriptions, OWNER_TAG, deployment).await?;
        let mut carried: BTreeMap<String, usize> = BTreeMap::new();
        for row in &made {
            let id = row.tags.iter().find(|(name, _)| name.eq_ignore_ascii_case(ESTATE_TAG)).map(|(_, id)| id);
            if let Some(id) = id {
                *carried.entry(id.clone()).or_default() += 1;
            }
        }
        Ok(estate::adopt(&self.store, deployment, &carried, &self.new_id(), self.now()).await?)
    }

    /// Puts policies in force.
    pub async fn push(&self, bundle: &Bundle) -> Result<Pushed, PushError> {
        policies::push(&self.store, bundle, self.now()).await
    }

    /// What the ledgers tell of a machine or a point. Nothing is changed.
    pub async fn story(&self, about: About) -> Result<Story, Error> {
        story::read(&self.store, about).await
    }

    /// The events that other systems were told last, oldest first. Nothing is changed.
    pub async fn told(&self) -> Result<Vec<Told>, SwapError> {
        outbox::recent(&self.store).await
    }

    /// What the store has about a region, and the time of reading. Nothing is changed.
    pub async fn region(&self, name: &str) -> Result<(RegionEvidence, Timestamp), SwapError> {
        Ok((region::read(&self.store, name).await?, self.now()))
    }

    /// What the store has about a recovery plan's readiness, and the time of reading; none where it was never looked at. Nothing is
    /// changed.
    pub async fn recovery(&self, plan: &str) -> Result<(Option<Shown>, Timestamp), SwapError> {
        Ok((shown::read(&self.store, plan).await?, self.now()))
    }

    /// What an order to fail over by a recovery plan would begin, and what its last failover came to. Nothing is changed.
    pub async fn failover_ahead(&self, plan: &str) -> Result<(Ahead, Timestamp), AheadError> {
        Ok((followed::ahead(&self.store, plan, self.now()).await?, self.now()))
    }

    /// A recovery plan's failover as it was saved last. Nothing is changed.
    pub async fn failover(&self, plan: &str) -> Result<Option<Followed>, SagaError> {
        followed::read(&self.store, plan).await
    }

    /// What would make each point of a machine in vaults go. An id that is no machine's has none.
    pub async fn vault_verdicts(&self, machine: &str) -> Result<VaultVerdicts, Error> {
        let Ok(machine) = machine.parse::<ResourceId>() else { return Ok(VaultVerdicts::default()) };
        vault_verdicts::of_machine(&self.arm, &machine, self.now()).await
    }

    fn new_id(&self) -> String {
        self.random.uuid().to_string()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

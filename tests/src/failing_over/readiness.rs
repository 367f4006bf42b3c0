//! The stage's recovery plan as a document that is in force, and looks at its readiness.
//! It never writes what a look leaves.

use std::sync::Arc;

use azure_core::http::HttpClient;
use lifeboat_execution::readiness::record::{self, Record};
use lifeboat_execution::{Answer, Connections, Event, Onlooker, ReadinessSweep, Report};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::recovery::readiness::Ordered;
use lifeboat_planning::saga::failover::{FailoverOrder, Fence, PointChoice};

use super::{PLAN, Stage};
use crate::identity::Identity;
use crate::policy;
use crate::rig::handlers::{places, settings};
use crate::rig::{self, CONTAINER};

/// The recovery plan of a stage that [`Stage::new`] makes.
pub const DOCUMENT: &str = r#"apiVersion: lifeboat/v1
kind: RecoveryPlan
metadata: { name: shop }
spec:
  from: westeurope
  to: northeurope
  replication: siteRecovery
  groups:
    - { name: data, members: { name: 'db-*' }, after: [ { wait: 1m } ] }
    - { name: web, members: { name: 'web-*' }, after: [ { wait: 1m } ] }
  traffic:
    - { profile: tm-shop, from: weu, to: neu, verify: { url: "https://shop.example/healthz", within: 5m } }
  declaration:
    by: approval
    evidence: { reported: [ serviceHealth, resourceHealth ], measured: [ probe ], atLeast: 2, for: 10m }
    cooldown: 2h
    maxDataLoss: 15m
"#;

/// The same, as the handler reads it.
pub fn recovery_plan() -> RecoveryPlan {
    let read = lifeboat_contract::policy::read_documents(&[("shop.yaml", DOCUMENT)]).expect("it reads");
    read.recovery_plans.into_iter().next().expect("a recovery plan")
}

impl Stage {
    /// Puts the recovery plan in force, beside a policy.
    pub fn in_force(&self) {
        let policy = policy::document("report", "24h");
        rig::push(&self.blobs, &[("production.yaml", &policy), ("shop.yaml", DOCUMENT)], self.clock.now());
    }

    /// The timer of readiness fires; what was said.
    pub async fn look_at_readiness(&self) -> Vec<String> {
        let sweep = Event::ReadinessSweep(ReadinessSweep { past_due: false, last: None });
        match self.process().handle(sweep).await {
            Ok(Answer::Done(Report { lines })) => lines,
            other => panic!("{other:?}"),
        }
    }

    /// Processes that start from now on speak over a transport that stands before the stage's own.
    pub fn speaks_over(&mut self, over: impl FnOnce(Arc<dyn HttpClient>) -> Arc<dyn HttpClient>) {
        self.transport = over(Arc::clone(&self.transport));
    }

    /// A person's eyes on it all.
    pub fn onlooker(&self) -> Onlooker {
        self.onlooker_over(|transport| transport)
    }

    /// The same, over a transport that stands before the stage's own.
    pub fn onlooker_over(&self, over: impl FnOnce(Arc<dyn HttpClient>) -> Arc<dyn HttpClient>) -> Onlooker {
        let transport = over(Arc::clone(&self.transport));
        let credential = Identity::new(Arc::clone(&transport), self.azure.identity_header());
        let own = lifeboat_execution::clock::Clock::starting_at(self.clock.now());
        let connections = Connections::new(transport, credential, own, self.seed);
        Onlooker::connect(&connections, &places().arm_url, None, settings()).expect("the places are places")
    }

    /// What the looks left.
    pub fn readiness(&self) -> Record {
        let bytes = self.blobs.bytes(CONTAINER, &record::blob_name(PLAN)).expect("a look was kept");
        serde_json::from_slice(&bytes).expect("a record")
    }

    /// What a person says with an order that is given now.
    pub fn ordered(&self) -> Ordered {
        Ordered {
            id: format!("{PLAN}/1"),
            at: self.clock.now(),
            point: PointChoice::Latest,
            fence: Fence::Required,
            stopped_serving_at: self.clock.now(),
            loss_max: None,
            passed: Vec::new(),
            protect_back: None,
        }
    }

    /// The order that is made of what the looks saved.
    pub async fn order_of_what_was_saved(&self) -> FailoverOrder {
        let store = self.process().store;
        lifeboat_execution::readiness::order(&store, &recovery_plan(), &self.ordered()).await.expect("an order")
    }
}

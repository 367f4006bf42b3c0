//! What a test or the tour does to Azure itself, past HTTP, tokens and budgets.
//! It never does what Azure could not have come to by itself, but for planting points.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;

use super::Arm;
use super::call::{Answer, Call};
use super::errors::ArmError;
use super::identity::Principal;
use super::ids::{ResourceId, key};
use super::machine_calls;
use super::machines::MachineSeed;
use super::point::PointView;
use super::registry::{Found, find};
use super::subscriptions::{Subscription, SubscriptionState};

/// The api-version of calls made from here.
const COMPUTE_VERSION: &str = "2025-04-01";

impl Arm {
    /// Adds a subscription that is enabled, or changes the name of one.
    pub fn add_subscription(&self, id: &str, name: &str) {
        self.write_subscription(id, |before| Subscription {
            id: id.to_owned(),
            name: name.to_owned(),
            tenant: self.tenant.clone(),
            state: before.map_or(SubscriptionState::Enabled, |before| before.state),
        });
    }

    /// Changes a subscription's state; one that does not exist is added.
    pub fn set_subscription_state(&self, id: &str, state: SubscriptionState) {
        self.write_subscription(id, |before| Subscription {
            id: id.to_owned(),
            name: before.map_or(id, |before| &before.name).to_owned(),
            tenant: self.tenant.clone(),
            state,
        });
    }

    /// Makes sure that a resource group exists.
    pub fn add_group(&self, subscription: &str, name: &str, location: &str) {
        let now = self.clock.now();
        self.state().ensure_group(subscription, name, location, now);
    }

    /// Puts a machine there as if it had always been: no events. Answers its id.
    pub fn add_machine(&self, seed: &MachineSeed) -> String {
        let now = self.clock.now();
        self.state().seed_machine(seed, now)
    }

    /// Creates a machine as a deployment does: with its passing states and both its events. Answers its id.
    /// Needs a tokio runtime.
    pub fn create_machine(&self, seed: &MachineSeed) -> Result<String, String> {
        let now = self.clock.now();
        let id = seed.id();
        let call = self.own_call("PUT", &id, None);
        {
            let mut state = self.state();
            state.settle(now);
            state.ensure_group(&seed.subscription, &seed.group, &seed.location, now);
            state.write_machine(seed, &call).map_err(|refusal| refusal.message)?;
        }
        self.after_change();
        Ok(id)
    }

    /// Replaces a machine's tags: an update, with its event. Needs a tokio runtime.
    pub fn tag_machine(&self, id: &str, tags: Value) -> Result<(), String> {
        let call = self.own_call("PATCH", id, Some(serde_json::json!({ "tags": tags })));
        self.carry_out(&call, machine_calls::patch)
    }

    /// Deletes a machine as `DELETE` does, with its event. Needs a tokio runtime.
    pub fn delete_machine(&self, id: &str) -> Result<(), String> {
        let call = self.own_call("DELETE", id, None);
        self.carry_out(&call, machine_calls::delete)
    }

    /// Moves a machine to another group: another id, the same `vmId`. Answers the new id.
    pub fn move_machine(&self, id: &str, group: &str) -> Option<String> {
        let now = self.clock.now();
        self.state().move_machine(id, group, now)
    }

    /// Says that a machine's agent reports, or no longer does; says whether the machine exists.
    pub fn set_agent(&self, id: &str, ready: bool) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        let found = state.machines.get_mut(&key(id));
        let exists = found.is_some();
        if let Some(machine) = found {
            let machine = Arc::make_mut(machine);
            (machine.agent_ready, machine.agent_returns) = (ready, ready);
            (machine.agent_at, machine.view_stands) = (now, false);
        }
        exists
    }

    /// All machines, as the control API shows them.
    pub fn machines(&self) -> Vec<Value> {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        state.machines.values().map(|machine| machine_calls::shown(machine)).collect()
    }

    /// The points of a machine over all collections, oldest first.
    pub fn points_of(&self, machine: &str) -> Vec<PointView> {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        state.points_of_source(machine)
    }

    /// The points of all machines, by the machine's id in lower case, each machine's oldest first.
    pub fn points(&self) -> BTreeMap<String, Vec<PointView>> {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        state.points_by_source()
    }

    /// Ids of all collections.
    pub fn collections(&self) -> Vec<String> {
        self.state().collections.values().map(|found| found.about.id()).collect()
    }

    /// Puts a finished point into a collection behind everybody's back: no call, no event.
    pub fn plant_point(&self, collection: &str, name: &str) -> Option<PointView> {
        let now = self.clock.now();
        self.state().plant_point(collection, name, now)
    }

    /// Takes a point out of its collection behind everybody's back: no call, no event. Says whether it was there.
    pub fn lose_point(&self, collection: &str, name: &str) -> bool {
        let mut state = self.state();
        let found = state.collections.get_mut(&key(collection));
        found.is_some_and(|found| found.points.remove(&name.to_ascii_lowercase()).is_some())
    }

    /// All snapshots, as `GET` answers them.
    pub fn snapshots(&self) -> Vec<Value> {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        state.volumes(super::volume::Kind::Snapshot).values().map(|volume| volume.json(now)).collect()
    }

    /// Points that ARM accepted, ever; planted ones do not count.
    pub fn restore_points_created(&self) -> u64 {
        self.state().points_created
    }

    /// How long Resource Graph lags from now on.
    pub fn set_graph_lag(&self, lag: SignedDuration) {
        self.state().graph.set_lag(lag);
    }

    fn write_subscription(&self, id: &str, make: impl FnOnce(Option<&Subscription>) -> Subscription) {
        // A subscription is listed from the start: nobody waits for it.
        let now = self.clock.now().checked_sub(SignedDuration::from_hours(1)).unwrap_or_default();
        let mut state = self.state();
        let subscription = Arc::new(make(state.subscriptions.get(&id.to_ascii_lowercase()).map(Arc::as_ref)));
        state.list(&format!("/subscriptions/{id}"), Some(subscription.clone()), now);
        state.subscriptions.insert(id.to_ascii_lowercase(), subscription);
    }

    fn carry_out(
        &self,
        call: &Call,
        handler: fn(&mut super::state::State, &Call) -> Result<Answer, ArmError>,
    ) -> Result<(), String> {
        let outcome = {
            let mut state = self.state();
            state.settle(call.now);
            handler(&mut state, call).map(|_| ()).map_err(|refusal| refusal.message)
        };
        self.after_change();
        outcome
    }

    /// A call by the platform engineer.
    fn own_call(&self, method: &str, id: &str, body: Option<Value>) -> Call {
        let mut state = self.state();
        let (object_id, correlation_id, request_id) = (state.names.guid(), state.names.guid(), state.names.guid());
        drop(state);
        let parsed = ResourceId::parse(id);
        let params = parsed.map(|id| vec![id.subscription.clone(), id.group.clone(), id.name().to_owned()]);
        let action = match find(method, id) {
            Found::Route(route, _) => route.action,
            _ => "",
        };
        Call {
            method: method.to_owned(),
            path: id.to_owned(),
            raw_query: format!("api-version={COMPUTE_VERSION}"),
            query: vec![("api-version".to_owned(), COMPUTE_VERSION.to_owned())],
            body,
            base: "https://management.azure.com".to_owned(),
            params: params.unwrap_or_default(),
            principal: Arc::new(Principal { client_id: object_id.clone(), object_id, grants: Vec::new() }),
            client_request_id: Some(request_id),
            correlation_id,
            action,
            now: self.clock.now(),
            fails: None,
        }
    }
}

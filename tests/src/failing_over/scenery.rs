//! What stands around a recovery plan: machines that are replicated, a profile of two endpoints, and the workload's own answer.
//! It never drives anything.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode};
use lifeboat_planning::saga::failover::Member;
use lifeboat_simulator::azure::{Arm, EndpointSeed, ProfileSeed, ReplicaSeed, TargetState};

use super::{ENDPOINTS, OTHER, OTHER_GROUP};
use crate::azure::Azure;
use crate::rig::{GROUP, SUBSCRIPTION};

/// A machine, replicated for a day.
pub fn replicated(arm: &Arm, vault: &str, name: &str) -> Member {
    let old = arm.add_machine(&Azure::seed(name));
    let seed = ReplicaSeed {
        machine: old.clone(),
        vault: vault.to_owned(),
        recovery_location: OTHER.to_owned(),
        recovery_group: OTHER_GROUP.to_owned(),
        since: None,
        without_disks: Vec::new(),
        multi_vm_group: None,
    };
    let item = arm.add_replica(&seed).expect("an item");
    let machines = arm.machines();
    let vm_id = machines.iter().find(|one| one["name"] == name).and_then(|one| one["vmId"].as_str());
    let target = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/{OTHER_GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"
    );
    let old_networks = vec![super::network(GROUP, &format!("{GROUP}-vnet"))];
    let (name, old_vm_id) = (name.to_owned(), vm_id.expect("an identity").to_owned());
    Member { name, item, old, old_vm_id, old_networks, target, not_carried: Vec::new() }
}

/// A profile with an endpoint for each side, each answering while its machine runs.
pub fn profile(arm: &Arm, front: &Member) -> String {
    let (from, to) = ENDPOINTS;
    let target = |name: &str| format!("{name}.example.net");
    let endpoint = |name: &str, enabled| EndpointSeed { name: name.to_owned(), target: target(name), enabled };
    let seed = ProfileSeed {
        subscription: SUBSCRIPTION.to_owned(),
        group: OTHER_GROUP.to_owned(),
        name: "tm-shop".to_owned(),
        location: OTHER.to_owned(),
        endpoints: vec![endpoint(from, true), endpoint(to, false)],
        interval_seconds: 30,
        ttl_seconds: 30,
    };
    arm.set_target(&target(from), &TargetState::Machine(front.old.clone()));
    arm.set_target(&target(to), &TargetState::Machine(front.target.clone()));
    arm.add_profile(&seed).expect("a profile")
}

/// Answers for the workload; all else goes to Azure.
pub(super) struct Outside {
    pub(super) arm: Arm,
    pub(super) profile: String,
    pub(super) inner: Arc<dyn HttpClient>,
}

#[async_trait]
impl HttpClient for Outside {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        if request.url().host_str() != Some("shop.example") {
            return self.inner.execute_request(request).await;
        }
        let served = self.arm.served(&self.profile);
        let status = if served.is_some_and(|served| served.name == ENDPOINTS.1) {
            StatusCode::Ok
        } else {
            StatusCode::ServiceUnavailable
        };
        Ok(AsyncRawResponse::from_bytes(status, Headers::new(), bytes::Bytes::new()))
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").finish_non_exhaustive()
    }
}

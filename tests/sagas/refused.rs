//! What the runbooks refuse for now is refused by `check --estate` by its name, at its field, and by a look at readiness: endpoints whose
//! monitor says nothing, a profile that is off, and what lies in the region that may be lost. It never fails over.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use http::StatusCode;
use lifeboat_contract::policy::Weight;
use lifeboat_execution::Onlooker;
use lifeboat_planning::recovery::readiness::State;
use lifeboat_simulator::azure::{ARM_AUDIENCE, Grant};
use lifeboat_tests::failing_over::{DOCUMENT, ENDPOINTS, Stage};
use lifeboat_tests::rig::{LOCATION, SUBSCRIPTION};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::checked::{check_by, replicate};

/// What is told of an endpoint of which nobody can say when it is online, and of a profile that is off.
const UNMONITORED: &str = "not ready: profile tm-shop has a target endpoint that is nested or always served";
const OFF: &str = "not ready: profile tm-shop is disabled";
/// A group of machines to be that lies on the wrong side.
const WRONG_GROUP: &str = "rg-shop-west";

/// Shows every external endpoint of this name as a nested one: the simulated Traffic Manager has none, so that Azure's answer is told
/// otherwise on its way.
struct Nested {
    inner: Arc<dyn HttpClient>,
    name: &'static str,
}

#[async_trait]
impl HttpClient for Nested {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let answer = self.inner.execute_request(request).await?;
        if !request.url().path().to_ascii_lowercase().contains("trafficmanagerprofiles") {
            return Ok(answer);
        }
        let (status, headers, body) = answer.deconstruct();
        let text = String::from_utf8_lossy(&body.collect().await?).into_owned();
        let mut said: Value = serde_json::from_str(&text).unwrap_or_default();
        nest(&mut said, self.name);
        Ok(AsyncRawResponse::from_bytes(status, headers, said.to_string().into_bytes()))
    }
}

/// As the document has a nested endpoint: of its own type, with another profile behind it and how many of that must answer.
fn nest(said: &mut Value, name: &str) {
    match said {
        Value::Object(fields) => {
            if fields.get("name").is_some_and(|own| own == name) && fields.contains_key("properties") {
                for field in ["id", "type"] {
                    let text =
                        fields[field].as_str().unwrap_or_default().replace("externalEndpoints", "nestedEndpoints");
                    fields.insert(field.to_owned(), text.into());
                }
                let behind =
                    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/trafficManagerProfiles/inner";
                fields["properties"]["targetResourceId"] = behind.into();
                fields["properties"]["minChildEndpoints"] = 1.into();
            }
            fields.values_mut().for_each(|inner| nest(inner, name));
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| nest(inner, name)),
        _ => {}
    }
}

impl fmt::Debug for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nested").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The platform engineer changes the profile, or what is below it, as ARM has it done.
async fn change(stage: &Stage, below: &str, properties: Value) {
    let engineer = stage.azure.identity.add_named("engineer", vec![Grant::owner()]);
    let token = stage.azure.identity.token(&engineer.object_id, ARM_AUDIENCE);
    let url = format!("https://management.azure.com{}{below}?api-version=2022-04-01", stage.profile);
    let request = http::Request::patch(url)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Body::from(json!({ "properties": properties }).to_string()))
        .expect("a request");
    let answer = stage.azure.arm.router().oneshot(request).await.unwrap_or_else(|never| match never {});
    assert_eq!(answer.status(), StatusCode::OK, "{below} {properties}");
}

/// A stage whose machines are replicated for a while.
async fn stage(seed: u64) -> Stage {
    let stage = Stage::unwatched(seed);
    stage.in_force();
    tokio::time::sleep(Duration::from_secs(1_200)).await;
    stage
}

/// It is refused in these words at this field and for nothing else.
async fn is_refused(stage: &Stage, by: &Onlooker, field: &str, words: &str) {
    let (said, members) = check_by(stage, by, DOCUMENT).await;
    println!("{field}: {words}");
    assert!(said.iter().any(|(at, _, text)| at == field && text.contains(words)), "{words}: {said:#?}");
    assert!(said.iter().all(|(at, weight, _)| at == field && *weight == Weight::Error), "{said:#?}");
    assert!(members.is_some_and(|count| count >= 3), "{members:?}");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_always_served_is_refused_on_either_side() {
    for (seed, endpoint) in [(720, ENDPOINTS.1), (721, ENDPOINTS.0)] {
        let stage = stage(seed).await;
        assert_eq!(stage.look_at_readiness().await, ["shop: ready"]);
        let below = format!("/externalEndpoints/{endpoint}");
        change(&stage, &below, json!({ "alwaysServe": "Enabled" })).await;
        is_refused(&stage, &stage.onlooker(), "spec.traffic[0].to", UNMONITORED).await;
        assert_eq!(stage.look_at_readiness().await, [format!("shop: {UNMONITORED}")]);
        assert_eq!(stage.readiness().state, State::NotReady);
        change(&stage, &below, json!({ "alwaysServe": "Disabled" })).await;
        assert_eq!(stage.look_at_readiness().await, ["shop: ready"], "it passes when it is mended");
    }
}

#[tokio::test(start_paused = true)]
async fn a_nested_endpoint_is_refused_on_either_side() {
    for (seed, name) in [(722, ENDPOINTS.1), (723, ENDPOINTS.0)] {
        let stage = stage(seed).await;
        let (said, _) = check_by(&stage, &stage.onlooker(), DOCUMENT).await;
        assert!(said.is_empty(), "without it nothing is refused: {said:#?}");
        let nested = stage.onlooker_over(|inner| Arc::new(Nested { inner, name }));
        is_refused(&stage, &nested, "spec.traffic[0].to", UNMONITORED).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_is_disabled_is_refused() {
    let stage = stage(724).await;
    change(&stage, "", json!({ "profileStatus": "Disabled" })).await;
    is_refused(&stage, &stage.onlooker(), "spec.traffic[0].profile", OFF).await;
    assert_eq!(stage.look_at_readiness().await, [format!("shop: {OFF}")]);
}

#[tokio::test(start_paused = true)]
async fn a_target_group_in_the_region_that_may_be_lost_is_refused_by_its_name() {
    let stage = stage(725).await;
    stage.azure.arm.add_group(SUBSCRIPTION, WRONG_GROUP, LOCATION);
    replicate(&stage, "db-7", &|it| it.recovery_group = WRONG_GROUP.to_owned());
    tokio::time::sleep(Duration::from_secs(1_200)).await;
    let words = format!(
        "not ready: the target group {WRONG_GROUP} lies in the region that may be lost; expected one that is not located in {LOCATION}"
    );
    is_refused(&stage, &stage.onlooker(), "spec.from", &words).await;
}

//! The transport inside the process: dispatch by host, cut connections, deaths.

use azure_core::error::ErrorKind;
use azure_core::http::headers::HeaderName;
use azure_core::http::request::Request;
use azure_core::http::{Method, Url};

use super::*;
use crate::azure::{ARM_AUDIENCE, ArmFault, ArmFaultEffect};

const SUBSCRIPTION: &str = "aaaaaaaa-0000-4000-8000-000000000001";

fn world() -> (World, String) {
    let world = World::new(WorldOptions::new(Clock::starting_at("2026-11-23T12:00:00Z".parse().unwrap())));
    world.add_subscription(SUBSCRIPTION, "Production");
    let principal = world.add_principal("handler", vec![Grant::owner()]);
    (world, principal.object_id)
}

fn request(method: Method, url: &str, token: &str) -> Request {
    let mut request = Request::new(Url::parse(url).unwrap(), method);
    request.insert_header("authorization", format!("Bearer {token}"));
    request
}

fn group(name: &str, token: &str) -> Request {
    let url = format!(
        "https://management.azure.com/subscriptions/{SUBSCRIPTION}/resourcegroups/{name}?api-version=2025-04-01"
    );
    let mut request = request(Method::Put, &url, token);
    request.set_body(r#"{"location":"westeurope"}"#.as_bytes().to_vec());
    request
}

#[tokio::test(start_paused = true)]
async fn each_host_is_answered_by_its_service_and_no_other_host_exists() {
    let (world, object) = world();
    let client = world.http_client();
    let cases = [
        ("https://management.azure.com/subscriptions?api-version=2022-12-01", ARM_AUDIENCE, 200_u16),
        ("https://acct.blob.core.windows.net/lifeboat/none", STORAGE_AUDIENCE, 404),
        ("https://ns.servicebus.windows.net/reconcile/messages/head", BUS_AUDIENCE, 204),
        ("http://identity.simulated/msi/token?api-version=2019-08-01&resource=x", "", 401),
    ];
    for (url, audience, status) in cases {
        let method = if url.contains("messages/head") { Method::Delete } else { Method::Get };
        let told = client.execute_request(&request(method, url, &world.token(&object, audience))).await.unwrap();
        assert_eq!(u16::from(told.status()), status, "{url}");
        if !audience.is_empty() {
            let refused = client.execute_request(&request(method, url, "made-up")).await.unwrap();
            assert_eq!(u16::from(refused.status()), 401, "{url} without a good token");
        }
    }
    let lost = client.execute_request(&request(Method::Get, "https://example.com/", "x")).await.unwrap_err();
    assert!(matches!(lost.kind(), ErrorKind::Connection));
}

#[tokio::test(start_paused = true)]
async fn the_identity_endpoint_answers_what_the_platform_does() {
    let (world, object) = world();
    let url = format!("{IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=https%3A%2F%2Fmanagement.azure.com");
    let mut asked = request(Method::Get, &url, "");
    asked.insert_header("x-identity-header", world.identity().header());
    let told = world.http_client().execute_request(&asked).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&told.into_body().collect().await.unwrap()).unwrap();
    let expires: i64 = body["expires_on"].as_str().unwrap().parse().unwrap();
    assert_eq!(expires - world.clock().now().as_second(), 24 * 3_600);
    let token = body["access_token"].as_str().unwrap();
    let seen = world.identity().verify(Some(token), "https://management.azure.com/").unwrap();
    assert_eq!(seen.object_id, object);
}

#[tokio::test(start_paused = true)]
async fn a_cut_connection_is_an_io_error() {
    let (world, object) = world();
    let token = world.token(&object, ARM_AUDIENCE);
    world.arm().fault(ArmFault::new(ArmFaultEffect::ResetBefore));
    let cut = world.http_client().execute_request(&group("g", &token)).await.unwrap_err();
    assert!(matches!(cut.kind(), ErrorKind::Io));
}

#[tokio::test(start_paused = true)]
async fn a_caller_dies_before_or_after_its_call_and_the_test_hears_of_it() {
    for (fate, made) in [(CallFate::DieBefore, 0), (CallFate::DieAfter, 1)] {
        let (world, object) = world();
        let token = world.token(&object, ARM_AUDIENCE);
        world.on_call(Arc::new(move |call| if call.index == 1 { fate } else { CallFate::Proceed }));
        let client = world.http_client();
        assert!(client.execute_request(&group("first", &token)).await.is_ok());
        let dying = tokio::spawn(async move { client.execute_request(&group("second", &token)).await.map(|_| ()) });
        let info = world.death().await;
        assert_eq!((info.index, info.host, info.method.as_str()), (1, HostKind::Arm, "PUT"));
        assert!(!dying.is_finished(), "it never answers");
        dying.abort();
        assert_eq!(world.counts().writes, 1 + made);
        assert_eq!(world.calls_made(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_jump_of_the_clock_lets_everything_happen_that_is_due() {
    let (world, _) = world();
    let id = world.create_machine(&MachineSeed::new(SUBSCRIPTION, "shop", "new", "westeurope")).unwrap();
    world.jump(SignedDuration::from_hours(1));
    let machine = world.arm().machines().pop().unwrap();
    assert_eq!((&machine["provisioningState"], &machine["agentReady"]), (&"Succeeded".into(), &true.into()));
    assert_eq!(machine["id"], id.as_str());
    assert_eq!(world.event_grid().events().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn two_worlds_of_one_seed_tell_the_same_story() {
    let story = || async {
        let (world, object) = world();
        let token = world.token(&object, ARM_AUDIENCE);
        world.create_machine(&MachineSeed::new(SUBSCRIPTION, "shop", "new", "westeurope")).unwrap();
        let told = world.http_client().execute_request(&group("g", &token)).await.unwrap();
        let id = told.headers().get_optional_str(&HeaderName::from("x-ms-request-id")).map(str::to_owned);
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        (token, id, world.arm().machines(), world.event_grid().events().into_iter().map(|e| e.id).collect::<Vec<_>>())
    };
    assert_eq!(story().await, story().await);
}

//! Over real sockets: every service answers, and the control API moves the world.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::azure::{ArmFault, ArmFaultEffect, Grant};
use crate::clock::Clock;
use crate::world::WorldOptions;

const SUBSCRIPTION: &str = "aaaaaaaa-0000-4000-8000-000000000001";

/// A request on a connection of its own: status and body, or none when the connection broke.
async fn ask(to: SocketAddr, method: &str, path: &str, body: &str, headers: &str) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.ok()?;
    let (head, body) = heard.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

async fn served() -> (World, Served) {
    let world = World::new(WorldOptions::new(Clock::wall()));
    world.add_subscription(SUBSCRIPTION, "Production");
    let served = serve(&world).await.unwrap();
    (world, served)
}

#[tokio::test]
async fn all_services_answer_on_ports_of_their_own() {
    let (world, served) = served().await;
    let principal = world.add_principal("handler", vec![Grant::owner()]);
    let path = "/msi/token?api-version=2019-08-01&resource=https://management.azure.com/";
    let secret = format!("X-IDENTITY-HEADER: {}\r\n", world.identity().header());
    let (status, token) = ask(served.identity, "GET", path, "", &secret).await.unwrap();
    assert_eq!((status, &token["client_id"]), (200, &json!(principal.client_id)));
    let bearer = format!("authorization: Bearer {}\r\n", token["access_token"].as_str().unwrap());
    let (status, body) = ask(served.arm, "GET", "/subscriptions?api-version=2022-12-01", "", &bearer).await.unwrap();
    assert_eq!((status, &body["value"][0]["subscriptionId"]), (200, &json!(SUBSCRIPTION)));
    for address in [served.blobs, served.bus] {
        assert_eq!(ask(address, "GET", "/x/y", "", "").await.unwrap().0, 401);
    }
    world.arm().fault(ArmFault::new(ArmFaultEffect::ResetBefore));
    assert_eq!(ask(served.arm, "GET", "/subscriptions?api-version=2022-12-01", "", &bearer).await, None);
}

#[tokio::test]
async fn the_control_api_moves_the_world_and_tells_of_it() {
    let (world, served) = served().await;
    let control = |method: &'static str, path: String, body: Value| {
        let to = served.control;
        async move {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            ask(to, method, &path, &body, "").await.unwrap()
        }
    };
    let machine = json!({ "subscription": SUBSCRIPTION, "group": "shop", "name": "web", "location": "westeurope" });
    let (status, made) = control("POST", "/machines".into(), machine).await;
    assert_eq!(status, 200, "{made}");
    let id = made["id"].as_str().unwrap().to_owned();
    let posts = [
        ("/clock/jump", json!({ "seconds": 3_600 })),
        ("/machines/agent", json!({ "id": id, "ready": false })),
        ("/machines/tags", json!({ "id": id, "tags": { "a": "b" } })),
        ("/faults", json!({ "on": { "method": "PUT" }, "effect": "internalServerError" })),
        ("/regions", json!({ "region": "westeurope", "trouble": "down" })),
        ("/graph/lag", json!({ "seconds": 0 })),
        ("/events/drop", json!({})),
        ("/events/duplicate", json!({ "copies": 3, "machine": "web" })),
        ("/events/delay", json!({ "seconds": 60 })),
        ("/event-subscriptions", json!({ "name": "x", "url": "http://127.0.0.1:9/hook" })),
        ("/blobs/drop", json!({ "namePrefix": "ledger/" })),
        ("/machines/health", json!({ "id": id, "state": "Unavailable", "cause": "PlatformInitiated" })),
        (
            "/service-events",
            json!({
                "trackingId": "E", "eventType": "ServiceIssue", "title": "t", "summary": "s", "level": "Warning",
                "impacts": [{ "service": "Virtual Machines", "regions": ["westeurope"] }], "isSynthetic": true,
            }),
        ),
        ("/service-events/update", json!({ "trackingId": "E", "summary": "more" })),
        ("/service-events/resolve", json!({ "trackingId": "E", "summary": "over" })),
        ("/locks", json!({ "scope": id, "name": "keep", "level": "CanNotDelete" })),
        ("/sizes", json!({ "size": "Standard_B2s", "region": "westeurope", "restriction": { "reason": "QuotaId" } })),
        ("/usages", json!({ "subscription": SUBSCRIPTION, "region": "westeurope", "usage": "cores", "limit": 1 })),
        ("/graph/rows", json!([{ "id": "/subscriptions/s/resourceGroups/g" }])),
        ("/subscriptions", json!({ "id": SUBSCRIPTION, "state": "Disabled" })),
    ];
    for (path, body) in posts {
        let (status, told) = control("POST", path.into(), body).await;
        assert_eq!(status, 200, "{path}: {told}");
    }
    let reads = ["/state", "/machines", "/counts", "/requests", "/events", "/deliveries", "/queues?name=reconcile"];
    for path in
        reads.map(str::to_owned).into_iter().chain([format!("/points?machine={id}"), "/blobs?container=c".into()])
    {
        let (status, told) = control("GET", path.clone(), Value::Null).await;
        assert_eq!(status, 200, "{path}: {told}");
    }
    let (_, machines) = control("GET", "/machines".into(), Value::Null).await;
    assert_eq!((&machines[0]["provisioningState"], &machines[0]["agentReady"]), (&json!("Updating"), &json!(false)));
    assert_eq!(world.arm().faults_left(), 1);
    let refused = [
        ("POST", "/nothing", json!({}), 404),
        ("POST", "/machines", json!({ "name": "x" }), 400),
        ("POST", "/points/plant", json!({ "machine": "none", "name": "x" }), 404),
        ("GET", "/points", Value::Null, 400),
        ("POST", "/service-events/resolve", json!({ "trackingId": "none", "summary": "" }), 404),
        ("DELETE", "/locks?scope=/x&name=none", Value::Null, 404),
    ];
    for (method, path, body, status) in refused {
        assert_eq!(control(method, path.into(), body).await.0, status, "{method} {path}");
    }
}

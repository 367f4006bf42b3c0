//! Over real sockets: every service answers, and the control API moves the world.

use rustls::crypto::ring;
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::*;
use crate::azure::{ArmFault, ArmFaultEffect, Grant};
use crate::clock::Clock;
use crate::world::WorldOptions;

const SUBSCRIPTION: &str = "aaaaaaaa-0000-4000-8000-000000000001";

/// A request on a connection of its own: status and body, or none when the connection broke.
async fn ask(to: SocketAddr, method: &str, path: &str, body: &str, headers: &str) -> Option<(u16, Value)> {
    ask_over(TcpStream::connect(to).await.unwrap(), to, method, path, body, headers)
        .await
        .map(|(status, _, body)| (status, body))
}

/// The same over any stream, with the head of the answer.
async fn ask_over(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    to: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
    headers: &str,
) -> Option<(u16, String, Value)> {
    let text = format!(
        "{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.ok()?;
    let (head, body) = heard.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, head.to_owned(), serde_json::from_str(body).unwrap_or(Value::Null)))
}

/// A certificate for this machine, for the server, and a client that trusts it alone.
fn certified() -> (Arc<ServerConfig>, TlsConnector) {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (own.cert.der().clone(), PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate.clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let server = server.with_no_client_auth().with_single_cert(vec![certificate], key.into()).unwrap();
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(trusted).with_no_client_auth();
    (Arc::new(server), TlsConnector::from(Arc::new(client)))
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

/// Asks the control of the world.
async fn order(to: SocketAddr, method: &str, path: String, body: Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    ask(to, method, &path, &body, "").await.unwrap()
}

#[tokio::test]
async fn the_control_api_moves_the_world_and_tells_of_it() {
    let (world, served) = served().await;
    let control = |method, path: String, body| order(served.control, method, path, body);
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

#[tokio::test]
async fn a_point_of_the_past_goes_into_the_collection_that_is_named_and_can_be_taken_away() {
    let (world, served) = served().await;
    let control = |method, path: String, body| order(served.control, method, path, body);
    let machine = world.add_machine(&crate::azure::MachineSeed::new(SUBSCRIPTION, "shop", "web", "westeurope"));
    let seed = |name: &str| crate::azure::CollectionSeed {
        machine: machine.clone(),
        group: "points".to_owned(),
        name: name.to_owned(),
        tags: Default::default(),
        points: vec![crate::azure::PointSeed { name: format!("{name}-1"), made: world.clock().now() }],
    };
    world.arm().add_collection(&seed("first")).unwrap();
    let second = world.arm().add_collection(&seed("second")).unwrap();
    let made = "2026-01-01T02:00:00Z";
    let plant = json!({ "machine": machine, "collection": second, "name": "old", "made": made });
    let (status, planted) = control("POST", "/points/plant".into(), plant).await;
    assert_eq!((status, &planted["timeCreated"]), (200, &json!(made)), "{planted}");
    let id = planted["id"].as_str().unwrap();
    assert!(id.starts_with(&second), "{id}");
    let points = |told: &Value| told.as_array().unwrap().iter().filter(|point| point["name"] == "old").count();
    let listed = async || control("GET", format!("/points?machine={machine}"), Value::Null).await.1;
    assert_eq!(points(&listed().await), 1);
    assert_eq!(control("DELETE", format!("/points?id={id}"), Value::Null).await.0, 200);
    assert_eq!(points(&listed().await), 0);
    let nowhere = json!({ "machine": machine, "collection": "/none", "name": "old" });
    assert_eq!(control("POST", "/points/plant".into(), nowhere).await.0, 404);
}

#[tokio::test]
async fn the_control_api_fills_vaults_and_tells_of_them() {
    let (world, served) = served().await;
    let control = |method: &'static str, path: String, body: Value| {
        let to = served.control;
        async move {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let (status, told) = ask(to, method, &path, &body, "").await.unwrap();
            assert_eq!(status, 200, "{method} {path}: {told}");
            told
        }
    };
    let seed = crate::azure::MachineSeed::new(SUBSCRIPTION, "shop", "web", "westeurope");
    let machine = world.add_machine(&seed);
    let vault = json!({ "subscription": SUBSCRIPTION, "group": "backup", "name": "safe", "location": "westeurope",
        "keepsDeleted": true });
    let vault = control("POST", "/vaults".into(), vault).await["id"].clone();
    let policy = json!({ "vault": vault, "name": "week", "time": "02:00", "days": 7, "instantDays": 2 });
    control("POST", "/vault-policies".into(), policy).await;
    let item = json!({ "vault": vault, "machine": machine, "policy": "week", "state": "Protected",
        "points": ["2026-01-01T02:00:00Z"] });
    let item = control("POST", "/vault-items".into(), item).await["id"].as_str().unwrap().to_owned();
    control("POST", "/vaults/full".into(), json!({ "id": vault, "full": true })).await;
    let failure = json!({ "operation": "Backup", "part": "Snapshot", "code": 1, "title": "X", "message": "x" });
    control("POST", "/job-failures".into(), failure).await;
    control("DELETE", "/job-failures".into(), Value::Null).await;
    control("POST", "/vault-items/state".into(), json!({ "id": item, "state": "Stopped" })).await;
    let items = control("GET", "/vault-items".into(), Value::Null).await;
    assert_eq!(items[0]["protection"], "ProtectionStopped");
    let points = control("GET", "/vault-points".into(), Value::Null).await;
    assert_eq!(points.as_array().map(Vec::len), Some(1));
    control("GET", "/vault-jobs".into(), Value::Null).await;
    control("DELETE", format!("/vault-items?id={item}"), Value::Null).await;
    assert_eq!(control("GET", "/vault-items".into(), Value::Null).await, json!([]));
}

#[tokio::test]
async fn over_tls_a_status_url_starts_as_the_caller_did_and_plain_text_gets_no_answer() {
    let world = World::new(WorldOptions::new(Clock::wall()));
    world.add_subscription(SUBSCRIPTION, "Production");
    let seed = crate::azure::MachineSeed::new(SUBSCRIPTION, "shop", "web", "westeurope");
    let machine = world.add_machine(&seed);
    let principal = world.add_principal("client", vec![Grant::owner()]);
    let bearer = format!("authorization: Bearer {}\r\n", world.token(&principal.object_id, crate::azure::ARM_AUDIENCE));
    let (server, connector) = certified();
    let served = serve_over_tls(&world, server).await.unwrap();
    assert!(served.identity_endpoint().starts_with("https://127.0.0.1:"));

    // A client that connects and says nothing holds up nobody.
    let _silent = TcpStream::connect(served.arm).await.unwrap();
    assert_eq!(ask(served.arm, "GET", "/subscriptions?api-version=2022-12-01", "", &bearer).await, None);
    let name = ServerName::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
    let stream = connector.connect(name, TcpStream::connect(served.arm).await.unwrap()).await.unwrap();
    // Azure's own clients leave an empty segment where a resource has no parent.
    let path = format!("{}?api-version=2025-04-01", machine.replace("Compute/", "Compute//"));
    let (status, head, _) = ask_over(stream, served.arm, "DELETE", &path, "", &bearer).await.unwrap();
    assert_eq!(status, 202);
    assert!(head.contains(&format!("azure-asyncoperation: https://{}/subscriptions/", served.arm)), "{head}");
    assert!(head.contains(&format!("location: https://{}/subscriptions/", served.arm)), "{head}");
}

//! The queue over REST: what is refused, and what a receiver may do by the location it was given.
//! It never waits by the wall.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_send_over_rest_carries_properties_and_is_refused_for_documented_reasons() {
    let (bus, _) = bus();
    let properties = r#"{"MessageId":"m-1","Label":"look again","CorrelationId":"c","TimeToLive":4.5,"ScheduledEnqueueTimeUtc":"Sun, 22 Nov 2026 10:05:00 +0000","Unknown":1}"#;
    let request = Request::post("/reconcile/messages")
        .header("authorization", "Bearer t")
        .header("brokerproperties", properties)
        .header("content-type", "application/json")
        .header("priority", "\"High\"")
        .header("weight", "12")
        .header("plain", "text")
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(bus.router().oneshot(request).await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(bus.counts(QUEUE), Counts { scheduled: 1, ..Counts::default() });
    let locked = bus.receive(QUEUE).await;
    assert_eq!((locked.enqueued_time, locked.message_id.as_str()), (after(300), "m-1"));
    assert_eq!(locked.expires_at, Some(after(304) + SignedDuration::from_millis(500)));
    assert_eq!(locked.message.subject.as_deref(), Some("look again"));
    assert_eq!(locked.message.content_type.as_deref(), Some("application/json"));
    let custom = serde_json::to_string(&locked.message.application_properties).unwrap();
    assert_eq!(custom, r#"{"plain":"text","priority":"High","weight":12}"#);
    let id = |characters: usize| format!(r#"{{"MessageId":"{}"}}"#, "x".repeat(characters));
    for (properties, bytes, status) in [
        (id(128), 0, 201),
        (id(129), 0, 400),
        (id(0), 0, 400),
        ("{".to_owned(), 0, 400),
        (r#"{"TimeToLive":-1}"#.to_owned(), 0, 400),
        (r#"{"ScheduledEnqueueTimeUtc":"tomorrow"}"#.to_owned(), 0, 400),
        ("{}".to_owned(), 256 * 1024, 201),
        ("{}".to_owned(), 256 * 1024 + 1, 403),
        ("{}".to_owned(), 255 * 1024, 201),
        ("{}".to_owned(), 3 * 1024 * 1024, 403),
    ] {
        assert_eq!(post(&bus, &properties, "x".repeat(bytes)).await.status().as_u16(), status, "{properties} {bytes}");
    }
    let gone = call(&bus, "POST", "/other/messages").await;
    assert_eq!(gone.status(), StatusCode::GONE);
    assert!(text(gone).await.starts_with("<Error><Code>410</Code><Detail>no such queue TrackingId:"));
}

#[tokio::test(start_paused = true)]
async fn requests_without_a_good_token_are_refused() {
    let (bus, _) = bus();
    let bare = |value: Option<&str>| {
        let mut request = Request::post("/reconcile/messages");
        if let Some(value) = value {
            request = request.header("authorization", value);
        }
        request.body(Body::from("x")).unwrap()
    };
    let strict = bus.clone().with_token_check(std::sync::Arc::new(|token| token == Some("good")));
    for (bus, authorization, status) in [
        (&bus, None, 401),
        (&bus, Some("SharedAccessSignature sr=x"), 401),
        (&bus, Some("Bearer any"), 201),
        (&strict, Some("Bearer any"), 401),
        (&strict, Some("Bearer good"), 201),
    ] {
        let response = bus.router().oneshot(bare(authorization)).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{authorization:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_over_rest_locks_renews_unlocks_and_completes_by_the_location() {
    let (bus, clock) = bus();
    let empty = call(&bus, "POST", "https://ns.servicebus.windows.net/reconcile/messages/head?timeout=5").await;
    assert_eq!((empty.status(), clock.now()), (StatusCode::NO_CONTENT, after(5)));
    assert_eq!(post(&bus, r#"{"MessageId":"é"}"#, "body").await.status(), StatusCode::CREATED);
    let head = "https://ns.servicebus.windows.net/reconcile/messages/head";
    let locked = call(&bus, "POST", head).await;
    assert_eq!(locked.status(), StatusCode::CREATED);
    let header = |name: &str| locked.headers()[name].to_str().unwrap().to_owned();
    let location = header("location");
    assert_eq!(location, "https://ns.servicebus.windows.net/reconcile/messages/1/5eb20001-0000-4000-8000-000000000001");
    let properties: serde_json::Value = serde_json::from_str(&header("brokerproperties")).unwrap();
    assert_eq!(properties["DeliveryCount"], 1);
    assert_eq!(properties["MessageId"], "é");
    assert_eq!(properties["LockedUntilUtc"], http_date(after(65)));
    assert!(properties["TimeToLive"].is_f64());
    assert_eq!(text(locked).await, "body");
    assert_eq!(call(&bus, "POST", &location).await.status(), StatusCode::OK);
    assert_eq!(call(&bus, "PUT", &location).await.status(), StatusCode::OK);
    assert_eq!(call(&bus, "DELETE", &location).await.status(), StatusCode::NOT_FOUND);
    let again = call(&bus, "POST", head).await;
    let location = again.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(call(&bus, "DELETE", &location).await.status(), StatusCode::OK);
    bus.send(QUEUE, named("b")).unwrap();
    let taken = call(&bus, "DELETE", head).await;
    assert_eq!((taken.status(), text(taken).await.as_str()), (StatusCode::OK, "b"));
    assert_eq!(bus.counts(QUEUE), Counts { completed: 2, ..Counts::default() });
}

//! What the relay answers, and what it asks, before a handler that says what it was asked.

use axum::routing::any;

use super::*;
use crate::client;

/// A handler that answers with a page that says what it was asked, with headers that are nobody else's.
async fn handler(status: StatusCode, media: &'static str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let echo = move |request: Request<Body>| async move {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let asked =
            ["x-functions-key", "authorization", "accept", "cookie"].map(|name| header(name).unwrap_or_default());
        let body = format!("{} {} {}", request.method(), request.uri(), asked.join(" "));
        let headers = [
            (header::CONTENT_TYPE, media),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
            (header::SET_COOKIE, "a=b"),
            (HeaderName::from_static("x-secret"), "s"),
        ];
        (status, headers, body)
    };
    let router = Router::new().fallback(any(echo));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn upstream(url: &str) -> Upstream {
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let settings = Settings { key: Some("k".to_owned()), token: Some("t".to_owned()), ..Settings::default() };
    Upstream::new(HandlerArgs::at(url), settings, None)
}

/// A relay before a handler that answers so.
async fn relay(status: StatusCode, media: &'static str) -> Relay {
    Relay::start(0, upstream(&handler(status, media).await)).await.unwrap()
}

/// What is answered to a request with these headers.
async fn asks(relay: &Relay, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let client = client::client(true).unwrap();
    let mut request = client.request(method, format!("http://{}{path}", relay.address()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client::ask(request).await.unwrap()
}

#[tokio::test]
async fn a_page_is_asked_for_with_key_and_token_and_the_browser_gets_neither() {
    let relay = relay(StatusCode::OK, "text/html; charset=utf-8").await;
    let own = [("cookie", "c=d"), ("authorization", "Bearer browser's"), ("x-functions-key", "browser's")];
    let answer = asks(&relay, Method::GET, "/api/pages/failover/shop?still=1&code=x", &own).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), "GET /api/pages/failover/shop?still=1 k Bearer t text/html");
    for name in ["set-cookie", "x-secret"] {
        assert!(!answer.headers.contains_key(name), "{name}");
    }
    for (name, value) in [
        ("content-security-policy", "default-src 'none'"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.headers[name], value, "{name}");
    }
    let head = asks(&relay, Method::HEAD, "/api/pages", &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(asks(&relay, Method::GET, "/", &[]).await.status, 307);
    assert!(asks(&relay, Method::GET, "/api/status", &[]).await.text().starts_with("GET /api/status k"));
}

#[tokio::test]
async fn only_this_machines_own_names_are_answered_and_no_other_site() {
    let relay = relay(StatusCode::OK, "text/html").await;
    let port = relay.address().port();
    let (local, own) = (format!("localhost:{port}"), format!("http://127.0.0.1:{port}"));
    for (headers, status) in [
        (&[("host", local.as_str())][..], 200),
        (&[("origin", own.as_str())], 200),
        (&[("sec-fetch-site", "none")], 200),
        // A link on another site that a person follows, and what such a site could do without one.
        (&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], 200),
        (&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], 403),
        (&[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")], 403),
        (&[("host", "evil.example")], 403),
        (&[("host", "127.0.0.1")], 403),
        (&[("host", "127.0.0.1:1")], 403),
        (&[("host", "localhost.evil.example:80")], 403),
        (&[("origin", "https://evil.example")], 403),
        (&[("origin", "null")], 403),
        (&[("origin", "http://localhost:1")], 403),
    ] {
        let answer = asks(&relay, Method::GET, "/api/pages", headers).await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        assert!(status == 200 || !answer.text().contains("Bearer"), "{headers:?}");
    }
}

#[tokio::test]
async fn only_pages_are_asked_for_and_only_looked_at() {
    let relay = relay(StatusCode::OK, "text/html").await;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let answer = asks(&relay, method.clone(), "/api/pages", &[]).await;
        assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, "GET, HEAD"), "{method}");
        assert_eq!(answer.text(), "pages only show: GET and HEAD are answered here");
    }
    for path in [
        "/admin/host/status",
        "/api/commands",
        "/api/points",
        "/api/pages/orders/shop",
        "/api/pagesx",
        "/api/pages/region/a/b",
        "/favicon.ico",
    ] {
        let answer = asks(&relay, Method::GET, path, &[]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.text(), "there are pages below /api/pages, and /api/status", "{path}");
    }
    // What an address escapes is a name, and leads nowhere else.
    let answer = asks(&relay, Method::GET, "/api/pages/region/..%2F..%2Fadmin", &[]).await;
    assert!(answer.text().starts_with("GET /api/pages/region/..%252F..%252Fadmin "), "{}", answer.text());
}

#[tokio::test]
async fn what_is_no_page_is_told_in_a_sentence_on_a_page_that_asks_again() {
    let refusing = relay(StatusCode::FORBIDDEN, "application/json").await;
    let answer = asks(&refusing, Method::GET, "/api/pages/failover/shop", &[]).await;
    let text = answer.text();
    assert_eq!(answer.status, 403);
    assert!(text.contains("the host answered 403: it wants another key") && !text.contains("Bearer"), "{text}");
    assert!(text.contains("http-equiv=\"refresh\""), "{text}");
    let nobody = Relay::start(0, upstream("http://127.0.0.1:9")).await.unwrap();
    let answer = asks(&nobody, Method::GET, "/api/pages", &[]).await;
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("http://127.0.0.1:9 did not answer"), "{}", answer.text());
    let other = relay(StatusCode::OK, "text/plain").await;
    let answer = asks(&other, Method::GET, "/api/pages", &[]).await;
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("what answered is no handler of this release"), "{}", answer.text());
}

//! Pages of records as they are stored: what a person reads in them, what a browser may do with them, and that no text opens a tag.

mod golden;
mod hostile;
mod of_records;

use http::header;
use lifeboat_execution::views::View;

use super::*;

#[test]
fn a_path_asks_for_the_page_that_is_there_and_for_no_other() {
    for view in [
        View::Start,
        View::Region("westeurope".to_owned()),
        View::Recovery("shop".to_owned()),
        View::Failover("shop-2".to_owned()),
    ] {
        assert_eq!(asked(&path(&view)), Some(view));
    }
    assert_eq!(asked("/API/Pages/"), Some(View::Start));
    assert_eq!(asked("/api/pages/failover/Shop/"), Some(View::Failover("Shop".to_owned())));
    for other in
        ["/api/page", "/api/pagesx", "/api/pages/orders/shop", "/api/pages/region", "/api/pages/region/a/b", "/", ""]
    {
        assert_eq!(asked(other), None, "{other}");
    }
    assert_eq!(path(&View::Region("../x?<b>".to_owned())), "/api/pages/region/..%2Fx%3F%3Cb%3E");
}

#[test]
fn a_browser_may_show_a_page_and_do_nothing_else_with_it() {
    let reply = reply(&of_records::failover(), false);
    assert_eq!(reply.status, StatusCode::OK);
    let of = |name: HeaderName| reply.headers[name].to_str().expect("text").to_owned();
    let policy = of(header::CONTENT_SECURITY_POLICY);
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    for part in ["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(of(header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(of(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert_eq!(of(header::CACHE_CONTROL), "no-store");
    assert_eq!(of(header::REFERRER_POLICY), "no-referrer");
}

#[test]
fn a_page_asks_for_itself_again_unless_it_is_to_stay_still() {
    let viewed = of_records::failover();
    let (follows, still) = (page(&viewed, false).into_string(), page(&viewed, true).into_string());
    assert!(follows.contains("http-equiv=\"refresh\"") && follows.contains("/api/pages/failover/shop?still=1"));
    assert!(!still.contains("http-equiv=\"refresh\"") && still.contains("href=\"/api/pages/failover/shop\""));
}

#[test]
fn what_is_not_there_is_told_as_not_found_and_what_cannot_be_read_asks_again() {
    let view = View::Failover("no-shop".to_owned());
    let nothing = Viewed { what: What::Nothing(view.clone()), ..of_records::failover() };
    let missing = reply(&nothing, false);
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(String::from_utf8_lossy(&missing.body).contains("No recovery plan named <code>no-shop</code>"));
    let unread = reply_unread(&view, "the store did not answer");
    assert_eq!(unread.status, StatusCode::SERVICE_UNAVAILABLE);
    let body = String::from_utf8_lossy(&unread.body).into_owned();
    assert!(body.contains("the store did not answer.") && body.contains("http-equiv=\"refresh\""), "{body}");
}

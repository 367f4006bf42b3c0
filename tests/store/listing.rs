//! Listings: all names that begin so, in order, over as many pages as it takes.

use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use lifeboat_azure::blobs::Condition;

use crate::target::Target;

/// One more than a page holds.
const MORE_THAN_A_PAGE: usize = 5_001;
/// How many blobs are put at once.
const AT_ONCE: usize = 16;

#[tokio::test]
async fn names_are_listed_by_how_they_begin_and_in_order() {
    let target = Target::new("listed").await;
    for name in ["ledger/b", "ledger/a", "ledger/a/deep", "ledgers", "other & more", "ünïcode <1>"] {
        target.store.put(name, Bytes::from("x"), Condition::Any).await.expect(name);
    }
    target.store.append("ledger/c", 0, Bytes::from("x")).await.expect("an append blob");
    let listed = |prefix: &'static str| {
        let store = &target.store;
        async move { store.list(prefix).await.expect("a listing") }
    };
    assert_eq!(listed("ledger/").await, ["ledger/a", "ledger/a/deep", "ledger/b", "ledger/c"]);
    assert_eq!(listed("other").await, ["other & more"]);
    assert_eq!(listed("ü").await, ["ünïcode <1>"]);
    assert!(listed("nothing").await.is_empty());
    assert_eq!(listed("").await.len(), 7);
}

#[tokio::test]
async fn a_listing_goes_on_over_pages() {
    let target = Target::new("paged").await;
    let names: Vec<String> = (0..MORE_THAN_A_PAGE).map(|number| format!("p/{number:05}")).collect();
    let puts = stream::iter(&names).map(|name| target.store.put(name, Bytes::from("x"), Condition::IfAbsent));
    let failed = puts.buffer_unordered(AT_ONCE).filter_map(|put| async { put.err() }).collect::<Vec<_>>().await;
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(target.store.list("p/").await.expect("a listing"), names);
}

#[tokio::test]
async fn pages_of_any_size_follow_on_each_other() {
    let target = Target::new("small-pages").await;
    for name in ["a", "b", "c", "d", "e"] {
        target.store.put(name, Bytes::from("x"), Condition::Any).await.expect(name);
    }
    let (mut marker, mut pages) = (String::new(), Vec::new());
    loop {
        let path = format!("?restype=container&comp=list&maxresults=2&marker={marker}");
        let page = target.ask("GET", &path, &[], "").await;
        let text = String::from_utf8(page.body.to_vec()).expect("text");
        assert_eq!(page.status, 200, "{text}");
        let names = text.split("<Name>").skip(1).filter_map(|rest| rest.split('<').next().map(str::to_owned));
        pages.push(names.collect::<Vec<String>>().join(""));
        let next = text.split("<NextMarker>").nth(1).and_then(|rest| rest.split('<').next());
        match next.filter(|next| !next.is_empty()) {
            Some(next) => marker = next.to_owned(),
            None => break,
        }
        assert!(pages.len() < 9, "the pages do not end: {pages:?}");
    }
    assert_eq!(pages, ["ab", "cd", "e"]);
}

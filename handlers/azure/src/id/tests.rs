//! Ids are read, compared and built, and nothing else passes for one.
//!
//! It never asks Azure.

use super::{IdError, ResourceId};
use proptest::prelude::*;
use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

const POINT: &str =
    "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/restorePointCollections/C/restorePoints/P";

#[test]
fn the_parts_of_an_id() {
    let point: ResourceId = POINT.parse().unwrap();
    assert_eq!((point.subscription(), point.resource_group(), point.name()), ("S", "G", "P"));
    assert_eq!(point.provider(), Some("Microsoft.Compute"));
    assert_eq!(point.kind().unwrap(), "Microsoft.Compute/restorePointCollections/restorePoints");
    assert!(point.is("microsoft.compute/RESTOREPOINTCOLLECTIONS/restorepoints"));
    let parents: Vec<String> =
        std::iter::successors(point.parent(), ResourceId::parent).map(|id| id.to_string()).collect();
    assert_eq!(
        parents,
        [
            "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/restorePointCollections/C",
            "/subscriptions/S/resourceGroups/G",
            "/subscriptions/S",
        ]
    );
    let subscription: ResourceId = "/subscriptions/S".parse().unwrap();
    assert_eq!((subscription.resource_group(), subscription.kind(), subscription.parent()), ("", None, None));
    let extension: ResourceId = format!("{POINT}/providers/Microsoft.Authorization/locks/L").parse().unwrap();
    assert_eq!((extension.provider(), extension.name()), (Some("Microsoft.Authorization"), "L"));
    assert_eq!(extension.parent(), Some(point));
}

#[test]
fn ids_are_built_from_their_parts() {
    let kind = "Microsoft.Compute/restorePointCollections";
    let built = ResourceId::of_resource("S", "G", kind, "C").unwrap().child("restorePoints", "P").unwrap();
    assert_eq!(built.as_str(), POINT);
    assert_eq!(ResourceId::of_resource("S", "G", kind, "C/restorePoints/P"), Err(IdError::Segment));
    assert_eq!(ResourceId::of_group("S", "../x"), Err(IdError::Segment));
    assert_eq!(ResourceId::of_subscription(""), Err(IdError::Segment));
}

#[test]
fn what_is_no_id_is_refused() {
    for (text, why) in [
        ("", IdError::Root),
        ("subscriptions/s", IdError::Root),
        ("/providers/Microsoft.ResourceGraph/resources/x", IdError::Root),
        ("/subscriptions", IdError::Pairs),
        ("/subscriptions/", IdError::Pairs),
        ("/subscriptions/s/resourceGroups", IdError::Pairs),
        ("/subscriptions/s/resourceGroups/g/providers/N", IdError::Pairs),
        ("/subscriptions/s/resourceGroups/g/disks/d", IdError::Pairs),
        ("/subscriptions/s/things/t", IdError::Pairs),
        ("/subscriptions/s//g", IdError::Segment),
        ("/subscriptions/../resourceGroups/g", IdError::Segment),
        ("/subscriptions/s?x=1", IdError::Character),
        ("/subscriptions/s%2f", IdError::Character),
        ("/subscriptions/s\n", IdError::Character),
    ] {
        assert_eq!(ResourceId::parse(text), Err(why), "{text:?}");
    }
    assert_eq!(ResourceId::parse(&format!("/subscriptions/{}", "s".repeat(3000))), Err(IdError::Length));
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in ".{0,300}") {
        if let Ok(id) = ResourceId::parse(&text) {
            prop_assert_eq!(ResourceId::parse(id.as_str()), Ok(id.clone()));
            let _ = (id.kind(), id.provider(), id.parent(), id.name(), id.resource_group());
        }
    }

    #[test]
    fn segments_of_any_kind_are_read_without_a_panic(
        parts in proptest::collection::vec("(subscriptions|resourceGroups|providers|Microsoft\\.X|types|a|\\.\\.|)", 0..9),
    ) {
        if let Ok(id) = ResourceId::parse(&format!("/{}", parts.join("/"))) {
            let _ = (id.kind(), id.provider(), id.parent());
        }
    }

    #[test]
    fn case_is_disregarded_everywhere(s in "[a-z0-9-]{1,20}", g in "[a-z0-9_.()-]{1,19}x", n in "[a-z0-9-]{1,20}") {
        let lower = ResourceId::of_resource(&s, &g, "Microsoft.Compute/virtualMachines", &n).unwrap();
        let upper = ResourceId::parse(&lower.as_str().to_uppercase()).unwrap();
        prop_assert_eq!(&lower, &upper);
        prop_assert_eq!(lower.cmp(&upper), std::cmp::Ordering::Equal);
        let hasher = RandomState::new();
        prop_assert_eq!(hasher.hash_one(&lower), hasher.hash_one(&upper));
        prop_assert_eq!(HashSet::from([lower.clone(), upper.clone()]).len(), 1);
        prop_assert_eq!(upper.resource_group(), g.to_uppercase());
    }
}

//! Names of things: resource ids, the keys they are found by, identifiers and time stamps as ARM writes them.
//! It never draws lots: an identifier is a digest of the world's seed and a count.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// A resource id taken apart. It keeps the casing it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceId {
    /// The subscription's GUID.
    pub(crate) subscription: String,
    /// The resource group.
    pub(crate) group: String,
    /// The provider's namespace, as `Microsoft.Compute`.
    pub(crate) provider: String,
    /// Pairs of type and name, outermost first.
    pub(crate) path: Vec<(String, String)>,
}

/// Makes identifiers: the same seed gives the same ones in the same order.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    seed: u64,
    made: u64,
}

impl ResourceId {
    /// Takes a resource id apart; `None` when it is not one of a resource in a group.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().strip_prefix('/')?.trim_end_matches('/').split('/');
        let mut named = |word: &str| -> Option<String> {
            let found = parts.next()?;
            let value = parts.next().filter(|value| !value.is_empty())?;
            found.eq_ignore_ascii_case(word).then(|| value.to_owned())
        };
        let subscription = named("subscriptions")?;
        let group = named("resourceGroups")?;
        let provider = named("providers")?;
        let mut path = Vec::new();
        while let Some(kind) = parts.next() {
            path.push((kind.to_owned(), parts.next().filter(|name| !name.is_empty())?.to_owned()));
        }
        (!path.is_empty()).then_some(Self { subscription, group, provider, path })
    }

    /// The type without names, as `Microsoft.Compute/virtualMachines`.
    pub(crate) fn kind(&self) -> String {
        self.path.iter().fold(self.provider.clone(), |kind, (part, _)| format!("{kind}/{part}"))
    }

    /// The name of the innermost resource.
    pub(crate) fn name(&self) -> &str {
        self.path.last().map_or("", |(_, name)| name)
    }
}

impl Names {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, made: 0 }
    }

    /// The next identifier.
    pub(crate) fn guid(&mut self) -> String {
        self.made += 1;
        guid_of(self.seed, "next", &self.made.to_string())
    }
}

/// The identifier that belongs to a family and a name: always the same one.
pub(crate) fn guid_of(seed: u64, family: &str, name: &str) -> String {
    let digest = Sha256::new()
        .chain_update(seed.to_be_bytes())
        .chain_update(family.as_bytes())
        .chain_update([0])
        .chain_update(name.as_bytes())
        .finalize();
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// What a resource is found by: ARM compares ids without regard to case.
pub(crate) fn key(id: &str) -> String {
    id.trim_end_matches('/').to_ascii_lowercase()
}

/// The id of a resource group.
pub(crate) fn group_id(subscription: &str, group: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{group}")
}

/// The id of a Compute resource.
pub(crate) fn compute_id(subscription: &str, group: &str, kind: &str, name: &str) -> String {
    format!("{}/providers/Microsoft.Compute/{kind}/{name}", group_id(subscription, group))
}

/// A time as Compute writes it: up to seven decimals, trailing zeros left out, an offset instead of `Z` (recorded).
pub(crate) fn stamp(at: Timestamp) -> String {
    format!("{}+00:00", decimals(at))
}

/// A time as Event Grid and Resource Graph write it: as [`stamp`], but with `Z` (recorded).
pub(crate) fn stamp_z(at: Timestamp) -> String {
    format!("{}Z", decimals(at))
}

/// How a region is cased where Compute does not repeat what it was sent. Only `EastUS2EUAP` was seen to differ
/// (recorded); all others are lower case.
pub(crate) fn region_as_compute_writes_it(region: &str) -> String {
    let region = region.to_ascii_lowercase();
    if region == "eastus2euap" { "EastUS2EUAP".to_owned() } else { region }
}

fn decimals(at: Timestamp) -> String {
    let whole = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let ticks = at.subsec_nanosecond().unsigned_abs() / 100;
    if ticks == 0 { whole } else { format!("{whole}.{}", format!("{ticks:07}").trim_end_matches('0')) }
}

/// A path with single slashes. Azure's own clients write `Microsoft.Compute//virtualMachines` where a resource has no parent
/// (`az lock`, the permissions of a resource). *Assumed* (`arm-empty-segments`): that ARM takes it for the path without.
pub(crate) fn without_empty_segments(path: &str) -> String {
    let mut whole = String::with_capacity(path.len());
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        whole.push('/');
        whole.push_str(segment);
    }
    whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_resource_id_keeps_its_casing_and_is_found_without_it() {
        let id = "/Subscriptions/S/resourcegroups/Shop/providers/Microsoft.Compute/restorePointCollections/C/restorePoints/P";
        let parsed = ResourceId::parse(id).unwrap();
        assert_eq!(parsed.group, "Shop");
        assert_eq!(parsed.name(), "P");
        assert_eq!(parsed.kind(), "Microsoft.Compute/restorePointCollections/restorePoints");
        assert_eq!(key(id), key(&id.to_uppercase()));
    }

    #[test]
    fn what_is_no_resource_id_is_refused() {
        for text in ["", "/", "/subscriptions/s", "/subscriptions/s/resourceGroups/g", "/a/b/c/d/e/f/g/h"] {
            assert_eq!(ResourceId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn time_stamps_have_the_recorded_form() {
        let cases = [
            ("2024-08-26T10:03:08.6166426Z", "2024-08-26T10:03:08.6166426+00:00"),
            ("2024-05-13T10:16:47.562205Z", "2024-05-13T10:16:47.562205+00:00"),
            ("2024-08-26T10:02:47Z", "2024-08-26T10:02:47+00:00"),
        ];
        for (at, written) in cases {
            assert_eq!(stamp(at.parse().unwrap()), written);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_identifiers() {
        let (mut one, mut other) = (Names::new(7), Names::new(7));
        assert_eq!(one.guid(), other.guid());
        assert_ne!(one.guid(), Names::new(8).guid());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_id_parser_panic(text in "\\PC{0,120}") {
            let _ = ResourceId::parse(&text);
            let _ = ResourceId::parse(&format!("/subscriptions/{text}/resourceGroups/{text}/providers/{text}"));
        }
    }
}

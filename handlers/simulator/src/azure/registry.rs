//! The table of everything that ARM answers: method, path, the action that access is checked for, the api-versions, the
//! budget, who answers, and the entry of the evidence register that says how well it is known. A new resource type is new
//! lines in its provider's file here and a file of its own.
//! It never answers anything itself.

mod backups;
mod compute;
mod graph;
mod health;
mod locks;
mod networks;
mod recovery;
mod recovery_items;
mod resources;
mod tags;
mod traffic;
mod vaults;

use std::sync::LazyLock;

use super::call::{Answer, Call};
use super::charges::Spend;
use super::errors::ArmError;
use super::state::State;

/// Who answers a call.
pub(crate) type Handler = fn(&mut State, &Call) -> Result<Answer, ArmError>;

/// A provider as far as versions go.
#[derive(Debug)]
pub(crate) struct Service {
    /// The type in refusals of a version.
    pub(crate) kind: &'static str,
    /// Versions that are answered: the pinned one first, then those of the recordings.
    pub(crate) versions: &'static [&'static str],
}

/// A kind of call.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    /// The path, with `{}` for what may stand there.
    pub(crate) pattern: &'static str,
    pub(crate) action: &'static str,
    pub(crate) service: &'static Service,
    pub(crate) spend: Spend,
    pub(crate) handler: Handler,
    /// The entry of the evidence register that the answer rests on.
    pub(crate) evidence: &'static str,
}

/// What the table says about a path.
#[derive(Debug)]
pub(crate) enum Found {
    /// The route, and what stands for each `{}`.
    Route(&'static Route, Vec<String>),
    /// The path is known, the method is not.
    OtherMethod,
    Nothing,
}

/// Providers whose resources hang on others'.
const EXTENSIONS: [&str; 3] = [
    "/providers/Microsoft.Authorization/",
    "/providers/Microsoft.ResourceHealth/",
    "/providers/Microsoft.Resources/tags/",
];

const fn route(
    method: &'static str,
    pattern: &'static str,
    action: &'static str,
    service: &'static Service,
    spend: Spend,
    handler: Handler,
    evidence: &'static str,
) -> Route {
    Route { method, pattern, action, service, spend, handler, evidence }
}

/// Every route, by provider.
pub(crate) static ROUTES: &[&[Route]] = &[
    resources::ROUTES,
    locks::ROUTES,
    tags::ROUTES,
    compute::ROUTES,
    compute::VOLUMES,
    vaults::ROUTES,
    backups::ROUTES,
    graph::ROUTES,
    health::ROUTES,
    networks::ROUTES,
    traffic::ROUTES,
    recovery::ROUTES,
    recovery_items::ROUTES,
];

/// All of them.
pub(crate) fn routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().copied().flatten()
}

/// A route with its pattern's parts.
type Parted = (&'static Route, Vec<&'static str>);

/// Every route, by how many parts there are: each call is looked up more than once.
static BY_DEPTH: LazyLock<Vec<Vec<Parted>>> = LazyLock::new(|| {
    let mut all: Vec<Vec<_>> = Vec::new();
    for route in routes() {
        let parts: Vec<&str> = route.pattern.split('/').collect();
        all.resize_with(all.len().max(parts.len() + 1), Vec::new);
        all[parts.len()].push((route, parts));
    }
    all
});

/// Looks a call up.
pub(crate) fn find(method: &str, path: &str) -> Found {
    let given: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let alike = BY_DEPTH.get(given.len()).into_iter().flatten().filter(|(_, wanted)| fits(wanted, &given));
    let mut known = false;
    for (route, wanted) in alike {
        if route.method == method {
            let params = wanted.iter().zip(&given).filter(|(wanted, _)| **wanted == "{}");
            return Found::Route(route, params.map(|(_, part)| (*part).to_owned()).collect());
        }
        known = true;
    }
    if known { Found::OtherMethod } else { Found::Nothing }
}

impl Route {
    /// Whether the call is about Resource Graph, which has rules of its own.
    pub(crate) fn is_graph(&self) -> bool {
        std::ptr::eq(self.service, &raw const graph::GRAPH)
    }

    /// Type and name of the top-level resource that the path names, where it names one in a group, and whether the
    /// path goes on below it.
    pub(crate) fn top_level(&self, params: &[String]) -> Option<(String, String, bool)> {
        let rest = self.pattern.strip_prefix("/subscriptions/{}/resourceGroups/{}/providers/")?;
        let mut parts = rest.split('/');
        let (provider, kind) = (parts.next()?, parts.next()?);
        parts.next().filter(|&part| part == "{}" && provider != "{}")?;
        let name = params.get(2)?.clone();
        Some((format!("{provider}/{kind}"), name, parts.next().is_some()))
    }

    /// What the resource in the path hangs on, where it is one that hangs on others: a lock, permissions, health.
    pub(crate) fn extended<'a>(&self, path: &'a str) -> Option<&'a str> {
        let at = EXTENSIONS.iter().find_map(|extension| self.pattern.rfind(extension))?;
        let depth = self.pattern[..at].matches('/').count();
        let end = path.match_indices('/').nth(depth).map_or(path.len(), |(at, _)| at);
        Some(&path[..end])
    }

    /// The region that the path names.
    pub(crate) fn region<'a>(&self, params: &'a [String]) -> Option<&'a str> {
        let (before, _) = self.pattern.split_once("/locations/{}")?;
        params.get(before.matches("{}").count()).map(String::as_str)
    }
}

/// Whether a path fits a pattern of as many parts; case does not matter. The last parts tell most apart.
fn fits(wanted: &[&str], given: &[&str]) -> bool {
    wanted.iter().zip(given).rev().all(|(wanted, given)| match *wanted {
        "{}" => !given.is_empty(),
        word => word.eq_ignore_ascii_case(given),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_path_is_found_whatever_its_casing_and_keeps_its_own() {
        let path = "/Subscriptions/S/resourcegroups/Rg/PROVIDERS/microsoft.compute/virtualmachines/Vm";
        let Found::Route(route, params) = find("GET", path) else { panic!("not found") };
        assert_eq!(route.action, "Microsoft.Compute/virtualMachines/read");
        assert_eq!(params, ["S", "Rg", "Vm"]);
        let top = route.top_level(&params);
        assert_eq!(top, Some(("Microsoft.Compute/virtualMachines".to_owned(), "Vm".to_owned(), false)));
    }

    #[test]
    fn an_unknown_path_and_an_unknown_method_are_told_apart() {
        assert!(matches!(find("DELETE", "/subscriptions"), Found::OtherMethod));
        assert!(matches!(find("GET", "/subscriptions/s/providers/Microsoft.Sql/servers"), Found::Nothing));
    }

    #[test]
    fn what_an_extension_hangs_on_and_the_region_of_a_path_are_read_off_it() {
        let machine = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/V";
        let extended = |path: &str| {
            let Found::Route(route, params) = find("GET", path) else { panic!("{path}") };
            assert_eq!(route.top_level(&params), None);
            route.extended(path).map(str::to_owned)
        };
        let path = format!("{machine}/providers/Microsoft.ResourceHealth/availabilityStatuses/current");
        assert_eq!(extended(&path).as_deref(), Some(machine));
        let path = "/subscriptions/S/providers/microsoft.authorization/LOCKS/l";
        assert_eq!(extended(path).as_deref(), Some("/subscriptions/S"));
        let path = "/subscriptions/S/providers/Microsoft.Compute/locations/WestEurope/usages";
        let Found::Route(route, params) = find("GET", path) else { panic!("{path}") };
        assert_eq!((route.extended(path), route.region(&params)), (None, Some("WestEurope")));
    }

    #[test]
    fn no_two_routes_answer_the_same_call() {
        let mut seen = BTreeSet::new();
        for route in routes() {
            assert!(seen.insert((route.method, route.pattern.to_lowercase())), "{} {}", route.method, route.pattern);
        }
    }
}

//! The table of everything that ARM answers: method, path, the action that access is checked for, the api-versions, the
//! budget, and who answers. A new resource type is new lines here and a file of its own.
//! It never answers anything itself.

use super::call::{Answer, Call};
use super::charges::Spend;
use super::errors::ArmError;
use super::state::State;
use super::{collections, disks, graph, machine_calls, operations, restore_points, subscriptions};

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

static SUBSCRIPTIONS: Service =
    Service { kind: "subscriptions", versions: &["2022-12-01", "2022-09-01", "2021-01-01"] };
static GROUPS: Service = Service { kind: "resourceGroups", versions: &["2025-04-01", "2022-09-01"] };
static COMPUTE: Service =
    Service { kind: "virtualMachines", versions: &["2025-04-01", "2024-07-01", "2022-11-01", "2022-08-01"] };
static DISKS: Service = Service { kind: "disks", versions: &["2025-01-02", "2023-10-02", "2023-04-02"] };
static GRAPH: Service = Service { kind: "resources", versions: &["2024-04-01", "2021-03-01"] };

const fn route(
    method: &'static str,
    pattern: &'static str,
    action: &'static str,
    service: &'static Service,
    spend: Spend,
    handler: Handler,
) -> Route {
    Route { method, pattern, action, service, spend, handler }
}

const GROUP: &str = "/subscriptions/{}/resourceGroups/{}";
const MACHINES: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachines";
const MACHINE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachines/{}";
const COLLECTIONS: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/restorePointCollections";
const COLLECTION: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/restorePointCollections/{}";
const POINT: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/restorePointCollections/{}/restorePoints/{}";

/// Every route.
pub(crate) static ROUTES: &[Route] = &[
    route(
        "GET",
        "/subscriptions",
        "Microsoft.Resources/subscriptions/read",
        &SUBSCRIPTIONS,
        Spend::Nothing,
        subscriptions::list,
    ),
    route(
        "GET",
        "/subscriptions/{}",
        "Microsoft.Resources/subscriptions/read",
        &SUBSCRIPTIONS,
        Spend::Nothing,
        subscriptions::get,
    ),
    route(
        "GET",
        "/subscriptions/{}/locations",
        "Microsoft.Resources/subscriptions/locations/read",
        &SUBSCRIPTIONS,
        Spend::Nothing,
        subscriptions::locations,
    ),
    route(
        "GET",
        "/subscriptions/{}/resourceGroups",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        &GROUPS,
        Spend::Nothing,
        subscriptions::list_groups,
    ),
    route(
        "GET",
        GROUP,
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        &GROUPS,
        Spend::Nothing,
        subscriptions::get_group,
    ),
    route(
        "PUT",
        GROUP,
        "Microsoft.Resources/subscriptions/resourceGroups/write",
        &GROUPS,
        Spend::Nothing,
        subscriptions::put_group,
    ),
    route(
        "GET",
        "/subscriptions/{}/providers/Microsoft.Compute/virtualMachines",
        "Microsoft.Compute/virtualMachines/read",
        &COMPUTE,
        Spend::MachineList,
        machine_calls::list_all,
    ),
    route(
        "GET",
        MACHINES,
        "Microsoft.Compute/virtualMachines/read",
        &COMPUTE,
        Spend::MachineList,
        machine_calls::list_in_group,
    ),
    route("GET", MACHINE, "Microsoft.Compute/virtualMachines/read", &COMPUTE, Spend::MachineGet, machine_calls::get),
    route("PUT", MACHINE, "Microsoft.Compute/virtualMachines/write", &COMPUTE, Spend::MachinePut, machine_calls::put),
    route(
        "PATCH",
        MACHINE,
        "Microsoft.Compute/virtualMachines/write",
        &COMPUTE,
        Spend::MachineUpdate,
        machine_calls::patch,
    ),
    route(
        "DELETE",
        MACHINE,
        "Microsoft.Compute/virtualMachines/delete",
        &COMPUTE,
        Spend::MachineDelete,
        machine_calls::delete,
    ),
    route(
        "GET",
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachines/{}/instanceView",
        "Microsoft.Compute/virtualMachines/instanceView/read",
        &COMPUTE,
        Spend::MachineGet,
        machine_calls::instance_view,
    ),
    route(
        "GET",
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/disks/{}",
        "Microsoft.Compute/disks/read",
        &DISKS,
        Spend::DiskGet,
        disks::get,
    ),
    route(
        "GET",
        "/subscriptions/{}/providers/Microsoft.Compute/restorePointCollections",
        "Microsoft.Compute/restorePointCollections/read",
        &COMPUTE,
        Spend::PointList,
        collections::list_all,
    ),
    route(
        "GET",
        COLLECTIONS,
        "Microsoft.Compute/restorePointCollections/read",
        &COMPUTE,
        Spend::PointList,
        collections::list_in_group,
    ),
    route(
        "GET",
        COLLECTION,
        "Microsoft.Compute/restorePointCollections/read",
        &COMPUTE,
        Spend::PointGet,
        collections::get,
    ),
    route(
        "PUT",
        COLLECTION,
        "Microsoft.Compute/restorePointCollections/write",
        &COMPUTE,
        Spend::CollectionPut,
        collections::put,
    ),
    route(
        "PATCH",
        COLLECTION,
        "Microsoft.Compute/restorePointCollections/write",
        &COMPUTE,
        Spend::CollectionUpdate,
        collections::patch,
    ),
    route(
        "DELETE",
        COLLECTION,
        "Microsoft.Compute/restorePointCollections/delete",
        &COMPUTE,
        Spend::PointDelete,
        collections::delete,
    ),
    route(
        "GET",
        POINT,
        "Microsoft.Compute/restorePointCollections/restorePoints/read",
        &COMPUTE,
        Spend::PointGet,
        restore_points::get,
    ),
    route(
        "PUT",
        POINT,
        "Microsoft.Compute/restorePointCollections/restorePoints/write",
        &COMPUTE,
        Spend::PointPut,
        restore_points::put,
    ),
    route(
        "DELETE",
        POINT,
        "Microsoft.Compute/restorePointCollections/restorePoints/delete",
        &COMPUTE,
        Spend::PointDelete,
        restore_points::delete,
    ),
    route(
        "GET",
        "/subscriptions/{}/providers/Microsoft.Compute/locations/{}/operations/{}",
        "Microsoft.Compute/locations/operations/read",
        &COMPUTE,
        Spend::Poll,
        operations::poll,
    ),
    route(
        "POST",
        "/providers/Microsoft.ResourceGraph/resources",
        "Microsoft.ResourceGraph/resources/action",
        &GRAPH,
        Spend::Nothing,
        graph::resources,
    ),
];

/// Looks a call up.
pub(crate) fn find(method: &str, path: &str) -> Found {
    let mut known = false;
    for route in ROUTES {
        if let Some(params) = fits(route.pattern, path) {
            if route.method == method {
                return Found::Route(route, params);
            }
            known = true;
        }
    }
    if known { Found::OtherMethod } else { Found::Nothing }
}

impl Route {
    /// Whether the call is about Resource Graph, which has rules of its own.
    pub(crate) fn is_graph(&self) -> bool {
        std::ptr::eq(self.service, &raw const GRAPH)
    }

    /// Type and name of the top-level resource that the path names, where it names one in a group, and whether the
    /// path goes on below it.
    pub(crate) fn top_level(&self, params: &[String]) -> Option<(String, String, bool)> {
        let rest = self.pattern.strip_prefix("/subscriptions/{}/resourceGroups/{}/providers/")?;
        let mut parts = rest.split('/');
        let (provider, kind) = (parts.next()?, parts.next()?);
        parts.next().filter(|&part| part == "{}")?;
        let name = params.get(2)?.clone();
        Some((format!("{provider}/{kind}"), name, parts.next().is_some()))
    }
}

/// What stands for each `{}`, if the path fits the pattern; case does not matter.
fn fits(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut wanted = pattern.split('/');
    let mut given = path.trim_end_matches('/').split('/');
    let mut params = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(params),
            (Some("{}"), Some(part)) if !part.is_empty() => params.push(part.to_owned()),
            (Some(word), Some(part)) if word.eq_ignore_ascii_case(part) => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
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
    fn no_two_routes_answer_the_same_call() {
        let mut seen = std::collections::BTreeSet::new();
        for route in ROUTES {
            assert!(seen.insert((route.method, route.pattern.to_lowercase())), "{} {}", route.method, route.pattern);
        }
    }
}

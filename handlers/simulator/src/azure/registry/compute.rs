//! What the Compute provider answers: machines, disks, restore point collections, restore points, operations.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::{collections, disks, machine_calls, operations, restore_points};
use super::{Route, Service, route};

static COMPUTE: Service =
    Service { kind: "virtualMachines", versions: &["2025-04-01", "2024-07-01", "2022-11-01", "2022-08-01"] };
static DISKS: Service = Service { kind: "disks", versions: &["2025-01-02", "2023-10-02", "2023-04-02"] };

const MACHINES: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachines";
const MACHINE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachines/{}";
const COLLECTIONS: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/restorePointCollections";
const COLLECTION: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/restorePointCollections/{}";
const POINT: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/restorePointCollections/{}/restorePoints/{}";

/// The routes.
pub(super) static ROUTES: &[Route] = &[
    route(
        "GET",
        "/subscriptions/{}/providers/Microsoft.Compute/virtualMachines",
        "Microsoft.Compute/virtualMachines/read",
        &COMPUTE,
        Spend::MachineList,
        machine_calls::list_all,
        "vm-list",
    ),
    route(
        "GET",
        MACHINES,
        "Microsoft.Compute/virtualMachines/read",
        &COMPUTE,
        Spend::MachineList,
        machine_calls::list_in_group,
        "vm-list",
    ),
    route(
        "GET",
        MACHINE,
        "Microsoft.Compute/virtualMachines/read",
        &COMPUTE,
        Spend::MachineGet,
        machine_calls::get,
        "vm-fields",
    ),
    route(
        "PUT",
        MACHINE,
        "Microsoft.Compute/virtualMachines/write",
        &COMPUTE,
        Spend::MachinePut,
        machine_calls::put,
        "vm-put",
    ),
    route(
        "PATCH",
        MACHINE,
        "Microsoft.Compute/virtualMachines/write",
        &COMPUTE,
        Spend::MachineUpdate,
        machine_calls::patch,
        "vm-patch",
    ),
    route(
        "DELETE",
        MACHINE,
        "Microsoft.Compute/virtualMachines/delete",
        &COMPUTE,
        Spend::MachineDelete,
        machine_calls::delete,
        "vm-delete",
    ),
    route(
        "GET",
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachines/{}/instanceView",
        "Microsoft.Compute/virtualMachines/instanceView/read",
        &COMPUTE,
        Spend::MachineGet,
        machine_calls::instance_view,
        "vm-agent",
    ),
    route(
        "GET",
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/disks/{}",
        "Microsoft.Compute/disks/read",
        &DISKS,
        Spend::DiskGet,
        disks::get,
        "disk-get",
    ),
    route(
        "GET",
        "/subscriptions/{}/providers/Microsoft.Compute/restorePointCollections",
        "Microsoft.Compute/restorePointCollections/read",
        &COMPUTE,
        Spend::PointList,
        collections::list_all,
        "collection-list",
    ),
    route(
        "GET",
        COLLECTIONS,
        "Microsoft.Compute/restorePointCollections/read",
        &COMPUTE,
        Spend::PointList,
        collections::list_in_group,
        "collection-list",
    ),
    route(
        "GET",
        COLLECTION,
        "Microsoft.Compute/restorePointCollections/read",
        &COMPUTE,
        Spend::PointGet,
        collections::get,
        "collection-expand",
    ),
    route(
        "PUT",
        COLLECTION,
        "Microsoft.Compute/restorePointCollections/write",
        &COMPUTE,
        Spend::CollectionPut,
        collections::put,
        "collection-put",
    ),
    route(
        "PATCH",
        COLLECTION,
        "Microsoft.Compute/restorePointCollections/write",
        &COMPUTE,
        Spend::CollectionUpdate,
        collections::patch,
        "collection-put-again",
    ),
    route(
        "DELETE",
        COLLECTION,
        "Microsoft.Compute/restorePointCollections/delete",
        &COMPUTE,
        Spend::PointDelete,
        collections::delete,
        "collection-delete",
    ),
    route(
        "GET",
        POINT,
        "Microsoft.Compute/restorePointCollections/restorePoints/read",
        &COMPUTE,
        Spend::PointGet,
        restore_points::get,
        "point-states",
    ),
    route(
        "PUT",
        POINT,
        "Microsoft.Compute/restorePointCollections/restorePoints/write",
        &COMPUTE,
        Spend::PointPut,
        restore_points::put,
        "point-put-empty",
    ),
    route(
        "DELETE",
        POINT,
        "Microsoft.Compute/restorePointCollections/restorePoints/delete",
        &COMPUTE,
        Spend::PointDelete,
        restore_points::delete,
        "point-delete",
    ),
    route(
        "GET",
        "/subscriptions/{}/providers/Microsoft.Compute/locations/{}/operations/{}",
        "Microsoft.Compute/locations/operations/read",
        &COMPUTE,
        Spend::Poll,
        operations::poll,
        "arm-async-body",
    ),
];

"""Azure's own management libraries against the simulator over TLS: what they create, list, wait for and delete, and how they read it.

Reads the server's ready line (JSON) from the file that is given. Every check runs; none is skipped. The last line says how many
passed, and the exit code is 0 only when all did.

    python management.py READY.json [--only NAME]
"""

import argparse
import json
import os
import sys
import time
import traceback
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from ssl import create_default_context
from typing import Any, Callable

from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import ManagedIdentityCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.recoveryservices import RecoveryServicesClient
from azure.mgmt.recoveryservices.models import Sku, Vault
from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient
from azure.mgmt.recoveryservicesbackup.models import (
    AzureIaaSComputeVMProtectedItem,
    BackupRequestResource,
    BackupStatusRequest,
    IaasVMBackupRequest,
    ProtectedItemResource,
)
from azure.mgmt.resource.locks import ManagementLockClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions
from azure.mgmt.resourcehealth import ResourceHealthMgmtClient

# Between two polls, in seconds: the simulator's operations take a fiftieth of what they take in Azure.
POLLING_INTERVAL = 0.05
# An operation that is not over within this many seconds is taken to hang: some polls at the pace that the answers ask for.
PATIENCE = 60
# Checks at a time. Each has names of its own in Azure, and most of its time is spent waiting between two polls.
AT_ONCE = 12
# The only library here whose default api-version is not the pinned one.
GRAPH_VERSION = "2024-04-01"


class StaticCredential:
    """A token of the simulator's identity endpoint, asked for once."""

    def __init__(self, token: str, expires_on: int):
        self.token = AccessToken(token, expires_on)

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return self.token


class Azure:
    """The simulator, and one client of each library."""

    def __init__(self, ready: dict[str, Any]):
        self.ready = ready
        self.subscription: str = ready["subscription"]
        self.group: str = ready["group"]
        self.location: str = ready["location"]
        self.machines: list[str] = ready["machines"]
        self.credential = StaticCredential(*self.token())
        self.compute = self.client(ComputeManagementClient, self.subscription)
        self.vaults = self.client(RecoveryServicesClient, self.subscription)
        self.backup = self.client(RecoveryServicesBackupClient, self.subscription)
        self.resources = self.client(ResourceManagementClient, self.subscription)
        self.subscriptions = self.client(SubscriptionClient)
        self.locks = self.client(ManagementLockClient, self.subscription)
        self.authorization = self.client(AuthorizationManagementClient, self.subscription)
        self.health = self.client(ResourceHealthMgmtClient, self.subscription)
        self.graph = self.client(ResourceGraphClient, api_version=GRAPH_VERSION)

    def token(self) -> tuple[str, int]:
        identity = self.ready["identity"]
        url = f"{identity['endpoint']}?api-version=2019-08-01&resource={self.ready['audience']}"
        request = urllib.request.Request(url, headers={"X-IDENTITY-HEADER": identity["header"]})
        with urllib.request.urlopen(request, context=create_default_context(cafile=self.ready["ca"])) as answer:
            told = json.load(answer)
        return told["access_token"], int(told["expires_on"])

    def order(self, path: str, body: dict[str, Any]) -> None:
        """Has the simulator let something happen, by its control API: no library of Azure's can."""
        headers = {"content-type": "application/json"}
        url = f"{self.ready['control']}{path}"
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
            equal(answer.status, 200, path)

    def client(self, kind: Callable[..., Any], *positional: Any, credential: Any = None, **named: Any) -> Any:
        return kind(
            credential or self.credential,
            *positional,
            base_url=self.ready["arm"],
            credential_scopes=[f"{self.ready['audience']}/.default"],
            connection_verify=self.ready["ca"],
            polling_interval=POLLING_INTERVAL,
            **named,
        )

    def machine_name(self, at: int = 0) -> str:
        return self.machines[at].rsplit("/", 1)[1]

    def os_disk(self, at: int = 0) -> Any:
        return self.compute.virtual_machines.get(self.group, self.machine_name(at)).storage_profile.os_disk

    def data_disk(self, at: int = 0) -> Any:
        return self.compute.virtual_machines.get(self.group, self.machine_name(at)).storage_profile.data_disks[0]

    def power(self, name: str) -> list[str]:
        view = self.compute.virtual_machines.instance_view(self.group, name)
        return [status.code for status in view.statuses if status.code.startswith("PowerState/")]


CHECKS: list[tuple[str, Callable[[Azure], None]]] = []


def check(name: str) -> Callable[[Callable[[Azure], None]], Callable[[Azure], None]]:
    """Adds a check to the list, in the order of this file."""

    def add(function: Callable[[Azure], None]) -> Callable[[Azure], None]:
        CHECKS.append((name, function))
        return function

    return add


def equal(found: Any, wanted: Any, what: str = "") -> None:
    if found != wanted:
        raise AssertionError(f"{what or 'value'}: {found!r}, not {wanted!r}")


def holds(condition: Any, what: str) -> None:
    if not condition:
        raise AssertionError(what)


def same_id(found: str, wanted: str) -> None:
    equal(found.lower(), wanted.lower(), "id")


def done(poller: Any) -> Any:
    """What an operation ends with; one that hangs fails its check."""
    result = poller.result(timeout=PATIENCE)
    holds(poller.done(), "the operation is over")
    equal(poller.status(), "Succeeded", "the operation's status")
    return result


def refused(kind: type[HttpResponseError], code: str, call: Callable[[], Any]) -> HttpResponseError:
    """The call must be refused with this class and code; a listing is read, so that it is sent at all."""
    try:
        answer = call()
        if hasattr(answer, "by_page"):
            list(answer)
    except kind as error:
        equal(error.error.code if error.error else None, code, "code")
        return error
    raise AssertionError(f"not refused with {code}")


def is_gone(call: Callable[[], Any]) -> None:
    refused(ResourceNotFoundError, "ResourceNotFound", call)


@check("sign-in by managed identity")
def _(azure: Azure) -> None:
    # The library reads where to ask out of the environment, as it does in an App Service app; `main` sets it.
    credential = ManagedIdentityCredential(connection_verify=azure.ready["ca"])
    token = credential.get_token(f"{azure.ready['audience']}/.default")
    holds(token.expires_on > time.time(), "a token that is good for a while")
    client = azure.client(SubscriptionClient, credential=credential)
    equal([one.subscription_id for one in client.subscriptions.list()], [azure.subscription])


@check("a bad token is refused")
def _(azure: Azure) -> None:
    client = azure.client(SubscriptionClient, credential=StaticCredential("nonsense", int(time.time()) + 3600))
    refused(ClientAuthenticationError, "InvalidAuthenticationToken", client.subscriptions.list)


@check("subscriptions")
def _(azure: Azure) -> None:
    listed = list(azure.subscriptions.subscriptions.list())
    equal([one.subscription_id for one in listed], [azure.subscription])
    one = azure.subscriptions.subscriptions.get(azure.subscription)
    equal((one.display_name, one.state), ("Clients", "Enabled"))
    same_id(one.id, f"/subscriptions/{azure.subscription}")
    equal(listed[0].tenant_id, azure.ready["tenant"], "tenant")


@check("locations")
def _(azure: Azure) -> None:
    locations = {one.name: one for one in azure.subscriptions.subscriptions.list_locations(azure.subscription)}
    europe = locations["westeurope"]
    equal(europe.metadata.paired_region[0].name, "northeurope", "paired region")
    equal(europe.metadata.region_type, "Physical")
    holds(europe.display_name and europe.regional_display_name, "names for people")
    holds(europe.availability_zone_mappings, "zones")


@check("resource groups")
def _(azure: Azure) -> None:
    groups, name = azure.resources.resource_groups, "made-by-client"
    made = groups.create_or_update(name, {"location": azure.location, "tags": {"made": "by-client"}})
    equal((made.name, made.location, made.tags), (name, azure.location, {"made": "by-client"}))
    equal(made.properties.provisioning_state, "Succeeded")
    again = groups.create_or_update(name, {"location": azure.location, "tags": {}})
    equal(again.tags or {}, {}, "tags after a second write")
    same_id(groups.get(name).id, f"/subscriptions/{azure.subscription}/resourceGroups/{name}")
    holds({name, azure.group} <= {group.name for group in groups.list()}, "both are listed")
    done(groups.begin_delete(name))
    refused(ResourceNotFoundError, "ResourceGroupNotFound", lambda: groups.get(name))
    holds(name not in {group.name for group in groups.list()}, "it is no longer listed")


@check("locks")
def _(azure: Azure) -> None:
    groups, locks, group = azure.resources.resource_groups, azure.locks.management_locks, "locked-by-client"
    groups.create_or_update(group, {"location": azure.location})
    lock = locks.create_or_update_at_resource_group_level(group, "keep", {"level": "CanNotDelete", "notes": "a note"})
    equal((lock.name, lock.level, lock.notes), ("keep", "CanNotDelete", "a note"))
    equal([one.name for one in locks.list_at_resource_group_level(group)], ["keep"])
    holds("keep" in {one.name for one in locks.list_at_subscription_level()}, "listed over the subscription")
    equal(locks.get_at_resource_group_level(group, "keep").level, "CanNotDelete")
    refused(HttpResponseError, "ScopeLocked", lambda: groups.begin_delete(group))
    locks.delete_at_resource_group_level(group, "keep")
    equal(list(locks.list_at_resource_group_level(group)), [])
    done(groups.begin_delete(group))


@check("locks on a machine")
def _(azure: Azure) -> None:
    locks, machine = azure.locks.management_locks, azure.machines[4]
    scope = machine.lstrip("/")
    lock = locks.create_or_update_by_scope(scope, "still", {"level": "ReadOnly"})
    equal((lock.name, lock.level), ("still", "ReadOnly"))
    same_id(lock.id, f"{machine}/providers/Microsoft.Authorization/locks/still")
    equal([one.name for one in locks.list_by_scope(scope)], ["still"])
    name = azure.machine_name(4)
    tags = {"tags": {"env": "prod"}}
    refused(HttpResponseError, "ScopeLocked", lambda: azure.compute.virtual_machines.begin_update(azure.group, name, tags))
    locks.delete_by_scope(scope, "still")
    equal(list(locks.list_by_scope(scope)), [])


@check("permissions")
def _(azure: Azure) -> None:
    permissions = azure.authorization.permissions
    found = list(permissions.list_for_resource_group(azure.group))
    holds(any("*" in one.actions for one in found), "the owner may do everything in the group")
    name = azure.machine_name()
    found = list(permissions.list_for_resource(azure.group, "Microsoft.Compute", "", "virtualMachines", name))
    holds(any("*" in one.actions for one in found), "the owner may do everything with a machine")


@check("usages")
def _(azure: Azure) -> None:
    usages = {one.name.value: one for one in azure.compute.usage.list(azure.location)}
    cores = usages["cores"]
    holds(0 < cores.current_value <= cores.limit, f"cores in use: {cores.current_value} of {cores.limit}")
    holds(cores.name.localized_value, "a name for people")
    holds(usages["virtualMachines"].current_value >= len(azure.machines), "machines in use")


@check("SKUs")
def _(azure: Azure) -> None:
    size = azure.compute.virtual_machines.get(azure.group, azure.machine_name()).hardware_profile.vm_size
    listed = list(azure.compute.resource_skus.list(filter=f"location eq '{azure.location}'"))
    holds(all(azure.location in {name.lower() for name in one.locations} for one in listed), "of that location alone")
    own = next(one for one in listed if one.resource_type == "virtualMachines" and one.name == size)
    capabilities = {one.name: one.value for one in own.capabilities}
    holds(int(capabilities["vCPUs"]) > 0, "vCPUs")
    equal(own.restrictions, [], "restrictions")


@check("machines")
def _(azure: Azure) -> None:
    machines, name = azure.compute.virtual_machines, azure.machine_name()
    machine = machines.get(azure.group, name)
    equal((machine.name, machine.location, machine.provisioning_state), (name, azure.location, "Succeeded"))
    same_id(machine.id, azure.machines[0])
    holds(machine.vm_id and machine.time_created, "an identity and a time")
    equal(machine.storage_profile.os_disk.os_type, "Linux")
    equal([disk.lun for disk in machine.storage_profile.data_disks], [0], "data disks")
    for listing in (machines.list_all(), machines.list(azure.group)):
        # A listing writes the group's name in capitals, as Azure's does.
        holds({one.lower() for one in azure.machines} <= {one.id.lower() for one in listing}, "all are listed")
    view = machines.instance_view(azure.group, name)
    equal(view.vm_agent.statuses[0].display_status, "Ready")
    equal(view.statuses[0].code, "ProvisioningState/succeeded")
    expanded = machines.get(azure.group, name, expand="instanceView")
    holds(expanded.instance_view.statuses, "the instance view inside the machine")
    is_gone(lambda: machines.get(azure.group, "nobody"))
    refused(ResourceNotFoundError, "ResourceGroupNotFound", lambda: machines.get("nowhere", name))


@check("machines are stopped and started")
def _(azure: Azure) -> None:
    machines, name = azure.compute.virtual_machines, azure.machine_name(1)
    equal(azure.power(name), ["PowerState/running"])
    done(machines.begin_power_off(azure.group, name))
    equal(azure.power(name), ["PowerState/stopped"])
    done(machines.begin_start(azure.group, name))
    equal(azure.power(name), ["PowerState/running"])
    done(machines.begin_deallocate(azure.group, name))
    equal(azure.power(name), ["PowerState/deallocated"])
    done(machines.begin_start(azure.group, name))
    equal(azure.power(name), ["PowerState/running"])


@check("machines' tags")
def _(azure: Azure) -> None:
    machines, name = azure.compute.virtual_machines, azure.machine_name(2)
    changed = done(machines.begin_update(azure.group, name, {"tags": {"env": "test", "by": "client"}}))
    equal(changed.tags, {"env": "test", "by": "client"})
    equal(machines.get(azure.group, name).tags, {"env": "test", "by": "client"})
    done(machines.begin_update(azure.group, name, {"tags": {"env": "prod"}}))
    equal(machines.get(azure.group, name).tags, {"env": "prod"})


@check("disks")
def _(azure: Azure) -> None:
    disks, name = azure.compute.disks, "made-by-client"
    wanted = {
        "location": azure.location,
        "sku": {"name": "Premium_LRS"},
        "tags": {"made": "by-client"},
        "creation_data": {"create_option": "Empty"},
        "disk_size_gb": 32,
    }
    made = done(disks.begin_create_or_update(azure.group, name, wanted))
    equal((made.name, made.provisioning_state, made.disk_size_gb), (name, "Succeeded", 32))
    found = disks.get(azure.group, name)
    equal((found.disk_state, found.creation_data.create_option, found.sku.name), ("Unattached", "Empty", "Premium_LRS"))
    holds(found.unique_id and found.time_created and found.tags, "an identity, a time and tags")
    for listing in (disks.list(), disks.list_by_resource_group(azure.group)):
        holds(name in {one.name for one in listing}, "it is listed")
    attached = disks.get(azure.group, azure.os_disk().name)
    equal(attached.disk_state, "Attached")
    same_id(attached.managed_by, azure.machines[0])
    done(disks.begin_delete(azure.group, name))
    is_gone(lambda: disks.get(azure.group, name))
    done(disks.begin_delete(azure.group, name))


@check("incremental snapshots, and a disk made from one")
def _(azure: Azure) -> None:
    snapshots, disks, name = azure.compute.snapshots, azure.compute.disks, "snapshot-by-client"
    source = disks.get(azure.group, azure.os_disk().name)
    wanted = {
        "location": azure.location,
        "sku": {"name": "Standard_ZRS"},
        "incremental": True,
        "creation_data": {"create_option": "Copy", "source_resource_id": source.id},
    }
    made = done(snapshots.begin_create_or_update(azure.group, name, wanted))
    equal((made.name, made.incremental, made.provisioning_state), (name, True, "Succeeded"))
    found = snapshots.get(azure.group, name)
    equal(found.disk_size_gb, source.disk_size_gb)
    # Recorded: a snapshot in its own region, once it is whole, mostly tells no percentage.
    holds(found.completion_percent in (None, 100.0), f"whole: {found.completion_percent}")
    equal(found.creation_data.source_unique_id, source.unique_id, "the disk it was made from")
    same_id(found.creation_data.source_resource_id, source.id)
    holds(found.incremental_snapshot_family_id and found.time_created, "a family and a time")
    for listing in (snapshots.list(), snapshots.list_by_resource_group(azure.group)):
        holds(name in {one.name for one in listing}, "it is listed")
    copy = {"location": azure.location, "creation_data": {"create_option": "Copy", "source_resource_id": found.id}}
    restored = done(disks.begin_create_or_update(azure.group, "restored-by-client", copy))
    equal(restored.disk_size_gb, source.disk_size_gb)
    done(disks.begin_delete(azure.group, "restored-by-client"))
    done(snapshots.begin_delete(azure.group, name))
    is_gone(lambda: snapshots.get(azure.group, name))


def collection(azure: Azure, name: str, machine: str) -> Any:
    wanted = {"location": azure.location, "tags": {"made": "by-client"}, "source": {"id": machine}}
    return azure.compute.restore_point_collections.create_or_update(azure.group, name, wanted)


@check("restore point collections")
def _(azure: Azure) -> None:
    collections, name = azure.compute.restore_point_collections, "collection-by-client"
    made = collection(azure, name, azure.machines[3])
    equal((made.name, made.provisioning_state, made.tags), (name, "Succeeded", {"made": "by-client"}))
    same_id(made.source.id, azure.machines[3])
    found = collections.get(azure.group, name, expand="restorePoints")
    equal(found.restore_points or [], [])
    for listing in (collections.list(azure.group), collections.list_all()):
        holds(name in {one.name for one in listing}, "it is listed")
    done(collections.begin_delete(azure.group, name))
    is_gone(lambda: collections.get(azure.group, name))


@check("restore points, with a disk left out")
def _(azure: Azure) -> None:
    collections, points = azure.compute.restore_point_collections, azure.compute.restore_points
    name, point = "points-by-client", "20261122t0200z"
    collection(azure, name, azure.machines[0])
    left_out = azure.data_disk().managed_disk.id
    done(points.begin_create(azure.group, name, point, {"exclude_disks": [{"id": left_out}]}))
    found = points.get(azure.group, name, point)
    equal((found.name, found.provisioning_state), (point, "Succeeded"))
    equal(found.consistency_mode, "FileSystemConsistent", "a Linux machine's consistency")
    equal([disk.id.lower() for disk in found.exclude_disks], [left_out.lower()])
    profile = found.source_metadata.storage_profile
    equal(profile.data_disks or [], [], "disks in the point")
    holds("/diskRestorePoints/" in profile.os_disk.disk_restore_point.id, "a point of the OS disk")
    equal(found.source_metadata.vm_id, azure.compute.virtual_machines.get(azure.group, azure.machine_name()).vm_id)
    holds(found.time_created, "a time")
    expanded = collections.get(azure.group, name, expand="restorePoints")
    equal([one.name for one in expanded.restore_points], [point])
    done(points.begin_delete(azure.group, name, point))
    # The provider's own word: what is inside a collection, ARM does not know.
    refused(ResourceNotFoundError, "NotFound", lambda: points.get(azure.group, name, point))
    done(collections.begin_delete(azure.group, name))


@check("a crash-consistent restore point of all disks")
def _(azure: Azure) -> None:
    points, name, point = azure.compute.restore_points, "crash-by-client", "20261122t0300z"
    collection(azure, name, azure.machines[1])
    done(points.begin_create(azure.group, name, point, {"consistency_mode": "CrashConsistent"}))
    found = points.get(azure.group, name, point)
    equal((found.provisioning_state, found.consistency_mode), ("Succeeded", "CrashConsistent"))
    equal(len(found.source_metadata.storage_profile.data_disks), 1, "data disks in the point")
    done(azure.compute.restore_point_collections.begin_delete(azure.group, name))


MACHINES_ONLY = "backupManagementType eq 'AzureIaasVM'"


class Protected:
    """A vault of a check's own, and one machine as its item."""

    def __init__(self, azure: Azure, vault: str, at: int):
        self.azure, self.vault, self.machine = azure, vault, azure.machines[at]
        native = f"iaasvmcontainerv2;{azure.group};{azure.machine_name(at)}"
        self.item = (vault, azure.group, "Azure", f"IaasVMContainer;{native}", f"VM;{native}")
        done(azure.vaults.vaults.begin_create_or_update(azure.group, vault, Vault(location=azure.location, sku=Sku(name="Standard"))))

    def wish(self, policy: str | None, state: str | None = None) -> ProtectedItemResource:
        policy_id = "" if policy is None else f"{self.azure.vaults.vaults.get(self.azure.group, self.vault).id}/backupPolicies/{policy}"
        wanted = AzureIaaSComputeVMProtectedItem(source_resource_id=self.machine, policy_id=policy_id, protection_state=state)
        return ProtectedItemResource(properties=wanted)

    def put(self, policy: str | None, state: str | None = None) -> None:
        self.azure.backup.protected_items.create_or_update(*self.item, self.wish(policy, state))

    def jobs(self, operation: str) -> list[Any]:
        filter_text = f"{MACHINES_ONLY} and operation eq '{operation}'"
        return list(self.azure.backup.backup_jobs.list(self.vault, self.azure.group, filter=filter_text))

    def after(self, operation: str) -> Any:
        """The job of this kind, once it has ended: its own document, with its tasks."""
        patience = time.monotonic() + PATIENCE
        while not (jobs := self.jobs(operation)) or jobs[0].properties.status == "InProgress":
            holds(time.monotonic() < patience, f"{operation} ends")
            time.sleep(0.2)
        return self.azure.backup.job_details.get(self.vault, self.azure.group, jobs[0].name).properties


@check("a machine is protected in a vault, backed up, stopped and deleted")
def _(azure: Azure) -> None:
    own = Protected(azure, "backed-up", 4)
    vault = azure.vaults.vaults.get(azure.group, own.vault)
    equal(vault.properties.provisioning_state, "Succeeded")
    holds(own.vault in [one.name for one in azure.vaults.vaults.list_by_subscription_id()], "the vault is listed")
    names = {one.name for one in azure.backup.backup_policies.list(own.vault, azure.group)}
    equal(names, {"DefaultPolicy", "EnhancedPolicy", "HourlyLogBackup"}, "vault policies")
    ask = BackupStatusRequest(resource_type="VM", resource_id=own.machine)
    equal(azure.backup.backup_status.get(azure.location, ask).protection_status, "NotProtected")
    azure.backup.protection_containers.refresh(own.vault, azure.group, "Azure")
    patience = time.monotonic() + PATIENCE
    while own.machine not in [
        one.properties.virtual_machine_id
        for one in azure.backup.backup_protectable_items.list(own.vault, azure.group, filter=MACHINES_ONLY)
    ]:
        holds(time.monotonic() < patience, "the machine is discovered")
        time.sleep(0.1)

    own.put("DefaultPolicy")
    equal(own.after("ConfigureBackup").status, "Completed")
    item = azure.backup.protected_items.get(*own.item).properties
    equal((item.protection_state, item.last_backup_time.year), ("IRPending", 2001))
    equal(azure.backup.backup_status.get(azure.location, ask).protection_status, "Protected")

    azure.backup.backups.trigger(*own.item, BackupRequestResource(properties=IaasVMBackupRequest()))
    again = lambda: azure.backup.backups.trigger(*own.item, BackupRequestResource(properties=IaasVMBackupRequest()))
    refused(HttpResponseError, "UserErrorBackupOperationInProgress", again)
    job = own.after("Backup")
    equal([(task.task_id, task.status) for task in job.extended_info.tasks_list],
          [("Take Snapshot", "Completed"), ("Transfer data to vault", "Completed")])
    points = list(azure.backup.recovery_points.list(*own.item))
    equal([[tier.type for tier in one.properties.recovery_point_tier_details] for one in points], [["InstantRP", "HardenedRP"]])
    listed = list(azure.backup.backup_protected_items.list(own.vault, azure.group, filter=MACHINES_ONLY))
    equal([(one.properties.protection_state, one.properties.last_backup_status) for one in listed], [("Protected", "Completed")])

    own.put(None, "ProtectionStopped")
    equal(own.after("DisableBackup").status, "Completed")
    azure.backup.protected_items.delete(*own.item)
    equal(own.after("DeleteBackupData").status, "Completed")
    item = azure.backup.protected_items.get(*own.item).properties
    equal((item.protection_state, item.is_scheduled_for_deferred_delete), ("ProtectionStopped", True))
    gone = lambda: azure.vaults.vaults.begin_delete(azure.group, own.vault).result(timeout=PATIENCE)
    refused(HttpResponseError, "BMSUserErrorVaultDeletionNotAllowed", gone)


@check("an empty vault is deleted")
def _(azure: Azure) -> None:
    azure_vaults = azure.vaults.vaults
    vault = Vault(location=azure.location, sku=Sku(name="Standard"))
    done(azure_vaults.begin_create_or_update(azure.group, "for-a-while", vault))
    try:
        azure_vaults.begin_delete(azure.group, "for-a-while").result(timeout=PATIENCE)
    except HttpResponseError as error:
        # Recorded: once the vault is gone, its operation is answered 200 by some tapes and 404 by others; the library raises the latter.
        equal(error.status_code, 404)
    patience = time.monotonic() + PATIENCE
    while "for-a-while" in [one.name for one in azure_vaults.list_by_resource_group(azure.group)]:
        holds(time.monotonic() < patience, "the vault goes")
        time.sleep(0.1)
    is_gone(lambda: azure_vaults.get(azure.group, "for-a-while"))


@check("Resource Health statuses")
def _(azure: Azure) -> None:
    statuses, machine = azure.health.availability_statuses, azure.machines[0]
    status = statuses.get_by_resource(machine.lstrip("/"))
    equal((status.name, status.properties.availability_state), ("current", "Available"))
    holds(status.properties.summary and status.properties.reported_time, "a summary and a time")
    holds(status.properties.occured_time, "since when")
    for listing in (statuses.list_by_subscription_id(), statuses.list_by_resource_group(azure.group)):
        found = {one.id.lower() for one in listing}
        holds(all(any(one.startswith(each.lower()) for one in found) for each in azure.machines), "all machines")
    order = {"id": machine, "state": "Unavailable", "cause": "PlatformInitiated", "reasonType": "Unplanned"}
    azure.order("/machines/health", order)
    status = statuses.get_by_resource(machine.lstrip("/"))
    equal((status.properties.availability_state, status.properties.reason_type), ("Unavailable", "Unplanned"))
    azure.order("/machines/health", {"id": machine, "state": "Available"})
    history = [one.properties.availability_state for one in statuses.list(machine.lstrip("/"))]
    holds({"Available", "Unavailable"} <= set(history), f"a history: {history}")


@check("Resource Health events")
def _(azure: Azure) -> None:
    events = azure.health.events
    # Nothing has happened in this Azure: an empty page must be one.
    equal(list(events.list_by_subscription_id()), [])
    happened = {
        "trackingId": "ABCD-1E0",
        "eventType": "ServiceIssue",
        "title": "Virtual Machines in West Europe",
        "summary": "We are looking into it.",
        "level": "Warning",
        "impacts": [{"service": "Virtual Machines", "regions": [azure.location]}],
    }
    azure.order("/service-events", happened)
    (event,) = list(events.list_by_subscription_id())
    equal((event.name, event.properties.event_type, event.properties.status), ("ABCD-1E0", "ServiceIssue", "Active"))
    equal(event.properties.title, happened["title"])
    equal(event.properties.impact[0].impacted_service, "Virtual Machines")
    holds(event.properties.impact_start_time and event.properties.last_update_time, "times")
    azure.order("/service-events/resolve", {"trackingId": "ABCD-1E0", "summary": "It is over."})
    (event,) = list(events.list_by_subscription_id())
    equal(event.properties.status, "Resolved")
    holds(event.properties.impact_mitigation_time, "when it was over")


@check("Resource Graph, page by page")
def _(azure: Azure) -> None:
    query = (
        "Resources | where type =~ 'microsoft.compute/virtualmachines'"
        " | project id, name, location, resourceGroup, tags | order by id asc"
    )
    rows, pages, skip = [], 0, None
    while True:
        options = QueryRequestOptions(top=2, skip_token=skip, result_format="objectArray")
        page = azure.graph.resources(QueryRequest(subscriptions=[azure.subscription], query=query, options=options))
        equal((page.total_records, page.count), (len(azure.machines), len(page.data)), "counts")
        rows, pages, skip = rows + page.data, pages + 1, page.skip_token
        # What goes on on another page is not cut off.
        equal(page.result_truncated, "false", "truncated")
        if not skip:
            break
        holds(pages < 9, "the pages end")
    equal(pages, -(-len(azure.machines) // 2), "pages")
    equal([row["id"].lower() for row in rows], sorted(machine.lower() for machine in azure.machines))
    equal({row["location"] for row in rows}, {azure.location})


@check("Resource Graph refuses what it cannot read")
def _(azure: Azure) -> None:
    query = QueryRequest(subscriptions=[azure.subscription], query="Resources | where where")
    error = refused(HttpResponseError, "BadRequest", lambda: azure.graph.resources(query))
    equal(error.status_code, 400)
    holds("InvalidQuery" in {detail.code for detail in error.error.details}, "the details say why")


def main() -> int:
    arguments = argparse.ArgumentParser(description="Azure's own libraries against the simulator")
    arguments.add_argument("ready", help="the file with the server's ready line")
    arguments.add_argument("--only", help="the name of the one check to run")
    asked = arguments.parse_args()
    chosen = [one for one in CHECKS if asked.only in (None, one[0])]
    if not chosen:
        print(f"no check is named {asked.only!r}; there are: {', '.join(name for name, _ in CHECKS)}", file=sys.stderr)
        return 2
    with open(asked.ready, encoding="utf-8") as file:
        ready = json.load(file)
    # Before the checks, and for all of them: whoever reads the environment while another changes it, as each request does, may fail.
    os.environ.update(IDENTITY_ENDPOINT=ready["identity"]["endpoint"], IDENTITY_HEADER=ready["identity"]["header"])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda one: outcome(ready, *one), chosen))
    for passed, line in outcomes:
        print(line)
    failed = sum(not passed for passed, _ in outcomes)
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


def outcome(ready: dict[str, Any], name: str, run: Callable[[Azure], None]) -> tuple[bool, str]:
    """Runs one check with clients of its own; says whether it passed, and the line about it."""
    began = time.monotonic()
    try:
        run(Azure(ready))
        return True, f"ok      {name} ({time.monotonic() - began:.1f} s)"
    except Exception as error:  # whatever a library raises is this check's failure
        frames = traceback.extract_tb(error.__traceback__)
        own = next((one for one in reversed(frames) if one.filename == __file__ and one.name == "_"), frames[-1])
        return False, f"FAILED  {name}, line {own.lineno}: {type(error).__name__}: {str(error)[:600]}"


if __name__ == "__main__":
    sys.exit(main())

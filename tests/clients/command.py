"""The Azure command line, `az`, against the simulator over TLS: a cloud of its own, signed in to, and used.

Reads the server's ready line (JSON) from the file that is given. Every check runs; none is skipped. The last line says how many
passed, and the exit code is 0 only when all did.

    python command.py AZ READY.json SCRATCH

What `az` asks for in an api-version that no document here covers (`az vm`, `az group`, `az lock`, the end of a collection) is asked for
by `az rest` with the pinned one: the sign-in and the transport are az's all the same.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

# Longer than any command here takes, in seconds; one that hangs fails its check.
PATIENCE = 120
# Commands at a time: each starts an interpreter, and waits between two polls.
AT_ONCE = 4
# The pinned api-versions, for what goes by `az rest`.
COMPUTE, GROUPS, HEALTH, LOCKS, SKUS = "2025-04-01", "2025-04-01", "2025-05-01", "2020-05-01", "2021-07-01"


class Refused(Exception):
    """What a command wrote to stderr when it ended with another code than 0."""


class Az:
    """The command, with a folder of its own for its settings: the user's are not touched."""

    def __init__(self, program: str, ready: dict[str, Any], scratch: Path):
        self.program, self.ready, self.scratch = program, ready, scratch
        self.subscription = f"/subscriptions/{ready['subscription']}"
        self.machines: list[str] = ready["machines"]
        self.environment = {
            **os.environ,
            "AZURE_CONFIG_DIR": str(scratch / "az"),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            # The simulated directory is known to nobody else, so nobody else is asked about it.
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_NO_COLOR": "true",
            "REQUESTS_CA_BUNDLE": ready["ca"],
        }

    def __call__(self, *words: str) -> Any:
        command = [self.program, *words, "--output", "json", "--only-show-errors"]
        run = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
        if run.returncode != 0:
            raise Refused(f"az {' '.join(words[:3])}: {run.stderr.strip()}")
        return json.loads(run.stdout) if run.stdout.strip() else None

    def rest(self, method: str, path: str, version: str, body: Any = None) -> Any:
        words = ["rest", "--method", method, "--url", f"{path}?api-version={version}"]
        return self(*words, *(["--body", json.dumps(body)] if body is not None else []))

    def compute(self, kind: str, name: str) -> str:
        return f"{self.subscription}/resourceGroups/{self.ready['group']}/providers/Microsoft.Compute/{kind}/{name}"

    def power(self, machine: str) -> list[str]:
        view = self.rest("get", f"{machine}/instanceView", COMPUTE)
        return [status["code"] for status in view["statuses"] if status["code"].startswith("PowerState/")]


CHECKS: list[tuple[str, Callable[[Az], None]]] = []


def check(name: str) -> Callable[[Callable[[Az], None]], Callable[[Az], None]]:
    """Adds a check to the list, in the order of this file."""

    def add(function: Callable[[Az], None]) -> Callable[[Az], None]:
        CHECKS.append((name, function))
        return function

    return add


def equal(found: Any, wanted: Any, what: str = "value") -> None:
    if found != wanted:
        raise AssertionError(f"{what}: {found!r}, not {wanted!r}")


def holds(condition: Any, what: str) -> None:
    if not condition:
        raise AssertionError(what)


def refused(code: str, call: Callable[[], Any]) -> None:
    try:
        call()
    except Refused as error:
        holds(code in str(error), f"refused with {str(error)[:300]}, not {code}")
        return
    raise AssertionError(f"not refused with {code}")


def until(wanted: Any, look: Callable[[], Any]) -> None:
    """Looks until it is as wanted; what does not come in time fails."""
    ends, seen = time.monotonic() + PATIENCE, None
    while time.monotonic() < ends:
        seen = look()
        if seen == wanted:
            return
        time.sleep(0.2)
    equal(seen, wanted)


def sign_in(az: Az) -> None:
    """Registers the simulator as a cloud and signs in as its application; all other checks need it."""
    ready, cloud = az.ready, az.scratch / "cloud.json"
    endpoints = {
        "resource_manager": ready["arm"],
        "management": ready["arm"],
        "active_directory": ready["authority"],
        "active_directory_resource_id": f"{ready['audience']}/",
        "active_directory_graph_resource_id": "https://graph.windows.net/",
    }
    cloud.write_text(json.dumps({"endpoints": endpoints}), encoding="utf-8")
    az("cloud", "register", "--name", "Simulated", "--skip-endpoint-discovery", "--cloud-config", f"@{cloud}")
    az("cloud", "set", "--name", "Simulated")
    client = ready["client"]
    words = ["login", "--service-principal", "--username", client["id"], "--tenant", ready["tenant"], "--password"]
    refused("AADSTS7000215", lambda: az(*words, "wrong"))
    accounts = az(*words, client["secret"])
    equal([one["id"] for one in accounts], [ready["subscription"]], "subscriptions")
    equal((accounts[0]["state"], accounts[0]["tenantId"]), ("Enabled", ready["tenant"]))


@check("locations")
def _(az: Az) -> None:
    locations = {one["name"]: one for one in az("account", "list-locations")}
    equal(locations["westeurope"]["metadata"]["pairedRegion"][0]["name"], "northeurope", "paired region")


@check("resource groups")
def _(az: Az) -> None:
    path = f"{az.subscription}/resourceGroups/made-by-az"
    made = az.rest("put", path, GROUPS, {"location": az.ready["location"]})
    equal(made["properties"]["provisioningState"], "Succeeded")
    listed = az.rest("get", f"{az.subscription}/resourceGroups", GROUPS)["value"]
    holds("made-by-az" in {one["name"] for one in listed}, "it is listed")
    az.rest("delete", path, GROUPS)

    def is_there() -> bool:
        return "made-by-az" in {one["name"] for one in az.rest("get", f"{az.subscription}/resourceGroups", GROUPS)["value"]}

    until(False, is_there)
    refused("ResourceGroupNotFound", lambda: az.rest("get", path, GROUPS))


@check("locks")
def _(az: Az) -> None:
    locks = f"{az.machines[5]}/providers/Microsoft.Authorization/locks"
    made = az.rest("put", f"{locks}/az-keep", LOCKS, {"properties": {"level": "CanNotDelete"}})
    equal((made["name"], made["properties"]["level"]), ("az-keep", "CanNotDelete"))
    holds("az-keep" in {one["name"] for one in az.rest("get", locks, LOCKS)["value"]}, "it is listed")
    refused("ScopeLocked", lambda: az.rest("delete", az.machines[5], COMPUTE))
    az.rest("delete", f"{locks}/az-keep", LOCKS)
    holds("az-keep" not in {one["name"] for one in az.rest("get", locks, LOCKS)["value"]}, "it is no longer listed")


@check("usages and SKUs")
def _(az: Az) -> None:
    path = f"{az.subscription}/providers/Microsoft.Compute/locations/{az.ready['location']}/usages"
    usages = {one["name"]["value"]: one for one in az.rest("get", path, COMPUTE)["value"]}
    holds(0 < usages["cores"]["currentValue"] <= usages["cores"]["limit"], "cores in use")
    skus = az.rest("get", f"{az.subscription}/providers/Microsoft.Compute/skus", SKUS)["value"]
    holds(any(one["resourceType"] == "virtualMachines" for one in skus), "sizes of machines")


@check("machines are stopped and started")
def _(az: Az) -> None:
    machine = az.machines[3]
    equal(az.power(machine), ["PowerState/running"])
    for action, state in [("deallocate", "deallocated"), ("start", "running"), ("powerOff", "stopped"), ("start", "running")]:
        az.rest("post", f"{machine}/{action}", COMPUTE)
        until([f"PowerState/{state}"], lambda: az.power(machine))


@check("disks")
def _(az: Az) -> None:
    group, name = az.ready["group"], "made-by-az"
    own = ["--resource-group", group, "--name", name]
    made = az("disk", "create", *own, "--location", az.ready["location"], "--size-gb", "8", "--sku", "Premium_LRS")
    equal((made["provisioningState"], made["diskSizeGB"]), ("Succeeded", 8))
    equal(az("disk", "show", *own)["diskState"], "Unattached")
    holds(name in {one["name"] for one in az("disk", "list", "--resource-group", group)}, "it is listed")
    az("disk", "delete", *own, "--yes")
    refused("ResourceNotFound", lambda: az("disk", "show", *own))


@check("incremental snapshots")
def _(az: Az) -> None:
    group, source = az.ready["group"], az.compute("disks", f"{az.machines[0].rsplit('/', 1)[1]}-data")
    own = ["--resource-group", group, "--name", "snapshot-by-az"]
    made = az("snapshot", "create", *own, "--location", az.ready["location"], "--source", source, "--incremental", "true")
    equal((made["provisioningState"], made["incremental"]), ("Succeeded", True))
    equal(az("snapshot", "show", *own)["creationData"]["sourceResourceId"].lower(), source.lower(), "source")
    holds("snapshot-by-az" in {one["name"] for one in az("snapshot", "list", "--resource-group", group)}, "it is listed")
    az("snapshot", "delete", *own)
    refused("ResourceNotFound", lambda: az("snapshot", "show", *own))


@check("restore points, with a disk left out")
def _(az: Az) -> None:
    machine, group = az.machines[5], az.ready["group"]
    left_out = az.compute("disks", f"{machine.rsplit('/', 1)[1]}-data")
    own = ["--resource-group", group, "--collection-name", "points-by-az"]
    made = az("restore-point", "collection", "create", *own, "--location", az.ready["location"], "--source-id", machine)
    equal(made["provisioningState"], "Succeeded")
    point = ["--name", "20261122t0200z"]
    az("restore-point", "create", *own, *point, "--exclude-disks", left_out)
    shown = az("restore-point", "show", *own, *point)
    equal(shown["provisioningState"], "Succeeded")
    equal([one["id"].lower() for one in shown["excludeDisks"]], [left_out.lower()], "left out")
    equal(shown["sourceMetadata"]["storageProfile"].get("dataDisks") or [], [], "disks in the point")
    collection = az.compute("restorePointCollections", "points-by-az")
    az.rest("delete", collection, COMPUTE)

    def is_there() -> bool:
        listed = az("restore-point", "collection", "list", "--resource-group", group)
        return "points-by-az" in {one["name"] for one in listed}

    until(False, is_there)
    refused("ResourceNotFound", lambda: az("restore-point", "collection", "show", *own))


@check("Resource Health")
def _(az: Az) -> None:
    path = f"{az.machines[0]}/providers/Microsoft.ResourceHealth/availabilityStatuses/current"
    equal(az.rest("get", path, HEALTH)["properties"]["availabilityState"], "Available")


def outcome(az: Az, name: str, run: Callable[[Az], None]) -> tuple[bool, str]:
    """Runs one check; says whether it passed, and the line about it."""
    began = time.monotonic()
    try:
        run(az)
        return True, f"ok      az: {name} ({time.monotonic() - began:.1f} s)"
    except Exception as error:  # whatever goes wrong is this check's failure
        return False, f"FAILED  az: {name}: {type(error).__name__}: {str(error)[:600]}"


def main() -> int:
    arguments = argparse.ArgumentParser(description="The Azure command line against the simulator")
    arguments.add_argument("az", help="the command")
    arguments.add_argument("ready", help="the file with the server's ready line")
    arguments.add_argument("scratch", help="a folder for its settings")
    asked = arguments.parse_args()
    az = Az(asked.az, json.loads(Path(asked.ready).read_text(encoding="utf-8")), Path(asked.scratch))
    outcomes = [outcome(az, "sign-in", sign_in)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes += pool.map(lambda one: outcome(az, *one), CHECKS)
    for _, line in outcomes:
        print(line)
    failed = sum(not passed for passed, _ in outcomes)
    print(f"az: {len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Asks Cloud Custodian which machines are not protected in a vault, and prints its answer, its seconds and its memory as JSON.

It never changes what Custodian does: it tells it where the simulated Azure is, and rewrites api-versions to those that the simulator
is held to (Custodian's own libraries ask for others, which no document here covers).

    ask.py ARM_URL SUBSCRIPTION SCRATCH          AZURE_ACCESS_TOKEN and REQUESTS_CA_BUNDLE in the environment
"""

import json
import os
import re
import resource
import sys
import time
from pathlib import Path

import requests
from msrestazure.azure_cloud import AZURE_PUBLIC_CLOUD

ARM, SUBSCRIPTION, SCRATCH = sys.argv[1], sys.argv[2], Path(sys.argv[3])

# The api-version that the simulator is held to, by provider.
PINNED = {"microsoft.compute": "2025-04-01", "microsoft.recoveryservices": "2025-02-01"}

POLICY = {
    "policies": [
        {
            "name": "unprotected",
            "resource": "azure.vm",
            "filters": [{"type": "backup-status", "key": "protectionStatus", "op": "ne", "value": "Protected"}],
        }
    ]
}

original = requests.Session.send


def send(session, request, **options):
    """Sends a request under the pinned api-version."""
    provider = re.search(r"/providers/([^/?]+)", request.url)
    version = PINNED.get(provider.group(1).lower()) if provider else None
    if version:
        request.url = re.sub(r"(api-version=)[^&]+", rf"\g<1>{version}", request.url)
    return original(session, request, **options)


requests.Session.send = send
AZURE_PUBLIC_CLOUD.endpoints.resource_manager = ARM.rstrip("/") + "/"
os.environ.update(AZURE_SUBSCRIPTION_ID=SUBSCRIPTION, AZURE_TENANT_ID="00000000-0000-0000-0000-000000000000")
(SCRATCH / "policy.json").write_text(json.dumps(POLICY))

from c7n import cli  # noqa: E402  The endpoints above are read when it is imported.

began = time.monotonic()
sys.argv = ["custodian", "run", "--cache-period", "0", "-s", str(SCRATCH), str(SCRATCH / "policy.json")]
try:
    cli.main()
except SystemExit as end:
    if end.code:
        raise
seconds = time.monotonic() - began
found = json.loads((SCRATCH / "unprotected" / "resources.json").read_text())
print(
    json.dumps(
        {
            "answer": sorted(one["name"] for one in found),
            "seconds": seconds,
            "kilobytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }
    )
)

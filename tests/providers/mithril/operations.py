"""Each operation of the provider's API that the client uses, as it is called; a test asks that none is missing."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from flowc.providers.mithril.calls import Calls
from flowc.providers.mithril.client import Client
from flowc.providers.mithril.pace import Pace

PROJECT, REGION = "proj_abc123456", "us-central1-a"
BID = {
    "project": PROJECT,
    "region": REGION,
    "instance_type": "it_abc123456",
    "limit_price": "$25.60",
    "instance_quantity": 2,
    "name": "train-k3x9q2fa",
    "launch_specification": {
        "volumes": ["vol_abc123456"],
        "ssh_keys": ["sshkey_abc123456"],
        "startup_script": "#!/bin/bash\necho hello\n",
    },
}
VOLUME = {"name": "data", "project": PROJECT, "disk_interface": "File", "region": REGION, "size_gb": 100}
KEY = {"name": "flowc-train", "expires_at": "2026-02-01T00:00:00Z"}

# The name of the client's method, what it is called with, and the operation. Of lists in pages the first row is asked
# for, so one page: a mock that knows no state has a next page for ever.
OPERATIONS: dict[str, tuple[Callable[[Client], Any], str]] = {
    "me": (lambda client: client.me(), "GET /v2/me"),
    "projects": (lambda client: client.projects(), "GET /v2/projects"),
    "ssh_keys": (lambda client: client.ssh_keys(PROJECT), "GET /v2/ssh-keys"),
    "instance_types": (lambda client: client.instance_types(), "GET /v2/instance-types"),
    "availability": (lambda client: client.availability(), "GET /v2/spot/availability"),
    "price": (lambda client: client.price("it_abc123456", REGION, 2), "GET /v2/pricing/current"),
    "quotas": (lambda client: client.quotas(PROJECT), "GET /v2/quotas"),
    "clusters": (lambda client: client.clusters(PROJECT), "GET /v2/kubernetes/clusters"),
    "volumes": (lambda client: client.volumes(PROJECT, REGION), "GET /v2/volumes"),
    "create_volume": (lambda client: client.create_volume(VOLUME, key="k-1"), "POST /v2/volumes"),
    "delete_volume": (lambda client: client.delete_volume("vol_abc123456"), "DELETE /v2/volumes/{volume_fid}"),
    "bids": (lambda client: next(client.bids(project=PROJECT, name="a", status="Open"), None), "GET /v2/spot/bids"),
    "bid": (lambda client: client.bid("bid_abc123456"), "GET /v2/spot/bids/{bid_fid}"),
    "create_bid": (lambda client: client.create_bid(BID, key="k-1"), "POST /v2/spot/bids"),
    "change_bid": (
        lambda client: client.change_bid("bid_abc123456", {"paused": True}),
        "PATCH /v2/spot/bids/{bid_fid}",
    ),
    "cancel_bid": (lambda client: client.cancel_bid("bid_abc123456"), "DELETE /v2/spot/bids/{bid_fid}"),
    "keys": (lambda client: client.keys(), "GET /v2/api-keys"),
    "create_key": (lambda client: client.create_key(KEY), "POST /v2/api-keys"),
    "revoke_key": (lambda client: client.revoke_key("apikey_abc123456"), "DELETE /v2/api-keys/{key_fid}"),
    "instances": (lambda client: next(client.instances(PROJECT, ("bid_a", "bid_b")), None), "GET /v2/instances"),
}


def client(transport: Any, url: str, key: str = "fkey_aaaaaaaaaaaaaaaaaaaaaaaa") -> Client:
    """On the real clock, without a bound on the pace: what answers is on this machine."""
    calls = Calls(
        transport,
        key=key,
        base=url,
        timeout_s=30,
        pace=Pace(None, now=time.time, sleep=lambda _: None),
        now=time.time,
        sleep=lambda _: None,
        random=random.random,
    )
    return Client(calls)

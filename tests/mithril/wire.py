"""A plain HTTP client for the tests of the server: it retries nothing and hides nothing."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from dataclasses import dataclass
from typing import Any

from tests.mithril.parts import world
from tests.mithril.server import Server

Headers = dict[str, str]


@dataclass
class Answered:
    """`json` is `None` where the reply has no body."""

    status: int
    headers: Headers
    text: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.text) if self.text else None


class Api:
    """Keeps its connection. `timeout` in seconds counts for each wait on the wire."""

    def __init__(self, server: Server, key: str | None = None, timeout: float = 20) -> None:
        self.key = server.key if key is None else key
        self.connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=timeout)

    def __call__(
        self, method: str, path: str, body: Any = None, headers: Headers | None = None, **query: Any
    ) -> Answered:
        """The reply; `body` is sent as JSON, or as it is where it is bytes. Raises what http.client does."""
        sent = {"authorization": f"Bearer {self.key}", **({} if body is None else {"content-type": "application/json"})}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        self.connection.request(method, target, data, {**sent, **(headers or {})})
        reply = self.connection.getresponse()
        return Answered(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())

    def __del__(self) -> None:
        self.connection.close()

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a reply that must be a good one."""
        reply = self("GET", path, **query)
        assert reply.status == 200, (reply.status, reply.text)
        return reply.json


def bid(server: Server, **changes: Any) -> dict[str, Any]:
    """The body of a good bid for one H100; `changes` replace its fields, those of the launch specification too."""
    market = server.state.market("h100-80gb.sxm.1x")
    launch = {"volumes": [], "ssh_keys": [world.TEAM_KEY], "startup_script": "#!/bin/bash\necho hello\n"}
    inner = ("volumes", "ssh_keys", "startup_script", "image_version", "kubernetes_cluster", "memory_gb")
    launch |= {name: value for name, value in changes.items() if name in inner}
    body = {
        "project": world.PROJECT,
        "region": market.region,
        "instance_type": market.type.fid,
        "limit_price": "$4.00",
        "instance_quantity": 1,
        "name": "train",
        "launch_specification": launch,
    }
    return body | {name: value for name, value in changes.items() if name not in inner}

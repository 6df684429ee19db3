"""What the client sends is what the provider's document declares, and whatever that document allows is taken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowc.providers.mithril.client import Client
from flowc.providers.mithril.provider import Mithril
from flowc.providers.mithril.states import task_of
from flowc.providers.mithril.transport import PlainTransport, Reply, Request
from tests.mithril import document
from tests.mithril.parts.log import Call
from tests.mithril.server import Server
from tests.providers.mithril.operations import OPERATIONS, client

needs_document = pytest.mark.skipif(
    not document.PATH.exists(), reason="needs the provider's document beside the project"
)


def test_no_operation_is_missing() -> None:
    assert {name for name in vars(Client) if not name.startswith("_")} - {"close"} == set(OPERATIONS)


class Kept:
    """A transport that keeps what is sent, and answers with `answer`; where that has a next page, it is empty."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    def send(self, request: Request) -> Reply:
        self.requests.append(request)
        answer = {"data": [], "next_cursor": None} if "next_cursor=" in request.url else self.answer
        return Reply(status=200, headers={}, body=json.dumps(answer).encode())

    def close(self) -> None:
        pass


@needs_document
@pytest.mark.parametrize("name", OPERATIONS)
def test_each_request_is_declared(name: str) -> None:
    """Its path and method, the words of its query (those that are required among them), and its body."""
    from urllib.parse import parse_qsl, urlsplit

    call, operation = OPERATIONS[name]
    kept = Kept(document_example(operation))
    call(client(kept, "http://api"))
    (request,) = kept.requests
    parts = urlsplit(request.url)
    query = dict(parse_qsl(parts.query))
    assert f"{request.method} {document.template(parts.path)}" == operation
    sent = Call(1, None, request.method, parts.path, query, {}, json.loads(request.body or b"null"))  # type: ignore[arg-type]
    document.accepted(sent)
    declared = _operation(operation).get("parameters", [])
    for each in (each for each in declared if each["in"] == "query"):
        assert each["name"] in query or not each.get("required"), f"{name}: {each['name']} is required"
        if each["name"] in query:
            document._validator(_place(operation, "parameters", str(declared.index(each)), "schema")).validate(
                _typed(query[each["name"]], each["schema"])
            )


def _typed(text: str, schema: dict[str, Any]) -> object:
    kind = json.dumps(schema)
    return int(text) if '"integer"' in kind else text.split(",") if '"array"' in kind else text


def _operation(operation: str) -> dict[str, Any]:
    method, _, path = operation.partition(" ")
    found: dict[str, Any] = document.document()["paths"][path][method.lower()]
    return found


def _place(operation: str, *rest: str) -> str:
    method, _, path = operation.partition(" ")
    return document._pointer("paths", path, method.lower(), *rest)


def replies(operation: str) -> dict[str, Any]:
    """The schema of a good reply; empty where it has no body."""
    found = _operation(operation)["responses"]
    good = next(found[each] for each in found if each.startswith("2"))
    schema: dict[str, Any] = good.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def document_example(operation: str) -> Any:
    """The smallest good reply."""
    return _smallest(replies(operation))


def _smallest(schema: dict[str, Any]) -> Any:
    schema = _followed(schema)
    if "anyOf" in schema:
        return _smallest(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: _smallest(schema["properties"][name]) for name in schema.get("required", ())}
        case "array":
            return [_smallest(schema["items"])]
        case "string":
            return "2026-01-01T00:00:00Z" if schema.get("format") == "datetime" else "x"
        case "integer" | "number":
            return 1
        case "boolean":
            return True
    return None


def _followed(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document.document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def generated(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Whatever a schema of the document allows; keys that it does not know are among it."""
    schema = _followed(schema)
    if "anyOf" in schema:
        return st.one_of(*map(generated, schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            known = {name: generated(each) for name, each in schema.get("properties", {}).items()}
            required = {name: known.pop(name) for name in schema.get("required", ())}
            own = st.fixed_dictionaries(required, optional=known)
            return st.builds(
                lambda more, own: {**more, **own}, st.dictionaries(st.text(max_size=3), st.integers()), own
            )
        case "array":
            return st.lists(generated(schema["items"]), max_size=3)
        case "string":
            return st.just("2026-01-01T00:00:00+00:00") if schema.get("format") == "datetime" else st.text(max_size=12)
        case "integer":
            return st.integers(-(2**53), 2**53)
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
    return st.none() if schema.get("type") == "null" else st.just({})


@needs_document
@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_the_document_allows_is_taken(name: str) -> None:
    call, operation = OPERATIONS[name]

    @settings(max_examples=50)  # of each of the operations, whose replies are much alike
    @given(generated(replies(operation)) if replies(operation) else st.none())
    def taken(answer: Any) -> None:
        call(client(Kept(answer), "http://api"))

    taken()


@needs_document
def test_whatever_a_bid_and_its_machines_are_is_a_task() -> None:
    bid = generated({"$ref": "#/components/schemas/BidModel"})
    instance = generated({"$ref": "#/components/schemas/InstanceModel"})

    @given(bid, st.lists(instance, max_size=3))
    def told(bid: Any, instances: Any) -> None:
        task = task_of(bid, instances)
        assert task.state in ("pending", "provisioning", "running", "cancelled")

    told()


@needs_document
@pytest.mark.parametrize("transport", ["plain", "pooled"])
def test_a_whole_life_is_by_the_document(transport: str, tmp_path: Any) -> None:
    """On the loopback provider, which holds each reply and each request that it accepts against the document."""
    from flowc.providers.mithril.pooled import PooledTransport
    from tests.mithril.wire import bid

    with Server(judge=document.judge) as server:
        its = client(PlainTransport() if transport == "plain" else PooledTransport(), server.url, server.key)
        there = Mithril(its, keys=str(tmp_path))
        for read in ("me", "projects", "instance_types", "availability"):
            OPERATIONS[read][0](its)
        body = bid(server, name="train-k3x9q2fa")
        project, region, kind = body["project"], body["region"], body["instance_type"]
        assert its.ssh_keys(project)
        assert its.quotas(project)
        its.price(kind, region, 2)
        volume = {"name": "data", "project": project, "disk_interface": "File", "region": region, "size_gb": 10}
        made = there.create("volume", volume, key="k-0")
        assert there.find("volume", "data", volume) == [made]
        placed = there.create("bid", body, key="k-1")
        assert [each.identity for each in there.find("bid", "train-k3x9q2fa", body)] == [placed.identity]
        server.state.settle()
        task = there.get(placed.identity)
        assert (task.state, len(task.machines)) == ("running", 1)
        assert [each.identity for each in there.list_tasks(limit=5)] == [placed.identity]
        there.change("bid", placed.identity, {"paused": True})
        assert there.get(placed.identity).state == "pending"
        there.end("bid", placed.identity)
        there.end("bid", placed.identity)
        there.end("volume", made.identity)
        its.close()

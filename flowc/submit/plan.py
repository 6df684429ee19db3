"""The steps of a submission: what of a request document is to be done, in order, with names that prove whose it is."""

from __future__ import annotations

from flowc._compiled.limits import NAME_LENGTH
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

NONCE = 8  # characters of 36 each: no two submissions of one user ever meet
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

_ROOM = 1 << 22  # numbers; no array of Slurm's has as many tasks

CREATE, CHANGE = "create", "change"


class Step(Record):
    """One thing to do. `identity` is the request's own id in the document, `kind` what is made or changed (bid or
    volume), `action` CREATE or CHANGE, `name` what the resource will be called, `body` what is sent, references and
    all, `after` the ids of steps that come before, `unless` the reference that makes it needless where it resolves,
    `target` the id of the step whose resource is changed."""

    identity: str
    kind: str
    action: str
    name: str
    body: dict[str, Any]
    after: tuple[str, ...]
    unless: str | None = None
    target: str | None = None


def steps_of(document: Mapping[str, Any], nonce: str) -> list[Step]:
    """The steps of a `flowc.mithril/1` document, in its order. Bids bear `nonce` in their names. Raises ValueError for
    a request that is none of those that flowc makes."""
    found = []
    for request in document["requests"]:
        method, path, body = request["method"], request["path"], request["body"]
        after = tuple(request["after"])
        if method == "POST" and path == "/v2/spot/bids":
            name = own_name(body["name"], nonce)
            found.append(
                Step(
                    identity=request["id"],
                    kind="bid",
                    action=CREATE,
                    name=name,
                    body={**body, "name": name},
                    after=after,
                )
            )
        elif method == "POST" and path == "/v2/volumes":
            found.append(
                Step(
                    identity=request["id"],
                    kind="volume",
                    action=CREATE,
                    name=body["name"],
                    body=dict(body),
                    after=after,
                    unless=request.get("unless"),
                )
            )
        elif method == "PATCH" and path.startswith("/v2/spot/bids/${bid:") and path.endswith("}"):
            target = path.removeprefix("/v2/spot/bids/${bid:")[:-1]
            found.append(
                Step(
                    identity=request["id"],
                    kind="bid",
                    action=CHANGE,
                    name=target,
                    body=dict(body),
                    after=after,
                    target=target,
                )
            )
        else:
            raise ValueError(f"unknown request {method} {path}")
    return found


def ended_by_machines(document: Mapping[str, Any], identity: str) -> bool:
    """Whether the machines of a bid, by the id of its request, end it with its job."""
    return any("release" in each and identity in each["to"] for each in document.get("deliver", ()))


def own_name(name: str, nonce: str) -> str:
    """The name of a bid with the nonce of its submission, within what the provider takes."""
    return f"{name[: NAME_LENGTH - len(nonce) - 1].rstrip('-')}-{nonce}"


def new_nonce() -> str:
    """A word that nobody else will have."""
    # Not from `secrets`, which costs a third of an interpreter's start. Each letter is as likely as another.
    from os import urandom

    fair = 256 - 256 % len(LETTERS)
    letters = ""
    while len(letters) < NONCE:
        found = [LETTERS[each % len(LETTERS)] for each in urandom(2 * NONCE) if each < fair]
        letters += "".join(found)
        # A letter first: the end of a name would else look like a number of an array.
        letters = letters.lstrip(LETTERS[26:])
    return letters[:NONCE]


def number_of(nonce: str) -> int:
    """The number of a submission, for those that know jobs by numbers, and of its first job: positive and below 2^31,
    as Slurm's are, with room for those behind it. An earlier flowc made it of the whole key."""
    from flowc.digest import sha256_hex

    number = 1 + int(sha256_hex(nonce.encode())[:15], 16) % (2**31 - 2)
    return number if number < 2**31 - _ROOM else number - _ROOM


def content_key(document: Mapping[str, Any]) -> str:
    """What a submission is about: equal documents have equal ones. Of one that says what it is `about`, nothing counts
    that its number changes."""
    import json

    from flowc.digest import sha256_hex

    if "about" in document:
        document = _without_numbers(document)
    return sha256_hex(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())


def _without_numbers(document: Mapping[str, Any]) -> dict[str, Any]:
    requests = []
    for request in document["requests"]:
        body = {**request["body"]}
        if "launch_specification" in body:
            body["launch_specification"] = {**body["launch_specification"], "startup_script": None}
        requests.append({**request, "body": body, "script": None})
    texts = ("data", "bytes", "sha256")
    return {
        **document,
        "script": None,
        "requests": requests,
        "jobs": [{**job, "job_id": None} for job in document["jobs"]],
        "deliver": [
            {name: value for name, value in each.items() if name not in texts} for each in document.get("deliver", ())
        ],
    }

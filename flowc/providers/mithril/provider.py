"""Mithril as a `Provider`: what `submit` and the commands after it ask, on the API's resources."""

from __future__ import annotations

import os

from flowc.providers.base import Made
from flowc.providers.errors import UnavailableError
from flowc.providers.mithril.states import task_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import IO, Any

    from flowc.providers.base import Following, Machine, Resolution, Task
    from flowc.providers.mithril.client import Client
    from flowc.remote.link import Link, Ran
    from flowc.remote.session import Session
    from flowc.remote.tail import Mark


class Mithril:
    """`keys` is the folder in which the host keys of machines are kept; `project` and `ssh_keys` are names or ids that
    hold for documents which do not say theirs; `environ` is what the system's ssh is started with."""

    name = "mithril"
    look_s = (2.0, 15.0)
    keeps_tasks = False

    def __init__(
        self,
        client: Client,
        *,
        keys: str,
        project: str | None = None,
        ssh_keys: tuple[str, ...] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._client = client
        self._environ = environ or {}
        self._keys = keys
        self._project = project
        self._ssh_keys = ssh_keys
        self._types: dict[str, str] | None = None
        # Files of private keys, where the user names his keys by these.
        self._identities = tuple(each for each in map(_private_key, ssh_keys) if each is not None)
        self._links: dict[str, Link] = {}

    def resolve(self, document: Mapping[str, Any]) -> Resolution:
        """See Provider."""
        from flowc.providers.mithril.resolve import Resolver

        return Resolver(self._client, project=self._project, ssh_keys=self._ssh_keys).run(document)

    def create(self, kind: str, body: Mapping[str, Any], *, key: str) -> Made:
        """See Provider."""
        if kind == "volume":
            return _made(self._client.create_volume(body, key=key))
        if kind == "key":
            return _made(self._client.create_key(body))
        return _made(self._client.create_bid(body, key=key))

    def find(self, kind: str, name: str, body: Mapping[str, Any]) -> list[Made]:
        """See Provider. The server may take a name for a part of one, so names are compared here."""
        if kind == "key":
            rows = self._client.keys()
        elif kind == "volume":
            rows = self._client.volumes(body["project"], body.get("region"))
        else:
            rows = list(self._client.bids(project=body["project"], name=name))
        found = [_made(row) for row in rows if row["name"] == name]
        return sorted(found, key=lambda made: (made.created_at, made.identity))

    def change(self, kind: str, identity: str, changes: Mapping[str, Any]) -> None:
        """See Provider."""
        assert kind == "bid", kind
        self._client.change_bid(identity, changes)

    def end(self, kind: str, identity: str) -> None:
        """See Provider."""
        if kind == "volume":
            self._client.delete_volume(identity)
        elif kind == "key":
            self._client.revoke_key(identity)
        else:
            self._client.cancel_bid(identity)

    def get(self, identity: str) -> Task:
        """See Provider."""
        bid = self._client.bid(identity)
        instances = list(self._client.instances(bid["project"], (identity,))) if bid["status"] != "Terminated" else []
        return task_of(bid, self._own(bid, instances), self._type_name(bid))

    def list_tasks(self, *, limit: int) -> Iterable[Task]:
        """See Provider: of all projects that the key may see. The machines of each are asked for once."""
        bids = []
        for bid in self._client.bids():
            bids.append(bid)
            if len(bids) == limit:
                break
        living = [bid for bid in bids if bid["status"] not in ("Terminated", "Open", "Paused")]
        instances: list[Mapping[str, Any]] = []
        for project in dict.fromkeys(str(bid["project"]) for bid in living):
            names = tuple(bid["fid"] for bid in living if bid["project"] == project)
            # The address of a query has room for so many ids.
            for start in range(0, len(names), 50):
                instances += self._client.instances(project, names[start : start + 50])
        of_bid: dict[str, list[Mapping[str, Any]]] = {}
        for each in instances:
            of_bid.setdefault(str(each.get("bid")), []).append(each)
        by_fid = {str(each["fid"]): each for each in instances}
        found = []
        for bid in bids:
            own = {str(each["fid"]): each for each in of_bid.get(bid["fid"], ())}
            own |= {name: by_fid[name] for name in bid.get("instances") or () if name in by_fid}
            found.append(task_of(bid, list(own.values()), self._type_name(bid)))
        return found

    def read(self, task: Task, machine: Machine, path: str, *, offset: int) -> bytes | None:
        """See Provider: over ssh, as the bid's own keys allow."""
        from flowc.remote.ssh import UnreachableError

        try:
            return self.link(task, machine).read(path, offset=offset)
        except UnreachableError as error:
            raise UnavailableError(str(error)) from None

    def write(self, task: Task, machine: Machine, path: str, data: bytes) -> None:
        """See Provider: as `read`."""
        from flowc.remote.ssh import UnreachableError

        try:
            self.link(task, machine).write(path, data)
        except UnreachableError as error:
            raise UnavailableError(str(error)) from None

    def run(
        self,
        task: Task,
        machine: Machine,
        script: str,
        *words: str,
        given: bytes | IO[bytes] | Iterable[bytes] = b"",
        take: Callable[[bytes], object] | None = None,
    ) -> Ran:
        """See Provider: as `read`."""
        from flowc.remote.ssh import UnreachableError

        try:
            return self.link(task, machine).run(script, *words, given=given, take=take)
        except UnreachableError as error:
            raise UnavailableError(str(error)) from None

    def follow(
        self,
        task: Task,
        machine: Machine,
        path: str,
        take: Callable[[bytes, bool], object],
        *,
        mark: Mark | None = None,
        status: str = "",
        told: Callable[[bytes], object] | None = None,
    ) -> Following:
        """See Provider."""
        from flowc.providers.mithril.following import Following
        from flowc.remote.tail import Mark, Tail

        tail = Tail(path, take, mark=mark or Mark(), status=status, tell=told)
        return Following(self.link(task, machine), tail)

    def session(self, task: Task, machine: Machine, words: Sequence[str], *, terminal: str) -> Session:
        """See Provider."""
        from flowc.remote.session import in_place
        from flowc.remote.ssh import UnreachableError

        try:
            return self.link(task, machine).session(in_place(words), terminal=bool(terminal))
        except UnreachableError as error:
            raise UnavailableError(str(error)) from None

    def link(self, task: Task, machine: Machine) -> Link:
        """The connection to a machine, the same one for all that is done there; it is made when it is used. Raises
        UnavailableError where the machine has no address."""
        from flowc.remote.link import Link
        from flowc.remote.ssh import UnreachableError, place_of

        if machine.address is None:
            raise UnavailableError(f"machine {machine.identity} has no address yet")
        keys = os.path.join(self._keys, task.identity)
        try:
            place = place_of(machine.address, keys, name=machine.identity, identities=self._identities)
        except UnreachableError as error:
            raise UnavailableError(str(error)) from None
        old = self._links.get(machine.identity)
        if old is not None and old.place != place:
            old.close()
            self._links.pop(machine.identity, None)
        return self._links.setdefault(machine.identity, Link(place, environ=self._environ))

    def _own(self, bid: Mapping[str, Any], instances: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        named = set(bid.get("instances") or ())
        return [each for each in instances if each.get("bid") == bid["fid"] or each["fid"] in named]

    def _type_name(self, bid: Mapping[str, Any]) -> str | None:
        if self._types is None:
            self._types = {row["fid"]: row["name"] for row in self._client.instance_types()}
        return self._types.get(str(bid.get("instance_type")))


def _made(row: Mapping[str, Any]) -> Made:
    return Made(identity=row["fid"], name=row["name"], created_at=str(row.get("created_at", "")), body=dict(row))


def _private_key(name: str) -> str | None:
    if "/" not in name:
        return None
    path = os.path.expanduser(name).removesuffix(".pub")
    return path if os.path.isfile(path) else None

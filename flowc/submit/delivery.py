"""What reaches machines after they have booted, never by a bid: the values of secrets, texts that a startup script
has no room for, folders, and what ends their bid.

Values are read from the environment when they are brought and are kept nowhere.
"""

from __future__ import annotations

from flowc.providers.base import ENDED, RUNNING
from flowc.shell.quote import sh
from flowc.submit.agents import bring_key
from flowc.submit.ending import AT_ONCE, STATUS, read_status
from flowc.submit.folders import Sender, wanted
from flowc.submit.journal import JournalError
from flowc.submit.overdue import limit_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, TypeVar

    from flowc.providers.base import Machine, Provider, Task
    from flowc.submit.journal import Bid, Journal
    from flowc.submit.release import Releaser

    T = TypeVar("T")


# No file has as many bytes: reading from here on tells whether there is one, and nothing of it.
BEHIND = 1 << 40


# Where docker looks for the login of its own registry.
DOCKER_HUB = "https://index.docker.io/v1/"
DOCKER_HUB_NAMES = ("docker.io", "index.docker.io", "registry-1.docker.io")


def missing_secrets(document: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """The names of secrets that a document wants and the environment does not have."""
    missing: list[str] = []
    for each in document.get("deliver", ()):
        given = {**environ, **each.get("parts", {})}
        for name in each.get("secrets", ()):
            login = name in each.get("logins", ())
            if _value(name, given, login=login) is None:
                # Of a login that is there but for some of its parts, these.
                parts = [part for part in _parts(name) if part not in given] if login else []
                missing += parts if 0 < len(parts) < len(_parts(name)) else [name]
    return list(dict.fromkeys(missing))


def _parts(name: str) -> list[str]:
    return [f"{name}_{part}" for part in ("USERNAME", "PASSWORD", "SERVER")]


def _value(name: str, environ: Mapping[str, str], *, login: bool) -> str | None:
    """The value of a secret, None where the environment has none. That of a registry's `login` may also be given in
    parts, as SkyPilot has them: NAME_USERNAME, NAME_PASSWORD and NAME_SERVER."""
    parts = _parts(name)
    if name in environ or not login or not all(part in environ for part in parts):
        return environ.get(name)
    import base64
    import json

    user, password, server = (environ[part] for part in parts)
    host = server.partition("://")[2] or server
    host = host.partition("/")[0]
    auth = base64.b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode()
    return json.dumps({"auths": {DOCKER_HUB if host in DOCKER_HUB_NAMES else host: {"auth": auth}}})


def files_for(document: Mapping[str, Any], identity: str, environ: Mapping[str, str]) -> dict[str, bytes]:
    """What the job of a bid, by the id of its request, is to have on its machines: path to bytes."""
    found: dict[str, bytes] = {}
    for each in document.get("deliver", ()):
        if identity not in each["to"] or "release" in each:
            continue
        if "secrets" in each:
            logins = each.get("logins", ())
            given = {**environ, **each.get("parts", {})}
            values = ((name, _value(name, given, login=name in logins)) for name in each["secrets"])
            found[each["path"]] = _assignments((name, value) for name, value in values if value is not None)
        elif "data" in each:
            found[each["path"]] = each["data"].encode("utf-8", "surrogateescape")
    return found


def _assignments(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Text for bash: a line for each name."""
    return b"".join(f"{name}={sh(value)}\n".encode("utf-8", "surrogateescape") for name, value in pairs)


def _at_once(do: Callable[[Machine], T], machines: Sequence[Machine]) -> list[T]:
    """What is done gives for each of them; for several at the same time."""
    if len(machines) == 1:
        return [do(machines[0])]
    # Which brings much with it, and mostly nothing is to be brought.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(do, machines))


class Deliverer:
    """Brings to the machines of bids what they wait for, at each start. `tell` hears of what cannot be brought;
    `releaser` makes what ends bids."""

    def __init__(
        self,
        journal: Journal,
        provider: Provider,
        environ: Mapping[str, str],
        *,
        tell: Callable[[str], None],
        releaser: Callable[[], Releaser],
    ) -> None:
        self._journal = journal
        self._provider = provider
        self._environ = environ
        self._tell = tell
        self._releaser = releaser
        self._documents: dict[str, Mapping[str, Any]] = {}
        self._missing: set[str] = set()
        # How often a machine had been started when it got its files.
        self._brought: dict[str, int | None] = {}
        self._whole: set[tuple[str, int | None]] = set()
        self._sender = Sender(provider, tell)
        # Starts of machines whose agents answer nothing but their key.
        self._keyed: set[tuple[tuple[str, int | None], ...]] = set()
        # Whether the machines of a bid have a key that holds; bids for whose machines none could be made.
        self._alive: dict[str, bool] = {}
        self._own: set[str] = set()

    def bring(self, bid: Bid, task: Task, *, lacking: bool = False) -> bool:
        """Whether the machines of a bid have all that they wait for. `lacking`: bring only what is not there, which
        may have had other values. Raises ProviderError where one cannot be reached."""
        if self._provider.keeps_tasks or task.state in ENDED or bid.ended is not None:
            return True
        document = self._document(bid.key)
        if not any(bid.identity in each["to"] for each in document.get("deliver", ())):
            return True
        missing = missing_secrets(document, self._environ)
        if missing:
            if bid.key not in self._missing:
                self._missing.add(bid.key)
                self._tell(f"{bid.name} waits for {' and '.join(missing)}, which is not in this environment")
            return False
        if task.state != RUNNING:
            return False
        files, trees = files_for(document, bid.identity, self._environ), wanted(document, bid.identity)

        def to(machine: Machine) -> bool:
            return self._to(bid, task, machine, files, trees, lacking=lacking)

        there = all(_at_once(to, task.machines))
        for each in document["deliver"]:
            if "release" in each and bid.identity in each["to"]:
                self._release(bid, task, document, each)
            if "key" in each and bid.identity in each["to"]:
                starts = tuple((machine.identity, self._brought[machine.identity]) for machine in task.machines)
                if starts not in self._keyed:
                    if not bring_key(self._journal, self._provider, bid, task, each):
                        return False
                    self._keyed.add(starts)
        return there

    def _to(
        self,
        bid: Bid,
        task: Task,
        machine: Machine,
        files: Mapping[str, bytes],
        trees: list[Mapping[str, Any]],
        *,
        lacking: bool,
    ) -> bool:
        """See `bring`, for one machine. Raises ProviderError."""
        status = read_status(self._provider.read(task, machine, STATUS, offset=0)) or {}
        starts = status.get("starts")
        lasting = {each["path"] for each in self._document(bid.key)["deliver"] if "data" in each}
        if machine.identity not in self._brought or self._brought[machine.identity] != starts:
            for path, data in files.items():
                # What is on a disk stays, and has been made ready to run by now; what was in memory is gone.
                if (lacking or path in lasting) and self._provider.read(task, machine, path, offset=BEHIND) is not None:
                    continue
                self._provider.write(task, machine, path, data)
            self._brought[machine.identity] = starts
        if (machine.identity, starts) not in self._whole:
            if not self._sender.bring(bid.name, task, machine, trees):
                return False
            self._whole.add((machine.identity, starts))
        return True

    def _release(self, bid: Bid, task: Task, document: Mapping[str, Any], how: Mapping[str, Any]) -> None:
        """Bring what ends the bid to the machines that have none, or one whose key has ended. Raises ProviderError."""
        from flowc.submit.keys import Keys, NoKeyMadeError

        keys, path = Keys(self._journal, self._provider), how["path"]
        if bid.name not in self._alive:
            self._alive[bid.name] = keys.alive(bid) or bid.name in self._own

        def lacks(machine: Machine) -> bool:
            return self._provider.read(task, machine, path, offset=BEHIND) is None

        lacking = _at_once(lacks, task.machines)
        alive = self._alive[bid.name]
        to = [machine for machine, lack in zip(task.machines, lacking, strict=True) if lack or not alive]
        if not to:
            return
        releaser = self._releaser()
        try:
            key = keys.make(bid, limit_of(document, bid))
        except NoKeyMadeError as error:
            key = releaser.key
            if bid.name not in self._own:
                self._tell(f"{bid.name}: the provider makes no key for its machines, your own is brought: {error}")
            self._own.add(bid.name)
        except JournalError as error:
            if bid.name not in self._own:
                self._tell(f"{bid.name}: its machines get no key, and do not end it: {error}")
            self._own.add(bid.name)
            return
        text = releaser.program(document, bid, how["release"], key=key)
        _at_once(lambda machine: self._provider.write(task, machine, path, text), to)
        self._alive[bid.name] = True

    def _document(self, key: str) -> Mapping[str, Any]:
        if key not in self._documents:
            submission = self._journal.submission(key)
            self._documents[key] = submission.document if submission is not None else {}
        return self._documents[key]

"""Opens what is needed of the world: settings, providers, the journal. Nothing is opened before it is asked for, and
the library for many calls is loaded only by who makes many."""

from __future__ import annotations

import os

from flowc.settings import home_of, working_folder
from flowc.settings.lookup import Settings, SettingsError
from flowc.settings.setting import NoKeyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from flowc.providers.base import Provider
    from flowc.providers.local import Local, Wish
    from flowc.providers.mithril.client import Client
    from flowc.providers.mithril.network import Proxy
    from flowc.providers.mithril.provider import Mithril
    from flowc.submit.journal import Journal
    from flowc.submit.release import Releaser


class World:
    """The world of one command, or of one object of a Python program. `environ` is the environment, `flags` are
    settings that win over it, by their keys; `tell` gets a sentence for people at a time. `many`: many calls are made.
    `called` hears of the method and path of each."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        flags: Mapping[str, str | tuple[str, ...]],
        tell: Callable[[str], None],
        many: bool = False,
        called: Callable[[str, str], None] = lambda method, path: None,
    ) -> None:
        self.environ = environ
        self.tell = tell
        # Hears how many bytes of output have come, and of how many, while it is brought; at the end of 0.
        self.coming: Callable[[int, int], None] = lambda done, whole: None
        self.home = home_of(environ)
        self.settings = Settings(environ, folder=working_folder(), home=self.home, flags=flags)
        self._many = many
        self._called = called
        self._journal: Journal | None = None
        self._providers: dict[str, Provider] = {}

    @property
    def folder(self) -> str:
        """Where flowc keeps what it knows. Raises JournalError without a home."""
        from flowc.submit.journal import state_folder

        return state_folder(self.environ, self.home)

    @property
    def journal(self) -> Journal:
        """Raises JournalError."""
        if self._journal is None:
            from flowc.submit.journal import Journal

            self._journal = Journal(self.folder)
        return self._journal

    @property
    def chosen(self) -> str:
        """The provider that is to be used. Raises SettingsError for one that is none."""
        from flowc.providers import PROVIDERS

        setting = self.settings.get("provider")
        name = setting.values[0]
        if name not in PROVIDERS:
            raise SettingsError(
                f"{setting.origin}: there is no provider `{name}`", f"there are {' and '.join(PROVIDERS)}"
            )
        return name

    def listed(self) -> tuple[str, ...]:
        """The providers whose tasks are shown: the one that somebody chose, else all that there is reason to ask."""
        from flowc.providers import PROVIDERS

        if self.settings.get("provider").origin != "default":
            return (self.chosen,)
        here = os.path.isdir(os.path.join(self.local_folder, "tasks"))
        return tuple(name for name in PROVIDERS if name != "local" or here)

    @property
    def local_folder(self) -> str:
        return os.path.join(self.folder, "local")

    def provider(self, name: str) -> Provider:
        """Raises SettingsError where something is missing to reach it."""
        if name not in self._providers:
            self._providers[name] = self.local() if name == "local" else self._mithril()
        return self._providers[name]

    def local(self) -> Local:
        """This computer."""
        from flowc.providers.local import Local

        return Local(
            self.local_folder,
            files=self._files,
            lacks=self._lacks,
            trees=self._trees,
            needs=self._needs,
            wish=self.wish,
        )

    @property
    def wish(self) -> Wish:
        """What local machines are to be made of. Raises SettingsError for what they cannot be."""
        from flowc.providers import LOCAL_MACHINES
        from flowc.providers.local import Wish

        setting = self.settings.get("local_machine")
        if setting.values[0] not in LOCAL_MACHINES:
            raise SettingsError(
                f"{setting.origin}: machines are no `{setting.values[0]}`",
                f"there are {', '.join(LOCAL_MACHINES)}",
            )
        return Wish(
            kind=setting.values[0],
            image=self.settings.text("local_image"),
            docker_host=self.environ.get("DOCKER_HOST", ""),
            runtime_folder=self.environ.get("XDG_RUNTIME_DIR", ""),
        )

    def _files(self, name: str) -> Mapping[str, bytes]:
        """What the machines of a bid get of us. Raises SettingsError for a secret that the environment has not."""
        from flowc.submit.agents import keys_for
        from flowc.submit.delivery import files_for, missing_secrets

        for document, identity in self._delivered(name):
            refuse_missing(missing_secrets(document, self.environ))
            return {**files_for(document, identity, self.environ), **keys_for(document, identity)}
        return {}

    def _trees(self, name: str) -> list[tuple[str, str, str, str | None]]:
        """The folders that the machines of a bid get: where each is here, where it is there, its marker, and what its
        ignore files are called where they are not git's."""
        from flowc.submit.folders import wanted

        return [
            (each["from"], each["path"], each["marker"], each.get("ignores"))
            for document, identity in self._delivered(name)
            for each in wanted(document, identity)
        ]

    def _lacks(self, name: str) -> list[str]:
        """What of that the environment has not: names of secrets."""
        from flowc.submit.delivery import missing_secrets

        return [each for document, _ in self._delivered(name) for each in missing_secrets(document, self.environ)]

    def _needs(self, name: str) -> Mapping[str, Any]:
        """What the job of a bid asks of its machines."""
        for bid in self.journal.bids(name=name):
            submission = self.journal.submission(bid.key)
            for job in () if submission is None else submission.document.get("jobs", ()):
                if bid.identity in job["bids"]:
                    found: Mapping[str, Any] = job.get("machine", {})
                    return found
        return {}

    def _delivered(self, name: str) -> Iterator[tuple[dict[str, Any], str]]:
        """The document of a bid's submission where something of it is delivered, and the bid's id there."""
        for bid in self.journal.bids(name=name):
            submission = self.journal.submission(bid.key)
            if submission is not None and submission.document.get("deliver"):
                yield submission.document, bid.identity
                return

    def _mithril(self) -> Mithril:
        from flowc.providers.mithril.provider import Mithril

        return Mithril(
            self.client(),
            keys=os.path.join(self.folder, "hosts"),
            project=self.settings.text("project"),
            ssh_keys=self.settings.get("ssh_keys").values,
            environ=for_others(self.environ),
        )

    def releaser(self) -> Releaser:
        """What makes machines end their bids. Raises SettingsError without a key."""
        from flowc.submit.release import Releaser

        return Releaser(
            key=self._key(),
            api_url=self._way()[0],
            wait_s=self.settings.seconds("release_after_s"),
        )

    def client(self) -> Client:
        """The provider's API. Raises SettingsError without a key, JournalError without a home."""
        import time

        from flowc.providers.mithril.calls import Calls
        from flowc.providers.mithril.client import Client
        from flowc.providers.mithril.pace import Pace
        from flowc.providers.mithril.transport import PlainTransport

        key = self._key()
        base, proxy = self._way()
        if self._many:
            from flowc.providers.mithril.pooled import PooledTransport

            transport: PooledTransport | PlainTransport = PooledTransport(proxy)
        else:
            transport = PlainTransport(proxy)
        return Client(
            Calls(
                transport,
                key=key,
                base=base,
                timeout_s=self.settings.seconds("timeout_s"),
                pace=Pace(os.path.join(self.folder, "pace"), now=time.time, sleep=time.sleep),
                now=time.time,
                sleep=time.sleep,
                random=_chance,
                tell=self._called,
            )
        )

    def _way(self) -> tuple[str, Proxy | None]:
        """Where the provider's API is, and the proxy before it. Raises SettingsError for what is no such thing."""
        from flowc.providers.mithril.network import AddressError, base_of, check_certificates, proxy_of

        setting = self.settings.get("api_url")
        origin = f"{setting.origin}: "
        try:
            base = base_of(setting.values[0])
            origin = ""
            if base.startswith("https"):
                check_certificates(self.environ)
            return base, proxy_of(base, self.environ)
        except AddressError as error:
            raise SettingsError(f"{origin}{error.message}", error.help) from None

    def _key(self) -> str:
        key = self.settings.text("api_key")
        if key is None:
            gone = self.settings.gone()
            if gone:
                raise NoKeyError(f"`{gone[0][0]}` is a way that is gone", gone[0][1])
            raise NoKeyError(
                "there is no API key of mithril",
                "`flowc init` asks for it, or set MITHRIL_API_KEY; --provider local needs none",
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise SettingsError("the API key has characters that no key has", "copy it again: fkey_, letters, digits")
        return key


def _chance() -> float:
    """Of pauses between attempts: what it takes is loaded where there is one."""
    import random

    return random.random()


def refuse_missing(names: Iterable[str]) -> None:
    """Raises SettingsError for secrets without a value."""
    missing = " and ".join(names)
    if missing:
        raise SettingsError(f"the job wants {missing}, which the environment does not have", "export it, then submit")


def for_others(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment for programs that need none of our keys: the list of processes would show them."""
    from flowc.secret import looks_secret

    return {name: value for name, value in environ.items() if not looks_secret(name)}

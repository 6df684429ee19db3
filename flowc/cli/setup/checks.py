"""What is reachable, what is missing, and the command that mends it."""

from __future__ import annotations

from flowc.providers.errors import AuthenticationError, ProviderError
from flowc.record import Record
from flowc.settings.lookup import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.cli.tasks.world import World

# `MISSING`: something that was asked for cannot be done; `NOTE`: something can be done better.
OK, NOTE, MISSING = "ok", "note", "missing"
# Bytes of output from which on it is worth a word.
MUCH_KEPT = 1 << 30


class Finding(Record):
    """One thing that was looked at; `mend` is what to do about it, a command where there is one."""

    what: str
    state: str
    text: str
    mend: str = ""


def all_findings(world: World, *, offline: bool) -> Iterator[Finding]:
    """Each as soon as it is known. Nothing here raises for what the world is like, nor shows a key."""
    yield _state(world)
    try:
        chosen = world.chosen
    except SettingsError as error:
        yield Finding(what="provider", state=MISSING, text=str(error), mend=error.help)
        return
    for name, instead in world.settings.gone():
        yield Finding(what="environment", state=NOTE, text=f"`{name}` is a way that is gone", mend=instead)
    for each in world.settings.unknown():
        yield Finding(what="settings", state=NOTE, text=each.shown, mend="correct it, or leave it out")
    yield from _kept(world)
    yield from _mithril(world, wanted=chosen == "mithril", offline=offline)
    yield _local(world)
    if chosen == "mithril" or _rented(world):
        yield _watch(world)


def _state(world: World) -> Finding:
    from flowc.submit.journal import OPEN, JournalError

    try:
        left = len(world.journal.submissions(state=OPEN))
        kept = world.folder
    except JournalError as error:
        return Finding(what="journal", state=MISSING, text=str(error), mend=error.help)
    if left:
        text = f"{left} submission{'s are' if left > 1 else ' is'} not finished"
        return Finding(what="journal", state=NOTE, text=text, mend="flowc submit --resume")
    return Finding(what="journal", state=OK, text=f"kept in {kept}")


def _kept(world: World) -> Iterator[Finding]:
    """What is kept of jobs, where it is worth to know."""
    from flowc.submit.journal import JournalError
    from flowc.tasks.kept import kept_of
    from flowc.trees.walk import size_text

    try:
        kept = kept_of(world, world.journal.bids())
    except JournalError:
        return  # said above
    size = sum(each.size for each in kept)
    if size > MUCH_KEPT:
        text = f"{size_text(size)} are kept of {len(kept):,} tasks"
        yield Finding(what="output", state=NOTE, text=text, mend="flowc logs --remove --older 30")


def _mithril(world: World, *, wanted: bool, offline: bool) -> Iterator[Finding]:
    """`wanted`: jobs go there. Else a lack is none."""
    lack = MISSING if wanted else NOTE
    from flowc.submit.journal import JournalError

    try:
        client = world.client()
    except (SettingsError, JournalError) as error:
        yield Finding(what="mithril", state=lack, text=str(error), mend=error.help)
        return
    from shutil import which

    if which("ssh") is None:
        text = "no program `ssh`: nobody sees how jobs end"
        yield Finding(what="ssh", state=lack, text=text, mend="install it: apt-get install openssh-client")
    if offline:
        yield Finding(what="mithril", state=OK, text="there is a key; not asked whether it is right (--offline)")
        return
    url = world.settings.text("api_url")
    try:
        me = client.me()
        who = me.get("user_name") or me.get("email") or me["fid"]
        yield Finding(what="mithril", state=OK, text=f"{url} answers, the key is {who}'s")
        projects = client.projects()
        name, found = world.settings.text("project"), [str(each["name"]) for each in projects]
        mine = [each for each in projects if name is None or name in (each["name"], each["fid"])]
        if len(mine) != 1:
            listed = ", ".join(found) or "none"
            text = (
                f"the key has no project `{name}`" if name is not None else f"which project pays? there are: {listed}"
            )
            mend = f"flowc init; or --project NAME, one of: {listed}" if found else "make one in the provider's console"
            yield Finding(what="project", state=lack, text=text, mend=mend)
            return
        yield Finding(what="project", state=OK, text=str(mine[0]["name"]))
        yield _ssh_keys(world, client.ssh_keys(str(mine[0]["fid"])), lack)
    except AuthenticationError as error:
        yield Finding(what="mithril", state=lack, text=str(error), mend=f"flowc init ({error.help or 'another key'})")
    except ProviderError as error:
        mend = f"check the network and {world.settings.get('api_url').origin}: api_url is {url}"
        yield Finding(what="mithril", state=lack, text=str(error), mend=mend)


def _ssh_keys(world: World, rows: list[dict[str, object]], lack: str) -> Finding:
    from flowc.providers.errors import ValidationError
    from flowc.providers.mithril.resolve import ssh_key_of

    wanted = world.settings.get("ssh_keys").values
    names = [str(row["name"]) for row in rows]
    for each in wanted:
        try:
            ssh_key_of(rows, each)
        except ValidationError as error:
            mend = f"flowc init; or --ssh-key NAME, one of: {', '.join(names) or 'none'}"
            return Finding(what="ssh keys", state=lack, text=str(error), mend=mend)
    if not rows:
        mend = "add your public key in the provider's console, then: flowc init"
        return Finding(what="ssh keys", state=lack, text="the project has none: nobody could log in", mend=mend)
    # Each bid has these too.
    required = [str(row["name"]) for row in rows if row.get("required")]
    if not wanted and not required and len(rows) > 1:
        text = f"which one may log in? there are: {', '.join(names)}"
        return Finding(what="ssh keys", state=lack, text=text, mend="flowc init; or --ssh-key NAME")
    found = ", ".join(dict.fromkeys([*wanted, *required])) or names[0]
    return Finding(what="ssh keys", state=OK, text=found)


def _local(world: World) -> Finding:
    from flowc.submit.journal import JournalError

    try:
        kind, why = world.local().kind()
    except (JournalError, SettingsError) as error:
        return Finding(what="local", state=MISSING, text=str(error), mend=error.help)
    if kind is None:
        mend = "another --local-machine" if "wanted" in why else "run flowc as an ordinary user, or docker"
        return Finding(what="local", state=NOTE, text=f"no machines on this computer: {why}", mend=mend)
    if why:
        mend = "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0 user.max_user_namespaces=10000"  # noqa: E501
        return Finding(what="local", state=NOTE, text=f"machines are {kind}: {why}", mend=mend)
    return Finding(what="local", state=OK, text=f"machines are {kind}")


def _watch(world: World) -> Finding:
    living, process = _rented(world), _process(world)
    if process is not None:
        return Finding(what="watch", state=OK, text=f"`flowc watch` runs (process {process})")
    text = "nobody ends bids by himself" + (f", and {living} may be paid now" if living else "")
    return Finding(what="watch", state=NOTE, text=text, mend="flowc watch --install")


def _process(world: World) -> int | None:
    from flowc.submit.journal import JournalError
    from flowc.submit.watch import watcher

    try:
        return watcher(world.folder)
    except JournalError:
        return None


def _rented(world: World) -> int:
    from flowc.submit.journal import JournalError

    try:
        return sum(bid.lives and bid.provider != "local" for bid in world.journal.bids())
    except JournalError:
        return 0

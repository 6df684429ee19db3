"""`flowc watch` as a service of the user's own systemd: it starts with the first login, and again after a failure."""

from __future__ import annotations

import os
import subprocess
import sys

from flowc.cli.status import DONE
from flowc.cli.tasks.world import World, tell
from flowc.settings.key import ORIGIN
from flowc.tasks.refused import RefusedTaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

UNIT = "flowc-watch.service"
# What of the environment says where flowc keeps its things. Keys stay out of it.
_PASSED = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "FLOW_CONFIG_PATH", "MITHRIL_PROFILE", "MITHRIL_API_URL", "PATH")


def install(words: Words) -> int:
    """Write the unit and start it. Raises RefusedTaskError where it could not do its work."""
    world = World(words)
    key = world.settings.get("api_key")
    if not key.values:
        raise RefusedTaskError("there is no API key for the service", "`flowc init` asks for it")
    if (key.origin or "").startswith("environment"):
        where = "a service has not your environment"
        raise RefusedTaskError(f"the API key is in the {key.origin} alone, and {where}", "`flowc init` writes it down")
    path = _path(world)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(unit(world.home or "/"))
    _systemctl("daemon-reload")
    _systemctl("enable", UNIT)
    _systemctl("restart", UNIT)  # it may have run before, as another version
    tell(f"watches from now on: {path}; `journalctl --user -u {UNIT}` shows what it does")
    if key.origin == ORIGIN:
        tell("the key is in the keyring, which is open while you are logged in: a service that lingers may not get it")
    tell("it ends with your last session, unless you have said: loginctl enable-linger")
    return DONE


def uninstall(words: Words) -> int:
    """Stop it and remove the unit. One that is not there is no error."""
    path = _path(World(words))
    if not os.path.exists(path):
        tell("there is no such service")
        return DONE
    _systemctl("disable", "--now", UNIT)
    os.unlink(path)
    _systemctl("daemon-reload")
    tell("nobody ends bids by himself any more")
    return DONE


def unit(home: str) -> str:
    """The unit's text."""
    passed = "".join(
        f"Environment={_quoted(f'{name}={os.environ[name]}')}\n" for name in _PASSED if os.environ.get(name)
    )
    words = " ".join(_quoted(word) for word in (sys.executable, "-m", "flowc", "watch"))
    return (
        "[Unit]\nDescription=flowc: ends the bids of jobs that have ended\n"
        # It begins again for as long as it takes.
        "StartLimitIntervalSec=0\n\n"
        f"[Service]\nExecStart={words}\nWorkingDirectory={home.replace('%', '%%')}\n{passed}"
        # 143 is what it says when it was asked to end.
        "Restart=on-failure\nRestartSec=60\nSuccessExitStatus=143\n\n[Install]\nWantedBy=default.target\n"
    )


def _path(world: World) -> str:
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(world.home or "/", ".config")
    return os.path.join(base, "systemd", "user", UNIT)


def _quoted(word: str) -> str:
    """A word of a unit file."""
    for character, written in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        word = word.replace(character, written)
    return f'"{word}"'


def _systemctl(*words: str) -> None:
    """Raises RefusedTaskError where the user has no systemd."""
    hint = "let it run in a terminal, or by cron: */5 * * * * flowc watch --once"
    try:
        done = subprocess.run(["systemctl", "--user", *words], check=False, capture_output=True, text=True)
    except OSError:
        raise RefusedTaskError("there is no systemd here", hint) from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise RefusedTaskError(f"systemctl --user {' '.join(words)}: {said}", hint)

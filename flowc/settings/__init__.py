"""Settings: the one place that knows where they come from, and which of two wins.

In order of precedence: flags, environment, the project's file (`.flowc.toml`, or `[tool.flowc]` of a `pyproject.toml`,
found upwards from the working directory), `~/.flow/config.yaml`, the provider's own profile file, defaults. What can be
set is `flowc/data/settings.yaml`; `lookup` reads it. Here stand the places, for those who only ask whether there is
anything at all: most runs of `check` and `compile` need no more.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# With one of these begins each variable of the table.
PREFIXES = ("MITHRIL_", "FLOW_", "FCP_", "FOUNDRY_")
# Folders upwards that are looked into for a project's file.
MOST_FOLDERS = 64
PROJECT_FILES = (".flowc.toml", "pyproject.toml")
CLUSTER_PROFILE = os.path.join(".flowc", "profile.yaml")
# What a project's file that is everybody's has where it has something for flowc.
SHARED_FILE, SHARED_SIGN = PROJECT_FILES[1], b"tool.flowc"
# What anybody has written by hand is far smaller.
MOST_BYTES = 1_000_000


def home_of(environ: Mapping[str, str]) -> str | None:
    """The user's folder, None where there is none."""
    found = environ.get("HOME") or os.path.expanduser("~")
    return found if found.startswith("/") else None


def working_folder() -> str:
    """Where the search begins: the root of the tree for who stands in a folder that is gone."""
    try:
        return os.getcwd()
    except OSError:
        return "/"


def project_paths(folder: str, home: str | None) -> Iterator[str]:
    """Where a project's file may be."""
    for each in _upwards(folder, home):
        for name in PROJECT_FILES:
            yield os.path.join(each, name)


def cluster_profile(folder: str, home: str | None) -> str | None:
    """The nearest profile of a cluster, None where there is none."""
    for each in _upwards(folder, home):
        path = os.path.join(each, CLUSTER_PROFILE)
        if os.path.lexists(path):  # who reads it says what is wrong with it
            return path
    return None


def _upwards(folder: str, home: str | None) -> Iterator[str]:
    """From `folder` upwards to the user's own folder, or the root of the tree."""
    for _ in range(MOST_FOLDERS):
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder or folder == home:
            return
        folder = parent


def user_path(home: str) -> str:
    return os.path.join(home, ".flow", "config.yaml")


def profile_path(home: str | None, environ: Mapping[str, str]) -> str | None:
    """Where the provider's own file is."""
    base = environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home is not None else None)
    return None if base is None else os.path.join(base, "mithril", "config.yaml")


def catalog_place(environ: Mapping[str, str], home: str | None) -> str | None:
    """Where the user's own copy of the catalog is, or will be; None where there is no place for one."""
    base = environ.get("XDG_STATE_HOME")
    if not (base and base.startswith("/")):
        base = None if home is None else os.path.join(home, ".local", "state")
    return None if base is None else os.path.join(base, "flowc", "catalog.json")


def catalog_copy(environ: Mapping[str, str], home: str | None) -> str | None:
    """The user's own copy of the catalog, None where there is none."""
    path = catalog_place(environ, home)
    return path if path is not None and os.path.lexists(path) else None


def may_be_set(environ: Mapping[str, str], folder: str, home: str | None) -> bool:
    """Whether anything but the defaults may hold: a quick look at names of variables and files."""
    return others_may_say(environ, home) or any(map(_may_say, project_paths(folder, home)))


def others_may_say(environ: Mapping[str, str], home: str | None) -> bool:
    """The same of all places but a project's file."""
    paths = (profile_path(home, environ), user_path(home) if home is not None else None)
    return any(name.startswith(PREFIXES) for name in environ) or any(path and os.path.lexists(path) for path in paths)


def _may_say(path: str) -> bool:
    if not os.path.lexists(path):
        return False
    if os.path.basename(path) != SHARED_FILE:
        return True
    if not os.path.isfile(path):
        return not os.path.isdir(path)  # who reads it says why not: a pipe would keep us waiting
    try:
        with open(path, "rb") as file:
            return SHARED_SIGN in file.read(MOST_BYTES + 1)
    except OSError:
        return True  # who reads it says why not

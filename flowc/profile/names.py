"""Names that modules of many sites have, and what brings each: looked up where no row of the table of lines fits."""

from __future__ import annotations

from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BIOCONDA = ("conda-forge", "bioconda")
# What stands before names of packages of Python: Spack's way, OpenHPC's, the Nordic Language Processing Laboratory's.
_PYTHON = ("py-", "py3-", "python-", "python3-", "nlpl-")
_WHERE = "HOME|DIR|ROOT|PATH|BASE|JAR|BIN|LIB|INC|PREFIX|INSTALL"


def package_of(name: str) -> tuple[dict[str, Any], str, str] | None:
    """What brings the module of this name, in small letters; what a person should know; and the variables that the
    module set, as a regular expression. None where it is not known."""
    found = _package_of(name)
    if found is None:
        return None
    brings, says = found
    upper = _key(name).upper()
    sets = rf"EBROOT{upper}|(?:[A-Z]+_)?{upper}(?:_?(?:{_WHERE})\w*)?"
    return brings, says, sets


def _package_of(name: str) -> tuple[dict[str, Any], str] | None:
    from flowc._compiled import tool_names as table

    key = _key(name)
    apt = [package for words in (table.PROGRAMS, table.LIBRARIES) if (package := _packages(words).get(key))]
    if apt:
        return {"apt": apt}, "Ubuntu's"
    package = _packages(table.BIOCONDA).get(key)
    if package:
        return {"conda": (package,), "channels": _BIOCONDA}, "bioconda's newest version"
    bare = of_python(name)
    package = _packages(table.PIP).get(key) or (bare and _packages(table.PYTHON).get(_key(bare)))
    return ({"pip": (package,)}, "newest version") if package else None


def environment_of(name: str) -> dict[str, Any] | None:
    """The environment of conda with the tool of this name; None where it is not known."""
    from flowc._compiled import tool_names as table

    package = _packages(table.BIOCONDA).get(_key(name.lower()))
    return {"packages": (package,), "channels": _BIOCONDA} if package else None


def of_python(name: str) -> str:
    """The package of Python that sites name so; nothing where it is none."""
    return next((name[len(prefix) :] for prefix in _PYTHON if name.startswith(prefix)), "")


@cache
def _packages(words: str) -> dict[str, str]:
    """The packages, by the names as they are compared."""
    pairs = (word.partition("=") for word in words.split())
    return {_key(name): package or name for name, _, package in pairs}


def _key(name: str) -> str:
    return name.replace("-", "").replace("_", "").replace(".", "")

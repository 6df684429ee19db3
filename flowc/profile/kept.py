"""Profiles as they were read, kept in the cache folder: making records of a long one takes as long as checking a job
does. One is known by its content, path and place, by flowc's own code, and by the files whose content became part of
it. One with findings is never kept, nor one that holds secrets."""

from __future__ import annotations

import _imp
import marshal
import os

from flowc import cache
from flowc.digest import sha256_hex
from flowc.ir import profile as ir
from flowc.ir.job import Mount
from flowc.profile.base import base_folder, beside, content
from flowc.source import Source, Span
from flowc.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from flowc.ir.site import Site
    from flowc.record import Record

    R = TypeVar("R", bound=Record)

# So many are kept, each of so many bytes.
MOST_FILES = 16
MOST_BYTES = 1 << 22
# The code that says what a profile means, by which it is known beside the version.
_CODE = (
    *(
        "profile/base.py",
        "profile/kept.py",
        "profile/read.py",
        "profile/environments.py",
        "profile/venvs.py",
        "shell/steps.py",
    ),
    *("profile/venvs.py", "profile/images.py", "_compiled/shell_programs.py"),
    *("profile/cluster/site.py", "override/apply.py", "ir/profile.py", "ir/site.py", "ir/job.py", "ir/mounts.py"),
    "shell/quote.py",
    *("_compiled/profile_fields.py", "yamldoc/read.py", "yamldoc/check.py", "yamldoc/node.py", "yamldoc/scalars.py"),
)
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def get(folder: str, path: str, data: bytes) -> ir.Profile | None:
    """The profile of a file with this content; None where none is kept, or a file that it names is another one."""
    key = _key(path)
    place = _place(folder, key, data)
    kept: Any = cache.value(place, MOST_BYTES)
    if kept is None:
        return None
    known, text, digest, files, lines, site = kept
    if known != key or text != data or not all(_digest(path, name) == other for name, other in files):
        return None
    cache.touch(place)
    source = Source.from_bytes(path, data)
    fields = {name: _lines(name, keys, rows, source) for name, (keys, rows) in lines.items()}
    return ir.Profile(path=path, sha256=digest, **fields, site=_site(site), files=files)


def put(folder: str, profile: ir.Profile, source: Source) -> None:
    """Keeps what was read of a source."""
    if _tells_secrets(profile, source):
        return
    key, text = _key(profile.path), source.data
    lines = {name: (each.keys, _told(each)) for name in ir.LINES if (each := getattr(profile, name)).keys}
    told = key, text, profile.sha256, profile.files, lines, _site_told(profile.site)
    cache.keep_value(_place(folder, key, text), told, MOST_BYTES, most=MOST_FILES)


def _key(path: str) -> str:
    """What tells one profile from another beside its content."""
    return repr((VERSION, _PACKAGE, cache.stamps(_CODE), path, base_folder(path)))


def _place(folder: str, key: str, data: bytes) -> str:
    # Not for safety: what is found there holds both.
    return f"{folder}/profile-{_imp.source_hash(0, key.encode('utf-8', 'surrogatepass') + data).hex()}"


def _digest(path: str, name: str) -> str | None:
    """Of a file that the profile names."""
    try:
        return sha256_hex(content(beside(path, name)))
    except (OSError, ValueError):
        return None


def _tells_secrets(profile: ir.Profile, source: Source) -> bool:
    from flowc.secret import places

    made = (*profile.environments, *profile.venvs)
    return bool(source.secrets or places(source.text) or any(places(each.setup) for each in made))


def _told(lines: ir.Lines[Any]) -> tuple[bytes, ...]:
    """The records of a section as plain values."""
    rows = []
    for row in lines:
        values = {name: value for name, value in row.__dict__.items() if name != "entry"}
        if "mount" in values:
            values["mount"] = values["mount"].__dict__
        rows.append(marshal.dumps((row.entry.span.start, row.entry.span.end, values)))
    return tuple(rows)


def _lines(name: str, keys: tuple[str, ...], rows: tuple[bytes, ...], source: Source) -> ir.Lines[Any]:
    """The same the other way; most lines are read for their keys alone."""
    section, kind = ir.LINES[name]

    def make(number: int) -> Record:
        start, end, values = marshal.loads(rows[number])
        if "mount" in values:
            values["mount"] = _made(Mount, values["mount"])
        entry = _made(ir.Entry, {"section": section, "key": keys[number], "span": Span(source, start, end)})
        return _made(kind, {"entry": entry, **values})

    return ir.Lines(keys, make)


def _site_told(site: Site | None) -> Any:
    if site is None:
        return None
    told = [[each.__dict__ for each in site.partitions], [each.__dict__ for each in site.machines]]
    return {**site.__dict__, "partitions": told[0], "machines": told[1]}


def _site(told: Any) -> Site | None:
    if told is None:
        return None
    from flowc.ir.site import Limits, Machine, Site

    limits = tuple(_made(Limits, each) for each in told["partitions"])
    machines = tuple(_made(Machine, each) for each in told["machines"])
    return _made(Site, {**told, "partitions": limits, "machines": machines})


def _made(kind: type[R], values: dict[str, Any]) -> R:
    """A record of all its values, which it had before."""
    record = object.__new__(kind)
    record.__dict__.update(values)
    return record

"""Writes the file of a bundle when a command has ended: what it learned, beside what else is in it, and apart
what it read for nothing.

Code goes in as Python has made it, which costs nothing. The next command that reads it makes it lean (`lean.py`),
which takes half a second for all that a check needs: once, and never where the cache folder does not last.
"""

from __future__ import annotations

import marshal
import time

from flowc import cache
from flowc.bundle import hash_of, stamp_of
from flowc.bundle.lean import lean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from flowc.bundle import Bundle, Entry

# Several installations and interpreters have one each.
_MOST_FILES = 10
# A pack has about so many bytes: each reads the names again that it shares with others, and all are read into the
# memory that the largest takes.
_PACK = 500_000


def save(bundle: Bundle) -> None:
    """Replaces the file as a whole."""
    learned, apart = bundle.learned, bundle.wasted()
    raw = frozenset() if learned else bundle.raw()
    index: dict[str, Entry] = {}
    packs: list[tuple[bytes, bool]] = []
    for number, (*_, is_lean) in enumerate(bundle.packs):
        names = [name for name, entry in bundle.entries.items() if entry[0] == number]
        left = [name for name in names if name not in learned]
        parts = [[name for name in left if name not in apart], [name for name in left if name in apart]]
        data = bytes(bundle.pack(number))
        if data and names in parts and number not in raw:
            index.update({name: (len(packs), *bundle.entries[name][1:]) for name in names})
            packs.append((data, is_lean))
            continue
        for part in parts:
            codes = {name: code for name in part if (code := bundle.code(name)) is not None}
            if number in raw:
                codes = {name: _lean(code, bundle.entries[name]) for name, code in codes.items()}
            for names in _parted(codes):
                index.update((name, (len(packs), at, *bundle.entries[name][2:])) for at, name in enumerate(names))
                packs.append((_packed(codes, names), is_lean or number in raw))
    codes = {name: code for name, (_, _, code) in learned.items()}
    for names in _parted(codes):
        for at, name in enumerate(names):
            (package, stamp, code), imports = learned[name], tuple(bundle.imports.get(name, ()))
            index[name] = (len(packs), at, package, stamp, imports, "__getattr__" in code.co_names)
        packs.append((_packed(codes, names), False))
    start, places = 0, []
    for data, is_lean in packs:
        places.append((start, len(data), hash_of(data), is_lean))
        start += len(data)
    bundle.learned = {}
    head, now = marshal.dumps((bundle.key, index, places)), int(time.time())
    first = b"".join((len(head).to_bytes(8, "little"), hash_of(head), now.to_bytes(8, "little"), head))
    cache.keep(bundle.path, b"".join((first, *(data for data, _ in packs))), most=_MOST_FILES, at=now)


def _parted(codes: dict[str, CodeType]) -> list[list[str]]:
    """The modules of each pack, all of much the same size."""
    sizes = {name: len(marshal.dumps(code)) for name, code in codes.items()}
    count = -(-sum(sizes.values()) // _PACK)
    found: list[list[str]] = [[] for _ in range(count)]
    before = 0
    for name, size in sizes.items():
        found[before * count // sum(sizes.values())].append(name)
        before += size
    return [names for names in found if names]


def _packed(codes: dict[str, CodeType], names: list[str]) -> bytes:
    return marshal.dumps(tuple(codes[name] for name in names))


def _lean(code: CodeType, entry: Entry) -> CodeType:
    """As it was where its source has changed since, or is none of those that can be made lean."""
    try:
        with open(code.co_filename, "rb") as file:
            made = lean(file.read(), code.co_filename)
    except (OSError, ValueError, SyntaxError):
        return code
    return made if stamp_of(code.co_filename) == entry[3] else code

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
        data = bundle.pack(number)
        if data and names in parts and number not in raw:
            index.update({name: (len(packs), *bundle.entries[name][1:]) for name in names})
            packs.append((data, is_lean))
            continue
        for part in parts:
            codes = {name: code for name in part if (code := bundle.code(name)) is not None}
            if number in raw:
                codes = {name: _lean(code, bundle.entries[name]) for name, code in codes.items()}
            if codes:
                index.update((name, (len(packs), at, *bundle.entries[name][2:])) for at, name in enumerate(codes))
                packs.append((marshal.dumps(tuple(codes.values())), is_lean or number in raw))
    if learned:
        for at, (name, (package, stamp, _)) in enumerate(learned.items()):
            index[name] = (len(packs), at, package, stamp, tuple(bundle.imports.get(name, ())))
        packs.append((marshal.dumps(tuple(code for _, _, code in learned.values())), False))
    start, places = 0, []
    for data, is_lean in packs:
        places.append((start, len(data), hash_of(data), is_lean))
        start += len(data)
    bundle.learned = {}
    head, now = marshal.dumps((bundle.key, index, places)), int(time.time())
    first = b"".join((len(head).to_bytes(8, "little"), hash_of(head), now.to_bytes(8, "little"), head))
    cache.keep(bundle.path, b"".join((first, *(data for data, _ in packs))), most=_MOST_FILES, at=now)


def _lean(code: CodeType, entry: Entry) -> CodeType:
    """As it was where its source has changed since, or is none of those that can be made lean."""
    try:
        with open(code.co_filename, "rb") as file:
            made = lean(file.read(), code.co_filename)
    except (OSError, ValueError, SyntaxError):
        return code
    return made if stamp_of(code.co_filename) == entry[3] else code

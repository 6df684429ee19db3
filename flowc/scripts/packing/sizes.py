"""How much of the provider's limit each part of a startup script takes."""

from __future__ import annotations

import zlib

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.scripts.drafts import Startup


class Part(Record):
    """A section of the script, or the user's body: bytes as a person reads it, and its share of what is
    sent."""

    name: str
    plain_bytes: int
    sent_bytes: int


def parts(startup: Startup) -> tuple[Part, ...]:
    """What each part takes, in order; the shares add up to the bytes sent.

    Compression is shared, so a part's share is what it adds to the parts before it, worked out with the
    ordinary compressor and scaled to the form that was chosen. The stub that unpacks the rest comes first.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    ends, done = [], 0
    for _, text in startup.sent_sections:
        done += len(packer.compress(text))
        ends.append(done + len(packer.copy().flush()))
    payload = max(map(len, startup.sent.split("\n")))
    plain = {name: len(text.encode("utf-8", "surrogateescape")) for name, text in startup.plain_sections}
    found = [Part(name="stub", plain_bytes=0, sent_bytes=len(startup.sent) - payload)]
    before = 0
    for (name, _), end in zip(startup.sent_sections, ends, strict=True):
        so_far = payload * end // ends[-1]
        found.append(Part(name=name, plain_bytes=plain.get(name, 0), sent_bytes=so_far - before))
        before = so_far
    return tuple(found)


def size_table(startup: Startup) -> str:
    """The parts as a table of text, a line each, the sum first; for people."""
    used = len(startup.sent)
    share = used * 100 // startup.limit
    lines = [f"startup script: {used} of {startup.limit} bytes, {share} %, {startup.encoding}"]
    lines.append(f"{'part':<12} {'plain':>8} {'sent':>8}")
    for part in parts(startup):
        lines.append(f"{part.name:<12} {part.plain_bytes:>8} {part.sent_bytes:>8}")
    if startup.left_out is not None:
        lines.append(f"left out for want of room: {startup.left_out}")
    return "\n".join(lines) + "\n"

"""Packs a script into few ASCII characters: compressed together with its body, behind a stub that unpacks it.

The ordinary form needs bash, base64 and gunzip, which every image has. Only where that does not fit, harder
forms are tried, the last of which takes seconds to make and to read; they need the image's python3 (cloud-init
cannot run without it) and fail loudly where it is missing.
"""

from __future__ import annotations

import zlib
from binascii import b2a_base64

from flowc._compiled import templates
from flowc._compiled.limits import SCRIPT_BYTES
from flowc.record import Record
from flowc.shell.quote import sh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

# What does not come near the limit in the ordinary form will not come below it in a harder one.
HOPELESS = 3 * SCRIPT_BYTES // 2
# The form that needs nothing but bash, base64 and gunzip.
PLAINEST = "gzip+base64"
GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\x02\x03"
# Within the window of 8 KiB and the 4,096 symbols of a block that zlib keeps at memory level 6.
SMALL = 4096
# Of a byte's eight bits, for what follows it: text has use for some, what does not compress for none.
CONTEXTS = (0, 1, 3)
# Mixing takes some 0.1 ms a byte, here and on the machine before the job starts.
LONGEST_MIXED = 40_000
# Where LZMA needs so many percent of the room, mixing cannot help.
BEYOND_MIXING = 120
# What one chunk of LZMA2 can hold as it is.
LARGEST_CHUNK = 1 << 16
SIZE_MASK = (1 << 32) - 1
NO_TEXT = rb"[^\t\n\r -~]"


class Packed(Record):
    """What the templates that unpack ask for; for the densest form the sizes of what it holds, in bytes."""

    payload: str
    size: int = 0
    tail: int = 0


def pack(head: bytes, body: bytes, *, patient: bool = True) -> tuple[str, str]:
    """The first form that fits, else the shortest there is: (encoding, script). `patient`: seconds may be spent."""
    whole = head + body
    sent = gzip_form(deflate(whole), whole)
    if len(sent) <= SCRIPT_BYTES or len(sent) > HOPELESS:
        return PLAINEST, sent
    shortest = PLAINEST, sent
    for encoding, form in harder_forms(head, body, patient):
        if len(form) <= SCRIPT_BYTES:
            return encoding, form
        shortest = min(shortest, (encoding, form), key=lambda pair: len(pair[1]))
    return shortest


def harder_forms(head: bytes, body: bytes, patient: bool) -> Iterator[tuple[str, str]]:
    """From the plainest to the densest. A body that does not compress gets a block of its own, as it is, from its
    first byte on that is no text."""
    import re

    whole = head + body
    data = re.search(NO_TEXT, body)
    end = len(head) + (data.start() if data else 0)
    head, body = whole[:end], whole[end:]
    apart = deflate(head, body)
    yield PLAINEST, gzip_form(apart, whole)
    yield "zlib+base94", zlib_form(min(deflate(whole), apart, key=len), whole)
    together, stored = lzma_together(whole), lzma_stored(head, body)
    shortest = lzma_form(min(together, stored or together, key=len))
    yield "lzma+base94", shortest
    mixed, tail = (head, body) if stored and len(stored) < len(together) else (whole, b"")
    if patient and len(mixed) <= LONGEST_MIXED and len(shortest) * 100 <= SCRIPT_BYTES * BEYOND_MIXING:
        yield "mixing+base94", mixing_form(mixed, tail)


def deflate(*parts: bytes) -> bytes:
    """A raw deflate stream, with a block boundary between the parts: each gets the code that suits it."""
    size = sum(map(len, parts))
    # What is small needs little memory to find its repetitions, and clearing the rest would take longer than that.
    window, memory = (-13, 6) if size < SMALL else (-15, 8)
    packer = zlib.compressobj(9, zlib.DEFLATED, window, memory)
    out = [packer.compress(parts[0])]
    for part in parts[1:]:
        out += [packer.flush(zlib.Z_BLOCK), packer.compress(part)]
    out.append(packer.flush())
    return b"".join(out)


def gzip_member(deflated: bytes, plain: bytes) -> bytes:
    """The same bytes whatever version of Python or zlib wraps them: no time, no name, fixed flags."""
    tail = zlib.crc32(plain).to_bytes(4, "little") + (len(plain) & SIZE_MASK).to_bytes(4, "little")
    return GZIP_HEAD + deflated + tail


def gzip_form(deflated: bytes, plain: bytes) -> str:
    payload = b2a_base64(gzip_member(deflated, plain), newline=False).decode("ascii")
    return _stub(templates.gzip, Packed(payload=payload))


def zlib_form(deflated: bytes, plain: bytes) -> str:
    data = b"\x78\xda" + deflated + zlib.adler32(plain).to_bytes(4, "big")
    return _stub(templates.zlib, Packed(payload=base94_bytes(data)))


def mixing_form(plain: bytes, tail: bytes) -> str:
    """`tail`: what is stored as it is, behind what is mixed."""
    from flowc.scripts.packing.mixing import mixed

    number = mixed(plain, int.from_bytes(tail, "big")) if tail else mixed(plain)
    return _stub(templates.mixing, Packed(payload=base94(number), size=len(plain), tail=len(tail)))


def lzma_form(chunks: bytes) -> str:
    return _stub(templates.lzma, Packed(payload=base94_bytes(chunks + b"\0")))


def lzma_together(whole: bytes) -> bytes:
    return min((lzma_chunks(whole, context) for context in CONTEXTS), key=len)


def lzma_stored(head: bytes, body: bytes) -> bytes | None:
    """With the body in a chunk that is not compressed: its mark, its size less one, and the bytes themselves."""
    if not 0 < len(body) <= LARGEST_CHUNK:
        return None
    return lzma_together(head) + b"\x02" + (len(body) - 1).to_bytes(2, "big") + body


def lzma_chunks(plain: bytes, context: int) -> bytes:
    """LZMA2 without a container and without its end. `context`: how many bits of a byte tell what the next one is."""
    import lzma

    # Text is not aligned: no position bits. The dictionary need not be larger than what is packed.
    preset = 9 | lzma.PRESET_EXTREME
    chain = [{"id": lzma.FILTER_LZMA2, "preset": preset, "lc": context, "pb": 0, "dict_size": 1 << 16}]
    return lzma.compress(plain, lzma.FORMAT_RAW, filters=chain)[:-1]


def base94_bytes(data: bytes) -> str:
    """The number whose big-endian bytes are `data`, which must not begin with a zero byte."""
    return base94(int.from_bytes(data, "big"))


def base94(number: int) -> str:
    """A number in digits that are the visible ASCII characters: 2 % denser than base85."""

    def digits(number: int, width: int) -> str:
        if width == 1:
            return chr(number + 33)
        high, low = divmod(number, powers[width])
        return digits(high, width // 2) + digits(low, width // 2)

    width = 1
    powers: dict[int, int] = {}
    power = 94
    while power <= number:
        width *= 2
        powers[width] = power
        power *= power
    return digits(number, width).lstrip("!")


def _stub(template: Callable[[dict[str, Any], Any], Any], packed: Packed) -> str:
    return "".join(text for _, text in template(packed.__dict__, sh))

"""Packs a script into few ASCII characters: compressed together with its body, behind a stub that unpacks it.

The ordinary form needs bash, base64 and gunzip, which every image has. Only where that does not fit, harder
forms are tried; they need the image's python3 (cloud-init cannot run without it) and fail loudly where it is
missing.
"""

from __future__ import annotations

import zlib
from binascii import b2a_base64

from flowc._compiled import templates
from flowc._compiled.limits import SCRIPT_BYTES
from flowc.startup.quote import sh

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
# What one chunk of LZMA2 can hold as it is.
LARGEST_CHUNK = 1 << 16
SIZE_MASK = (1 << 32) - 1


def pack(head: bytes, body: bytes) -> tuple[str, str]:
    """The first form that fits, else the shortest there is: (encoding, script)."""
    whole = head + body
    sent = gzip_form(deflate(whole), whole)
    if len(sent) <= SCRIPT_BYTES or len(sent) > HOPELESS:
        return PLAINEST, sent
    shortest = PLAINEST, sent
    for encoding, form in harder_forms(head, body):
        if len(form) <= SCRIPT_BYTES:
            return encoding, form
        shortest = min(shortest, (encoding, form), key=lambda pair: len(pair[1]))
    return shortest


def harder_forms(head: bytes, body: bytes) -> Iterator[tuple[str, str]]:
    """From the plainest to the densest. A body that does not compress gets a block of its own, as it is."""
    whole = head + body
    apart = deflate(head, body)
    yield PLAINEST, gzip_form(apart, whole)
    yield "zlib+base94", zlib_form(min(deflate(whole), apart, key=len), whole)
    yield "lzma+base94", lzma_form(head, body)


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
    return _stub(templates.gzip, b2a_base64(gzip_member(deflated, plain), newline=False).decode("ascii"))


def zlib_form(deflated: bytes, plain: bytes) -> str:
    data = b"\x78\xda" + deflated + zlib.adler32(plain).to_bytes(4, "big")
    return _stub(templates.zlib, base94(data))


def lzma_form(head: bytes, body: bytes) -> str:
    whole = head + body
    found = [lzma_chunks(whole, context) for context in CONTEXTS]
    if 0 < len(body) <= LARGEST_CHUNK:
        # A chunk that is not compressed: its mark, its size less one, and the bytes themselves.
        stored = b"\x02" + (len(body) - 1).to_bytes(2, "big") + body
        found += [lzma_chunks(head, context) + stored for context in CONTEXTS]
    return _stub(templates.lzma, base94(min(found, key=len) + b"\0"))


def lzma_chunks(plain: bytes, context: int) -> bytes:
    """LZMA2 without a container and without its end. `context`: how many bits of a byte tell what the next one is."""
    import lzma

    # Text is not aligned: no position bits. The dictionary need not be larger than what is packed.
    preset = 9 | lzma.PRESET_EXTREME
    chain = [{"id": lzma.FILTER_LZMA2, "preset": preset, "lc": context, "pb": 0, "dict_size": 1 << 16}]
    return lzma.compress(plain, lzma.FORMAT_RAW, filters=chain)[:-1]


def base94(data: bytes) -> str:
    """The number whose big-endian bytes are `data`, in digits that are the visible ASCII characters.

    2 % denser than base85. `data` must not begin with a zero byte.
    """

    def digits(number: int, width: int) -> str:
        if width == 1:
            return chr(number + 33)
        high, low = divmod(number, powers[width])
        return digits(high, width // 2) + digits(low, width // 2)

    number, width = int.from_bytes(data, "big"), 1
    powers: dict[int, int] = {}
    power = 94
    while power <= number:
        width *= 2
        powers[width] = power
        power *= power
    return digits(number, width).lstrip("!")


def _stub(template: Callable[[dict[str, Any], Any], Any], payload: str) -> str:
    return "".join(text for _, text in template({"payload": payload}, sh))

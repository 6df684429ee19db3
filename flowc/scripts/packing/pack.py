"""Packs a script into few ASCII characters: compressed together with its body, behind a stub that unpacks it.

The ordinary form needs bash, base64 and gunzip, which every image has. Only where that does not fit, harder
forms are tried, the last of which takes seconds to make and to read; they need the image's python3 (cloud-init
cannot run without it) and fail loudly where it is missing.
"""

from __future__ import annotations

import zlib
from binascii import b2a_base64
from math import log2

from flowc._compiled import templates
from flowc._compiled.limits import SCRIPT_BYTES
from flowc.record import Record
from flowc.shell.quote import sh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    Template: TypeAlias = Callable[[dict[str, Any], Any], Any]

LIMIT: int = SCRIPT_BYTES
# What does not come near the limit in the ordinary form will not come below it in a harder one.
HOPELESS = 3 * SCRIPT_BYTES // 2
# The form that needs nothing but bash, base64 and gunzip.
PLAINEST = "gzip+base64"
# The first of those that take longer to make.
HARDER = "lzma+base94"
DENSEST = "mixing+base94"
GZIP_TAIL = 8  # bytes behind the deflated ones: a sum and the size
GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\x02\x03"
# Within the window of 8 KiB and the 4,096 symbols of a block that zlib keeps at memory level 6.
SMALL = 4096
# Of a byte's eight bits, for what follows it: text has use for some, what does not compress for none.
CONTEXTS = (3, 1, 0)
# What LZMA makes of a text with one context is never so many percent longer than with another one.
ALIKE = 105
# Mixing takes some 0.1 ms a byte, here and on the machine before the job starts.
LONGEST_MIXED = 40_000
# Where LZMA needs so many percent of the room, mixing cannot help.
BEYOND_MIXING = 120
# It took more than 87 percent of what LZMA takes, of 2,800 texts of real jobs: with more than so many percent of the
# room in LZMA it does not fit.
SURELY_BEYOND = 116
# A body of so much text, and no more than so many percent of the room in the easy forms, surely fit in the densest: of
# 2,400 texts of real jobs that came near it, all took less than 89 percent of what they take in base94 of zlib.
SURELY_DENSE, DENSE_BODY = 112, 6000
# LZMA took less than 98 percent of it.
SURELY_LZMA = 101
# What one chunk of LZMA2 can hold as it is.
LARGEST_CHUNK = 1 << 16
SIZE_MASK = (1 << 32) - 1
TEXT = b"\t\n\r" + bytes(range(ord(" "), ord("~") + 1))
DIGITS = bytes(range(33, 127)).ljust(256, b"?")
BITS_OF_94 = 6.554588851677638


class Packed(Record):
    """What the templates that unpack ask for; for the densest form the sizes of what it holds, in bytes."""

    payload: str
    size: int = 0
    tail: int = 0


class Form:
    """A way to send a script: its `encoding`, and its `size` in characters, which is known before there are any."""

    __slots__ = ("_length", "_payload", "_sizes", "_template", "encoding", "size")

    def __init__(
        self, encoding: str, template: Template, length: int, payload: Callable[[], str], size: int = 0, tail: int = 0
    ) -> None:
        """`payload` gives as many characters as `length` says; `size` and `tail` are those of `Packed`."""
        self.encoding = encoding
        self._template = template
        self._length = length
        self._payload = payload
        self._sizes = size, tail
        self.size = len(self._filled("")) + length

    @property
    def fits(self) -> bool:
        return self.size <= LIMIT

    @property
    def text(self) -> str:
        return self._filled(self._payload())

    @property
    def outline(self) -> str:
        """As long as the text, line by line, for whoever measures it alone: it says nothing."""
        return self._filled("!" * self._length)

    def _filled(self, payload: str) -> str:
        size, tail = self._sizes
        packed = Packed(payload=payload, size=size, tail=tail)
        return "".join(text for _, text in self._template(packed.__dict__, sh))


class Packing:
    """The forms of one text, each made when it is first asked for."""

    __slots__ = ("_apart", "_body", "_chunks", "_dense", "_made", "_mixed", "_rest", "whole")

    def __init__(self, head: bytes, body: bytes) -> None:
        self.whole = head + body
        self._body = body
        self._made: list[Form] = []
        self._rest = self._easy()
        self._apart = head, body  # as they are packed apart
        self._chunks: dict[tuple[bool, int], bytes] | None = None  # None while nothing asks for LZMA
        self._mixed: tuple[bytes, bytes] | None = None  # what the densest form holds; None: it cannot help
        self._dense: Form | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it fits in the form that every image can unpack."""
        return any(form.fits for form in self._forms(plainest=True))

    @property
    def fits_easily(self) -> bool:
        """Whether a form fits of which that is quickly known."""
        return any(form.fits for form in self._forms(harder=False))

    def fits_surely(self, *, patient: bool) -> bool:
        """Whether a form fits, told without making a harder one: true only of what comes out of it well below the
        limit. `patient` as `fits` has it."""
        if self.fits_easily:
            return True
        if len(self._body) > DENSE_BODY or self._body.translate(None, TEXT):
            return False
        room = SURELY_DENSE if patient and len(self.whole) <= LONGEST_MIXED else SURELY_LZMA
        return min(form.size for form in self._made if form.encoding != HARDER) * 100 <= LIMIT * room

    def fits(self, *, patient: bool) -> bool:
        """Whether a form fits. `patient`: the densest counts too, which takes long to make."""
        if self.fits_easily:
            return True
        # Of LZMA's streams, one that is short enough says that the shortest is.
        if self._chunks is not None and any(lzma_form(each).fits for each in self._streams()):
            return True
        if any(form.fits for form in self._forms()):
            return True
        if not patient or self._made[-1].size * 100 > LIMIT * SURELY_BEYOND:
            return False
        dense = self._densest()
        return dense is not None and dense.fits

    def first(self, *, patient: bool) -> Form:
        """The first form that fits, else the shortest there is."""
        shortest = None
        for form in self._forms():
            if shortest is None or form.fits or form.size < shortest.size:
                shortest = form
        assert shortest is not None, "there is a plainest form"
        dense = self._densest() if patient and not shortest.fits else None
        return dense if dense is not None and dense.size < shortest.size else shortest

    def _forms(self, *, plainest: bool = False, harder: bool = True) -> Iterator[Form]:
        """From the plainest to the last but one in density, or without that one; none behind one that fits."""
        at = 0
        while True:
            if at == len(self._made):
                if self._chunks is not None and not harder:
                    return
                form = next(self._rest, None)
                if form is None:
                    return
                self._made.append(form)
            form = self._made[at]
            if plainest and form.encoding != PLAINEST:
                return
            yield form
            if form.fits:
                return
            at += 1

    def _easy(self) -> Iterator[Form]:
        """A body that does not compress gets a block of its own, as it is, from its first byte on that is no text."""
        whole, start = self.whole, len(self.whole) - len(self._body)
        together = deflate(whole)
        plain = gzip_form(together, whole)
        yield plain
        if plain.size > HOPELESS:
            return
        # The first byte that is no text, if there is one.
        data = self._body.translate(None, TEXT)[:1]
        end = start + (self._body.index(data) if data else 0)
        head, body = self._apart = whole[:end], whole[end:]
        apart = deflate(head, body)
        yield gzip_form(apart, whole)
        self._chunks = {}
        yield zlib_form(min(together, apart, key=len), whole)
        for _ in self._streams():
            pass
        stored, context = min(self._chunks, key=self._length)
        form = lzma_form(self._chunks[stored, context])
        mixed, tail = (head, body) if stored else (whole, b"")
        if len(mixed) <= LONGEST_MIXED and form.size * 100 <= SCRIPT_BYTES * BEYOND_MIXING:
            self._mixed = mixed, tail
        yield form

    def _length(self, way: tuple[bool, int]) -> tuple[int, bool, int]:
        """By which the streams of LZMA are compared."""
        assert self._chunks is not None
        return len(self._chunks[way]), *way

    def _streams(self) -> Iterator[bytes]:
        """What LZMA makes of all together for each of its contexts, then with the body as it is; each made once, and
        none that is surely neither the shortest nor within the limit."""
        assert self._chunks is not None
        head, body = self._apart
        least = LIMIT
        for stored in (False, True) if may_be_stored(body) else (False,):
            for context in CONTEXTS:
                found = self._chunks.get((stored, context))
                if found is None:
                    found = (
                        lzma_chunks(head, context) + stored_chunk(body) if stored else lzma_chunks(self.whole, context)
                    )
                    self._chunks[stored, context] = found
                yield found
                size = lzma_form(found).size
                if size * 100 > least * ALIKE:
                    break
                least = min(least, size)

    def _densest(self) -> Form | None:
        if self._dense is None and self._mixed is not None:
            self._dense = mixing_form(*self._mixed)
        return self._dense


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


def gzip_form(deflated: bytes, plain: bytes) -> Form:
    length = (len(GZIP_HEAD) + len(deflated) + GZIP_TAIL + 2) // 3 * 4
    return Form(
        PLAINEST,
        templates.gzip,
        length,
        lambda: b2a_base64(gzip_member(deflated, plain), newline=False).decode("ascii"),
    )


def zlib_form(deflated: bytes, plain: bytes) -> Form:
    data = b"\x78\xda" + deflated + zlib.adler32(plain).to_bytes(4, "big")
    return _in_base94("zlib+base94", templates.zlib, int.from_bytes(data, "big"))


def mixing_form(plain: bytes, tail: bytes) -> Form:
    """`tail`: what is stored as it is, behind what is mixed. How many digits there will be is known before them, which
    take as long again; but for one number in some thousands."""
    from flowc.scripts.packing import mixing

    likely, rest = mixing.likelihoods(plain), int.from_bytes(tail, "big") if tail else 1
    bits = mixing.length(plain, rest, likely)
    least, most = (int((bits + error) / BITS_OF_94) + 1 for error in (-1e-3, 1e-3))

    def number() -> int:
        return mixing.mixed(plain, rest, likely)

    digits = least if least == most else digits94(number())
    sizes = {"size": len(plain), "tail": len(tail)}
    return Form(DENSEST, templates.mixing, digits, lambda: base94(number()), **sizes)


def lzma_form(chunks: bytes) -> Form:
    return _in_base94(HARDER, templates.lzma, int.from_bytes(chunks + b"\0", "big"))


def _in_base94(encoding: str, template: Template, number: int) -> Form:
    return Form(encoding, template, digits94(number), lambda: base94(number))


def may_be_stored(body: bytes) -> bool:
    """Whether a body may take less room as it is than compressed: not what already the quickest way makes shorter."""
    return 0 < len(body) <= LARGEST_CHUNK and len(zlib.compress(body, 1)) * 10 > len(body) * 9


def stored_chunk(body: bytes) -> bytes:
    """A chunk that is not compressed: its mark, its size less one, and the bytes themselves."""
    return b"\x02" + (len(body) - 1).to_bytes(2, "big") + body


def lzma_chunks(plain: bytes, context: int) -> bytes:
    """LZMA2 without a container and without its end. `context`: how many bits of a byte tell what the next one is."""
    import lzma

    # Text is not aligned: no position bits. The dictionary need not be larger than what is packed.
    preset = 9 | lzma.PRESET_EXTREME
    chain = [{"id": lzma.FILTER_LZMA2, "preset": preset, "lc": context, "pb": 0, "dict_size": 1 << 16}]
    return lzma.compress(plain, lzma.FORMAT_RAW, filters=chain)[:-1]


def base94(number: int) -> str:
    """A number above 0 in digits that are the visible ASCII characters: 2 % denser than base85."""
    powers = [94]
    while powers[-1] <= number:
        powers.append(powers[-1] ** 2)
    # Halves of halves, down to single digits.
    parts = [number]
    for power in reversed(powers[:-1]):
        parts = [half for part in parts for half in divmod(part, power)]
    return bytes(parts).translate(DIGITS).decode("ascii").lstrip("!")


def digits94(number: int) -> int:
    """How many digits a number above 0 takes."""
    digits = log2(number) / BITS_OF_94
    least, most = int(digits - 1e-6) + 1, int(digits + 1e-6) + 1
    return most if least == most or number >= 94**least else least

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

# What does not come near the limit in the ordinary form will not come below it in a harder one.
HOPELESS = 3 * SCRIPT_BYTES // 2
GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\x02\x03"
SIZE_MASK = (1 << 32) - 1


def pack(head: bytes, body: bytes) -> tuple[str, str]:
    """The shortest form that fits, else the shortest there is: (encoding, script). `body` is compressed apart
    from `head` where that is shorter, as for data that does not compress."""
    sent = gzip_form(deflate(head + body), head + body)
    if len(sent) <= SCRIPT_BYTES or len(sent) > HOPELESS:
        return "gzip+base64", sent
    forms = [("gzip+base64", sent)]
    for data in (deflate(head + body), deflate(head, body)):
        forms.append(("gzip+base64", gzip_form(data, head + body)))
        forms.append(("zlib+base85", zlib_form(data, head + body)))
    shortest = min(forms, key=lambda form: len(form[1]))
    return next((form for form in forms if len(form[1]) <= SCRIPT_BYTES), shortest)


def deflate(*parts: bytes) -> bytes:
    """A raw deflate stream, with a block boundary between the parts: each gets the code that suits it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
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
    return _stub(templates.gzip, b2a_base64(gzip_member(deflated, plain), newline=False))


def zlib_form(deflated: bytes, plain: bytes) -> str:
    from base64 import b85encode

    data = b"\x78\xda" + deflated + zlib.adler32(plain).to_bytes(4, "big")
    return _stub(templates.zlib, b85encode(data))


def _stub(template: object, payload: bytes) -> str:
    return "".join(text for _, text in template({"payload": payload.decode("ascii")}, sh))  # type: ignore[operator]

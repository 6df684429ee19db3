"""SHA-256 without `hashlib`, whose import loads OpenSSL and costs more than a whole compilation."""

from __future__ import annotations

import sys

# Asked for by its name of each version: what is not there is looked for in all folders.
try:
    if sys.version_info >= (3, 12):
        from _sha2 import sha256
    else:
        from _sha256 import sha256  # type: ignore[import-not-found]
except ImportError:
    from hashlib import sha256


def sha256_hex(data: bytes) -> str:
    """The hex digest of `data`."""
    digest: str = sha256(data).hexdigest()
    return digest

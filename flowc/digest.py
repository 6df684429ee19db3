"""SHA-256 without `hashlib`, whose import loads OpenSSL and costs more than a whole compilation."""

from __future__ import annotations

try:
    from _sha2 import sha256  # type: ignore[import-not-found]  # Python 3.12 on
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found]  # Python 3.11
    except ImportError:
        from hashlib import sha256


def sha256_hex(data: bytes) -> str:
    """The hex digest of `data`."""
    digest: str = sha256(data).hexdigest()
    return digest

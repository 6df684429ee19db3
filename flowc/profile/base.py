"""What the parts of this package share: the files of a profile."""

from __future__ import annotations

import os

MOST_BYTES = 1_000_000


def content(path: str) -> bytes:
    """What a file holds. Raises OSError and ValueError."""
    with open(path, "rb", buffering=0) as file:
        found = b""
        while more := file.read(MOST_BYTES + 1 - len(found)):
            found += more
    if len(found) > MOST_BYTES:
        raise OSError(None, "larger than 1 MB")
    return found


def reason(error: OSError | ValueError) -> str:
    """Why a file cannot be read, as it stands in a sentence."""
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]


def beside(path: str, written: str) -> str:
    """A file that the profile at `path` names."""
    return os.path.join(base_folder(path), os.path.expanduser(written))


def base_folder(path: str) -> str:
    """The folder from which a profile's files are seen: in which its .flowc is, or its own."""
    folder = os.path.dirname(os.path.abspath(path))
    return os.path.dirname(folder) if os.path.basename(folder) == ".flowc" else folder

"""What a function has left on its machine, as a value of ours. Nothing of it is trusted: it comes from there."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import platform
import shutil
import tarfile
import tempfile

from flowc.sdk.errors import FlowError, RemoteError
from flowc.sdk.functions.runner import FILE, MOST_FILES, MOST_RESULT, PAIRS, RESULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def value_of(path: str, *, trust: bool) -> Any:
    """The value in an archive, its files in new folders. Raises RemoteError with the function's exception, FlowError
    for a pickle without `trust` and for what is no result."""
    try:
        with tarfile.open(path) as archive:
            found = _document(archive)
            if "type" in found:
                raise _exception(found)
            if "pickle" in found:
                return _loaded(found, trust=trust)
            return _Restoring(archive).restored(found["value"])
    except (OSError, tarfile.TarError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise FlowError(f"the result of the machine cannot be read: {error}") from None


def _document(archive: tarfile.TarFile) -> dict[str, Any]:
    file = archive.extractfile(RESULT)
    if file is None:
        raise ValueError("it is no file")
    data = file.read(MOST_RESULT + 1)
    if len(data) > MOST_RESULT:
        raise ValueError(f"it has more than {MOST_RESULT:,} bytes")
    found = json.loads(data)
    if not isinstance(found, dict):
        raise ValueError("it is no mapping")
    return found


def _exception(found: dict[str, Any]) -> RemoteError:
    return RemoteError(
        str(found["type"]),
        str(found.get("message", "")),
        str(found.get("traceback", "")),
        python=str(found.get("python", "")) or platform.python_version(),
    )


def _loaded(found: dict[str, Any], *, trust: bool) -> Any:
    if not trust:
        raise FlowError(
            "the result is a pickle, which is loaded with trust=True alone",
            suggestions=("a pickle runs what the machine has put into it",),
        )
    import pickle

    try:
        return pickle.loads(base64.b64decode(found["pickle"]))
    except Exception as error:
        raise FlowError(
            f"the pickle of the result cannot be loaded: {type(error).__name__}: {error}",
            details=(f"made by Python {found.get('python')}, this is {platform.python_version()}",),
        ) from None


def _key(value: Any) -> Any:
    """A sequence that was a key was a tuple."""
    return tuple(_key(each) for each in value) if isinstance(value, list) else value


class _Restoring:
    """Puts files where values name them; each once."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._files: dict[int, pathlib.Path] = {}
        self._left = MOST_FILES

    def restored(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.restored(each) for each in value]
        if not isinstance(value, dict):
            return value
        if PAIRS in value:
            return {_key(self.restored(key)): self.restored(each) for key, each in value[PAIRS]}
        if FILE in value:
            number = int(value[FILE])
            if number not in self._files:
                self._files[number] = self._brought(number, str(value["name"]))
            return self._files[number]
        return {key: self.restored(each) for key, each in value.items()}

    def _brought(self, number: int, name: str) -> pathlib.Path:
        """A file or a folder, under its own name."""
        name = pathlib.PurePosixPath(name).name
        here = pathlib.Path(tempfile.mkdtemp(prefix="flowc-"), "file" if name in ("", "..") else name)
        prefix = str(number)
        for member in self._archive:
            parts = pathlib.PurePosixPath(member.name).parts
            if parts[:1] != (prefix,) or ".." in parts or "\0" in member.name:
                continue
            place = here.joinpath(*parts[1:])
            if member.isdir():
                place.mkdir(parents=True, exist_ok=True)
            elif member.isreg():
                self._left -= member.size
                if self._left < 0:
                    raise ValueError(f"its files have more than {MOST_FILES:,} bytes")
                place.parent.mkdir(parents=True, exist_ok=True)
                data = self._archive.extractfile(member)
                assert data is not None
                with data, open(place, "wb") as file:
                    shutil.copyfileobj(data, file)
        if not os.path.lexists(here):
            raise ValueError(f"the file {name} is not there")
        return here

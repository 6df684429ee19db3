"""What a check said of files that have not changed since: kept in the cache folder, so that nothing is checked twice.

An outcome is known by all that it may hang on: the content and the name of the file, flags, settings, environment,
profile, catalog, and the code of flowc itself. What hangs on anything else (other programs that judge, standard input)
is never kept, nor is what went wrong. It is kept as it is shown: with stars for secrets.
"""

from __future__ import annotations

import marshal
import os
import sys
import time
import zlib

from flowc import cache
from flowc.cli import sources
from flowc.digest import sha256_hex
from flowc.record import Record
from flowc.source import Derived, Source, Span
from flowc.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import Any

    from flowc.cli.checking.checker import Checker
    from flowc.inputs import Inputs

    Outcome = tuple[str, list[dict[str, Any]], dict[str, Any]]

# Of all outcomes of one configuration, and of a single one, in bytes; so many configurations have a file.
MOST_BYTES = 16 << 20
MOST_OF_ONE = 1 << 18
MOST_FILES = 8
_HEAD = 4
# What sbatch reads of its environment, whatever the script; one with these may name any other variable.
_READ = ("SBATCH_", "SLURM_")
_NAME_VARIABLES = (b"--exp", b"#PBS", b"#BSUB")
# What words are made of stands for itself, anything else for a blank.
_WORDS = bytes(each if chr(each).isalnum() or each in b"_" or each > 127 else 32 for each in range(256))
_QUOTES = b"\"'\\"
# Code that changed so lately may change again within what its times can tell.
_SETTLED_NS = 2_000_000_000


class Kept:
    """The outcomes of one configuration. What a run asked for is kept longest."""

    def __init__(self, checker: Checker, path: str, key: bytes) -> None:
        self._checker = checker
        self._path = path
        self._key = key
        self._inputs = _narrowed(checker.inputs)
        self._found = _read(path)
        self._used: dict[bytes, bytes] = {}
        self._new = False

    def outcomes(self, files: list[str]) -> Generator[Outcome, None, None]:
        """Of all these files, in their order: what is kept, and what the checker says of the others."""
        found = [self._get(path) for path in files]
        missed = [path for path, data in zip(files, found, strict=True) if data is None]
        fresh = self._checker.spread(self._checked, missed)
        try:
            for data in found:
                if data is not None:
                    yield marshal.loads(data)
                    continue
                key, outcome = next(fresh)
                if key is not None:
                    self._put(key, outcome)
                yield outcome
        finally:
            self._save()

    def _get(self, path: str) -> bytes | None:
        if path == "-":
            return None
        try:
            with open(path, "rb", buffering=0) as file:
                data = file.read(sources.MAX_BYTES + 1)
        except (OSError, ValueError):
            return None
        key = self._key_of(path, data)
        known = self._found.get(key)
        if known is not None:
            self._used[key] = known
        return known

    def _checked(self, path: str) -> tuple[bytes | None, Outcome]:
        """The outcome of a file as it is now, and what that is known by."""
        source = sources.read(path) if path != "-" else None
        if not isinstance(source, Source):
            return None, self._checker.check(path)
        data = source.data
        inputs = self._inputs
        more = self._more_variables(data)
        if more:
            inputs = inputs.replace(environ=(*inputs.environ, *more))
        return self._key_of(path, data), self._checker.check(path, source, inputs)

    def _key_of(self, path: str, data: bytes) -> bytes:
        more = self._more_variables(data)
        return _digest(self._key + (_told(more) if more else b"") + os.fsencode(path) + b"\0" + data)

    def _more_variables(self, data: bytes) -> tuple[tuple[str, str], ...]:
        """Those of the environment that a file may name."""
        if not any(sign in data for sign in _NAME_VARIABLES):
            return ()
        words, known = _words(data), self._inputs.environ
        return tuple(pair for pair in self._checker.inputs.environ if pair[0] in words and pair not in known)

    def _put(self, key: bytes, outcome: Outcome) -> None:
        """Unless something went wrong, which may be another time."""
        tally = outcome[2]
        data = marshal.dumps(outcome)
        if not tally["bugs"] and not tally["world_failed"] and len(data) <= MOST_OF_ONE:
            self._used[key] = data
            self._new = True

    def _save(self) -> None:
        """Unless what all of it hangs on has changed meanwhile."""
        if not self._new:
            cache.touch(self._path)
            return
        if key_of_run(self._checker) != self._key:
            return
        left, kept = MOST_BYTES, {}
        for key, data in (*self._used.items(), *self._found.items()):
            if key not in kept and left >= len(data):
                kept[key] = data
                left -= len(data)
        data = marshal.dumps(kept)
        cache.keep(self._path, zlib.crc32(data).to_bytes(_HEAD, "little") + data, most=MOST_FILES)


def kept(checker: Checker) -> Kept | None:
    """None where nothing is to be kept: there is no folder for it, or more is asked for than what is in the key."""
    folder = cache.folder(os.environ)
    key = key_of_run(checker) if folder is not None else None
    return None if key is None else Kept(checker, f"{folder}/checked-{key.decode()[:32]}", key)


def key_of_run(checker: Checker) -> bytes | None:
    """What the outcomes of all files hang on; None where that cannot be known."""
    code, inputs = _code(), checker.inputs
    if checker.judges or checker.changes or checker.diff or checker.adopts or inputs.command is not None or not code:
        return None
    profile, catalog = _profile(inputs), _catalog(inputs.catalog)
    if profile is None or catalog is None:
        return None
    world = VERSION, sys.version, sys.byteorder, zlib.ZLIB_RUNTIME_VERSION
    return _digest(
        _told((world, code, profile, catalog, _narrowed(inputs).replace(cluster=None)))
        + _told((checker.frontend, checker.strict, checker.format, checker.summary, checker.palette, checker.width))
        + _told((checker.showing.key, checker.profile is not None))
    )


def _narrowed(inputs: Inputs) -> Inputs:
    """With no more of the environment than what is read whatever a file says, and what flags and settings name."""
    read = tuple(pair for pair in inputs.environ if pair[0].startswith(_READ))
    words = _words(_told((read, inputs.args, inputs.flags, inputs.defaults)))
    return inputs.replace(environ=tuple(pair for pair in inputs.environ if pair in read or pair[0] in words))


def _words(data: bytes) -> set[str]:
    """All words that may stand in a text, be there quotes in them or not."""
    found = {*data.translate(_WORDS).split(), *data.translate(None, _QUOTES).translate(_WORDS).split()}
    return {word.decode("utf-8", "surrogateescape") for word in found}


def _digest(data: bytes) -> bytes:
    return sha256_hex(data).encode()


def _told(value: object) -> bytes:
    """A value as bytes, another one for each other value."""
    return repr(_plain(value)).encode("utf-8", "surrogatepass")


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return type(value).__name__, [(name, _plain(each)) for name, each in value.__dict__.items()]
    if isinstance(value, Span):
        return "span", value.source.path, value.source.text, value.start, value.end
    if isinstance(value, Source):
        return "source", value.path, value.text
    if isinstance(value, Derived):
        return "derived", value.text, value.start, value.end
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return "dict", sorted((str(key), _plain(each)) for key, each in value.items())
    assert value is None or isinstance(value, (str, bytes, int, float)), type(value)
    return value


def _code() -> list[tuple[str, int, int, int]]:
    """What tells one code of flowc, and of the YAML library, from another; nothing where it is being changed."""
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    found = sorted(_stamps(package))
    from _frozen_importlib_external import PathFinder

    spec = PathFinder.find_spec("yaml")
    if spec is not None and spec.submodule_search_locations:
        found += sorted(_stamps(next(iter(spec.submodule_search_locations))))
    newest = max((max(each[2:]) for each in found), default=0)
    return [] if newest > time.time_ns() - _SETTLED_NS else found


def _stamps(folder: str) -> Iterable[tuple[str, int, int, int]]:
    todo = [folder]
    for each in todo:  # which grows meanwhile
        with os.scandir(each) as entries:
            for entry in entries:
                if entry.name.endswith((".py", ".so")):
                    now = entry.stat()
                    yield entry.path, now.st_size, now.st_mtime_ns, now.st_ctime_ns
                elif entry.name != "__pycache__" and entry.is_dir():
                    todo.append(entry.path)


def _profile(inputs: Inputs) -> object | None:
    """What a profile says; None where it cannot be read."""
    path = inputs.profile
    if path is None:
        return ()
    from flowc import profile
    from flowc.diag.sink import Sink

    found = profile.load(path, Sink(), inputs.cache)
    return None if found is None else [path, found.sha256, found.files]


def _catalog(path: str | None) -> object | None:
    if path is None:
        return ()
    data = _content(path)
    return None if data is None else (path, sha256_hex(data))


def _content(path: str) -> bytes | None:
    """Of a file; None of what may be something else when it is read again."""
    try:
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _read(path: str) -> dict[bytes, bytes]:
    opened = cache.opened(path)
    if opened is None:
        return {}
    with os.fdopen(opened[0], "rb") as file:
        try:
            data = file.read(2 * MOST_BYTES)
        except OSError:
            return {}
    if zlib.crc32(data[_HEAD:]).to_bytes(_HEAD, "little") != data[:_HEAD]:
        return {}
    try:
        found = marshal.loads(data[_HEAD:])
    except (ValueError, EOFError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}

"""The code of flowc's modules in one file of the cache folder: a command opens that file, not two hundred, and needs no
.pyc files where they cannot be written.

The file is made of what a command had to load by itself, so it grows with the commands that are used. Each module in it
is known by its source as it was then: size, and the nanoseconds of its last changes. One whose source is another by now
is loaded from there, so none is ever older than its source. What is loaded so has its file, lines and source as always:
tracebacks, debuggers and coverage see no difference. Modules that were loaded one after the other are packed together,
so that the names that they share are read once.
"""

from __future__ import annotations

import _frozen_importlib as bootstrap  # `importlib`, without what it costs
import _frozen_importlib_external as external
import _imp
import marshal
import os
import sys
import time

from flowc import cache
from flowc.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import Any

    # What tells one content of a source from another: size, and the times of its last changes in nanoseconds.
    Stamp = tuple[int, int, int]
    # The pack with its code and the place there, whether it is a package, the stamp of the source, what its text
    # imports.
    Entry = tuple[int, int, bool, Stamp, tuple[str, ...]]

# Several installations and interpreters have one each.
_MOST_FILES = 10
# The size of the index and its hash come first.
_HEAD = 16
# What is read at once: mostly the head and the index.
_FIRST = 1 << 16
# A source that changed so lately may change again within what its times can tell.
_SETTLED_NS = 2_000_000_000
# Bytes of source after which a pack is full: others may ask for a part of what is in it.
_PACK = 60_000


class Bundle:
    """Finds the modules of flowc; what was not in the file is `learned`."""

    def __init__(self, path: str, key: str) -> None:
        self.path = path
        self.key = key
        self.entries: dict[str, Entry] = {}
        self.packs: list[tuple[int, int, bytes]] = []  # where each begins in the file, its size and hash
        self.learned: dict[str, tuple[bool, Stamp, CodeType]] = {}
        # What each module that runs for the first time has asked for so far; the last is the one that runs.
        self.running: list[list[str]] = []
        self.imports: dict[str, list[str]] = {}
        self.roots: set[str] = set()  # what was asked for by a function: a pack begins with each
        self.place = -1  # among the finders; below 0 where others want to be asked
        self._codes: dict[int, tuple[CodeType, ...]] = {}  # of packs that were read
        self._file = -1
        self._base = 0
        self._read_index()

    def _read_index(self) -> None:
        opened = cache.opened(self.path)
        if opened is None:
            return
        file, size = opened
        try:
            data = os.read(file, _FIRST)
            length = int.from_bytes(data[:8], "little")
            if _HEAD + length <= size:
                while len(data) < _HEAD + length and (more := os.read(file, _HEAD + length - len(data))):
                    data += more
                index = data[_HEAD : _HEAD + length]
                if _hash(index) == data[8:_HEAD]:
                    key, entries, packs = marshal.loads(index)
                    if key == self.key:
                        self.entries, self.packs, self._file, self._base = entries, packs, file, _HEAD + length
        except (OSError, ValueError, EOFError, TypeError):
            pass
        if self._file < 0:
            os.close(file)

    def code(self, name: str) -> CodeType | None:
        """What is kept of a module; None where the file is damaged."""
        pack, place, *_ = self.entries[name]
        codes = self._codes.get(pack)
        if codes is None:
            data = self._pack(pack)
            codes = self._codes[pack] = marshal.loads(data) if data else ()
        return codes[place] if codes else None

    def _pack(self, number: int) -> bytes:
        """Nothing where the file is damaged."""
        start, size, hash = self.packs[number]
        try:
            data = os.pread(self._file, size, self._base + start)
        except OSError:
            return b""
        return data if len(data) == size and _hash(data) == hash else b""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        """Of a module below `flowc`; other finders are asked for all else."""
        if name[:6] != "flowc." or not path:
            return None
        if self.running:
            self.running[-1].append(name)
        spec = self._kept(name, path[0])
        if spec is None:
            spec = external.PathFinder.find_spec(name, path, target)
            if spec is not None and spec.origin is not None and type(spec.loader) is external.SourceFileLoader:
                spec.loader = _Loader(name, spec.origin, self, kept=False)
        return spec

    def _kept(self, name: str, folder: str) -> Any:
        entry = self.entries.get(name)
        if entry is None:
            return None
        _, _, package, stamp, _ = entry
        file = f"{folder}/{name.rpartition('.')[2]}{'/__init__' if package else ''}.py"
        return _spec(name, file, package, _Loader(name, file, self, kept=True)) if stamp == _stamp(file) else None

    def load_imports(self, name: str) -> None:
        """Loads what the text of a module will ask for next, in the same order: Python takes three times as long to do
        so, since it has to think of other threads and finders. What cannot be loaded so is left to it."""
        loaded = sys.modules
        for each in self.entries[name][4]:
            if each not in loaded and self._is_alone():
                self._load(each)

    def _is_alone(self) -> bool:
        return self.place >= 0 and sys.meta_path[self.place] is self and "threading" not in sys.modules

    def _load(self, name: str) -> None:
        above, _, last = name.rpartition(".")
        package = sys.modules.get(above)
        spec = None if package is None else self._kept(name, package.__path__[0])
        if spec is None:
            return
        module = type(sys)(name)
        vars(module).update(
            __spec__=spec, __loader__=spec.loader, __package__=spec.parent, __file__=spec.origin, __cached__=spec.cached
        )
        if spec.submodule_search_locations is not None:
            module.__path__ = spec.submodule_search_locations
        spec._initializing = True
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException as error:
            sys.modules.pop(name, None)
            if not isinstance(error, Exception):
                raise
            return  # it is told where Python comes to it
        spec._initializing = False
        setattr(package, last, module)

    def save(self) -> None:
        """Puts what was learned into the file, beside what else is in it."""
        if not self.learned:
            return
        index: dict[str, Entry] = {}
        packs: list[bytes] = []
        rest: list[tuple[str, bool, Stamp, CodeType, tuple[str, ...]]] = []
        for number in range(len(self.packs)):
            names = [name for name, entry in self.entries.items() if entry[0] == number]
            data = self._pack(number)
            if data and self.learned.keys().isdisjoint(names):
                index.update({name: (len(packs), *self.entries[name][1:]) for name in names})
                packs.append(data)
                continue
            for name in names if data else ():
                code = self.code(name)
                if self.entries[name][1] == 0:
                    self.roots.add(name)
                if code is not None and name not in self.learned:
                    rest.append((name, *self.entries[name][2:4], code, self.entries[name][4]))
        rest += [(name, *what, tuple(self.imports.get(name, ()))) for name, what in self.learned.items()]
        together: list[CodeType] = []
        size = 0
        for place, (name, package, stamp, code, imports) in enumerate(rest, 1):
            if together and (name in self.roots or size >= _PACK):
                packs.append(marshal.dumps(tuple(together)))
                together, size = [], 0
            index[name] = (len(packs), len(together), package, stamp, imports)
            together.append(code)
            size += stamp[0]
            if place == len(rest):
                packs.append(marshal.dumps(tuple(together)))
                together, size = [], 0
        start, places = 0, []
        for data in packs:
            places.append((start, len(data), _hash(data)))
            start += len(data)
        self.learned = {}
        head = marshal.dumps((self.key, index, places))
        data = b"".join((len(head).to_bytes(8, "little"), _hash(head), head, *packs))
        cache.keep(self.path, data, most=_MOST_FILES)


class _Loader(external.SourceFileLoader):
    """Loads a module of the file; one that is not there, or is damaged, from its source, and it is learned."""

    def __init__(self, name: str, file: str, bundle: Bundle, *, kept: bool) -> None:
        self.name = name
        self.path = file
        self._bundle = bundle
        self._kept = kept

    def exec_module(self, module: ModuleType) -> None:
        name, bundle = module.__name__, self._bundle
        if not self._kept:
            bundle.running.append(bundle.imports.setdefault(name, []))
            try:
                super().exec_module(module)
            finally:
                bundle.running.pop()
            return
        code = self.get_code(name)
        assert code is not None
        if bundle.entries[name][4]:
            bundle.load_imports(name)
        bootstrap._call_with_frames_removed(exec, code, module.__dict__)  # type: ignore[attr-defined]

    def get_code(self, name: str) -> CodeType | None:
        kept = self._bundle.code(name) if self._kept and name == self.name else None
        if kept is not None:
            if kept.co_filename != self.path:
                _imp._fix_co_filename(kept, self.path)  # type: ignore[attr-defined]
            return kept
        stamp = _stamp(self.path)
        code = super().get_code(name)
        if stamp is not None and code is not None and stamp[1] < time.time_ns() - _SETTLED_NS:
            if len(self._bundle.running) < 2:
                self._bundle.roots.add(name)
            self._bundle.learned[name] = (self.path.endswith("/__init__.py"), stamp, code)
        return code


def use(folder: str | None) -> Bundle | None:
    """The bundle of this installation in a cache folder, asked for modules from now on; None where there is none."""
    # This module says what the file is like: another one, be it of the same version, has a file of its own.
    stamp = _stamp(__file__)
    if folder is None or stamp is None or external.PathFinder not in sys.meta_path:
        return None
    key = f"{VERSION} {sys.version} {sys.flags.optimize} {external.MAGIC_NUMBER!r} {__file__} {stamp}"
    found = Bundle(f"{folder}/modules-{_hash(key.encode()).hex()}", key)
    # Whoever came before Python's own finders, such as a debugger, is still asked before us.
    usual = (bootstrap.BuiltinImporter, bootstrap.FrozenImporter, external.PathFinder)
    place = next(at for at, each in enumerate(sys.meta_path) if each in usual)
    if all(type(each).__module__ == "_distutils_hack" for each in sys.meta_path[:place]):
        found.place = place
    sys.meta_path.insert(place, found)
    return found


def _spec(name: str, file: str, package: bool, loader: _Loader) -> Any:
    """As `importlib.util.spec_from_file_location` makes it, at a tenth of the cost."""
    spec: Any = bootstrap.ModuleSpec(name, loader, origin=file, is_package=package)
    spec.has_location = True
    folder, _, base = file.rpartition("/")
    if package:
        spec.submodule_search_locations.append(folder)
    if sys.pycache_prefix is None and not sys.flags.optimize:
        spec.cached = f"{folder}/__pycache__/{base[:-3]}.{sys.implementation.cache_tag}.pyc"
    return spec


def _stamp(file: str) -> Stamp | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_size, found.st_ctime_ns, found.st_mtime_ns


def _hash(data: bytes) -> bytes:
    found: bytes = _imp.source_hash(0, data)
    return found

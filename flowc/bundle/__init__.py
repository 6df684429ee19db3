"""The code of flowc's modules in one file of the cache folder: a command opens that file, not two hundred, and needs no
.pyc files where they cannot be written.

The file is made of what a command had to load by itself, so it grows with the commands that are used. Each module in it
is known by its source as it was then: size, and the nanoseconds of its last changes. One whose source is another by now
is loaded from there, so none is ever older than its source. What is loaded so has its file, lines and source as always:
tracebacks, debuggers and coverage see no difference. Modules that the same commands ask for are packed together: the
names that they share are read once.
"""

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
    # imports, whether it has a `__getattr__`.
    Entry = tuple[int, int, bool, Stamp, tuple[str, ...], bool]
    Module = ModuleType
else:
    Module = type(sys)

# The size of the index, its hash, and when the file was written come first, in eight bytes each.
_HEAD = 24
# What is read at once: mostly the head and the index.
_FIRST = 1 << 14
# A source that changed so lately may change again within what its times can tell.
_SETTLED_NS = 2_000_000_000
# Bytes of source that a command may read for nothing.
_WASTE = 16_000


class _Module(Module):
    """A module without a `__getattr__`: what it does not have is missing at once. Before Python 3.12 it is an error
    first, with a text that is thrown away; each `from module import name` asks for `__path__`, and such texts were a
    fifteenth of a check."""

    __getattribute__ = object.__getattribute__


_QUICK = sys.version_info < (3, 12)
# How the files end that Python keeps beside a source; nothing where it keeps them elsewhere, or of another kind.
_PYC = "" if sys.pycache_prefix or sys.flags.optimize else f".{sys.implementation.cache_tag}.pyc"


class Bundle:
    """Finds the modules of flowc; what was not in the file is `learned`."""

    def __init__(self, path: str, key: str) -> None:
        self.path = path
        self.key = key
        self.entries: dict[str, Entry] = {}
        # Where each begins in the file, its size and hash, whether it is lean (`lean.py`).
        self.packs: list[tuple[int, int, bytes, bool]] = []
        self.learned: dict[str, tuple[bool, Stamp, CodeType]] = {}
        # What each module that runs for the first time has asked for so far; the last is the one that runs.
        self.running: list[list[str]] = []
        self.imports: dict[str, list[str]] = {}
        self.place = -1  # among the finders; below 0 where others want to be asked
        self.forked = False
        self.ended = False
        self._used: set[str] = set()
        self._sound = False  # nobody has changed the file since it was written
        self._codes: dict[int, tuple[CodeType, ...]] = {}  # of packs that were read
        self._room = bytearray()  # that packs are read into, one after the other: fresh memory costs more than reading
        self._file = -1
        self._base = 0
        self._read_index()

    def _read_index(self) -> None:
        opened = cache.opened(self.path)
        if opened is None:
            return
        file, found = opened
        try:
            data = os.read(file, _FIRST)
            length = int.from_bytes(data[:8], "little")
            if _HEAD + length <= found.st_size:
                while len(data) < _HEAD + length and (more := os.read(file, _HEAD + length - len(data))):
                    data += more
                index = data[_HEAD : _HEAD + length]
                self._sound = int.from_bytes(data[16:_HEAD], "little") * 10**9 == found.st_mtime_ns
                if self._sound or hash_of(index) == data[8:16]:
                    key, entries, packs = marshal.loads(index)
                    if key == self.key:
                        self.entries, self.packs, self._file, self._base = entries, packs, file, _HEAD + length
        except (OSError, ValueError, EOFError, TypeError):
            pass
        if self._file < 0:
            os.close(file)

    def code(self, name: str, file: str = "") -> "CodeType | None":
        """What is kept of a module, whose source is this one; None where the file is damaged."""
        entry = self.entries[name]
        pack, place = entry[0], entry[1]
        codes = self._codes.get(pack)
        if codes is None:
            data = self.pack(pack)
            codes = self._codes[pack] = marshal.loads(data) if data else ()
        if not self.ended:
            self._used.add(name)
        if not codes:
            return None
        if file and codes[place].co_filename != file:
            _imp._fix_co_filename(codes[place], file)  # type: ignore[attr-defined]
        return codes[place]

    def module(self, name: str) -> "ModuleType":
        """An empty one, for a module of the file."""
        return (_Module if _QUICK and not self.entries[name][5] else Module)(name)

    def pack(self, number: int) -> memoryview:
        """As it stands until the next one is asked for, where there are no threads to ask; nothing where the file is
        damaged."""
        start, size, hash, _ = self.packs[number]
        room = self._room
        if size > len(room) or "threading" in sys.modules:
            room = self._room = bytearray(max(size for _, size, _, _ in self.packs))
        data = memoryview(room)[:size]
        try:
            whole = _read(self._file, data, self._base + start) == size
        except OSError:
            whole = False
        return data if whole and (self._sound or hash_of(data) == hash) else data[:0]

    def find_spec(self, name: str, path: "Sequence[str] | None" = None, target: "Any" = None) -> "Any":
        """Of a module below `flowc`; other finders are asked for all else."""
        if name[:6] != "flowc." or not path:
            return None
        if self.running:
            self.running[-1].append(name)
        spec = self._kept(name, path[0])
        if spec is None:
            spec = external.PathFinder.find_spec(name, path, target)
            if spec is not None and spec.origin is not None and type(spec.loader) is external.SourceFileLoader:
                spec.loader = _Loader(name, spec.origin, self, False)
        return spec

    def _kept(self, name: str, folder: str) -> "Any":
        entry = self.entries.get(name)
        if entry is None:
            return None
        package = entry[2]
        file = f"{folder}/{name.rpartition('.')[2]}{'/__init__' if package else ''}.py"
        return _spec(name, file, package, _Loader(name, file, self, True)) if entry[3] == stamp_of(file) else None

    def load_imports(self, name: str) -> None:
        """Loads what the text of a module will ask for next, in the same order: Python takes three times as long to do
        so, since it has to think of other threads and finders. What cannot be loaded so is left to it."""
        loaded = sys.modules
        if self._is_alone():
            for each in self.entries[name][4]:
                if each not in loaded:
                    self._load(each)

    def _is_alone(self) -> bool:
        return self.place >= 0 and sys.meta_path[self.place] is self and "threading" not in sys.modules

    def _load(self, name: str) -> None:
        above, _, last = name.rpartition(".")
        package = sys.modules.get(above)
        spec: Any = None if package is None else self._kept(name, package.__path__[0])
        code = None if spec is None else self.code(name, spec.origin)
        if code is None:
            return
        module, locations = self.module(name), spec.submodule_search_locations
        names = vars(module)
        names["__spec__"] = spec
        names["__loader__"] = spec.loader
        names["__file__"] = spec.origin
        names["__cached__"] = spec._cached
        names["__package__"] = above
        if locations is not None:
            names["__package__"], names["__path__"] = name, locations
        spec._initializing = True
        sys.modules[name] = module
        try:
            if self.entries[name][4]:
                self.load_imports(name)
            exec(code, names)
        except BaseException as error:
            sys.modules.pop(name, None)
            if not isinstance(error, Exception):
                raise
            return  # it is told where Python comes to it
        spec._initializing = False
        setattr(package, last, module)

    def forks(self) -> None:
        """What others need from now on is not seen here."""
        self.forked = True

    def is_due(self) -> bool:
        """Whether the file wants to be written anew, asked when a command has ended: the modules that write it are
        none of those that the command used. Were they, what they share a pack with would be told apart each time
        and never be apart."""
        self.ended = True
        return bool(self.learned) or (
            bool(self.wasted() or self.raw()) and os.access(os.path.dirname(self.path), os.W_OK)
        )

    def wasted(self) -> frozenset[str]:
        """What was read and not asked for, where that was much. A process that has others work for it cannot say."""
        left = self.entries.keys() - self._used
        unused = frozenset(name for name in left if self.entries[name][0] in self._codes)
        size = 0 if self.forked else sum(self.entries[name][3][0] for name in unused)
        return unused if size > _WASTE else frozenset()

    def raw(self) -> frozenset[int]:
        """The packs that were read and hold code as Python makes it."""
        return frozenset(number for number in self._codes if not self.packs[number][3])


class _Loader(external.SourceFileLoader):
    """Loads a module of the file; one that is not there, or is damaged, from its source, and it is learned."""

    def __init__(self, name: str, file: str, bundle: Bundle, kept: bool) -> None:
        self.name = name
        self.path = file
        self._bundle = bundle
        self._kept = kept

    def create_module(self, spec: "Any") -> "ModuleType | None":
        return self._bundle.module(spec.name) if self._kept and spec.name == self.name else None

    def exec_module(self, module: "ModuleType") -> None:
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

    def get_code(self, name: str) -> "CodeType | None":
        kept = self._bundle.code(name, self.path) if self._kept and name == self.name else None
        if kept is not None:
            return kept
        bundle, stamp = self._bundle, stamp_of(self.path)
        code = super().get_code(name)
        if bundle.ended or stamp is None or code is None:
            return code
        if stamp[1] < time.time_ns() - _SETTLED_NS:
            bundle.learned[name] = (self.path.endswith("/__init__.py"), stamp, code)
        return code


def use(folder: str | None) -> Bundle | None:
    """The bundle of this installation in a cache folder, asked for modules from now on; None where there is none."""
    # These modules say what the file is like: others, be they of the same version, have a file of their own.
    above = os.path.dirname(__file__)
    stamps = [stamp_of(f"{above}/{name}.py") for name in ("__init__", "writing", "lean")]
    if folder is None or None in stamps or external.PathFinder not in sys.meta_path:
        return None
    key = f"{VERSION} {sys.version} {sys.flags.optimize} {external.MAGIC_NUMBER!r} {__file__} {stamps}"
    found = Bundle(f"{folder}/modules-{hash_of(key.encode()).hex()}", key)
    # Whoever came before Python's own finders, such as a debugger, is still asked before us.
    usual = (bootstrap.BuiltinImporter, bootstrap.FrozenImporter, external.PathFinder)
    place = next(at for at, each in enumerate(sys.meta_path) if each in usual)
    if all(type(each).__module__ == "_distutils_hack" for each in sys.meta_path[:place]):
        found.place = place
    sys.meta_path.insert(place, found)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=found.forks)
    return found


def _spec(name: str, file: str, package: bool, loader: _Loader) -> "Any":
    """As `importlib.util.spec_from_file_location` makes it, at a tenth of the cost."""
    spec: Any = bootstrap.ModuleSpec(name, loader, origin=file)
    spec._set_fileattr = True  # as `has_location`, without a call
    if package or _PYC:
        folder, _, base = file.rpartition("/")
        if package:
            spec.submodule_search_locations = [folder]
        if _PYC:
            spec._cached = f"{folder}/__pycache__/{base[:-3]}{_PYC}"
    return spec


def _read(file: int, room: memoryview, start: int) -> int:
    """Bytes that were read. Processes that share a file by a fork share its place too: none may move it."""
    if hasattr(os, "preadv"):
        return os.preadv(file, [room], start)
    data = os.pread(file, len(room), start)  # macOS
    room[: len(data)] = data
    return len(data)


def stamp_of(file: str) -> "Stamp | None":
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_size, found.st_ctime_ns, found.st_mtime_ns


def hash_of(data: bytes | memoryview) -> bytes:
    found: bytes = _imp.source_hash(0, data)
    return found

"""The lines of a profile that a tree of job files needs: what flowc knows of each, and in which order those that are
open free most files.

Files come as facts (`files`): what each lacks, as pairs of a kind and a name (flowc/diag/lacks.py). A file is free once
the lines for all that it lacks stand; one that lacks what no line brings never is.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from flowc._compiled.profile_lines import FOLDERS, MODULES, OPEN, OPEN_PROGRAMS, PROGRAMS, SCRATCH, VARIABLES
from flowc._compiled.slurm_commands import CATEGORIES, OF_SITES, PROVIDED, REFUSED
from flowc._compiled.slurm_commands import MODULES as MODULE_COMMANDS
from flowc.body.modules import CONTAINERS
from flowc.diag.lacks import BLOCKING, ENVIRONMENT, MODULE, PATH, PROGRAM, VARIABLE, VENV, line_of, root
from flowc.patterns import at_first_use, is_like, remembered
from flowc.profile.names import of_python, package_of
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Sized
    from typing import Any

    Key = tuple[str, str]  # the section of a line, and its key
    Lack = tuple[str, str]  # a kind and a name
    Rank = tuple[int, float, int, Key]  # the lowest stands first

_module_key = at_first_use(r"[A-Za-z0-9_.+/-][A-Za-z0-9_.+/-]*", "fullmatch")
_environment_key = at_first_use(
    r"[A-Za-z0-9_][A-Za-z0-9_.+-]*|(?:~|/[A-Za-z0-9_.+-]+)(?:/[A-Za-z0-9_.+@=-]+)+", "fullmatch"
)
_venv_key = at_first_use(r"(?:/|~/|\.\./)?(?:[\w.+@=-]+/)*[\w.+@=-]+", "fullmatch")
_program_key = at_first_use(r"[A-Za-z0-9][A-Za-z0-9_.+-]*", "fullmatch")
_path_key = at_first_use(r"(?:/|~/)[^\s:,\"'\\$*?<>{}\[\]()]+", "fullmatch")
_version = at_first_use(r"([a-z].*?)[-_]v?[0-9].*", "fullmatch")
# How EasyBuild names what it built for a Python: `ObsPy/0.10.3-intel-2015a-Python-2.7.9`.
_with_python = at_first_use(r"-python-[0-9]", "search")
_variable_key = at_first_use(r"[A-Za-z_][A-Za-z0-9_]*", "fullmatch")
_ENVIRONMENT = "a file, or {packages: [python=3.12, …]}"
# What Slurm and modules are is beyond a line: a job of another format that calls them means a cluster.
_NO_PROGRAMS = frozenset((*PROVIDED, *OF_SITES, *REFUSED, *MODULE_COMMANDS))


_WILD = "*?["  # what globs are known by
_MODULE_ROWS, _PROGRAM_ROWS = (*MODULES, *OPEN), (*PROGRAMS, *OPEN_PROGRAMS)


class Line(Record):
    """A line that files need. `brings` is what stands in the data, None where the line is open; `spelled` are the names
    as files have them; `files` need it, and `frees` so many more lack nothing once it stands with those before it.
    `not_for` are programs that it does not serve; `sets` are variables that the module set, and the line does not, as a
    regular expression; it comes with a line for each of `variables` that they read, with a value. `instead` takes its
    place where they are called."""

    section: str
    key: str
    brings: Any = None
    says: str = ""
    spelled: tuple[str, ...] = ()
    files: int = 0
    frees: int = 0
    not_for: tuple[str, ...] = ()
    sets: str = ""
    variables: Any = ()
    instead: Any = None

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}"


@remembered(5000)  # the files of a tree lack much the same
def key_of(kind: str, name: str) -> Key | None:
    """The line that would bring it; None where a profile has none."""
    if kind == MODULE and _module_key(name):
        return "modules", line_of(kind, name)
    if kind == PROGRAM and name not in _NO_PROGRAMS and _program_key(name):
        return "programs", name
    if kind == ENVIRONMENT and _environment_key(name):
        return "conda", name
    if kind == VENV and _venv_key(name):
        return "venvs", name
    if kind == VARIABLE and _variable_key(name):
        return "variables", name
    if kind == PATH:
        key = root(name)
        if key == "/home":  # the machine's own users are there
            key = "/".join(name.split("/")[:3])
        return ("paths", key) if _path_key(key) and key != "/home" else None
    return None


def needs_of(lacks: Iterable[Lack]) -> frozenset[Key] | None:
    """The lines that free a file; None where something has none."""
    keys = [key_of(*each) for each in needed(lacks) if each[0] in BLOCKING]
    return None if None in keys else frozenset(key for key in keys if key is not None)


def needed(lacks: Iterable[Lack]) -> list[Lack]:
    """Without the programs that a module brings which is missing too."""
    lacks = [*lacks]
    contained = any(part in name.lower() for kind, name in lacks if kind == MODULE for part in CONTAINERS)
    return [each for each in lacks if not (contained and each[0] == PROGRAM and each[1] in CONTAINERS)]


def lines(
    files: Iterable[Iterable[Lack]],
    environments: Mapping[str, str] | None = None,
    places: Mapping[str, tuple[str, Sized]] | None = None,
) -> list[Line]:
    """All lines that these files need, filled in where flowc knows what takes the place, in no order. `environments`:
    the files that make environments of conda, by their names; `places`: the folders that were at paths, with the files
    that read there."""
    spelled: dict[Key, set[str]] = {}
    number: dict[Key, int] = {}
    for lacks in files:
        found = {(key_of(kind, name), name) for kind, name in needed(lacks)}
        for key, name in found:
            if key is not None:
                spelled.setdefault(key, set()).add(name)
        for key in {key for key, _ in found if key is not None}:
            number[key] = number.get(key, 0) + 1
    known = [
        _known(*key, names).replace(spelled=tuple(sorted(names)), files=number[key]) for key, names in spelled.items()
    ]
    made = environments or {}
    known = [
        each.replace(brings=made.get(each.key), says=_ENVIRONMENT if each.key not in made else "")
        if each.section == "conda"
        else each
        for each in known
    ]
    folders = {each.brings for each in known if each.section == "variables" and each.brings is not None}
    there = {each.key for each in known if each.section == "paths"}
    own = [
        Line(
            section="paths", key=path, brings=folder, says="all that they name there is in this tree", files=len(those)
        )
        for path, (folder, those) in sorted((places or {}).items())
    ]
    return [*own, *known, *(_known("paths", folder) for folder in sorted(folders - there))]


def _known(section: str, key: str, names: Iterable[str] = ()) -> Line:
    line = Line(section=section, key=key)
    if section == "variables":
        return line.replace(brings=VARIABLES.get(key))
    if section == "paths":
        folder = any(is_like(key, glob) for glob in SCRATCH) or key in VARIABLES.values()
        return line.replace(brings="scratch" if folder else None)
    if section == "conda":
        return line
    if section == "programs":
        return _of_row(line, key, _PROGRAM_ROWS, _index_of_programs())
    parts = key.lower().split("/")
    if parts[-2:-1] == ["python"] and parts[-1][:1] == "2":
        return _of_module(line, "python2")
    while len(parts) > 1 and (parts[0] in CATEGORIES or parts[0] in FOLDERS):
        parts.pop(0)
    found = _of_module(line, parts[0])  # what follows says what it was built with
    if found is line and any(_with_python(name.lower()) for name in names):
        return _of_module(line, f"py-{parts[0]}")
    return found


def _of_module(line: Line, name: str) -> Line:
    """By its name, or by that without a version: `r-3.6.0-gcc-5.4.0-bzuuksv`, `hdf5-1.8.11_gcc-4.4.7`."""
    plain = _version(name)
    for each in (name, plain[1]) if plain is not None else (name,):
        bare = of_python(each)
        found = _of_python(line, each, bare) if bare else _of_row(line, each, _MODULE_ROWS, _index_of_modules())
        if found is not line:
            return found
        named = package_of(each)
        if named is not None:
            brings, says, sets = named
            return line.replace(brings=brings, says=says, sets=sets)
    return line


def _of_python(line: Line, name: str, bare: str) -> Line:
    """By a row that has the very name, or else by one that brings packages of Python, for the name without a prefix."""
    own = [row for row in _MODULE_ROWS if name in row["parts"]]
    if own:
        return _of_row(line, name, own)
    return _of_row(line, bare, [row for row in MODULES if _is_python(row["brings"])])


def _is_python(brings: Any) -> bool:
    return not isinstance(brings, str) and brings["pip"] and not (brings["apt"] or brings["shell"])


def _of_row(line: Line, name: str, rows: Sequence[Any], index: _Index | None = None) -> Line:
    """As the first of the rows says that means the name; `index` is theirs, where there are many."""
    number = (index or _Index(rows)).first(name)
    if number is None:
        return line
    row = rows[number]
    return line.replace(
        brings=row.get("brings"), says=row["says"], not_for=row.get("not_for", ()), instead=row.get("instead")
    )


class _Index:
    """Finds the first row that means a name: most name theirs as they are, and those are looked up."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._named: dict[str, int] = {}
        self._globs: list[tuple[int, str]] = []
        for number, row in enumerate(rows):
            for part in row["parts"]:
                if any(sign in part for sign in _WILD):
                    self._globs.append((number, part))
                else:
                    self._named.setdefault(part, number)

    def first(self, name: str) -> int | None:
        own = self._named.get(name)
        begins = f"{name[:1]}{_WILD}"
        for number, glob in self._globs:
            if own is not None and number > own:
                break
            if glob[0] in begins and is_like(name, glob):
                return number
        return own


@remembered(1)
def _index_of_modules() -> _Index:
    return _Index(_MODULE_ROWS)


@remembered(1)
def _index_of_programs() -> _Index:
    return _Index(_PROGRAM_ROWS)


def served(line: Line, called: bool) -> Line:
    """The line, or what takes its place where files call programs that it does not serve."""
    other = line.instead if called else None
    return line if other is None else line.replace(**other, not_for=(), instead=None)


def opened(line: Line, programs: Iterable[str], variables: Iterable[str] = ()) -> Line:
    """The line as one to be filled in, where files call programs that it does not serve, or read variables that the
    module set."""
    for verb, names in (("called", programs), ("read", variables)):
        shown = ", ".join(f"`{each}`" for each in sorted(names))
        if shown:
            return line.replace(brings=None, says=f"{shown} {verb} there: {line.says}")
    return line


def is_open(line: Line) -> bool:
    """Whether the files still lack what the line is for: an empty folder holds nothing that could be read."""
    return line.brings is None or line.brings == "scratch"


def ranked(candidates: Iterable[Line], needs: Iterable[frozenset[Key]]) -> list[Line]:
    """The lines in the order in which each frees most of the files, given what these still need; behind them those that
    come nearest to it. Ties go to the line that more files need, then by name."""
    left = [*needs]
    waiting = {(line.section, line.key): line for line in candidates}
    needed_by: dict[Key, list[int]] = {key: [] for key in waiting}
    for number, each in enumerate(left):
        for key in each & waiting.keys():
            needed_by[key].append(number)

    def place(key: Key) -> Rank:
        sizes = [len(left[number]) for number in needed_by[key]]
        return -sizes.count(1), -sum(1 / size for size in sizes), -waiting[key].files, key

    places = {key: place(key) for key in waiting}
    queue = [*places.values()]
    heapify(queue)
    found: list[Line] = []
    while queue:
        first = heappop(queue)
        best = first[-1]
        if places.get(best) != first:
            continue  # it has moved meanwhile, and stands elsewhere too
        del places[best]
        found.append(waiting[best].replace(frees=-first[0]))
        moved: set[Key] = set()
        for number in needed_by[best]:
            left[number] -= {best}
            moved |= left[number] & places.keys()
        for key in moved:
            places[key] = place(key)
            heappush(queue, places[key])
    return found

"""`flowc profile init`: reads job files, and writes the profile that frees them of what they lack."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager, suppress

from flowc import driver, profile
from flowc.cli import sources, terminal
from flowc.cli.checking.checker import PARALLEL_FROM
from flowc.cli.checking.fix import write_new
from flowc.cli.checking.summary import facts_of, is_free
from flowc.cli.commands.profile.calls import called_in, read_in
from flowc.cli.commands.profile.environments import environment_files, requirements_of
from flowc.cli.commands.profile.places import own_places, start_of
from flowc.cli.inputs import gather
from flowc.cli.status import DONE, ERRORS, WORLD_FAILED
from flowc.diag.codes.emit import STARTUP_SCRIPT_TOO_LARGE
from flowc.diag.codes.resolve import GPU_MODEL_NOT_SOLD
from flowc.diag.excerpt import visible
from flowc.diag.lacks import BLOCKING, KINDS, PATH
from flowc.diag.render import count, render
from flowc.diag.sink import Diagnostic, Sink
from flowc.profile.base import base_folder
from flowc.profile.named import takes
from flowc.profile.names import environment_of
from flowc.profile.needs import Line, is_open, key_of, lines, needed, needs_of, opened, ranked, served
from flowc.profile.writing import UnreadableFormError, is_asked, with_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from typing import Any

    from flowc.cli.arguments import Words
    from flowc.inputs import Inputs
    from flowc.profile.needs import Key

    Facts = dict[str, Any]

_DEFAULT = os.path.join(".flowc", "profile.yaml")
_MOST_ASKED = 40  # lines that a person is asked for at once
_ENOUGH = 0.95  # of the files that open lines could free


def init(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError for settings that cannot be read."""
    inputs = gather(words, argv, os.environ)
    wanted = words.text("output")
    target = inputs.profile or _DEFAULT if wanted in (None, "-") else str(wanted)
    inputs = inputs.replace(profile=target if os.path.exists(target) else None)
    if inputs.profile is not None:
        sink = Sink()
        if profile.load(inputs.profile, sink) is None:
            terminal.write(sys.stderr, render(target, sink.diagnostics))
            return ERRORS
    files = sources.expand(words.operands[1:], exclude=words.texts("exclude"))
    if not files:
        shown = ", ".join(f"`{operand}`" for operand in words.operands[1:])
        terminal.write(sys.stderr, f"flowc: no job files found below {shown}\n")
        return DONE
    before = _facts(files, inputs)
    base = base_folder(target)
    lacking = {each["path"]: [name for kind, name in _lacks(each) if kind == PATH] for each in before}
    places = own_places({path: names for path, names in lacking.items() if names}, words.operands[1:])
    found = Found(before, _text_of(inputs.profile), base, words.operands[1:], places)
    try:
        found.fill(inputs)
        text = found.text()
    except UnreadableFormError as error:
        terminal.write(sys.stderr, f"flowc: error: {target}: {error}\n")
        return ERRORS
    if not _is_profile(found.text(absolute=True), base):
        why = "lines cannot be added to what it says: write it as a plain mapping of sections, one line each"
        terminal.write(sys.stderr, f"flowc: error: {target}: {why}\n")
        return ERRORS
    if text == found.base:
        what = f"nothing to add to {target}" if found.base else "no profile is needed"
        terminal.write(sys.stdout if wanted != "-" else sys.stderr, f"{what}\n{found.told()}")
        return DONE
    if wanted == "-":
        terminal.write(sys.stdout, text, encoding="utf-8")
        terminal.write(sys.stderr, found.told())
        return DONE
    try:
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
        write_new(target, text.encode())
    except OSError as error:
        terminal.write(sys.stderr, f"flowc: error: cannot write `{target}`: {(error.strerror or str(error)).lower()}\n")
        return WORLD_FAILED
    terminal.write(sys.stdout, f"{'added to' if found.base else 'wrote'} {target}\n{found.told()}")
    return DONE


class Found:
    """What files lack: as they are, and with what flowc fills in. `base` is the text of the profile so far, from
    whose `folder` its files are seen; files of environments are looked for in the folders that are `operands`;
    `places` are the folders that were at paths."""

    def __init__(
        self,
        before: list[Facts],
        base: str,
        folder: str,
        operands: Sequence[str],
        places: dict[str, tuple[str, set[str]]],
    ) -> None:
        self.before = before
        self.after = before
        self.base = base
        self.folder = folder
        self.operands = operands
        self.environments = environment_files(operands)
        self.places = places
        self.within: dict[Key | None, str] = {}  # places of the tree, by what is to be brought as a whole
        self.needing: dict[Key | None, list[str]] = {}  # files, by each line that they need as they are
        self.filled: list[Line] = []
        self.asked: list[Line] = []

    def fill(self, inputs: Inputs) -> None:
        """Look at the files again, with what is filled in. Raises UnreadableFormError."""
        known = [each for each in self._lines(self.before) if each.brings is not None]
        text = with_lines(self.base, known, {})
        if text != self.base:
            closed = {(line.section, line.key) for line in known if not is_open(line)}
            own = {key_of(PATH, path) for path in self.places}
            # Only what may lack nothing then is judged anew: of others it is known what they still lack.
            judged = [each["path"] for each in self.before if _may_be_free(each, closed, own)]
            lost = frozenset(each["path"] for each in self.before if _gives_no_bid(each))
            again = {each["path"]: each for each in _facts_with(text, judged, inputs, self.folder, lost)}
            self.after = [again.get(each["path"]) or _without(each, closed) for each in self.before]
            clashing = self._clashing()
            if clashing:
                self.within |= {key_of(PATH, path): path for path in clashing}
                self.places = {path: found for path, found in self.places.items() if path not in clashing}
                self.after = self.before
                return self.fill(inputs)
        pairs = zip(self.before, self.after, strict=True)
        freed = [needs_of(_lacks(old)) for old, new in pairs if is_free(new) and not is_free(old)]
        self.filled = ranked(known, [each for each in freed if each is not None])
        still = [each for each in self._lines(self.after) if is_asked(each)]
        needs = [needs_of(_lacks(each)) for each in self.after if not each["failed"] and not is_free(each)]
        self.asked = ranked(still, [each for each in needs if each is not None])

    def _clashing(self) -> list[str]:
        """The places of the tree beside which one of their files names something that is still to be brought: in a
        volume or a bucket for that nothing else can be mounted."""
        asked = {key_of(*lack) for each in self.after for lack in _lacks(each) if lack[0] == PATH}
        whole = {path: key for path in self.places if (key := key_of(PATH, path)) in asked and key is not None}
        return [
            path
            for path, (_, folder) in whole.items()
            if any(takes(start_of(file), folder, [path]) for file in self.places[path][1])
        ]

    def _lines(self, facts: list[Facts]) -> list[Line]:
        found = lines((_lacks(each) for each in facts), self.environments, self.places)
        found = [self._for_these(each) if each.not_for or each.sets else each for each in found]
        found = [self._of_tool(each) if each.section == "conda" and each.brings is None else each for each in found]
        found = [self._of_requirements(each) if each.section == "venvs" else each for each in found]
        found += [each for line in found if line.variables for each in self._variables(line)]
        return [
            each.replace(says=f"the tree itself was at {place}") if place else each
            for each in found
            for place in [self.within.get((each.section, each.key))]
        ]

    def _for_these(self, line: Line) -> Line:
        """The line as it serves the files that need it: another one, or an open one, where they call programs that it
        does not serve, or read variables that it does not set."""
        paths = self._files_of(line)
        called = {name for path in paths for name in called_in(path, line.not_for)}
        line = served(line, bool(called))
        read = {name for path in paths for name in read_in(path, line.sets)}
        return opened(line, called if line.not_for else (), read)

    def _of_tool(self, line: Line) -> Line:
        """The line of an environment with the tool that it is named after, where each file that enters it calls it."""
        brings = environment_of(line.key)
        if brings is None or not all(called_in(path, (line.key,)) for path in self._files_of(line)):
            return line
        return line.replace(brings=brings, says="the tool that it is named after, bioconda's newest version, alone")

    def _of_requirements(self, line: Line) -> Line:
        """The line of a virtual environment with the requirements that lie beside all files that enter it."""
        brings = requirements_of(self._files_of(line), self.operands)
        says = (
            f"see whether {os.path.basename(brings)} is what it was made of"
            if brings
            else "a file, or {pip: [torch, …]}"
        )
        return line.replace(brings=brings, says=says)

    def _variables(self, line: Line) -> Iterator[Line]:
        """Lines for what the module of this line set, where files read it."""
        paths = self._files_of(line)
        for name, value in line.variables.items() if line.brings is not None else ():
            files = sum(bool(read_in(path, name)) for path in paths)
            if files:
                says = f"what the module {line.key} set"
                yield Line(section="variables", key=name, brings=value, says=says, files=files)

    def _files_of(self, line: Line) -> list[str]:
        if not self.needing:
            for each in self.before:
                for key in {key_of(*lack) for lack in _lacks(each)}:
                    self.needing.setdefault(key, []).append(each["path"])
        return self.needing.get((line.section, line.key), [])

    def text(self, *, absolute: bool = False) -> str:
        """The whole profile; `absolute`: with the whole paths of files. Raises UnreadableFormError."""
        asked = {line.name for line in self.asked}
        entries = [*(line for line in self.filled if line.name not in asked), *self.asked]
        if not absolute:
            entries = [
                each.replace(brings=_seen_from(self.folder, each.brings))
                if each.section in ("conda", "venvs", "paths")
                and isinstance(each.brings, str)
                and os.path.isabs(each.brings)
                else each
                for each in entries
            ]
        ranks = {line.name: number for number, line in enumerate(self.asked, 1)}
        head = (
            "What the cluster of these job files had, and what takes its place: `flowc schema profile` has the form.",
            "Written by `flowc profile init`. What is filled in is what flowc knows of such names: see what each line",
            "brings. Lines that begin with # are open; their numbers say which frees most.",
            "",
            *self.sums(),
            "",
        )
        return with_lines(self.base, entries, ranks, head)

    def sums(self) -> list[str]:
        """How many files lack nothing: so far, with what is filled in, and with the open lines that matter."""
        bids = [each for each in self.after if not each["failed"]]
        free, now = sum(map(is_free, self.before)), sum(map(is_free, bids))
        failed = len(self.after) - len(bids)
        told = [f"{count(len(self.after), 'job file')}" + (f", of which {failed:,} give no bid" if failed else "")]
        told[0] += f"; of {len(bids):,}, {free:,} lack nothing" + (
            f", {now:,} with what is filled in" if now > free else ""
        )
        unsold = sum(each["failed"] and GPU_MODEL_NOT_SOLD.id in _codes(each) for each in self.before)
        if unsold:
            ask = f"{unsold:,} {'asks' if unsold == 1 else 'ask'}"
            told.append(f"{ask} for GPUs that are not sold: a line of `gpus` names others (`flowc explain FC605`)")
        first = self.first()
        if first:
            more = now + sum(line.frees for line in first)
            these = "this line" if len(first) == 1 else f"these {len(first)} lines"
            told.append(f"fill in {these}, and {more:,} of {len(bids):,} lack nothing:")
            told += [f"{number:>3}. {line.name:<40} {line.frees:>6,} more" for number, line in enumerate(first, 1)]
        left = self._left()
        if left:
            told.append(
                "what no line brings: " + ", ".join(f"{KINDS[kind]} ({files:,})" for kind, files in left.items())
            )
        return [visible(line) for line in told]

    def first(self) -> list[Line]:
        """The open lines that are worth a person's time."""
        total, sum_of = sum(line.frees for line in self.asked), 0
        found: list[Line] = []
        for line in self.asked[:_MOST_ASKED]:
            if sum_of >= _ENOUGH * total:
                break
            found.append(line)
            sum_of += line.frees
        return found

    def _left(self) -> dict[str, int]:
        """The files that lack something that no line brings, by its kind."""
        left: dict[str, int] = {}
        for each in self.after:
            for kind in {kind for kind, name in _lacks(each) if kind in BLOCKING and key_of(kind, name) is None}:
                left[kind] = left.get(kind, 0) + (not each["failed"])
        return {kind: left[kind] for kind in KINDS if left.get(kind)}

    def told(self) -> str:
        return "\n".join(self.sums()) + "\n"


def _may_be_free(facts: Facts, closed: set[Key], own: set[Key | None]) -> bool:
    """Whether lines that stand may bring all that a file lacks, or a folder of the tree some of it."""
    needs = needs_of(_lacks(facts))
    return bool(needs and needs <= closed) or any(key_of(*lack) in own for lack in _lacks(facts))


def _without(facts: Facts, closed: set[Key]) -> Facts:
    """What a file still lacks beside what lines bring."""
    left = {lack for lack in needed(_lacks(facts)) if key_of(*lack) not in closed}
    return {**facts, "lacks": [row for row in facts["lacks"] if (row[0], row[1]) in left]}


def _seen_from(folder: str, path: str) -> str:
    """A path as a profile writes it: a word alone would be the name of a volume."""
    found = os.path.relpath(path, folder)
    return found if "/" in found or found[0] == "." else f"./{found}"


def _codes(facts: Facts) -> set[str]:
    return {code for code, *_ in facts["findings"]}


def _lacks(facts: Facts) -> list[tuple[str, str]]:
    return [(kind, name) for kind, name, _ in facts["lacks"]]


def _text_of(path: str | None) -> str:
    if path is None:
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def _facts(files: list[str], inputs: Inputs, lost: Container[str] = ()) -> list[Facts]:
    """What each file lacks, in their order. `lost`: files that are known to give no bid."""
    moved = inputs.replace(flags=inputs.flags.replace(move=True))

    def facts(path: str) -> Facts:
        try:
            source = sources.read(path)
            if isinstance(source, Diagnostic):
                return facts_of(path, (source,))
            if path in lost:
                found = facts_of(path, driver.check(source, moved, measured=False).diagnostics)
                if not found["failed"]:
                    return {**found, "failed": True}
            result = driver.check(source, inputs)
            found = facts_of(path, result.diagnostics)
            if _may_move(result) and not inputs.flags.move:  # what it lacks is known only of one that gives a bid
                again = facts_of(path, driver.check(source, moved, measured=False).diagnostics)
                found["lacks"] = again["lacks"] if not again["failed"] else found["lacks"]
            return found
        except Exception as error:  # a mistake of ours over one file must not hide what is known of the others
            from flowc.cli.trouble import bug

            terminal.write(sys.stderr, f"flowc: {path}: {bug(error)}")
            return {"path": path, "failed": True, "findings": [], "lacks": []}

    if len(files) < PARALLEL_FROM or not hasattr(os, "fork"):
        return [facts(path) for path in files]
    from flowc.cli.parallel import counted, in_order

    return [*counted(in_order(facts, files), len(files))]


def _gives_no_bid(facts: Facts) -> bool:
    """Whether a file gives none whatever it is brought: not where its startup script alone is too large."""
    errors = {code for code, _, severity in facts["findings"] if severity == "error"}
    return bool(errors) and errors != {STARTUP_SCRIPT_TOO_LARGE.id}


def _may_move(result: driver.Result) -> bool:
    """Whether a job that gives no bid may give one on another machine: not where no machine was looked for, or where
    the one that was found would do, had its startup script any room."""
    errors = {each.code.id for each in result.diagnostics if each.severity == "error"}
    return result.failed and result.placed and errors != {STARTUP_SCRIPT_TOO_LARGE.id}


def _facts_with(text: str, files: list[str], inputs: Inputs, folder: str, lost: Container[str]) -> list[Facts]:
    """The same, with a profile of this text in this folder."""
    with _written(text, folder) as path:
        return _facts(files, inputs.replace(profile=path), lost)


def _is_profile(text: str, folder: str) -> bool:
    with _written(text, folder) as path:
        return profile.load(path, Sink()) is not None


@contextmanager
def _written(text: str, folder: str) -> Iterator[str]:
    """A file with this text, for so long: in this folder if that can be."""
    fits = os.path.isdir(folder) and os.access(folder, os.W_OK)
    place, path = tempfile.mkstemp(prefix=".flowc-profile-", suffix=".yaml", dir=folder if fits else None)
    try:
        with open(place, "wb") as file:
            file.write(text.encode())
        yield path
    finally:
        with suppress(OSError):
            os.unlink(path)

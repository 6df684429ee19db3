"""What `flowc check` says of each file, and of all of them at the end."""

from __future__ import annotations

import gc
import os
import sys

from flowc import driver
from flowc.cli import sources, terminal
from flowc.cli.checking.showing import Showing
from flowc.cli.inputs import gather_with, settings_of
from flowc.cli.status import Tally
from flowc.cli.table import COMMAND_LINE
from flowc.diag.render import count, render, summary
from flowc.diag.sink import Diagnostic, Sink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Any

    from flowc.cli.arguments import Words
    from flowc.inputs import Inputs
    from flowc.ir.profile import Profile
    from flowc.source import Source

# From how many files on the work is spread over the cores: below, starting processes costs more than it
# saves.
PARALLEL_FROM = 24
# From how many on what was said of them is looked up, and kept: it is in one file, for thousands.
KEPT_FROM = PARALLEL_FROM
_FINGERPRINTED = ("sarif", "gitlab")  # formats whose readers know findings again
_FIX_ROUNDS = 8  # fixes that overlap are applied in later rounds


class Checker:
    """What is the same for all files of a run."""

    def __init__(self, words: Words, argv: list[str]) -> None:
        self.keeps = not words.flag("no_cache")
        settings = settings_of(os.environ, keeps=self.keeps)
        self.inputs = gather_with(settings, words, argv, os.environ)
        self.frontend = words.text("from") if self.inputs.command is None else COMMAND_LINE
        self.strict = words.flag("strict")
        self.fix = words.flag("fix")
        self.diff = words.flag("diff")
        self.unsafe = words.flag("unsafe_fixes")
        self.adopts = words.flag("add_ignores")
        self.quiet = words.flag("quiet")
        if not self.keeps:
            self.inputs = self.inputs.replace(cache=None)
        self.stdin = words.text("stdin_filename") or sources.STDIN
        self.showing = Showing(words, settings)
        self.judges = self._judges()
        self.format = words.text("format") or "human"
        self.summary = words.flag("summary")
        self.told = Sink(strict=self.strict)  # of the profile itself
        self.cluster = self._cluster()
        self.inputs = self.inputs.replace(cluster=self.cluster)
        self.profile = self.cluster if self._whole(words.operands) else None
        self.palette = terminal.palette(sys.stdout, os.environ)
        self.width = terminal.width(sys.stdout)

    def _judges(self) -> list[tuple[str, str | None]]:
        """Those who are asked, with their versions; None of what is not installed."""
        if self.showing.judges and not self.inputs.judges:
            from flowc.cli.inputs import judges_of

            self.inputs = self.inputs.replace(judges=judges_of(self.showing.judges, "judge"))
        if not self.inputs.judges:
            return []
        from flowc.judges import named

        asked = [(judge, judge.version()) for judge in named(self.inputs.judges)]
        for judge, version in asked:
            if version is None:
                text = f"flowc: error: not judged by {judge.title}: it is not installed\n  {judge.bring}\n"
                terminal.write(sys.stderr, text)
        return [(judge.title, version) for judge, version in asked]

    @property
    def changes(self) -> str | None:
        """The flag by which files are changed."""
        if self.diff:
            return None
        return "--fix" if self.fix else "--add-ignores" if self._comments else None

    @property
    def _comments(self) -> bool:
        return self.adopts and self.showing.baseline_path is None

    def check(
        self, path: str, source: Source | None = None, inputs: Inputs | None = None
    ) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
        """(findings as text or as documents, what to add to the tally): plain values, so that processes can
        pass them. `source`: what was read of the path; `inputs`: what it is told in place of what all are."""
        tally = Tally()
        name = self.stdin if path == "-" else path
        try:
            diagnostics, difference = self._diagnostics(path, source, inputs or self.inputs, tally)
        except Exception as error:  # a mistake of ours over one file must not hide what is known of the others
            from flowc.cli.trouble import bug

            tally.files, tally.bugs = 1, 1
            terminal.write(sys.stderr, f"flowc: {name}: {bug(error)}")
            return "", [], vars(tally)
        tally.add(name, diagnostics)
        if self.diff:
            return difference, [], vars(tally)
        return (*self._shown(name, diagnostics), vars(tally))

    def _shown(self, name: str, diagnostics: tuple[Diagnostic, ...]) -> tuple[str, list[dict[str, Any]]]:
        """Findings about a file as text or as documents."""
        if self.summary:
            from flowc.cli.checking.summary import facts_of

            return "", [facts_of(name, diagnostics)]
        if self.format == "human":
            return render(name, diagnostics, self.palette, self.width), []
        from flowc.diag.gather import in_order
        from flowc.diag.json_format import diagnostic_document, gathered_documents

        if self.format == "json":
            return "", gathered_documents(name, diagnostics)
        documents = [diagnostic_document(each, name) for each in in_order(name, diagnostics)]
        if self.format in _FINGERPRINTED:
            from flowc.silence.baseline import fingerprint

            for document, each in zip(documents, in_order(name, diagnostics), strict=True):
                document["fingerprint"] = fingerprint(each, name)
        return "", documents

    def _diagnostics(
        self, path: str, given: Source | None, inputs: Inputs, tally: Tally
    ) -> tuple[tuple[Diagnostic, ...], str]:
        """The findings that are left, and what `--diff` shows."""
        span = inputs.command
        source = given or (sources.read(path, self.stdin) if span is None else span.source)
        if isinstance(source, Diagnostic):
            return (source,), ""
        before, found = source, self._found(source, inputs, tally)
        if self.fix or self.diff:
            from flowc.cli.checking.fix import apply_fixes
        for _ in range(_FIX_ROUNDS if self.fix or self.diff else 0):
            mended, number = apply_fixes(source, found, unsafe=self.unsafe)
            if number == 0:
                break
            tally.fixed += number
            source, found = mended, self._found(mended, inputs, tally)
        if self._comments:
            source, found = self._adopted(source, found, inputs, tally)
        if not self.diff and source is not before:
            self._write(path, source, tally)
        if self.adopts and not self._comments:
            from flowc.silence.baseline import fingerprint

            tally.prints += [fingerprint(each, source.path) for each in found]
        if not self.diff:
            return found, ""
        from flowc.cli.checking.fix import difference

        return found, difference(before, source)

    def _found(self, source: Source, inputs: Inputs, tally: Tally) -> tuple[Diagnostic, ...]:
        result = driver.check(source, inputs, frontend=self.frontend, strict=self.strict)
        if self.profile is not None:
            from flowc.profile.unused import named_in

            tally.used |= named_in(self.profile, source.text) if result.used is None else result.used
        return self.showing.of(result.diagnostics, source.path)

    def _adopted(
        self, source: Source, found: tuple[Diagnostic, ...], inputs: Inputs, tally: Tally
    ) -> tuple[Source, tuple[Diagnostic, ...]]:
        """The source with a comment for what is found in it, unless that made more of it."""
        from flowc.cli.checking.adopting import with_ignores

        mended = with_ignores(source, found)
        if mended is source:
            return source, found
        left = self._found(mended, inputs, tally)
        if any(each.severity != "error" for each in left):
            return source, found
        tally.adopted += 1
        return mended, left

    def _write(self, path: str, source: Source, tally: Tally) -> None:
        from flowc.cli.checking.fix import write

        try:
            write(path, source.data)
        except OSError as error:
            tally.fixed, tally.world_failed = 0, True
            reason = (error.strerror or str(error)).lower()
            terminal.write(sys.stderr, f"flowc: error: cannot write `{path}`: {reason}\n")

    def _cluster(self) -> Profile | None:
        """The profile, read once for all files; None where there is none, or none can be made of it."""
        if self.inputs.profile is None:
            return None
        from flowc import profile

        return profile.load(self.inputs.profile, self.told, self.inputs.cache)

    def _whole(self, operands: tuple[str, ...]) -> bool:
        """Whether all of the folder is checked that holds the profile: its lines are for the files there."""
        path = self.inputs.profile
        if path is None or self.adopts or self.fix or self.diff:
            return False
        place = os.path.realpath(path)
        folders = [os.path.realpath(each) for each in operands if os.path.isdir(each)]
        return any(os.path.commonpath((place, folder)) == folder for folder in folders)

    @property
    def stuck(self) -> bool:
        """Whether nothing can be checked: jobs would become others without their profile."""
        return self.inputs.profile is not None and self.cluster is None

    def of_profile(self, tally: Tally) -> tuple[str, list[dict[str, Any]]]:
        """What is wrong with the profile itself: once, not for each file."""
        path = self.inputs.profile
        found = self.showing.of(tuple(self.told.diagnostics), path) if path is not None else ()
        if path is None or not found:
            return "", []
        tally.count(path, found)
        if self.summary and self.stuck:  # there will be no document
            terminal.write(sys.stderr, render(path, found, terminal.palette(sys.stderr, os.environ)))
            return "", []
        text, documents = self._shown(path, found)
        return text, [{**each, "other": True} for each in documents] if self.summary else documents

    def unused(self, tally: Tally) -> tuple[str, list[dict[str, Any]]]:
        """What is said of lines of the profile that no file used, once all are checked; it is added to the tally."""
        if self.profile is None or not tally.files or tally.bugs:
            return "", []
        from flowc.profile.unused import report_unused

        sink = Sink(strict=self.strict)
        report_unused(self.profile, tally.used, tally.files, sink)
        found = self.showing.of(tuple(sink.diagnostics), self.profile.path)
        tally.count(self.profile.path, found)
        if not found:
            return "", []
        text, documents = self._shown(self.profile.path, found)
        return text, [{**each, "other": True} for each in documents] if self.summary else documents

    def outcomes(self, files: list[str]) -> Iterator[tuple[str, list[dict[str, Any]], dict[str, Any]]]:
        """What `check` gives for each file, in their order."""
        if len(files) < KEPT_FROM:
            return map(self.check, files)
        gc.enable()
        from flowc.cli.checking.kept import kept
        from flowc.cli.parallel import counted

        keeps = kept(self) if self.keeps else None
        return counted(self.spread(self.check, files) if keeps is None else keeps.outcomes(files), len(files))

    def spread(self, work: Callable[[str], Any], files: list[str]) -> Generator[Any, None, None]:
        """What a work gives for each of these files, in their order; of many by a process for each core."""
        if len(files) < PARALLEL_FROM or not hasattr(os, "fork"):
            return (work(path) for path in files)
        from flowc.cli.parallel import in_order

        return in_order(work, files)

    @property
    def _installed(self) -> list[tuple[str, str]]:
        return [(name, version) for name, version in self.judges if version is not None]

    def conclusion(self, tally: Tally, documents: list[dict[str, Any]]) -> str:
        """What follows the findings for people; for programs the whole document."""
        if self.summary:
            from flowc.cli.checking.summary import conclude

            return conclude(documents, self.format, self.palette)
        if self.format == "human":
            lines = [f"{'would fix' if self.diff else 'fixed'} {count(tally.fixed, 'problem')}"] if tally.fixed else []
            if self._comments:
                lines.append(f"{'would write' if self.diff else 'wrote'} a comment into {count(tally.adopted, 'file')}")
            if tally.bugs:
                lines.append(f"{count(tally.bugs, 'file')} could not be checked, see standard error")
            if self.judges:
                lines.append(f"judged by {', '.join(f'{name} {version}' for name, version in self._installed)}")
            checked = tally.files - tally.bugs
            if checked:
                lines.append(summary(tally.severities, checked, 0 if self.fix else tally.fixable))
            text = "" if self.quiet or not lines else "\n".join(lines) + "\n"
        elif self.format == "json":
            from flowc.diag.json_format import render_json

            text = render_json(documents, tally.files, self._installed)
        elif self.format == "sarif":
            from flowc.diag.codes.table import all_codes
            from flowc.diag.sarif import render_sarif
            from flowc.version import VERSION

            text = render_sarif(documents, all_codes(), VERSION)
        elif self.format == "github":
            from flowc.diag.github import render_github

            text = render_github(documents)
        elif self.format == "gitlab":
            from flowc.diag.others import render_gitlab

            text = render_gitlab(documents)
        elif self.format == "junit":
            from flowc.diag.others import render_junit

            text = render_junit(documents, tally.files)
        else:
            from flowc.diag.others import render_concise

            text = render_concise(documents)
        return text

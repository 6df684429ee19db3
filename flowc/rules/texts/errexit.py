"""What `set -e` does unmeant: code for a failure that never runs, counting that ends the script."""

from __future__ import annotations

from flowc.body.interpreter import MOST_TEXT, interpreter_words, is_shell
from flowc.patterns import at_first_use
from flowc.rules.base import texts
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.shell.command import Command
    from flowc.shell.scan import Scan

_on = at_first_use(r" -(?:[A-Za-z]*e[A-Za-z]*|[A-Za-z]*o errexit)(?= |$)", "search")
_off = at_first_use(r" \+(?:[A-Za-z]*e[A-Za-z]*|[A-Za-z]*o errexit)(?= |$)", "search")
# Nothing but blanks and comments between one command and the next.
_apart = at_first_use(r"[ \t]*(?:;|(?:#[^\n]*)?\n)(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*", "fullmatch")
_kept = at_first_use(r"([A-Za-z_]\w*)=[\"']?\$\?[\"']?", "fullmatch")
_tests = frozenset(("[", "[[", "test"))
# What tests a value, what is read, and the end of the line that both stand in; what is given a value.
_asks = at_first_use(r"(?:\[|\btest|\(\(|\bcase) |\$\{?([A-Za-z_]\w*)|\n", "finditer")
_sets = at_first_use(r"(?<![\w$])([A-Za-z_]\w*)=", "finditer")
_counting = at_first_use(
    r"(?m)^[ \t]*(?:\(\([ \t]*(\w+)\+\+[ \t]*\)\)|let[ \t]+[\"']?(\w+)\+\+[\"']?)[ \t]*;?$", "finditer"
)


def report(unit: Unit, sink: Sink) -> None:
    """Only in lines that begin at the margin: what stands in functions and subshells may be asked about its status,
    and is not under `set -e` then. Nothing where a text also turns it off."""
    for each in texts(unit):
        text = (each.job.run.text or "")[:MOST_TEXT]
        if not is_shell(each.job):
            continue
        seen = scan(text)
        start = _turned_on(seen, text, interpreter_words(each.job))
        if start is None:
            continue
        for place, end, program in _statuses(seen, text, start):
            from flowc.diag.codes.texts import STATUS_NEVER_SEEN

            sink.report(STATUS_NEVER_SEEN, each.text_span(place, end), program=program)
        for place, end, name in _counts(seen, text, start):
            from flowc.diag.codes.texts import COUNTING_ENDS

            sink.report(
                COUNTING_ENDS,
                each.text_span(place, end),
                help=f"write `{name}=$(({name} + 1))`",
                text=text[place:end],
                variable=name,
            )


def _turned_on(seen: Scan, text: str, interpreter: list[str]) -> int | None:
    """From where on `set -e` holds for the whole script; None where it never does, or not always."""
    found = 0 if _on(" ".join(interpreter)) else None
    for each in seen.commands:
        words = each.words()
        if [word for _, word in words[:1]] != ["set"]:
            continue
        options = " ".join(word for _, word in words)
        if _off(options):
            return None
        if found is None and _on(options) and _at_margin(text, words[0][0]):
            found = each.end
    return found


def _statuses(seen: Scan, text: str, start: int) -> list[tuple[int, int, str]]:
    """Where a status is tested that can only be 0, and what it is the status of."""
    found = []
    asked: dict[str, int] | None = None
    before: Command | None = None
    for each in seen.commands:
        first = _first(each)
        if first is None or each.start < start or (before is not None and each.end <= before.end):
            continue  # or within the one before
        if before is not None and _follows(each, text, before, first):
            if asked is None:
                asked = _asked(text)
            place = _tested(each, asked)
            if place is not None:
                found.append((place, place + 2, _program(before)))
        before = each if _at_margin(text, first) and not each.reserved() else None
    return found


def _follows(each: Command, text: str, before: Command, first: int) -> bool:
    """Whether nothing but an `if` stands between the command before and this one."""
    if each.reserved() == ["if"]:
        first = text.rfind("if", 0, first)
    return first >= before.end and _apart(text[before.end : first]) is not None


def _first(each: Command) -> int | None:
    """Where a command begins, its assignments included."""
    assigned, words, _ = each.parts()
    places = [place for place, _ in (*assigned[:1], *words[:1])]
    return min(places) if places else None


def _at_margin(text: str, place: int) -> bool:
    """Whether it is a line's first word, and no operator at the end of the line before leads here."""
    if place and text[place - 1] != "\n":
        return False
    while place and text[place - 1].isspace():
        place -= 1
    return not place or text[place - 1] not in "|&\\("


def _asked(text: str) -> dict[str, int]:
    """The variables that a test reads, each with the place of the last one."""
    found: dict[str, int] = {}
    test: int | None = None
    for match in _asks(text):
        if match[1] is None:
            test = None if match[0] == "\n" else match.start()
        elif test is not None:
            found[match[1]] = test
    return found


def _tested(each: Command, asked: dict[str, int]) -> int | None:
    """The place of the `$?` that a command tests, or keeps for what tests it later."""
    assigned, words, _ = each.parts()
    if words and words[0][1] in _tests:
        return next((place + word.index("$?") for place, word in words if "$?" in word), None)
    if words or len(assigned) != 1:
        return None
    place, word = assigned[0]
    kept = _kept(word)
    return place + word.index("$?") if kept is not None and asked.get(kept[1], -1) >= each.end else None


def _program(before: Command) -> str:
    assigned, words, _ = before.parts()
    return words[0][1] if words else assigned[0][1].partition("=")[0] + "=…"


def _counts(seen: Scan, text: str, start: int) -> list[tuple[int, int, str]]:
    """Where a variable is counted up from 0: the value of `n++` is then 0, and the status 1."""
    found = []
    values: dict[str, set[str]] = {}
    read = 0
    for match in _counting(text, start):
        for given in _sets(text, read, match.start()):
            line = text[text.rfind("\n", 0, given.start()) + 1 : text.find("\n", given.end(), match.start() + 1)]
            values.setdefault(given[1], set()).add(line.strip().rstrip(";"))
        read = match.start()
        name = match[1] or match[2]
        place = match.start() + len(match[0]) - len(match[0].lstrip())
        if values.get(name) == {f"{name}=0"} and not seen.in_child(place) and not seen.in_string(place):
            found.append((place, match.end(), name))
    return found

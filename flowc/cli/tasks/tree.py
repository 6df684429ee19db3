"""Who waits for whom, as a tree: a job stands below the first that it waits for, with why it is not placed."""

from __future__ import annotations

import time

from flowc.submit.journal import NEVER, OPEN, WAITING
from flowc.submit.turns import Turns
from flowc.tasks.graph.words import how, why_not

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

    from flowc.diag.render import Palette
    from flowc.providers.base import Task
    from flowc.submit.journal import Bid, Journal
    from flowc.submit.store.jobs import Job

# The two kinds of branches, and what goes down beside a branch.
LINES = ("├─ ", "└─ ", "│  ")
ASCII = ("|- ", "`- ", "|  ")


def lines_for(environ: Mapping[str, str], encoding: str | None) -> tuple[str, str, str]:
    """Plain ones where the locale, or the stream, has no others."""
    lang, ctype = environ.get("LANG") or "C", environ.get("LC_CTYPE") or ""
    if lang in ("C", "POSIX") and ctype in ("C.UTF-8", "C.utf8", "UTF-8"):
        ctype = ""  # Python itself puts this where there is no locale
    locale = environ.get("LC_ALL") or ctype or lang
    has_more = "utf" in locale.lower() and (encoding or "").lower().replace("-", "") == "utf8"
    return LINES if has_more else ASCII


class Tree:
    """The jobs at these providers that are not over, or `everything`, with those that they wait for; of `tasks` it is
    known how they are now. Raises JournalError."""

    def __init__(
        self, journal: Journal, tasks: Iterable[Task], *, providers: Collection[str], everything: bool
    ) -> None:
        self._journal = journal
        self._tasks = {task.identity: task for task in tasks}
        self._bids = {(bid.key, bid.identity): bid for bid in journal.bids()}
        self._turns: dict[str, Turns] = {}
        jobs = {(job.key, job.number): job for job in journal.jobs()}
        of = {(job.key, bid): (job.key, job.number) for job in jobs.values() for bid in job.bids}
        self._ahead = {
            at: list(dict.fromkeys(of[pair] for each in job.after for pair in each.before)) for at, job in jobs.items()
        }
        mine = {at for at, job in jobs.items() if any(bid.provider in providers for bid in self._of(job))}
        shown = {at for at in mine if everything or any(map(self._is_open, self._of(jobs[at])))}
        more = set(shown)
        while more:
            more = {at for each in more for at in self._ahead[each]} - shown
            shown |= more
        more = set(shown)
        while more:  # what waits for one of these in vain
            more = {at for at, ahead in self._ahead.items() if at not in shown and more & set(ahead)}
            more = {at for at in more & mine if any(bid.state == NEVER for bid in self._of(jobs[at]))}
            shown |= more
        self.jobs = {at: job for at, job in jobs.items() if at in shown}

    def text(self, colours: Palette, lines: tuple[str, str, str], width: int | None = None) -> str:
        """A line for each job; with a `width`, in columns, several where one has no room."""
        from flowc.diag.excerpt import visible
        from flowc.secret import masked

        below: dict[tuple[str, int] | None, list[tuple[str, int]]] = {}
        for at in self.jobs:
            below.setdefault(next(iter(self._ahead[at]), None), []).append(at)
        found: list[str] = []
        left = [(at, "", "") for at in reversed(below.get(None, []))]
        while left:
            at, head, margin = left.pop()
            name, state, why = self._account(self.jobs[at])
            colour = {"failed": colours.error, "completed": colours.help, "running": colours.note}.get(
                state, colours.warning if "never" in why else ""
            )
            why = why.removeprefix(f"{state} as things are: ").removeprefix("was cancelled before it was placed")
            its = below.get(at, [])
            told = f"{visible(state)}: {visible(why)}" if why else visible(state)
            first, *rest = _wrapped(f"{head}{visible(name)}  ", told, margin + (lines[2] if its else "   "), width)
            at_state = len(head) + len(visible(name)) + 2
            if colour and first[at_state:].startswith(visible(state)):
                end = at_state + len(visible(state))
                first = f"{first[:at_state]}{colour}{first[at_state:end]}{colours.end}{first[end:]}"
            found += [f"{line}\n" for line in (first, *rest)]
            for number, each in reversed(list(enumerate(its, 1))):
                last = number == len(its)
                left.append((each, margin + lines[last], margin + ("   " if last else lines[2])))
        return masked("".join(found))

    def document(self) -> list[dict[str, Any]]:
        """The bids of these jobs, each with what it waits for: `turn` is `now` where that holds, `never` where it
        cannot, `stuck` where that other one can never start itself."""
        return [
            _document_of(self._turns_of(job), bid, self._state(bid))
            for job in self.jobs.values()
            for bid in self._of(job)
        ]

    def _account(self, job: Job) -> tuple[str, str, str]:
        """Its name, its state, and why it is not placed; what else it waits for is in there too."""
        bids = self._of(job)
        states: dict[str, int] = {}
        for bid in bids:
            state = self._state(bid)
            states[state] = states.get(state, 0) + 1
        unplaced = next((bid for bid in bids if bid.made is None), None)
        why = why_not(self._turns_of(job), unplaced) if unplaced is not None else ""
        if len(bids) == 1:
            return bids[0].name, next(iter(states)), why
        return f"{bids[0].name} and {len(bids) - 1} more", ", ".join(f"{n} {each}" for each, n in states.items()), why

    def _state(self, bid: Bid) -> str:
        task = self._tasks.get(bid.made or "")
        if task is not None:
            return task.state
        return _state_of(bid)

    def _is_open(self, bid: Bid) -> bool:
        """Whether it may still become something; what can never start is shown beside others alone."""
        if bid.made is None:
            return bid.submission == OPEN
        task = self._tasks.get(bid.made)
        return bid.ended is None and (task is None or task.ended_at is None)

    def _of(self, job: Job) -> list[Bid]:
        return [self._bids[job.key, each] for each in job.bids]

    def _turns_of(self, job: Job) -> Turns:
        if job.key not in self._turns:
            self._turns[job.key] = Turns(self._journal, job.key, now=time.time())
        return self._turns[job.key]


def _wrapped(head: str, text: str, margin: str, width: int | None) -> list[str]:
    """`text` behind `head`, and behind `margin` what has no room there; no word is cut."""
    if width is None or len(head) + len(text) <= width:
        return [head + text]
    found, line = [], head
    for word in text.split(" "):
        if line.strip() and line not in (head, margin) and len(line) + len(word) > width:
            found.append(line.rstrip())
            line = margin
        line += f"{word} "
    return [*found, line.rstrip()]


def unplaced(journal: Journal, bid: Bid) -> dict[str, Any]:
    """One that is not placed, as `Tree.document` has it. Raises JournalError."""
    return _document_of(Turns(journal, bid.key, now=time.time()), bid, _state_of(bid))


def account_of_unplaced(journal: Journal, bid: Bid, *, watched: bool) -> str:
    """The same for people: what it waits for, since when, and who places it; `watched`: `flowc watch` runs. Raises
    JournalError."""
    from flowc.cli.tasks.bill import who_places
    from flowc.diag.excerpt import visible
    from flowc.secret import masked

    lines = [f"{bid.name}: {why_not(Turns(journal, bid.key, now=time.time()), bid)}"]
    submission = journal.submission(bid.key)
    if submission is not None:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(submission.created_at))
        lines.append(f"  submitted {since}; nothing is paid for it")
    if bid.state == WAITING and bid.submission == OPEN:
        lines.append(f"  {who_places(stays=False, watched=watched, one=True)}")
    return masked("".join(f"{visible(line)}\n" for line in lines))


def _state_of(bid: Bid) -> str:
    return "pending" if bid.state == WAITING and bid.submission == OPEN else how(bid)


def _document_of(turns: Turns, bid: Bid, state: str) -> dict[str, Any]:
    return {
        "name": bid.name,
        "submission": bid.key,
        "state": state,
        "reason": None if bid.made is not None else why_not(turns, bid),
        "after": [
            {
                "kind": each.kind,
                "on": each.on,
                "minutes": each.minutes,
                "any": each.any,
                "tasks": [other.name for other in turns.before(each, bid.identity)],
                "turn": turn,
            }
            for each, turn in turns.waits_for(bid.identity)
        ],
    }

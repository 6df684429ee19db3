"""Carries out the steps of a submission, each exactly once.

A step is on disk as sent before it is sent. What was sent and has no answer is looked for by its name, which nobody
else has: it is taken over where it is found, and sent again, under the same name, only after a time in which a call
that was on its way must have arrived. Should both have acted after all, the younger one is ended at once.
"""

from __future__ import annotations

from flowc.providers.errors import (
    AuthenticationError,
    ConflictError,
    MalformedReplyError,
    OutcomeUnknownError,
    ProviderError,
    RateLimitError,
    UnavailableError,
)
from flowc.submit.journal import BROKEN, DONE, FAILED, GIVEN_UP, MADE, OPEN, SENT, SKIPPED
from flowc.submit.journal import NEVER as NEVER_MADE
from flowc.submit.plan import CHANGE
from flowc.submit.turns import LATER, NEVER, NOW, STUCK, Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any, NoReturn

    from flowc.providers.base import Made, Provider
    from flowc.submit.journal import Entry, Journal, Submission

# After so many seconds a call that was sent has acted or never will: twice what a call may take, and some.
SETTLED_S = 75.0
# Pauses between looks for what may have been made.
LOOKS_S = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0, 15.0)
# How often a step is sent, all in all, in one run.
SENDS = 3


# Why a bid is not placed, in Slurm's word.
NEVER_SATISFIED = "DependencyNeverSatisfied"


class InterruptedSubmissionError(Exception):
    """A submission that is not at its end and can go on later: `cause` says what was in the way."""

    def __init__(self, key: str, cause: ProviderError) -> None:
        super().__init__(str(cause))
        self.key = key
        self.cause = cause


class RefusedError(Exception):
    """The provider refused a step, `entry`: the submission has ended, what it made before is still there."""

    def __init__(self, entry: Entry, cause: ProviderError) -> None:
        super().__init__(str(cause))
        self.entry = entry
        self.cause = cause


class Carrier:
    """`now` gives seconds since the epoch; `tell` is called with each entry that was made, taken over or skipped."""

    def __init__(
        self,
        journal: Journal,
        provider: Provider,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], None],
        tell: Callable[[Entry], None] = lambda entry: None,
    ) -> None:
        self._journal = journal
        self._provider = provider
        self._now = now
        self._sleep = sleep
        self._tell = tell

    def carry_out(self, submission: Submission) -> bool:
        """Do what is left of a submission, alone. False where bids are left whose turn it is not yet: others must
        end before. Raises InterruptedSubmissionError where it can go on later, RefusedError where it cannot,
        JournalError."""
        with self._journal.held(submission.key):
            try:
                return self._carry_out(submission)
            except ProviderError as error:
                raise InterruptedSubmissionError(submission.key, error) from None

    def _carry_out(self, submission: Submission) -> bool:
        while True:
            found = self._go_through(submission)
            if GIVEN_UP not in found.values():
                break
            # What waited for these may have its turn.
        if LATER in found.values():
            return False
        self._close_if_nothing_is_left(submission.key)
        return True

    def _go_through(self, submission: Submission) -> dict[str, str]:
        """Do what has its turn. What was found of each step that was not done, by its id: GIVEN_UP where that was
        done with it just now."""
        known = dict(submission.resolved)
        made: dict[str, str] = {}
        turns = Turns(self._journal, submission.key, now=self._now())
        kills = {identity for job in turns.jobs if job.kill for identity in job.bids}
        found: dict[str, str] = {}
        given_up: set[str] = set()
        for entry in self._journal.entries(submission.key):
            if entry.state in (GIVEN_UP, NEVER_MADE) or (entry.action == CHANGE and entry.target in given_up):
                given_up.add(entry.identity)
                continue
            if entry.state not in (MADE, SKIPPED):
                turn = self._turn(entry, turns, found, made)
                found[entry.identity] = turn
                if turn in (NEVER, STUCK) and entry.action != CHANGE:
                    given_up.add(entry.identity)
                    if turn == NEVER and entry.identity in kills:
                        self._journal.given_up(entry.key, entry.number, self._now(), NEVER_SATISFIED)
                    else:
                        self._journal.never(entry.key, entry.number, NEVER_SATISFIED)
                    found[entry.identity] = GIVEN_UP
                if turn != NOW:
                    continue
                entry = self._do(entry, known, made)
                self._tell(entry)
            assert entry.made is not None
            made[entry.identity] = entry.made
            if entry.kind == "volume":
                known[f"${{volume:{entry.name}}}"] = entry.made
        return found

    def _turn(self, entry: Entry, turns: Turns, found: Mapping[str, str], made: Mapping[str, str]) -> str:
        """What a bid's place behind others means for a step that is not done. One that was sent has had its turn."""
        if entry.action == CHANGE:
            return NOW if entry.target in made else found.get(entry.target or "", NEVER)
        return NOW if entry.state == SENT else turns.of(entry.identity)

    def give_up(self, submission: Submission, names: Collection[str]) -> list[str]:
        """See to it that bids of these names, which are not known to be there, are never placed. The names of those
        that were there after all. Raises as `carry_out`."""
        found = []
        with self._journal.held(submission.key):
            try:
                for entry in self._journal.entries(submission.key):
                    if entry.kind != "bid" or entry.action == CHANGE or entry.name not in names:
                        continue
                    if entry.state == SENT:
                        project = submission.resolved.get(entry.body["project"], entry.body["project"])
                        there = self._look(entry, {**entry.body, "project": project}, since=entry.sent_at or 0.0)
                        if there is not None:
                            entry = self._have(entry, there)
                    if entry.state == MADE:
                        found.append(entry.name)
                    elif entry.state != GIVEN_UP:
                        self._journal.given_up(entry.key, entry.number, self._now())
            except ProviderError as error:
                raise InterruptedSubmissionError(submission.key, error) from None
            if submission.state == OPEN:
                self._close_if_nothing_is_left(submission.key)
        return found

    def _close_if_nothing_is_left(self, key: str) -> None:
        """Where there is nothing to do any more for bids that are wanted."""
        left = {bid.state for bid in self._journal.bids(key=key)} - {MADE, GIVEN_UP}
        if not left - {NEVER_MADE, FAILED}:
            self._journal.close_submission(key, BROKEN if left else DONE)

    def _do(self, entry: Entry, known: Mapping[str, str], made: Mapping[str, str]) -> Entry:
        """The entry as it is when it is done. Raises RefusedError, and ProviderError where it can be tried again."""
        body = replaced(entry.body, known)
        if entry.action == CHANGE:
            identity = made[entry.target or ""]
            try:
                self._provider.change(entry.kind, identity, body)
            except ProviderError as error:
                self._refuse(entry, error)
            self._journal.made(entry.key, entry.number, identity)
            return entry.replace(state=MADE, made=identity)
        if entry.state == SENT:
            found = self._look(entry, body, since=entry.sent_at or 0.0)
            if found is not None:
                return self._have(entry, found)
        elif entry.unless is not None:
            there = self._provider.find(entry.kind, entry.name, body)
            if there:
                return self._skip(entry, there[0])
        try:
            return self._have(entry, self._create(entry, body))
        except ConflictError as error:
            # Somebody else has made the volume since.
            there = self._provider.find(entry.kind, entry.name, body) if entry.unless is not None else []
            if there:
                return self._skip(entry, there[0])
            self._refuse(entry, error)
        except ProviderError as error:
            self._refuse(entry, error)

    def _create(self, entry: Entry, body: dict[str, Any]) -> Made:
        sent_before = entry.state == SENT
        for left in reversed(range(SENDS)):
            at = self._now()
            self._journal.sent(entry.key, entry.number, at)
            try:
                made = self._provider.create(entry.kind, body, key=f"{entry.key}-{entry.number}")
            except OutcomeUnknownError:
                found = self._look(entry, body, since=None)
                if found is not None:
                    return found
                if not left:
                    raise
                sent_before = True
            except ProviderError as error:
                if _may_go_on(error):
                    if not sent_before:
                        self._journal.waiting(entry.key, entry.number)
                    raise
                # It refuses this one; an earlier one under this name may be the reason.
                found = self._oldest(entry, body) if sent_before else None
                if found is not None:
                    return found
                raise
            else:
                return (self._oldest(entry, body) or made) if sent_before else made
        raise AssertionError("unreachable")

    def _refuse(self, entry: Entry, error: ProviderError) -> NoReturn:
        """The end of a submission by what was answered to a step itself."""
        if _may_go_on(error):
            raise error
        self._journal.failed(entry.key, entry.number, str(error))
        self._journal.close_submission(entry.key, BROKEN)
        raise RefusedError(entry, error) from None

    def _look(self, entry: Entry, body: dict[str, Any], *, since: float | None) -> Made | None:
        """What a call made that was sent at `since` (None: a moment ago, whatever the clock has been set to
        since); None once it is sure that it made nothing."""
        for pause in LOOKS_S:
            if pause:
                self._sleep(pause)
            found = self._oldest(entry, body)
            if found is not None:
                return found
            if since is not None and self._now() - since >= SETTLED_S:
                return None
        return None

    def _oldest(self, entry: Entry, body: dict[str, Any]) -> Made | None:
        """The resource of this step, also one that has ended since; a second one, of a call that was sent twice, is
        ended."""
        found = self._provider.find(entry.kind, entry.name, body)
        if entry.kind == "bid":
            for extra in found[1:]:
                self._provider.end(entry.kind, extra.identity)
        return found[0] if found else None

    def _skip(self, entry: Entry, there: Made) -> Entry:
        self._journal.skipped(entry.key, entry.number, there.identity)
        return entry.replace(state=SKIPPED, made=there.identity)

    def _have(self, entry: Entry, made: Made) -> Entry:
        self._journal.made(entry.key, entry.number, made.identity)
        return entry.replace(state=MADE, made=made.identity)


def _may_go_on(error: ProviderError) -> bool:
    """Whether the same step may be taken at another time, or with another key."""
    passing = isinstance(error, UnavailableError | RateLimitError | OutcomeUnknownError | MalformedReplyError)
    return passing or (isinstance(error, AuthenticationError) and error.status == 401)


def replaced(value: Any, known: Mapping[str, str]) -> Any:
    """A body with its references replaced by ids. Raises KeyError for one that is not known."""
    if isinstance(value, str):
        return known[value] if value.startswith("${") and value.endswith("}") else value
    if isinstance(value, list):
        return [replaced(each, known) for each in value]
    if isinstance(value, dict):
        # The startup script is the job's own text: nothing in it is a reference of ours.
        return {key: each if key == "startup_script" else replaced(each, known) for key, each in value.items()}
    return value

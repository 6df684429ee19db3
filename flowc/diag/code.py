"""The record of which the table of diagnostics is made."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


SEVERITIES = ("error", "warning", "note")  # the worst first


class Code(Record):
    """One kind of diagnostic.

    `id` is FC and three digits, never used again for something else; `name` is kebab-case, names the problem and reads
    well after "allow"; `severity` is error, warning or note; `title` is a template with named fields, in lower case,
    without a full stop, user text in backquotes. `explain` says why it matters, then what to do instead, in at most
    12 lines. `bad` is a minimal input that yields this code, `good` one that yields no diagnostic with this code;
    both are executed by tests. An example is the text of a file named `path`, or, where a file alone cannot show it, a
    tuple (text, (command line arguments after the path…)), or, where the text is too large to be made whenever a code
    is loaded, a function that gives it. `stops`: an error after which the stage behind the one that found it has
    nothing to work on; where it is False, that stage still says what else there is to say. `kind`: what it speaks of
    beside others, so that a note is shown below a worse finding of its kind (`diag/gather.py`): `placing`, what becomes
    of a job's wishes on rented machines; `lacking`, what is not there; `secrets`, what is to be delivered. `money`: it
    is about what a rented machine costs, and about nothing where none is rented.
    """

    id: str
    name: str
    severity: str
    title: str
    explain: str
    bad: str | tuple[str, tuple[str, ...]] | Callable[[], str | tuple[str, tuple[str, ...]]]
    good: str | tuple[str, tuple[str, ...]] | Callable[[], str | tuple[str, tuple[str, ...]]]
    path: str = "job.sbatch"
    stops: bool = True
    kind: str | None = None
    money: bool = False

    @property
    def examples(self) -> tuple[tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...]]]:
        """The bad and the good one, each as (text, arguments)."""
        return _spelled_out(self.bad), _spelled_out(self.good)


def _spelled_out(
    example: str | tuple[str, tuple[str, ...]] | Callable[[], str | tuple[str, tuple[str, ...]]],
) -> tuple[str, tuple[str, ...]]:
    found = example if isinstance(example, str | tuple) else example()
    return found if isinstance(found, tuple) else (found, ())

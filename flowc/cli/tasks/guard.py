"""How the commands of tasks fail: one place that turns what the world does into words and an exit status."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# flowc's own failures where the exit status is the job's.
OURS = 125


class RefusedTaskError(Exception):
    """A TASK, or a submission, that is not as it was meant: the user's mistake. `help` is one line."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


def guarded(work: Callable[[], int], *, failed: int) -> int:
    """What `work` gives; `failed` where provider, settings or journal do not allow it, after saying why."""
    from flowc.cli.status import WRONG_USAGE
    from flowc.cli.tasks.world import tell
    from flowc.providers.errors import ProviderError
    from flowc.settings import SettingsError
    from flowc.submit.journal import JournalError
    from flowc.submit.steps import InterruptedSubmissionError, RefusedError

    try:
        return work()
    except InterruptedSubmissionError as error:
        tell(f"error: {error.cause}")
        tell(
            f"  help: `flowc submit --resume {error.key}` finds out what exists, and goes on; so does the same command"
        )
        return failed
    except RefusedError as error:
        problem: Exception = error.cause
        tell(f"error: {error.entry.name}: {error.cause}")
    except (ProviderError, SettingsError, JournalError, RefusedTaskError) as error:
        problem = error
        tell(f"error: {error}")
    help = getattr(problem, "help", "")
    if help:
        tell(f"  help: {help}")
    return WRONG_USAGE if isinstance(problem, RefusedTaskError) and failed != OURS else failed

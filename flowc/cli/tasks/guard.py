"""How the commands of tasks fail: one place that turns what the world does into words and an exit status."""

from __future__ import annotations

from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# flowc's own failures where the exit status is the job's.
OURS = 125


def guarded(work: Callable[[], int], *, failed: int) -> int:
    """What `work` gives; `failed` where provider or journal do not allow it, or what is to be shown or stored cannot
    be; 2 where it is the user who has to change a setting or the command. Says why before."""
    from flowc.cli.status import WORLD_FAILED, WRONG_USAGE
    from flowc.cli.tasks.world import tell
    from flowc.providers.errors import ProviderError
    from flowc.settings.setting import NoKeyError, SettingsError, UnwritableSettingsError
    from flowc.submit.journal import JournalError
    from flowc.submit.steps import InterruptedSubmissionError, RefusedError
    from flowc.tasks.refused import RefusedTaskError

    try:
        with _asked_to_end():
            return work()
    except InterruptedSubmissionError as error:
        tell(f"error: {error.cause}")
        tell(f"  help: {how_on(error.key)}")
        return failed
    except RefusedError as error:
        problem: Exception = error.cause
        tell(f"error: {error.entry.name}: {error.cause}")
    except (ProviderError, SettingsError, JournalError, RefusedTaskError) as error:
        problem = error
        tell(f"error: {error}")
    except BrokenPipeError:
        raise
    except OSError as error:
        from flowc.cli.trouble import report

        status = report(error)
        return failed if status == WORLD_FAILED else status
    help = getattr(problem, "help", "")
    if help:
        tell(f"  help: {help}")
    if failed == OURS or isinstance(problem, NoKeyError | UnwritableSettingsError):
        return failed
    return WRONG_USAGE if isinstance(problem, RefusedTaskError | SettingsError) else failed


def how_on(key: str) -> str:
    """What to do with a submission that was cut short."""
    return f"`flowc submit --resume {key}` finds out what exists, and goes on; `flowc cancel {key}` ends it"


@contextmanager
def _asked_to_end() -> Iterator[None]:
    """The signals by which others ask for the end of a command are as Ctrl-C meanwhile; what is ignored stays so."""
    import signal

    def ask(number: int, frame: object) -> None:
        raise KeyboardInterrupt(number)

    ours = []
    try:
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                ours.append(number)
                try:
                    signal.signal(number, ask)
                except ValueError:  # not the main thread, which alone hears signals
                    ours.pop()
                    break
        yield
    except Exception as error:
        # Python makes another exception of one that comes while a class is made, as libraries do when they are loaded.
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise error.__cause__ from None
        raise
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)

"""The command line. Reads the world (arguments, files, environment), shows what comes back, and says how it
went."""

import gc
import os
import sys

from flowc import bundle, cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any


def main(argv: list[str] | None = None) -> int:
    """Run one command line (by default the process's own, without the program's name) and give its exit
    status.

    No exception leaves it but SystemExit: wrong usage, a missing file, Ctrl-C, a reader that went away and
    our own mistakes each have an exit status and, where somebody still reads, one short message on standard
    error.
    """
    if argv is not None:
        return _guarded(argv)
    # A command of one file ends before its garbage matters: collecting it, and walking through every module
    # at exit once more, are a sixth of its time. Commands of many files switch the collector on again.
    gc.disable()
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        from flowc.cli.terminal import open_closed

        open_closed()
    sys.unraisablehook = _heard_again
    modules = bundle.use(cache.folder(os.environ))
    try:
        status = _guarded(sys.argv[1:])
        _end_at_once()
    except KeyboardInterrupt:  # while the last words were said
        status = 130
    finally:
        _drop_unwritten()
        gc.freeze()
    if modules is not None and modules.is_due():
        from flowc.bundle.writing import save

        save(modules)
    if _is_all(sys._getframe(1)):
        os._exit(status)
    return status


def _guarded(words: list[str]) -> int:
    try:
        return _run(words)
    except KeyboardInterrupt as interrupt:
        # Ctrl-C, or the number of another signal that asks for the end. Where it came into a text that Python was
        # running (libraries make classes so), Python has noted that nobody caught it, and would end us as by Ctrl-C,
        # whatever we say here. Another text takes that note away.
        eval("0")
        return 128 + (interrupt.args[0] if interrupt.args else 2)
    except BrokenPipeError:
        return _nobody_reads()
    except Exception as error:
        from flowc.cli.trouble import report

        return report(error)


def _run(words: list[str]) -> int:
    from flowc.cli.commands import COMMANDS, load

    if not words or words[0] not in COMMANDS:
        from flowc.cli import overview

        return overview.run(words)
    from flowc.cli.arguments import parse
    from flowc.cli.table import WHAT

    module = load(words[0])
    parsed = parse(module.COMMAND, words[1:])
    if parsed.flag("help"):
        from flowc.cli import overview

        return overview.show_help(module.COMMAND)
    if len(words) == 1 and module.COMMAND.operand == WHAT:  # nothing is to be done
        from flowc.cli import overview

        return overview.show_usage(module.COMMAND)
    status: int = module.run(parsed, words)
    return status


def _heard_again(lost: "sys.UnraisableHookArgs") -> None:
    """What asks for our end while Python calls something from between two lines, such as for an object that is no more,
    goes nowhere: it is asked again at the next call or return, whichever comes first. A signal that we send ourselves
    would come too early, within what is called, or too late, when all is done."""
    interrupt = lost.exc_value
    if not isinstance(interrupt, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return

    def ask(frame: "FrameType", what: str, _: object) -> None:
        if frame.f_code is not _heard_again.__code__:
            sys.setprofile(None)
            raise KeyboardInterrupt(*interrupt.args)

    sys.setprofile(ask)


def _end_at_once() -> None:
    """From here on, Ctrl-C has nothing to say but the end: as Python tells it, it would be a traceback."""
    import _signal  # type: ignore[import-not-found]  # what `signal` is made of, without what it costs

    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def _is_all(caller: "FrameType") -> bool:
    """Whether nothing is left to do in this process, all being written: then it need not take itself apart, which
    would be a tenth of its time. So where it is the command `flowc` or `python -m flowc`, and nobody looks on, waits
    in a thread or has asked to be called at the end."""
    import atexit

    name = os.path.basename(caller.f_globals.get("__file__", ""))
    monitoring: Any = getattr(sys, "monitoring", None)
    return (
        caller.f_globals.get("__name__") == "__main__"
        and (name in ("flowc", "flowc.exe") or caller.f_globals.get("__package__") == "flowc")
        and "threading" not in sys.modules
        and not atexit._ncallbacks()
        and not (sys.flags.inspect or sys.flags.interactive or sys.gettrace() or sys.getprofile())
        and not (monitoring and any(map(monitoring.get_tool, range(6))))
    )


def _nobody_reads() -> int:
    """141 is death by SIGPIPE."""
    _drop_unwritten()
    return 141


def _drop_unwritten() -> None:
    """What is still buffered and has nowhere to go: let the interpreter flush it into nothing."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            import os

            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

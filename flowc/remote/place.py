"""Goes where a machine's job is, and runs a command there: in its container, else in its folder with its environment.

This text is also run on machines, by whichever Python 3 is there: it uses nothing but its library. Its words there are
MODE and the command's: `text` has one word, the text for a shell, `words` are a program and its arguments, `login` is a
shell for somebody who types.
"""

from __future__ import annotations

import os
import signal
import sys

# What only a job's environment has.
_MARKS = (b"LOGNAME=root", b"TMPDIR=/tmp", b"HOME=/root", b"SHELL=/bin/bash")
_FOLDER = b"/var/lib/foundry/flowc/"
LOG = "/var/log/foundry/job.log"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _read(pid: object, name: str) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read().split(b"\0")[:-1]
    except OSError:
        return []


def processes_below(top: int) -> list[int]:
    """The processes below one, the nearest first."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
    found = [top]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def _job() -> tuple[int, list[bytes]] | None:
    """The process that is the job's, and its words."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        words = _read(int(name), "cmdline")
        if len(words) == 3 and words[1].startswith(_FOLDER) and words[2] == b"job":
            for pid in processes_below(int(name)):
                command = _read(pid, "cmdline")
                if command[:2] == [b"docker", b"run"] and b"flowc" in command:
                    return pid, command
                if set(_MARKS) <= set(_read(pid, "environ")):
                    return pid, command
    return None


def _words(mode: str, words: list[str]) -> list[str]:
    return {"login": ["bash"], "text": ["bash", "-c", *words]}.get(mode, words)


def main(mode: str, *words: str) -> None:
    """Does not return. Raises OSError where the command cannot be started."""
    argv = _words(mode, list(words))
    own = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8"}
    found = _job()
    if found is not None and found[1][:2] == [b"docker", b"run"]:
        flags = ["-i", "-t"] if os.isatty(0) else ["-i"]
        if mode == "login":
            argv = ["sh", "-c", "command -v bash >/dev/null && exec bash; exec sh"]
        argv = ["docker", "exec", *flags, "flowc", *argv]
    elif found is not None:
        pairs = (each.partition(b"=") for each in _read(found[0], "environ"))
        own = {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}
        os.chdir(f"/proc/{found[0]}/cwd")
        # The folder under its own name.
        os.chdir(os.readlink(f"/proc/{found[0]}/cwd"))
    else:
        # Where its output is, its folder is most often.
        path = os.path.realpath(LOG)
        os.chdir(os.path.dirname(path) if path != LOG and os.path.isdir(os.path.dirname(path)) else "/root")
    # What kind of terminal it is, whoever brought us here knows.
    term = next((each for each in _read("self", "environ") if each.startswith(b"TERM=")), b"")
    if term:
        own["TERM"] = os.fsdecode(term[5:])
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        # Python ignores these, and so would the command.
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, own)
    except OSError as error:
        os.write(2, os.fsencode(f"flowc: {argv[0]}: {error.strerror}\n"))
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


if __name__ == "__main__":
    main(*sys.argv[1:])

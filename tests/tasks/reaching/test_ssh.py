"""Shells and commands on the machines of tasks."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.machines.ordinary import until
from tests.some import some
from tests.tasks.conftest import Cloud, Person

JOB = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nexport LATER=1\ncd /tmp\nexec sleep 1000\n"
LOCAL = JOB.replace("--gpus=h100:8 ", "")


@pytest.fixture
def there_now(cloud: Cloud) -> Iterator[tuple[Person, str]]:
    """Somebody whose task runs."""
    person = cloud.person
    (name,) = person.types("submit", person.job(JOB, head=""), "--env", "GREETING=it's me").stdout.split()
    until(lambda: "running" in person.types("list").stdout, "the machine")
    until(lambda: is_in_place(person, name), "the job")
    yield person, name
    person.types("cancel", name)


@pytest.fixture
def here_now(here: Person) -> Iterator[tuple[Person, str]]:
    """Somebody whose task runs on this computer."""
    words = ("submit", here.job(LOCAL, head=""), "--provider", "local", "--env", "GREETING=it's me")
    (name,) = here.types(*words).stdout.split()
    until(lambda: is_in_place(here, name), "the job")
    yield here, name
    here.types("cancel", name)


# A machine elsewhere takes seconds to come: those tests that need no other one have it in the slow suite.
@pytest.fixture(params=some(["here", "there"], "here"))
def somebody(request: pytest.FixtureRequest) -> tuple[Person, str]:
    found: tuple[Person, str] = request.getfixturevalue(f"{request.param}_now")
    return found


def is_in_place(person: Person, name: str) -> bool:
    return person.types("ssh", name, "--", "pwd").stdout == "/tmp\n"


def test_a_command_is_where_the_job_is(somebody: tuple[Person, str]) -> None:
    person, name = somebody
    done = person.types("ssh", name, "--", 'echo "$GREETING $SLURM_JOB_NAME"; echo err >&2; pwd; exit 7')
    assert (done.returncode, done.stdout, done.stderr) == (7, "it's me job.sbatch\n/tmp\n", "err\n")


def test_several_words_are_a_program_and_its_arguments(somebody: tuple[Person, str]) -> None:
    person, name = somebody
    words = ("it's", "two words", "*", "$HOME", "")
    done = person.types("ssh", name, "--", "printf", "%s\\n", *words)
    assert (done.returncode, done.stdout.split("\n")) == (0, [*words, ""])
    done = person.types("ssh", name, "printf", "%s\n", *words, "--node", "--", "-x")  # as ssh itself takes them
    assert (done.returncode, done.stdout.split("\n")) == (0, [*words, "--node", "--", "-x", ""])


def test_a_command_ignores_no_signals(somebody: tuple[Person, str]) -> None:
    person, name = somebody
    done = person.types("ssh", name, "--", "trap; yes | head -n 1; echo ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == ("y\n141\n", "")


@pytest.mark.parametrize(
    ("command", "status"), [("kill -9 $$", 137), ("exit 255", 255), ("no-such-program", 127), ("kill -INT $$", 130)]
)
def test_how_a_command_ends(somebody: tuple[Person, str], command: str, status: int) -> None:
    person, name = somebody
    assert person.types("ssh", name, "--", command).returncode == status


def test_input_and_output_are_the_commands_own(somebody: tuple[Person, str]) -> None:
    person, name = somebody
    process = start(person, name, "cat; echo end", stdin=subprocess.PIPE)
    data = bytes(range(256)) * 4000
    out, _ = process.communicate(data, timeout=600)
    assert (process.returncode, out) == (0, data + b"end\n")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_command_does_not_outlive_us(somebody: tuple[Person, str], how: int) -> None:
    person, name = somebody
    mark = f"9{os.getpid()}.{how}"
    process = start(person, name, f"echo begun; sleep {mark}; echo never", stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    until(lambda: sleeping(mark), "the command")
    process.send_signal(how)
    out, _ = process.communicate(timeout=600)
    assert b"never" not in out
    assert process.returncode == (128 + how if how != signal.SIGKILL else -how)
    until(lambda: not sleeping(mark), "the end of the command")


def test_ctrl_c_is_the_commands(somebody: tuple[Person, str]) -> None:
    person, name = somebody
    text = "trap 'echo asked; exit 5' INT; echo begun; while :; do sleep 0.1; done"
    process = start(person, name, text, stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=600)
    assert (process.returncode, out) == (5, b"asked\n")


@pytest.mark.parametrize("how", some(["exit", signal.SIGTERM, signal.SIGKILL], "exit"))
def test_a_shell_on_a_terminal(there_now: tuple[Person, str], how: str | int) -> None:
    person, name = there_now
    mark = f"8{os.getpid()}.{how if how != 'exit' else 0}"
    ours, its = pty.openpty()
    process = start(person, name, stdin=its, stdout=its, stderr=its)
    os.close(its)
    screen = Screen(ours)
    screen.types(b"echo $((6 * 7)) $GREETING; pwd; [ -t 0 ] && echo $((5 * 5)) terminal\n")
    screen.shows(b"42 it's me")
    screen.shows(b"/tmp")
    screen.shows(b"25 terminal")
    screen.types(f"sleep {mark}1\n".encode())
    # What the terminal makes of Ctrl-C reaches what runs there.
    until(lambda: sleeping(f"{mark}1"), "a command")
    screen.types(b"\x03echo $? is 130\n")
    screen.shows(b"130 is 130")
    if how == "exit":
        screen.types(b"exit 3\n")
    else:
        screen.types(f"sleep {mark}\n".encode())
        until(lambda: sleeping(mark), "a command")
        process.send_signal(int(how))
    screen.ends()
    status = process.wait(600)
    assert status == (3 if how == "exit" else 143 if how == signal.SIGTERM else -signal.SIGKILL)
    until(lambda: not sleeping(mark), "the end of the command")
    os.close(ours)


def test_a_shell_on_a_terminal_in_a_local_machine(here_now: tuple[Person, str]) -> None:
    person, name = here_now
    ours, its = pty.openpty()
    process = start(person, name, stdin=its, stdout=its, stderr=its)
    os.close(its)
    screen = Screen(ours)
    screen.types(b"echo $((6 * 7)) $GREETING; pwd; [ -t 0 ] && echo $((5 * 5)) terminal\n")
    screen.shows(b"42 it's me")
    screen.shows(b"/tmp")
    screen.shows(b"25 terminal")
    screen.types(b"exit 3\n")
    screen.ends()
    assert process.wait(600) == 3
    os.close(ours)


@pytest.mark.parametrize(
    ("flags", "is_terminal"),
    [
        (("-t",), True),
        pytest.param((), False, marks=pytest.mark.slow),
        pytest.param(("-T",), False, marks=pytest.mark.slow),
    ],
)
def test_a_terminal_though_the_output_goes_elsewhere(
    there_now: tuple[Person, str], flags: tuple[str, ...], is_terminal: bool
) -> None:
    person, name = there_now
    ours, its = pty.openpty()
    process = start(person, name, "[ -t 1 ] && echo terminal", flags=flags, stdin=its)
    os.close(its)
    out, err = process.communicate(timeout=600)
    assert out.strip() == (b"terminal" if is_terminal else b""), err
    os.close(ours)


HIDDEN = "[ -t 0 ] || [ -t 1 ] || [ -t 2 ] || echo none; tr a-z A-Z; seq 30000; exit 7"


@pytest.mark.parametrize("words", [(HIDDEN,), ()])
def test_without_a_terminal_in_a_local_machine(here_now: tuple[Person, str], words: tuple[str, ...]) -> None:
    """As with ssh its streams are pipes, what is typed comes until Ctrl-D, and a shell reads its commands so."""
    person, name = here_now
    ours, its = pty.openpty()
    process = start(person, name, *words, flags=("-T",), stdin=its, stdout=its, stderr=its)
    os.close(its)
    screen = Screen(ours)
    if words:
        screen.shows(b"none")
        screen.types(b"typed\n\x04")
        screen.shows(b"TYPED")
        screen.shows(b"29999\r\n30000\r\n")
    else:
        screen.types(b"[ -t 0 ] || echo $((5 * 5)) none; tty; exit 7\n")
        screen.shows(b"25 none\r\nnot a tty\r\n")
    screen.ends()
    assert process.wait(600) == 7
    os.close(ours)


def test_a_terminal_in_a_local_machine_though_the_output_goes_elsewhere(here_now: tuple[Person, str]) -> None:
    person, name = here_now
    done = person.types("ssh", "-t", name, "[ -t 1 ] || echo none")
    assert (done.returncode, done.stdout) == (0, "none\n")
    assert done.stderr == "flowc: standard input is no terminal, so the command gets none\n"
    assert person.types("ssh", "-tT", name).returncode == 2


class Screen:
    """A terminal as whoever sits before it has it."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._seen = b""

    def types(self, data: bytes) -> None:
        os.write(self._file, data)

    def shows(self, what: bytes) -> None:
        end = time.monotonic() + 300
        while what not in self._seen:
            assert select.select([self._file], [], [], max(0.0, end - time.monotonic()))[0], (what, self._seen)
            self._seen += os.read(self._file, 4096)
        self._seen = self._seen.partition(what)[2]

    def ends(self) -> None:
        try:
            while os.read(self._file, 4096):
                pass
        except OSError:
            return


@pytest.mark.slow
def test_what_there_is_to_say_about_tasks_without_machines(cloud: Cloud) -> None:
    person = cloud.person
    (name,) = person.types("submit", person.job("true\n")).stdout.split()
    assert person.types("wait", name).returncode == 0
    done = person.types("ssh", name)
    assert (done.returncode, done.stdout) == (125, "")
    assert f"flowc logs {name}" in done.stderr
    assert person.types("ssh", "nobody").returncode == 125
    assert person.types("ssh").returncode == 2
    assert f"flowc logs {name}" in person.types("ssh", name, "nvidia-smi").stderr


def test_a_cut_connection_is_told(cloud: Cloud, there_now: tuple[Person, str]) -> None:
    person, name = there_now
    mark = f"7{os.getpid()}.1"
    process = start(person, name, f"echo begun; sleep {mark}", stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    for server in list(cloud.logins.servers.values()):
        server.cut()
    _, err = process.communicate(timeout=600)
    assert process.returncode == 125
    assert b"the connection was cut" in err
    until(lambda: not sleeping(mark), "the end of the command")


@pytest.mark.slow
def test_secrets_stand_in_no_list_of_processes(cloud: Cloud) -> None:
    """While they are brought, while output is and while somebody is there: in no command line on either side, and in
    the environment of nobody but the job, and whoever has got it from the user."""
    person = cloud.person
    value = "hf_notinalistofprocesses"
    words = ("submit", person.job("while sleep 0.2; do echo on; done\n"), "--secret", "TOKEN", "--follow")
    with everybody() as seen:
        waiting = person.starts(*words, TOKEN=value, ITS_USER="me")
        until(lambda: "running" in person.types("list").stdout, "the machine")
        name = next(iter(cloud.state.bids.values())).name
        command = 'echo "${#TOKEN}"'
        until(lambda: person.types("ssh", name, "--", command).stdout == f"{len(value)}\n", "the job")
        process = start(person, name, "echo begun; cat", stdin=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        assert "on\n" in person.types("logs", name).stdout
        process.communicate(b"")
        person.types("cancel", name)
        waiting.communicate()
    assert not [each for each, _ in seen if value.encode() in each]
    knowing = [(each, environ) for each, environ in seen if value.encode() in environ]
    users = [each.split(b"\0") for each, environ in knowing if b"ITS_USER=me" in environ]
    assert {b"ssh", os.fsencode(os.path.basename(person.program))} >= {os.path.basename(each[0]) for each in users}
    theirs = [(each, environ) for each, environ in knowing if b"ITS_USER=me" not in environ]
    assert theirs
    assert not [each for each, environ in theirs if b"SLURM_JOB_ID=" not in environ]


@contextmanager
def everybody() -> Iterator[set[tuple[bytes, bytes]]]:
    """Command line and environment of each process that there is while this lasts."""
    found: set[tuple[bytes, bytes]] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            for process in filter(str.isdigit, os.listdir("/proc")):
                with suppress(OSError):
                    folder = Path(f"/proc/{process}")
                    found.add(((folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def start(
    person: Person, name: str, *words: str, flags: tuple[str, ...] = (), **streams: int
) -> subprocess.Popen[bytes]:
    command = [person.program, "-B", "-m", "flowc", "ssh", *flags, name, *(("--", *words) if words else ())]
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        command,
        cwd=person.home,
        env={**person.environ, "TERM": "xterm"},
        start_new_session=True,
        **options,
        **person.options,
    )


def command_lines() -> list[bytes]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:
            continue
    return found


def sleeping(mark: str) -> bool:
    return any(words == f"sleep\0{mark}\0".encode() for words in command_lines())

"""The output of tasks as it comes, whatever becomes of the connection and of the machine."""

from __future__ import annotations

import subprocess
import threading

import pytest

from tests.machines.ordinary import until
from tests.tasks.conftest import Cloud, Person

# Writes lines until it has written the last one, and is told that it is enough; where it was, a restart knows.
COUNTS = """
at=$(cat counted 2>/dev/null || echo 0)
echo "start at $at"
until [ "$at" -ge {last} ] && [ -e /etc/enough ]; do
    seq -f 'line %09.0f {filler}' $((at + 1)) $((at += {step}))
    echo "$at" >counted
    sleep {pause}
done
exit 3
"""


class Reader:
    """Reads what a command says, as it says it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.size = 0
        self.starts = 0
        self.pieces: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while piece := self.process.stdout.readline():
            self.pieces.append(piece)
            self.size += len(piece)
            self.starts += "start at" in piece  # behind half a line of the machine before, too

    def ended(self) -> tuple[int, str, str]:
        """Its exit status, its output, its errors."""
        assert self.process.stderr is not None
        said = self.process.stderr.read()
        self._thread.join()
        with self.process:
            return self.process.wait(), "".join(self.pieces), said


def kept(person: Person) -> str:
    (path,) = (person.home / ".local/state/flowc/output").rglob("*.log")
    return path.read_text()


def job(person: Person, *, last: int, step: int, pause: float, filler: str = "") -> str:
    return person.job(COUNTS.format(last=last, step=step, pause=pause, filler=filler))


def test_relocation_to_another_machine_with_the_same_disk(cloud: Cloud) -> None:
    follower = Reader(cloud.person.starts("submit", job(cloud.person, last=1000, step=50, pause=0.05), "--follow"))
    relocate(cloud, follower, 20_000)
    status, output, said = follower.ended()
    assert status == 3, said
    assert output == kept(cloud.person)
    goes_on_once(output)
    assert cloud.living() == []


@pytest.mark.slow
def test_relocation_to_a_machine_that_begins_anew(cloud: Cloud) -> None:
    follower = Reader(cloud.person.starts("submit", job(cloud.person, last=1000, step=50, pause=0.05), "--follow"))
    relocate(cloud, follower, 20_000, same_disk=False)
    status, output, said = follower.ended()
    assert status == 3, said
    # What the first machine had said last went with it.
    before, second = output.split("start at 0\n")[1:]
    first = before.rpartition("\n")[0]  # that machine may have gone away in the middle of a line
    assert numbers(first) == list(range(1, len(numbers(first)) + 1))
    assert f"start at 0\n{second}" == kept(cloud.person)
    assert numbers(second) == list(range(1, len(numbers(second)) + 1))


@pytest.mark.slow
def test_connections_that_are_cut(cloud: Cloud) -> None:
    follower = Reader(cloud.person.starts("submit", job(cloud.person, last=1000, step=50, pause=0.05), "--follow"))
    for size in (1, 10_000, 20_000):
        until(lambda: follower.size > size, "some output")  # noqa: B023
        for server in list(cloud.logins.servers.values()):
            server.cut()
    enough(cloud)
    status, output, said = follower.ended()
    assert status == 3, said
    assert numbers(output) == list(range(1, len(numbers(output)) + 1))
    assert output == kept(cloud.person)


@pytest.mark.slow
def test_a_hundred_megabytes_through_a_relocation(cloud: Cloud) -> None:
    text = job(cloud.person, last=1_000_000, step=20_000, pause=0.01, filler="z" * 90)
    follower = Reader(cloud.person.starts("submit", text, "--follow"))
    relocate(cloud, follower, 30_000_000)
    status, output, said = follower.ended()
    assert status == 3, said
    assert len(output) > 100_000_000
    assert output == kept(cloud.person)
    goes_on_once(output)


def relocate(cloud: Cloud, follower: Reader, size: int, *, same_disk: bool = True) -> None:
    """Once so much has come; the job then may end on the other machine."""
    until(lambda: follower.size > size or follower.process.poll() is not None, "some output")
    (bid,) = cloud.state.bids.values()
    if not same_disk:
        bid.disks.clear()
    cloud.state.relocate(bid)
    until(lambda: follower.starts > 1, "output of the other machine")
    enough(cloud)


def enough(cloud: Cloud) -> None:
    for machine in list(cloud.machines.running.values()):
        machine.put("/etc/enough", "")


def goes_on_once(output: str) -> None:
    """All numbers come in their order, but that the second start repeats those that had not been noted."""
    before, after = output.split("start at")[1:]
    whole, newline, half = before.rpartition("\n")
    first, second = numbers(whole + newline), numbers(after)
    assert first == list(range(1, len(first) + 1))
    # The machine went away in the middle of a line.
    assert f"line {first[-1] + 1:09d} ".startswith(half[:15])
    assert second == list(range(second[0], second[-1] + 1))
    assert second[0] <= first[-1] + 1


def numbers(output: str) -> list[int]:
    return [int(line.split()[1]) for line in output.splitlines() if line.startswith("line ")]


@pytest.mark.slow
def test_one_of_several_machines(cloud: Cloud) -> None:
    head = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8 --nodes=2 --time=10\n"
    done = cloud.person.types("submit", cloud.person.job("srun hostname\n", head=head), "--follow", "--keep")
    assert done.returncode == 0, done.stderr
    name = next(iter(cloud.state.bids.values())).name
    assert cloud.person.types("logs", name).stdout == done.stdout
    assert cloud.person.types("logs", name, "--node", "0").stdout == done.stdout
    assert cloud.person.types("logs", name, "--node", "1").stdout == ""
    missing = cloud.person.types("logs", name, "--node", "2")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "has 2 machines, 0 to 1" in missing.stderr
    assert cloud.person.types("logs", name, "--node", "first").returncode == 2
    cloud.person.types("cancel", name)


@pytest.mark.slow
def test_output_of_a_machine_that_is_gone(cloud: Cloud) -> None:
    done = cloud.person.types("submit", cloud.person.job("printf 'no end of line'\n"), "--follow")
    assert (done.returncode, done.stdout) == (0, "no end of line"), done.stderr
    name = next(iter(cloud.state.bids.values())).name
    assert cloud.person.types("logs", name).stdout == "no end of line"
    assert cloud.person.types("logs", "-f", name).stdout == "no end of line"


@pytest.mark.slow
def test_errors_in_a_file_of_their_own(cloud: Cloud) -> None:
    head = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 -o out.txt -e err.txt\n"
    done = cloud.person.types("submit", cloud.person.job("echo out; echo err >&2\n", head=head), "--follow", "--keep")
    assert (done.returncode, done.stdout) == (0, "out\n"), done.stderr
    name = next(iter(cloud.state.bids.values())).name
    assert cloud.person.types("logs", "--stderr", name).stdout == "err\n"
    cloud.person.types("cancel", name)
    done = cloud.person.types("submit", cloud.person.job("echo out; echo err >&2\n", head=head), "--follow")
    name = list(cloud.state.bids.values())[-1].name
    assert cloud.person.types("logs", "--stderr", name).stdout == "err\n"
    assert cloud.person.types("logs", name).stdout == "out\n"


def test_errors_of_a_local_task(here: Person) -> None:
    head = "#!/bin/bash\n#SBATCH --time=10 -o out.txt -e err.txt\n"
    done = here.types("submit", here.job("echo out; echo err >&2\n", head=head), "--provider", "local", "--follow")
    assert (done.returncode, done.stdout) == (0, "out\n"), done.stderr
    name = here.types("list", "--all", "--provider", "local").stdout.splitlines()[1].split()[0]
    told = here.types("logs", "--stderr", name)
    assert (told.stdout, told.stderr) == ("err\n", "")
    assert here.types("logs", name).stdout == "out\n"
    here.types("submit", here.job("echo out; echo err >&2\n", name="both.sbatch"), "--provider", "local", "--follow")
    told = here.types("logs", "--stderr", "both")
    assert (told.stdout, "nothing in a file for errors alone" in told.stderr) == ("", True)

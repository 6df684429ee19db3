"""Runs on the head of a job: starts the steps of one set after the other, and says which ran at once and where.

`python3 driver.py SETS`, SETS being `SET:COUNT,…` of a set and its number of steps. The steps themselves are
functions of the job's script, which starts the one whose name it reads (see bodies.py). Nothing here waits for a
time: a step that was started is running (each of its tasks has said so), waiting (srun has said so) or has ended; a
step that waited is asked again when another has given back what it had, and then runs or says that it still waits. So
the answers are the same on a slow machine. Prints a line for each event.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time

PATIENCE_S = 60.0
# What srun says on a rented machine each time that it has to wait; a real one says so only later.
WAITING = re.compile(r"step creation (?:temporarily|still) disabled")
RENTED = os.path.exists("/var/lib/foundry/flowc")
POLL_S = 0.02


class Step:
    """One step: what it has said, how often it was told to wait, how it ended."""

    def __init__(self, name: str) -> None:
        self.name = name
        for stream in ("in", "out", "err"):
            os.mkfifo(f"{name}.{stream}")
        os.write(commands, f"{name}\n".encode())
        # In the order in which the script opens them.
        self.feed = os.open(f"{name}.in", os.O_WRONLY)
        self.streams = {os.open(f"{name}.out", os.O_RDONLY): b"", os.open(f"{name}.err", os.O_RDONLY): b""}
        self.out, self.err = self.streams
        self.waits, self.status, self.limit = 0, "", 0.0
        self.closed: set[int] = set()

    def listen(self) -> None:
        """Reads until something may be known that was not, for a minute at most."""
        ready = select.select([stream for stream in self.streams if stream not in self.closed], [], [], POLL_S)[0]
        for stream in ready:
            data = os.read(stream, 65536)
            self.streams[stream] += data
            if not data:
                self.closed.add(stream)
        said = self.streams[self.err].decode()
        if ended := re.search(r"(?m)^exit (\d+)$", said):
            self.status = ended[1]
        elif not ready:
            # A real controller takes note of a step that waits, and forgets it when it has the step asked again.
            self.waits = len(WAITING.findall(said)) if RENTED else int("TDB" in steps())
            if time.monotonic() > self.limit:
                raise TimeoutError(self.name)

    def lines(self) -> list[str]:
        return sorted(line for line in self.streams[self.out].decode().split("\n") if line)

    def runs(self) -> bool:
        lines = self.lines()
        return bool(lines) and len(lines) == int(re.findall(r"of=(\d+)", lines[0])[0])

    def place(self) -> list[str]:
        return [re.sub(r" step=\d+", "", line) for line in self.lines()]

    def decide(self) -> str:
        """Until it runs, has ended, or has been told to wait."""
        before = self.waits if RENTED else 0
        self.waits, self.limit = before, time.monotonic() + PATIENCE_S
        while not self.status and not self.runs() and self.waits <= before:
            self.listen()
        return "runs" if self.runs() else "ended" if self.status else "waits"

    def release(self) -> None:
        """Lets its tasks end, until what they had is free."""
        os.close(self.feed)
        self.limit = time.monotonic() + PATIENCE_S
        while not self.status:
            self.listen()
        number = re.findall(r"step=(\d+)", self.lines()[0])[0]
        while not RENTED and number in steps():
            time.sleep(POLL_S)
        for stream in self.streams:
            os.close(stream)

    def end(self) -> None:
        """Makes an srun that waits give up."""
        for process in filter(str.isdigit, os.listdir("/proc")):
            if is_srun(process, self.name):
                os.kill(int(process), signal.SIGTERM)
        self.limit = time.monotonic() + PATIENCE_S
        while not self.status:
            self.listen()


def is_srun(process: str, step: str) -> bool:
    try:
        with open(f"/proc/{process}/environ") as text, open(f"/proc/{process}/comm") as name:
            return name.read() == "srun\n" and f"FLOWC_TEST={step}\0" in text.read()
    except OSError:
        return False


def steps() -> list[str]:
    """The numbers of the steps that a real controller knows; one that waits has the name TDB."""
    text = subprocess.run(("scontrol", "-o", "show", "step"), capture_output=True, text=True, check=True).stdout
    return re.findall(r"(?m)^StepId=\d+\.(\w+)", text)


def tell(**event: object) -> None:
    print(json.dumps(event), flush=True)


def faults(step: Step) -> list[str]:
    """What srun said was wrong."""
    said = step.streams[step.err].decode()
    lines = re.findall(r"(?m)^srun: ((?:error|fatal): .*)$", said)
    return [re.sub(r"\b(?:job |StepId=)\d{6,}(?:\.\d+)?", "JOB", line) for line in lines]


def run(name: str, count: int) -> None:
    running: list[Step] = []

    def told(step: Step, what: str) -> None:
        if what == "runs":
            running.append(step)
            tell(set=name, step=step.name, runs=step.place(), beside=[each.name for each in running[:-1]])
        elif what == "ended":
            tell(set=name, step=step.name, ended=step.status, said=faults(step))
        else:
            tell(set=name, step=step.name, waits=True, beside=[each.name for each in running])

    try:
        for number in range(count):
            step = Step(f"s{name}_{number}")
            told(step, found := step.decide())
            while found == "waits" and running:
                running.pop(0).release()
                told(step, found := step.decide())
            if found == "waits":
                raise TimeoutError
    except TimeoutError:
        # Nothing else runs, or nobody says anything: it waits for ever.
        tell(set=name, step=step.name, hangs=True)
        step.end()
    for step in running:
        step.release()


if __name__ == "__main__":
    commands = os.open("commands", os.O_WRONLY)
    for part in sys.argv[1].split(","):
        run(part.split(":")[0], int(part.split(":")[1]))
    os.close(commands)

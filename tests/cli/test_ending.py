"""How a process of the command line ends: at once when all is written, and not before others have done what they have
to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
JOB = str(ROOT / "corpus" / "slurm" / "train-8-gpus" / "input.sbatch")
# Python 3.12 has another way to look on.
MONITORED = "sys.monitoring.use_tool_id(1, 'me')" if sys.version_info >= (3, 12) else "sys.settrace(lambda *_: None)"
LAUNCHER = """\
import os, sys
{before}
from flowc.cli import main
if __name__ == "__main__":
    {call}
"""


def ended(folder: Path, before: str = "", call: str = "sys.exit(main())", name: str = "flowc") -> tuple[str, bool]:
    """What it says last, and whether Python took the process apart."""
    (folder / name).write_text(LAUNCHER.format(before=before, call=call))
    done = subprocess.run(
        [sys.executable, "-v", str(folder / name), "--version"],
        env={"PYTHONPATH": str(ROOT), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    version, _, said = done.stdout.partition("\n")
    assert version.startswith("flowc ")
    return said, "# cleanup" in done.stderr


def test_the_command_ends_at_once(tmp_path: Path) -> None:
    assert ended(tmp_path) == ("", False)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("import atexit; atexit.register(os.write, 1, b'called')", "called"),
        (
            "import threading, time\n"
            "threading.Thread(target=lambda: (time.sleep(0.2), os.write(1, b'waited'))).start()",
            "waited",
        ),
        ("sys.settrace(lambda *_: None)", ""),
        ("sys.setprofile(lambda *_: None)", ""),
        (MONITORED, ""),
    ],
    ids=["atexit", "thread", "debugger", "profiler", "monitoring"],
)
def test_whoever_has_something_to_do_at_the_end_does_it(before: str, said: str, tmp_path: Path) -> None:
    assert ended(tmp_path, before) == (said, True)


def test_a_program_of_others_goes_on(tmp_path: Path) -> None:
    assert ended(tmp_path, name="other", call="main(); os.write(1, b'goes on')") == ("goes on", True)
    inner = "def start():\n        main(); os.write(1, b'goes on')\n    start()"
    assert ended(tmp_path, name="other", call=inner) == ("goes on", True)


@pytest.mark.parametrize("words", [["check", JOB], ["compile", JOB], ["explain", "FC101"], ["--help"]], ids=" ".join)
def test_what_cannot_be_written_is_told(words: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flowc", *words]
    environ = {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    whole = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True).stdout
    assert whole.endswith(b"\n")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, env=environ, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, b"no space left on device" in done.stderr) == (4, True)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(command, env=environ, stdout=writer, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writer)
    assert done.returncode == 141

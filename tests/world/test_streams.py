"""Standard streams that are closed, or full: no command shows an internal mistake, or loses a task."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.mithril.server import Server
from tests.some import some
from tests.tasks.conftest import Person

STREAMS = ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>&1"]
# What a shell says of a status that is ours: 0 to 4, 125 where it is the job's.
OURS = (0, 1, 2, 4, 125)


def types(person: Person, words: str, streams: str) -> subprocess.CompletedProcess[str]:
    command = f"{sys.executable} -B -m flowc {words} {streams}"
    return subprocess.run(
        ["sh", "-c", command], cwd=person.home, env=person.environ, capture_output=True, text=True, timeout=600,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("streams", some(STREAMS, ">/dev/full", "<&- >&- 2>&-"))
def test_commands_that_show(there: Person, streams: str) -> None:
    there.types("submit", there.job("true\n"))
    for words in ("list", "status", "status job-sbatch", "doctor", "check job.sbatch", "compile job.sbatch",
                  "logs job-sbatch", "submit --help"):  # fmt: skip
        done = types(there, words, streams)
        assert done.returncode in OURS, (words, done)
        assert "internal error" not in done.stderr
        if ">/dev/full" in streams.split() and words in ("list", "status", "compile job.sbatch", "submit --help"):
            assert done.returncode == 4, (words, done)


@pytest.mark.parametrize("streams", some(STREAMS, ">/dev/full", "<&- >&- 2>&-"))
def test_a_submission_is_made_once_and_ended(there: Person, provider: Server, streams: str) -> None:
    """What cannot be said does not keep it from its end."""
    there.job("true\n")
    done = types(there, "submit job.sbatch", streams)
    assert done.returncode in (0, 4), done
    assert len(provider.state.live_bids()) == 1
    (bid,) = provider.state.live_bids()
    assert there.types("submit", "--resume").returncode == 0
    done = types(there, "submit job.sbatch", streams)  # it is not asked whether once more is meant
    assert done.returncode in (2, 4), done
    assert provider.state.live_bids() == [bid]
    done = types(there, f"cancel {bid.name}", streams)
    assert done.returncode == 0, done
    assert provider.state.live_bids() == []


@pytest.mark.parametrize("streams", some(STREAMS, ">/dev/full", "<&- >&- 2>&-"))
def test_a_job_on_this_computer_ends(here: Person, streams: str) -> None:
    command = f"{here.program} -B -m flowc run 'echo hello; exit 3' --provider local {streams}"
    process = subprocess.Popen(
        ["sh", "-c", command], cwd=here.home, env=here.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, **here.options,  # type: ignore[call-overload]
    )  # fmt: skip
    _, err = process.communicate(timeout=600)
    # 125: its output could not be shown.
    assert process.returncode in (3, 125), err
    assert "internal error" not in err


def test_nothing_is_read_from_or_written_to_what_takes_the_place_of_a_closed_stream(there: Person) -> None:
    """The journal would be the next file that is opened."""
    there.job("true\n")
    types(there, "submit job.sbatch", "<&- >&- 2>&-")
    journal = there.home / ".local" / "state" / "flowc" / "journal.sqlite"
    assert journal.read_bytes().startswith(b"SQLite format 3")
    assert there.types("submit", "--resume").returncode == 0

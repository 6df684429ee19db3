"""`flowc sbatch`, as scripts call it that call sbatch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowc.frontends.slurm.words.called import called
from tests.tasks.conftest import Person

# As research groups have it: numbers from --parsable, and cut out of what sbatch says.
PIPELINE = r"""#!/bin/bash
set -e
first=$(sbatch --parsable prepare.sbatch 3)
second=$(sbatch --dependency=afterok:$first train.sbatch | awk '{print $4}')
for seed in 1 2; do
    last=$(sbatch --export=SEED=$seed -d afterok:$second -J eval$seed eval.sbatch | grep -oE '[0-9]+$')
    list=$list:$last
done
sbatch --wait -d "afterany$list" --gpus=h100:8 -t 10 --wrap "echo all of $first"
sbatch -d afternotok:$first --gpus=h100:8 -t 10 -J clean --wrap "echo never"
"""
FUNCTION = 'sbatch() { flowc sbatch "$@"; }; export -f sbatch; bash pipeline.sh'


def without_nonces(text: str) -> str:
    return re.sub(r"-[a-z][a-z0-9]{7}\b", "", text)


@pytest.fixture
def researcher(here: Person) -> Person:
    """Somebody whose `flowc` is in PATH, with a pipeline."""
    here.environ["FLOW_PROVIDER"] = "local"
    bin = here.home / "bin"
    bin.mkdir()
    (bin / "flowc").write_text(f'#!/bin/sh\nexec {here.program} -B -m flowc "$@"\n')
    (bin / "flowc").chmod(0o755)
    here.environ["PATH"] = f"{bin}:{here.environ['PATH']}"
    for name, text in (("prepare", "echo data $1\n"), ("train", "echo model\n"), ("eval", "echo score $SEED\n")):
        here.job(text, f"{name}.sbatch")
    (here.home / "pipeline.sh").write_text(PIPELINE)
    return here


def test_a_script_that_calls_sbatch_runs_as_it_is(researcher: Person) -> None:
    done = researcher.runs("bash", "-c", FUNCTION)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [re.sub("[0-9]+", "N", line) for line in lines] == ["Submitted batch job N", "Submitted batch job N"]
    last = lines[0].split()[-1]
    assert re.fullmatch("all of [0-9]+\n", researcher.types("logs", last).stdout)
    tree = without_nonces(researcher.types("list", "--tree", "--all").stdout)
    for line in (
        "prepare-sbatch  completed",
        "|- train-sbatch  completed",
        "|  |- eval1  completed",
        "clean  can never start",
    ):
        assert line in tree
    assert "1 of" not in done.stderr


def test_the_number_is_the_jobs_own(researcher: Person) -> None:
    """Of the same script, submitted twice, each knows itself by another."""
    researcher.job("echo $SLURM_JOB_ID $SLURM_ARRAY_JOB_ID\n", "me.sbatch")
    numbers = [researcher.types("sbatch", "--parsable", "-W", "me.sbatch").stdout.split()[0] for _ in range(2)]
    assert len(set(numbers)) == 2
    for number in numbers:
        assert researcher.types("logs", number).stdout == f"{number}\n"
        assert "completed" in researcher.types("status", number).stdout
    done = researcher.types("sbatch", "--parsable", "-W", "--array=4,7", "me.sbatch")
    number = int(done.stdout.split()[0])
    said = sorted(re.findall(r"[0-9]+ [0-9]+$", researcher.types("logs", str(number)).stdout, re.MULTILINE))
    assert said == [f"{number + 1} {number}", f"{number + 2} {number}"]
    both = researcher.types("submit", "me.sbatch", "eval.sbatch", "--provider", "local", "--follow", "--force-new")
    assert both.returncode == 0, both.stderr
    assert len(re.findall(r"(?m)^me-sbatch-\w+: [0-9]{3,}$", both.stdout)) == 1
    assert len(re.findall(r"(?m): [0-9]{3,}$", both.stdout)) == 1


def test_a_file_called_sbatch_does_the_same(researcher: Person) -> None:
    """For drivers in other languages."""
    place = researcher.home / "bin" / "sbatch"
    place.write_text('#!/bin/sh\nexec flowc sbatch "$@"\n')
    place.chmod(0o755)
    call = "import subprocess; print(subprocess.run(['sbatch', '-W', 'eval.sbatch'], capture_output=True).stdout)"
    done = researcher.runs(researcher.program, "-c", call)
    assert re.fullmatch(r"b'Submitted batch job [0-9]+\\n'\n", done.stdout), done.stderr


def test_what_sbatch_refuses_and_a_script_from_standard_input(researcher: Person) -> None:
    unknown = researcher.types("sbatch", "--nope", "eval.sbatch")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "unknown option `--nope`" in unknown.stderr
    assert researcher.types("sbatch", "--nope").returncode == 2
    alone = researcher.types("sbatch", "-d", "afterok:12345", "eval.sbatch")
    assert (alone.returncode, "none of yours has that number" in alone.stderr) == (2, True)
    piped = researcher.runs("bash", "-c", "printf '#!/bin/sh\nexit 5\n' | flowc sbatch -W --gpus=h100:8 -t5")
    assert piped.returncode == 5, piped.stderr
    again = [researcher.types("sbatch", "--parsable", "eval.sbatch").stdout for _ in range(2)]
    assert len(set(again)) == 2  # each call submits
    assert researcher.types("sbatch", "--test-only", "--parsable", "eval.sbatch").returncode == 0


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("a.sh", 0),
        ("-N 2 -d afterok:1 a.sh -x --wrap", 4),
        ("--nodes=2 --exclusive a.sh", 2),
        ("-N2 -- a.sh", 2),
        ("-N1 : -N2 a.sh : 5", 3),
        ("--wrap=x", None),
        ("-N2", None),
        ("", None),
        ("--nope=1 a.sh", 1),
        ("--nope", -1),
    ],
)
def test_which_word_is_the_script(line: str, at: int | None) -> None:
    assert called(line.split()).script == at


@pytest.mark.parametrize(
    ("line", "how", "others"),
    [
        ("--parsable -W -N2 a.sh --wait", "parsable wait", "-N2"),
        ("--test -N2 a.sh", "dry_run", "-N2"),  # as getopt takes what is cut short
        ("--comment --wait a.sh", "", "--comment --wait"),  # its value
        ("-HW a.sh", "wait", "-HW"),
        ("--wait : -N2 --parsable a.sh", "parsable wait", ": -N2"),
        ("--wrap=x --wait", "wait", "--wrap=x"),
    ],
)
def test_words_that_say_how_are_taken_out(line: str, how: str, others: str) -> None:
    found = called(line.split())
    assert (sorted(found.how), found.others) == (how.split(), tuple(others.split()))


def test_who_gives_a_script_that_submits_others_is_told(tmp_path: Path) -> None:
    import flowc

    said = flowc.check(PIPELINE, path="my pipeline.sh")
    (found,) = [each for each in said.diagnostics if each.code.name == "command-refused"]
    assert found.help == (
        'it submits jobs itself? run it here: sbatch() { flowc sbatch "$@"; }; export -f sbatch; bash '
        "'my pipeline.sh'"
    )

"""What is said about slips: help, fixes that can be trusted, and silence where nothing is wrong."""

from __future__ import annotations

import pytest

import flowc
from flowc.diag.sink import Diagnostic
from flowc.inputs import Inputs

FRONT = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=1:00:00\n"


def findings(script: str) -> list[Diagnostic]:
    return [each for each in flowc.check(script.encode("utf-8", "surrogateescape")).diagnostics]


def of(line: str, body: str = "hostname\n") -> list[Diagnostic]:
    """What is found in one more directive line, from reading and linting alone (FC1xx)."""
    return [each for each in findings(f"{FRONT}{line}\n{body}") if each.code.id < "FC160"]


def codes(line: str, body: str = "hostname\n") -> list[str]:
    return [each.code.id for each in of(line, body)]


def mended(script: str, diagnostic: Diagnostic) -> str:
    assert diagnostic.fix is not None, (diagnostic.message, diagnostic.help)
    for edit in sorted(diagnostic.fix.edits, key=lambda edit: -edit.span.start):
        script = script[: edit.span.start] + edit.text + script[edit.span.end :]
    return script


# A line with one mistake; what its fix makes of it.
FIXED = {
    "#SBATCH --nodes\u00a02": "#SBATCH --nodes 2",
    "#SBATCH --nodes\u200b2": "#SBATCH --nodes 2",
    "#SBATCH --mem=8G\u00a0": "#SBATCH --mem=8G",
    "#SBATCH --mem=8G\u200b": "#SBATCH --mem=8G",
    "#SBATCH --mem=8G\u3000--nodes=1": "#SBATCH --mem=8G --nodes=1",
    "#SBATCH\u00a0--mem=8G": "#SBATCH --mem=8G",
    "#SBATCH\u200b --mem=8G": "#SBATCH --mem=8G",
    "#SBATCH --account=lab\u00a0": "#SBATCH --account=lab",
    "#SBATCH \u2014nodes=2": "#SBATCH --nodes=2",
    "#SBATCH \u2013\u2013nodes=2": "#SBATCH --nodes=2",
    "#SBATCH \u2013J x": "#SBATCH -J x",
    "#SBATCH \u2014J x": "#SBATCH -J x",
    "#SBATCH \u2212N 2": "#SBATCH -N 2",
    "#SBATCH -\u2013nodes=2": "#SBATCH --nodes=2",
    "#SBATCH \uff0d\uff0dnodes\uff1d2": "#SBATCH --nodes=2",
    "#SBATCH --cpus\u2011per\u2011task=2": "#SBATCH --cpus-per-task=2",
    "#SBATCH --array=1\u20134": "#SBATCH --array=1-4",
    "#SBATCH --job-name=\u201cmy job\u201d": '#SBATCH --job-name="my job"',
    "#SBATCH --nodes=1 // one node": "#SBATCH --nodes=1 # one node",
    "#SBATCH --mem=4 GB": "#SBATCH --mem=4G",
    "#SBATCH --mem-per-gpu=16 g": "#SBATCH --mem-per-gpu=16G",
    "#SBATCH --exclusive user": "#SBATCH --exclusive=user",
    "#SBATCH --nodes = 2": "#SBATCH --nodes=2",
    "#SBATCH --nodes= 2": "#SBATCH --nodes=2",
    "#SBATCH --nodes =2": "#SBATCH --nodes=2",
    "#SBATCH nodes=2": "#SBATCH --nodes=2",
    "#SBATCH --mail-type=BEGIN, END, FAIL": "#SBATCH --mail-type=BEGIN,END,FAIL",
    "#SBATCH -time-min 10:0:0": "#SBATCH --time-min 10:0:0",
    "#SBATCH -output x": "#SBATCH --output x",
    "#SBATCH --walltime=1:00:00": "#SBATCH --time=1:00:00",
    "#SBATCH --queue gpu": "#SBATCH --partition gpu",
    "#SBATCH --email=me@lab": "#SBATCH --mail-user=me@lab",
    "#SBATCH --memory=8G": "#SBATCH --mem=8G",
    "#SBATCH --cpus=8": "#SBATCH --cpus-per-task=8",
    "#SBATCH --workdir=/x": "#SBATCH --chdir=/x",
    "#SBATCH --share": "#SBATCH --oversubscribe",
    "#SBATCH -o=out": "#SBATCH -o out",
    "#SBATCH -N=2": "#SBATCH -N 2",
    "#SBATCH -k=off": "#SBATCH -koff",
    "#SBATCH: --mem=8G": "#SBATCH --mem=8G",
    "#SBACTH --mem=8G": "#SBATCH --mem=8G",
    "#SBTACH --mem=8G": "#SBATCH --mem=8G",
    "#SBATH --mem=8G": "#SBATCH --mem=8G",
    "#BATCH -N 2": "#SBATCH -N 2",
    "#SBACTH: -N 2": "#SBATCH -N 2",
    " #SBATCH --mem=8G": "#SBATCH --mem=8G",
}


@pytest.mark.parametrize("line", FIXED)
def test_one_finding_and_its_fix(line: str) -> None:
    script = f"{FRONT}{line}\nhostname\n"
    (found,) = of(line)
    assert mended(script, found).splitlines()[2].rstrip() == FIXED[line]
    assert "`\u00a0`" not in str(found.help)


@pytest.mark.parametrize("line", sorted({*FIXED.values()}))
def test_a_mended_line_is_fine(line: str) -> None:
    assert [each for each in codes(line) if each not in ("FC137", "FC110")] == []


HELPED = {
    "#SBATCH --job-name=my job": '`--job-name="my job"`',
    "#SBATCH --job-name=<a b>": "`--fill 'a b=VALUE'` puts a value there",
    "#SBATCH -J {{ name }}": "`{{ name }}` looks like a placeholder that was never filled in: `--fill 'name=VALUE'`",
    "#SBATCH --nodes=${NODES}": "`--fill 'NODES=VALUE'`",
    "#SBATCH --nodes=!NODES": "`!NODES` looks like a placeholder that was never filled in",
    "#SBATCH --ntasks={n}": "`{n}` looks like a placeholder that was never filled in",
    "#SBATCH --time=##TIME##": "begins a comment",
    "#SBATCH -J my job": '`-J "my job"`',
    "#SBATCH --hold now": "`--hold` takes no value",
    "#SBATCH --time=1 hour": "comments begin with `#`",
    "#SBATCH --gpu=2": "`--gpus` or `--gpus-per-node`",
    "#SBATCH --mem=4": "for 4 GiB write `4G`",
    "#SBATCH \u2014nodes=two": "U+2014, an em dash",
}


@pytest.mark.parametrize("line", HELPED)
def test_help(line: str) -> None:
    found = [each for each in of(line) if each.code.id != "FC136"]
    assert HELPED[line] in str(found[0].help)
    assert len(found) == 1
    assert found[0].fix is None


def test_what_stands_in_the_place_of_a_value() -> None:
    (empty,) = of("#SBATCH --nodes=")
    assert empty.message == "value of `--nodes`: it is empty, expected `-` or a number"
    taken = findings("#!/bin/bash\n#SBATCH -t \n#SBATCH -N 2\nhostname\n")
    assert {each.help for each in taken} == {"`-t` on line 2 has no value, so sbatch takes `-N` of line 3 for it"}


def test_letters_for_mail_of_pbs_are_events() -> None:
    assert "FC151" not in [each.code.id for each in findings("#!/bin/bash\n#PBS -m abe\nhostname\n")]


def test_a_placeholder_says_how_it_is_filled() -> None:
    (found,) = of("#SBATCH --account=<project>")
    assert found.help == "`--fill NAME=VALUE` puts a value there"


def test_every_line_of_strays_is_reported_by_itself() -> None:
    lines = [
        "\u2014account=icts",
        "\u2014partition=gpu",
        "--exclusive user",
        "--nodes=1 foo bar",
        "--nosuch",
        "word",
        "-N 2",
    ]
    script = FRONT + "".join(f"#SBATCH {line}\n" for line in lines) + "hostname\n"
    found = [each for each in findings(script) if each.severity == "error"]
    assert [each.span.line for each in found if each.span] == [3, 4, 5, 6, 7, 8]
    assert all("\n" not in each.span.text for each in found if each.span)


@pytest.mark.parametrize(
    "line", ["#SBATCHING -is fun", "# SBACTH x", "#MATCH --mem=8G", "#BSUB -n 4", "#PBS -N x", "#BATCHES --of things"]
)
def test_ordinary_comments_are_left_alone(line: str) -> None:
    assert "FC154" not in codes(line)


def test_one_finding_for_a_block_behind_the_first_command() -> None:
    script = "#!/bin/bash\nmodule load x\n\n#SBATCH --gpus=h100:8\n#SBATCH --time=1:00:00\n# why\n#SBATCH -N1\ntrue\n"
    (found,) = [each for each in findings(script) if each.code.id == "FC130"]
    assert "these 3 directives (lines 4-5, 7)" in found.message
    assert mended(script, found) == (
        "#!/bin/bash\n#SBATCH --gpus=h100:8\n#SBATCH --time=1:00:00\n#SBATCH -N1\nmodule load x\n\n# why\ntrue\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        "a\n#SBATCH --time=5\n",  # given above
        "a\n#SBATCH --nosuch=5\n",
        "a\n#SBATCH --mem=8G\nb\n#SBATCH -N1\n",  # in two places
    ],
)
def test_no_fix_where_it_is_not_certain(body: str) -> None:
    (found,) = [each for each in findings(FRONT + body) if each.code.id == "FC130"]
    assert found.fix is None


def test_one_finding_for_lines_that_are_all_indented() -> None:
    script = "#!/bin/bash\n" + "".join(f"  #SBATCH {line}\n" for line in ("-N1", "--gpus=8", "-t 1:00:00")) + "true\n"
    (found,) = [each for each in findings(script) if each.code.id == "FC131"]
    assert "these 3 lines (lines 2-4)" in found.message
    assert mended(script, found) == script.replace("  #", "#")


@pytest.mark.parametrize("value", ["8:00", "2:00", "0:30", "1:30", "24:00", "48:00", "72:00", "12:00"])
def test_minutes_that_may_be_hours(value: str) -> None:
    assert codes(f"#SBATCH --time-min={value}") == ["FC133"]


@pytest.mark.parametrize("comment", ["# hh:mm:ss", "# 10 hours", "# time in H:M"])
def test_round_minutes_beside_which_hours_are_named(comment: str) -> None:
    assert codes(f"#SBATCH --time-min=10:00  {comment}") == ["FC133"]
    assert codes("#SBATCH --time-min=10:00  # more than enough") == []


@pytest.mark.parametrize("value", ["30:00", "60:00", "90:00", "45:00", "1:30:00", "10", "10:00", "05:00", "15:00"])
def test_minutes_that_are_minutes(value: str) -> None:
    assert codes(f"#SBATCH --time-min={value}") == []


def test_both_readings_are_named() -> None:
    (found,) = of("#SBATCH --time-min=2:00")
    assert found.message == "`2:00` is 2 min to Slurm, not 2 h"
    assert found.help == "for 2 h write `2:00:00`; if 2 min is meant, `2` says so plainly"


NO_ECHO = {
    "#SBATCH -o=outputs/x": ["FC132"],
    "#SBATCH -output=logs/x": ["FC135"],
    "#SBATCH -time 10:0:0": ["FC103"],
    "#SBATCH -c=2": ["FC108"],
}


@pytest.mark.parametrize("line", NO_ECHO)
def test_no_echo_of_a_mistake(line: str) -> None:
    assert codes(line, "./run $SLURM_CPUS_PER_TASK\n" if "-c" in line else "hostname\n") == NO_ECHO[line]


BAD_VALUES = {
    "#SBATCH --gres=gpu:A100.80gb:<N>": "--gres",
    "#SBATCH --hint=foo": "--hint",
    "#SBATCH -w n[1-100000]": "--nodelist",
    "#SBATCH --propagate=FOO": "--propagate",
}


@pytest.mark.parametrize("line", BAD_VALUES)
def test_a_bad_value_is_no_conflict(line: str) -> None:
    (found,) = [each for each in of(line) if each.severity == "error"]
    assert found.code.id == "FC108"
    assert found.message.startswith(f"value of `{BAD_VALUES[line]}`")


def test_environment_is_named_for_its_bad_values() -> None:
    result = flowc.check(FRONT + "true\n", Inputs(environ=(("SLURM_HINT", "foo"),)))
    (found,) = [each for each in result.diagnostics if each.severity == "error"]
    assert (found.code.id, found.message.split(":")[0]) == ("FC108", "value of `SLURM_HINT`")
    result = flowc.check(FRONT + "true\n", Inputs(environ=(("SLURM_HOSTFILE", "foo"),)))
    assert [each.code.id for each in result.diagnostics if each.severity == "error"] == ["FC113"]


def test_a_conflict_marks_the_options_concerned() -> None:
    (found,) = [each for each in of("#SBATCH --gpus-per-socket=h100:4") if each.code.id == "FC109"]
    assert found.span is not None
    assert found.span.text == "--gpus-per-socket=h100:4"
    assert found.notes == ()


@pytest.mark.parametrize("use", ["echo '$SLURM_NTASKS'", "echo \\$SLURM_NTASKS", "awk '{print \"$SLURM_NTASKS\"}'"])
def test_a_variable_that_the_shell_does_not_expand(use: str) -> None:
    assert codes("", f"{use}\n") == []


@pytest.mark.parametrize("use", ["./a $SLURM_NTASKS", './a "it\'s $SLURM_NTASKS"', "./a \\\\$SLURM_NTASKS"])
def test_a_variable_that_is_never_set(use: str) -> None:
    assert codes("", f"{use}\n") == ["FC141"]


SITE = {
    "cd $SCRATCH/x\n": ["FC162"],
    'cp a "${SLURM_TMPDIR}/"\ncp b $SLURM_TMPDIR\n': ["FC162"],
    "ls $SCRATCH $WORK\n": ["FC162", "FC162"],
    "cd ${SCRATCH:-/tmp}\nls $SCRATCH\n": [],
    "export SCRATCH=/x\ncd $SCRATCH\n": [],
    "for WORK in a b; do ls $WORK; done\n": [],
    "[ -n $SCRATCH ] && cd $SCRATCH\n": [],
    "# cd $SCRATCH\nls $SCRATCH_DIR '$WORK' $WORKDIR\n": [],
}


@pytest.mark.parametrize("body", SITE)
def test_a_variable_of_a_cluster(body: str) -> None:
    ids = [each.code.id for each in findings(FRONT + body)]
    assert [each for each in ids if each == "FC162"] == SITE[body]
    exported = findings(f"{FRONT}#SBATCH --export=SCRATCH=/a,WORK=/b,SLURM_TMPDIR=/c\n{body}")
    assert "FC162" not in [each.code.id for each in exported]


@pytest.mark.parametrize(
    "value",
    [
        "REPLACE_WITH_YOUR_ALLOCATION",
        "partition_of_your_choice",
        "CHANGEME",
        "REPLACE_ME",
        "/path/to/x",
        "%s",
        "a-%d",
        "your_account",
        "def-your_pi",
        "<x>",
        "{{account}}",
        "XXXX",
        "FILL_IN",
    ],
)
def test_placeholder(value: str) -> None:
    assert codes(f"#SBATCH --account={value}") == ["FC136"]


@pytest.mark.parametrize(
    "value",
    [
        "changeover",
        "yourself",
        "replacement",
        "pathto",
        "100%",
        "settings_in",
        "EDITH",
        "INSERT",
        "a%4",
        "SETI",
        "youri_x",
    ],
)
def test_no_placeholder(value: str) -> None:
    assert codes(f"#SBATCH --account={value}") == []


def test_patterns_of_file_names_are_no_placeholders() -> None:
    assert codes("#SBATCH --output=%s-%j.log") == []


@pytest.mark.parametrize(
    ("value", "good"),
    [("x", True), ("0", True), ("", True), ("3", True), ("1x", True), ("yes", False), ("-1", False), ("9" * 20, False)],
)
def test_sbatch_debug(value: str, good: bool) -> None:
    # sbatch resets a flag that is not set by its variable; one that is must be a number here.
    errors = [
        each
        for each in flowc.check(FRONT + "true\n", Inputs(environ=(("SBATCH_DEBUG", value),))).diagnostics
        if each.severity == "error"
    ]
    assert [each.code.id for each in errors] == ([] if good else ["FC108"])


def test_components_are_bounded() -> None:
    most = findings("#!/bin/bash\n#SBATCH -N1\n" + "#SBATCH hetjob\n" * 127 + "true\n")
    assert "FC119" not in [each.code.id for each in most]
    more = findings("#!/bin/bash\n#SBATCH -N1\n" + "#SBATCH hetjob\n" * 200 + "true\n")
    assert [(each.code.id, each.span and each.span.line) for each in more if each.severity == "error"] == [
        ("FC119", 130)
    ]


def test_one_finding_for_all_misspelt_lines() -> None:
    script = "#!/bin/bash\n#SBACTH --gpus=8\n#SBACTH -t 1:00:00\ntrue\n"
    (found,) = [each for each in findings(script) if each.code.id == "FC154"]
    assert found.message == "these 2 lines are comments to Slurm (lines 2-3): `#SBATCH` was meant"
    assert mended(script, found) == script.replace("SBACTH", "SBATCH")


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("--gres=gpus:8", "GPUs are called `gpu`: `gpu:8`"),
        ("--gres=GPU:h100:8", "GPUs are called `gpu`: `gpu:h100:8`"),
        ("--gres=gpu:8:h100", "the count comes last: `gpu:h100:8`"),
        ("--gpus=8:h100", "the count comes last: `h100:8`"),
        ("--gres=tmp:1,gpu:8:a100", "the count comes last: `gpu:a100:8`"),
        ("--gpus-per-node=8:h100:9", None),
        ("--gres=gpu:x:8:h100", None),
        ("--gres=licence:8", None),
    ],
)
def test_gpus_in_the_wrong_words(line: str, help: str | None) -> None:
    found = findings(f"#!/bin/bash\n#SBATCH --time=1:00:00 {line}\nhostname\n")
    told = [each.help for each in found if each.code.name in ("bad-value", "gres-ignored")]
    assert told == [help], [each.message for each in found]

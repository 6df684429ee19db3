from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc import driver
from flowc.cli.arguments import UsageError, parse
from flowc.cli.commands import all_commands, load
from flowc.cli.commands.check import COMMAND as CHECK
from flowc.cli.commands.compile import COMMAND as COMPILE
from flowc.cli.commands.explain import COMMAND as EXPLAIN
from flowc.cli.inputs import gather
from flowc.cli.table import COMMAND_LINE
from flowc.frontends import FRONTENDS


def test_options_and_operands_stand_in_any_order() -> None:
    words = parse(COMPILE, ["a", "--emit=plan", "b", "-o", "out", "-N2", "--strict"])
    assert words.operands == ("a", "b")
    assert (words.text("emit"), words.text("output"), words.text("num_instances")) == ("plan", "out", "2")
    assert words.flag("strict")
    assert words.rest is None


def test_last_one_wins_and_repeated_ones_gather() -> None:
    words = parse(COMPILE, ["--name", "a", "--name=b", "--env", "A=1", "--env=B=2=3"])
    assert words.text("name") == "b"
    assert words.texts("env") == ("A=1", "B=2=3")


def test_foreign_command_line_follows_two_dashes() -> None:
    words = parse(COMPILE, ["job", "--", "--nodes=2", "--", "-t", "1"])
    assert (words.operands, words.rest) == (("job",), ("--nodes=2", "--", "-t", "1"))
    assert parse(EXPLAIN, ["--", "--all"]).operands == ("--all",)


@pytest.mark.parametrize(
    ("line", "operands", "rest", "values"),
    [
        ("t ls -l --node 2", ("t",), ("ls", "-l", "--node", "2"), {}),  # as ssh has it
        ("t --node 2 ls -l", ("t",), ("ls", "-l"), {"node": "2"}),
        ("--node 2 t -- -x --", ("t",), ("-x", "--"), {"node": "2"}),
        ("t ls -- x", ("t",), ("ls", "--", "x"), {}),
        ("t --", ("t",), (), {}),
        ("t", ("t",), None, {}),
        ("-- ls", (), ("ls",), {}),
    ],
)
def test_a_command_line_may_follow_an_operand(
    line: str, operands: tuple[str, ...], rest: tuple[str, ...] | None, values: dict[str, str]
) -> None:
    words = parse(load("ssh").COMMAND, line.split())
    assert (words.operands, words.rest, words.values) == (operands, rest, values)


def test_single_dash_is_an_operand() -> None:
    assert parse(CHECK, ["-"]).operands == ("-",)


@pytest.mark.parametrize(
    ("argv", "message", "help"),
    [
        (["--emti", "ir"], "unknown option `--emti` of `flowc compile`", "did you mean `--emit`?"),
        (["-emit", "ir"], "unknown option `-emit` of `flowc compile`", "did you mean `--emit`?"),
        (["--gres=gpu:8"], "unknown option `--gres` of `flowc compile`", "sbatch's own options follow `--`"),
        (["-x"], "unknown option `-x` of `flowc compile`", "`flowc compile --help`"),
        (["--emit", "plna"], "`--emit` does not know `plna`", "did you mean `plan`?"),
        (["--emit"], "`--emit` needs a value", "--emit TARGET"),
        (["--name", "--"], "`--name` needs a value", "--name NAME"),
        (["--strict=yes"], "`--strict` takes no value, found `yes`", "write `--strict` alone"),
        (["-N", "two"], "`--num-instances` needs a whole number from 1, found `two`", "--num-instances 2"),
        (["-N0"], "`--num-instances` needs a whole number from 1, found `0`", ""),
        (["-N", "٣"], "`--num-instances` needs a whole number from 1, found `٣`", ""),
        (["-N", "9" * 5000], "`--num-instances` needs a whole number from 1", ""),
        (["--env", "A"], "`--env` needs KEY=VALUE, found `A`", ""),
        (["--catalog="], "`--catalog` needs a value, found an empty one", ""),
        (["-i", ""], "`--instance-type` needs a value, found an empty one", ""),
        (["--region", ""], "`--region` needs a value, found an empty one", "a variable of the shell that is not set"),
        (["--from", "pbs"], "`--from` does not know `pbs`", "it takes slurm"),
    ],
)
def test_wrong_usage_says_what_was_found_and_what_to_do(argv: list[str], message: str, help: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(COMPILE, argv)
    assert caught.value.message.startswith(message)
    assert help in caught.value.help


@pytest.mark.parametrize("argv", [["-N2"], ["-N", "2"], ["-N=2"], ["--num-instances=2"], ["--num-instances", "2"]])
def test_a_value_follows_in_any_of_the_usual_ways(argv: list[str]) -> None:
    words = parse(COMPILE, argv)
    (place,) = words.places.values()
    assert words.values == {"num_instances": "2"}
    assert argv[place[0]][place[1] :] == "2"


@given(st.lists(st.text(st.characters(exclude_characters="\0")), max_size=6))
def test_any_words_are_parsed_or_wrong_usage(argv: list[str]) -> None:
    for command in all_commands():
        with suppress(UsageError):
            parse(command, argv)


def test_tables_name_what_there_is() -> None:
    choices = {option.name: option.choices for option in COMPILE.options}
    assert choices["--emit"] == driver.TARGETS
    assert choices["--from"] == tuple(entry.name for entry in FRONTENDS if entry.name != COMMAND_LINE)
    assert COMMAND_LINE in {entry.name for entry in FRONTENDS}
    for command in all_commands():
        names = [name for option in command.options for name in (option.name, option.short) if name]
        assert len(names) == len(set(names))


def test_flags_reach_the_compilation_with_their_places() -> None:
    argv = ["compile", "job", "-i", "8xh100", "--name=my job", "-N", "2", "--ssh-key", "a,b", "--ssh-key=c"]
    inputs = gather(parse(COMPILE, argv[1:]), argv, {})
    assert (inputs.flags.instance_type, inputs.flags.name, inputs.flags.num_instances) == (
        "8xh100",
        "my job",
        2,
    )
    assert inputs.flags.ssh_keys == ("a", "b", "c")
    spans = dict(inputs.flag_spans)
    assert spans["instance_type"].text == "8xh100"
    assert spans["instance_type"].source.text.startswith("flowc compile job -i 8xh100 '--name=my job'")
    assert spans["name"].text == "my job"
    assert spans["num_instances"].text == "2"
    assert spans["ssh_keys"].text == "c"


def test_environment_gives_defaults_and_what_sbatch_reads() -> None:
    environ = {
        **{"MITHRIL_PROJECT": "research", "MITHRIL_SSH_KEYS": "a, b", "MITHRIL_REGION": "us-central1-a"},
        **{"SBATCH_TIMELIMIT": "10", "SLURM_CLUSTERS": "x", "HOME": "/root", "MITHRIL_API_KEY": "fkey"},
    }
    argv = ["compile", "job", "--region", "eu-central1-b"]
    inputs = gather(parse(COMPILE, argv[1:]), argv, environ)
    # The file wins over the environment, a flag over the file: so they are told apart.
    assert (inputs.defaults.project, inputs.defaults.ssh_keys) == ("research", ("a", "b"))
    assert (inputs.flags.region, inputs.defaults.region) == ("eu-central1-b", None)
    assert inputs.flags.project is None
    # A job may name any variable (`--export=NAME`), so a frontend is given them all; none shows in messages.
    assert dict(inputs.environ) == environ
    assert "fkey" not in repr(inputs)
    assert dict(inputs.flag_spans)["project"].text == "research"
    assert dict(inputs.flag_spans)["project"].source.text == "MITHRIL_PROJECT=research"

"""Job flags that may be repeated, `--command` and `--set`: from the words of a command line to the job."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc import driver
from flowc.cli.arguments import UsageError, parse
from flowc.cli.commands.compile import COMMAND as COMPILE
from flowc.cli.inputs import gather
from flowc.cli.old_spellings import TABLE
from flowc.cli.options import JOB_OPTIONS
from flowc.cli.sources import expand
from flowc.cli.table import COMMAND_LINE
from flowc.diag.sink import Sink
from flowc.frontends import FRONTENDS
from flowc.inputs import Flags, Inputs
from flowc.ir.job import Choice, Job, Mount, Placement, Port, Resources, Run, SourceInfo, Volume
from flowc.ir.unit import Unit
from flowc.ir.verify import verify
from flowc.override import run
from flowc.override.apply import parse_ports
from flowc.source import Source, Span
from tests.cli.conftest import GOOD, Outcome

SOURCE = Source("job.yaml", "all: of it\n")
ALL = Span(SOURCE, 0, len(SOURCE.text))


def told(*words: str, environ: dict[str, str] | None = None) -> Inputs:
    argv = ["compile", *words]
    return gather(parse(COMPILE, argv[1:]), argv, environ or {})


def unit(frontend: str = "task-yaml", **fields: object) -> Unit:
    info = SourceInfo(frontend=frontend, path="job.yaml", sha256="0")
    job = Job(name="a", source=info, run=Run(kind="shell", text="true"), **fields)  # type: ignore[arg-type]
    return Unit(source=SOURCE, job=job, origins={name: ALL for name in Job.FIELDS})


def overridden(before: Unit, *words: str, **more: dict[str, str]) -> tuple[Job, list[str]]:
    """The job that flags make of it, and what is reported: code and text."""
    sink = Sink()
    entry = next(each for each in FRONTENDS if each.name == before.job.source.frontend)
    (after,) = run([before], told(*words, **more), sink, document=entry.document, task_fields=entry.task_fields)
    verify(after, after="override")
    return after.job, [f"{each.code.id} {each.span.text if each.span else ''}" for each in sink.diagnostics]


def test_each_element_has_its_place() -> None:
    inputs = told("job", "--env=A=1", "--env", "B=2", "--port", "80", "--ssh-key=a,b", "--ssh-key", "c", "--set", "x=1")
    places = {
        key: inputs.span(key.partition(".")[0], int(key.partition(".")[2]))
        for key, _ in inputs.flag_spans
        if "." in key
    }
    assert {key: span.text for key, span in places.items() if span} == {
        **{"env.0": "A=1", "env.1": "B=2", "ports.0": "80", "sets.0": "x=1"},
        **{"ssh_keys.0": "a,b", "ssh_keys.1": "a,b", "ssh_keys.2": "c"},
    }
    assert inputs.span("env") == inputs.span("env", 1)
    assert inputs.span("mounts") is None
    assert inputs.flags.sets == (("x", "1"),)


@pytest.mark.parametrize(
    "words",
    [
        ["--env", "API_TOKEN=hunter2"],
        ["--env=API_TOKEN=hunter2"],
        ["--secret", "API_TOKEN=hunter2"],
        ["--set", "envs.HF_TOKEN=hunter2"],
        ["--env", "9_TOKEN=hunter2"],
    ],
)
def test_value_of_a_secret_is_shown_nowhere(flowc: Callable[..., Outcome], job: Path, words: list[str]) -> None:
    done = flowc("check", job.name, *words)
    assert done.out.count("<command line>:1:") >= 1
    assert "hunter2" not in done.out + done.err


def test_flags_append_or_take_the_place_of_the_same() -> None:
    before = unit(
        mounts=(
            Mount(kind="bucket", source="s3://old", target="/data"),
            Mount(kind="local", source="./x", target="/x"),
        ),
        volumes=(Volume(name="v", mount_path="/volumes/v"),),
        ports=(Port(external=80, internal=1, protocol="tcp"), Port(external=80, internal=1, protocol="udp")),
        env=(("A", "1"), ("B", "2")),
        env_facts=(("IP", "private_ip"), ("N", "rank")),
        secrets=("S", "T"),
        image="old",
    )
    job, found = overridden(
        before,
        *("--mount", "s3://new", "--mount", "/volumes/v=gs://b", "--port", "80:2", "--port", "90-91"),
        *("--secret", "A", "--env", "S=plain", "--env", "IP=1.2.3.4", "--secret", "N", "--image", "a/b:1@sha256:0"),
    )
    assert found == []
    assert [(mount.source, mount.target) for mount in job.mounts] == [
        *(("./x", "/x"), ("s3://new", "/data"), ("gs://b", "/volumes/v")),
    ]
    assert job.volumes == ()
    assert [(port.external, port.internal, port.protocol) for port in job.ports] == [
        *((80, 1, "udp"), (80, 2, "tcp"), (90, 90, "tcp"), (91, 91, "tcp")),
    ]
    assert job.env == (("B", "2"), ("S", "plain"), ("IP", "1.2.3.4"))
    assert (job.env_facts, job.secrets) == ((), ("T", "A", "N"))
    assert job.image == "a/b:1@sha256:0"


def test_a_type_or_region_takes_the_place_of_all_choices() -> None:
    choices = (Choice(name="8xh100", regions=("a",)), Choice(name="8xa100"))
    before = unit(resources=Resources(choices=choices), placement=Placement(exclude_regions=("b",)))
    job, _ = overridden(before, "-i", "8xb200")
    assert (job.resources.alternatives, job.resources.choices) == (("8xb200",), ())
    job, _ = overridden(before, "-r", "b")
    assert job.placement == Placement(regions=("b",))
    assert job.resources.choices == (Choice(name="8xh100"), Choice(name="8xa100"))


def test_jobs_of_one_source_get_names_of_their_own() -> None:
    named = run([unit(), unit()], told("-n", "x"), Sink())
    assert [each.job.name for each in named] == ["x-1", "x-2"]
    assert run([], told("-n", "x"), Sink()) == []


@pytest.mark.parametrize("path", ["job.yaml", "./a/b/job.yaml", "/a/job.yaml", "../job.yaml", "<stdin>"])
@pytest.mark.parametrize("source", ["./data", "../data", "/data", "~/data"])
def test_local_path_of_a_flag_starts_where_the_command_is_given(path: str, source: str) -> None:
    before = unit()
    before = before.replace(job=before.job.replace(source=before.job.source.replace(path=path)))
    job, found = overridden(before, "--mount", source)
    assert ([mount.source for mount in job.mounts], found) == ([source], [])


def test_file_wins_over_the_environment() -> None:
    environ = {"MITHRIL_REGION": "e", "MITHRIL_PROJECT": "p"}
    job, _ = overridden(unit(placement=Placement(regions=("f",))), environ=environ)
    assert (job.placement.regions, job.identity.project) == (("f",), "p")
    job, _ = overridden(unit(placement=Placement(regions=("f",))), "-r", "g", environ=environ)
    assert job.placement.regions == ("g",)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--mount", "s3://a", "--mount", "s3://b"], ["FC453 s3://b"]),
        (["--mount", "s3://a", "--mount", "s3://a"], []),
        (["--mount", "ftp://a", "--mount", "/x=gs://b"], ["FC452 ftp://a"]),
        (["--port", "80:1", "--port", "79-80:2-3"], ["FC453 79-80:2-3"]),
        (["--port", "0"], ["FC450 0"]),
        (["--secret", "a b"], ["FC450 a b"]),
        (["--secret", "A", "--env", "A=1"], ["FC453 A"]),
        (["--image", "two words"], ["FC450 two words"]),
        (["--image", "?"], ["FC450 ?"]),
        (["--time", "٣", "--budget", "٣", "--port", "٣"], ["FC450 ٣", "FC450 ٣", "FC450 ٣"]),
        (["--priority", "HIGH"], []),
        (["--set", "a=1", "--set", "b=2"], []),
        (["--", "-N2"], ["FC455 -N2"]),
        (["--k8s", "x"], ["FC410 --k8s"]),
    ],
)
def test_what_cannot_be_used_is_found_in_its_place(words: list[str], found: list[str]) -> None:
    assert overridden(unit(), *words)[1] == found


def test_batch_script_has_no_document_and_no_fields() -> None:
    _, found = overridden(unit("slurm"), "--set", "a=1", "--set", "b=2", "--k8s", "x", "--", "-N2")
    assert found == ["FC412 --k8s", "FC454 a=1", "FC454 b=2"]


def test_python_caller_has_no_command_line() -> None:
    sink = Sink()
    flags = Flags(ports=("x",), secrets=("",), mounts=("ftp://a",))
    run([unit()], Inputs(flags=flags), sink)
    assert [each.span.text for each in sink.diagnostics if each.span] == ["--secret", "--mount", "--port"]


@given(st.one_of(st.text(), st.from_regex(r"(\d{1,5}(-\d{1,5})?:)?\d{1,5}(-\d{1,5})?", fullmatch=True)))
def test_ports_are_in_bounds_and_in_pairs(text: str) -> None:
    for port in parse_ports(text) or ():
        assert 1 <= port.external <= 65535
        assert 1 <= port.internal <= 65535


FLAGS = [option.name for option in JOB_OPTIONS] + [name for old in TABLE for name in old.names]
VALUES = st.one_of(
    st.text(st.characters(exclude_characters="\0")),
    st.sampled_from(("A=1", "A", "s3://b", "/x=volume://v", "80", "1-2:3-4", "", "--", "high", "1h", "12.5", "a.b=[")),
)


@given(st.lists(st.tuples(st.sampled_from(FLAGS), VALUES, st.booleans()), max_size=5))
def test_any_flags_give_a_job_diagnostics_or_wrong_usage(given: list[tuple[str, str, bool]]) -> None:
    words = [word for flag, value, joined in given for word in ([f"{flag}={value}"] if joined else [flag, value])]
    with suppress(UsageError):
        inputs = told(*words, "job.sbatch")
        result = driver.compile(Source("job.sbatch", GOOD), inputs, emit="ir")
        assert result.failed or result.artifacts
        for key, span in inputs.flag_spans:
            assert 0 <= span.start <= span.end <= len(span.source.text), key


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("8080", [(8080, 8080)]),
        ("80:8080", [(80, 8080)]),
        ("80-81:90-91", [(80, 90), (81, 91)]),
        ("6006-6007", [(6006, 6006), (6007, 6007)]),
        *((text, None) for text in ("", "0", "65536", "2-1", "1-2:3", "1:2:3", "-1", "٣", "1-1001", "80/tcp")),
    ],
)
def test_ports_are_numbers_or_ranges(text: str, pairs: list[tuple[int, int]] | None) -> None:
    found = parse_ports(text)
    assert (found and [(port.external, port.internal) for port in found]) == pairs


@pytest.mark.parametrize("command", ["compile", "check"])
def test_command_is_compiled_from_the_command_line(
    flowc: Callable[..., Outcome], folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    seen: list[tuple[Source, Inputs, str | None]] = []

    def record(source: Source, inputs: Inputs, *, frontend: str | None, **_: object) -> driver.Result:
        seen.append((source, inputs, frontend))
        return driver.Result(artifacts=(), diagnostics=(), failed=False)

    monkeypatch.setattr(driver, "check", record)
    monkeypatch.setattr(driver, "compile_all", lambda sources, *a, **b: [record(each, *a, **b) for each in sources])
    assert flowc(command, "-c", "python train.py", "-i", "8xh100", "--set", "k8s=x").status == 0
    ((source, inputs, frontend),) = seen
    assert frontend == COMMAND_LINE
    assert source.text == f"flowc {command} -c 'python train.py' -i 8xh100 --set k8s=x"
    assert inputs.command is not None
    assert inputs.command.text == "python train.py"
    assert inputs.command.source is source
    assert inputs.span("instance_type").source is source  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("words", "message", "help"),
    [
        (["-c", "x", "job.sbatch"], "there is no SOURCE beside it, found `job.sbatch`", "-c 4, follow `--`"),
        (["-c", "x", "--from", "slurm"], "no format for `--from`", "leave out `--from`"),
        (["-c", "x", "--", "-N2"], "found `-- -N2`", "write the command in one word"),
        (["-c"], "`-c` needs a value", "--command COMMAND"),
        (["--set", "x"], "`--set` needs PATH=VALUE, found `x`", "spec.backoffLimit=0"),
    ],
)
@pytest.mark.parametrize("command", ["compile", "check"])
def test_command_goes_with_nothing_else(
    flowc: Callable[..., Outcome], job: Path, command: str, words: list[str], message: str, help: str
) -> None:
    done = flowc(command, *words)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert help in done.err


def test_command_becomes_a_job(flowc: Callable[..., Outcome], folder: Path) -> None:
    words = ("--set", "max_run_time_hours=2", "--k8s", "blue", "--mount", "s3://b", "--secret", "HF", "-i", "8xh100")
    done = flowc("compile", "--emit", "ir", "--command=python train.py --name 'a b'", *words)
    assert done.status == 0, done.err
    (job,) = json.loads(done.out)["jobs"]
    assert job["source"]["frontend"] == COMMAND_LINE
    assert job["run"]["text"] == "python train.py --name 'a b'"
    assert (job["time"]["limit_s"], job["placement"]["kubernetes_cluster"]) == (7200, "blue")
    assert ([mount["source"] for mount in job["mounts"]], job["secrets"]) == (["s3://b"], ["HF"])


def test_logins_for_the_registry_of_an_image(flowc: Callable[..., Outcome], job: Path) -> None:
    words = ("--image", "registry.example.com/team/train:1", "--pull-secret", "TEAM", "--pull-secret", "OTHER")
    done = flowc("compile", job.name, *words)
    assert done.status == 0, done.err
    (sent,) = [each for each in json.loads(done.out)["deliver"] if "secrets" in each]
    assert (sent["secrets"], sent["logins"]) == (["TEAM", "OTHER"], ["TEAM", "OTHER"])
    script = flowc("compile", job.name, *words, "--emit", "script").out
    assert "try_often pull_image registry.example.com/team/train:1" in script
    assert "for each_name in TEAM OTHER; do" in script
    for wrong, shown in (("TEAM=s3cret", "a name alone"), ("a-b", "a name alone")):
        done = flowc("check", job.name, "--image", "a/b:1", "--pull-secret", wrong)
        assert (done.status, shown in done.out, "s3cret" in done.out) == (2, True, False)
    done = flowc("check", job.name, "--pull-secret", "TEAM")
    assert (done.status, "expected a job that has an image" in done.out) == (2, True)


def test_command_that_is_taken_for_a_file_gets_a_hint(flowc: Callable[..., Outcome], job: Path) -> None:
    done = flowc("compile", "python train.py")
    assert done.status == 4
    assert "`flowc compile --command 'python train.py'`" in done.err
    assert flowc("check", "-c", "true", "--fix").status == 2


def test_once_and_unknown_keys_are_passed_on() -> None:
    inputs = told("job", "--once", "--allow-unknown")
    assert (inputs.once, inputs.allow_unknown) == (True, True)
    assert (told("job").once, told("job").allow_unknown) == (False, False)


def test_yaml_below_a_folder_counts_when_it_is_plainly_a_job(flowc: Callable[..., Outcome], folder: Path) -> None:
    (folder / "a.sbatch").write_text(GOOD)
    (folder / "compose.yaml").write_text("services:\n  web:\n    image: nginx\n")
    (folder / "values.yml").write_text("replicas: 2\n")
    (folder / "job.YML").write_text("apiVersion: batch/v1\nkind: Job\nspec: {}\n")
    (folder / "task.yaml").write_text("instance_type: 8xh100\ncommand: nvidia-smi\n")
    (folder / "folder.yaml").mkdir()
    assert expand((".",)) == ["a.sbatch", "job.YML", "task.yaml"]
    named = flowc("check", "values.yml")
    assert named.status == 1
    assert "FC090" in named.out


def test_usage_errors_quote_no_secret() -> None:
    with pytest.raises(UsageError) as caught:
        parse(COMPILE, ["--from", "pbs", "--env", "API_TOKEN=hunter2"])
    assert "hunter2" not in caught.value.message + caught.value.help


def test_how_the_script_comes_and_what_it_may_call() -> None:
    job, said = overridden(unit(), "--body", "ssh", "--with-commands", "srun, module", "--with-commands=srun,squeue")
    assert (job.run.delivery, job.run.commands) == ("ssh", ("srun", "module", "squeue"))
    assert said == []


def test_only_commands_that_can_be_brought_are_taken() -> None:
    assert overridden(unit(), "--with-commands", "srun,apptainer")[1] == ["FC450 srun,apptainer"]

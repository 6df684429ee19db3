"""Values: what each field makes of the job, and which fields cannot stand together."""

from __future__ import annotations

import json

import pytest

import flowc
from flowc.inputs import Flags, Inputs
from flowc.ir.job import File, Mount, Port, Retry, Run
from flowc.source import Source, Span
from tests.frontends.task.cases import HEAD, PLAIN, RUN, ids, job, lowered

GB = 10**9


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("command: python train.py", Run(kind="shell", text="python train.py")),
        ("command: [python, 'a b']", Run(kind="argv", argv=("python", "a b"))),
        ("shell: |\n  a\n  b", Run(kind="shell", text="a\nb")),
        ("script: |\n  #!/usr/bin/env python3\n  x = 1\n", None),
        ("command: echo\nworking_dir: /srv", Run(kind="shell", text="echo", workdir="/srv")),
        ("command: echo\nupload_code: true", Run(kind="shell", text="echo", workdir="/workspace")),
        ("command: echo\nupload_code: false", Run(kind="shell", text="echo")),
        ("workload_type: interactive", Run(kind="argv", argv=("sleep", "infinity"))),
        ("dev_vm: true", Run(kind="argv", argv=("sleep", "infinity"))),
    ],
)
def test_what_is_run(text: str, run: Run | None) -> None:
    if run is None:
        run = Run(kind="script", interpreter="/usr/bin/env python3", text="#!/usr/bin/env python3\nx = 1\n")
    assert job(HEAD + text).run == run


@pytest.mark.parametrize(
    ("text", "mounts"),
    [
        ("", ()),
        ("data: {/data: 's3://a/b'}", (Mount(kind="bucket", source="s3://a/b", target="/data"),)),
        ("data: {/data: corpus}", (Mount(kind="volume", source="corpus", target="/data"),)),
        ("upload_code: true", (Mount(kind="local", source=".", target="/workspace"),)),
        ("code_root: ~/src/", (Mount(kind="local", source="~/src", target="/workspace"),)),
        ("upload_strategy: none", ()),
        ("upload_code: false\ncode_root: src", ()),
        ("code_root: src\nworking_dir: /app/", (Mount(kind="local", source="src", target="/app"),)),
    ],
)
def test_mounts(text: str, mounts: tuple[Mount, ...]) -> None:
    assert job(PLAIN + text).mounts == mounts


def test_a_volume_by_name() -> None:
    (volume,) = job(PLAIN + "volumes: [{name: corpus, size_gb: 10}]").volumes
    assert (volume.name, volume.size_bytes, volume.mount_path, volume.create) == (
        *("corpus", 10 * GB, "/volumes/corpus", True),
    )


@pytest.mark.parametrize(
    ("fields", "create", "size"),
    [
        ("name: corpus", False, None),
        ("name: corpus, create_if_missing: true", True, 1 * GB),
        ("name: corpus, size_gb: 5, create_if_missing: false", False, 5 * GB),
        ("volume_id: vol_1, size_gb: 5", False, 5 * GB),
    ],
)
def test_whether_a_volume_is_made(fields: str, create: bool, size: int | None) -> None:
    (volume,) = job(PLAIN + f"volumes: [{{{fields}, mount_path: /data}}]").volumes
    assert (volume.create, volume.size_bytes) == (create, size)


def test_a_volume_by_id_has_a_path_of_its_own() -> None:
    assert job(PLAIN + "volumes: [{volume_id: vol_123456789}]").volumes[0].mount_path == "/volumes/volume-456789"


def test_a_volume_without_a_name_gets_the_same_one_each_time() -> None:
    text = "name: Train\n" + PLAIN + "volumes: [{size_gb: 5, mount_path: /data}]"
    assert job(text).volumes[0].name == "train-data"
    assert ids(text) == ["FC211"]


def test_retries_have_the_defaults_of_the_format() -> None:
    assert job(PLAIN + "retries: {}").retry == Retry(max_restarts=3, delay_ms=1000, delay_factor="2")
    told = "retries: {max_retries: 2, initial_delay: 0.25, backoff_coefficient: 1.50, max_delay: 90}"
    expected = Retry(max_restarts=2, delay_ms=250, delay_factor="1.5", max_delay_ms=90_000)
    assert job(PLAIN + told).retry == expected
    assert job(PLAIN + "retries: {max_retries: 0}").retry == Retry(max_restarts=0)


def test_ports_are_merged() -> None:
    port = Port(external=8080, internal=8080, protocol="tcp")
    assert job(PLAIN + 'ports: [8080, "8080"]').ports == (port,)


def test_files_lie_in_the_working_directory() -> None:
    assert job(PLAIN + "runtime_files: {a/b.txt: x}").files == (File(path="/workspace/a/b.txt", text="x"),)


@pytest.mark.parametrize(
    ("hours", "seconds"),
    [("1", 3600), ("0.5", 1800), ("1.0001", 3600), ("0.0000001", 1), ("0", None), ('"24"', 86400)],
)
def test_time_limit(hours: str, seconds: int | None) -> None:
    assert job(PLAIN + f"max_run_time_hours: {hours}").time.limit_s == seconds


def test_moments() -> None:
    time = job(PLAIN + "deadline_hours: 1.5\nscheduled_start_time: '2030-01-31T18:00:00+02:00'").time
    assert (time.deadline, time.begin) == ("now+5400", "2030-01-31T16:00:00")


@pytest.mark.parametrize(
    ("written", "price"), [("12.5", "12.5"), ('"12.50"', "12.5"), ("1e1", "10"), ("3.1234567", "3.123456")]
)
def test_price(written: str, price: str) -> None:
    assert job(PLAIN + f"max_price_per_hour: {written}").pricing.max_usd_per_instance_hour == price


def test_price_of_the_task_wins_over_that_of_its_constraints() -> None:
    found = job(PLAIN + "max_price_per_hour: 10\nconstraints: {max_price_per_hour: 5}")
    assert found.pricing.max_usd_per_instance_hour == "10"
    assert [each.action for each in found.outcome] == ["lowered", "lowered", "lowered", "ignored"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("region: us-central1-a", ("us-central1-a",)),
        ("constraints: {regions: [eu-*]}", ("eu-central1-a", "eu-central1-b")),
        ("constraints: {regions: [xx-new1-a]}", ("xx-new1-a",)),
        ("region: eu-central1-b\nconstraints: {regions: [eu-*, us-*]}", ("eu-central1-b",)),
        ("constraints: {regions: [eu-*], exclude_regions: ['*-a']}", ("eu-central1-b",)),
        ("constraints: {exclude_regions: ['*-a']}", ()),
    ],
)
def test_regions(text: str, found: tuple[str, ...]) -> None:
    assert job(PLAIN + text).placement.regions == found


@pytest.mark.parametrize(
    ("text", "preemptible"),
    [
        ("", None),
        ("preemptible_ok: false", False),
        ("allocation_mode: spot", True),
        ("allocation_mode: spot\npreemptible_ok: false", False),
        ("allocation_mode: reserved\nreservation_id: res_1", False),
        ("allocation_mode: auto", None),
    ],
)
def test_preemptible(text: str, preemptible: bool | None) -> None:
    assert job(PLAIN + text).placement.preemptible is preemptible


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (HEAD + RUN, []),
        (RUN + "min_gpu_memory_gb: 80", []),
        (RUN + "min_cpus: 4", []),
        (RUN + "gpu: h100", ["FC041"]),
        (RUN + "instance_type: []", ["FC206"]),
        (HEAD + "command: ''", ["FC208"]),
        (HEAD + "command: []", ["FC208"]),
        (HEAD + "command: '  '", ["FC208"]),
        (HEAD + "startup_script: a\nscript: b", ["FC041"]),
        (HEAD + "command: a\nshell: b\nscript: c", ["FC207", "FC207"]),
        (PLAIN + "min_run_time_hours: 5\nmax_run_time_hours: 0", ["FC202"]),
        (PLAIN + "max_run_time_hours: 48\ndeadline_hours: 24", ["FC209"]),
        (PLAIN + "retries: {initial_delay: 5, max_delay: 2}", ["FC209"]),
        (PLAIN + "max_price_per_hour: .inf", ["FC035"]),
        (PLAIN + "max_price_per_hour: 0.0000001", ["FC037"]),
        (PLAIN + "scheduled_start_time: '2030-02-30'", ["FC038"]),
        (PLAIN + "image: {steps: [a]}", ["FC041"]),
        (PLAIN + "image: docker://ubuntu", ["FC038"]),
        (PLAIN + "ports: [80]", ["FC037"]),
        (PLAIN + "env: {A: null}", ["FC035"]),
        (PLAIN + "env: {MY-NAME: a}", ["FC038"]),
        (PLAIN + "env: {HF: hf_abcdefghijklmnopqrstuvwxyz}", ["FC214"]),
        (PLAIN + "env: {API_KEY: '${API_KEY}'}", ["FC218"]),
        (PLAIN + "env: {PASSWORD: 'a$word'}", ["FC214"]),
        (PLAIN + "env: {PRICE: 5$, HOME_DIR: $HOME/x}", ["FC218"]),
        (PLAIN + "constraints: {regions: [mars-*]}", ["FC215"]),
        (PLAIN + "min_containers: 0", ["FC041"]),
        (PLAIN + "port: 8080", ["FC203"]),
        (PLAIN + "upload_code: false\nupload_strategy: scp", ["FC203"]),
        (HEAD + "command: [python train.py, python test.py]", ["FC219"]),
        (HEAD + "command: [bash, -c, 'a && b']", []),
        (PLAIN + "retries: 3", ["FC035"]),
        (PLAIN + "volumes: [data]", ["FC035"]),
        ("", ["FC200"]),
        ("# nothing\n", ["FC200"]),
        ("- a\n", ["FC201"]),
        ("just text\n", ["FC201"]),
    ],
)
def test_findings(text: str, codes: list[str]) -> None:
    assert ids(text) == codes


def test_flags_say_what_the_file_leaves_open() -> None:
    flags = Flags(instance_type="8xh100")
    assert ids(RUN, Inputs(flags=flags)) == []
    described = RUN + "min_gpu_memory_gb: 100"
    assert ids(described, Inputs(flags=flags)) == ["FC203"]
    assert job(described, Inputs(flags=flags)).resources.gpu_memory_bytes is None


def test_each_document_is_a_job() -> None:
    units, _ = lowered(PLAIN + "---\n" + PLAIN + "---\n" + "name: last\n" + PLAIN)
    assert [unit.job.name for unit in units] == ["flow-task-1", "flow-task-2", "last"]


def test_settings_of_the_command_line_are_put_into_the_document() -> None:
    span = Span(Source("<command line>", "flowc compile --set"), 0, 5)
    flags = Flags(sets=(("env.A", "b"), ("ports", "[8080]")), fields=(("k8s", "9"), ("upload_code", "true")))
    spans = (("sets.0", span), ("sets.1", span), ("fields.0", span), ("fields.1", span))
    units, sink = lowered(PLAIN, Inputs(flags=flags, flag_spans=spans))
    assert sink.diagnostics == []
    (unit,) = units
    assert unit.job.env == (("A", "b"),)
    assert unit.job.placement.kubernetes_cluster == "9"
    assert unit.job.mounts[0].kind == "local"
    assert unit.origins["env.A"] == span
    assert [each.line for each in unit.job.outcome] == [1, 2, None, None, None, None]


@pytest.mark.parametrize(
    "text",
    [
        "command: echo hello\n",
        "command: |\n  echo\n  hello\n",
        "command: 'echo ''x'' hello'\n",
        "script: >-\n  a\n  hello\n",
    ],
)
def test_text_of_the_command_is_found_in_the_file(text: str) -> None:
    (unit,), _ = lowered(HEAD + text)
    assert unit.job.run.text is not None
    start = unit.job.run.text.index("hello")
    span = unit.text_span(start, start + 5)
    assert span is not None
    assert span.text == "hello"


def test_secrets_are_shown_nowhere() -> None:
    text = PLAIN + "env:\n  API_TOKEN: very-secret\n  KEY: |\n    very-secret\n"
    _, sink = lowered(text)
    assert [each.code.id for each in sink.diagnostics] == ["FC214", "FC214"]
    for each in sink.diagnostics:
        assert each.span is not None
        shown = each.span.source.shown(0, len(text))
        assert "very-secret" not in shown
        assert len(shown) == len(text)


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("name: My Task", "write `my-task`"),
        ("priority: High", "write `high`"),
        ("priority: standard", "`standard` and `critical` are Foundry's words: write `med` or `high`"),
        ("ports: ['8080:80']", "write a list of numbers: `ports: [8080]`; a port is the same inside and outside"),
        ("volumes: [data]", "write `{name: data, size_gb: 100, mount_path: /data}`"),
        ("volumes: [{name: data, size: 10}]", "write `size_gb`, a number of GB: `size_gb: 100`"),
        ("max_run_time_hours: 24h", "write hours as a number alone: `24`, `0.5`"),
        ("timeout: 1h", "write `max_run_time_hours`, in hours"),
        ("time: 60", "write `max_run_time_hours`, in hours"),
        ("image: {name: a/b}", "write the name itself, tag included: `image: registry/name:tag`"),
        (
            "secrets: [TOKEN]",
            "name them on the command line, `--secret NAME`: values are no part of a bid, which others can read",
        ),
    ],
)
def test_help_says_what_to_write(text: str, help: str) -> None:
    (found,) = lowered(PLAIN + text)[1].diagnostics
    assert found.help == help


@pytest.mark.parametrize("size", [1, 93, 100, 500, 32000])
def test_a_volume_is_bought_in_the_size_that_is_written(size: int) -> None:
    """The provider counts in 10⁹ bytes, and is paid for each."""
    text = PLAIN + f"volumes: [{{name: corpus, size_gb: {size}}}]"
    document = json.loads(flowc.compile(text, path="task.yaml").artifacts[0].text)
    (volume,) = [each["body"] for each in document["requests"] if each["path"] == "/v2/volumes"]
    assert volume["size_gb"] == size

"""Volumes, mounts, images, ports and commands: bounds that hold for jobs of every format."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.diag.sink import Diagnostic
from flowc.ir.job import Array, Choice, Container, Mount, Port, Retry, Run, SourceInfo, Time, Volume
from flowc.ir.unit import Unit
from flowc.passes.image import mistake
from flowc.source import Source, Span
from tests.passes.units import codes, error, run, unit

GIB = 1 << 30
GPU = {"gpus_per_node": 8, "gpu_model": "h100"}
QUIET = {"cost-multiplied"}
K8S = SourceInfo(frontend="k8s", path="job.yaml", sha256="ab" * 32)


def volume(path: str = "/data", **fields: Any) -> Volume:
    return Volume(**{"name": "data", "mount_path": path, **fields})


def mount(target: str, kind: str = "bucket", **fields: Any) -> Mount:
    return Mount(**{"kind": kind, "source": "s3://bucket/x", "target": target, **fields})


def names(**fields: Any) -> list[str]:
    return [name for name in codes(**GPU, **fields) if name not in QUIET]


@pytest.mark.parametrize(
    ("fields", "machines"),
    [
        ({"nodes": 2}, "2 nodes"),
        ({"array": Array(indices=(1, 2, 3))}, "3 tasks of an array at a time"),
        ({"array": Array(indices=(1, 2, 3), max_concurrent=2)}, "2 tasks of an array at a time"),
        ({"nodes": None, "gpus_total": 16}, "2 nodes"),
        ({"nodes": 1}, None),
        ({"array": Array(indices=(1, 2, 3), max_concurrent=1)}, None),
        ({"nodes": None}, None),
    ],
)
def test_block_volume_belongs_to_one_machine(fields: dict[str, Any], machines: str | None) -> None:
    assert names(volumes=(volume(interface="file"),), **fields) == []
    if machines is None:
        assert names(volumes=(volume(),), **fields) == []
        return
    found = error(volumes=(volume(),), **GPU, **fields)
    assert found.code.name == "block-volume-on-several"
    assert found.message == f"volume `data` is a block volume, which one machine can attach, not {machines}"
    assert found.span is not None


@pytest.mark.parametrize(
    ("name", "help"),
    [
        ("4data", "write `data`"),
        ("My_Data", "write `my-data`"),
        ("data-", "write `data`"),
        ("x" * 65, f"write `{'x' * 64}`"),
        ("", None),
        ("${PREFIX}-data", None),
        ("data\n", "write `data`"),
    ],
)
def test_name_of_a_volume(name: str, help: str | None) -> None:
    found = error(volumes=(volume(name=name),), **GPU)
    assert (found.code.name, found.help) == ("volume-name", help)


@pytest.mark.parametrize("name", ["a", "data-1", "x" * 64, None])
def test_good_name_of_a_volume(name: str | None) -> None:
    assert names(volumes=(volume(name=name, volume_id=None if name else "vol_1"),)) == []


@pytest.mark.parametrize(
    ("size", "interface", "refused"),
    [
        (1, "block", False),
        (32768 * GIB, "block", False),
        (32769 * GIB, "block", True),
        (15360 * GIB, "file", False),
        (15361 * GIB, "file", True),
        (0, "block", True),
        (-1, "file", True),
    ],
)
def test_size_of_a_volume(size: int, interface: str, refused: bool) -> None:
    assert names(volumes=(volume(size_bytes=size, interface=interface),)) == (["volume-size"] if refused else [])


@pytest.mark.parametrize(("count", "refused"), [(20, False), (21, True)])
def test_number_of_volumes(count: int, refused: bool) -> None:
    volumes = tuple(volume(f"/data/{n}", name=f"data-{n}") for n in range(count))
    assert names(volumes=volumes) == (["too-many-volumes"] if refused else [])


@pytest.mark.parametrize(
    "target", ["data", "", "./x", "/a/../b", "/./a", "/a:b", "/a\nb", "~root/x", "/a\0", "s3://x", "/a" * 2048]
)
def test_target_that_is_no_place(target: str) -> None:
    assert names(mounts=(mount(target),)) == ["mount-target-form"]
    assert names(volumes=(volume(target),)) == ["mount-target-form"]


SYSTEM = [
    "/",
    "//",
    "/etc",
    "/etc/",
    "/usr",
    "/bin",
    "/boot",
    "/boot/x",
    "/dev",
    "/dev/sda",
    "/proc",
    "/proc/1",
    "/sys",
]
SYSTEM += ["/sys/x", "/lib", "/var/lib/foundry", "/var/lib/foundry/flowc", "/var", "/home", "/root", "~", "~/", "/run"]


@pytest.mark.parametrize("target", SYSTEM)
def test_target_that_the_machine_needs(target: str) -> None:
    found = error(mounts=(mount(target),), **GPU)
    assert found.code.name == "mount-target-reserved"
    assert "the machine would lose" in found.message


@pytest.mark.parametrize(
    "target", ["/data", "/mnt/x", "~/x", "/home/user/x", "/opt", "/etc/app", "/root/.cache", "/ünï"]
)
def test_good_target(target: str) -> None:
    assert names(mounts=(mount(target),)) == []


CONTAINER = [
    ("/", "scratch", True),
    ("/etc", "scratch", True),
    ("/proc/x", "scratch", True),
    ("/etc/config", "scratch", False),
    ("/root", "volume", False),
    ("/home", "scratch", False),
    ("/dev/shm", "memory", False),
    ("/dev", "host", False),
    ("/sys", "host", False),
    ("/", "host", True),
    ("/root", "bucket", False),
    ("/usr", "nfs", True),
]


@pytest.mark.parametrize(("target", "kind", "refused"), CONTAINER)
def test_target_in_a_container(target: str, kind: str, refused: bool) -> None:
    here = names(image="ubuntu", mounts=(mount(target, kind, source="x"),))
    assert here == (["mount-target-reserved"] if refused else [])
    beside = Container(name="c", role="init", image="ubuntu", mounts=(mount(target, kind, source="x"),))
    assert names(image="ubuntu", containers=(beside,)) == here


def placed(each: Unit, **texts: str) -> tuple[Unit, dict[str, Span]]:
    """The unit with an origin of its own for each path; dashes in a keyword stand for dots."""
    source = Source("job.yaml", " ".join(texts.values()))
    spans = {}
    for path, text in texts.items():
        start = source.text.index(text)
        spans[path.replace("__", ".")] = Span(source, start, start + len(text))
    return each.replace(source=source, origins={**each.origins, **spans}), spans


def finding(each: Unit) -> Diagnostic:
    (found,) = [each for each in run(each)[1] if each.severity == "error"]
    return found


def test_same_target_twice_shows_both_places() -> None:
    each = unit(volumes=(volume("/data/"),), mounts=(mount("/data"),), **GPU)
    each, spans = placed(each, volumes__0__mount_path="one", mounts__0__target="two")
    found = finding(each)
    assert found.message == "two things are to be mounted at `/data`"
    assert found.span is spans["mounts.0.target"]
    assert found.notes == ((spans["volumes.0.mount_path"], "the first one is here"),)


def test_nested_targets_show_both_places() -> None:
    each = unit(volumes=(volume("/x"),), mounts=(mount("/x/y/z"),), **GPU)
    each, spans = placed(each, volumes__0="one", mounts__0="two")
    found = finding(each)
    assert found.message == "`/x/y/z` lies inside `/x`, where something else is mounted"
    assert found.span is spans["mounts.0"]
    assert found.notes == ((spans["volumes.0"], "`/x` is here"),)


NESTED: list[tuple[dict[str, Any], list[str]]] = [
    ({"mounts": (mount("/x"), mount("/x/y"))}, ["mount-targets-nested"]),
    ({"mounts": (mount("/x/y"), mount("/x"))}, ["mount-targets-nested"]),
    ({"mounts": (mount("~/x"), mount("~/x/y"))}, ["mount-targets-nested"]),
    ({"mounts": (mount("/x"), mount("/xy"), mount("/y/x"))}, []),
    ({"mounts": (mount("/a/x"), mount("/a/y"))}, []),
    # What is copied once is a folder like any other.
    ({"mounts": (mount("/x", "local"), mount("/x/y"))}, []),
    ({"mounts": (mount("/x", copy=True), mount("/x/y"))}, []),
    ({"image": "a", "mounts": (mount("/x", "scratch"), mount("/x/y", "volume"))}, []),
    ({"image": "a", "mounts": (mount("/x"), mount("/x/y", "scratch"))}, ["mount-targets-nested"]),
    ({"image": "a", "volumes": (volume("/x"), volume("/x/y", name="b"))}, ["mount-targets-nested"]),
    ({"volumes": (volume("/x"),), "mounts": (mount("/x/y", "scratch"),)}, ["mount-targets-nested"]),
    # Kubernetes mounts the outer one first.
    ({"image": "a", "volumes": (volume("/x/y"), volume("/x", name="b")), "source": K8S}, []),
    ({"image": "a", "volumes": (volume("/x"),), "mounts": (mount("/x"),), "source": K8S}, ["mount-target-twice"]),
    # A volume and its mount are one thing.
    ({"image": "a", "volumes": (volume("/x"),), "mounts": (mount("/x", "volume", source="data/sub"),)}, []),
    ({"volumes": (volume("/x"),), "mounts": (mount("/x", "volume", source="other"),)}, ["mount-target-twice"]),
]


@pytest.mark.parametrize(("fields", "expected"), NESTED, ids=lambda value: str(value)[:40])
def test_targets_that_lie_in_each_other(fields: dict[str, Any], expected: list[str]) -> None:
    assert names(**fields) == expected


def test_containers_have_places_of_their_own() -> None:
    beside = Container(name="c", role="init", image="a", mounts=(mount("/x", "scratch"),))
    assert names(image="a", mounts=(mount("/x", "scratch"),), containers=(beside, beside)) == []
    twice = beside.replace(mounts=beside.mounts * 2)
    each, spans = placed(unit(image="a", containers=(beside, twice), **GPU), containers__1__mounts__1="here")
    assert finding(each).span is spans["containers.1.mounts.1"]


@given(st.lists(st.text(alphabet="/a.~:b\n", max_size=12), max_size=6), st.sampled_from(["bucket", "scratch", "host"]))
def test_any_targets_give_a_plan_or_an_error(targets: list[str], kind: str) -> None:
    done, found = run(unit(mounts=tuple(mount(target, kind) for target in targets), **GPU))
    assert (done.plan is None) == any(each.severity == "error" for each in found)


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ((Port(external=1, internal=65535, protocol="tcp"),), []),
        ((Port(external=80, internal=80, protocol="tcp"), Port(external=80, internal=80, protocol="udp")), []),
        ((Port(external=80, internal=80, protocol="tcp"),) * 2, ["port-twice"]),
        (
            (Port(external=80, internal=1, protocol="tcp"), Port(external=80, internal=2, protocol="tcp")),
            ["port-conflict"],
        ),
    ],
)
def test_ports(ports: tuple[Port, ...], expected: list[str]) -> None:
    assert names(ports=ports) == expected


@pytest.mark.parametrize(("external", "internal"), [(0, 80), (80, 65536), (-1, -1)])
def test_port_that_there_is_not_is_the_mistake_of_a_frontend(external: int, internal: int) -> None:
    with pytest.raises(AssertionError):
        run(unit(ports=(Port(external=external, internal=internal, protocol="tcp"),), **GPU))


def test_second_port_points_at_the_first() -> None:
    ports = tuple(Port(external=80, internal=internal, protocol="tcp") for internal in (1, 2))
    each, spans = placed(unit(ports=ports, **GPU), ports__0="one", ports__1="two")
    found = finding(each)
    assert found.message == "port 80/tcp leads to 1 and to 2"
    assert (found.span, found.notes) == (spans["ports.1"], ((spans["ports.0"], "the first one is here"),))


IMAGES = [
    "ubuntu",
    "ubuntu:22.04",
    "a/b/c:1.2_3-x",
    "localhost:5000/x",
    "nvcr.io/nvidia/pytorch:24.01-py3",
    "a__b/c---d",
]
IMAGES += [
    "GHCR.io/team/x",
    "x@sha256:" + "0" * 64,
    "registry.example.com:443/x:tag@sha256:" + "a" * 64,
    "[::1]:5000/x",
]
IMAGES += ["us-docker.pkg.dev/my-project/repo/image:latest", "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:y"]


@pytest.mark.parametrize("image", IMAGES)
def test_good_image(image: str) -> None:
    assert mistake(image) is None
    assert names(image=image) == []


BAD_IMAGES = [
    ("PyTorch/PyTorch:2.1", "no capital letters", "pytorch/pytorch:2.1"),
    ("localhost:5000/BB:1", "no capital letters", "localhost:5000/bb:1"),
    ("ghcr.io/Team/Image:Tag", "no capital letters", "ghcr.io/team/image:Tag"),
    ("docker://nvcr.io/nvidia/cuda:12", "begins like a URL", "nvcr.io/nvidia/cuda:12"),
    ("docker:nvidia/cuda:12", "begins like a URL", "nvidia/cuda:12"),
    ("https://ghcr.io/a/b", "begins like a URL", "ghcr.io/a/b"),
    ("nvcr.io#nvidia/pytorch:23.01", "is no host name", "nvcr.io/nvidia/pytorch:23.01"),
    (" ubuntu", "blanks", "ubuntu"),
    ("a//b", "lower-case letters and digits", "a/b"),
    ("ubuntu:", "a tag has", "ubuntu"),
    ("ubuntu:-1", "a tag has", None),
    ("x@sha256:12", "a digest such as", "x"),
    ("${IMAGE}", "placeholder", None),
    ("<your-image>", "placeholder", None),
    ("YOUR_REGISTRY/worker:latest", "placeholder", None),
    ("gcr.io/PROJECT_ID/worker", "placeholder", None),
    ("{{ .Values.image }}", "placeholder", None),
    ("", "it is empty", None),
    ("a" * 256, "longer than 255", None),
]


@pytest.mark.parametrize(("image", "reason", "near"), BAD_IMAGES, ids=lambda value: str(value)[:30])
def test_bad_image(image: str, reason: str, near: str | None) -> None:
    found = error(image=image, **GPU)
    assert found.code.name == "image-reference"
    assert reason in found.message
    gap = re.fullmatch(r"\$\{(\w+)\}|<(.*)>|(?:gcr\.io/)?([A-Z]+_[A-Z]+)/.*|\{\{ (.*) \}\}", image)
    name = next(filter(None, gap.groups()), None) if gap is not None else None
    filled = f"`--fill '{name}=VALUE'` puts a value there" if name else None
    assert found.help == (f"did you mean `{near}`?" if near else filled)
    assert codes(image="a", containers=(Container(name="c", role="init", image=image),), **GPU) == ["image-reference"]


@given(st.text(max_size=300) | st.text(alphabet="aA0.:/@#-_ ", max_size=40))
def test_corrected_images_are_images(image: str) -> None:
    found = mistake(image)
    if found is not None and found[1] is not None:
        assert mistake(found[1]) is None


NOTHING = [
    (Run(kind="argv"), {}, True),
    (Run(kind="argv", args=("x",)), {}, True),
    (Run(kind="argv", argv=("true",)), {}, False),
    (Run(kind="argv"), {"image": "ubuntu"}, False),
    (Run(kind="shell", text=" \n"), {}, True),
    (Run(kind="shell", text=" \n"), {"image": "ubuntu"}, True),
    (Run(kind="shell", text=""), {"setup": "make data"}, False),
    (Run(kind="shell", text="true"), {}, False),
]


@pytest.mark.parametrize(("what", "fields", "refused"), NOTHING)
def test_job_that_would_do_nothing(what: Run, fields: dict[str, Any], refused: bool) -> None:
    assert names(run=what, **fields) == (["nothing-to-run"] if refused else [])


def test_environment_of_containers_is_checked_and_secrets_are_not_counted() -> None:
    beside = Container(name="c", role="sidecar", image="a")
    assert names(image="a", env=(("a.b", "1"),), containers=(beside.replace(env=(("A-B", "1"),)),)) == []
    assert names(image="a", containers=(beside.replace(env=(("A", "x" * 5000),)),)) == ["environment-too-large"]
    assert names(image="a", containers=(beside.replace(secrets=("A B",)),)) == []
    assert names(image="a", containers=(beside.replace(env_facts=(("1A", "cpus"),)),)) == []
    secrets = tuple(f"SECRET_{n}" for n in range(1000))
    assert names(secrets=secrets, env=(("A", "x" * 4000),)) == []
    assert names(secrets=("A-B",)) == ["environment-name"]
    assert names(env_facts=(("A-B", "cpus"),)) == ["environment-name"]


def test_variable_points_at_its_own_place() -> None:
    each, spans = placed(unit(env=(("A", "1"), ("B-C", "2")), **GPU), env__1="here")
    assert finding(each).span is spans["env.1"]


@pytest.mark.parametrize(("least", "limit", "refused"), [(3600, 3600, False), (3601, 3600, True), (9, None, False)])
def test_least_time_is_within_the_limit(least: int, limit: int | None, refused: bool) -> None:
    found = codes(time=Time(limit_s=limit, min_s=least), **GPU)
    assert ("run-time-order" in found) == refused


def test_choices_do_not_hide_what_is_wrong_with_the_job() -> None:
    assert names(choices=(Choice(name="8xh100"), Choice(name="8xa100")), mounts=(mount("/etc"),)) == [
        "mount-target-reserved"
    ]


def test_restarts_do_not_change_the_bound_of_a_whole_job() -> None:
    plain = run(unit(**GPU))[0].plan
    assert run(unit(retry=Retry(max_restarts=5, delay_ms=1000), **GPU))[0].plan == plain

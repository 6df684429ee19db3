"""What is kept of a profile: nothing that is said hangs on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowc import driver, profile
from flowc.diag.sink import Sink
from flowc.inputs import Inputs
from flowc.ir.profile import Lines
from flowc.profile import base, kept, read
from flowc.source import Source, Span

SECRET = "hf_" + "aB3" * 12
SCRIPT = """#!/bin/bash
#SBATCH -p gpu -C big --qos=high -A proj --gres=gpu:v100:2 --nodes=2
module load gromacs/2024 house
source activate train
singularity exec tool.sif gmx mdrun /scratch/me/in $STORE/x /proj/code
samtools view /data/x/y
"""
SECTIONS: dict[str, tuple[str, ...]] = {
    "partitions": ("gpu: {gpu: a100, memory: 20G}", '"g*": {time: 2:00:00}', "gpu: {region: us-central3-a}"),
    "constraints": ("big: {memory: 100G}", "é: {memory: 1G}"),
    "qos": ("high: {priority: high}",),
    "accounts": ("proj: {project: p}",),
    "defaults": ("time: 1:00:00", "time: never"),
    "gpus": ("v100: any", '"v*": a100'),
    "modules": ("gromacs: {apt: gromacs}", "gromacs/*: nothing", "house: {shell: 'echo a'}", "house: {ship: 1}"),
    "programs": ("samtools: {apt: samtools}", "samtools: {pip: [a, b]}"),
    "conda": ("train: env.yml", "train: {packages: [a]}", "train: gone.yml"),
    "images": ("tool*.sif: docker.io/me/tool:2",),
    "paths": ("/scratch: scratch", "/proj: code", "/data: s3://bucket/x", "/data: s3://me:" + SECRET + "@x"),
    "variables": ("STORE: /scratch/store", "API: " + SECRET, "HF_TOKEN: x"),
    "cluster": (
        'enforce: "all"\n  limits: {gpu: {max_nodes: 1}}\n  machines: [{count: 2, partitions: [gpu]}]',
        'enforce: "no"\n  limits: {cpu: {time: 5}}\n  machines: [{count: 1, gpus: {any: 2}, features: [big]}]',
    ),
}
profiles = st.fixed_dictionaries({}, optional={name: st.sampled_from(each) for name, each in SECTIONS.items()})
worlds = st.fixed_dictionaries(
    {"profile": profiles},
    optional={
        "environment": st.sampled_from(("name: train\n", "name: train\ndependencies: [a]\n", b"\xff", None)),
        "version": st.sampled_from(("1", "2")),
        "damage": st.sampled_from(("cut", "turned", "empty", "folder", "other's", "of another")),
        "path": st.sampled_from((".flowc/profile.yaml", "./.flowc/profile.yaml")),
    },
)


def text_of(lines: dict[str, str]) -> str:
    return "".join(f"{name}:\n  {each}\n" for name, each in lines.items())


def told(path: str, folder: str | None) -> list[Any]:
    """All that comes of a script and the profile: the plan, which tells the lines, and each finding with its place."""
    profile._last = None
    found = []
    inputs = Inputs(profile=path, cache=folder)
    for emit in ("ir", "plan", "mithril"):
        result = driver.compile(Source("job.sbatch", SCRIPT), inputs, emit=emit, frontend="slurm")
        found.append([each.text for each in result.artifacts])
        found.append([(each.code.id, each.message, each.help, places(each.span)) for each in result.diagnostics])
    return found


def places(span: Span | None) -> object:
    return span and (span.source.path, span.line, span.start, span.end, span.source.shown(span.start, span.end))


def damage(folder: Path, how: str) -> None:
    files = [file for file in sorted(folder.glob("profile-*")) if file.is_file()]
    for number, file in enumerate(files):
        data = file.read_bytes()
        if how == "cut":
            file.write_bytes(data[: len(data) // 2])
        elif how == "turned" and data:
            file.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
        elif how == "empty":
            file.write_bytes(b"")
        elif how == "folder":
            file.unlink()
            file.mkdir()
        elif how == "other's":
            file.chmod(0o666)
        elif how == "of another" and files[number - 1].is_file():
            file.write_bytes(files[number - 1].read_bytes())


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(worlds, min_size=2, max_size=4))
def test_a_kept_profile_says_what_its_file_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, several: list[dict[str, Any]]
) -> None:
    """Whatever was kept before, of whatever content, and whatever has become of the copies since."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".flowc").mkdir(exist_ok=True)
    cache = tmp_path / "cache" / "flowc"
    for world in several:
        monkeypatch.setattr(kept, "VERSION", world.get("version", "1"))
        Path(".flowc/profile.yaml").write_text(text_of(world["profile"]))
        environment = world.get("environment")
        Path("env.yml").unlink(missing_ok=True)
        if environment is not None:
            Path("env.yml").write_bytes(environment if isinstance(environment, bytes) else environment.encode())
        path = world.get("path", ".flowc/profile.yaml")
        without = told(path, None)
        assert told(path, str(cache)) == without
        if "damage" in world:
            damage(cache, world["damage"])
        assert told(path, str(cache)) == without


GOOD = text_of({name: each[0] for name, each in SECTIONS.items() if name != "conda"})


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("profile.yaml").write_text(GOOD)
    return tmp_path / "cache"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The profiles that are read from their text."""
    seen: list[str] = []
    original: Callable[..., Any] = read.read

    def counted(source: Source, sink: Sink) -> Any:
        seen.append(source.text)
        return original(source, sink)

    monkeypatch.setattr(read, "read", counted)
    return seen


def load(cache: Path | None) -> Any:
    profile._last = None
    return profile.load("profile.yaml", Sink(), None if cache is None else str(cache))


def plain(value: Any) -> Any:
    if isinstance(value, Span):
        return value.start, value.end, value.source.path, value.source.text
    if isinstance(value, Lines):
        return value.keys, [plain(each) for each in value]
    return {name: plain(each) for name, each in vars(value).items()} if hasattr(value, "FIELDS") else value


def test_it_is_read_once(place: Path, reads: list[str]) -> None:
    first, second = load(place), load(place)
    assert len(reads) == 1
    assert plain(first) == plain(second)
    assert plain(first) == plain(load(None))
    (file,) = place.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text", [GOOD.replace("/scratch/store", SECRET), "variables: {A: 1, A: 2}\n", "modules: {a: {ship: b}}\n"]
)
def test_secrets_and_findings_are_not_kept(place: Path, reads: list[str], text: str) -> None:
    Path("profile.yaml").write_text(text)
    load(place), load(place)
    assert len(reads) == 2
    assert not place.exists() or not [*place.iterdir()]


def test_the_files_that_it_names_belong_to_it(place: Path, reads: list[str]) -> None:
    Path("profile.yaml").write_text("conda: {train: env.yml}\n")
    for text in ("name: a\n", "name: a\n", "name: b\n", "name: b\n"):
        Path("env.yml").write_text(text)
        (row,) = load(place).environments
        assert text.strip() in row.setup
    assert len(reads) == 2


def test_a_file_that_it_names_is_taken_whole(place: Path) -> None:
    """More than is read of it is told, not cut off."""
    Path("profile.yaml").write_text("conda: {train: env.yml}\n")
    Path("env.yml").write_text("a" * (base.MOST_BYTES + 1))
    sink = Sink()
    assert profile.load("profile.yaml", sink) is None
    assert [each.message for each in sink.diagnostics] == [
        "cannot read the profile `profile.yaml`: the file `env.yml` of the conda environment train: larger than 1 MB"
    ]


def test_few_are_kept(place: Path) -> None:
    for number in range(kept.MOST_FILES + 3):
        Path("profile.yaml").write_text(f"{GOOD}# {number}\n")
        load(place)
    assert len([*place.iterdir()]) == kept.MOST_FILES


def test_without_a_folder_that_can_be_written(place: Path, reads: list[str]) -> None:
    place.write_text("no folder")
    assert plain(load(place)) == plain(load(place))
    assert len(reads) == 2


def test_neither_yaml_nor_the_schema_is_loaded_for_a_kept_one(tmp_path: Path) -> None:
    """So a check with a profile takes hardly longer than without."""
    (tmp_path / "profile.yaml").write_text(GOOD)
    (tmp_path / "job.sbatch").write_text(SCRIPT)
    code = (
        "import sys\nfrom flowc.cli import main\nmain(['check', '--profile=profile.yaml', 'job.sbatch'])\n"
        "sys.stderr.write(str([name for name in sys.modules if name.startswith(('yaml', 'flowc.yamldoc', 're.'))]))"
    )
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    outputs = [
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True)
        for _ in range(2)
    ]
    assert outputs[0].stdout == outputs[1].stdout != ""
    assert "yaml" in outputs[0].stderr
    assert outputs[1].stderr == "[]"

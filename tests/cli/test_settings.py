"""Settings stand in for flags that are not given, wherever they come from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Outcome

Run = Callable[..., Outcome]


@pytest.fixture
def home(job: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = job.parent / "home"
    (place / ".flow").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return place


def body(flowc: Run, *words: str) -> dict[str, object]:
    done = flowc("compile", "job.sbatch", *words)
    assert done.status == 0, done.err
    found: dict[str, object] = json.loads(done.out)["requests"][0]["body"]
    return found


def test_each_place_stands_in_for_a_flag_and_the_nearer_one_wins(
    flowc: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".flow" / "config.yaml").write_text("mithril: {project: far, ssh_keys: [a, b]}\n")
    assert body(flowc)["project"] == "${project:far}"
    assert body(flowc)["launch_specification"]["ssh_keys"] == ["${ssh_key:a}", "${ssh_key:b}"]  # type: ignore[index]
    Path(".flowc.toml").write_text('project = "near"\n')
    assert body(flowc)["project"] == "${project:near}"
    monkeypatch.setenv("MITHRIL_PROJECT", "nearer")
    assert body(flowc)["project"] == "${project:nearer}"
    assert body(flowc, "--project", "here")["project"] == "${project:here}"


def test_settings_that_cannot_be_read_are_wrong_usage(flowc: Run, home: Path) -> None:
    (home / ".flow" / "config.yaml").write_text("mithril: [\n")
    done = flowc("check", "job.sbatch")
    assert (done.status, done.out) == (2, "")
    assert "~/.flow/config.yaml is no YAML" in done.err


def test_region_of_a_file_is_told_by_its_place(flowc: Run, home: Path) -> None:
    (home / ".flow" / "config.yaml").write_text("mithril: {region: nowhere1-z}\n")
    done = flowc("check", "job.sbatch")
    assert "<settings>:1:" in done.out
    assert "nowhere1-z" in done.out

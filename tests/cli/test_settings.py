"""Settings stand in for flags that are not given, wherever they come from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flowc._compiled.settings import SETTINGS
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
    for command in (("list",), ("submit", "job.sbatch", "--dry-run"), ("init", "--provider", "local")):
        done = flowc(*command)
        assert (done.status, done.out) == (2, ""), command
        assert "~/.flow/config.yaml is no YAML" in done.err
    assert flowc("submit", "job.sbatch", "--follow").status == 125  # where the exit status is the job's


def test_file_in_place_of_the_settings_folder_is_named(flowc: Run, home: Path) -> None:
    (home / ".flow").rmdir()
    (home / ".flow").touch()
    done = flowc("init", "--provider", "local")
    assert (done.status, done.out) == (4, "")
    assert "/.flow is a file, and settings need a folder there" in done.err


def test_region_of_a_file_is_told_by_its_place(flowc: Run, home: Path) -> None:
    (home / ".flow" / "config.yaml").write_text("mithril: {region: nowhere1-z}\n")
    done = flowc("check", "job.sbatch")
    assert "<settings>:1:" in done.out
    assert "nowhere1-z" in done.out


OLDER = {
    "FCP_API_KEY": ("fkey_ABCDEFGHIJKLMNOPQRSTUVWX", "MITHRIL_API_KEY"),
    "FOUNDRY_API_KEY": ("fkey_ABCDEFGHIJKLMNOPQRSTUVWX", "MITHRIL_API_KEY"),
    "FCP_API_URL": ("https://api.mlfoundry.com", "MITHRIL_API_URL"),
    "FCP_DEFAULT_PROJECT": ("p", "MITHRIL_PROJECT"),
    "FOUNDRY_PROJECT_NAME": ("p", "MITHRIL_PROJECT"),
    "MITHRIL_PROJECT_ID": ("p", "MITHRIL_PROJECT"),
    "FCP_DEFAULT_REGION": ("us-central2-a", "MITHRIL_REGION"),
    "FCP_SSH_KEYS": ("a", "MITHRIL_SSH_KEYS"),
    "FOUNDRY_SSH_KEY_NAME": ("a", "MITHRIL_SSH_KEYS"),
}


@pytest.mark.parametrize("name", OLDER)
def test_older_names_are_taken_with_a_note(flowc: Run, home: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    value, now = OLDER[name]
    monkeypatch.setenv(name, value)
    done = flowc("compile", "job.sbatch")
    assert done.status == 0, done.err
    assert f"note[FC410] old-spelling: `{name}` is an old spelling of `{now}`" in done.err
    assert "fkey_" not in done.err
    monkeypatch.setenv(now, value)
    assert f"`{name}`" not in flowc("compile", "job.sbatch").err


def test_every_older_name_is_told() -> None:
    assert set(OLDER) == {name for row in SETTINGS.values() for name in row["old_env"]}


def test_older_keys_of_files_are_taken_with_a_note(flowc: Run, home: Path) -> None:
    (home / ".flow" / "config.yaml").write_text("fcp: {project: p}\ndefault_ssh_key: a\n")
    done = flowc("compile", "job.sbatch")
    assert "`fcp.project` is an old spelling of `mithril.project`" in done.err
    assert "`default_ssh_key` is an old spelling of `mithril.ssh_keys`" in done.err


def test_unknown_keys_are_told_with_their_line(flowc: Run, home: Path) -> None:
    text = "provider: mithril\nmithril:\n  regoin: x\n  limit_prices: {h100: {low: 1}}\n  project: p\nnothing: {a: 1}\n"
    (home / ".flow" / "config.yaml").write_text(text)
    Path("pyproject.toml").write_text('[project]\nregion = "x"\n\n[tool.flowc]\nproject = "p"\nssh-keys = ["a"]\n')
    done = flowc("compile", "job.sbatch")
    path, known = home / ".flow" / "config.yaml", [row["file"] for row in SETTINGS.values()]
    told = [line for line in done.err.splitlines() if "there is no setting" in line]
    assert told == [
        f"flowc: warning: {Path.cwd()}/pyproject.toml:6: there is no setting `ssh-keys`: did you mean `ssh_keys`?",
        f"flowc: warning: {path}:3: there is no setting `mithril.regoin`: did you mean `mithril.region`?",
        f"flowc: warning: {path}:6: there is no setting `nothing`: there are {', '.join(known)}",
    ]
    assert done.status == 0
    assert "pyproject.toml:6: there is no setting `ssh-keys`" in flowc("doctor", "--offline").out
    Path("pyproject.toml").unlink()
    Path(".flowc.toml").write_text('[regin]\na = 1\n"projekt" = 2\n')
    assert f"{Path.cwd()}/.flowc.toml:1: there is no setting `regin`: did you mean `region`?" in (
        flowc("compile", "job.sbatch").err
    )


def test_the_release_of_slurm_is_a_setting(flowc: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("job.sbatch").write_text("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 -c 2\nenv\n")

    def release(*words: str) -> object:
        done = flowc("compile", "job.sbatch", "--emit", "ir", *words)
        assert done.status == 0, done.err
        return json.loads(done.out)["jobs"][0]["source"]["release"]

    assert release() is None
    Path(".flowc.toml").write_text('slurm_version = "23.11"\n')
    assert release() == "23.11"
    Path(".flowc.toml").unlink()
    Path("pyproject.toml").write_text('[tool.flowc]\nslurm_version = "25.11"\n')
    assert release() == "25.11"
    monkeypatch.setenv("FLOW_SLURM_VERSION", "24.11")
    assert release() == "24.11"
    assert release("--slurm-version", "26.05") == "26.05"
    monkeypatch.setenv("FLOW_SLURM_VERSION", "19.05")
    done = flowc("check", "job.sbatch")
    assert done.status == 2
    assert "FLOW_SLURM_VERSION" in done.err
    assert "26.05" in done.err

"""What was read of a project's file is kept by its content, and is never needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowc._compiled.settings import SETTINGS
from flowc.cli import main
from flowc.settings import files, kept
from flowc.settings.files import project_file
from flowc.settings.lookup import Settings
from flowc.settings.setting import Setting, SettingsError

TEXT = '[project]\nname = "x"\n[tool.flowc]\nignore = ["FC820"]\nstrict = true\nmost = 3\n'


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, str]:
    (tmp_path / "job").mkdir()
    (tmp_path / "cache").mkdir()
    return tmp_path / "job", str(tmp_path / "cache" / "flowc")


def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are parsed from now on."""
    found: list[str] = []
    before = files._toml

    def toml(path: str, data: bytes) -> dict[str, Any]:
        found.append(Path(path).name)
        return before(path, data)

    monkeypatch.setattr(files, "_toml", toml)
    return found


@pytest.mark.parametrize(("name", "text"), [("pyproject.toml", TEXT), (".flowc.toml", 'severity = "error"\n')])
def test_a_file_is_parsed_once(
    folders: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    job, cache = folders
    (job / name).write_text(text)
    usual = project_file(str(job), None)
    read = parsed(monkeypatch)
    assert [project_file(str(job), None, cache) for _ in range(3)] == [usual] * 3
    assert read == [name]
    (job / name).write_text(text + "\n# another\n")
    assert project_file(str(job), None, cache) == usual
    assert read == [name, name]


def test_what_is_damaged_is_parsed(folders: tuple[Path, str]) -> None:
    job, cache = folders
    (job / "pyproject.toml").write_text(TEXT)
    usual = project_file(str(job), None, cache)
    (file,) = Path(cache).iterdir()
    whole = file.read_bytes()
    for at in range(0, len(whole), 3):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        assert project_file(str(job), None, cache) == usual
        file.write_bytes(whole[:at])
        assert project_file(str(job), None, cache) == usual


@pytest.mark.parametrize(
    "more",
    [
        "day = 2026-01-01\n",
        'api_key = "fkey_0123456789abcdef"\n',
        'about = "ghp_0123456789abcdefghijABCDEFGHIJ012345"\n',
        f"# {'x' * kept.MOST_KEPT}\n",
    ],
)
def test_dates_secrets_and_long_files_are_not_kept(folders: tuple[Path, str], more: str) -> None:
    job, cache = folders
    (job / ".flowc.toml").write_text(more)
    assert project_file(str(job), None, cache) == project_file(str(job), None)
    assert not Path(cache).exists()


def test_a_mistake_is_told_each_time(folders: tuple[Path, str]) -> None:
    job, cache = folders
    (job / ".flowc.toml").write_text("a = [\n")
    for _ in range(2):
        with pytest.raises(SettingsError, match="is no TOML"):
            project_file(str(job), None, cache)


def known(job: Path, cache: str, environ: dict[str, str] | None = None) -> kept.Known | None:
    def everything() -> Settings:
        return Settings(environ or {}, folder=str(job), home=None)

    return kept.known(environ or {}, str(job), None, cache, everything)


def asked(settings: Settings | kept.Known, name: str) -> tuple[Setting, list[Setting], bool]:
    levels = settings.levels(name) if SETTINGS[name]["strictest"] else []
    return settings.get(name), levels, settings.may_say(name)


@pytest.mark.parametrize(
    "text",
    [
        'ignore = ["FC820", " FC1 , FC2"]\nseverity = "error"\nper-file-ignores = "a:FC1"\n',
        'region = "r"\nslurm_version = 22.05\ntimeout = 3\n[policy]\nper_job = 5\nregions = ["x", "y"]\n',
        "select = []\n",
        "",
    ],
)
@pytest.mark.parametrize("name", ["pyproject.toml", ".flowc.toml"])
def test_what_it_says_alone_is_said_as_by_all_settings(folders: tuple[Path, str], name: str, text: str) -> None:
    job, cache = folders
    shared = name == "pyproject.toml"
    section = "[tool.flowc]\n" + text.replace("[policy]", "[tool.flowc.policy]")
    (job / name).write_text(section if shared else text)
    usual = Settings({}, folder=str(job), home=None)
    assert known(job, cache) is None
    project_file(str(job), None, cache)
    found = known(job, cache)
    assert found is not None
    for each in SETTINGS:
        if each != "api_key":  # which may be in the keyring
            setting, levels, may_say = asked(found, each)
            assert (setting, levels) == asked(usual, each)[:2]
            assert may_say == bool(setting.origin and setting.origin != "default")
    assert found.older() == usual.older() == []


def test_where_others_may_say_something_too_all_are_asked(folders: tuple[Path, str]) -> None:
    job, cache = folders
    (job / ".flowc.toml").write_text('region = "r"\n')
    project_file(str(job), None, cache)
    assert known(job, cache) is not None
    assert known(job, cache, {"MITHRIL_REGION": "x"}) is None
    assert known(job, cache, {"XDG_CONFIG_HOME": str(job)}) is not None
    (job / "mithril").mkdir()
    (job / "mithril" / "config.yaml").write_text("a: b\n")
    assert known(job, cache, {"XDG_CONFIG_HOME": str(job)}) is None


@pytest.mark.parametrize("text", ["ignore = 2026\nregion = [1]\n", 'api_url = "https://x"\n', "region = true\n"])
def test_what_is_wrong_with_a_value_is_told_by_all_settings(folders: tuple[Path, str], text: str) -> None:
    job, cache = folders
    (job / ".flowc.toml").write_text(text)
    project_file(str(job), None, cache)
    assert Path(cache).exists()
    assert known(job, cache) is None


def test_one_text_means_another_thing_in_another_file(folders: tuple[Path, str]) -> None:
    job, cache = folders
    text = 'ignore = ["FC1"]\n[tool.flowc]\nignore = ["FC2"]\n'
    for name, code in (("pyproject.toml", "FC2"), (".flowc.toml", "FC1")):
        (job / name).write_text(text)
        project_file(str(job), None, cache)
        found = known(job, cache)
        assert found is not None
        assert found.get("ignore").values == (code,)


def test_nothing_is_kept_where_nothing_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".flowc.toml").write_text('ignore = ["FC840"]\n')
    (tmp_path / "a.sbatch").write_text("#!/bin/bash\n#SBATCH -t 5\ntrue\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    main(["check", "--no-cache", "a.sbatch"])
    assert not (tmp_path / "cache").exists()
    main(["check", "a.sbatch"])
    assert [*(tmp_path / "cache" / "flowc").iterdir()]

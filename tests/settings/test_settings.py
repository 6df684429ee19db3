"""Settings: who wins, where each comes from, and what may not stand where."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowc._compiled.settings import SETTINGS
from flowc.settings import may_be_set, working_folder
from flowc.settings.lookup import Settings, SettingsError
from flowc.settings.values import project_place

KEY = "fkey_aaaaaaaaaaaaaaaaaaaaaaaa"


class Place:
    """A user's folder with a project in it."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.project = self.home / "code" / "project"
        self.folder = self.project / "jobs" / "night"
        self.folder.mkdir(parents=True)

    def user(self, content: Any, mode: int = 0o600) -> None:
        self.write(self.home / ".flow" / "config.yaml", content, mode)

    def profile(self, content: Any, mode: int = 0o600) -> None:
        self.write(self.home / ".config" / "mithril" / "config.yaml", content, mode)

    def write(self, path: Path, content: Any, mode: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        path.chmod(mode)

    def settings(self, environ: dict[str, str] | None = None, **flags: Any) -> Settings:
        return Settings(environ or {}, folder=str(self.folder), home=str(self.home), flags=flags)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_who_comes_first_wins(place: Place) -> None:
    place.profile({"current_profile": "work", "profiles": {"work": {"project_id": "of-the-profile"}}})
    assert place.settings().text("project") == "of-the-profile"
    place.user({"mithril": {"project": "of-the-user"}})
    assert place.settings().text("project") == "of-the-user"
    (place.project / ".flowc.toml").write_text('project = "of-the-project"\n')
    assert place.settings().text("project") == "of-the-project"
    environ = {"MITHRIL_PROJECT": "of-the-environment"}
    assert place.settings(environ).text("project") == "of-the-environment"
    assert place.settings(environ, project="of-the-flag").text("project") == "of-the-flag"


def test_each_says_where_it_comes_from(place: Place) -> None:
    place.user({"mithril": {"region": "us-central1-a"}, "provider": "local"})
    (place.project / "pyproject.toml").write_text('[tool.flowc]\nproject = "p"\n')
    found = {each.name: each.origin for each in place.settings({"FLOW_TIMEOUT": "5"}, ssh_keys=("a",)).all()}
    assert list(found) == list(SETTINGS)
    assert found == {
        "api_key": None,
        "api_url": "default",
        "profile": None,
        "provider": "~/.flow/config.yaml, provider",
        "project": f"{place.project}/pyproject.toml, project",
        "region": "~/.flow/config.yaml, mithril.region",
        "ssh_keys": "flag --ssh-key",
        **dict.fromkeys(("select", "ignore", "exclude", "severity", "judge", "per_file_ignores", "slurm_version")),
        **dict.fromkeys(name for name in SETTINGS if name.startswith("policy_")),
        "timeout_s": "environment variable FLOW_TIMEOUT",
        "local_machine": "default",
        "local_image": None,
        "release_after_s": "default",
    }


def test_nearest_project_wins_and_other_peoples_tables_are_passed_over(place: Place) -> None:
    (place.project / ".flowc.toml").write_text('region = "far"\n')
    (place.folder / "pyproject.toml").write_text('[tool.other]\nx = "flowc"\n')
    assert place.settings().text("region") == "far"
    (place.folder / ".flowc.toml").write_text('region = "near"\n')
    assert place.settings().text("region") == "near"


def test_search_ends_in_the_users_folder(place: Place) -> None:
    (place.home.parent / ".flowc.toml").write_text('region = "outside"\n')
    assert place.settings().text("region") is None
    (place.home / ".flowc.toml").write_text('region = "home"\n')
    assert place.settings().text("region") == "home"


@pytest.mark.parametrize("name", [name for name, row in SETTINGS.items() if row["personal"]])
def test_project_cannot_lead_elsewhere(place: Place, name: str) -> None:
    key = SETTINGS[name]["file"].rpartition(".")[2]
    (place.project / ".flowc.toml").write_text(f'{key} = "x"\n')
    with pytest.raises(SettingsError, match="may not stand in a project's file"):
        place.settings().get(name)


@pytest.mark.parametrize("kind", ["user", "profile"])
def test_key_that_others_can_read_is_refused(place: Place, kind: str) -> None:
    content = {
        "user": {"api_key": KEY},
        "profile": {"current_profile": "a", "profiles": {"a": {"api_key": KEY, "project_id": "p"}}},
    }[kind]
    getattr(place, kind)(content, 0o644)
    with pytest.raises(SettingsError) as caught:
        place.settings().get("api_key")
    assert caught.value.help.startswith("chmod 600 ~/.")
    assert KEY not in caught.value.message + caught.value.help
    getattr(place, kind)(content, 0o600)
    assert place.settings().text("api_key") == KEY


def test_key_is_never_shown(place: Place) -> None:
    settings = place.settings({"MITHRIL_API_KEY": KEY})
    assert settings.text("api_key") == KEY
    assert settings.get("api_key").shown == "***"
    assert KEY not in repr(settings.get("api_key")) + repr(settings.all()) + repr(settings)


def test_older_names_are_taken_with_a_note(place: Place) -> None:
    found = place.settings({"FOUNDRY_PROJECT_NAME": "p"}).get("project")
    assert (found.values, found.note) == (("p",), "`FOUNDRY_PROJECT_NAME` is an older name of `MITHRIL_PROJECT`")
    place.user({"fcp": {"region": "us-central1-b"}, "default_ssh_key": "mine"})
    assert place.settings().get("region").note == "`fcp.region` is an older name of `mithril.region`"
    assert place.settings().get("ssh_keys").values == ("mine",)


def test_ways_that_are_gone_are_told(place: Place) -> None:
    gone = place.settings({"FOUNDRY_EMAIL": "me@example.com", "FOUNDRY_PASSWORD": "x"}).gone()
    assert [name for name, _ in gone] == ["FOUNDRY_EMAIL", "FOUNDRY_PASSWORD"]
    assert all("MITHRIL_API_KEY" in instead for _, instead in gone)


def test_lists_are_lists_everywhere(place: Place) -> None:
    place.user({"mithril": {"ssh_keys": ["a", "b"]}})
    assert place.settings().get("ssh_keys").values == ("a", "b")
    assert place.settings({"MITHRIL_SSH_KEYS": "c, d,"}).get("ssh_keys").values == ("c", "d")
    place.user({"mithril": {"ssh_keys": "e,f"}})
    assert place.settings().get("ssh_keys").values == ("e", "f")


def test_profile_is_chosen_by_name(place: Place) -> None:
    place.profile({"current_profile": "a", "profiles": {"a": {"project_id": "1"}, "b": {"project_id": "2"}}})
    assert place.settings({"MITHRIL_PROFILE": "b"}).text("project") == "2"
    with pytest.raises(SettingsError, match="has no profile `c`"):
        place.settings({"MITHRIL_PROFILE": "c"}).get("project")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("mithril: {project: [", "is no YAML, line 1"),
        ("- a\n", "is no mapping"),
        ("mithril:\n  project: [a]\n", "`mithril.project` is to be a text"),
        ("mithril:\n  project: true\n", "`mithril.project` is to be a text"),
        ("mithril:\n  project: {a: b}\n", "`mithril.project` is to be a text, not a section"),
        ("a: " + "[" * 5000, "is nested too deeply"),
        ("x" * 2_000_000, "has more than"),
    ],
)
def test_files_that_cannot_be_used_are_told(place: Place, content: str, words: str) -> None:
    place.user(content)
    with pytest.raises(SettingsError, match=words):
        place.settings().get("project")


@pytest.mark.parametrize("name", [name for name, row in SETTINGS.items() if not row["personal"]])
def test_a_section_with_the_name_of_a_setting_is_told(place: Place, name: str) -> None:
    key = project_place(SETTINGS[name])
    file = place.project / ".flowc.toml"
    file.write_text(f'# mine\n[{key}]\na = "b"\n')
    wanted = {"list": "a list of texts", "seconds": "a number of seconds"}.get(SETTINGS[name]["kind"], "a text")
    with pytest.raises(SettingsError, match=f"`{key}` is to be {wanted}, not a section"):
        place.settings().get(name)
    assert [each.shown for each in place.settings().unknown()] == [
        f"{file}:2: `{key}` is to be {wanted}, not a section"
    ]


@pytest.mark.parametrize("name", [".flowc.toml", "pyproject.toml"])
def test_what_is_no_file_is_refused_and_nobody_waits_for_it(place: Place, name: str) -> None:
    file = place.project / name
    os.mkfifo(file)
    signal.alarm(20)  # who opens a pipe without a writer waits for ever
    try:
        assert may_be_set({"HOME": str(place.home)}, str(place.folder), str(place.home))
        with pytest.raises(SettingsError, match=f"/{name} is a pipe or a device, no file"):
            place.settings().text("region")
    finally:
        signal.alarm(0)
    file.unlink()
    file.symlink_to("/dev/zero")
    with pytest.raises(SettingsError, match=f"/{name} is a pipe or a device, no file"):
        place.settings().text("region")
    file.unlink()
    file.mkdir()
    (place.home / ".flowc.toml").write_text('region = "above"\n')
    if name == "pyproject.toml":  # everybody's, so it need not be meant for flowc
        assert place.settings().text("region") == "above"
    else:
        with pytest.raises(SettingsError, match=f"/{name} is a folder, no file"):
            place.settings().text("region")


def test_a_file_that_is_named_may_be_a_pipe(place: Place) -> None:
    read, write = os.pipe()
    os.write(write, b"mithril: {region: r, strange: s}\n")
    os.close(write)
    settings = place.settings({"FLOW_CONFIG_PATH": f"/dev/fd/{read}"})
    assert settings.text("region") == "r"
    assert [each.key for each in settings.unknown()] == ["mithril.strange"]
    os.close(read)


def test_file_that_is_named_must_be_there(place: Place) -> None:
    with pytest.raises(SettingsError, match="FLOW_CONFIG_PATH"):
        place.settings({"FLOW_CONFIG_PATH": str(place.home / "none.yaml")}).get("project")


def test_time_limits_are_numbers_of_seconds(place: Place) -> None:
    assert place.settings().seconds("timeout_s") == 30
    for text in ("0", "-1", "soon", "nan", "inf"):
        with pytest.raises(SettingsError, match="needs a number of seconds"):
            place.settings({"FLOW_TIMEOUT": text}).seconds("timeout_s")


def test_without_a_home_the_environment_is_enough(tmp_path: Path) -> None:
    settings = Settings({"MITHRIL_REGION": "r"}, folder=str(tmp_path), home=None)
    assert settings.text("region") == "r"
    assert settings.text("project") is None


def test_the_quick_look_misses_nothing_that_can_be_set(tmp_path: Path) -> None:
    place = Place(tmp_path)

    def seen(environ: dict[str, str] | None = None) -> bool:
        return may_be_set(environ or {"HOME": str(place.home)}, str(place.folder), str(place.home))

    assert not seen()
    names = [name for row in SETTINGS.values() for name in (*row["env"], *row["old_env"])]
    assert all(seen({name: "x"}) for name in (*names, "FLOW_CONFIG_PATH"))
    shared = place.project / "pyproject.toml"
    shared.write_text('[project]\nname = "x"\n')
    assert not seen()
    shared.write_text('[tool.flowc]\nregion = "x"\n')
    assert seen()
    shared.unlink()
    for path in (
        place.project / ".flowc.toml",
        place.home / ".flow/config.yaml",
        place.home / ".config/mithril/config.yaml",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        assert seen()
        path.unlink()
    assert seen({"XDG_CONFIG_HOME": str(place.home)}) is (place.home / "mithril/config.yaml").exists()


def test_a_working_folder_that_is_gone_ends_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert working_folder() == "/"
    monkeypatch.chdir(tmp_path)

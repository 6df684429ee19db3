"""What a check keeps for the next time: never wrong, never in the way, nobody else's business."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowc import cache, driver
from flowc.cli.checking import checker, kept
from tests.cli.conftest import BAD, GOOD, Outcome

SECRET = "hf_" + "aB3" * 12
FILES = {
    "a.sbatch": GOOD,
    "b.sbatch": BAD,
    "c.sbatch": "#!/bin/bash\n#SBATCH --export=WHERE,PATH -N 2\nmodule load gromacs\ngmx mdrun $SCRATCH/a\n",
    "d.yaml": "name: d\ncommand: sleep 1\ninstance_type: 8xh100\nenv: {HF_TOKEN: " + SECRET + "}\n",
    "e.sbatch": "#!/bin/bash\n#SBATCH --gres=gpu:1 -p fast\n# flowc: ignore[FC820]\ncd /scratch/me\n./run /data/x\n",
}
PROFILE = ".flowc/profile.yaml"
# Of each thing that an outcome hangs on: what it may be.
CHOICES: dict[str, tuple[Any, ...]] = {
    "files": tuple(
        {**FILES, **more}
        for more in (
            {},
            {"a.sbatch": BAD},
            {"e.sbatch": FILES["e.sbatch"] + "#\n", "f.sbatch": GOOD},
            {"c.sbatch": FILES["c.sbatch"].replace("WHERE", "'WHE'RE")},
        )
    ),
    "profile": (
        None,
        "modules: {gromacs: nothing}\n",
        "modules: {gromacs: {apt: gromacs}}\nvariables: {SCRATCH: /x}\n",
    ),
    "project": (None, '[check]\nignore = ["FC1"]\n', 'ignore = ["FC813"]\n', 'per-file-ignores = ["b*:FC1"]\n'),
    "catalog": (None, 1, 2),
    "environ": (
        {},
        {"SBATCH_TIMELIMIT": "1:00"},
        {"SBATCH_EXPORT": "OTHER"},
        {"SBATCH_EXPORT": "OTHER", "OTHER": "2"},
        {"WHERE": "there"},
        {"WHERE": SECRET},
        {"FLOW_SLURM_VERSION": "23.02"},
        {"MITHRIL_REGION": "us-central3-a"},
        {"FORCE_COLOR": "1"},
    ),
    "flags": (
        [],
        ["--strict"],
        ["--format", "json"],
        ["--format", "concise"],
        ["--summary"],
        ["--severity", "error"],
        ["--select", "FC1"],
        ["--budget", "5"],
        ["--env", "HF_TOKEN=" + SECRET],
        ["--slurm-version", "26.05"],
        ["--from", "slurm"],
        ["--quiet"],
    ),
    "version": ("1", "2"),
    "code": (1, 2),
}
worlds = st.fixed_dictionaries({}, optional={name: st.sampled_from(each) for name, each in CHOICES.items()})


def catalog(number: int) -> str:
    kind = "name: h100-80gb.sxm.8x, fid: it_1, family: h100, gpus: 8, gpu_memory_gb: 80, vcpus: 9"
    offer = f'{{region: r, fid: it_1, minimum_usd: "1", market_usd: "{number}"}}'
    return (
        f'as_of: "2026-09-0{number}"\nregions: [r]\ninstance_types:\n'
        f"  - {{{kind}, memory_gb: {99 * number}, offers: [{offer}]}}\n"
    )


@pytest.fixture
def place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of jobs, with a cache of its own; few are enough for it, and nothing just changed."""
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setattr(checker, "KEPT_FROM", 2)
    monkeypatch.setattr(kept, "_SETTLED_NS", 0)
    (folder / "jobs").mkdir()
    fill(folder / "jobs", FILES)
    monkeypatch.chdir(folder / "jobs")
    return folder


def fill(folder: Path, files: dict[str, str]) -> None:
    for path in folder.glob("*.*"):
        if path.is_file():
            path.unlink()
    for name, text in files.items():
        (folder / name).write_text(text)


def put(path: str, text: str | None) -> None:
    if text is not None:
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(text)
    elif Path(path).exists():
        Path(path).unlink()


def cache_file(place: Path) -> Path:
    (found,) = (place / "cache" / "flowc").glob("checked-*")
    return found


Run = Callable[..., Outcome]


def told(outcome: Outcome) -> tuple[int, str, str]:
    return outcome.status, outcome.out, outcome.err


def in_world(flowc: Run, world: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of other worlds makes no difference in this one."""
    with monkeypatch.context() as patch:
        fill(Path(), world.get("files", FILES))
        put(PROFILE, world.get("profile"))
        put(".flowc.toml", world.get("project"))
        for name, value in world.get("environ", {}).items():
            patch.setenv(name, value)
        words = [*world.get("flags", [])]
        if world.get("catalog"):
            put("cat/a.yaml", catalog(world["catalog"]))
            words += ["--catalog", "cat/a.yaml"]
        patch.setattr(kept, "VERSION", world.get("version", "1"))
        patch.setattr(kept, "_code", lambda: [("a", world.get("code", 1), 1, 1)])
        first = flowc("check", *words, ".")
        assert told(first) == told(flowc("check", *words, "."))
        patch.setenv("XDG_CACHE_HOME", os.devnull)
        assert told(first) == told(flowc("check", *words, "."))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(worlds, min_size=2, max_size=4))
def test_it_is_never_wrong(
    place: Path, flowc: Run, monkeypatch: pytest.MonkeyPatch, several: list[dict[str, Any]]
) -> None:
    for world in several:
        in_world(flowc, world, monkeypatch)


@pytest.mark.parametrize("what", CHOICES)
def test_each_thing_that_it_hangs_on(what: str, place: Path, flowc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for choice in (*CHOICES[what], *CHOICES[what]):
        in_world(flowc, {what: choice}, monkeypatch)


def test_what_is_unchanged_is_not_checked_again(place: Path, flowc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = flowc("check", ".")
    checked: list[str] = []
    check = driver.check

    def watched(source: Any, *words: Any, **more: Any) -> Any:
        checked.append(source.path)
        return check(source, *words, **more)

    monkeypatch.setattr(driver, "check", watched)
    assert told(flowc("check", ".")) == told(first)
    assert checked == []
    # The environment, but for what a job reads of it, is nobody's business.
    monkeypatch.setenv("SHLVL", "7")
    flowc("check", ".")
    assert checked == []
    Path("a.sbatch").write_text(BAD)
    monkeypatch.setenv("WHERE", "elsewhere")
    flowc("check", ".")
    assert checked == ["a.sbatch", "c.sbatch"]
    checked.clear()
    flowc("check", "--no-cache", ".")
    assert len(checked) == len(FILES)


def test_nobody_else_can_read_it_and_no_secret_is_in_it(place: Path, flowc: Run) -> None:
    for form in ("human", "json", "sarif"):
        assert SECRET not in flowc("check", "--format", form, ".").out
    for path in (place / "cache" / "flowc").iterdir():
        assert SECRET.encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600
    assert (place / "cache" / "flowc").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "other", "open", "link"])
def test_what_is_damaged_or_anybodys_is_made_anew(damage: str, place: Path, flowc: Run) -> None:
    first = flowc("check", ".")
    file = cache_file(place)
    data = file.read_bytes()
    if damage == "link":
        file.rename(place / "there")
        file.symlink_to(place / "there")
    elif damage == "open":
        file.chmod(0o622)
    else:
        middle = len(data) // 2
        changed = {
            "cut": data[:-9],
            "bit": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
            "empty": b"",
            "other": b"not ours",
        }
        file.write_bytes(changed[damage])
    assert told(flowc("check", ".")) == told(first)
    assert not cache_file(place).is_symlink()
    assert cache_file(place).stat().st_mode & 0o777 == 0o600
    assert len(kept._read(str(cache_file(place)))) == len(FILES)


@pytest.mark.parametrize("where", ["file", "nowhere"])
def test_a_folder_that_cannot_be_written_is_not_needed(
    where: str, place: Path, flowc: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / where) if where == "file" else "/dev/null/x")
    first = flowc("check", ".")
    assert told(flowc("check", ".")) == told(first)
    assert first.err == ""
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert told(flowc("check", ".")) == told(first)


def test_its_size_is_bounded(place: Path, flowc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 4000)
    monkeypatch.setattr(kept, "MOST_FILES", 3)
    fill(Path(), {f"{number}.sbatch": BAD for number in range(30)})
    first = flowc("check", ".")
    assert 2000 < cache_file(place).stat().st_size < 8000
    assert told(flowc("check", ".")) == told(first)
    for number in range(6):
        flowc("check", "--select", f"FC{number}", ".")
    assert len([*(place / "cache" / "flowc").iterdir()]) == 3


def test_what_went_wrong_is_tried_again(place: Path, flowc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(driver, "check", broken)
        assert flowc("check", ".").status == 3
    assert flowc("check", ".").status == 1
    Path("a.sbatch").chmod(0)
    Path("gone.sbatch").symlink_to("nowhere")
    assert told(flowc("check", ".")) == told(flowc("check", "--no-cache", "."))


def test_what_changes_while_it_is_checked_is_known_by_what_was_checked(
    place: Path, flowc: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = kept.Kept._get

    def changing(self: kept.Kept, path: str) -> bytes | None:
        found = get(self, path)
        if path == "a.sbatch":
            Path(path).write_text(BAD)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(kept.Kept, "_get", changing)
        flowc("check", ".")
    Path("a.sbatch").write_text(GOOD)
    assert told(flowc("check", ".")) == told(flowc("check", "--no-cache", "."))


def test_what_all_hangs_on_and_changes_meanwhile_leaves_nothing(
    place: Path, flowc: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = iter([[("a", 1, 1, 1)], [("a", 2, 1, 1)]])
    monkeypatch.setattr(kept, "_code", lambda: next(codes))
    flowc("check", ".")
    assert not (place / "cache").exists()


def test_code_that_just_changed_may_change_again(place: Path, flowc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_SETTLED_NS", time.time_ns())
    flowc("check", ".")
    assert not (place / "cache").exists()
    monkeypatch.setattr(kept, "_SETTLED_NS", 0)
    code = kept._code()
    assert any(path.endswith("/flowc/_compiled/catalog.py") for path, *_ in code)
    assert any(path.endswith("/yaml/reader.py") for path, *_ in code)


@pytest.mark.parametrize("words", [["--judge", "bash"], ["--fix"], ["--diff"], ["--add-ignores"], ["--no-cache"]])
def test_what_asks_others_or_changes_files_keeps_nothing(words: list[str], place: Path, flowc: Run) -> None:
    flowc("check", *words, ".")
    assert not (place / "cache").exists()


def test_two_runs_at_once_leave_a_whole_file(place: Path, flowc: Run) -> None:
    first = flowc("check", ".")
    path = cache_file(place)
    data, pids = path.read_bytes(), []
    for _ in range(4):
        pid = os.fork()
        if not pid:
            try:
                for _ in range(20):
                    cache.keep(str(path), data, most=8)
            finally:
                os._exit(0)
        pids.append(pid)
    whole = [len(kept._read(str(path))) for _ in range(20)]
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
    assert whole == [len(FILES)] * 20
    assert told(flowc("check", ".")) == told(first)
    assert [*path.parent.iterdir()] == [path]

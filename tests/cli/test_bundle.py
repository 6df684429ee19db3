"""The code of modules that is kept in the cache folder: loaded as ever, never older than the source, never needed."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from flowc import bundle, cache
from flowc.bundle import Bundle

ROOT = Path(__file__).resolve().parents[2]
JOB = ROOT / "corpus" / "slurm" / "train-8-gpus" / "input.sbatch"
Load = Callable[..., ModuleType]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two modules and a package, which are taken for modules of flowc."""
    monkeypatch.setattr(bundle, "_SETTLED_NS", -(10**18))
    folder = tmp_path / "package"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "__init__.py").write_text("VALUE = 'deep'\n")
    (folder / "one.py").write_text("VALUE = 1\n\n\ndef fails():\n    raise LookupError('here')\n")
    (folder / "two.py").write_text("VALUE = 2\n")
    return folder


def load(found: Bundle, package: Path, name: str) -> ModuleType:
    spec = found.find_spec(f"flowc.{name}", [str(package)])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kept(tmp_path: Path, package: Path, key: str = "key") -> Bundle:
    """A bundle with all modules, from its file."""
    path = str(tmp_path / "cache" / "flowc" / "modules-1")
    first = Bundle(path, key)
    for name in ("one", "two", "deep"):
        load(first, package, name)
    first.save()
    return Bundle(path, key)


def loaded_from_source(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the modules whose sources are read from now on."""
    found: list[str] = []
    before = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: Any, name: str) -> Any:
        found.append(name.rpartition(".")[2])
        return before(self, name)

    monkeypatch.setattr(importlib.machinery.SourceFileLoader, "get_code", get_code)
    return found


def test_a_kept_module_is_what_python_makes_of_it(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = kept(tmp_path, package)
    read = loaded_from_source(monkeypatch)
    for name in ("one", "two", "deep"):
        module, usual = load(again, package, name), PathFinder.find_spec(f"flowc.{name}", [str(package)])
        assert usual is not None
        assert module.__spec__ is not None
        for each in ("name", "origin", "cached", "parent", "has_location", "submodule_search_locations"):
            assert getattr(module.__spec__, each) == getattr(usual, each), each
        assert module.__file__ == usual.origin
        assert module.__spec__.loader.get_source(f"flowc.{name}") == Path(usual.origin or "").read_text()  # type: ignore[union-attr]
    assert read == []
    assert again.learned == {}


def test_tracebacks_show_file_line_and_text(tmp_path: Path, package: Path) -> None:
    module = load(kept(tmp_path, package), package, "one")
    with pytest.raises(LookupError) as caught:
        module.fails()
    (*_, last) = traceback.extract_tb(caught.tb)
    assert (last.filename, last.lineno, last.line) == (f"{package}/one.py", 5, "raise LookupError('here')")


def same_size_and_time(file: Path) -> None:
    before = file.stat()
    file.write_text(file.read_text().replace("VALUE = 1", "VALUE = 7"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def put_in_its_place(file: Path) -> None:
    other = file.with_suffix(".new")
    other.write_text(file.read_text().replace("VALUE = 1", "VALUE = 7"))
    os.utime(other, ns=(0, file.stat().st_mtime_ns))
    other.replace(file)


def longer(file: Path) -> None:
    file.write_text("VALUE = 7  # now\n")


def a_package(file: Path) -> None:
    file.unlink()
    file.with_suffix("").mkdir()
    (file.with_suffix("") / "__init__.py").write_text("VALUE = 7\n")


@pytest.mark.parametrize("change", [same_size_and_time, put_in_its_place, longer, a_package])
def test_no_module_is_older_than_its_source(
    change: Callable[[Path], None], tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of two contents with one size and one time, Python's own files tell nothing.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    again = kept(tmp_path, package)
    change(package / "one.py")
    assert load(again, package, "one").VALUE == 7
    assert load(again, package, "two").VALUE == 2
    again.save()
    read = loaded_from_source(monkeypatch)
    third = Bundle(again.path, "key")
    assert [load(third, package, name).VALUE for name in ("one", "two", "deep")] == [7, 2, "deep"]
    assert read == []


def test_a_module_that_is_gone_is_not_found(tmp_path: Path, package: Path) -> None:
    again = kept(tmp_path, package)
    (package / "one.py").unlink()
    assert again.find_spec("flowc.one", [str(package)]) is None
    assert again.find_spec("flowc.none", [str(package)]) is None
    assert (
        again.find_spec("flowc", None)
        is again.find_spec("json", None)
        is again.find_spec("json.decoder", ["/"])
        is None
    )


def test_a_source_that_has_just_changed_is_not_kept(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "_SETTLED_NS", 10**18)
    again = kept(tmp_path, package)
    assert again.entries == {}


def test_of_another_interpreter_or_version_nothing_is_taken(tmp_path: Path, package: Path) -> None:
    path = kept(tmp_path, package).path
    assert Bundle(path, "key").entries.keys() == {"flowc.one", "flowc.two", "flowc.deep"}
    assert Bundle(path, "other").entries == {}


def test_what_is_damaged_is_loaded_from_the_source_and_made_anew(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(kept(tmp_path, package).path)
    whole = file.read_bytes()
    flipped = [whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :] for at in range(0, len(whole), 7)]
    cut = [whole[:at] for at in range(0, len(whole), 31)]
    for data in (*flipped, *cut, b"\xff" * 100, whole[:16] + whole):
        file.write_bytes(data)
        again = Bundle(str(file), "key")
        assert [load(again, package, name).VALUE for name in ("one", "two", "deep")] == [1, 2, "deep"]
    again.save()
    read = loaded_from_source(monkeypatch)
    assert load(Bundle(str(file), "key"), package, "one").VALUE == 1
    assert read == []


def test_what_is_asked_for_at_different_times_is_packed_apart(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "above.py").write_text("import flowc.below\n")
    (package / "below.py").write_text("VALUE = 'below'\n")
    monkeypatch.setattr(sys, "path", [])
    again = kept(tmp_path, package)
    spec = again.find_spec("flowc.above", [str(package)])
    monkeypatch.setattr(sys, "meta_path", [_Below(again, package)])
    monkeypatch.delitem(sys.modules, "flowc.below", raising=False)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    again.save()
    third = Bundle(again.path, "key")
    packs = {name: entry[:2] for name, entry in third.entries.items()}
    assert packs["flowc.above"] == (3, 0)
    assert packs["flowc.below"] == (3, 1)
    assert {packs[f"flowc.{name}"] for name in ("one", "two", "deep")} == {(0, 0), (1, 0), (2, 0)}
    # A source that changes leaves the pack, the others of it stay together.
    longer(package / "above.py")
    load(third, package, "above")
    third.save()
    fourth = Bundle(again.path, "key")
    assert load(fourth, package, "above").VALUE == 7
    assert load(fourth, package, "below").VALUE == "below"
    assert len(fourth.packs) == 5


class _Below:
    """As Python looks for a module of the package `flowc` whose folder is the test's."""

    def __init__(self, found: Bundle, package: Path) -> None:
        self.bundle = found
        self.package = package

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        return self.bundle.find_spec(name, [str(self.package)])


def test_what_others_could_have_written_is_not_run(tmp_path: Path, package: Path) -> None:
    file = Path(kept(tmp_path, package).path)
    for mode in (0o620, 0o602):
        file.chmod(mode)
        assert Bundle(str(file), "key").entries == {}
    file.chmod(0o600)
    assert Bundle(str(file), "key").entries
    link = file.with_name("modules-2")
    link.symlink_to(file)
    assert Bundle(str(link), "key").entries == {}
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_nothing_is_kept_where_nothing_can_be(tmp_path: Path, package: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (
        tmp_path / "file" / "flowc" / "modules-1",
        tmp_path / "no" / "home" / ".cache" / "flowc" / "modules-1",
    ):
        found = Bundle(str(path), "key")
        assert load(found, package, "one").VALUE == 1
        found.save()
    assert not (tmp_path / "no").exists()


def test_files_of_the_newest_installations_stay(tmp_path: Path) -> None:
    folder = tmp_path / "flowc"
    for number in range(12):
        cache.keep(str(folder / f"modules-{number:02}"), b"x", most=10)
        os.utime(folder / f"modules-{number:02}", (number, number))
    cache.keep(str(folder / "other-1"), b"x", most=10)
    names = sorted(each.name for each in folder.iterdir())
    assert len(names) == 11
    assert (names[-2], names[-1]) == ("modules-11", "other-1")


def test_cache_folder_is_where_others_look_for_it() -> None:
    assert cache.folder({"HOME": "/home/user"}) == "/home/user/.cache/flowc"
    assert cache.folder({"HOME": "/home/user", "XDG_CACHE_HOME": "/var/tmp/"}) == "/var/tmp/flowc"
    assert cache.folder({"HOME": "/home/user", "XDG_CACHE_HOME": "relative"}) == "/home/user/.cache/flowc"
    assert cache.folder({}) is cache.folder({"HOME": ""}) is None


PROGRAM = """
import sys
opened = []
sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
from flowc.cli import main
main()
print(*opened, sep=chr(10), file=sys.stderr)
"""


def opened(folder: Path, *flags: str) -> tuple[list[str], str]:
    """Files of flowc's own that a check reads, and what it says."""
    done = subprocess.run(
        [
            sys.executable,
            *flags,
            "-S",
            "-c",
            PROGRAM,
            "check",
            str(JOB),
        ],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [each for each in done.stderr.splitlines() if each.startswith(f"{ROOT}/flowc/")], done.stdout


def test_a_command_opens_the_file_and_few_others(tmp_path: Path) -> None:
    first, said = opened(tmp_path, "-B")
    assert len(first) > 100
    second, said_again = opened(tmp_path, "-B")
    assert said_again == said != ""
    # What is there before the bundle is.
    loaded = {each.removeprefix(f"{ROOT}/flowc/").replace("__pycache__/", "").partition(".")[0] for each in second}
    assert loaded == {"__init__", "version", "cli/__init__", "cache", "bundle"}
    assert [each.name.rpartition("-")[0] for each in (tmp_path / "flowc").iterdir()] == ["modules"]
    # Optimised code is other code.
    assert len(opened(tmp_path, "-O", "-B")[0]) > 100


def test_first_uses_at_once_are_all_right(tmp_path: Path) -> None:
    words = [sys.executable, "-S", "-m", "flowc", "check", str(JOB)]
    environ = {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path)}
    running = [subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {each.communicate()[0] for each in running}
    assert [each.returncode for each in running] == [0] * 4
    assert len(said) == 1
    (file,) = (tmp_path / "flowc").iterdir()
    assert said == {opened(tmp_path)[1]}
    assert len(opened(tmp_path)[0]) < 20
    assert [*(tmp_path / "flowc").iterdir()] == [file]


LOADED = """
import json, sys
class Watching:
    asked = []
    def find_spec(self, name, path=None, target=None):
        self.asked.append(name)
if "watched" in sys.argv:
    sys.meta_path.insert(0, Watching())
from flowc.cli import main
words, sys.argv[1:] = sys.argv[1:], sys.argv[1:3]
main()
found = {}
for name, module in sys.modules.items():
    if name[:6] == "flowc." and name[6:] not in ("bundle", "cache", "version", "cli"):
        above, _, last = name.rpartition(".")
        spec = module.__spec__
        found[name] = [
            module.__name__, module.__package__, module.__file__, module.__cached__, getattr(module, "__path__", None),
            spec.name, spec.parent, spec.origin, spec.cached, spec.submodule_search_locations, spec._initializing,
            module.__loader__ is spec.loader, getattr(sys.modules[above], last) is module, sorted(vars(module)),
        ]
print(chr(0) + json.dumps([list(found.items()), Watching.asked]))
"""


def loaded(cache_home: Path, *words: str) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-S", "-c", LOADED, "check", str(JOB), *words],
        env={"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache_home)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[Any] = json.loads(done.stdout.rpartition("\0")[2])
    return found


def test_modules_that_are_loaded_together_are_what_python_makes_of_them(tmp_path: Path) -> None:
    usual, _ = loaded(Path("/dev/null"))
    loaded(tmp_path)
    together, _ = loaded(tmp_path)
    assert dict(together) == dict(usual)
    assert len(usual) > 100


def test_finders_of_others_are_asked_for_each_module(tmp_path: Path) -> None:
    for _ in range(2):
        found, asked = loaded(tmp_path, "watched")
        assert {name for name, _ in found} <= {*asked}


def test_what_fails_while_it_is_loaded_fails_where_it_is_imported(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    above = ModuleType("flowc.above")
    above.__path__ = [str(package)]
    monkeypatch.setitem(sys.modules, "flowc.above", above)
    (package / "fails.py").write_text("import sys\nif hasattr(sys, 'fails_now'):\n    raise LookupError('now')\n")
    (package / "asks.py").write_text("\nfrom flowc.above import fails\n")
    path = str(tmp_path / "cache" / "flowc" / "modules-1")
    monkeypatch.setattr(Bundle, "_is_alone", lambda self: True)
    for round in range(3):
        found = Bundle(path, "key")
        monkeypatch.setattr(sys, "meta_path", [found, *sys.meta_path])
        monkeypatch.delitem(sys.modules, "flowc.above.fails", raising=False)
        spec = found.find_spec("flowc.above.asks", [str(package)])
        module = importlib.util.module_from_spec(spec)
        if round < 2:
            spec.loader.exec_module(module)
            assert module.fails is sys.modules["flowc.above.fails"] is above.fails
            found.save()
            del above.fails
        else:
            assert found.entries["flowc.above.asks"][4] == ("flowc.above.fails",)
            monkeypatch.setattr(sys, "fails_now", True, raising=False)
            with pytest.raises(LookupError, match="now") as caught:
                spec.loader.exec_module(module)
            lines = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(caught.tb)]
            assert lines[-1] == (f"{package}/fails.py", 3)
            assert (f"{package}/asks.py", 2) in lines
            assert "flowc.above.fails" not in sys.modules

"""The code of modules that is kept in the cache folder: loaded as ever, never older than the source, never needed."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from flowc import bundle
from flowc.bundle import Bundle, writing

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


def save(found: Bundle) -> None:
    """As a command does at its end."""
    if found.is_due():
        writing.save(found)


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
    save(first)
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
    save(again)
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
    save(again)
    read = loaded_from_source(monkeypatch)
    assert load(Bundle(str(file), "key"), package, "one").VALUE == 1
    assert read == []


def test_what_one_command_learns_is_one_pack_and_stays_one_while_it_is_used(
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
    save(again)
    third = Bundle(again.path, "key")
    assert packs(third) == [["one", "two", "deep"], ["above", "below"]]
    # A source that changes leaves the pack, the others of it stay together.
    longer(package / "one.py")
    load(third, package, "one")
    save(third)
    fourth = Bundle(again.path, "key")
    assert packs(fourth) == [["two", "deep"], ["above", "below"], ["one"]]
    assert [load(fourth, package, name).VALUE for name in ("one", "two", "deep", "below")] == [7, 2, "deep", "below"]


def packs(found: Bundle) -> list[list[str]]:
    rows = sorted((entry[:2], name.removeprefix("flowc.")) for name, entry in found.entries.items())
    return [[name for (pack, _), name in rows if pack == number] for number in range(len(found.packs))]


def test_many_modules_make_packs_of_much_the_same_size(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((_, together, _, _),) = kept(tmp_path, package).packs
    monkeypatch.setattr(writing, "_PACK", together)  # alone, each has names that they share
    again = kept(tmp_path, package, "other key")
    assert len(packs(again)) == 2
    assert [name for names in packs(again) for name in names] == ["one", "two", "deep"]
    assert all(size < together for _, size, _, _ in again.packs)
    assert [load(again, package, name).VALUE for name in ("one", "deep", "two", "one")] == [1, "deep", 2, 1]


def test_what_a_command_reads_that_learns_nothing_is_made_lean(tmp_path: Path, package: Path) -> None:
    text = "\n\nfrom __future__ import annotations\n\n\ndef fails() -> None:\n    'Why.'\n    raise LookupError\n"
    (package / "one.py").write_text(text)
    (package / "two.py").write_text(text)
    again = kept(tmp_path, package)
    assert load(again, package, "one").fails.__doc__ == "Why."
    longer(package / "two.py")  # not what was read any more
    save(again)
    third = Bundle(again.path, "key")
    assert packs(third) == [["one", "two", "deep"]]
    assert load(third, package, "one").fails.__doc__ is None
    assert load(third, package, "two").VALUE == 7
    assert third.raw() == frozenset()
    save(third)
    fourth = Bundle(again.path, "key")
    assert packs(fourth) == [["one", "deep"], ["two"]]
    assert load(fourth, package, "one").fails.__doc__ is None
    assert [each[3] for each in fourth.packs] == [True, False]


def test_what_is_read_for_nothing_gets_a_pack_of_its_own(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked_for(name: str) -> list[list[str]]:
        found = Bundle(path, "key")
        load(found, package, name)
        save(found)
        return packs(Bundle(path, "key"))

    path = kept(tmp_path, package).path
    assert asked_for("two") == [["one", "two", "deep"]]  # little was read for nothing
    monkeypatch.setattr(bundle, "_WASTE", 10)
    assert asked_for("two") == [["two"], ["one", "deep"]]
    before = Path(path).stat()
    assert asked_for("two") == [["two"], ["one", "deep"]]
    assert Path(path).stat() == before
    assert [load(Bundle(path, "key"), package, name).VALUE for name in ("one", "two", "deep")] == [1, 2, "deep"]
    # What others did for a process, it cannot tell.
    found = Bundle(path, "key")
    found.forks()
    load(found, package, "one")
    save(found)
    assert asked_for("two") == [["two"], ["one", "deep"]]
    assert asked_for("one") == [["two"], ["one"], ["deep"]]


def test_what_writes_the_file_is_none_of_what_a_command_used(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module that does so lies in the file like others. Counted as used, it kept a pack from being parted."""
    monkeypatch.setattr(bundle, "_WASTE", 10)
    path = kept(tmp_path, package).path
    (package / "writer.py").write_text("VALUE = 'writes'\n")
    for names in (["one", "two", "deep"], [], []):
        found = Bundle(path, "key")
        for name in ("two", *names):
            load(found, package, name)
        due = found.is_due()
        load(found, package, "deep")
        load(found, package, "writer")
        if due:
            writing.save(found)
    assert packs(Bundle(path, "key")) == [["two"], ["one", "deep"]]
    assert not due


def test_a_file_that_nobody_has_changed_is_not_added_up(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time says so. One that was copied, or written to, has another."""
    file = Path(kept(tmp_path, package).path)
    added_up: list[int] = []
    before = bundle.hash_of
    monkeypatch.setattr(bundle, "hash_of", lambda data: added_up.append(len(data)) or before(data))
    assert load(Bundle(str(file), "key"), package, "one").VALUE == 1
    assert added_up == []
    os.utime(file)
    assert load(Bundle(str(file), "key"), package, "one").VALUE == 1
    assert len(added_up) == 2


def test_threads_do_not_read_into_one_memory(tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_PACK", 1)
    found = kept(tmp_path, package)
    before = bytes(first := found.pack(0))
    assert bytes(found.pack(1)) != before == bytes(first)


@pytest.mark.parametrize("preadv", [True, False])
def test_processes_that_share_the_file_do_not_move_its_place(
    preadv: bool, tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each moved the place and then read there, one read what another had looked for."""
    if not preadv:
        monkeypatch.delattr(os, "preadv")
    found = kept(tmp_path, package)
    os.lseek(found._file, 5, os.SEEK_SET)
    assert load(found, package, "one").VALUE == 1
    assert os.lseek(found._file, 0, os.SEEK_CUR) == 5


def test_names_that_a_module_makes_when_asked_are_there(tmp_path: Path, package: Path) -> None:
    (package / "one.py").write_text("VALUE = 1\n\n\ndef __getattr__(name):\n    return name\n")
    (package / "two.py").write_text("def fails():\n    return none\n")
    path = kept(tmp_path, package).path
    one, two = (load(Bundle(path, "key"), package, name) for name in ("one", "two"))
    assert (one.VALUE, one.other, hasattr(two, "other")) == (1, "other", False)
    assert isinstance(two, ModuleType)
    with pytest.raises(NameError):
        two.fails()
    with pytest.raises(AttributeError, match="other"):
        two.other  # noqa: B018
    assert repr(two) == f"<module 'flowc.two' from '{package}/two.py'>"


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
        save(found)
    assert not (tmp_path / "no").exists()


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
            save(found)
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

"""What whole commands take from the file with the code of modules, and put there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
JOB = ROOT / "corpus" / "slurm" / "train-8-gpus" / "input.sbatch"

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
    # The next one makes lean what the first has put there, and reads the sources for it.
    assert opened(tmp_path, "-B")[1] == said != ""
    second, said_again = opened(tmp_path, "-B")
    assert said_again == said
    # What is there before the bundle is.
    loaded = {each.removeprefix(f"{ROOT}/flowc/").replace("__pycache__/", "").partition(".")[0] for each in second}
    assert loaded == {"__init__", "version", "cli/__init__", "cache", "bundle/__init__"}
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

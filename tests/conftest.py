"""What all tests share: golden files, programs that may be absent, and hypothesis's profiles."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
IN_CI = os.environ.get("CI", "").lower() in ("1", "true")

# No test asserts a time, so none may fail for one. In CI the same examples are drawn every time.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("here"), derandomize=True, print_blob=True)
settings.register_profile("long", parent=settings.get_profile("here"), max_examples=10_000)
settings.load_profile("ci" if IN_CI else "here")


# What a caller may have set, and programs under test would inherit: the same for everybody.
os.umask(0o022)
signal.pthread_sigmask(signal.SIG_SETMASK, ())
for _number in signal.valid_signals() - {signal.SIGPIPE}:  # which Python ignores, and resets for its children
    if signal.getsignal(_number) is signal.SIG_IGN:  # nohup, a background job of a script
        signal.signal(_number, lambda *_: None)  # still ignored here; its children have it as it is by default
# What tests import and start is compiled once, and not by each process again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Nothing that flowc keeps goes from one test to the next; what the tests of a boot keep stays where it was.
_caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
os.environ.setdefault("BOOT_CACHE", f"{_caches}/flowc/boot")
os.environ["XDG_CACHE_HOME"] = os.devnull
for _name in list(os.environ):
    if _name in ("BASH_ENV", "ENV", "CDPATH", "POSIXLY_CORRECT", "TZ", "LANG", "LANGUAGE") or _name.startswith("LC_"):
        del os.environ[_name]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="accept what flowc gives now as the golden files")
    parser.addoption(
        "--require-programs",
        action="store_true",
        default=IN_CI,
        help="fail where a test would skip because a program is missing (the default when CI=true)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--update") and IN_CI:
        raise pytest.UsageError("--update accepts goldens unseen: never in CI")


# Folders whose tests start machines and processes, and wait for them.
WAITING = (
    *("boot", "faults", "machines", "providers", "remote", "same_as_slurm", "sdk", "several", "slurm_tools", "submit"),
    *("supervisor", "tasks", "trees", "world"),
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each worker, which is given a stretch of the tests first, begins with those that wait: beside them others use the
    processor. At the end they would wait alone."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    kinds: tuple[list[pytest.Item], list[pytest.Item]] = ([], [])
    for item in items:
        kinds[item.path.relative_to(ROOT / "tests").parts[0] not in WAITING].append(item)
    items[:] = [
        item
        for worker in range(workers)
        for kind in kinds
        for item in kind[len(kind) * worker // workers : len(kind) * (worker + 1) // workers]
    ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    return _no_skip(report, item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report = yield
    return _no_skip(report, collector.config)


def _no_skip(report: pytest.TestReport, config: pytest.Config) -> pytest.TestReport:
    if report.outcome == "skipped" and not hasattr(report, "wasxfail") and config.getoption("--require-programs"):
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.longrepr = f"skipped, which --require-programs forbids: {reason}"
    return report


@pytest.fixture(scope="session")
def program() -> Callable[[str, str], str]:
    """`program(name, package)` gives its path, or skips the test and names the Debian package."""

    def find(name: str, package: str) -> str:
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/lib/cloud-init")
        if path is None:
            pytest.skip(f"needs {name} (Debian package {package})")
        return path

    return find


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """`golden(path, text)` fails unless the file holds exactly `text`; with --update it is written
    instead."""

    def compare(path: Path, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")
        if request.config.getoption("--update"):
            if not path.exists() or path.read_bytes() != data:
                path.write_bytes(data)
            return
        shown = path.relative_to(ROOT)
        assert path.exists(), f"{shown} does not exist; `pytest --update` writes it, then read it"
        assert data.decode("utf-8", "backslashreplace") == path.read_bytes().decode("utf-8", "backslashreplace")

    return compare

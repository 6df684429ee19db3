"""Wherever a key may stand, commands find it there, and tell nobody."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.mithril.faults import Fault
from tests.mithril.server import Server
from tests.some import some
from tests.tasks.conftest import Person
from tests.tasks.test_secrets import files_with, processes

FILES = {"file": ".flow/config.yaml", "older file": ".flow/config.yaml", "profile": ".config/mithril/config.yaml"}
TEXTS = {
    "file": "api_key: {}\n",
    "older file": "mithril: {{api_key: {}}}\n",
    "profile": "current_profile: mine\nprofiles: {{mine: {{api_key: {}}}}}\n",
}
VARIABLES = {"variable": "MITHRIL_API_KEY", "older variable": "FCP_API_KEY", "oldest variable": "FOUNDRY_API_KEY"}
PLACES = (*VARIABLES, *FILES, "keyring", "everywhere")


def put(person: Person, place: str, key: str) -> list[str]:
    """Puts it there. The files that hold it."""
    places = ("variable", "profile", "file", "keyring") if place == "everywhere" else (place,)
    found = []
    for each in places:
        if each in VARIABLES:
            person.environ[VARIABLES[each]] = key
        elif each == "keyring":
            # As the package is used: a module with one function.
            library = person.home.parent / "library"
            library.mkdir()
            words = f'"{key[:9]}" + "{key[9:]}"'
            (library / "keyring.py").write_text(f"def get_password(service, entry):\n    return {words}\n")
            person.environ["PYTHONPATH"] += f":{library}"
        else:
            path = person.home / FILES[each]
            path.parent.mkdir(parents=True)
            path.write_text(TEXTS[each].format(key))
            path.chmod(0o600)
            found.append(FILES[each])
    return sorted(found)


@pytest.fixture
def person(there: Person, tmp_path: Path) -> Person:
    """With a home of his own, and no key yet."""
    there.home = tmp_path / "home"
    there.home.mkdir()
    there.environ["HOME"] = str(there.home)
    del there.environ["MITHRIL_API_KEY"]
    there.environ.update(FLOWC_DEBUG="1", FLOW_TIMEOUT="5")
    return there


@pytest.mark.parametrize("place", some(PLACES, "keyring"))
def test_it_is_used_and_not_told(person: Person, provider: Server, place: str) -> None:
    key = provider.key
    files = put(person, place, key)
    job = person.job("true\n")
    said = []
    with processes() as lines:
        for words in (("submit", job), ("submit", job), ("list",), ("cancel", "job-sbatch"), ("submit", "--resume")):
            done = person.types(*words)
            assert done.returncode == (2 if said and words[0] == "submit" and len(said) == 2 else 0), done.stderr
            said += [done.stdout, done.stderr]
        provider.faults.add(Fault("status", times=20, status=401))
        done = person.types("list")
        assert (done.returncode, "does not know this key" in done.stderr) == (4, True)
        said += [done.stdout, done.stderr]
        time.sleep(0.01)
    assert len(provider.log.done("bid placed")) == 1
    for text in (*said, *lines):
        assert key not in text
    assert sorted(files_with(person.home, key)) == files
    assert not any(call.key_elsewhere for call in provider.log.calls)


def test_a_job_on_this_computer_does_not_see_it(here: Person) -> None:
    """Neither in its environment, nor in that of a process that it can look at."""
    key = "fkey_notforjobsonthiscomputer0"
    look = "env; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\\\0' '\\\\n'; cat /proc/[0-9]*/cmdline; echo looked"
    job = here.job(f"{look}\n")
    done = here.types("submit", job, "--provider", "local", "--follow", MITHRIL_API_KEY=key)
    assert done.returncode == 0, done.stderr
    assert "looked" in done.stdout
    assert key not in done.stdout + done.stderr
    assert files_with(here.home, key) == []

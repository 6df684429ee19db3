"""`flowc doctor` and `flowc init`."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.mithril.server import Server
from tests.providers.local.conftest import WITHOUT
from tests.tasks.conftest import Person


def checks(person: Person, *words: str, **environ: str) -> dict[str, dict[str, Any]]:
    done = person.types("doctor", "--format", "json", *words, **environ)
    document = json.loads(done.stdout)
    missing = [each for each in document["checks"] if each["state"] == "missing"]
    assert (done.returncode == 4) == bool(missing), done.stdout
    assert all(each["mend"] for each in document["checks"] if each["state"] != "ok")
    return {each["what"]: each for each in document["checks"]}


def settings(person: Person, **environ: str) -> dict[str, dict[str, Any]]:
    rows = json.loads(person.types("doctor", "--offline", "--format", "json", **environ).stdout)["settings"]
    return {row["name"]: row for row in rows}


def test_each_setting_is_shown_with_its_origin_and_no_key(there: Person, provider: Server) -> None:
    (there.home / ".flowc.toml").write_text('region = "us-central1-a"\n')
    done = there.types("doctor", FOUNDRY_SSH_KEY_NAME="laptop")
    assert done.returncode == 0, done.stdout
    assert provider.key not in done.stdout + done.stderr
    found = settings(there, FOUNDRY_SSH_KEY_NAME="laptop")
    assert (found["api_key"]["value"], found["api_key"]["origin"]) == ("***", "environment variable MITHRIL_API_KEY")
    assert found["region"]["origin"] == f"{there.home}/.flowc.toml, region"
    assert "older name of `MITHRIL_SSH_KEYS`" in found["ssh_keys"]["note"]
    assert found["timeout_s"]["origin"] == "default"


def test_what_is_reachable_is_told(there: Person, provider: Server) -> None:
    found = checks(there)
    assert found["mithril"]["state"] == "ok"
    assert found["mithril"]["text"].startswith(f"{provider.url} answers")
    assert (found["project"]["state"], found["project"]["text"]) == ("ok", "research")
    assert found["ssh keys"]["state"] == "ok"
    assert {each.method for each in provider.log.calls} == {"GET"}


@pytest.mark.parametrize("answers", [b"", b"mithril\n"], ids=["where", "key"])
def test_ctrl_c_writes_nothing_and_says_so(there: Person, answers: bytes) -> None:
    there.environ.pop("MITHRIL_API_KEY")
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-B", "-m", "flowc", "init"],
        cwd=there.home,
        env=there.environ,
        stdin=its,
        stdout=its,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(its)
    assert process.stderr is not None
    process.stderr.read(len("where do jobs run?"))
    os.write(ours, answers)
    if answers:
        said = ""
        while "API key" not in said:
            said += process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=300)[1]
    os.close(ours)
    assert (process.returncode, rest.splitlines()[-1]) == (130, "flowc: interrupted: nothing was written")
    assert not (there.home / ".flow").exists()


def test_ssh_keys_may_be_named_by_their_files(there: Person, provider: Server) -> None:
    """As `submit` takes them."""
    laptop = next(key for key in provider.state.ssh_keys.values() if key.name == "laptop")
    laptop.public_key = "ssh-ed25519 AAAA somebody"
    (there.home / "mine.pub").write_text("ssh-ed25519 AAAA me@here\n")
    (there.home / "other.pub").write_text("ssh-ed25519 BBBB me@here\n")
    mine, other = str(there.home / "mine"), str(there.home / "other")
    assert checks(there, MITHRIL_SSH_KEYS=mine)["ssh keys"]["state"] == "ok"
    found = checks(there, MITHRIL_SSH_KEYS=other)["ssh keys"]
    assert found["text"] == f"the project does not know the SSH key in {other}"
    words = ("init", "--provider", "mithril", "--project", "research", "--ssh-key")
    refused = there.types(*words, other)
    assert (refused.returncode, "nothing was written" in refused.stderr) == (2, True)
    assert there.types(*words, mine).returncode == 0
    assert mine in (there.home / ".flow" / "config.yaml").read_text()


def test_a_file_that_cannot_be_read_is_told_once(here: Person) -> None:
    os.mkfifo(here.home / ".flowc.toml")
    document = json.loads(here.types("doctor", "--offline", "--format", "json").stdout)
    lacks = [each for each in document["checks"] if each["state"] == "missing"]
    assert [each["what"] for each in lacks] == ["settings"]
    assert lacks[0]["text"].endswith(".flowc.toml is a pipe or a device, no file")


def test_what_is_missing_is_told_with_what_mends_it(there: Person, provider: Server) -> None:
    found = checks(there, MITHRIL_API_KEY="")
    assert (found["mithril"]["state"], "flowc init" in found["mithril"]["mend"]) == ("missing", True)
    found = checks(there, MITHRIL_API_KEY="", FOUNDRY_EMAIL="a@b.c")
    assert "API keys only" in found["mithril"]["mend"]
    found = checks(there, MITHRIL_API_KEY=provider.key[:-1] + "#")
    assert (found["mithril"]["state"], "flowc init" in found["mithril"]["mend"]) == ("missing", True)
    found = checks(there, MITHRIL_PROJECT="other")
    assert "no project `other`" in found["project"]["text"]
    assert "research" in found["project"]["mend"]
    found = checks(there, MITHRIL_SSH_KEYS="other")
    assert "no SSH key `other`" in found["ssh keys"]["text"]
    found = checks(there, MITHRIL_API_URL="http://127.0.0.1:1")
    assert "cannot be reached" in found["mithril"]["text"]
    assert "MITHRIL_API_URL" in found["mithril"]["mend"]
    assert checks(there, FLOW_TIMEOUT="soon")["mithril"]["state"] == "missing"
    assert "no provider `mars`" in checks(there, FLOW_PROVIDER="mars")["provider"]["text"]
    assert checks(there, "--offline", MITHRIL_API_URL="http://127.0.0.1:1")["mithril"]["state"] == "ok"


def test_a_file_that_others_may_read_is_told(there: Person) -> None:
    config = there.home / ".flow" / "config.yaml"
    config.parent.mkdir()
    config.write_text("api_key: fkey_visible\n")
    config.chmod(0o644)
    done = there.types("doctor", MITHRIL_API_KEY="")
    assert done.returncode == 4
    assert "chmod 600 ~/.flow/config.yaml" in done.stdout
    assert "fkey_visible" not in done.stdout + done.stderr


def test_local_provider_needs_nothing(here: Person) -> None:
    found = checks(here, "--provider", "local")
    assert (found["local"]["state"], "machines are namespaces" in found["local"]["text"]) == ("ok", True)
    assert "no docker engine" in found["local"]["text"]
    found = checks(here, "--provider", "local", FLOW_LOCAL_MACHINE="docker")
    assert (found["local"]["state"], "docker is wanted" in found["local"]["text"]) == ("note", True)
    assert "no `cloud`" in checks(here, "--provider", "local", FLOW_LOCAL_MACHINE="cloud")["local"]["text"]
    here.before = WITHOUT
    found = checks(here, "--provider", "local")
    assert found["local"]["state"] == "note"
    assert "a group of processes" in found["local"]["text"]


def test_an_open_submission_is_told(there: Person, provider: Server) -> None:
    there.types("submit", there.job("true\n"), MITHRIL_API_URL="http://127.0.0.1:1")
    assert checks(there)["journal"]["state"] == "ok"


def typed(person: Person, text: str, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`flowc init` with answers."""
    return subprocess.run(
        [person.program, "-B", "-m", "flowc", "init", *words],
        cwd=person.home,
        env={**person.environ, **environ},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_few_questions(there: Person, provider: Server) -> None:
    key = there.environ.pop("MITHRIL_API_KEY")
    there.environ.pop("MITHRIL_PROJECT")
    config = there.home / ".flow" / "config.yaml"
    config.parent.mkdir()
    config.write_text("timeout: 7\nmithril: {default_instance_type: h100}\n")
    done = typed(there, f"mithril\nwrong\n{key}\nresearch\n\n")
    assert done.returncode == 0, done.stderr
    assert "that key is not right" in done.stderr
    assert key not in done.stderr + done.stdout
    assert config.stat().st_mode & 0o777 == 0o600
    found = settings(there)
    assert (found["provider"]["value"], found["project"]["value"]) == ("mithril", "research")
    assert found["api_key"]["origin"] == "~/.flow/config.yaml, api_key"
    assert "default_instance_type: h100" in config.read_text()
    assert found["timeout_s"]["value"] == "7"
    assert checks(there)["mithril"]["state"] == "ok"
    assert there.types("submit", there.job("true\n")).returncode == 0


def test_flags_are_not_asked_for(there: Person) -> None:
    key = there.environ.pop("MITHRIL_API_KEY")
    words = ("--provider", "mithril", "--project", "research", "--region", "us-central1-a")
    done = typed(there, "", *words, MITHRIL_API_KEY=key)
    if done.returncode == 2:  # the project has several SSH keys
        assert "nobody answers" in done.stderr
        assert not (there.home / ".flow").exists()
        done = typed(there, "\n", *words, MITHRIL_API_KEY=key)
    assert done.returncode == 0, done.stderr
    text = (there.home / ".flow" / "config.yaml").read_text()
    assert "us-central1-a" in text
    assert key not in text
    done = typed(there, "\n", "--provider", "mithril", "--project", "other", MITHRIL_API_KEY=key)
    assert (done.returncode, "there are: " in done.stderr) == (2, True)


def test_nothing_is_written_where_nobody_answers(here: Person) -> None:
    for text in ("", "mithril\n"):
        done = here.types("init") if not text else here.types("init", "--provider", "mithril")
        assert done.returncode == 2
        assert "nothing was written" in done.stderr
    assert not (here.home / ".flow").exists()
    assert here.types("init", "--provider", "local").returncode == 0
    assert here.types("run", "echo hello").stdout == "hello\n"


# Keeps what it is told in a file, in the place of the package `keyring` and the system's own.
KEYRING = """import json, os, types
PATH = os.path.join(os.environ["HOME"], "keyring.json")
def get_keyring():
    return types.SimpleNamespace(priority=PRIORITY)
def get_password(service, entry):
    try:
        return json.load(open(PATH)).get(f"{service} {entry}")
    except FileNotFoundError:
        return None
def set_password(service, entry, value):
    if LOCKED:
        raise RuntimeError("locked: " + value)
    json.dump({f"{service} {entry}": value}, open(PATH, "w"))
"""


def with_keyring(person: Person, *, priority: float = 5, locked: bool = False) -> Path:
    library = person.home / "library"
    library.mkdir(exist_ok=True)
    text = KEYRING.replace("PRIORITY)", f"{priority})").replace("LOCKED", str(locked))
    (library / "keyring.py").write_text(text)
    person.environ["PYTHONPATH"] += f":{library}"
    return person.home / "keyring.json"


def test_a_key_goes_into_the_keyring_where_that_is_wanted(there: Person, provider: Server) -> None:
    key = there.environ.pop("MITHRIL_API_KEY")
    config = there.home / ".flow" / "config.yaml"
    config.parent.mkdir()
    config.write_text("api_key: fkey_of_before\nmithril: {api_key: fkey_of_before}\ntimeout: 7\n")
    config.chmod(0o600)
    kept = with_keyring(there)
    words = ("--provider", "mithril", "--project", "research", "--ssh-key", "laptop")
    done = typed(there, f"{key}\n\n", *words)
    assert done.returncode == 0, done.stderr
    assert "the system's keyring? [Y/n]" in done.stderr
    assert json.loads(kept.read_text()) == {"flowc api_key": key}
    assert "fkey" not in config.read_text()
    assert "timeout: 7" in config.read_text()
    found = settings(there)
    assert (found["api_key"]["value"], found["api_key"]["origin"]) == ("***", "the system's keyring")
    assert "api_key: " not in done.stderr
    assert key not in done.stdout + done.stderr
    assert there.types("submit", there.job("true\n")).returncode == 0
    # It is used without being asked for again..
    again = typed(there, "", *words)
    assert (again.returncode, "the key of the system's keyring is right" in again.stderr) == (0, True)


@pytest.mark.parametrize(
    ("keyring", "answers"),
    [({}, "n\n"), ({"priority": 0}, ""), ({"priority": -1}, ""), ({"locked": True}, "y\n")],
    ids=["not wanted", "none that keeps anything", "one that forgets", "locked"],
)
def test_a_key_goes_into_the_file_else(there: Person, keyring: dict[str, Any], answers: str) -> None:
    key = there.environ.pop("MITHRIL_API_KEY")
    kept = with_keyring(there, **keyring)
    words = ("--provider", "mithril", "--project", "research", "--ssh-key", "laptop")
    done = typed(there, f"{key}\n{answers}", *words)
    assert done.returncode == 0, done.stderr
    assert not kept.exists()
    assert settings(there)["api_key"]["origin"] == "~/.flow/config.yaml, api_key"
    assert ("has not taken the key" in done.stderr) == ("locked" in keyring)
    assert key not in done.stdout + done.stderr


@pytest.mark.skipif(not hasattr(pty, "openpty"), reason="needs terminals")
def test_a_key_is_typed_unseen(there: Person, provider: Server) -> None:
    key = there.environ.pop("MITHRIL_API_KEY")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-B", "-m", "flowc", "init", "--provider", "mithril", "--project", "research"],
        cwd=there.home,
        env=there.environ,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    shown = b""

    def until_shown(what: bytes) -> None:
        nonlocal shown
        while what not in shown:
            shown += os.read(master, 1000)

    until_shown(b"console): ")
    os.write(master, key.encode() + b"\n")
    while process.poll() is None:
        try:
            shown += os.read(master, 1000)
        except OSError:
            break
        if b"which SSH keys" in shown and shown.rstrip().endswith(b"]"):
            os.write(master, b"\n")
            shown += b"\n"
    assert process.wait() == 0, shown
    assert key.encode() not in shown
    os.close(master)


def test_a_home_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    person = Person(tmp_path, sys.executable, {}, {"HOME": str(tmp_path / "home")})
    done = person.types("list", "--provider", "local")
    assert done.returncode == 4, done.stderr
    assert "cannot be used" in done.stderr

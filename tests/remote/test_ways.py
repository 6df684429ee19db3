"""Machines behind the user's own configuration of ssh: hosts on the way, keys in an agent, connections of his own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowc.remote.link import Link
from flowc.remote.ssh import ChangedHostKeyError, RefusedKeyError, UnreachableError, place_of
from tests.remote.server import Sshd, new_key

# A program of this name comes before the system's: where a home folder is, that asks the list of users.
SSH = '#!/bin/sh\nexec {ssh} -F "$HOME/config" "$@"\n'
PHRASE = "a passphrase"


class Home:
    """Somebody with a configuration of ssh."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir(parents=True)
        ssh = subprocess.run(["which", "ssh"], check=True, capture_output=True, text=True).stdout.strip()
        self._program("ssh", SSH.format(ssh=ssh))
        self._program("ask", f"#!/bin/sh\necho asked >>{folder}/asked\necho {PHRASE}\n")
        self.configure("")
        self.environ = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": str(folder)}

    def _program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def configure(self, text: str) -> None:
        """Write his configuration."""
        (self.folder / "config").write_text(text)

    def add(self, *keys: Path) -> None:
        """Put keys into his agent."""
        asks = {"SSH_ASKPASS": f"{self.folder}/bin/ask", "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
        for key in keys:
            subprocess.run(["ssh-add", "-q", str(key)], check=True, env={**self.environ, **asks})
        (self.folder / "asked").unlink(missing_ok=True)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def agent(home: Home) -> Iterator[Home]:
    socket = home.folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    home.environ["SSH_AUTH_SOCK"] = str(socket)
    while not socket.exists():
        assert process.poll() is None
    yield home
    process.terminate()
    process.wait()


@pytest.fixture
def jump(tmp_path: Path) -> Iterator[Sshd]:
    server = Sshd(tmp_path / "jump", host="127.0.0.2")
    yield server
    server.close()


@pytest.fixture
def reach(sshd: Sshd, home: Home, tmp_path: Path) -> Iterator[Callable[..., Link]]:
    """A connection to the machine by somebody with this configuration, whose key is that file (None: named nowhere)."""
    made: list[Link] = []

    def make(config: str = "", key: Path | None = sshd.key) -> Link:
        home.configure(config)
        place = place_of(sshd.address, str(tmp_path / "hosts" / "bid_1"), identities=(str(key),) if key else ())
        made.append(Link(place, environ=home.environ))
        return made[-1]

    yield make
    for link in made:
        link.close()


def by_way_of(jump: Sshd, *more: str) -> str:
    """A configuration by which all goes through that server."""
    lines = (f"HostName {jump.host}", f"Port {jump.port}", f"User {jump.user}", f"IdentityFile {jump.key}")
    known = f"UserKnownHostsFile {jump.folder}/known"
    return "\n  ".join(["Host bastion", *lines, known, *more]) + "\nHost * !bastion\n  ProxyJump bastion\n"


def know(jump: Sshd) -> None:
    scan = ["ssh-keyscan", "-p", str(jump.port), jump.host]
    (jump.folder / "known").write_bytes(subprocess.run(scan, check=True, capture_output=True).stdout)


# A connection that he keeps of his own; what shows or starts something; what asks.
CONFIGURATIONS = {
    "shared": "Host *\n ControlMaster auto\n ControlPath {home}/cm-%C\n ControlPersist 60\n",
    "of a Mac": "IgnoreUnknown UseKeychain\nHost *\n UseKeychain yes\n AddKeysToAgent yes\n",
    "loud": "Host *\n LogLevel DEBUG3\n VisualHostKey yes\n",
    "busy": "Host *\n RequestTTY force\n RemoteCommand tmux\n LocalForward 127.0.0.1:1 h:1\n ExitOnForwardFailure yes\n"
    " ForwardAgent yes\n ForwardX11 yes\n StdinNull yes\n PermitLocalCommand yes\n LocalCommand touch {home}/local\n",
    "elsewhere": "Host *\n User nobody\n Port 1\n IdentityFile {home}/none\n IdentitiesOnly yes\n",
    "asks": "Host *\n StrictHostKeyChecking ask\n BatchMode no\n UserKnownHostsFile /dev/null\n",
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_whatever_he_has_configured(reach: Callable[..., Link], home: Home, name: str) -> None:
    link = reach(CONFIGURATIONS[name].format(home=home.folder))
    done = link.run("cat; exit 3", given=b"in")
    assert (done.status, done.output, done.said) == (3, b"in", "")
    link.close()
    assert not list(home.folder.glob("cm-*"))
    assert not (home.folder / "local").exists()


@pytest.mark.parametrize("more", [(), ("ControlMaster auto", "ControlPath {home}/c", "ControlPersist 3")])
def test_another_way(reach: Callable[..., Link], home: Home, jump: Sshd, sshd: Sshd, more: tuple[str, ...]) -> None:
    know(jump)
    link = reach(by_way_of(jump, *(each.format(home=home.folder) for each in more)))
    assert link.run("cat", given=b"x" * 1_000_000).output == b"x" * 1_000_000
    assert len(jump.connections()) == len(sshd.connections()) == 1
    jump.cut()
    assert link.run("echo again").output == b"again\n"


def test_a_host_on_the_way_that_is_not_known_or_another_one(reach: Callable[..., Link], jump: Sshd) -> None:
    with pytest.raises(UnreachableError, match=r"on the way to 127\.0\.0\.1.* has a host key that is not known"):
        reach(by_way_of(jump)).run("true")
    know(jump)
    new_key(jump.folder / "other")
    jump.stop()
    jump.start("other")
    with pytest.raises(UnreachableError, match=r"on the way .* has another host key than before") as caught:
        reach(by_way_of(jump)).run("true")
    assert not isinstance(caught.value, ChangedHostKeyError)


def test_a_host_on_the_way_that_does_not_let_us_through(reach: Callable[..., Link], jump: Sshd, home: Home) -> None:
    """By way of one that would ask for a passphrase, too: nothing is asked."""
    know(jump)
    keys = (jump.folder / "authorized_keys").read_text()
    (jump.folder / "authorized_keys").write_text("")
    with pytest.raises(RefusedKeyError, match=r"@127\.0\.0\.2, on the way to 127\.0\.0\.1, does not take your SSH key"):
        reach(by_way_of(jump)).run("true")
    (jump.folder / "authorized_keys").write_text(keys)
    home.environ.update(SSH_ASKPASS=f"{home.folder}/bin/ask", SSH_ASKPASS_REQUIRE="force", DISPLAY=":0")
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", PHRASE, "-f", str(jump.key)], check=True)
    with pytest.raises(RefusedKeyError, match="ssh-add"):
        reach(by_way_of(jump)).run("true")
    assert not (home.folder / "asked").exists()
    jump.close()
    with pytest.raises(UnreachableError, match=rf"127\.0\.0\.2 port {jump.port}: Connection refused"):
        reach(by_way_of(jump)).run("true")


def test_a_key_with_a_passphrase_is_the_agents(
    reach: Callable[..., Link], sshd: Sshd, agent: Home, tmp_path: Path
) -> None:
    locked = new_key(tmp_path / "locked", PHRASE)
    (sshd.folder / "authorized_keys").write_text((tmp_path / "locked.pub").read_text())
    with pytest.raises(RefusedKeyError, match="ssh-add"):
        reach(key=locked).run("true")
    agent.add(locked)
    for key in (locked, None):
        assert reach(key=key).run("echo in").output == b"in\n"
    # Another file is named than the key that the machine takes.
    assert reach(key=new_key(tmp_path / "stranger")).run("echo in").output == b"in\n"
    assert not (agent.folder / "asked").exists()


def test_many_keys_in_the_agent(reach: Callable[..., Link], sshd: Sshd, agent: Home, tmp_path: Path) -> None:
    """A server cuts who shows it more than six."""
    agent.add(*(new_key(tmp_path / f"key{number}") for number in range(8)))
    assert reach().run("echo in").output == b"in\n"
    with pytest.raises(RefusedKeyError, match="too many keys of your agent"):
        reach(key=None).run("true")


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("203.0.113.7", ("ubuntu", "203.0.113.7", 22)),
        ("bastion.example.com:2222", ("ubuntu", "bastion.example.com", 2222)),
        ("job-7@bastion.example.com:2222", ("job-7", "bastion.example.com", 2222)),
        ("me.and.you@203.0.113.7", ("me.and.you", "203.0.113.7", 22)),
        ("[2001:db8::1]:2222", ("ubuntu", "2001:db8::1", 2222)),
        ("[2001:db8::1]", ("ubuntu", "2001:db8::1", 22)),
        ("2001:db8::1", ("ubuntu", "2001:db8::1", 22)),
        ("fe80::1%eth0", ("ubuntu", "fe80::1%eth0", 22)),
    ],
)
def test_where_a_provider_says_that_a_machine_is(address: str, found: tuple[str, str, int]) -> None:
    place = place_of(address, "/keys")
    assert (place.user, place.host, place.port) == found


@pytest.mark.parametrize(
    "address",
    [
        "",
        "-oProxyCommand=x",
        "a b",
        "h:0",
        "h:65536",
        "h:99999999",
        "h:2x",
        "u@-h",
        "-u@h",
        "h;x",
        "[::1",
        "[::1]2",
        "u@",
        "h\n",
    ],
)
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(UnreachableError, match="an address that is none"):
        place_of(address, "/keys")

"""Connections to a real sshd."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowc.remote.link import Link
from flowc.remote.ssh import Place, place_of
from tests.remote.server import Sshd


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    server = Sshd(tmp_path / "sshd")
    yield server
    server.close()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Somebody without a configuration of ssh and without an agent."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return {"PATH": os.environ["PATH"], "HOME": str(home)}


def place(server: Sshd, tmp_path: Path, *, name: str = "inst_1", key: str | None = None) -> Place:
    keys = str(tmp_path / "hosts" / "bid_1")
    return place_of(server.address, keys, name=name, identities=(key or str(server.key),))


@pytest.fixture
def links(tmp_path: Path, environ: dict[str, str]) -> Iterator[Callable[..., Link]]:
    """Makes connections, and ends them."""
    made: list[Link] = []

    def make(server: Sshd, **options: str) -> Link:
        made.append(Link(place(server, tmp_path, **options), environ=environ))
        return made[-1]

    yield make
    for link in made:
        link.close()


@pytest.fixture
def link(sshd: Sshd, links: Callable[..., Link]) -> Link:
    return links(sshd)

"""The folder of what flowc can make again: where it is, and what stays there."""

from __future__ import annotations

import os
from pathlib import Path

from flowc import cache


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

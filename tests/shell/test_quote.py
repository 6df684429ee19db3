"""Quoting, proved by real shells."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.shell.quote import MOST, SHORT, sh

WORDS = st.lists(
    st.one_of(
        st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=30),
        st.binary(max_size=30).map(lambda data: data.replace(b"\0", b"").decode("utf-8", "surrogateescape")),
        st.sampled_from(
            ["", "-n", "~", "~root", "a=~", "{a,b}", "$(id)", "`id`", "'", "''", "\\", "!", "*", "#", "a b\n"]
        ),
    ),
    max_size=8,
)


@pytest.mark.parametrize("shell", ["bash", "dash"])
@given(words=WORDS)
def test_any_text_is_one_inert_word(shell: str, words: list[str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs the package {shell}")
    script = "printf '%s\\0' . " + " ".join(map(sh, words))
    data = script.encode("utf-8", "surrogateescape")
    done = subprocess.run([shell], input=data, capture_output=True, check=True, env={"LANG": "C.UTF-8"})
    assert done.stdout == b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in (".", *words))


def test_harmless_words_stay_as_they_are() -> None:
    assert [sh(word) for word in ("/a/b.c", "K=v,1:2", "x@y")] == ["/a/b.c", "K=v,1:2", "x@y"]


def test_words_of_more_scripts_than_are_remembered_are_quoted_as_before() -> None:
    words = [f"a b{number}" for number in range(MOST)] + ["c d" * SHORT]
    for _ in range(2):
        assert [sh(word) for word in words] == [f"'{word}'" for word in words]

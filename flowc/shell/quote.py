"""Shell quoting: any text becomes one inert word of a POSIX shell."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Bytes above ASCII are quoted: in some locales a shell takes one of them for a blank.
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./_-")
# Words of as many characters stand in script after script, and twice in each.
SHORT, MOST = 64, 1000


class _Words(dict[str, str]):
    """Texts, and the words that are made of them."""

    def __missing__(self, text: str) -> str:
        plain = text and PLAIN.issuperset(text)
        word = text if plain else "'" + text.replace("'", "'\\''") + "'"
        if len(text) <= SHORT:
            if len(self) >= MOST:
                self.clear()
            self[text] = word
        return word


# `text` as it is where it is harmless, else in single quotes. It must not hold NUL, which no argument can.
sh: Callable[[str], str] = _Words().__getitem__

"""`$(VAR)` in the words of a command and in the values of variables, as Kubernetes replaces it.

What is known when the manifest is compiled is put in at once. The rest is known only on the machine (its address, a
secret): a piece that names the variable stands for it.
"""

from __future__ import annotations

from flowc.ir.names import variable_name
from flowc.record import Record
from flowc.shell.quote import sh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


# Variables of the machine, for late pieces and the shell around them: addresses (that of machine N is `IP` with N),
# this machine's rank, its number within its part or its Job, and which of the Jobs of its part that is.
HEAD, IPS, IP = "FLOWC_HEAD_IP", "FLOWC_IPS", "FLOWC_IP_"
RANK, INDEX, JOB = "FLOWC_RANK", "FLOWC_INDEX", "FLOWC_JOB"
# What the image starts by itself, as a shell reads it: its entrypoint, and that with its command, by what it is a fact.
OWN = {"entrypoint": "FLOWC_ENTRYPOINT", "entrypoint_command": "FLOWC_ENTRYPOINT_COMMAND"}


class Piece(Record):
    """A part of a text: literal, or (`late`) the name of a variable whose value goes there on the machine."""

    text: str
    late: bool = False


Pieces = tuple[Piece, ...]


def expand(text: str, lookup: Callable[[str], Pieces | None]) -> Pieces:
    """One pass, nothing is expanded twice: `$(NAME)` becomes what `lookup` gives and stays as it is where that is None;
    `$$` becomes `$`; any other `$` stays."""
    if "$" not in text:
        return (Piece(text=text),)
    found: list[Piece] = []
    start = 0
    while (dollar := text.find("$", start)) >= 0 and dollar + 1 < len(text):
        found.append(Piece(text=text[start:dollar]))
        after = text[dollar + 1]
        close = text.find(")", dollar + 2) if after == "(" else -1
        if after == "$":
            found.append(Piece(text="$"))
            start = dollar + 2
        elif close >= 0:
            value = lookup(text[dollar + 2 : close])
            found += (Piece(text=text[dollar : close + 1]),) if value is None else value
            start = close + 1
        else:
            found.append(Piece(text=text[dollar : dollar + 2]))
            start = dollar + 2
    found.append(Piece(text=text[start:]))
    return _joined(found)


def literal(pieces: Pieces) -> str | None:
    """The text of pieces that are all known, else None."""
    return None if any(piece.late for piece in pieces) else "".join(piece.text for piece in pieces)


def late_names(words: Iterable[Pieces]) -> list[str]:
    return [piece.text for pieces in words for piece in pieces if piece.late]


def begun(own: str | None, words: str, before: Iterable[str] = ()) -> str:
    """The line by which a shell becomes what it starts: the words that stand in the line, behind what the image starts
    by itself where they are no more than its arguments. `own` is that fact, `before` what stands before both."""
    start = " ".join(["exec", *before])
    if own is None:
        return f"{start} {words}"
    # `exec` without a word goes on.
    return f'eval {sh(start)} "${OWN[own]}" {sh(words)}\nexit 127'


def started_late(
    words: Iterable[Pieces], exports: Iterable[tuple[str, Pieces]], own: str | None = None
) -> tuple[str, ...]:
    """The words of a command by which /bin/sh sets `exports` and then starts `words`, `own` as in `begun`.

    Only references stand in the script; all that the user wrote reaches it as arguments, so nothing needs quoting. What
    a shell cannot call by its name has another one there (`variable_name`), and gets its own from `env`.
    """
    given: list[str] = []

    def reference(text: str) -> str:
        given.append(text)
        return f"${{{len(given)}}}"

    def word(pieces: Pieces) -> str:
        return "".join(f"${{{variable_name(each.text)}}}" if each.late else reference(each.text) for each in pieces)

    lines, by_env = [], []
    for name, pieces in exports:
        plain = variable_name(name)
        lines.append(f'{"export " if plain == name else ""}{plain}="{word(pieces)}"')
        if plain != name:
            by_env.append(f'"{reference(name)}=${{{plain}}}"')
    before = ["env", *by_env] if by_env else []
    lines.append(begun(own, " ".join(f'"{word(pieces)}"' for pieces in words), before))
    return ("/bin/sh", "-c", "\n".join(lines), "sh", *given)


def _joined(found: list[Piece]) -> Pieces:
    """Neighbouring literals as one; empty ones only where nothing else is left."""
    parts: list[Piece] = []
    for piece in found:
        if parts and not piece.late and not parts[-1].late:
            parts[-1] = Piece(text=parts[-1].text + piece.text)
        elif piece.late or piece.text:
            parts.append(piece)
    return tuple(parts) or (Piece(text=""),)

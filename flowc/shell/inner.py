"""Texts within a shell's text that another shell runs: `bash -c '…'`, here-documents of `bash`; without the quotes,
escapes and tabs that the outer shell takes away, and with the places where their pieces stand."""

from __future__ import annotations

from flowc._compiled.shell_words import CONTAINERS, ELSEWHERE, SHELLS
from flowc.patterns import at_first_use, at_words, remembered
from flowc.record import Record
from flowc.shell.scan import scan
from flowc.shell.words import program_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flowc.shell.command import Command
    from flowc.shell.scan import HereDocument

    # From which character of the inner text on, and the stretch of the outer text that this piece was made of.
    Piece = tuple[int, int, int]

# What says its words, and what has them run on another machine or in a container.
_ELSEWHERE = frozenset((*ELSEWHERE, *CONTAINERS))
_given = at_words(r"(?:[ \t]|\\\n)-\w*c(?:[ \t]|\\\n)+[\"'$\\]", (" -", "\t-", "\\\n-"))
_options = at_first_use(r"--?[\w-]+|\+\w+", "fullmatch")
_plain = at_first_use(r"[^\\'\"$`]+", "match")
_in_double = at_first_use(r"[^\\\"$`]+", "match")
_in_document = at_first_use(r"[^\\\n]*\n?", "match")
# What `$'…'` has for single characters; of others the text is not known.
_ANSI = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"', "r": "\r", "a": "\a", "b": "\b", "e": "\x1b"}
_MOST = 50


class Inner(Record):
    """An inner text, and its pieces in order. What the outer shell puts in, such as `$x` in double quotes, is there as
    it is written."""

    text: str
    pieces: tuple[Piece, ...]


@remembered(50)  # a text is asked about several times, and what prepares jobs is much alike
def inner_texts(text: str) -> Sequence[Inner]:
    """The texts that other shells on the same machine run, in order."""
    found = given_texts(text, SHELLS.__contains__)
    if "<<" in text:
        for document, _ in zip(scan(text).here_documents, range(_MOST), strict=False):
            command = None if document.ignored else scan(text).command_at(document.command)
            words = command.words() if command is not None and command.start == document.command else []
            if words and _reads_input([word for _, word in words]):
                found.append(document_text(text, document))
    return found


def given_texts(text: str, reads: Callable[[str], object]) -> list[Inner]:
    """The texts that follow the `-c` of a program on the same machine; `reads` says of its name whether it is one that
    is meant."""
    words = (_given_text(text, match.end() - 1, reads) for match, _ in zip(_given(text), range(_MOST), strict=False))
    return [word for word in words if word is not None]


def document_text(text: str, document: HereDocument) -> Inner:
    """What the reader of a here-document is given."""
    return _joined(text, _lines(text, document.start, document.end, document.tabs, document.quoted))


def _given_text(text: str, place: int, reads: Callable[[str], object]) -> Inner | None:
    """The text of `-c` at this place, if it is given to one who reads it."""
    command = scan(text).command_at(place)
    if command is None or text.find("--container-image", command.start, command.end) >= 0:
        return None
    words = command.words()
    number = next((number for number, (start, _) in enumerate(words) if start == place), 0)
    names = [program_in(word) for _, word in words[:number]]
    while names and (_options(names[-1]) or names[-1] == "pipefail"):
        names.pop()
    if not names or not reads(names[-1]) or not _ELSEWHERE.isdisjoint(names):
        return None
    return _joined(text, _unquoted(command, place, place + len(words[number][1])))


def _reads_input(words: list[str]) -> bool:
    """Whether this is a shell, on this machine, that is given no other text."""
    names = [program_in(word) for word in words]
    number = next((number for number, name in enumerate(names) if name in SHELLS), None)
    if number is None or not _ELSEWHERE.isdisjoint(names) or any(name[:17] == "--container-image" for name in names):
        return False
    for name in names[number + 1 :]:
        if not _options(name) and name != "pipefail":
            return name == "-"
        if name[0] == "-" != name[1] and name[-1] in "cs":
            return name[-1] == "s"
    return True


def _joined(text: str, parts: Iterator[tuple[str, int, int]]) -> Inner:
    """The parts that are not empty, each with the stretch that it was made of; those that go on where the one before
    ends are one piece."""
    texts: list[str] = []
    pieces: list[Piece] = []
    size, whole = 0, False
    for part, start, end in parts:
        if not part:
            continue
        as_it_is = len(part) == end - start
        if not (whole and as_it_is and start == pieces[-1][2]):
            pieces.append((size, start, end))
        else:
            pieces[-1] = (pieces[-1][0], pieces[-1][1], end)
        whole = as_it_is
        texts.append(part)
        size += len(part)
    return Inner(text="".join(texts), pieces=tuple(pieces))


def _unquoted(command: Command, place: int, end: int) -> Iterator[tuple[str, int, int]]:
    """The parts of a word without its quotes."""
    text, closed = command.text, command.closed
    while place < end:
        sign, stop = text[place], min(closed.get(place, place + 1), end)
        if sign == "'":
            yield text[place + 1 : stop - 1], place + 1, stop - 1
        elif sign == '"':
            yield from _double(command, place + 1, stop - 1)
        elif place in closed and text[place : place + 2] == "$'":
            yield from _ansi(text, place + 2, stop - 1)
        elif sign == "\\":
            stop = place + 2
            yield text[place + 1 : stop].replace("\n", ""), place, stop
        else:
            match = _plain(text, place, end)
            stop = stop if match is None else match.end()
            yield text[place:stop], place, stop
        place = stop


def _double(command: Command, place: int, end: int) -> Iterator[tuple[str, int, int]]:
    text, closed = command.text, command.closed
    while place < end:
        match = _in_double(text, place, end)
        stop = min(closed.get(place, place + 1), end) if match is None else match.end()
        if text[place] == "\\" and text[place + 1 : place + 2] in '$`"\\\n':
            stop = place + 2
            yield text[place + 1 : stop].replace("\n", ""), place, stop
        else:
            yield text[place:stop], place, stop
        place = stop


def _ansi(text: str, place: int, end: int) -> Iterator[tuple[str, int, int]]:
    while place < end:
        stop = text.find("\\", place, end)
        stop = end if stop < 0 else stop
        yield text[place:stop], place, stop
        if stop < end:
            sign = text[stop + 1 : stop + 2]
            yield _ANSI.get(sign, "\\" + sign), stop, stop + 2
        place = stop + 2


def _lines(text: str, place: int, end: int, tabs: bool, quoted: bool) -> Iterator[tuple[str, int, int]]:
    """The parts of a here-document. `tabs`: those in front of its lines are taken away; `quoted`: its word is, and so
    it has no escapes."""
    begins = True
    while place < end:
        if begins and tabs:
            while place < end and text[place] == "\t":
                place += 1
        if not quoted and text[place : place + 1] == "\\":
            stop = place + 2
            escaped = text[place + 1 : stop]
            # Bash joins lines before it takes tabs away: what follows one with nothing else still begins.
            begins = begins and escaped == "\n"
            yield "" if escaped == "\n" else escaped if escaped in "$`\\" else text[place:stop], place, stop
        else:
            stop = text.find("\n", place, end) + 1 or end if quoted else _in_document(text, place, end).end()
            begins = text[stop - 1 : stop] == "\n"
            yield text[place:stop], place, stop
        place = stop

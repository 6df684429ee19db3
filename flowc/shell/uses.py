"""What becomes of the variables of a shell's text: whether what they name is read, or only made, said, asked for."""

from __future__ import annotations

from flowc._compiled.shell_words import COPIERS
from flowc.patterns import at_first_use
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.shell.command import Command

# Words that give values to variables; those of `EXPORTS` reach programs.
DECLARES = frozenset(("export", "declare", "local", "readonly", "typeset", "setenv"))
_EXPORTS = ("export", "setenv")
# What these are given is made, said or taken away, or they ask whether it is there.
_NO_READERS = frozenset(
    ("mkdir", "touch", "tee", "rm", "rmdir", "virtualenv", "[", "[[", "test", "echo", "printf", ":", "true")
)
_SAYS = ("cat", "echo", "printf", ":", "true")
_variables = at_first_use(r"\$\{?([A-Za-z_]\w*)", "findall")
# Options of folders that programs make for what they write.
_written = at_first_use(
    r"--?(?:[\w-]*[-_])?(?:out|output|save|log|logs|logging|results?|tensorboard|tb|work|tmp|temp|cache)[-_]?(?:[\w-]*[-_])?"
    r"(?:dir|directory|folder)(?:=|\Z)|--(?:save|logs|logdir|outdir)(?:=|\Z)",
    "match",
)
# Variables by whose name nothing is read: folders for what a job writes, or of its own.
_for_writing = at_first_use(
    r"(?:\w+_)?(?:OUT|OUTPUT|OUTPUTS|SAVE|LOG|LOGS|LOGGING|RESULTS?|TMP|TEMP)(?:_?(?:DIR|PATH|FOLDER|ROOT))?\Z"
    r"|\w*SCRATCH\Z|SLURM_TMPDIR\Z",
    "match",
)
# Files that set variables and read none of a text's own.
_own = at_first_use(r"activate|bashrc|profile|/etc/|conda|modules?|lmod", "search")
# Ways by which a text uses variables whose names do not stand there.
_hidden = at_first_use(r"\$\{!|\beval\b|\bset\s+-\w*a|\ballexport\b|\benvsubst\b", "search")


def writes_folder(word: str) -> bool:
    """Whether it is an option, with or without its value, that names a folder for what a program writes."""
    return word[:1] == "-" and _written(word) is not None


def read_variables(text: str) -> frozenset[str] | None:
    """The variables of which something is read where they name it; None where that cannot be told."""
    if _hidden(text) is not None:
        return None
    uses = _Uses()
    seen = scan(text)
    for command in seen.commands:
        words = command.words()
        if words and words[0][1] in ("source", ".") and _own(" ".join(word for _, word in words[1:])) is None:
            return None  # what is in the file may read any of them
        uses.see(command)
    for document in seen.here_documents:
        if document.ignored or document.quoted:
            continue
        reader = seen.command_at(document.command)
        if reader is None or not _only_says(reader):
            uses.read.update(_variables(text[document.start : document.end]))
    return uses.all_read()


class _Uses:
    """`into`: in which variables' values a variable stands."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.into: dict[str, set[str]] = {}

    def see(self, command: Command) -> None:
        assigned, words, redirections = command.parts()
        name = words[0][1].rpartition("/")[2] if words else ""
        if name in DECLARES:
            given = [word for _, word in words[1:]]
            self._assign([word for _, word in assigned], exported=False)
            self._assign(given, exported=name in _EXPORTS or any(word[:1] == "-" and "x" in word for word in given))
            words = []
        else:  # in front of a command they are for its program
            self._assign([word for _, word in assigned], exported=bool(words))
        for _, operator, word in redirections:
            if not operator.endswith("<<") or operator == "<<<":
                self.read.update(_variables(word))
        if name in _NO_READERS or not words:
            return
        rest = [word for _, word in words[1:]]
        self.read.update(_variables(words[0][1]))
        if name in COPIERS or (name == "git" and rest[:1] == ["clone"]):
            rest = rest[:-1]
        elif "venv" in rest:
            return
        before = ""
        for word in rest:
            if "$" in word and not (writes_folder(word) or ("=" not in before and writes_folder(before))):
                self.read.update(_variables(word))
            before = word

    def _assign(self, words: list[str], *, exported: bool) -> None:
        for word in words:
            name, sign, value = word.partition("=")
            name = name.rstrip("+")
            if exported and not _for_writing(name):
                self.read.add(name)
            if not sign:
                continue
            if value[:1] == "(":  # an array's words go anywhere
                self.read.add(name)
            for each in _variables(value):
                self.into.setdefault(each, set()).add(name)

    def all_read(self) -> frozenset[str]:
        found = set(self.read)
        waiting = [*found]
        from_values: dict[str, list[str]] = {}
        for each, names in self.into.items():
            for name in names:
                from_values.setdefault(name, []).append(each)
        while waiting:
            for each in from_values.get(waiting.pop(), ()):
                if each not in found:
                    found.add(each)
                    waiting.append(each)
        return frozenset(found)


def _only_says(command: Command) -> bool:
    """Whether it shows its here-document, and puts it into no file."""
    _, words, redirections = command.parts()
    name = words[0][1] if words else ""
    return name in _SAYS and not any(operator.startswith((">", "&>")) for _, operator, _ in redirections)

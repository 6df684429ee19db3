"""`#PBS` and `#BSUB` directives, which sbatch translates to its own options and applies after `#SBATCH`.

The functions give pairs (option, text) for one foreign option; what sbatch drops gives none. A text that it refuses for
itself raises `ValueMistake`; the options' own values are judged where all are.
"""

from __future__ import annotations

from flowc._compiled.slurm_options import BSUB, PBS
from flowc.frontends.slurm.environment import flag_is_set
from flowc.frontends.slurm.values.numerals import BLANKS, strtol, whole_number, wrap32
from flowc.frontends.slurm.values.state import UMASK, State
from flowc.frontends.slurm.values.trees import ValueMistake
from flowc.frontends.slurm.words.getopt import Table
from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Pair = tuple[str, str | None]

LONGEST = 8 * 1024
_octal = at_first_use(r"[+-]?0[0-7]*", "match")


def table_of(magic: str, version: tuple[int, ...]) -> Table:
    """The options of `#PBS` or `#BSUB` as getopt sees them; an option is named by its letter."""
    system = PBS if magic == "#PBS" else BSUB
    bare = "hIVz" if magic == "#PBS" else "x"
    letters = "".join(system["letters"]) + system["ignored"]
    if magic == "#PBS":
        letters += "lmvW" + ("".join(system["later"]) if version >= (23, 2) else "")
    args = {letter: "none" if letter in bare else "required" for letter in letters}
    longs = {name: letter for name, letter in system["long"].items() if letter in args}
    return Table(longs, {letter: letter for letter in letters}, args)


def translate(magic: str, letter: str, text: str | None, state: State) -> Iterator[Pair]:
    """The sbatch options for one option. It is a generator, since later pairs depend on what earlier ones set."""
    return _pbs(letter, text or "", state) if magic == "#PBS" else _bsub(letter, text or "")


def _bsub(letter: str, text: str) -> Iterator[Pair]:
    option = BSUB["letters"][letter]
    if letter == "x":
        yield option, None
    elif letter == "m":
        yield option, text.replace(" ", ",")
    elif letter == "M":
        yield option, text + ("K" if text[-1:].isdigit() and text[-1:].isascii() else "")
    elif letter == "n":
        least, comma, most = text.partition(",")
        if comma and not most:
            raise ValueMistake("expected MIN,MAX", 0, len(text))
        yield option, most if comma else least
    else:
        yield option, text


def _pbs(letter: str, text: str, state: State) -> Iterator[Pair]:
    if letter == "l":
        yield from _resources(text, state)
    elif letter == "m":
        yield "mail-type", _mail(text)
    elif letter == "v":
        before = state.texts.get("export")
        yield "export", text if before is None else f"{before},{text}"
    elif letter == "W":
        if text[:6].lower() == "umask=":
            yield UMASK, text[6:]
        elif text[:7].lower() == "depend=":
            yield "dependency", text[7:]
    elif letter in PBS["letters"] or letter in PBS["later"]:
        option = PBS["letters"].get(letter) or PBS["later"][letter]
        yield option, None if letter == "h" else text


def _mail(text: str) -> str:
    lowered = text.lower()
    if "n" in lowered:
        return "NONE"
    return ",".join(event for letter, event in (("b", "BEGIN"), ("e", "END"), ("a", "FAIL")) if letter in lowered)


# `-l` words with a value up to the next comma (or colon), and the option that takes it.
_TO_COMMA = {"cput=": "time", "nice=": "nice", "pcput=": "time", "walltime=": "time"}
_SKIPPED = ("arch=", "host=", "opsys=", "other=", "pmem=", "pvmem=", "software=", "vmem=")
_TO_COLON = {"mpiprocs=": "ntasks-per-node", "ncpus=": "mincpus", "select=": "nodes"}


def _resources(text: str, state: State) -> Iterator[Pair]:
    """`-l`: sbatch looks for known words at every character and steps over everything else."""
    if len(text) > LONGEST:
        raise ValueMistake(f"the list is longer than {LONGEST} characters", 0, len(text))
    gpus, chunks, at = 0, set(), 0
    while at < len(text):
        equals = text.find("=", at, at + 15)
        word = text[at : equals + 1] if equals >= 0 else ""
        lowered = word.lower()
        start = at + len(word)
        if not word:
            at += 1
        elif lowered == "accelerator=":
            at = start
            gpus = max(gpus, 1) if text[at : at + 4].lower() == "true" else gpus
        elif word in _SKIPPED:
            at = _after(text, start, ",")
        elif word in _TO_COMMA:
            yield _TO_COMMA[word], _value(text, start, ",")
            at = _after(text, start, ",")
        elif word in ("mem=", "file="):
            value = _value(text, start, ",")
            yield "mem" if word == "mem=" else "tmp", value[:-1] if value[-1:] in ("b", "B") else value
            at = _after(text, start, ",")
        elif lowered in _TO_COLON:
            chunks.add(lowered)
            yield _TO_COLON[lowered], _value(text, start, ":")
            at = _after(text, start, ":")
        elif lowered == "naccelerators=":
            value = _value(text, start, ",")
            count = whole_number(value, positive=True)
            if count is None:
                raise ValueMistake("expected a whole number above 0", start, start + len(value))
            gpus, at = count, _after(text, start, ",")
        elif word == "nodes=":
            yield from _nodes(_value(text, start, ","))
            at = _after(text, start, ",")
        elif word == "proc=":
            before = state.texts.get("constraint")
            value = _value(text, start, ",")
            yield "constraint", value if before is None else f"{value},{before}"
            at = _after(text, _after(text, start, ","), ",")
        else:
            at += 1
    cpus, tasks = state.number("mincpus", -1), state.number("ntasks-per-node")
    if len(chunks) == 3 and cpus > tasks and tasks:
        yield "cpus-per-task", str(cpus // tasks)
    if gpus > 0:
        before = state.texts.get("gres")
        yield "gres", f"gpu:{gpus}" if before is None else f"{before},gpu:{gpus}"


def _value(text: str, start: int, stop: str) -> str:
    end = text.find(stop, start)
    return text[start:] if end < 0 else text[start:end]


def _after(text: str, start: int, stop: str) -> int:
    found = text.find(stop, start)
    return len(text) if found < 0 else found + 1


def _nodes(text: str) -> Iterator[Pair]:
    """`-l nodes=`: counts add up, and so do `ppn`; a word that begins with a letter is a host."""
    count = per_node = 0
    hosts: list[str] = []
    at = 0
    while at < len(text):
        end = min((found for found in (text.find("+", at), text.find(":", at)) if found >= 0), default=len(text))
        part = text[at:end]
        if part.startswith("gpus="):
            yield "gpus-per-node", part[5:]
        elif part.startswith("ppn="):
            per_node += strtol(part[4:])[0]
        elif part[:1].isascii() and part[:1].isdigit():
            count += strtol(part)[0]
        elif part[:1].isascii() and part[:1].isalpha():
            hosts.append(part)
        else:
            end = at
        at = end + 1
    if count:
        yield "nodes", str(wrap32(count))
    if per_node:
        yield "ntasks", str(wrap32(per_node * (count or 1)))
    if hosts:
        from flowc.frontends.slurm.values.hosts import HostList

        yield "nodelist", HostList.read(",".join(hosts)).text()


def set_umask(state: State, text: str) -> bool:
    """Keep a umask, octal with a leading 0; False when the text unsets it, as one does that is no decimal number.
    Raises ValueMistake beyond 0777."""
    if not flag_is_set(text):
        state.slots.pop("umask", None)
        return False
    octal = _octal(text.strip(BLANKS))
    mask = int(octal[0], 8) if octal else strtol(text)[0]
    if not 0 <= mask <= 0o777:
        raise ValueMistake("expected a umask up to 0777", 0, len(text))
    state.slots["umask"] = mask
    return True

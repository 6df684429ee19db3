"""Words for `docker run` that a job brings along: which of them it may give, and what the others are to it."""

from __future__ import annotations

from flowc._compiled.docker_options import FLAGS, NEEDLESS, REFUSED, SAME, SHORT, VALUED
from flowc.diag.codes.yaml import document as codes
from flowc.ir.job import Isolation
from flowc.patterns import at_first_use
from flowc.yamldoc import docker_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.source import Span

    # The name, the value, the name as it was written, the place.
    Given = tuple[str, str, str, Span]

_SIZE = r"[0-9]+(?:\.[0-9]+)?[ ]?[kKmMgGtTpP]?[iI]?[bB]?"
# What docker's own parser takes, and how it is called.
_KINDS: dict[str, tuple[Callable[..., Any], str]] = {
    "integer": (at_first_use(r"[-+]?(?:0[xX][0-9a-fA-F]+|[0-9]+)", "fullmatch"), "a whole number"),
    "natural": (at_first_use(r"0[xX][0-9a-fA-F]+|[0-9]+", "fullmatch"), "a whole number from 0 on"),
    "decimal": (at_first_use(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[0-9]+)?|[0-9]+/[0-9]+", "fullmatch"), "a number"),
    "size": (at_first_use(_SIZE, "fullmatch"), "a size such as `64g`"),
    "swap": (at_first_use(f"-1|{_SIZE}", "fullmatch"), "a size such as `64g`, nor -1"),
    "duration": (
        at_first_use(r"0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|ms|s|m|h))+", "fullmatch"),
        "a time such as `30s`",
    ),
    "switch": (at_first_use(r"1|t|T|TRUE|true|True|0|f|F|FALSE|false|False", "fullmatch"), "`true` or `false`"),
}
LEFT_OUT = "without the options that a job has no use for"
_NETWORKS = ("bridge", "default", "host", "none")
_HOME = "/root"  # of who starts the container, on the machine
_replaced = at_first_use(r"\$\{[^}]*\}|\$\([^)]*\)|\$[a-zA-Z_]\w*|`[^`]*`", "match")
_home = at_first_use(r"(?<!\S)~(?=[/\s]|$)", "match")


def split(text: str) -> list[str]:
    """As `shlex.split`, which is loaded where something is quoted."""
    if "'" in text or '"' in text or "\\" in text:
        import shlex

        return shlex.split(text)
    return [word for word in text.replace("\t", " ").replace("\r", " ").replace("\n", " ").split(" ") if word]


def words_of(text: str, span: Span, sink: Sink) -> list[tuple[str, Span]]:
    """The words of a text that its format gives to a shell, with the home folder as the machine has it. Reports what
    else a shell would replace: nothing is known of it here, so there are no words then. ValueError where a quote is
    never closed."""
    parts, at, quote, unknown = list[str](), 0, "", False
    while at < len(text):
        sign, end = text[at], at + 1
        found = _replaced(text, at) if sign in "$`" and quote != "'" else None
        if sign == "\\" and quote != "'":
            end += 1
        elif sign == quote or (sign in "'\"" and not quote):
            quote = "" if quote else sign
        elif found is not None:
            end = found.end()
            if found[0] not in ("$HOME", "${HOME}"):
                reason = "a shell of the machine would have to replace it; write its value"
                sink.report(codes.RUN_OPTION, span, option=found[0].strip("`"), reason=reason)
                unknown = True
        home = found is not None and found[0] in ("$HOME", "${HOME}")
        parts.append(_HOME if home or (not quote and sign == "~" and _home(text, at)) else text[at:end])
        at = end
    words = split("".join(parts))
    return [] if unknown else [(word, span) for word in words]


def read(words: Iterable[tuple[str, Span]], sink: Sink, *, own_command: bool) -> tuple[Isolation, bool]:
    """What the words make of the container, each option as one word with its long name; and whether some were left
    out. Reports these and what no job may give. `own_command`: the job says what runs, whatever the words do."""
    given = list(_options(iter(words), sink))
    hosted = all(_network(value) in ("host", "default") for name, value, _, _ in given if name == "network")
    logged = any(name == "log-driver" and value != "none" for name, value, _, _ in given)
    fields: dict[str, Any] = {}
    kept, left_out = [], False
    contrary = {id(each): reason for each, reason in docker_values.together(given)}
    for each in given:
        name, value, shown, span = each
        reason = _refusal(name, value, hosted, logged)
        needless = _needless(name, value, hosted, own_command)
        if reason is None and needless is None:
            reason = docker_values.unlike(name, value) or contrary.get(id(each))
        if reason is not None:
            sink.report(codes.RUN_OPTION, span, option=shown, reason=reason)
        elif needless is not None:
            left_out = True
            sink.report(codes.NEEDLESS_RUN_OPTION, span, option=shown, reason=needless)
        elif name == "pull":
            fields["pull"] = value
        elif name == "stop-timeout":
            fields["stop_grace_s"] = int(value, 0)
        else:
            kept.append(f"--{name}" if name in FLAGS and value == "true" else f"--{name}={value}")
    return Isolation(options=tuple(kept), **fields), left_out


def origins(isolation: Isolation, span: Span) -> dict[str, Span]:
    """The places of the fields that `read` has set."""
    names = ("options", "pull", "stop_grace_s")
    return {f"isolation.{name}": span for name in names if getattr(isolation, name) not in ((), None)}


def _options(words: Iterator[tuple[str, Span]], sink: Sink) -> Iterator[Given]:
    """The options that the words are, as docker reads them; reports those that it would not take."""
    for word, span in words:
        for shown, value in _spelled_out(word):
            name = SAME.get(shown[2:], shown[2:]) if shown.startswith("--") else SHORT.get(shown[1:], "")
            reason = None
            if len(shown) < 2 or shown == "--" or shown[0] != "-":
                reason = "it is no option, and docker would take it or the next word for the image"
            elif name in FLAGS:
                value = "true" if value is None else value
                reason = _unlike("switch", value)
            elif name not in VALUED:
                reason = "docker has no such option"
            else:
                if value is None:
                    value, span = next(words, (None, span))
                reason = "its value is missing" if value is None else _unlike(VALUED[name], value)
            if reason is not None or value is None:
                sink.report(codes.RUN_OPTION, span, option=shown, reason=reason)
                break
            yield name, value, shown, span


def _spelled_out(word: str) -> Iterator[tuple[str, str | None]]:
    """The options of one word, with the values that stand in it: a cluster of letters is several, `-itv/a:/b`."""
    if word[:1] != "-" or word[:2] == "--" or word == "-":
        name, equals, value = word.partition("=") if word[:2] == "--" else (word, "", "")
        yield name, value if equals else None
        return
    rest = word[1:]
    while rest:
        letter, rest = rest[0], rest[1:]
        if len(rest) > 1 and rest[0] == "=":
            yield f"-{letter}", rest[1:]
            return
        if rest and SHORT.get(letter) in VALUED:
            yield f"-{letter}", rest
            return
        yield f"-{letter}", None


def _unlike(kind: str, value: str) -> str | None:
    if kind == "text":
        return None
    matches, expected = _KINDS[kind]
    return None if matches(value) else f"`{value}` is not {expected}"


def _network(value: str) -> str:
    """The network that `NAME` or `name=NAME,alias=…` names."""
    if "=" not in value:
        return value
    return next((part[5:] for part in value.split(",") if part.startswith("name=")), "")


def _refusal(name: str, value: str, hosted: bool, logged: bool) -> str | None:
    """Why a job cannot have this option with this value, None where it can. `hosted`: it shares the machine's network;
    `logged`: it chose what becomes of docker's own copy of the output."""
    found: str | None = REFUSED.get(name)
    if name in ("network", "pid", "ipc", "uts") and value.startswith("container:"):
        found = "the machine has no other container that could be named"
    elif name == "network" and _network(value) not in _NETWORKS:
        found = f"the machine's docker has the networks {', '.join(_NETWORKS)}"
    elif name == "sysctl" and hosted and value.startswith("net."):
        found = (
            "the container shares the machine's network, where docker refuses it; `--network bridge` gives it its own"
        )
    elif name == "mac-address" and hosted:
        found = "the container shares the machine's network; `--network bridge` gives it its own"
    elif name == "log-opt" and not logged:
        found = "docker keeps no copy of the output beside the job's; `--log-driver` makes it keep one"
    elif name == "restart" and value not in ("", "no"):
        found = "the container would go on after the end of the job, which starts again by itself after an interruption"
    elif name == "isolation" and value not in ("", "default"):
        found = "docker has it on Windows alone"
    elif name == "runtime" and value not in ("runc", "io.containerd.runc.v2", "nvidia"):
        found = "the machine's docker has `runc` alone"
    elif name == "pull" and value not in ("always", "missing", "never"):
        found = "docker knows `always`, `missing` and `never`"
    elif name == "stop-timeout" and int(value, 0) < 0:
        found = "the machine would be waited for and paid as long as the container likes"
    return found


def _needless(name: str, value: str, hosted: bool, own_command: bool) -> str | None:
    """Why the job is the same without this option, None where it is not."""
    found: str | None = NEEDLESS.get(name)
    if name in ("publish", "publish-all") and hosted:
        found = "the container shares the machine's network, so its ports are the machine's by the same numbers"
    elif name == "runtime" and value == "nvidia":
        found = "the container sees its GPUs by `--gpus`"
    elif name == "entrypoint" and own_command:
        found = "the job's own command is what runs"
    elif name == "restart":
        found = "it is docker's default"
    return found

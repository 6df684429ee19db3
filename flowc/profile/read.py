"""From the text of a profile to its records; what is wrong in it is reported at its place."""

from __future__ import annotations

import os

from flowc._compiled.profile_fields import TYPES
from flowc.catalog.gpus import read_gpu_word
from flowc.diag.codes import input as codes
from flowc.diag.codes.yaml.document import WRONG_FORM
from flowc.digest import sha256_hex
from flowc.ir.job import Mount
from flowc.ir.mounts import checked_target, from_uri
from flowc.ir.profile import Brought, Entry, Image, Lines, Nodes, Place, Profile, StandIn, Variable
from flowc.override.apply import parse_duration
from flowc.profile import venvs
from flowc.profile.base import base_folder, beside, content, reason
from flowc.profile.environments import of_file, of_packages, packed, programs_of
from flowc.secret import looks_secret
from flowc.shell.quote import sh
from flowc.shell.steps import APT, LIMIT_S, PIP, failed, step
from flowc.yamldoc.check import Checker
from flowc.yamldoc.node import Mapping, Node, Pair, Scalar, is_null, plain
from flowc.yamldoc.read import read as read_yaml
from flowc.yamldoc.shapes import HIDDEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeVar

    from flowc.diag.sink import Sink
    from flowc.ir.site import Site
    from flowc.source import Source

    L = TypeVar("L", Nodes, StandIn, Brought, Image, Place, Variable)

SECTIONS = ("partitions", "constraints", "qos", "accounts")
SCRATCH = "scratch"
ANY = "any"
DOCKER = "docker"
_UNITS = {"": 20, "M": 20, "K": 10, "G": 30, "T": 40}


def read(source: Source, sink: Sink) -> Profile | None:
    """What the text of a profile says; None after reporting what is wrong with it."""
    path, before = source.path, sink.error_count
    roots = read_yaml(source, sink)
    checker = Checker(TYPES, sink)
    for root in roots or ():
        checker.check(root, {"is": "map", "type": "Profile", "null": False})
    if len(roots or ()) > 1:
        span = (roots or [])[1].span
        sink.report(codes.PROFILE_UNREADABLE, span, path=path, reason="it has several documents, a profile is one")
    if roots is None or sink.error_count > before:
        return None
    found = _profile(roots[0] if roots else None, path, sha256_hex(source.data), sink)
    return found if sink.error_count == before else None


def _profile(root: Node | None, path: str, digest: str, sink: Sink) -> Profile:
    if not isinstance(root, Mapping):
        return Profile(path=path, sha256=digest)
    nodes = {
        name: _as_lines([_nodes(_entry(name, key, pair), pair.value, sink) for key, pair in _lines(root, name)])
        for name in SECTIONS
    }
    pair = root.pair("defaults")
    if pair is not None:
        nodes["defaults"] = _as_lines([_nodes(Entry(section="defaults", key="", span=pair.key.span), pair.value, sink)])
    variables = [_variable(key, pair, sink) for key, pair in _lines(root, "variables")]
    files: dict[str, str] = {}
    virtual = [_venv(key, pair, path, files, sink) for key, pair in _lines(root, "venvs")]
    environments = [_environment(key, pair, path, files, sink) for key, pair in _lines(root, "conda")]
    places = [_place(key, pair, path, sink) for key, pair in _lines(root, "paths")]
    return Profile(
        path=path,
        sha256=digest,
        **nodes,
        gpus=_as_lines(
            [StandIn(entry=_entry("gpus", key, pair), model=_instead(pair, sink)) for key, pair in _lines(root, "gpus")]
        ),
        modules=_as_lines(
            [
                Brought(entry=_entry("modules", key, pair), setup=_setup(f"module {key}", pair.value, sink))
                for key, pair in _lines(root, "modules")
            ]
        ),
        programs=_as_lines(
            [_program(_entry("programs", key, pair), pair.value, sink) for key, pair in _lines(root, "programs")]
        ),
        environments=_as_lines([each for each in environments if each is not None]),
        venvs=_as_lines([each for each in virtual if each is not None]),
        images=_as_lines(
            [
                Image(entry=_entry("images", key, pair), reference=pair.value.read().removeprefix("docker://"))
                for key, pair in _lines(root, "images")
            ]
        ),
        places=_as_lines([each for each in places if each is not None]),
        variables=_as_lines(variables),
        site=_site(root, sink),
        files=tuple(files.items()),
    )


def _as_lines(rows: list[L]) -> Lines[L]:
    return Lines(tuple(row.entry.key for row in rows), rows.__getitem__)


def _site(root: Mapping, sink: Sink) -> Site | None:
    """What the cluster would have refused."""
    found = root.get("cluster")
    if not isinstance(found, Mapping):
        return None
    from flowc.profile.cluster.site import site_of

    try:
        return site_of(plain(found))
    except ValueError as error:
        expected = "a duration above 0, such as `90` (minutes) or `2-00:00:00`"
        sink.report(WRONG_FORM, found.span, path="cluster.limits", value=str(error), expected=expected)
        return None


def _lines(root: Mapping, section: str) -> Iterator[tuple[str, Pair]]:
    found = root.get(section)
    for pair in found.pairs if isinstance(found, Mapping) else ():
        yield pair.key.text, pair


def _entry(section: str, key: str, pair: Pair) -> Entry:
    return Entry(section=section, key=key, span=pair.key.span)


def _nodes(entry: Entry, node: Node, sink: Sink) -> Nodes:
    fields: dict[str, Any] = {}
    for pair in node.pairs if isinstance(node, Mapping) else ():
        key, value = pair.key.text, pair.value.read()
        if is_null(pair.value):
            continue
        if key == "memory":
            number = value.rstrip("bB")
            unit = number[-1:].upper() if number[-1:].isalpha() else ""
            fields["memory_bytes"] = int(number.rstrip("KMGTkmgt")) << _UNITS[unit]
        elif key == "time":
            fields["time_s"] = parse_duration(value)
            if not fields["time_s"]:
                where, expected = f"{entry.name}.time", "a duration above 0, such as `90` (minutes) or `2-00:00:00`"
                sink.report(WRONG_FORM, pair.value.span, path=where, value=value, expected=expected)
        else:
            fields[key] = value.lower() if key == "gpu" else value
    return Nodes(entry=entry, **fields)


def _instead(pair: Pair, sink: Sink) -> str | None:
    written: str = pair.value.read()
    if written == ANY:
        return None
    word = read_gpu_word(written)
    if word is None or not word.families:
        expected = f"a GPU model, such as `a100`, or `{ANY}`"
        sink.report(WRONG_FORM, pair.value.span, path=f"gpus.{pair.key.text}", value=written, expected=expected)
    return written.lower()


def _variable(key: str, pair: Pair, sink: Sink) -> Variable:
    if looks_secret(key):
        from flowc.diag.codes.override import ENV_SECRET

        sink.report(ENV_SECRET, pair.key.span, help=f"leave it out, and write `--secret {key}`", name=key)
    value = "" if is_null(pair.value) else pair.value.read()
    return Variable(entry=_entry("variables", key, pair), value=value)


def _place(key: str, pair: Pair, path: str, sink: Sink) -> Place | None:
    entry, written = _entry("paths", key, pair), pair.value.read()
    try:
        if written == SCRATCH:
            target = checked_target(key)
            return Place(
                entry=entry, mount=Mount(kind="scratch", source=target.strip("~/").replace("/", "-"), target=target)
            )
        mount = from_uri(written, key)
        if mount.kind == "local" and mount.source[:1] not in "/~":
            mount = mount.replace(source=os.path.normpath(os.path.join(base_folder(path), mount.source)))
        return Place(entry=entry, mount=mount)
    except ValueError as error:
        # The source may hold a password.
        expected = f"`scratch`, or what `--mount` takes: {error}"
        sink.report(WRONG_FORM, pair.value.span, path=entry.name, value=HIDDEN["value"], expected=expected)
        return None


def _program(entry: Entry, node: Node, sink: Sink) -> Brought:
    if isinstance(node, Mapping) or node.read() != DOCKER:
        return Brought(entry=entry, setup=_setup(f"program {entry.key}", node, sink))
    if entry.key != "enroot":
        expected = f"`{DOCKER}` answers `enroot` alone; of other programs `nothing`, `apt`, `conda`, `pip` or `shell`"
        sink.report(WRONG_FORM, node.span, path=entry.name, value=DOCKER, expected=expected)
        return Brought(entry=entry)
    return Brought(entry=entry, by_docker=True)


def _setup(what: str, node: Node, sink: Sink) -> str:
    """The shell text that brings it; empty for `nothing`."""
    if not isinstance(node, Mapping):
        return ""
    steps = []
    apt, conda, pip, shell = _items(node, "apt"), _items(node, "conda"), _items(node, "pip"), node.read("shell")
    channels = node.pair("channels")
    if channels is not None and not conda:
        expected = "packages of these channels in `conda`"
        sink.report(WRONG_FORM, channels.key.span, path=f"{what}.channels", value="channels", expected=expected)
    if apt:
        steps += [f"{APT} update", f"{APT} install -y {' '.join(map(sh, apt))}"]
    if conda:
        steps.append(programs_of(conda, _items(node, "channels") or ["conda-forge"]))
    if pip:
        steps.append(f"{PIP} install -q {' '.join(map(sh, pip))}")
    if shell:
        steps.append(f"bash -ec {sh(shell.rstrip())}")
    return "\n".join(f"timeout {LIMIT_S} {step} || {failed(what)}" for step in steps)


def _environment(key: str, pair: Pair, path: str, files: dict[str, str], sink: Sink) -> Brought | None:
    """What it takes of a file is noted in `files`."""
    entry, node, what = _entry("conda", key, pair), pair.value, f"conda environment {venvs.shown(key)}"
    if isinstance(node, Mapping):
        made = of_packages(key, _items(node, "packages"), _items(node, "channels") or ["conda-forge"])
        return Brought(entry=entry, setup=step(made, what))
    written = node.read()
    if written.startswith("https://"):
        return Brought(entry=entry, setup=step(packed(key, written), what))
    text = _text_of(node, what, path, files, sink)
    if text is None:
        return None
    return Brought(entry=entry, setup=step(of_file(key, os.path.basename(written), text), what))


def _venv(key: str, pair: Pair, path: str, files: dict[str, str], sink: Sink) -> Brought | None:
    """As `_environment`, of one of Python's."""
    entry, node, what = _entry("venvs", key, pair), pair.value, f"virtual environment {venvs.shown(key)}"
    if isinstance(node, Mapping):
        return Brought(entry=entry, setup=venvs.of_packages(key, _items(node, "pip"), node.read("python"), what))
    text = _text_of(node, what, path, files, sink)
    if text is None:
        return None
    line = venvs.of_this_computer(text)
    if line is not None:
        why = f"the file `{node.read()}` of the {what} asks for what is on one computer alone: `{line}`"
        sink.report(codes.PROFILE_UNREADABLE, node.span, path=path, reason=why)
        return None
    return Brought(entry=entry, setup=venvs.of_requirements(key, text, what))


def _text_of(node: Node, what: str, path: str, files: dict[str, str], sink: Sink) -> str | None:
    """What is in the file of a line; None after reporting that it cannot be read."""
    written = node.read()
    try:
        data = content(beside(path, written))
        text = data.decode()
    except (OSError, ValueError) as error:
        why = "it is no text in UTF-8" if isinstance(error, UnicodeDecodeError) else reason(error)
        why = f"the file `{written}` of the {what}: {why}"
        sink.report(codes.PROFILE_UNREADABLE, node.span, path=path, reason=why)
        return None
    files[written] = sha256_hex(data)
    return text


def _items(node: Mapping, name: str) -> list[str]:
    """One, or a list of them."""
    found = node.at(name)
    return [found.read()] if isinstance(found, Scalar) else [item.read() for item in node.each(name)]

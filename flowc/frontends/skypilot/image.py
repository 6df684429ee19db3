"""The container of a task: its image and the options for docker."""

from __future__ import annotations

from flowc.diag.codes.yaml import document
from flowc.diag.codes.yaml import skypilot as codes
from flowc.diag.sink import Edit, Fix
from flowc.ir.job import Isolation
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping, Node, Pair, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.source import Span
    from flowc.yamldoc.ledger import Ledger

PREFIX = "docker:"
SHARED = "/dev/shm"
# Programs that mount file systems, or make rooms of their own.
calls_fuse = at_first_use(
    r"\b(?:sshfs|rclone[ \t]+mount|gcsfuse|s3fs|mount-s3|goofys|blobfuse2?|squashfuse|fuse)\b", "search"
)
mounts = at_first_use(r"(?<![\w./-])(?:u?mount|unshare|nsenter|bwrap|bubblewrap|chroot)(?![\w./=-])", "search")
# `org/name:tag`, maybe behind a registry's host; images of machines are ami-…, projects/…, publisher:offer:sku:version.
_container = at_first_use(
    r"(?!projects/|subscriptions/|skypilot:)[a-z0-9][a-z0-9.-]*(?::[0-9]+)?(?:/[a-z0-9][a-z0-9._-]*)+"
    r"(?::\w[\w.-]*)?(?:@sha256:[0-9a-f]{64})?",
    "fullmatch",
)


def is_container(text: str) -> bool:
    """Whether a text without `docker:` has the form of a container's image."""
    return _container(text.strip()) is not None


def image(
    pair: Pair | None, server: str | None, origins: dict[str, Span], sink: Sink, *, bare: bool = False
) -> str | None:
    """The image, of the registry `server` if it names none; reports images of machines. `bare`: without `docker:` it is
    a container's too."""
    if pair is None:
        return None
    node: Node = pair.value
    if isinstance(node, Mapping) and not node.pairs:
        return None
    if isinstance(node, Mapping):  # {region: image of machines, docker: image}
        node = node.at("docker") or (node.pairs[0].value if node.pairs else node)
        if pair.value.at("docker") is not None:
            return _named(str(node.value).strip().removeprefix(PREFIX), server, node, origins)
    text = str(node.value or "").strip()
    if text.startswith(PREFIX) or (bare and text):
        return _named(text.removeprefix(PREFIX).strip(), server, node, origins)
    if _container(text):
        fix = None
        if isinstance(node, Scalar):
            edit = Edit(span=node.span, text=f"{PREFIX}{text}" if node.style is None else f'"{PREFIX}{text}"')
            fix = Fix(title=f"write `{PREFIX}` before it", edits=(edit,), certain=False)
        sink.report(codes.IMAGE_WITHOUT_DOCKER, node.span, help=f"write `{PREFIX}{text}`", fix=fix, image=text)
        return None
    help = f"name a container image, `image_id: {PREFIX}IMAGE`, or take the key out"
    sink.report(codes.VM_IMAGE, node.span, help=help, image=text)
    return None


def _named(text: str, server: str | None, node: Node, origins: dict[str, Span]) -> str:
    origins["image"] = node.span
    return f"{server}/{text}" if server and not text.startswith(f"{server}/") else text


def isolation(task: Mapping, contained: bool, ledger: Ledger, origins: dict[str, Span], sink: Sink) -> Isolation:
    """What the words of `docker.run_options` make of the container; without an image they have no effect."""
    node = task.at("config", "docker", "run_options")
    if node is None:
        return Isolation()
    docker = task.at("config", "docker")
    assert isinstance(docker, Mapping), "a node below it was found"
    pair = docker.pair("run_options")
    if not contained:
        ledger.decide(pair, "ignored", "the task runs in no container: `image_id` is missing")
        return Isolation()
    from flowc.yamldoc import run_options

    words: list[tuple[str, Span]] = []
    for item in [node] if isinstance(node, Scalar) else node.each():
        try:
            words += run_options.words_of(str(item.value), item.span, sink)
        except ValueError:
            what = f"a quote in `{item.value}` is never closed"
            sink.report(codes.SKYPILOT_CONFLICT, item.span, help="close it", what=what)
    found, left_out = run_options.read(words, sink, own_command=True)
    origins.update(run_options.origins(found, node.span))
    if left_out:
        ledger.decide(pair, "approximated", run_options.LEFT_OUT, document.NEEDLESS_RUN_OPTION)
    return found


def as_of_skypilot(found: Isolation, place: Span, origins: dict[str, Span], texts: list[str]) -> Isolation:
    """What SkyPilot's own words for docker give every container, for limits of its own and, where one of the texts asks
    for that, file systems of its own: machines on this computer refuse these (`place` asks for the image). It logs in
    as the image's own user, whose home only the image knows: root's stands for it."""
    fuse = any(map(calls_fuse, texts))
    admin = ("SYS_ADMIN",) if fuse or any(map(mounts, texts)) else ()
    fields: dict[str, Any] = {"cap_add": (*admin, "SYS_RESOURCE"), "apparmor": "unconfined"}
    if any(word.startswith("--security-opt=apparmor") for word in found.options):
        del fields["apparmor"]
    if not any(word.startswith("--user=") for word in found.options):
        fields["user"] = "0"
    if fuse:
        fields["options"] = (*found.options, "--device=/dev/fuse")
    origins.update({f"isolation.{name}": place for name in fields if f"isolation.{name}" not in origins})
    return found.replace(**fields)


def has_shared_memory(found: Isolation) -> bool:
    """Whether the user's words say what `/dev/shm` is."""
    signs = ("--shm-size=", "--ipc=")
    return any(word.startswith(signs) or SHARED in word for word in found.options)

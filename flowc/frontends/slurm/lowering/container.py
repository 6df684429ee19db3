"""The options of the Pyxis plugin: the container in which the batch script runs."""

from __future__ import annotations

from flowc._compiled.slurm_commands import ENROOT_FILES
from flowc.ir.job import Isolation, Mount
from flowc.ir.profile import Use, is_meant
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.slurm.lowering.ledger import Ledger
    from flowc.ir.profile import Image, Profile

IMAGE, MOUNTS, WORKDIR, READONLY = "container-image", "container-mounts", "container-workdir", "container-readonly"
# The fields of a job that these options set.
ORIGINS = (
    ("image", IMAGE),
    ("mounts", MOUNTS),
    ("isolation.options", WORKDIR),
    ("isolation.read_only_root", READONLY),
)


class InImage(Record):
    """`image` as docker writes it, None where the script runs on the machine itself; `used` of a profile for it."""

    image: str | None = None
    mounts: tuple[Mount, ...] = ()
    isolation: Isolation = Isolation()
    used: tuple[Use, ...] = ()


def in_image(options: dict[str, str], ledger: Ledger, profile: Profile | None, *, runs_script: bool) -> InImage:
    """The container that the options ask for. `runs_script`: this component of the job runs the script; the others only
    hold their machines."""
    line = _line(options[IMAGE], profile) if IMAGE in options and profile is not None else None
    image = line.reference if line is not None else _image(options[IMAGE], ledger) if IMAGE in options else None
    if image is None or not runs_script:
        for name in (each for each in options if each.startswith(("container-", "no-container-"))):
            if name not in ledger.decisions and ledger.given.get(name) is not None and name in _OF_PYXIS:
                ledger.decide(name, "ignored", "there is no container here that runs the script")
        return InImage()
    words = (f"--workdir={options[WORKDIR]}",) if options.get(WORKDIR) else ()
    return InImage(
        image=image,
        mounts=tuple(_mounts(options[MOUNTS], ledger)) if MOUNTS in options else (),
        isolation=Isolation(read_only_root=READONLY in options, options=words),
        used=() if line is None else (_use(line, ledger),),
    )


def _use(line: Image, ledger: Ledger) -> Use:
    from flowc.diag.codes.slurm.lower import OPTION_REFUSED

    what = f"image {line.reference}"
    ledger.decide(IMAGE, "lowered", f"{what}: {line.entry.shown}")
    return Use(entry=line.entry, what=what, instead=(OPTION_REFUSED.id,))


def _line(text: str, profile: Profile) -> Image | None:
    """The line of a profile that says which image stands in the place of a file, the first that fits."""
    return next(iter(profile.images.where(lambda key: is_meant(key, text))), None)


_OF_PYXIS = (
    IMAGE, MOUNTS, WORKDIR, READONLY, "container-name", "container-save", "container-env", "container-writable",
    "container-mount-home", "no-container-mount-home", "container-remap-root", "no-container-remap-root",
    "container-entrypoint", "no-container-entrypoint", "container-entrypoint-log",
)  # fmt: skip


def _image(text: str, ledger: Ledger) -> str | None:
    """`[docker://][USER@][REGISTRY#]IMAGE[:TAG]` as docker writes it; files of enroot are no images that it pulls."""
    name = text.removeprefix("docker://")
    user, at, rest = name.partition("@")
    if name[:1] in ("/", ".", "~") or name.endswith(ENROOT_FILES) or "://" in name:
        ledger.decide(IMAGE, "refused", "it is no image of a registry that docker pulls; push it to one")
        return None
    if at and "#" in rest:
        ledger.decide(IMAGE, "approximated", f"the registry's user `{user}` is left out: docker knows no password")
        name = rest
    return name.replace("#", "/", 1) or None


def _mounts(text: str, ledger: Ledger) -> list[Mount]:
    """`SOURCE[:TARGET[:FLAG+FLAG]]` by commas; `tmpfs:TARGET` is memory."""
    found = []
    for item in filter(None, text.split(",")):
        source, _, rest = item.partition(":")
        target, _, flags = rest.partition(":")
        target = target or source
        if not target.startswith("/"):
            ledger.decide(MOUNTS, "refused", f"`{item}`: the place in the container is an absolute path")
            continue
        kind = "memory" if source == "tmpfs" and rest else "host"
        found.append(Mount(kind=kind, source=source, target=target, read_only="ro" in flags.split("+")))
    return found

"""What a text calls by names that are good on a cluster alone: other machines by SSH, images in files."""

from __future__ import annotations

from flowc.body.commands import MOST_TEXT, called, is_shell
from flowc.patterns import at_first_use, is_like
from flowc.shell.comments import in_comment
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

_asks_for_hosts = at_first_use(
    r"\bscontrol[ \t]+show[ \t]+hostname|NODELIST\b|NODE_IPS\b|HEAD_NODE(?:_IP)?\b|MAIN_IP\b|MASTER_ADDR\b", "search"
)
# A host that only the shell knows, such as `$node`, `root@$node` and, of scp, `$node:/tmp`.
_host = {
    "ssh": at_first_use(
        r"ssh(?:[ \t]+-[^\s;&|]{1,99}(?:[ \t]+[\w=./-]{1,99})?){0,20}[ \t]+[\"']?(?:[\w${}]{1,60}@[\"']?)?\$", "match"
    ),
    "scp": at_first_use(r"scp[ \t][^\n;&|]{0,300}\$\{?\w{1,60}(?:\[[^\]\n]{0,20}\])?\}?:", "match"),
}
# Launchers that start their parts on the machines of a list, by SSH.
_REST = r"(?:[^\n;&|]|\\\n)"
_launcher = {
    "deepspeed": at_first_use(
        rf"deepspeed\b(?!{_REST}*--(?:launcher[ =]+slurm|no_ssh)\b){_REST}*?\s(?:--hostfile|-H)[\s=]", "match"
    ),
    **dict.fromkeys(
        ("mpirun", "mpiexec"),
        at_first_use(rf"mpi\w+\b{_REST}*?\s(?:-H|--?host|--?hostfile|--?machinefile|-f)[\s=]", "match"),
    ),
}
_image = at_first_use(r"--container-image(?:=|[ \t]+)[\"']?([^\s\"';|&()`]+)", "finditer")
_variable = at_first_use(r"\$\{?(\w+)\}?", "fullmatch")
_words = at_first_use(r"[^\s\"'`;|&<>()=,]+", "findall")
_FILES = (".sif", ".simg", ".img", ".sqsh", ".squashfs")
_MOST_IMAGES = 50


def calls_by_ssh(job: Job) -> dict[str, int]:
    """`ssh` and `scp` to machines of the job, and launchers that use them: name to the offset of its first such call in
    `job.run.text`. In a Slurm job MPI reaches the other nodes without."""
    text = job.run.text or ""
    ways = {} if ("ssh" not in text and "scp" not in text) or not _asks_for_hosts(text) else {**_host}
    ways |= {name: reaches for name, reaches in _launcher.items() if name in text}
    if job.conventions.commands:
        ways = {name: reaches for name, reaches in ways.items() if name[:3] != "mpi"}
    found = {}
    for name, reaches in ways.items():
        place = next((place for place in called(job, name) if reaches(text, place)), None)
        if place is not None:
            found[name] = place
    return found


def image_in_file(job: Job) -> tuple[int, int] | None:
    """Where the text gives `srun` the first image that is a file (of enroot), as offsets in `job.run.text`."""
    text = (job.run.text or "")[:MOST_TEXT]
    if "--container-image" not in text:
        return None
    shell = is_shell(job)
    for match, _ in zip(_image(text), range(_MOST_IMAGES), strict=False):
        start = match.start()
        if (
            in_comment(text, start, shell=shell)
            or (shell and scan(text).in_child(start))
            or not _is_file(text, match[1])
            or any(is_meant(key, each) for key, _ in job.image_files for each in _names(text, match[1]))
        ):
            continue
        return match.start(1), match.end(1)
    return None


def is_meant(key: str, image: str) -> bool:
    """Whether the name of an image file, or a glob, means an image as a text names it; a bare one does, wherever the
    file lies."""
    return is_like(image, key) or ("/" not in key and is_like(image.rpartition("/")[2], key))


def images_of(text: str) -> list[str]:
    """What a text names as an image: words that end as their files do, and what `srun` is given."""
    found = [word for word in _words(text) if word.endswith(_FILES)]
    return [*found, *(match[1] for match in _image(text))]


def _names(text: str, image: str) -> list[str]:
    """An image, or the values of the variable that it is."""
    variable = _variable(image)
    if variable is None:
        return [image]
    import re

    return re.findall(rf"(?m)^[ \t]*(?:export[ \t]+)?{variable[1]}=[\"']?([^\s\"';#]+)", text)


def _is_file(text: str, image: str) -> bool:
    if _variable(image) is not None:
        values = _names(text, image)
        return bool(values) and all(_variable(value) is None and _is_file(text, value) for value in values)
    return image.endswith(".sqsh") or image.startswith(("/", "./", "../", "~", "$HOME/"))

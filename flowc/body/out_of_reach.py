"""What a text calls by names that are good on a cluster alone: other machines by SSH, images in files."""

from __future__ import annotations

from flowc._compiled.slurm_commands import ENROOT_FILES, ENROOT_NAMES, ENROOT_VALUES, SINGULARITY_FILES, STEP_IMAGES
from flowc.body.commands import called
from flowc.body.interpreter import MOST_TEXT, is_shell
from flowc.ir.profile import is_meant
from flowc.patterns import at_first_use
from flowc.shell.comments import in_comment
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.ir.job import Job

_asks_for_hosts = at_first_use(
    r"\bscontrol[ \t]+show[ \t]+hostname|NODELIST\b|NODE_IPS\b|HEAD_NODE(?:_IP)?\b|MAIN_IP\b|MASTER_ADDR\b", "search"
)
# A host that only the shell knows, such as `$node`, `root@$node` and, of scp, `$node:/tmp`; not one that is named after
# something else that is no part of the job.
_ELSEWHERE = r"(?!\{?(?i:\w*(?:mail|login|gateway|remote|submit)))"
_host = {
    "ssh": at_first_use(
        r"ssh(?:[ \t]+-[^\s;&|]{1,99}(?:[ \t]+[\w=./-]{1,99})?){0,20}[ \t]+[\"']?(?:[\w${}]{1,60}@[\"']?)?\$"
        + _ELSEWHERE,
        "match",
    ),
    "scp": at_first_use(r"scp[ \t][^\n;&|]{0,300}\$" + _ELSEWHERE + r"\{?\w{1,60}(?:\[[^\]\n]{0,20}\])?\}?:", "match"),
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
_image = at_first_use(r"(?:--container-image(?:=|[ \t]+)|\bPYXIS_CONTAINER_IMAGE=)[\"']?([^\s\"';|&()`]+)", "finditer")
_variable = at_first_use(r"\$\{?(\w+)\}?", "fullmatch")
_words = at_first_use(r"[^\s\"'`;|&<>()=,]+", "findall")
_FILES = (*SINGULARITY_FILES, *ENROOT_FILES)
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
    """Where the text gives `srun`, or enroot where docker answers it, the first image that is a file (of enroot) or a
    container that nothing here has, as offsets in `job.run.text`."""
    text = (job.run.text or "")[:MOST_TEXT]
    enroot = "enroot" in job.programs and "enroot" in text and is_shell(job)
    if not enroot and not any(sign in text for sign in STEP_IMAGES):
        return None
    shell = is_shell(job)
    made = {*_made_by_enroot(text)} if enroot else set[str]()
    for match, _ in zip(_image(text), range(_MOST_IMAGES), strict=False):
        start = match.start()
        if (
            in_comment(text, start, shell=shell)
            or (shell and scan(text).in_child(start))
            or not _is_file(text, match[1])
            or _is_there(job, text, match[1], made)
        ):
            continue
        return match.start(1), match.end(1)
    for start, word in images_of_enroot(text) if enroot else ():
        image = word.strip("\"'")
        known = _names(text, image) if "$" not in image or _variable(image) is not None else []
        if any(each[:1] != "$" for each in known) and not _is_there(job, text, image, made):
            place = start + word.find(image)
            return place, place + len(image)
    return None


def _is_there(job: Job, text: str, image: str, made: set[str]) -> bool:
    """Whether a line says what it is, or the text makes it."""
    if _plain(image) in made:
        return True
    names = _names(text, image)
    return any(_plain(each) in made or any(is_meant(key, each) for key, _ in job.image_files) for each in names)


def images_of_enroot(text: str) -> list[tuple[int, str]]:
    """The files and containers that `enroot start` and `enroot create` are given, with their offsets."""
    return [(start, word) for action, _, start, word in _calls_of_enroot(text) if action in ("start", "create")]


def _made_by_enroot(text: str) -> Iterator[str]:
    """The files and containers that it makes. Where a call leaves their name to it, that is made of the image's."""
    for action, given, _, word in _calls_of_enroot(text):
        if action == "start":
            continue
        if given:
            yield _plain(given)
        elif action == "create":
            yield _plain(word).removesuffix(".sqsh")
        elif action == "export":
            yield _plain(word) + ".sqsh"
        else:
            image = word.strip("\"'").rpartition("#")[2].removeprefix("docker://")
            head, _, rest = image.partition("/")
            path = rest if rest and ("." in head or ":" in head) else image
            name = path.removeprefix("library/").replace("/", "+").replace(":", "+")
            name += "+latest" * (":" not in path)
            yield _plain(name) + ".sqsh" * (action == "import")


def _calls_of_enroot(text: str) -> Iterator[tuple[str, str, int, str]]:
    """What each call is to do, what it names by an option, and what it is to do it with, with its offset."""
    for command in scan(text).commands:
        words = command.words()
        place = next((at for at, (_, word) in enumerate(words) if word.rpartition("/")[2] == "enroot"), None)
        if place is None or place + 1 >= len(words) or (action := words[place + 1][1]) not in ENROOT_VALUES:
            continue
        rest, given = iter(words[place + 2 :]), ""
        for start, word in rest:
            option, equals, value = word.partition("=")
            if word[:1] != "-":
                yield action, given, start, word
                break
            if option in ENROOT_VALUES[action]:
                value = value if equals else next(rest, (0, ""))[1]
                given = value if option in ENROOT_NAMES else given


def _plain(word: str) -> str:
    """A name as scripts compare it: without quotes, braces and folders."""
    return word.strip("\"'").replace("{", "").replace("}", "").rpartition("/")[2]


def images_of(text: str) -> list[str]:
    """What a text names as an image: words that end as their files do, and what `srun` is given."""
    found = [word for word in _words(text) if word.endswith(_FILES)]
    found += [match[1] for match in _image(text)]
    if "enroot" in text:
        found += [word.strip("\"'") for _, word in images_of_enroot(text)]
    return found


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

"""What a job takes of its cluster's profile, whatever format it is in: modules, programs, conda environments, paths
and variables. The job's own words and the command line's flags win."""

from __future__ import annotations

from flowc.body.cluster_paths import cluster_paths
from flowc.body.commands import PROGRAM_FAILS, called_programs, missing_commands, missing_env
from flowc.body.home_paths import home_paths
from flowc.body.modules import brought_by_modules, entered, is_brought, lacking, surely_loaded
from flowc.body.out_of_reach import image_in_file, images_of, is_meant
from flowc.body.slurm_variables import never_set
from flowc.diag.codes.programs import (
    CLUSTER_PATH,
    COMMAND_MISSING,
    ENVIRONMENT_MISSING,
    IMAGE_IN_FILE,
    INTERPRETER_MISSING,
    MODULE_MISSING,
)
from flowc.diag.codes.slurm.words import SLURM_VARIABLE_NOT_SET
from flowc.ir.profile import Use
from flowc.patterns import at_first_use, is_like
from flowc.profile import images
from flowc.profile.environments import BEGIN, LIMIT_S
from flowc.profile.read import APT, PIP
from flowc.source import Derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.diag.code import Code
    from flowc.ir.job import Job
    from flowc.ir.profile import Place, Profile
    from flowc.ir.unit import Unit

# How steps begin that read.py makes.
_APT, _PIP = f"timeout {LIMIT_S} {APT}", f"timeout {LIMIT_S} {PIP}"
_part = at_first_use(r"[\w.+-]", "match")


def apply(unit: Unit, profile: Profile) -> Unit:
    """The unit with what its profile brings to it, and a record of that; each thing has its line for an origin."""
    unit = _gpus(unit.replace(profile=profile), profile)
    if unit.job.conventions.commands:
        unit = _variables(unit, profile)
    if unit.job.image is not None:  # what is in an image does not come from the cluster
        return unit
    return _programs(_images(_modules(_environments(_places(unit, profile), profile), profile), profile), profile)


def _gpus(unit: Unit, profile: Profile) -> Unit:
    """Which models may take the place of those that the job names."""
    resources = unit.job.resources
    words = [resources.gpu_model, *(each.gpu_model for each in resources.choices), *resources.features]
    found = [
        each for each in profile.gpus if any(word and is_like(word.lower(), each.entry.key.lower()) for word in words)
    ]
    if not found:
        return unit
    stand_ins = tuple((each.entry.key, each.model) for each in found)
    used = [Use(entry=each.entry, what=f"GPUs in the place of {each.entry.key}", instead=()) for each in found]
    return unit.replace(stand_ins=stand_ins, used=(*unit.used, *used))


def _variables(unit: Unit, profile: Profile) -> Unit:
    job = unit.job
    own = {name for name, _ in (*job.env, *job.env_facts, *job.source.variables)} | {*job.secrets}
    added = [each for each in profile.variables if each.entry.key not in own]
    if not added:
        return unit
    env = (*((each.entry.key, each.value) for each in added), *job.env)
    told = {use.entry.key for use in unit.used if use.entry.section == "variables"}
    lacked = {each.name for each in never_set(job)}
    used = [
        Use(entry=entry, what=f"{entry.key} is set", instead=_instead(SLURM_VARIABLE_NOT_SET, entry.key in lacked))
        for entry in (each.entry for each in added)
        if entry.key not in told
    ]
    origins = {"env": added[0].entry.span, **unit.origins}
    return unit.replace(job=job.replace(env=env), origins=origins, used=(*unit.used, *used))


def _instead(code: Code, lacked: bool) -> tuple[str, ...]:
    return (code.id,) if lacked else ()


def _places(unit: Unit, profile: Profile) -> Unit:
    job = unit.job
    texts = [job.run.text or "", job.setup or "", job.run.workdir or "", *job.run.args, *job.run.argv]
    texts += [value for _, value in job.env]
    texts += [each for each in (job.io.stdout, job.io.stderr, job.io.stdin) if each is not None]
    taken = {*(each.target for each in job.mounts), *(each.mount_path for each in job.volumes)}
    added = [
        each
        for each in profile.places
        if each.mount.target not in taken and any(_names(text, each.mount.target) for text in texts)
    ]
    if not added:
        return unit
    mounts = (*job.mounts, *(each.mount for each in added))
    origins = dict(unit.origins)
    used = [*unit.used]
    for number, each in enumerate(added, len(job.mounts)):
        origins[f"mounts.{number}"] = each.entry.span
        freed = _lacks(job, each) and not _lacks(job.replace(mounts=mounts), each)
        what = f"{each.mount.kind} at {each.mount.target}"
        used.append(Use(entry=each.entry, what=what, instead=_instead(CLUSTER_PATH, freed)))
    return unit.replace(job=job.replace(mounts=mounts), origins=origins, used=tuple(used))


def _lacks(job: Job, place: Place) -> bool:
    """Whether something that the job's texts need there is missing without it."""
    found = {**cluster_paths(job), **home_paths(job)}
    return any(_names(path, place.mount.target) for path in found)


def _names(text: str, path: str) -> bool:
    """Whether a text names a path, or one below it."""
    at = text.find(path)
    while at >= 0:
        if not _part(text, at + len(path)) and not (at and (text[at - 1] == "/" or _part(text, at - 1))):
            return True
        at = text.find(path, at + 1)
    return False


def _environments(unit: Unit, profile: Profile) -> Unit:
    job = unit.job
    named = entered(job) if profile.environments else set[str]()
    lines = [row for row in profile.environments if row.entry.key in named]
    if not lines:
        return unit
    lacks = {"conda", "mamba", "activate"} & _lacking_programs(job).keys()
    instead = (COMMAND_MISSING.id if lacks else ENVIRONMENT_MISSING.id,)
    used = [Use(entry=row.entry, what=f"conda environment {row.entry.key}", instead=instead) for row in lines]
    job = job.replace(environments=tuple(row.entry.key for row in lines))
    origins = {"environments": lines[0].entry.span, **unit.origins}
    setup = "\n".join([BEGIN, *(row.setup for row in lines)])
    return _with_setup(unit.replace(job=job, origins=origins, used=(*unit.used, *used)), setup, lines[0].entry.span)


def _modules(unit: Unit, profile: Profile) -> Unit:
    job = unit.job
    if not profile.modules or "m" not in f"{job.run.text}{job.setup}":
        return unit
    names = surely_loaded(job)
    missing = {each.name for each, _ in lacking(job)}
    # A line of its own before one with a glob, which may stand first.
    rows = sorted(profile.modules, key=lambda each: "*" in each.entry.key or "?" in each.entry.key)
    found: dict[str, list[str]] = {}
    for each in names:
        row = next((row for row in rows if is_brought(each.name, (row.entry.key,))), None)
        if row is not None:
            found.setdefault(row.entry.key, []).append(each.name)
    if not found:
        return unit
    lines = [row for row in profile.modules if row.entry.key in found]
    used = [*unit.used]
    for row in lines:
        loaded = found[row.entry.key]
        instead = _instead(MODULE_MISSING, bool(missing.intersection(loaded)))
        used.append(Use(entry=row.entry, what=f"module {', '.join(loaded)}", instead=instead))
    job = job.replace(modules=tuple(row.entry.key for row in lines))
    origins = {"modules": lines[0].entry.span, **unit.origins}
    setup = _once_updated([row.setup for row in lines if row.setup])
    unit = unit.replace(job=job, origins=origins, used=tuple(used))
    return _with_setup(unit, setup, lines[0].entry.span) if setup else unit


def _images(unit: Unit, profile: Profile) -> Unit:
    """What the machine's docker has in the place of images in files, where Singularity or `srun` are given them."""
    job = unit.job
    if not profile.images:
        return unit
    called = called_programs(job, images.PROGRAMS) - brought_by_modules(job)
    texts = [job.run.text or "", job.setup or "", *job.run.argv, *job.run.args, *(value for _, value in job.env)]
    files = [each for text in texts for each in images_of(text)]
    lines = [row for row in profile.images if any(is_meant(row.entry.key, each) for each in files)]
    if not lines or not (called or "container-image" in f"{job.run.text}{job.setup}"):
        return unit
    before, lacked = image_in_file(job), _lacking_programs(job)
    pairs = tuple((row.entry.key, row.reference) for row in lines)
    job = job.replace(image_files=pairs)
    if all(any(is_meant(key, each) for key, _ in pairs) for each in files if each.endswith(images.SINGULARITYS)):
        job = job.replace(programs=(*job.programs, *(name for name in images.PROGRAMS if name in called)))
    # Else the program is told to be missing for the sake of the other files.
    freed = {code for name in job.programs for code in lacked.get(name, ())}
    freed |= {IMAGE_IN_FILE.id} if before is not None and image_in_file(job) is None else set()
    used = [Use(entry=row.entry, what=f"image {row.reference}", instead=tuple(sorted(freed))) for row in lines]
    origins = {"image_files": lines[0].entry.span, "programs": lines[0].entry.span, **unit.origins}
    unit = unit.replace(job=job, origins=origins, used=(*unit.used, *used))
    return _with_setup(unit, images.setup(pairs, answers=bool(called)), lines[0].entry.span)


def _programs(unit: Unit, profile: Profile) -> Unit:
    job = unit.job
    if not profile.programs:
        return unit
    called = called_programs(job, [row.entry.key for row in profile.programs]) - brought_by_modules(job)
    if job.environments:  # what makes them is conda
        called -= {"conda", "mamba"}
    lines = [row for row in profile.programs if row.entry.key in called and row.entry.key not in job.programs]
    if not lines:
        return unit
    lacked = _lacking_programs(job)
    used = [*unit.used]
    for row in lines:
        key = row.entry.key
        used.append(Use(entry=row.entry, what=f"program {key}", instead=lacked.get(key, ())))
    job = job.replace(programs=(*job.programs, *(row.entry.key for row in lines)))
    origins = {"programs": lines[0].entry.span, **unit.origins}
    # Texts that bring the same under several names do it once.
    steps = {row.setup.replace(f"{PROGRAM_FAILS}{row.entry.key}", ""): row.setup for row in lines if row.setup}
    unit = unit.replace(job=job, origins=origins, used=tuple(used))
    return _with_setup(unit, _once_updated(steps.values()), lines[0].entry.span) if steps else unit


def _lacking_programs(job: Job) -> dict[str, tuple[str, ...]]:
    """The programs that the job calls and the machine lacks, with the findings that say so."""
    said: tuple[str, ...] = (COMMAND_MISSING.id,)
    found = dict.fromkeys(missing_commands(job), said)
    if job.setup:
        run = job.run.replace(kind="shell", interpreter="/bin/bash", text=job.setup, commands=())
        found |= dict.fromkeys(missing_commands(job.replace(run=run, setup=None)), said)
    name = missing_env(job)
    return found if name is None else {**found, name: (*found.get(name, ()), INTERPRETER_MISSING.id)}


def _once_updated(setups: Iterable[str]) -> str:
    """The steps of several lines, with one look for new packages before those of apt that follow each other: what
    stands between, lines of shell, may bring other sources."""
    found: list[str] = []
    fresh = False
    for line in "\n".join(setups).split("\n"):
        update = line.startswith(_APT) and " update || " in line
        if not (update and fresh):
            found.append(line)
        fresh = update or (fresh and line.startswith((_APT, _PIP)))
    return "\n".join(found)


def _with_setup(unit: Unit, text: str, span: object) -> Unit:
    own = unit.job.setup
    if own is None:
        return unit.replace(job=unit.job.replace(setup=text + "\n"), origins={**unit.origins, "setup": span})
    placed = Derived.joined(text + "\n", unit.setup_text or own)
    return unit.replace(job=unit.job.replace(setup=f"{text}\n{own}"), setup_text=placed)

"""What a job takes of its cluster's profile, whatever format it is in: modules, programs, conda environments, paths
and variables. The job's own words and the command line's flags win."""

from __future__ import annotations

from flowc._compiled.slurm_commands import ENROOT_FILES, SINGULARITY_FILES, STEP_IMAGES
from flowc.body.commands import called_programs, missing_commands
from flowc.body.conda import conda_folders
from flowc.body.interpreter import missing_env
from flowc.body.modules import brought_by_modules, entered, is_brought, lacking, surely_loaded
from flowc.body.paths.cluster import cluster_paths
from flowc.body.paths.home import home_paths
from flowc.body.venvs import path_of, used_venvs
from flowc.catalog.gpus import is_meant as is_gpu
from flowc.diag.codes import programs as codes
from flowc.ir.profile import Use, is_meant
from flowc.patterns import at_first_use, remembered
from flowc.profile.named import is_word, may_be_in, names, stripped, takes
from flowc.shell.steps import APT, BRING, PIP, STEP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.ir.job import Job
    from flowc.ir.profile import Brought, Lines, Place, Profile
    from flowc.ir.unit import Unit
    from flowc.source import Span

_read_by_programs = at_first_use(r"\w*(?:CACHE|PATH|TMP|TEMP)\w*|HOME|\w+_(?:HOME|DATA|DIR|ROOT)", "fullmatch")
# How steps begin that read.py makes.
_APT, _PIP, _CONDA = f"{STEP}{APT}", f"{STEP}{PIP}", f"{STEP}{BRING}"
_SHELL = f"{STEP}bash -ec "
# What a text has that names an image: how its file ends, or an option of `srun`.
_IMAGE_SIGNS = (*SINGULARITY_FILES, *ENROOT_FILES, "enroot", *STEP_IMAGES)


def apply(unit: Unit, profile: Profile, *, reasons: bool = True) -> Unit:
    """The unit with what its profile brings to it, and a record of that; each thing has its line for an origin.
    `reasons`: it is to be told which findings each line makes needless, which takes longer than all else."""
    unit = _gpus(unit.replace(profile=profile), profile)
    if unit.job.conventions.commands:
        unit = _variables(unit, profile, reasons)
    if unit.job.image is not None:  # what is in an image does not come from the cluster
        return unit
    for bring in (_places, _environments, _venvs, _modules, _images, _programs):
        unit = bring(unit, profile, reasons)
    return unit


def _gpus(unit: Unit, profile: Profile) -> Unit:
    """Which models may take the place of those that the job names."""
    resources = unit.job.resources
    words = [resources.gpu_model, *(each.gpu_model for each in resources.choices), *resources.features]
    found = profile.gpus.where(lambda key: any(word and is_gpu(word, key) for word in words))
    if not found:
        return unit
    stand_ins = tuple((each.entry.key, each.model) for each in found)
    used = [Use(entry=each.entry, what=f"GPUs in the place of {each.entry.key}", instead=()) for each in found]
    return unit.replace(stand_ins=stand_ins, used=(*unit.used, *used))


def _variables(unit: Unit, profile: Profile, reasons: bool) -> Unit:
    job = unit.job
    own = {name for name, _ in (*job.env, *job.env_facts, *job.source.variables)} | {*job.secrets}
    added = profile.variables.where(lambda key: key not in own)
    if not added:
        return unit
    env = (*((each.entry.key, each.value) for each in added), *job.env)
    told = {use.entry.key for use in unit.used if use.entry.section == "variables"}
    text = job.run.text or ""
    lacked: dict[str, tuple[str, ...]] = {}
    if reasons and any(each.entry.key in text for each in added):
        from flowc.body.slurm_variables import never_set
        from flowc.diag.codes.slurm.words import SLURM_VARIABLE_NOT_SET

        lacked = {each.name: (SLURM_VARIABLE_NOT_SET.id,) for each in never_set(job)}
    used = [
        Use(entry=entry, what=f"{entry.key} is set", instead=lacked.get(entry.key, ()))
        for entry in (each.entry for each in added)
        if entry.key not in told
    ]
    origins = {"env": added[0].entry.span, **unit.origins}
    return unit.replace(job=job.replace(env=env), origins=origins, used=(*unit.used, *used))


def _places(unit: Unit, profile: Profile, reasons: bool) -> Unit:
    job = unit.job
    texts = [job.run.text or "", job.setup or "", job.run.workdir or "", *job.run.args, *job.run.argv]
    texts += [each for each in (job.io.stdout, job.io.stderr, job.io.stdin) if each is not None]
    texts += _values(unit, profile, texts)
    taken = {*(each.target for each in job.mounts), *(each.mount_path for each in job.volumes)}
    together = "\n".join(texts)
    paths = stripped(profile.places.keys)
    named = may_be_in(together, profile.places.keys)
    lines = [number for number, path in enumerate(paths) if path in named and takes(together, path, paths)]
    added = [each for each in map(profile.places.__getitem__, lines) if each.mount.target not in taken]
    if not added:
        return unit
    mounts = (*job.mounts, *(each.mount for each in added))
    origins = dict(unit.origins)
    used = [*unit.used]
    lacked = [*cluster_paths(job), *home_paths(job)] if reasons else []
    wanted = [each for each in added if _lacks(lacked, each)]
    mounted = job.replace(mounts=mounts)
    still = [*cluster_paths(mounted), *home_paths(mounted)] if wanted else []
    for number, each in enumerate(added, len(job.mounts)):
        origins[f"mounts.{number}"] = each.entry.span
        freed = each in wanted and not _lacks(still, each)
        what = f"{each.mount.kind} at {each.mount.target}"
        used.append(Use(entry=each.entry, what=what, instead=(codes.CLUSTER_PATH.id,) if freed else ()))
    return unit.replace(job=mounted, origins=origins, used=tuple(used))


def _values(unit: Unit, profile: Profile, texts: list[str]) -> list[str]:
    """What the job's variables hold. Those of the profile are every job's: they name a path where the job names them,
    or where programs read them that are not told to."""
    lines = profile.variables.keys
    found = [value for name, value in unit.job.env if name not in lines]
    together = "\n".join((*texts, *found))
    for name, value in unit.job.env:
        if name in lines and "/" in value and (_read_by_programs(name) or is_word(name, together)):
            found.append(value)
    return found


def _lacks(paths: list[str], place: Place) -> bool:
    """Whether one of the paths that are missing is there."""
    return any(names(path, place.mount.target) for path in paths)


def _environments(unit: Unit, profile: Profile, reasons: bool) -> Unit:
    job = unit.job
    keys = profile.environments.keys
    named = entered(job) if keys else set[str]()
    if any("/" in key for key in keys):
        named = {key for key in keys if key.rstrip("/") in {*named, *used_venvs(job)[1]}}
    lines = profile.environments.named(named)
    if not lines:
        return unit
    lacks = {"conda", "mamba", "activate"} & _lacking_programs(unit, reasons).keys()
    instead = (codes.COMMAND_MISSING.id if lacks else codes.ENVIRONMENT_MISSING.id,) if reasons else ()
    used = [Use(entry=row.entry, what=f"conda environment {row.entry.key}", instead=instead) for row in lines]
    job = job.replace(environments=tuple(row.entry.key.rstrip("/") for row in lines))
    origins = {"environments": lines[0].entry.span, **unit.origins}
    from flowc.profile.environments import BEGIN, at

    folders = conda_folders(job)
    setups = (BEGIN, *([at(folders)] if folders else ()), *(row.setup for row in lines))
    unit = unit.replace(job=job, origins=origins, used=(*unit.used, *used))
    return unit.prepared("\n".join(setups), lines[0].entry.span, setups)


def _venvs(unit: Unit, profile: Profile, reasons: bool) -> Unit:
    """Virtual environments that texts enter, or whose programs they call by their paths."""
    job = unit.job
    if not profile.venvs.keys or "bin/" not in f"{job.run.text}{job.setup}":
        return unit
    entered, called = used_venvs(job)
    lines = profile.venvs.where(lambda key: path_of(key) in entered | called)
    if not lines:
        return unit
    used = [
        Use(entry=row.entry, what=f"virtual environment {row.entry.key}", instead=instead if reasons else ())
        for row in lines
        for instead in [(codes.VENV_MISSING.id,) if path_of(row.entry.key) in entered else (codes.CLUSTER_PATH.id,)]
    ]
    job = job.replace(venvs=tuple(path_of(row.entry.key) for row in lines))
    origins = {"venvs": lines[0].entry.span, **unit.origins}
    setups = tuple(row.setup for row in lines)
    unit = unit.replace(job=job, origins=origins, used=(*unit.used, *used))
    return unit.prepared("\n".join(setups), lines[0].entry.span, setups)


def _modules(unit: Unit, profile: Profile, reasons: bool) -> Unit:
    job = unit.job
    if not profile.modules.keys or "m" not in f"{job.run.text}{job.setup}":
        return unit
    found: dict[str, list[str]] = {}
    for each in surely_loaded(job):
        line = _module(each.name, profile.modules)
        if line is not None:
            found.setdefault(line, []).append(each.name)
    if not found:
        return unit
    lines = profile.modules.named(found)
    missing = {each.name for each, _ in lacking(job)} if reasons else set[str]()
    used = [*unit.used]
    for row in lines:
        loaded = found[row.entry.key]
        instead = () if missing.isdisjoint(loaded) else (codes.MODULE_MISSING.id,)
        used.append(Use(entry=row.entry, what=f"module {', '.join(loaded)}", instead=instead))
    job = job.replace(modules=tuple(row.entry.key for row in lines))
    origins = {"modules": lines[0].entry.span, **unit.origins}
    unit = unit.replace(job=job, origins=origins, used=tuple(used))
    return _brought(unit, lines, "module")


@remembered(1000)  # jobs of one cluster load the same ones
def _module(name: str, lines: Lines[Brought]) -> str | None:
    """The key of the line that brings a module: the nearest of its own before one with a glob, which may come first."""
    parts = name.split("/")
    own = lines.named("/".join(parts[:number]) for number in range(1, len(parts) + 1))
    if own:
        return max((row.entry.key for row in own), key=len)
    return next((key for key in lines.globs if is_brought(name, (key,))), None)


def _images(unit: Unit, profile: Profile, reasons: bool) -> Unit:
    """What the machine's docker has in the place of images in files, where Singularity or `srun` are given them."""
    job = unit.job
    if not profile.images.keys:
        return unit
    texts = [job.run.text or "", job.setup or "", *job.run.argv, *job.run.args, *(value for _, value in job.env)]
    together = "\n".join(texts)
    if not any(sign in together for sign in _IMAGE_SIGNS):
        return unit
    from flowc.body.out_of_reach import image_in_file, images_of
    from flowc.profile import images

    files = [each for text in texts for each in images_of(text)]
    lines = profile.images.where(lambda key: any(is_meant(key, each) for each in files))
    pairs = tuple((row.entry.key, row.reference) for row in lines)
    called = called_programs(job, images.PROGRAMS, unit.brought)
    every = all(any(is_meant(key, each) for key, _ in pairs) for each in files if each.endswith(SINGULARITY_FILES))
    if not every:  # a program that a module brings reads the other files
        called -= brought_by_modules(job)
    if not lines or not (called or any(sign in f"{job.run.text}{job.setup}" for sign in STEP_IMAGES)):
        return unit
    before, lacked = image_in_file(job) if reasons else None, _lacking_programs(unit, reasons)
    job = job.replace(image_files=pairs)
    answered = {*called}
    if not every:
        answered &= {"enroot"}  # the program is told to be missing for the sake of the other files
    job = job.replace(programs=(*job.programs, *(name for name in images.PROGRAMS if name in answered)))
    freed = {code for name in job.programs for code in lacked.get(name, ())}
    freed |= {codes.IMAGE_IN_FILE.id} if before is not None and image_in_file(job) is None else set()
    used = [Use(entry=row.entry, what=f"image {row.reference}", instead=tuple(sorted(freed))) for row in lines]
    origins = {"image_files": lines[0].entry.span, "programs": lines[0].entry.span, **unit.origins}
    unit = unit.replace(job=job, origins=origins, used=(*unit.used, *used))
    return unit.prepared(images.setup(pairs, called, together), lines[0].entry.span)


def _programs(unit: Unit, profile: Profile, reasons: bool) -> Unit:
    job = unit.job
    if not profile.programs.keys:
        return unit
    called = _called(unit, profile.programs.keys)
    if job.environments:  # what makes them is conda
        called -= {"conda", "mamba"}
    lines = profile.programs.named(called.difference(job.programs))
    if not lines:
        return unit
    lacked = _lacking_programs(unit, reasons)
    used = [*unit.used]
    for row in lines:
        key = row.entry.key
        used.append(Use(entry=row.entry, what=f"program {key}", instead=lacked.get(key, ())))
    job = job.replace(programs=(*job.programs, *(row.entry.key for row in lines)))
    origins = {"programs": lines[0].entry.span, **unit.origins}
    lines = [_by_docker(row, job) if row.by_docker else row for row in lines]
    unit = unit.replace(job=job, origins=origins, used=tuple(used))
    return _brought(unit, lines, "program", beside=_steps(profile.modules.named(job.modules), "module"))


def _by_docker(row: Brought, job: Job) -> Brought:
    """The line with what brings docker, and a program that has it answer what the job's text calls."""
    from flowc.profile import images

    return row.replace(setup=images.setup((), (row.entry.key,), f"{job.run.text}\n{job.setup}\n{job.env}"))


def _called(unit: Unit, names: Iterable[str]) -> set[str]:
    """The programs that the job calls and no module brings."""
    called = called_programs(unit.job, names, unit.brought)
    return called - brought_by_modules(unit.job, called) if called else called


def _lacking_programs(unit: Unit, reasons: bool) -> dict[str, tuple[str, ...]]:
    """The programs that the job calls and the machine lacks, with the findings that say so, where that is asked."""
    if not reasons:
        return {}
    said: tuple[str, ...] = (codes.COMMAND_MISSING.id,)
    found = dict.fromkeys(missing_commands(unit.job), said)
    preparing = unit.preparing
    if preparing is not None:
        found |= dict.fromkeys(missing_commands(preparing.job), said)
    name = missing_env(unit.job)
    return found if name is None else {**found, name: (*found.get(name, ()), codes.INTERPRETER_MISSING.id)}


def _brought(unit: Unit, lines: list[Brought], kind: str, beside: Iterable[str] = ()) -> Unit:
    """The unit with what its lines bring. Texts that bring the same under several names do it once, and not where that
    is done `beside` them."""
    steps = _steps(lines, kind)
    for done in beside:
        steps.pop(done, None)
    return unit.prepared(*_together((*steps.values(),), lines[0].entry.span)) if steps else unit


def _steps(lines: Iterable[Brought], kind: str) -> dict[str, str]:
    """What lines bring, by what of it does not hang on their names."""
    return {row.setup.replace(f"{kind} {row.entry.key}", ""): row.setup for row in lines if row.setup}


def _together(setups: tuple[str, ...], span: Span) -> tuple[str, Span, tuple[str, ...]]:
    """The steps of several lines, with one look for new packages before those of apt that follow each other: what
    stands between, lines of shell, may bring other sources. What makes environments of conda is brought first. With the
    other words of `Unit.prepared`."""
    brought = setups if all(map(_is_plain, setups)) else ()
    found: list[str] = []
    fresh = False
    for line in "\n".join(setups).split("\n"):
        update = line.startswith(_APT) and " update || " in line
        if not (update and fresh):
            found.append(line)
        fresh = update or (fresh and line.startswith((_APT, _PIP, _CONDA)))
    at = next((number for number, line in enumerate(found) if line.startswith(_CONDA)), None)
    if at is not None:
        from flowc.profile.environments import BEGIN_PROGRAMS

        found.insert(at, BEGIN_PROGRAMS)
        brought = brought and (BEGIN_PROGRAMS, *brought)
    return "\n".join(found), span, brought


@remembered(500)
def _is_plain(setup: str) -> bool:
    """Whether what begins as a step does is one, and no line of the text that a step is given."""
    steps, _, shell = setup.partition(_SHELL)
    alone = all(line.startswith(STEP) for line in steps.rstrip("\n").split("\n") if line)
    return alone and f"\n{STEP}" not in shell

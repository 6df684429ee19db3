"""What tells a format in a text: keys, marks and directives; and whether a file that a folder has is a job."""

from __future__ import annotations

from flowc.diag.codes import detect as codes
from flowc.frontends import FRONTENDS, YAML, Entry, by_suffix, named
from flowc.patterns import at_first_use
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.source import Source

_top_keys = at_first_use(r"^([ ]*)(['\"]?)([A-Za-z_$][\w.-]*)\2[ \t]*:(?=[ \t\r\n]|$)", "finditer", 8)  # re.MULTILINE
_content = at_first_use(r"^[\s\ufeff]*(?:(?:#|---|%[A-Z])[^\n]*\n\s*)*", "match")
_brace_tokens = at_first_use(
    r"[\"']([\w.-]+)[\"']\s*:|(?<![\w.-])([A-Za-z_][\w.-]*)\s*:(?=\s)|\"(?:[^\"\\]|\\[\s\S])*(?:\"|\\?\Z)|'[^']*'|#[^\n]*|[{}\[\]]",
    "finditer",
)
# A directive before the first command, where sbatch (its own two words), or a reader of Torque's or LSF's, sees it.
_live = at_first_use(r"\ufeff?(?:[ \t\r\v\f]*(?:#[^\n]*)?\n)*?#(?:(SBATCH|SLURM)|PBS|BSUB)", "match")
_directive = at_first_use(r"(?m)^#SBATCH[ \t]*-[^\n]*", "finditer")
_template = at_first_use(r"^[^\S\n]*(?:\{\{-?|\{%-?)", "search", 8)

# What tells a format stands near the beginning; more is not looked at.
MOST_LOOKED_AT = 200_000
# Suffixes of files that a folder has for anything at all; next to no JSON file is a job.
MANIFESTS = (".yaml", ".yml")
# Suffixes of scripts of all kinds, among them many batch scripts.
_SCRIPTS = (".sh", ".bash", ".job", ".sub", ".batch")
# Suffixes of templates, and what only a template has: no job before somebody renders it.
_TEMPLATES = (".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".erb", ".ejs", ".mustache", ".template", ".in")
_TEMPLATE_SIGNS = ("{{", "{%", "<%")
# What other programs' files have at their top, where they are easily taken for jobs.
_OTHERS = (
    ("services", "a Compose file"),
    ("jobs", "a CI workflow"),
    ("AWSTemplateFormatVersion", "a CloudFormation template"),
    ("pipelines", "a pipeline"),
    ("dependencies", "a package's or a chart's description"),
    ("hosts", "an Ansible play"),
    ("repos", "a pre-commit configuration"),
)
# Keys of tasks that charts, packages and pipelines have too; and those of them that make one of SkyPilot's in company.
_ANYBODYS = frozenset(
    (
        *("resources", "service", "command", "data", "script", "shell", "run", "setup", "envs", "pool"),
        *("workdir", "working_dir", "constraints"),
    )
)
_TASK_RUNS = frozenset(("run", "setup"))
# Keys below `resources` that earlier tools of Flow and Foundry read; others are SkyPilot's.
_OLDER_RESOURCES = frozenset(("disk", "gpu", "cpu", "memory", "storage", "ports", "vCPU", "RAM", "GPU"))


def by_content(text: str) -> Entry | None:
    """The frontend whose marks stand in the text."""
    for entry in FRONTENDS:
        if any(mark in text for mark in entry.marks):
            return entry
    return None


def only_jobs(path: str) -> bool:
    """Whether files of this name are job files whatever stands in them."""
    entry = by_suffix(path)
    return entry is not None and not path.lower().endswith(_SCRIPTS)


def is_job(source: Source, *, once: bool = False) -> bool:
    """Whether a file found in a folder is worth checking: directives of Slurm are in effect in it, or it has the signs
    of a YAML job, not only of some manifest. `once`: a CronJob is one."""
    path, text = source.path.lower(), source.text
    if path.endswith(_TEMPLATES) and any(sign in text for sign in _TEMPLATE_SIGNS):
        return False
    live = _live(text)
    if live is not None and (path.endswith(_SCRIPTS) or (live[1] and text.startswith(("#!", "\ufeff#!")))):
        return True
    if path.endswith(_SCRIPTS):  # of one whose directives all come too late, that is what there is to say
        from flowc.shell.scan import scan

        late, seen = [match.start() for match in _directive(text)], scan(text)
        return any(not seen.in_child(start) and not seen.in_string(start) for start in late)
    if not path.endswith(MANIFESTS):
        return False
    found = by_signs(source)
    job = _has_job(text, once) if "k8s" in found else _is_task(source, tuple(found))
    return job and not _is_template(source)


# Kinds whose objects are work that ends. A CronJob, like a Deployment, is something that the cluster keeps doing: it is
# a job where `--once` says so, and an error only where somebody names the file.
_job_kind = at_first_use(
    r"^[^\S\n]*(?:-\s*)?[\"']?kind[\"']?\s*:\s*[\"']?(?:Job|JobList|JobSet|PyTorchJob|TFJob|MPIJob|XGBoostJob|JAXJob|RayJob|TrainJob)[\"']?\s*(?:#.*)?$",
    "search",
    8,
)
_cron_job = at_first_use(r"^[^\S\n]*(?:-\s*)?[\"']?kind[\"']?\s*:\s*[\"']?CronJob\b", "search", 8)
# The kinds of documents that begin in the first column; deeper ones are parts of others, unless these are lists.
_kinds = at_first_use(r"^[\"']?kind[\"']?\s*:\s*[\"']?([A-Za-z]+)", "findall", 8)
_JOBS = ("Job", "JobSet", "PyTorchJob", "TFJob", "MPIJob", "XGBoostJob", "JAXJob", "RayJob", "TrainJob", "CronJob")


def _has_job(text: str, once: bool) -> bool:
    """Whether one of the manifests is a job: not a definition of a kind of that name, nor a patch or step of it."""
    if not (_job_kind(text) or (once and _cron_job(text))):
        return False
    kinds = _kinds(text)
    return not kinds or any(kind in _JOBS or kind.endswith("List") for kind in kinds)


# What only a template has in the place of a value or a line.
_of_template = at_first_use(r"^[^\S\n]*(?:\{\{|(?:- +)?[\w./-]+:[ \t]+\{\{)", "search", 8)


def _is_template(source: Source) -> bool:
    """Whether it is a template of a chart, which is no YAML before it is rendered."""
    if "{{" not in source.text or not _of_template(source.text):
        return False
    from flowc.diag.sink import Sink
    from flowc.yamldoc.read import read

    sink = Sink()
    read(source, sink)
    return sink.error_count > 0


def _is_task(source: Source, formats: tuple[str, ...]) -> bool:
    """One key may stand in any file; two make a task, unless the values of a chart or a pipeline have both as well."""
    keys = _keys(source)
    signs = {name: [key for key in keys if key in named(name).signs] for name in formats}
    found = {key for its in signs.values() for key in its}
    if len(found) < 2:
        return False
    tasks = signs.get("skypilot", [])
    return not found <= _ANYBODYS or (len(tasks) > 1 and not _TASK_RUNS.isdisjoint(tasks))


def _keys(source: Source) -> dict[str, Span]:
    """The keys at the top of all documents, with the place of the first of each name. Text of block scalars is indented
    deeper, so that what stands at the indent of the first key is a key, a comment or a list."""
    text = source.text
    first = _content(text).end()
    if text.startswith("{", first) and not text.startswith(("{{", "{%"), first):
        return _brace_keys(source, first)
    found: dict[str, Span] = {}
    indent: str | None = None
    for match in _top_keys(text, 0, MOST_LOOKED_AT):
        if indent is None:
            indent = match[1]
        if match[1] == indent:
            found.setdefault(match[3], Span(source, match.start(3), match.end(3)))
    return found


def _brace_keys(source: Source, start: int) -> dict[str, Span]:
    """The keys of the outermost braces of a document in JSON or in YAML's flow style."""
    found: dict[str, Span] = {}
    depth = 0
    for match in _brace_tokens(source.text, start, MOST_LOOKED_AT):
        group = 1 if match[1] is not None else 2
        if match[group] is not None:
            if depth == 1:
                found.setdefault(match[group], Span(source, match.start(group), match.end(group)))
        elif match[0] in "{[":
            depth += 1
        elif match[0] in "}]":
            depth -= 1
    return found


def by_signs(source: Source) -> dict[str, Span]:
    """The formats that have a sign in the text, with the place of the first. Some keys count only in company."""
    keys = _keys(source)
    signs = {entry.name: [key for key in keys if key in entry.signs] for entry in FRONTENDS}
    found = {name: keys[its[0]] for name, its in signs.items() if its}
    if "apiVersion" not in keys and "kind" not in keys:
        found.pop("k8s", None)
    if "apiVersion" in keys and "kind" in keys and signs["task-yaml"] == ["data"]:
        del found["task-yaml"]  # the content of a ConfigMap or Secret
    if "apiVersion" in keys and "kind" in keys and signs["skypilot"] == ["resources"]:
        del found["skypilot"]  # the files of a Kustomization
    if "foundry-yaml" in found and signs["task-yaml"] == ["num_instances"]:
        del found["task-yaml"]  # the old tool had that key too
    if len(signs["skypilot"]) > 1 and signs["task-yaml"] == ["working_dir"]:
        del found["task-yaml"]  # what launchers built on SkyPilot call `workdir`; its reader says so
    if signs["skypilot"] == ["resources"] and len(found) > 1 and _older_resources(source, keys):
        del found["skypilot"]
    if not found:
        if "version" in keys and _version_12(source, keys["version"]):
            found["foundry-yaml"] = keys["version"]
        elif "startup_script" in keys:
            found["foundry-yaml"] = keys["startup_script"]
    return found


def _version_12(source: Source, key: Span) -> bool:
    value = source.line(key.line).partition(":")[2].partition("#")[0].strip().strip("'\"")
    return value in ("1.2", "1.20")


def _older_resources(source: Source, keys: dict[str, Span]) -> bool:
    """Whether `resources` holds what earlier tools read in it."""
    inner = [key.strip() for key in _inline_keys(source.line(keys["resources"].line))]
    for number in range(keys["resources"].line + 1, len(source.line_starts) + 1):
        line = source.line(number)
        if line.strip() and not line.startswith((" ", "\t", "#")):
            break
        key = line.partition(":")[0].strip()
        if key and not key.startswith("#"):
            inner.append(key)
    return bool(inner) and set(inner) <= _OLDER_RESOURCES


def _inline_keys(line: str) -> list[str]:
    """The keys of `resources: {gpu: 1, cpu: 2}` on one line."""
    _, brace, inside = line.partition("{")
    return [part.partition(":")[0] for part in inside.partition("}")[0].split(",")] if brace else []


def mark(source: Source) -> Span:
    place, mark = min((source.text.find(mark), mark) for mark in FRONTENDS[0].marks if mark in source.text)
    return Span(source, place, place + len(mark))


def report_two(source: Source, found: dict[str, Span], sink: Sink) -> None:
    (_, first), *others = found.items()
    titles = [named(name).title for name in found]
    sink.report(
        codes.TWO_FORMATS,
        first,
        help=f"take the keys of one of them out, or say which it is with `--from {'|'.join(found)}`",
        notes=tuple((span, f"a sign of {named(name).title}") for name, span in others),
        formats=" and of ".join(titles),
    )


def report_none(source: Source, sink: Sink) -> None:
    """Say that no format was found; where the file is no YAML at all, that is what is wrong with it."""
    if source.path.lower().endswith(YAML):
        from flowc.yamldoc.read import read

        errors = sink.error_count
        read(source, sink)
        if sink.error_count > errors:
            return
    keys = _keys(source)
    other = next(((key, what) for key, what in _OTHERS if key in keys), None)
    names = [entry.name for entry in FRONTENDS if entry.name != "command-line"]
    help = f"say what it is with `--from {'|'.join(names)}`"
    span = None
    if not source.text.strip():
        help = "the file is empty"
    elif other is not None:
        span, help = keys[other[0]], f"it looks like {other[1]}; {help}"
    elif _template(source.text):
        help = f"it looks like a template; render it first (`helm template`), or {help}"
    sink.report(codes.UNKNOWN_FORMAT, span, path=source.path, help=help)

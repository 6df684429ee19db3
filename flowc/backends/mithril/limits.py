"""What a bid cannot express, and what happens in its place. Every field of the IR that is not listed here is
expressed: by the plan, by the request or by the startup script (a test walks all fields)."""

from __future__ import annotations

from flowc._compiled.slurm_commands import AT_ONCE_WORDS, MPI_WORDS, OF_SITES
from flowc.backends.mithril.naming import safe_name
from flowc.ir.job import Job
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.scripts import Draft, Drafts, Startup

# Even uncompressed and in base64, so many bytes and a runtime that is not `_is_heavy` are within the provider's limit:
# those of 4,000 real scripts with so little text that start steps all were.
SURELY_FITS = 3000
# In base64 so many bytes take 4,000 of it; the runtime of a batch script that brings no small Slurm takes some 3,100.
SURELY_FITS_BARE = 3000

# Parts that are named where the script is too large, the largest first.
MOST_PARTS = 4

# What of a job never reaches the script.
TOLD_ONLY = ("outcome", "labels")

# Reported, as a warning but for what is HELD.
REPORTED = {
    "time.begin": "the job starts as soon as the bid wins",
    "time.deadline": "the bid stays open after it, until somebody ends it",
    "array.max_concurrent": "placed otherwise, all tasks are bid for at once",
    "depends_on": "placed otherwise, the job starts as soon as its bid wins",
    "placement.reservation": "the bid is for the spot market",
    "placement.preemptible": "machines of the spot market can always be taken away",
    "placement.interconnect": "the instance type brings the network that it has",
    "notify.email": "it is no mail address, and the provider sends mail to nothing else",
}

_REPORTED = tuple((path, path.partition(".")[0], consequence) for path, consequence in REPORTED.items())

# Of these, what is kept where bids are held back until their turn.
HELD = ("array.max_concurrent", "depends_on")

# Values of these fields that are just what a bid does.
AS_IT_IS = {"placement.preemptible": True}

# Where the frontend has said so already, or nothing is lost: told in the report only.
IN_REPORT = {
    "labels": "the bid carries no labels",
    "resources.features": "words for nodes of another cluster; names of GPU models have chosen the machine",
    "placement.node_labels": "labels of another cluster's nodes; names of GPU models have chosen the machine",
    "time.min_s": "the time limit holds",
    "env_policy": "nobody's environment is copied",
    "notify.events": "the provider mails about the bid, not about the job",
    "isolation.network_host": "containers share the machine's network anyway",
}


def report(unit: Unit, sink: Sink) -> None:
    """Report what the user set and the bid cannot say, and its name."""
    job = unit.job
    sections, defaults = job.__dict__, Job.DEFAULTS
    for path, section, consequence in _REPORTED:
        if sections[section] is defaults.get(section) or not lost(job, path):  # most are
            continue
        if unit.held and path in HELD:
            continue
        from flowc.diag.codes import emit as codes

        span = unit.origin(path, section)
        what = span.text if span is not None and "\n" not in span.text else path
        if what.isdigit() and job.array is not None:  # the number of tasks, which says that they take turns
            what = f"{job.array.max_concurrent} at once"
        code = codes.ORDER_KEPT_BY_SUBMIT if path in HELD else codes.NOT_IN_BID
        sink.report(code, span, what=what, consequence=consequence)
    report_name(unit, sink)
    if job.volumes or job.ports or job.terminate_on_exit is not None:  # otherwise there is no more to look at
        from flowc.backends.mithril import extras

        extras.report(unit, sink)


def report_name(unit: Unit, sink: Sink) -> None:
    """Say how the bid is called where its name is not easily known again: `Train_1` as `train-1` is."""
    asked, span = unit.job.name, unit.origin("name")
    name = safe_name(asked) if span is not None else asked
    if name not in (asked, asked.lower().replace("_", "-").replace(".", "-")):
        from flowc.diag.codes import emit as codes

        sink.report(codes.NAME_CHANGED, span, name=name, asked=asked)


def report_size(unit: Unit, sink: Sink) -> None:
    """Report a startup script beyond the provider's limit, for a check: it is built only where it may come near."""
    job = unit.job
    said = [each for name, each in vars(job).items() if name not in TOLD_ONLY and each is not Job.DEFAULTS.get(name)]
    if text_bytes(said) < SURELY_FITS and not _is_heavy(unit):
        return
    drafts = _drafts(unit)
    if (drafts.is_bare and packed_bytes(job, said) < SURELY_FITS_BARE) or drafts.fits:
        return
    cut = drafts.cut
    way = None if cut is not None and cut.has_pmi else fits_apart(unit, tools=drafts.has_tools)
    if way is None and cut is not None:
        report_cut(unit, cut, sink)
    elif way is None:
        report_script(unit, drafts.startup(measured=True), sink)
    else:
        report_apart(apart(unit, way), _drafts(apart(unit, way)).whole, sink)


def _is_heavy(unit: Unit) -> bool:
    """Whether its small Slurm may be a large one: with steps of MPI, or with steps at once on several machines."""
    job, several = unit.job, unit.plan is not None and unit.plan.nodes > 1
    if not job.conventions.commands or job.image is not None or job.run.text is None:
        return False
    text = f"{job.run.text}\n{job.setup or ''}" if job.modules else job.run.text
    small = text.lower().replace("mpirun", "").replace("mpiexec", "")
    steps = any(name in text for name in ("srun", *OF_SITES)) or bool(job.run.commands)
    if any(sign in small for sign in MPI_WORDS):
        return steps or several
    at_once = text.replace("&&", "").replace(">&", "").replace("&>", "")
    return several and steps and any(sign in at_once for sign in AT_ONCE_WORDS)


def _drafts(unit: Unit) -> Drafts:
    """Those of its last task."""
    from flowc import scripts

    array = unit.job.array
    return scripts.Drafts(unit, array.indices[-1] if array is not None else None)


def text_bytes(values: list[object]) -> int:
    """So many bytes all text in these values of the IR has at most."""
    todo: list[Any] = [*values]
    size = 0
    for value in todo:  # which grows meanwhile
        kind = type(value)
        if kind is str:
            size += len(value) if value.isascii() else 4 * len(value)
        elif kind is tuple:
            todo += filter(None, value)
        elif isinstance(value, Record):
            todo += filter(None, value.__dict__.values())
    return size


def packed_bytes(job: Job, values: list[object]) -> int:
    """The same, of a job's values, with its texts as small as compression makes them quickly and by themselves."""
    import zlib  # most jobs do without

    texts = f"{job.run.text or ''}\n{job.setup or ''}"
    packed = zlib.compress(texts.encode("utf-8", "surrogateescape"), 1)
    return text_bytes(values) - text_bytes([job.run.text or "", job.setup or ""]) + len(packed)


def hardest(scripts: list[Startup]) -> Startup:
    """Of a unit's scripts the one of which most is to be said."""
    return max(scripts, key=lambda each: (not each.fits, not each.has_pmi, not each.has_comments, len(each.sent)))


def report_cut(unit: Unit, cut: Draft | Startup, sink: Sink) -> None:
    """Tell what a script that fits does without."""
    if not cut.has_comments:
        from flowc.diag.codes.emit import COMMENTS_LEFT_OUT

        sink.report(COMMENTS_LEFT_OUT, None)
    if not cut.has_pmi:
        from flowc.diag.codes.slurm.mpi import PMI_WITHOUT_ROOM

        help = "`flowc submit` brings all over SSH by itself" if not unit.held and fits_as(unit, "whole") else None
        sink.report(PMI_WITHOUT_ROOM, None, help=help)


def report_script(unit: Unit, script: Startup, sink: Sink) -> None:
    """Report a startup script beyond the provider's limit, with what takes the room; or what it does without."""
    if script.fits:
        report_cut(unit, script, sink)
        return
    from flowc import scripts
    from flowc.diag.codes import emit as codes
    from flowc.scripts.packing.pack import DENSEST

    sizes = sorted(((part.sent_bytes, part.name) for part in scripts.parts(script)), reverse=True)
    body = next((size for size, name in sizes if name == "body"), 0)
    largest = ", ".join(f"{name} {size}" for size, name in sizes[:MOST_PARTS] if name != "body")
    help = f"the largest other parts are {largest}"
    # Without the text it is shorter by that at most; in the densest form, where that was not tried, by a quarter more.
    rest = len(script.sent) - body
    alone = (rest if script.encoding == DENSEST else rest * 3 // 4) <= script.limit and fits_as(unit, "ssh")
    if alone:
        left = max(0, script.limit - len(script.sent) + body)
        help = (
            f"the job's own text takes {body} of them, {left} are left for it ({help}); "
            "let the job fetch long here-documents and encoded data, or write `--body ssh`: the text is then copied "
            "over SSH once the machine is there"
        )
    if not unit.held and (alone or fits_as(unit, "whole")):
        help = f"`flowc submit` brings it over SSH by itself, a bid that is sent otherwise has no room for it; {help}"
    sink.report(codes.STARTUP_SCRIPT_TOO_LARGE, None, help=help, size=len(script.sent), limit=script.limit)


def fits_apart(unit: Unit, *, tools: bool) -> str | None:
    """What comes over SSH where a script is too large and may come so: the job's own text, or the whole of it, in
    which the small Slurm, where it has such `tools`, need not be cut down. None where nothing may, or nothing helps. An
    array's tasks share their text."""
    job = unit.job
    if job.run.delivery not in ("auto", "ssh"):
        return None
    ways = [] if job.run.delivery == "ssh" or job.run.text is None else ["ssh"]
    ways = ["whole", *ways] if tools and job.array is None else [*ways, "whole"]
    return next((way for way in ways if fits_as(unit, way)), None)


def fits_as(unit: Unit, delivery: str) -> bool:
    """Whether the script is small enough once something comes over SSH."""
    job = unit.job
    if job.run.delivery == delivery or (delivery == "ssh" and job.run.text is None):
        return False
    if delivery == "whole" and not job.ports:
        return True  # beside its ports, what waits for the whole of it is the same few lines for each job
    return _drafts(apart(unit, delivery)).fits


def apart(unit: Unit, delivery: str) -> Unit:
    """The unit with its text, or the whole startup script, coming over SSH."""
    return unit.replace(job=unit.job.replace(run=unit.job.run.replace(delivery=delivery)))


def report_apart(unit: Unit, whole: bytes | None, sink: Sink) -> None:
    """Tell that something comes over SSH, since a startup script has no room for it; `whole` as `Startup` has it."""
    from flowc.diag.codes import emit as codes
    from flowc.scripts.delivery import FOLDER, WHOLE, delivery

    sent = delivery(unit.job)
    if whole is not None:
        path = f"{FOLDER}/{WHOLE}"
        sink.report(codes.SCRIPT_AWAITED, unit.origin("run.delivery"), path=path, bytes=len(whole))
    elif sent is not None:
        sink.report(codes.BODY_AWAITED, unit.origin("run.delivery"), path=sent.path, bytes=len(sent.data))


def lost(job: Job, path: str) -> bool:
    """Whether the user set this field of REPORTED or IN_REPORT to something that the bid does not say."""
    value = said(job, path)
    if path == "notify.email" and value is not None:
        return not is_address(str(value))
    return value is not None and AS_IT_IS.get(path) is not value


def said(job: Job, path: str) -> object | None:
    """The value of an IR field, None where it has its default."""
    section, _, field = path.partition(".")
    value, default = job.__dict__[section], Job.DEFAULTS.get(section)
    if value is default:
        return None  # most sections are
    if field:
        if value is None:
            return None
        value, default = value.__dict__[field], value.DEFAULTS.get(field)
    found: object = value
    return found if found != default else None


def is_address(text: str) -> bool:
    """Whether mail can be sent there; `--mail-user` may also be a login name of the cluster."""
    name, at, host = text.rpartition("@")
    return bool(name and at and "." in host) and text.isprintable() and " " not in text

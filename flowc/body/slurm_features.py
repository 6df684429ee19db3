"""What of the small Slurm a job may use, read off its text and its options: a superset. What is missing on the machine
ends the job, what is too much costs some bytes."""

from __future__ import annotations

from flowc._compiled.slurm_commands import LAUNCHERS, OF_SITES
from flowc._compiled.slurm_programs import COMMON, INHERITED, NAMES
from flowc._compiled.slurm_words import OPTIONS, VARIABLES
from flowc.body.frameworks import behind, calls_freely, features_behind
from flowc.body.interpreter import MOST_TEXT, may_be_shell
from flowc.body.mpi import served_ways
from flowc.body.slurm_calls import Call, calls, is_fed, variable_of, words_held
from flowc.body.slurm_releases import rules_of
from flowc.body.slurm_words import PLAIN, by_name, fields_asked, may_be_wrong, named_in, of_any_call, picked
from flowc.patterns import at_first_use, at_words
from flowc.shell.blocks import any_enclosed
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

# srun's options as the program has them: `n=ntasks` takes a value, `l.label` none, `K?…` maybe one; `-` for no letter.
TABLE = OPTIONS["srun"]["always"]

# The words by which a text names the list of the job's own nodes.
OWN_LISTS = {"$SLURM_JOB_NODELIST", "${SLURM_JOB_NODELIST}", "$SLURM_NODELIST", "${SLURM_NODELIST}"}
# A file of its own for the input of each task.
_input_each = at_first_use(r"(?:\s-i|--input|_STDINMODE)[=\s]?[^\s;|&]{0,200}[%$]", "search")
# A step that is to see no GPU.
_without_gpus = at_first_use(r"(?:--gres|--gpus\S{0,40}?|-G)[= ]?(?:none|\S{0,200}\b0\b|\S{0,200}\$)", "search")
# Where steps may run at once: in the background, in a pipe, by a program that starts several.
_at_once = at_words(
    r"(?<![&>|<\\])&(?![&>\d-])|\bcoproc\b|[<>]\(|(?<![\w-])(?:parallel|xargs)(?![\w-])|Popen|Thread|Pool|\basync|\bsrun\b[^\n;]*[^|\n;]\|[^|\n;][^\n;]*\bsrun\b",
    ("&", "coproc", "<(", ">(", "parallel", "xargs", "Popen", "Thread", "Pool", "async", "srun"),
)
# By which a program in Python has others run beside it.
_beside = at_first_use(r"Popen|Thread|Pool|\basync|&|fork|spawn|[Ee]xecutor|multiprocessing|joblib|parallel", "search")
# Locks and pipes that a shell holds open, which are released when nobody has them open any more.
_descriptors = at_first_use(r"\bflock\b|\bcoproc\b|\bexec[ \t]+(?:\d+|\{\w+\})<>", "search")
_host_brackets = at_first_use(r"\A(?:-[wx]|--nodelist|--exclude)(?![a-z]).*[\[/$`]", "search")
_brackets = at_first_use(r"\w\[[\d$]", "search")
# A step, or a query with long answers, of whose output a part is read: the tasks go on, the query ends.
_read_in_part = at_first_use(
    r"\b(?:srun|squeue|sinfo|sacct|scontrol(?![ \t]+show[ \t]+hostname))\b(?:[^\n]|\\\n){0,400}?[^|]\|\s*"
    r"(?:head|grep\s+(?:-\w*[qm]|--quiet|--max)|sed\b[^\n|]*q\b|awk\b[^\n]*\bexit\b|read\b|true\b|:)",
    "search",
)
_holds_options = at_first_use(r"\W*(\{?\w*(?:OPT|ARG|FLAG|SRUN|opt|arg|flag|srun)\w*|\{\w+\[|\w+\[)", "match")
_any_option = at_first_use(r"(?:(?<![\w$/.-])|(?<=:-))(--?[A-Za-z][\w-]*)", "finditer")
_sets_list = at_words(r"\bSLURM_(?:JOB_)?NODELIST=", ("SLURM_NODELIST=", "SLURM_JOB_NODELIST="))
_unbound = at_first_use(r"(?:gpu-bind(?:=|\s+)|SLURM_GPU_BIND=)[\"']?(?:none\b|\$)", "search")
_separators = at_first_use(r"[\s\"',()\[\]\\]+", "sub")
# Keywords may be short, and in any case.
_asks_job = at_first_use(r"\b(?i:show? (?:-\S+ )*(?:[jn]|\$))|^ ?(?:-\S+ )*\$", "search")
# The spellings of calls of scontrol that it takes as they stand; what variables give may be any.
_plain_call = at_first_use(
    r"(?:(?:-[od]|--oneliner|--details) )*"
    r"(?:requeue\b|show (?:hostnames?|hostlist(?:sorted)?|(?:job|node)s?)(?:$| [^-]))",
    "match",
)
# What takes Slurm's variables from the environment of a program.
_takes_away = at_first_use(
    r"\benv[ \t][^\n;&|]{0,99}?(?:-\w*[iu]|--ignore|--unset)|\b(?:unset[ \t][^\n;&|]{0,99}SLURM|(?:snakemake|compgen))",
    "search",
)
# A script that may ask for its own place.
_dotted = at_first_use(r"\.{1,2}/.*\.(?:sh|bash|zsh|ksh|csh|tcsh|py|pl|rb|R|jl|tcl)$", "match")
# Programs that surely are in a folder of PATH.
_surely_found = at_first_use(
    r"(?:(?:ba|da|z)?sh|python[\d.]*|env|true|hostname|torchrun|accelerate|nvidia-smi|date|echo|cat)$", "match"
)
_asks_anything = at_first_use(r"^ ?(?:-\S+ )*\$", "search")
_STEPS = ("srun", *OF_SITES)
_MOST_VARIABLES = 20


def features(job: Job, nodes: int, *, guess: bool = True, seldom: bool = True) -> set[str]:
    """The features for this job on so many nodes; `guess`: also those that only its options speak for; `seldom`: those
    that few calls need which no text shows."""
    text = (job.run.text or "")[:MOST_TEXT]
    shell = may_be_shell(job)
    found = {"srun", "het_job"} if job.groups else set[str]()
    read, all_read = calls(text, shell=shell)
    unseen = {*job.run.commands, *behind(text)}
    all_read = all_read and len(text) == len(job.run.text or "")
    all_read = all_read and not ("srun" in job.run.commands or calls_freely(text))
    all_seen = all_read and not ("srun" in unseen or "SHELLFLAGS" in text)  # options of srun as the shell of make
    saying = 0  # steps that say how their ranks look for each other
    for call in read:
        if call.path and call.name not in LAUNCHERS:
            found.add(f"path:{call.path}:{call.name}")
        if call.name == "srun":
            step, complete = _step(call, text if shell else "")
            found |= step
            all_seen, saying = all_seen and complete, saying + ("opt:mpi" in step)
        elif call.name == "scontrol":
            found |= _asked(call)
        else:
            found |= _called(call.name, nodes) | picked(call)
    if set(PLAIN) & {*found, *unseen} and (not all_read or set(PLAIN) & unseen or named_in(text)):
        found.add("picks")
    found |= by_name(text) | ({"read_in_part"} if _read_in_part(text) else set())
    for name in unseen:  # not seen, so they may have any options
        found |= _called(name, nodes) | (of_any_call(name, seldom=seldom) if name in job.run.commands else set())
    found |= fields_asked(text) if "scontrol_job" in found else set()
    found |= features_behind(text)
    if guess and job.time.signal is not None and job.time.signal.to == "steps" and "python" in text:
        found |= {"scontrol", "requeue"}  # what hears the signal in Python asks for a new run, mostly
    if "srun" in found:
        found = _of_unseen(found, text, all_read=all_read, all_seen=all_seen, shell=shell)
        steps = [call.start for call in read if call.name in _STEPS]
        found |= _of_job(job, text, steps, shell=shell, default=len(steps) > saying * all_seen)
        one = all_read and _is_one_step(text, read, shell=shell)
        if not one and _at_once_somewhere(job, text, steps if all_read else None, shell=shell):
            found.add("account")
        found |= {"shared"} if nodes > 1 and shell and _starts_steps_elsewhere(text, read) else set()
        tasks = max(job.layout.tasks or 1, job.layout.tasks_per_node or 1)
        if tasks > 1 or found & {"opt:ntasks", "opt:ntasks-per-node", "opt:cpus-per-task", "read_in_part"}:
            found.add("pipes")  # lines of several tasks stay whole, and one goes on that nobody reads
        found |= {"several_nodes"} if nodes > 1 else set()
        # Launchers name these too, but feed nothing and ask for no MPI.
        found |= {"stdin"} if "opt:input" in found else set()
        found |= {"mpi"} if "opt:mpi" in found else set()
        found |= _of_release(job, found)
        block = job.layout.tasks_per_node
        if block and job.layout.tasks not in (None, block * nodes):
            found.add("choose")  # steps are not laid out as the job is
    if "several_nodes" in found and found & {"requeue", "scancel", "update"}:
        found.add("relay")  # a task on another node may call it
    if job.retry.requeue is False and found & {"requeue", "scontrol_job"}:
        found = found - {"requeue"} | {"scontrol", "no_requeue"}
    own = all_read and "scontrol" not in job.run.commands and next(_sets_list(text), None) is None
    own = own and not any(_asks_of_others(each) for each in read if each.name == "scontrol")
    if nodes > 1 and found & {"scontrol", *PLAIN} - {"scancel"} and not (own and "several_nodes" in found):
        found.add("hostlist")  # the list of nodes is written node[1-4]
    return found


def _of_unseen(found: set[str], text: str, *, all_read: bool, all_seen: bool, shell: bool) -> set[str]:
    """These features, and for variables that hold options and calls that cannot be read those that they may need."""
    held = {each for each in found if each[:5] == "from:"}
    found = found - held if all_read else found - held | {"stdin"}
    if not all_read or len(held) > _MOST_VARIABLES or not all(_assigned(name[5:], text) for name in held):
        found |= {f"opt:{name}" for name in COMMON}
    return found if all_seen else found | _everything(text, shell=shell)


def _asks_of_others(call: Call) -> bool:
    """Whether scontrol may be given another list of nodes than that of the job, which the agents know."""
    asked, lists = call.words[:2], [_separators("", word) for word in call.words[2:]]
    return call.more or asked not in (("show", "hostnames"), ("show", "hostname")) or not set(lists) <= OWN_LISTS


def _called(name: str, nodes: int) -> set[str]:
    """What a program needs whatever its options are."""
    if name in ("sbatch", "salloc"):
        return {"sbatch"}
    if name in ("sbcast", *OF_SITES):
        return {name, "srun"}
    if name in NAMES:
        return {name}
    if name in LAUNCHERS:
        # MPI starts its daemons by srun, MPICH and Intel MPI also where there is one node.
        return {"srun", "rsh"} if nodes > 1 else {"srun", "launch"}
    return set()


def _of_job(job: Job, text: str, steps: list[int], *, shell: bool, default: bool) -> set[str]:
    """What srun, which is called in these places, takes from elsewhere than its own line. `default`: there may be steps
    that say nothing of MPI."""
    found = {f"opt:{option}" for name, option in VARIABLES.items() if f"{name}=" in text}
    found |= {INHERITED[name] for name, value in job.source.variables if name in INHERITED and value != "ALL"}
    if "PYXIS_CONTAINER_" in text or any(name[:16] == "PYXIS_CONTAINER_" for name, _ in job.env):
        found.add("pyxis")
    if job.layout.gpus_per_task is not None or "SLURM_STEP_GPUS" in text:
        found.add("gpu")
    found |= {"sets_gpus"} if "CUDA_VISIBLE_DEVICES=" in text or "unset CUDA_VISIBLE_DEVICES" in text else set()
    found |= {"stdin"} if is_fed(text, steps, shell=shell) else set()
    found |= {"no_gpus"} if _without_gpus(text) else set()
    found |= {"values"} if may_be_wrong(text) else set()
    found |= {"descriptors"} if _descriptors(text) else set()
    # What a program ignores those that it starts ignore too.
    found |= {"ignores"} if "trap ''" in text or 'trap ""' in text or "IGN" in text else set()
    found |= {"umask"} if "umask" in text else set()
    found |= {"tmpdir"} if "TMPDIR" in text.replace("SLURM_TMPDIR", "") else set()
    found |= {"input_each"} if _input_each(text) else set()
    found |= {"backslash"} if "\\\\" in text and "%" in text else set()
    found |= {"export_none"} if "none," in text.lower() else set()
    if "gpu-bind" in text or "GPU_BIND" in text:
        found.add("gpu_forms")
    found |= {"plane"} if "plane" in text or "PLANE" in text else set()
    if "SLURM_HOSTFILE" in text or "arbitrary" in text:
        found.add("arbitrary")
    if _takes_away(text):
        found.add("regain")
    if "--export" in text or "_EXPORT_ENV" in text:
        found.add("exports")
    if "mpi" in text or "MPI" in text or (job.modules and "mpi" in (job.setup or "")):
        found |= served_ways(job, text, default=default)
    if "pmix_always" not in found and any(name in text for name in OF_SITES):
        found.add("pmi_always")  # the MPI that these sites have
    return found


def _is_one_step(text: str, read: list[Call], *, shell: bool) -> bool:
    """Whether a single step is surely all there is: its call is in no block and no text for another shell."""
    steps = [call for call in read if call.name in _STEPS or call.name in LAUNCHERS]
    if not shell or len(steps) != 1 or steps[0].more:
        return False
    seen, place = scan(text), steps[0].start
    return not (seen.in_string(place) or seen.in_child(place) or any_enclosed(text, [place], shell=True))


def _starts_steps_elsewhere(text: str, read: list[Call]) -> bool:
    """Whether a step is started by a text for another shell, which may be that of a task on another machine."""
    seen, steps = scan(text), [call.start for call in read if call.name in _STEPS or call.name in LAUNCHERS]
    return any(seen.in_string(place) or seen.in_child(place) for place in steps)


def _at_once_somewhere(job: Job, text: str, steps: list[int] | None, *, shell: bool) -> bool:
    """Whether anything in the text may run beside something else. `steps`: where all of them are, if that is known: a
    pipe has two, or what looks like the second is a word of another program."""
    if shell:
        return any(
            _counts(text, match.start())
            and (
                steps is None
                or match[0][:4] != "srun"
                or sum(match.start() <= step < match.end() for step in steps) > 1
            )
            for match in _at_once(text)
        )
    return "python" not in (job.run.interpreter or "") or _beside(text) is not None


def _counts(text: str, place: int) -> bool:
    """Whether it is read at all: in no comment, be it a here-document of `:`."""
    seen = scan(text)
    in_comment = any(each.ignored and each.start <= place < each.end for each in seen.here_documents)
    return not in_comment and not seen.in_comment(place)


def _of_release(job: Job, found: set[str]) -> set[str]:
    """What srun takes from the job under the release that it was written for."""
    rules, variables = rules_of(job), dict(job.source.variables)
    more = {"opt:cpus-per-task"} if "inherits_cpus" in rules and job.layout.cpus_per_task else set()
    more |= (
        {"opt:cpus-per-gpu"} if found & {"gpu", "opt:gpus-per-task"} and "SLURM_CPUS_PER_GPU" in variables else set()
    )
    if variables.get("SLURM_GPU_BIND") == "none" or _unbound(job.run.text or ""):
        more.add("unbound")
    bind = variables.get("SLURM_TRES_BIND", "")
    if bind and (bind[:17] != "gres/gpu:per_task" or "opt:gpus-per-task" in found):
        more.add("opt:gpu-bind")
    return more


def _step(call: Call, text: str) -> tuple[set[str], bool]:
    """What one call of srun needs, and whether its options are all that can be seen. `text`: where a shell's variables
    have their values."""
    found, complete = _options(call, text)
    found |= {"het"} if ":" in call.words else set()
    return {"srun"} | found | _looked_up(call, text) | ({"stdin"} if call.fed else set()), complete


def _options(call: Call, text: str) -> tuple[set[str], bool]:
    """The options of one call of srun, with `from:NAME` where a variable may hold more; and whether these are all."""
    found: set[str] = set()
    words = iter(call.words)
    for quoted in words:
        word = quoted.strip("\"'")
        if word[:1] in ("$", "`", "{", "\\"):  # the program itself, or options in a variable
            held = words_held(text, name) if text and (name := variable_of(word)) else None
            if held is not None and not any(_wants_more(value) for value in held):
                found |= {hit for value in held for each in value for hit in _named(each) if each[:1] == "-"}
                if found & {"opt:nodelist", "opt:exclude"}:
                    found.add("hostlist")
                if any(value and value[0][:1] != "-" for value in held):
                    return found, not call.more
                continue
            holds = _holds_options(word)
            return found | ({"from:" + holds[1].strip("{[")} if holds else set()), False
        if word[:1] != "-" or word in ("-", "--"):
            return found, True
        hits = _named(word)
        found |= hits
        if _wants_more((word,)):
            word += next(words, "")
        if _host_brackets(word):
            found.add("hostlist")
    return found, not call.more


def _wants_more(words: tuple[str, ...]) -> bool:
    """Whether the value of the last of these options comes behind them."""
    word = words[-1] if words else ""
    if word[:1] != "-" or "=" in word or (word[:2] != "--" and len(word) != 2):
        return False
    hits = _named(word)
    return any(f"opt:{entry[2:]}" in hits and entry[1] == "=" for entry in TABLE)


def _looked_up(call: Call, text: str) -> set[str]:
    """Whether the program of a step may be in the working directory, by its bare name: the first word that is none of
    srun's, as far as can be seen."""
    words = iter(call.words)
    for quoted in words:
        word = quoted.strip("\"'")
        if word[:1] != "-" or word == "-":
            held = words_held(text, name) if text and (name := variable_of(word)) else None
            if held is None or any(value[:1] and value[0][:1] != "-" for value in held):
                return set[str]().union(*(_as_named(value[0]) for value in held or ((word,),) if value))
            continue
        if _wants_more((word,)):
            next(words, "")
    return set()


def _as_named(word: str) -> set[str]:
    """What it takes to start a program of this name."""
    if _dotted(word):
        return {"dotted"}
    bare = "/" not in word and word[:1] not in ("$", "`", "{", "\\", "~", ".", "-")
    return {"lookup"} if bare and not _surely_found(word) else set()


def _everything(text: str, *, shell: bool) -> set[str]:
    """All options that the text names outside its comments, be it for another program."""
    found: set[str] = set()
    for word in {match[1] for match in _any_option(text) if not (shell and scan(text).in_comment(match.start()))}:
        found |= _named(word)
    return found | {"hostlist"} if found & {"opt:nodelist", "opt:exclude"} else found


def _assigned(name: str, text: str) -> bool:
    """Whether the text sets a variable to words of its own, not to what somebody else gives."""
    import re

    return name[:1].isalpha() and re.search(rf"\b{name}\+?=[\"'(]*\s*[^\s\"'$`]", text) is not None


def _named(word: str) -> set[str]:
    """The options that a word may stand for: a long name or its beginning, letters in one word."""
    name = word.partition("=")[0]
    if name[:2] == "--":
        hits = [entry[2:] for entry in TABLE if entry[2:].startswith(name[2:])]
        return {f"opt:{hit}" for hit in ([name[2:]] if name[2:] in hits else hits)}
    found: set[str] = set()
    for letter in name[1:]:
        entries = [entry for entry in TABLE if entry[0] == letter]
        found.update(f"opt:{entry[2:]}" for entry in entries)
        if not entries or entries[0][1] != ".":
            break
    return found


def _asked(call: Call) -> set[str]:
    """What a call of scontrol asks for."""
    found = {"scontrol"}
    if not _plain_call(" ".join(call.words[:3])) or any(word[:1] == "-" for word in call.words[3:]):
        found.add("spelled")
    rest = _separators(" ", call.after[:200] if call.more else call.after[:200].replace("\\\n", " ").partition("\n")[0])
    if "hostlist" in rest.lower():
        found.add("show_hostlist")
    if _brackets(call.after.partition("\n")[0]):
        found.add("hostlist")
    if _asks_job(rest):
        found.add("scontrol_job")
    if "batch_script" in rest:
        found.add("write_script")
    if "requeue" in rest or _asks_anything(rest):
        found.add("requeue")
    if "update" in rest:
        found |= {"scontrol_job", "update"}
    return found

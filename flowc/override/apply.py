"""Each job flag and what it sets."""

from __future__ import annotations

from flowc._compiled.slurm_commands import MODULES, OF_SITES, PROVIDED, REFUSED
from flowc.diag.codes import override as codes
from flowc.ir.names import WORKSPACE
from flowc.patterns import at_first_use
from flowc.secret import looks_secret
from flowc.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.diag.sink import Sink
    from flowc.inputs import Flags, Inputs
    from flowc.ir.job import Job, Mount, Outcome, Port
    from flowc.ir.unit import Unit
    from flowc.record import Record

PRIORITIES = ("low", "med", "high")
UNITS_S = {"d": 86400, "h": 3600, "m": 60, "s": 1}


# As many ports as one range may have: each of them is served one by one.
MAX_PORTS = 1000
# Where a flag's value takes the place of all that the file says.
REPLACED = ("name", "resources.", "placement.regions", "pricing.", "time.limit_s", "identity.", "image", "run.delivery")
_is_variable = at_first_use(r"[A-Za-z_][A-Za-z0-9_]*", "fullmatch")
_is_amount = at_first_use(r"([0-9]{1,9})(\.[0-9]{1,6})?", "fullmatch")
_is_image = at_first_use(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*", "fullmatch")
_ports = at_first_use(r"(?:([0-9]{1,5})(?:-([0-9]{1,5}))?:)?([0-9]{1,5})(?:-([0-9]{1,5}))?", "fullmatch")
_in_letters = at_first_use(r"(?:([0-9]{1,4})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?", "fullmatch")
_in_colons = at_first_use(r"(?:([0-9]{1,4})-)?([0-9]{1,6})(?::([0-9]{1,6}))?(?::([0-9]{1,6}))?", "fullmatch")


def apply(unit: Unit, inputs: Inputs, sink: Sink, number: int | None) -> Unit:
    """The unit with the flags' values in place of the file's; each has its origin on the command line. `number` is the
    unit's among several of one source, which must not all get the same name."""
    flags = inputs.flags
    over = Override(unit, inputs, sink)
    over.name(number)
    over.machine()
    over.put("resources", "nodes", flags.num_instances, "num_instances")
    if flags.num_instances is not None and unit.job.resources.nodes_max is not None:
        over.put("resources", "nodes_max", flags.num_instances, "num_instances")
    over.region()
    over.put("pricing", "max_usd_per_instance_hour", over.money("max_price_per_hour"), "max_price_per_hour")
    over.put("pricing", "budget_usd", over.money("budget"), "budget")
    over.put("pricing", "priority", over.priority(), "priority")
    over.put("time", "limit_s", over.duration(), "time")
    over.put("identity", "project", flags.project, "project")
    over.put("identity", "ssh_keys", flags.ssh_keys or None, "ssh_keys")
    over.defaults(inputs.defaults)
    over.put("run", "delivery", flags.body, "body")
    over.image()
    over.env()
    over.secrets()
    if flags.pull_secrets:
        over.pull_secrets()
    if flags.with_commands:
        over.commands()
    if flags.code is not None:
        over.code(flags.code)
    if flags.mounts:
        over.mounts()
    if flags.ports:
        over.ports()
    outcome = tuple(_outcomes(unit, over.set_by)) if unit.outcome_spans else over.job.outcome
    return unit.replace(job=over.job.replace(outcome=outcome), origins=over.origins)


def _outcomes(unit: Unit, set_by: dict[str, str]) -> Iterator[Outcome]:
    """What became of the options of the file: those in whose place flags now say everything have no effect. `set_by`:
    the flag by IR path."""
    taken = {path: flag for path, flag in set_by.items() if path.startswith(REPLACED)}
    for told, place in zip(unit.job.outcome, unit.outcome_spans, strict=True):
        inside = [
            path
            for path, span in unit.origins.items()
            if span.source is place.source and place.start <= span.start and span.end <= place.end
        ]
        by = [next((flag for above, flag in taken.items() if _is_below(path, above)), None) for path in inside]
        if told.action in ("lowered", "approximated") and by and by[0] is not None and all(by):
            yield told.replace(action="ignored", note=f"`{_shown(by[0])}` says otherwise")
        else:
            yield told


def _is_below(path: str, above: str) -> bool:
    return path == above or path.startswith(above + ".")


class Override:
    """One unit on its way to be overridden."""

    __slots__ = ("flags", "job", "origins", "set_by", "sink", "spans")

    def __init__(self, unit: Unit, inputs: Inputs, sink: Sink) -> None:
        self.job: Job = unit.job
        self.origins = dict(unit.origins)
        self.flags = inputs.flags
        self.spans: dict[str, Span] = dict(inputs.flag_spans)
        self.sink = sink
        self.set_by: dict[str, str] = {}

    def put(self, part: str, field: str, value: object, flag: str) -> None:
        """Set `part.field` of the job, unless the flag was not given."""
        if value is None:
            return
        record: Record = getattr(self.job, part)
        self.job = self.job.replace(**{part: record.replace(**{field: value})})
        self._origin(f"{part}.{field}", flag)

    def defaults(self, defaults: Flags) -> None:
        """What the environment says, where neither flag nor file does."""
        if not self.job.identity.project:
            self.put("identity", "project", defaults.project, "project")
        if not self.job.identity.ssh_keys:
            self.put("identity", "ssh_keys", defaults.ssh_keys or None, "ssh_keys")
        if not self.job.placement.regions and not any(each.regions for each in self.job.resources.choices):
            self.put("placement", "regions", (defaults.region,) if defaults.region else None, "region")
        if defaults.body is not None:  # nobody wrote it
            self.job = self.job.replace(run=self.job.run.replace(delivery=defaults.body))

    def _origin(self, path: str, flag: str) -> None:
        self.origins[path] = self._span(flag)
        self.set_by[path] = flag

    def _span(self, flag: str, index: int | None = None) -> Span:
        """Where the flag stands; a caller of the Python API has no command line, so one is made up for messages."""
        key = flag if index is None or f"{flag}.{index}" not in self.spans else f"{flag}.{index}"
        if key not in self.spans:
            text = _shown(flag)
            self.spans[key] = Span(Source("<flags>", text), 0, len(text))
        return self.spans[key]

    def name(self, number: int | None) -> None:
        name = self.flags.name
        if name is None:
            return
        het = self.job.name.rpartition("-het")[2] if "-het" in self.job.name else ""
        suffix = f"-het{het}" if het.isdigit() else "" if number is None else f"-{number}"
        self.job = self.job.replace(name=name + suffix)
        self._origin("name", "name")

    def machine(self) -> None:
        """One type, in place of all choices of the file."""
        name = self.flags.instance_type
        self.put("resources", "alternatives", (name,) if name else None, "instance_type")
        if name and self.job.resources.choices:
            self.put("resources", "choices", (), "instance_type")

    def region(self) -> None:
        """One region, in place of all that the file names or excludes."""
        region = self.flags.region
        if not region:
            return
        self.put("placement", "regions", (region,), "region")
        if self.job.placement.exclude_regions:
            self.put("placement", "exclude_regions", (), "region")
        if self.job.resources.choices:
            anywhere = tuple(choice.replace(regions=()) for choice in self.job.resources.choices)
            self.put("resources", "choices", anywhere, "region")

    def money(self, flag: str) -> str | None:
        """Decimal text of a price in USD; a leading `$` is let pass."""
        text: str | None = getattr(self.flags, flag)
        if text is None:
            return None
        amount = text.strip().removeprefix("$")
        if not _is_amount(amount) or not amount.strip("0."):
            self._mistake(flag, text, "an amount of US dollars above 0, such as `12.50`")
            return None
        return amount

    def priority(self) -> str | None:
        text = self.flags.priority
        if text is None or text.lower() in PRIORITIES:
            return text.lower() if text else None
        self._mistake("priority", text, "low, med or high")
        return None

    def duration(self) -> int | None:
        text = self.flags.time
        if text is None:
            return None
        seconds = parse_duration(text)
        if not seconds:
            self._mistake("time", text, "a duration above 0, such as `90` (minutes), `1:30:00`, `1-12:00` or `1h30m`")
            return None
        return seconds

    def image(self) -> None:
        image = self.flags.image
        if image is None:
            return
        if not _is_image(image) or "://" in image:
            self._mistake("image", image, "a container image, such as `nvcr.io/nvidia/pytorch:24.07-py3`")
            return
        # In a container there is no `scontrol`.
        self.job = self.job.replace(image=image, retry=self.job.retry.replace(from_within=False))
        self._origin("image", "image")

    def env(self) -> None:
        if not self.flags.env:
            return
        merged = dict(self.job.env)
        for index, (name, value) in enumerate(self.flags.env):
            if not _is_variable(name):
                expected = "NAME=VALUE with a name of letters, digits and underscores"
                self._mistake("env", f"{name}=…", expected, index)
            if looks_secret(name):
                hint = f"write `--secret {name}`"
                self.sink.report(codes.ENV_SECRET, self._span("env", index), help=hint, name=name)
            merged[name] = value
        self._set_env(merged)
        secrets = tuple(name for name in self.job.secrets if name not in dict(self.flags.env))
        self.job = self.job.replace(secrets=secrets)
        self._origin("env", "env")

    def _set_env(self, env: dict[str, str]) -> None:
        """A variable is either text or a fact that only the machine knows."""
        facts = tuple((name, fact) for name, fact in self.job.env_facts if name not in dict(self.flags.env))
        self.job = self.job.replace(env=tuple(env.items()), env_facts=facts)

    def secrets(self) -> None:
        if not self.flags.secrets:
            return
        wanted = list(self.job.secrets)
        for index, name in enumerate(self.flags.secrets):
            key, equals, _ = name.partition("=")
            if equals or not _is_variable(name):
                shown = f"{key}=…" if equals else key  # the value stays where it is
                self._mistake("secrets", shown, "the name of a variable alone: its value is never written down", index)
            elif name in dict(self.flags.env):
                self._conflict("secrets", index, f"the variable `{name}`", f"--env {name}=…", f"--secret {name}")
            elif name not in wanted:
                wanted.append(name)
        env = tuple(pair for pair in self.job.env if pair[0] not in self.flags.secrets)
        facts = tuple(pair for pair in self.job.env_facts if pair[0] not in self.flags.secrets)
        self.job = self.job.replace(secrets=tuple(wanted), env=env, env_facts=facts)
        self._origin("secrets", "secrets")

    def pull_secrets(self) -> None:
        """Logins are for images that the job names; what its text pulls is its own affair."""
        wanted = list(self.job.isolation.pull_secrets)
        for index, name in enumerate(self.flags.pull_secrets):
            key, equals, _ = name.partition("=")
            if equals or not _is_variable(name):
                shown = f"{key}=…" if equals else key
                self._mistake("pull_secrets", shown, "a name alone: the login is never written down", index)
            elif self.job.image is None and not self.job.containers:
                expected = "a job that has an image, or names one with `--image`"
                self._mistake("pull_secrets", name, expected, index)
            elif name not in wanted:
                wanted.append(name)
        self.put("isolation", "pull_secrets", tuple(wanted), "pull_secrets")

    def commands(self) -> None:
        """Each text is a list of names, between commas."""
        known, wanted = (*PROVIDED, *OF_SITES, *MODULES, *REFUSED), list[str]()
        for index, text in enumerate(self.flags.with_commands):
            names = [name.strip() for name in text.split(",")]
            if not all(name in known for name in names):
                self._mistake("with_commands", text, f"names of {', '.join(known)}", index)
            wanted += names
        self.put("run", "commands", tuple(dict.fromkeys(wanted)), "with_commands")

    def code(self, source: str) -> None:
        """The folder, or repository, is the job's working directory, and takes the place of what the file puts there.
        An image's own working directory is not known, so the job gets one."""
        from flowc.ir.job import Mount

        folder = (self.job.run.workdir or WORKSPACE).rstrip("/")
        target = folder if folder.startswith(("/", "~")) else f"{WORKSPACE}/{folder}"
        repository = self.flags.repository
        if repository is None:
            path = source if source.startswith(("/", "~", ".")) else f"./{source}"
            mount, runs_in = Mount(kind="local", source=path, target=target, copy=True), target
        else:
            host = repository.url.partition("://")[2].partition("/")[0]
            options = (("over", ""), *((("submodules", host),) if repository.submodules else ()))
            url = f"{repository.url}#{repository.commit}"
            mount = Mount(kind="git", source=url, target=target, copy=True, options=options)
            runs_in = f"{target}/{repository.folder}".rstrip("/")
        before = {number: each for number, each in enumerate(self.job.mounts) if each.target.rstrip("/") != target}
        run = self.job.run if self.job.run.workdir == runs_in else self.job.run.replace(workdir=runs_in)
        self.job = self.job.replace(run=run, mounts=(mount, *before.values()))
        # The others move on by one, with their places.
        origins = {path: span for path, span in self.origins.items() if not path.startswith("mounts.")}
        for place, number in enumerate(before, 1):
            for end in ("", ".source", ".target"):
                if f"mounts.{number}{end}" in self.origins:
                    origins[f"mounts.{place}{end}"] = self.origins[f"mounts.{number}{end}"]
        self.origins = origins
        self._origin("mounts.0", "code")

    def mounts(self) -> None:
        """Each takes the place of the file's mount or volume at the same target."""
        from flowc.ir.mounts import from_uri, split_flag

        added: dict[str, Mount] = {}
        for index, text in enumerate(self.flags.mounts):
            target, source = split_flag(text)
            try:
                mount = from_uri(source, target)
            except ValueError as error:
                self.sink.report(codes.UNUSABLE_MOUNT, self._span("mounts", index), reason=str(error))
                continue
            before = added.setdefault(mount.target, mount)
            if before != mount:
                hint = f"say where it goes: `--mount /other={source}`"
                self._conflict("mounts", index, f"the target `{mount.target}`", before.source, mount.source, hint)
        kept = tuple(mount for mount in self.job.mounts if mount.target not in added)
        volumes = tuple(volume for volume in self.job.volumes if volume.mount_path not in added)
        self.job = self.job.replace(mounts=(*kept, *added.values()), volumes=volumes)
        self._origin("mounts", "mounts")

    def ports(self) -> None:
        """Each takes the place of the file's port of the same external number."""
        added: dict[int, Port] = {}
        for index, text in enumerate(self.flags.ports):
            ports = parse_ports(text)
            if ports is None:
                expected = f"`PORT`, `EXTERNAL:INTERNAL` or ranges of one length, from 1 to 65535, {MAX_PORTS} at most"
                self._mistake("ports", text, expected, index)
            for port in ports or ():
                before = added.setdefault(port.external, port)
                if before != port:
                    first, second = (f"{each.external}:{each.internal}" for each in (before, port))
                    self._conflict("ports", index, f"the port `{port.external}`", first, second)
        kept = tuple(port for port in self.job.ports if port.protocol != "tcp" or port.external not in added)
        self.job = self.job.replace(ports=(*kept, *added.values()))
        self._origin("ports", "ports")

    def _mistake(self, flag: str, value: str, expected: str, index: int | None = None) -> None:
        span = self._span(flag, index)
        self.sink.report(codes.FLAG_VALUE, span, flag=_shown(flag), value=value, expected=expected)

    def _conflict(self, flag: str, index: int, what: str, first: str, second: str, help: str | None = None) -> None:
        span = self._span(flag, index)
        self.sink.report(codes.FLAGS_CONFLICT, span, help=help, what=what, first=first, second=second)


def _shown(flag: str) -> str:
    """A field of the flags as it is written: what repeats is singular there."""
    name = (
        flag.removesuffix("s") if flag in ("ssh_keys", "secrets", "pull_secrets", "mounts", "ports", "sets") else flag
    )
    return "--" + name.replace("_", "-")


def parse_ports(text: str) -> tuple[Port, ...] | None:
    """The ports of `[EXTERNAL:]INTERNAL`, each a number or a range `a-b`; None when it is no such text."""
    from flowc.ir.job import Port

    match = _ports(text.strip())
    if match is None:
        return None
    first_out, last_out, first, last = (None if group is None else int(group) for group in match.groups())
    assert first is not None
    inside = range(first, (first if last is None else last) + 1)
    outside = inside if first_out is None else range(first_out, (first_out if last_out is None else last_out) + 1)
    in_bounds = min(inside.start, outside.start) >= 1 and max(inside.stop, outside.stop) <= 65536
    if not in_bounds or len(inside) != len(outside) or not 1 <= len(inside) <= MAX_PORTS:
        return None
    pairs = zip(outside, inside, strict=True)
    return tuple(Port(external=external, internal=internal, protocol="tcp") for external, internal in pairs)


def parse_duration(text: str) -> int | None:
    """Seconds of `90` (minutes), `M:S`, `H:M:S`, `D-H[:M[:S]]` as sbatch reads them, or of `1h30m`; None otherwise."""
    text = text.strip().lower()
    if match := _in_letters(text):
        amounts = zip(match.groups(), UNITS_S.values(), strict=True)
        return sum(int(number) * unit for number, unit in amounts if number)
    match = _in_colons(text)
    if match is None:
        return None
    days, *fields = match.groups()
    given = [int(field) for field in fields if field is not None]
    if days is not None:
        hours, minutes, seconds = [*given, 0, 0][:3]
        return int(days) * 86400 + hours * 3600 + minutes * 60 + seconds
    if len(given) == 3:
        return given[0] * 3600 + given[1] * 60 + given[2]
    return given[0] * 60 + (given[1] if len(given) == 2 else 0)

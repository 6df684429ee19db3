"""`Unit`: what travels through the pipeline, one per job."""

from __future__ import annotations

from flowc.ir.job import Job
from flowc.ir.plan import JobPlan
from flowc.record import Record
from flowc.source import Derived, Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.parts import Thrift
    from flowc.ir.policy import Policy
    from flowc.ir.profile import Profile, Use
    from flowc.source import Text


class Unit(Record):
    """A job with its origins and, once resolved, its plan.

    `origins` maps an IR path (`resources.gpus_per_node`, `time.limit_s`, `name`) to the span that set it; every field
    that differs from its default has one, apart from `source`, `run` and `outcome`. Never change it in place: a pass
    that sets a field returns a unit with a new mapping. `text` is `job.run.text` with its places,
    where it is not the source as it stands (a block scalar is indented), `setup_text` that of `job.setup`;
    `shell_text` that of the shell which `job.run.argv` starts with `-c`.
    `outcome_spans` are the places of the options that `job.outcome` tells of, in its order. `profile`: what its cluster
    gave to every job, `used` what it takes of that. `stand_ins`: GPU models by globs that others may take the place of
    where they are not sold, and which; None: any that is at least as capable. `releases`: its machines
    end their bid with the job; `held`: who submits it holds its bids back until their turn has come. `policy`: what the
    settings allow. `thrift`: the machine is to be the one that costs least. `joins`: the word by which the text runs
    steps over this and the other components of a het job; `parts`: what such components were, where the job is all of
    them. `brought`: the texts of lines of the profile that make up `job.setup`, of which each stands for itself; empty
    where there is more in it.
    """

    source: Source
    job: Job
    origins: dict[str, Span]
    plan: JobPlan | None = None
    text: Text | None = None
    setup_text: Text | None = None
    shell_text: Text | None = None
    outcome_spans: tuple[Span, ...] = ()
    profile: Profile | None = None
    used: tuple[Use, ...] = ()
    stand_ins: tuple[tuple[str, str | None], ...] = ()
    releases: bool = False
    held: bool = False
    policy: Policy | None = None
    thrift: Thrift | None = None
    joins: Span | None = None
    parts: tuple[Unit, ...] = ()
    brought: tuple[str, ...] = ()

    def origin(self, *paths: str) -> Span | None:
        """The span of the first of these IR paths that the user set."""
        for path in paths:
            if path in self.origins:
                return self.origins[path]
        return None

    @property
    def preparing(self) -> Unit | None:
        """What prepares the job, looked at as a job of its own; None where nothing does."""
        job = self.job
        if not job.setup:
            return None
        run = job.run.replace(kind="shell", interpreter="/bin/bash", text=job.setup, commands=())
        return self.replace(job=job.replace(run=run, setup=None), text=self.setup_text or Derived.joined(job.setup))

    def prepared(self, text: str, span: Span, brought: tuple[str, ...] = ()) -> Unit:
        """The same with these lines of shell before what prepares the job; `span` asks for them. `brought` is of these
        lines what the field is of all."""
        own = self.job.setup
        if own is None:
            job = self.job.replace(setup=text + "\n")
            return self.replace(job=job, origins={**self.origins, "setup": span}, brought=brought)
        placed, job = Derived.joined(text + "\n", self.setup_text or own), self.job.replace(setup=f"{text}\n{own}")
        both = (*brought, *self.brought) if brought and self.brought else ()
        return self.replace(job=job, setup_text=placed, brought=both)

    def machines_at_once(self) -> int:
        """So many machines of a planned job are paid at the same time at most."""
        assert self.plan is not None, "there is a plan"
        most = self.job.array.max_concurrent if self.job.array is not None else None
        return self.plan.nodes * min(self.plan.count, most or self.plan.count)

    def text_span(self, start: int, end: int) -> Span | None:
        """The place of `job.run.text[start:end]` in the source, None where that text stands nowhere in it."""
        if self.text is not None:
            return self.text.span(start, end)
        return Span(self.source, start, end) if self.job.run.text == self.source.text else None

"""`Flow`: where a Python program begins."""

from __future__ import annotations

import os
import time

from flowc.inputs import Inputs
from flowc.providers.errors import NotFoundError as NoSuchThingError
from flowc.sdk import compiling
from flowc.sdk.asking import asked
from flowc.sdk.errors import ValidationError
from flowc.sdk.functions.call import MOST_ARCHIVE, RESULT, RETURNS, script_of
from flowc.sdk.options import How, parted
from flowc.sdk.task import Task, foreign
from flowc.sdk.translate import translated
from flowc.sdk.worlds import Worlds, tell
from flowc.sdk.writing import plain
from flowc.settings import catalog_copy, home_of
from flowc.submit.plan import new_nonce, number_of
from flowc.submit.release import KEY_ON_MACHINES
from flowc.submit.watch import watcher
from flowc.tasks.defaults import defaults_of
from flowc.tasks.graph.given import behind
from flowc.tasks.names import bids_of
from flowc.tasks.placing import place
from flowc.tasks.policies import policy_of, with_committed
from flowc.tasks.refused import RefusedTaskError
from flowc.tasks.submitting import Order, Submitting
from flowc.tasks.waiting import Waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from typing import Any, NoReturn, Self, TypeAlias, Unpack

    from flowc.sdk.config import TaskConfig
    from flowc.sdk.fields import RunOptions
    from flowc.source import Source
    from flowc.submit.journal import Bid
    from flowc.tasks.world import World

    # A command, what says all, or a file that does.
    What: TypeAlias = str | Sequence[str] | TaskConfig | Mapping[str, Any] | PathLike[str] | Source | None

# With these begin the ids of tasks at the providers.
IDS = ("bid_", "task-")


class Flow:
    """Submits tasks and finds them again. What is not given here is looked up as the command line does: environment,
    project's file, `~/.flow/config.yaml`, defaults. `provider` is `mithril` or `local`, `local_machine` what a machine
    on this computer is made of, `catalog` a catalog file, `environ` an environment in the place of the process's own.

    Nothing is asked before a method is called; one object serves several threads. All methods raise FlowError."""

    def __init__(
        self,
        *,
        provider: str | None = None,
        local_machine: str | None = None,
        project: str | None = None,
        region: str | None = None,
        ssh_keys: Sequence[str] = (),
        api_key: str | None = None,
        catalog: str | PathLike[str] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        given = {
            "provider": provider,
            "local_machine": local_machine,
            "project": project,
            "region": region,
            "api_key": api_key,
        }
        flags: dict[str, str | tuple[str, ...]] = {name: text for name, text in given.items() if text is not None}
        if ssh_keys:
            flags["ssh_keys"] = tuple(ssh_keys)
        self._environ = os.environ if environ is None else environ
        self._catalog = None if catalog is None else os.fspath(catalog)
        self._worlds = Worlds(self._environ, flags)

    def run(self, task: What = None, /, **options: Unpack[RunOptions]) -> Task:
        """Submit one task, exactly once: `flow.run("python train.py", gpu="a100")`.

        `task` is a command (a text for the shell, or a list of words), a TaskConfig, a mapping of its fields, or the
        path of a job file in any format (`pathlib.Path`). By name come the fields of a task, which win over that
        (`gpu` is another name of `instance_type`), and how it is submitted:

        wait: stay until it has ended.
        secrets: names of variables of the environment whose values are brought to the machine.
        pull_secrets: names of logins for the registry of the image, each NAME_USERNAME, NAME_PASSWORD and NAME_SERVER
        of the environment, or NAME with the text of docker's config.json.
        code: a folder that is brought to run in, or "git": the commit that is checked out.
        after: a task whose success is waited for, or "KIND:NAME" as in "afterany:train"; or several.
        budget: refuse what could cost more, in USD.
        keep: do not end the bid with the job. release: "machine" has the machine end it, by your key.
        force_new: though the same lives already. idempotency_key: what has it is submitted once, ever.
        body: "script" or "ssh": how a script comes to the machine; "auto": as it fits.
        deliver: False does not stay until the machine has what only this program can bring (secrets, code, a long
        script): `wait`, `logs(follow=True)` and `status` bring it then.
        strict: warnings are errors. set, with_commands: as the flags of `flowc submit`.

        Raises ValidationError, ConfigurationError, InsufficientQuotaError, ConflictError and the like."""
        (found,) = self._run(task, options, one=True)
        return found

    # The same under the name of the command line.
    submit = run

    def run_all(self, task: What, /, **options: Unpack[RunOptions]) -> list[Task]:
        """As `run`, for what may be several tasks: an array, a file with several documents. Those that wait for their
        turn are placed by whoever looks."""
        return self._run(task, options, one=False)

    def invoke(
        self,
        module: str | PathLike[str],
        function: str,
        /,
        *args: Any,
        gpu: str | None = None,
        config: TaskConfig | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        trust: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Run a function of a module (a file, or its name) on a machine, and give what it returns. `gpu` and `config`
        say what else the task has, and so do keywords of `run` that the function does not take; all other arguments
        are the function's, as JSON. The module's file goes along, or the package that it stands in, and what they
        import of the same folder.

        A `pathlib.Path` in the result is brought as a file, or as a folder. An exception there is a RemoteError here.
        What JSON does not have comes back with `trust` alone, as a pickle: loading one runs what the machine put into
        it. Raises TaskTimeoutError after `timeout` seconds; the task goes on then, as after KeyboardInterrupt, and
        `get_task(NAME).result()` has what it gives."""
        script, more = script_of(module, function, args, kwargs, trust=trust)
        how, fields = parted(more)
        fields = {**(plain(config) or {}), **fields}
        wrong = [key for key in ("command", "shell", "script", "num_instances") if fields.get(key) not in (None, 1)]
        if wrong:
            raise ValidationError(f"a function runs on one machine, in place of '{wrong[0]}'", field="config")
        fields |= {"script": script} if gpu is None else {"script": script, "gpu": gpu}
        how = how.replace(force_new=how.idempotency_key is None)
        (task,) = self._submitted(fields, {}, how, one=True, returns=True)
        return task.result(timeout, trust=trust)

    def get_task(self, task_id: str) -> Task:
        """A task by its name or id, or the key of its submission, or the beginning of one of these. Raises
        NotFoundError."""
        if not isinstance(task_id, str):
            raise ValidationError(f"a task is named by a text, not by {task_id!r}", field="task_id")
        with translated():
            world = self._worlds.now()
            try:
                bids = bids_of(world.journal, [task_id])
            except RefusedTaskError:
                other = self._foreign(world, task_id) if task_id.startswith(IDS) else None
                if other is None:
                    raise
                return other
            if len(bids) > 1:
                names = ", ".join(bid.name for bid in bids[:8])
                raise ValidationError(f"'{task_id}' is {len(bids)} tasks", suggestions=(f"name one: {names}",))
            return Task(self._worlds, bids[0])

    def list_tasks(self, limit: int = 100) -> list[Task]:
        """The newest tasks, of all providers that there is a reason to ask, unless one was chosen; those too that wait
        for their turn. Where jobs have ended, their bids are ended on the way."""
        from flowc.settings.lookup import SettingsError
        from flowc.tasks.looking import looked_after

        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise ValidationError(f"limit is {limit!r}, expected a whole number, at least 1", field="limit")
        with translated():
            world = self._worlds.now()
            names = world.listed()
            found = []
            for name in names:
                try:
                    provider = world.provider(name)
                except SettingsError as error:
                    if len(names) == 1:
                        raise
                    tell(f"warning: what {name} has is not listed: {error}")
                    continue
                mine = world.journal.bids(provider=name)
                found += [(_begun(world, bid), Task(self._worlds, bid)) for bid in mine if bid.made is None]
                ours = {bid.made: bid for bid in mine}
                for seen in looked_after(world, name, provider.list_tasks(limit=limit)):
                    bid = ours.get(seen.identity) or foreign(seen, name)
                    found.append((seen.created_at, Task(self._worlds, bid, seen)))
        found.sort(key=lambda pair: pair[0], reverse=True)
        return [task for _, task in found[:limit]]

    def find_instances(self, requirements: Mapping[str, Any], limit: int = 10) -> list[dict[str, Any]]:
        """Machines that have what is required, the cheapest first: by the catalog, with today's prices and what is free
        where there is an API key. `requirements` may name `gpu_memory_gb`, `gpu_count`, `gpu`, `instance_type`,
        `cpus`, `memory_gb` (each at least), `max_price` (USD an hour) and `region`."""
        from flowc.sdk.instances import find

        with translated():
            return find(
                self._worlds.now(), requirements, limit=limit, catalog=self._catalog_file(), own=self._catalog is None
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing has to be closed: tasks go on."""

    def __repr__(self) -> str:
        return "Flow()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Flow is not pickled, since it may hold a key: make one where it is wanted")

    def _run(self, task: What, options: Mapping[str, Any], *, one: bool) -> list[Task]:
        how, fields = parted(options)
        tasks = self._submitted(task, fields, how, one=one)
        if how.wait:
            for each in tasks:
                each.wait()
        elif how.deliver:
            self._deliver(tasks)
        return tasks

    def _submitted(
        self, what: object, fields: Mapping[str, Any], how: How, *, one: bool, returns: bool = False
    ) -> list[Task]:
        """`returns`: the job leaves a result, which is brought when it has ended."""
        with translated():
            world = self._worlds.now()
            releases = how.release == "machine" and world.chosen != "local"
            inputs = self._inputs(world, how, releases=releases).replace(returns=RETURNS if returns else None)
            nonce = new_nonce()
            inputs = inputs.replace(number=number_of(nonce))
            request = asked(what, fields, inputs, name="flow.invoke()" if returns else "flow.run()")
            document = compiling.document(
                request.source, request.inputs, request.written, frontend=request.frontend, strict=how.strict
            )
            if returns:
                bids = [bid for job in document["jobs"] for bid in job["bids"]]
                document["fetch"] = [{"of": bids, "path": RESULT, "most": MOST_ARCHIVE}]
            behind([document], [request.source.path], how.after)
            count = sum(len(job["bids"]) for job in document["jobs"])
            if one and count != 1:
                raise ValidationError(f"this makes {count} tasks", suggestions=("run_all() gives them all",))
            if releases:
                tell(f"warning: {KEY_ON_MACHINES}")
            order = Order(
                document=document,
                nonce=nonce,
                keep=how.keep,
                again=how.force_new,
                once=how.idempotency_key,
            )
            return self._placed(world, order, how, releases=releases)

    def _placed(self, world: World, order: Order, how: How, *, releases: bool) -> list[Task]:
        submission, _ = Submitting(world, order).begun()
        place(world, submission)
        stays = how.wait or "fetch" in order.document
        if not (stays or releases or submission.provider == "local") and watcher(world.folder) is None:
            paid = "its bid is paid until somebody sees the end of its job: wait()"
            tell(f"warning: {submission.key}: {'nobody ends its bid' if how.keep else paid}; cancel() ends it, "
                 "`flowc watch` looks after all")  # fmt: skip
        return [Task(self._worlds, bid) for bid in world.journal.bids(key=submission.key)]

    def _deliver(self, tasks: Sequence[Task]) -> None:
        """Stay until machines have what only we can bring."""
        with translated():
            world = self._worlds.now()
            names = {each.task_id for each in tasks}
            bids = [bid for bid in world.journal.bids(key=tasks[0].submission) if bid.name in names]
            Waiting(world, bids).until_delivered()

    def _inputs(self, world: World, how: How, *, releases: bool) -> Inputs:
        """What a compilation is told besides its source."""
        flags = how.flags()
        spans = how.spans()
        defaults = defaults_of(flags, world.settings, spans).replace(body="auto")
        policy = policy_of(world.settings)
        if policy is not None and policy.per_month is not None and world.chosen != "local":
            policy = with_committed(policy, world.journal, time.time())
        return Inputs(
            policy=policy,
            environ=tuple(sorted(self._environ.items())),
            submitted=True,
            free=world.chosen == "local",
            releases=releases,
            flags=flags,
            defaults=defaults,
            flag_spans=tuple(spans.items()),
            catalog=self._catalog_file(),
            own_catalog=self._catalog is None,
        )

    def _catalog_file(self) -> str | None:
        """That which was given, else the user's own copy, where there is one."""
        return self._catalog or catalog_copy(self._environ, home_of(self._environ))

    def _foreign(self, world: World, identity: str) -> Task | None:
        """A task that somebody else has submitted, by its id."""
        for name in world.listed():
            try:
                seen = world.provider(name).get(identity)
            except NoSuchThingError:
                continue
            return Task(self._worlds, foreign(seen, name), seen)
        return None


def _begun(world: World, bid: Bid) -> str:
    """When a bid that is not placed was submitted, as providers write times."""
    submission = world.journal.submission(bid.key)
    assert submission is not None, bid.key
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(submission.created_at))

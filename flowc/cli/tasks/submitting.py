"""Submits a request document, once, and stays with its jobs where that is asked for."""

from __future__ import annotations

import os
import sys
import time

from flowc.cli import terminal
from flowc.cli.arguments import UsageError
from flowc.cli.status import DONE, WORLD_FAILED
from flowc.cli.tasks.bill import who_ends
from flowc.cli.tasks.guard import OURS, RefusedTaskError, guarded
from flowc.cli.tasks.standing import Standing, what_stands
from flowc.cli.tasks.world import World, refuse_missing, tell
from flowc.record import Record
from flowc.settings.lookup import SettingsError
from flowc.submit.delivery import missing_secrets
from flowc.submit.watch import watcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flowc.cli.arguments import Words
    from flowc.providers.base import Resolution
    from flowc.submit.journal import Submission


def submit(words: Words, argv: list[str], *, shown_here: bool = False) -> int:
    """What SUBMIT_OPTIONS say with the sources of a command line. The exit status. `shown_here`: on this computer the
    output is shown without being asked for. Raises UsageError."""
    check(words)
    if shown_here and not (words.flag("wait") or words.flag("dry_run") or words.flag("resume")):
        try:
            if World(words).chosen == "local":
                words = words.replace(values={**words.values, "follow": True})
        except SettingsError:
            pass  # said below
    failed = OURS if _stays(words) else WORLD_FAILED
    standing = Standing()

    def work() -> int:
        try:
            return _resume(words, standing) if words.flag("resume") else _submit(words, argv, standing)
        except KeyboardInterrupt:
            standing.tell_interrupted()
            raise

    return guarded(work, failed=failed)


def check(words: Words) -> None:
    """Raises UsageError for options that do not go together."""
    if words.flag("offline") and not words.flag("dry_run"):
        raise UsageError("`--offline` submits nothing", "it goes with `--dry-run`")
    for one, other in (("dry_run", "resume"), ("force_new", "idempotency_key"), ("dry_run", "follow")):
        if words.flag(one) and words.flag(other):
            names = [f"--{each.replace('_', '-')}" for each in (one, other)]
            raise UsageError(f"`{names[0]}` and `{names[1]}` exclude each other", "leave out one of them")


def _stays(words: Words) -> bool:
    return words.flag("follow") or words.flag("wait")


class _Plan(Record):
    """What is to be submitted: the document of the compiler, and what the provider knows of it."""

    document: dict[str, Any]
    found: Resolution


def _submit(words: Words, argv: list[str], standing: Standing) -> int:
    from flowc.cli.tasks.compiling import request

    document, status = request(words, argv)
    if document is None:
        return OURS if _stays(words) else status
    if words.flag("offline"):
        _show_calls(document)
        return DONE
    dry = words.flag("dry_run")
    world = World(words, many=True, called=_show_call) if dry else World(words, many=True)
    name = world.chosen
    provider = world.provider(name)
    again = words.flag("force_new")
    if not again and not dry:
        # Before the provider is asked, which might have no room for it any more: it is there.
        there = world.journal.same(_content(words, name, document), once=words.flag("idempotency_key"))
        if there is not None and _is_meant(words, there, _digest(name, document)):
            return _carry_out(words, world, [there], standing)
        again = there is not None
    found = provider.resolve(document)
    for warning in found.warnings:
        tell(f"warning: {warning}")
    if dry:
        _show_calls(found.document)
        return DONE
    refuse_missing(missing_secrets(document, os.environ))
    submission = _begun(words, world, name, _Plan(document=document, found=found), standing, again=again)
    price = "" if found.market_usd is None else f", {found.market_usd:.2f} USD an hour at today's price"
    return _carry_out(words, world, [submission], standing, price)


def _digest(provider: str, document: dict[str, Any]) -> str:
    from flowc.submit.plan import content_key

    return content_key({"provider": provider, "document": document})


def _content(words: Words, provider: str, document: dict[str, Any]) -> str:
    """What is not to be submitted twice."""
    from flowc.submit.plan import content_key

    key = words.text("idempotency_key")
    return _digest(provider, document) if key is None else content_key({"idempotency_key": key})


def _begun(words: Words, world: World, provider: str, plan: _Plan, standing: Standing, *, again: bool) -> Submission:
    """The submission in the journal: a new one, or, unless `again`, one of the same content that is to be finished.
    Raises RefusedTaskError where it lives already and nobody wants it twice."""
    from flowc.submit.journal import OPEN, Submission
    from flowc.submit.plan import new_nonce, steps_of

    digest = _digest(provider, plan.document)
    nonce = new_nonce()
    submission = Submission(
        key=f"{digest[:8]}-{nonce}",
        content=_content(words, provider, plan.document),
        name=plan.document["requests"][-1]["id"],
        provider=provider,
        nonce=nonce,
        created_at=time.time(),
        state=OPEN,
        keep=words.flag("keep"),
        document=plan.found.document,
        resolved=plan.found.known,
    )
    steps = steps_of(plan.found.document, nonce)
    standing.at(world.journal, submission.key)
    other = world.journal.begin(submission, steps, again=again, once=words.flag("idempotency_key"))
    if other is None:
        return submission
    if _is_meant(words, other, digest):
        return other
    world.journal.begin(submission, steps, again=True)
    return submission


def _is_meant(words: Words, other: Submission, digest: str) -> bool:
    """Whether a submission that was begun before is what is wanted now; False: somebody wants it once more. Raises
    RefusedTaskError."""
    from flowc.submit.journal import OPEN

    once = words.flag("idempotency_key")
    if once and other.key[:8] != digest[:8]:
        raise RefusedTaskError(
            f"another job was submitted with this key: {other.key}", "each job needs an --idempotency-key of its own"
        )
    if other.state == OPEN:
        tell(f"this was begun before and is not finished: goes on with {other.key}")
        return True
    if once:
        tell(f"this was submitted before: {other.key}")
        return True
    if _asked(other):
        return False
    raise RefusedTaskError(
        f"this job was submitted before, and lives: {other.key}",
        f"`flowc status {other.key}` shows it; --force-new submits it once more",
    )


def _carry_out(
    words: Words, world: World, submissions: Sequence[Submission], standing: Standing, price: str = ""
) -> int:
    from flowc.cli.tasks.placing import place
    from flowc.cli.tasks.waiting import Waiting
    from flowc.submit.steps import InterruptedSubmissionError, RefusedError

    bids = []
    stays = _stays(words)
    for submission in submissions:
        standing.at(world.journal, submission.key)
        try:
            place(world, submission)
        except (InterruptedSubmissionError, RefusedError):
            tell(what_stands(world.journal, submission.key))
            raise
        found = world.journal.bids(key=submission.key)
        bids += found
        if not words.flag("follow"):
            terminal.write(sys.stdout, "".join(f"{bid.name}\n" for bid in found))
        tell(f"submitted as {submission.key}{price}")
        left = sum(bid.made is None for bid in found)
        if left and not stays:
            tell(f"{left} of {len(found)} bids wait until others have ended: `flowc wait`, `list` and "
                 "`status` place them")  # fmt: skip
    waiting = Waiting(world, bids, follow=words.flag("follow"))
    if not stays:
        waiting.until_delivered()
    watched = watcher(world.folder) is not None
    for submission in submissions:
        key, provider, document = submission.key, submission.provider, submission.document
        tell(who_ends(key, provider, document, keep=submission.keep, stays=stays, watched=watched))
    if not stays:
        return DONE
    standing.quiet()
    return waiting.run()


def _resume(words: Words, standing: Standing) -> int:
    from flowc.submit.journal import OPEN

    journal = World(words).journal
    if words.operands:
        named = [(key, journal.submission(key)) for key in words.operands]
        for key, each in named:
            if each is None:
                raise RefusedTaskError(f"there is no submission `{key}`", "`flowc submit --resume` finishes all")
        chosen = [each for _, each in named if each is not None]
    else:
        chosen = journal.submissions(state=OPEN)[::-1]
    if not chosen:
        tell("nothing is left to do: every submission is at its end")
        return DONE
    return _carry_out(words, World(words, many=True), chosen, standing)


def _show_calls(document: dict[str, Any]) -> None:
    """Each call that changes something, in order, without the startup scripts."""
    for request in document["requests"]:
        body = dict(request["body"])
        launch = body.get("launch_specification")
        if launch and launch.get("startup_script"):
            script = f"({len(launch['startup_script']):,} bytes)"
            body["launch_specification"] = {**launch, "startup_script": script}
        _show_call(request["method"], request["path"], body=body)


def _show_call(method: str, path: str, **more: object) -> None:
    import json

    line = json.dumps({"method": method, "path": path, **more}, ensure_ascii=False)
    terminal.write(sys.stdout, f"{line}\n", encoding="utf-8")


def _asked(other: Submission) -> bool:
    """Whether somebody at a terminal wants it twice; without one nobody does."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    terminal.write(sys.stderr, f"flowc: this job was submitted before, and lives: {other.key}. Once more? [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")

"""Submits a request document, once, and stays with its jobs where that is asked for."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from flowc.cli import terminal
from flowc.cli.arguments import UsageError
from flowc.cli.status import DONE, WORLD_FAILED
from flowc.cli.tasks.bill import who_ends, who_places
from flowc.cli.tasks.guard import OURS, guarded, how_on
from flowc.cli.tasks.standing import Standing, what_stands
from flowc.cli.tasks.world import World, tell
from flowc.settings.lookup import SettingsError
from flowc.submit.journal import OPEN, WAITING, JournalError
from flowc.submit.plan import new_nonce, number_of
from flowc.submit.release import KEY_ON_MACHINES
from flowc.submit.watch import watcher
from flowc.tasks.graph.links import linked
from flowc.tasks.refused import RefusedTaskError
from flowc.tasks.submitting import Order, Submitting, found_trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from flowc.cli.arguments import Words
    from flowc.submit.journal import Bid, Submission


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
        except OSError:
            standing.tell_unseen()
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
    if words.flag("keep") and words.text("release") == "machine":
        raise UsageError("`--keep` and `--release machine` exclude each other", "leave out one of them")


def _stays(words: Words) -> bool:
    return words.flag("follow") or words.flag("wait")


def _submit(words: Words, argv: list[str], standing: Standing) -> int:
    from flowc.cli.tasks.compiling import request

    releases = words.text("release") == "machine"
    here = World(words).chosen == "local"
    if releases and here:
        tell("`--release machine` changes nothing here: a task on this computer ends with its job")
        releases = False
    nonce, dry = new_nonce(), words.flag("dry_run")
    number = None if dry else number_of(nonce)
    document, status = request(words, argv, free=here, releases=releases, number=number)
    if document is None:
        return OURS if _stays(words) else status
    world = World(words, many=True, called=_show_call) if dry else World(words, many=True)
    if dry:
        document = linked(document, lambda: world.journal)
    if words.flag("offline"):
        _show_calls(document)
        return DONE
    provider = world.provider(world.chosen)
    if dry:
        found_trees(document, tell)
        found = provider.resolve(document)
        for warning in found.warnings:
            tell(f"warning: {warning}")
        _show_calls(found.document)
        return DONE
    if releases:
        tell(f"warning: {KEY_ON_MACHINES}")
    order = Order(
        document=document,
        nonce=nonce,
        keep=words.flag("keep"),
        again=words.flag("force_new"),
        once=words.text("idempotency_key"),
    )
    beginning = Submitting(world, order, asked=_asked, at=lambda key: standing.at(world.journal, key))
    submission, market = beginning.begun()
    price = "" if market is None else f", {market:.2f} USD an hour at today's price"
    return _carry_out(words, world, [submission], standing, price)


def _carry_out(
    words: Words, world: World, submissions: Sequence[Submission], standing: Standing, price: str = ""
) -> int:
    from flowc.cli.tasks.staying import heard_of, stay
    from flowc.submit.steps import InterruptedSubmissionError, RefusedError
    from flowc.tasks.output import Output
    from flowc.tasks.placing import place
    from flowc.tasks.waiting import Waiting

    bids = []
    stays = _stays(words)
    for submission in submissions:
        standing.at(world.journal, submission.key)
        try:
            place(world, submission)
        except (InterruptedSubmissionError, RefusedError):
            tell(what_stands(world.journal, submission.key))
            raise
        except JournalError:
            with suppress(JournalError):
                tell(what_stands(world.journal, submission.key))
                tell(f"  help: {how_on(submission.key)}")
            raise
        found = world.journal.bids(key=submission.key)
        bids += found
        if words.text("number"):
            numbers = [job.job_id for job in world.journal.jobs(key=submission.key) if job.job_id is not None]
            text = f"{numbers[0] if numbers else number_of(submission.nonce)}\n"
            terminal.write(sys.stdout, text if words.text("number") == "parsable" else f"Submitted batch job {text}")
        elif not words.flag("follow"):
            terminal.write(sys.stdout, "".join(f"{bid.name}\n" for bid in found))
        tell(f"submitted as {submission.key}{price}")
        if not stays:
            _tell_left(world, submission.key, found)
    output = heard_of(bids) if stays else None
    if words.flag("follow"):
        output = Output(terminal.write_bytes, several=len(bids) > 1)
    waiting = Waiting(world, bids, output=output)
    if not stays:
        waiting.until_delivered()
    watched = watcher(world.folder) is not None
    for submission in submissions:
        key, provider, document = submission.key, submission.provider, submission.document
        release = any("release" in each for each in document.get("deliver", ()))
        machine_s = world.settings.seconds("release_after_s") if release else None
        keep = submission.keep
        if provider != "local" and all(bid.released_at is not None for bid in world.journal.bids(key=key)):
            tell("all of it has ended: nothing more is paid")
            continue
        ends = who_ends(key, provider, document, keep=keep, stays=stays, watched=watched, machine_s=machine_s)
        brings = "" if stays or watched or world.provider(provider).keeps_tasks else _who_brings(document)
        tell(ends + _who_waits(world, key, stays=stays, watched=watched) + brings)
    if not stays:
        return DONE
    standing.quiet()
    return stay(waiting, output=output)


def _tell_left(world: World, key: str, bids: Sequence[Bid]) -> None:
    """What becomes of the bids of a submission that are not placed yet, or never will be."""
    from flowc.submit.turns import Turns
    from flowc.tasks.graph.words import MOST, why_not

    left = [bid for bid in bids if bid.made is None]
    turns = Turns(world.journal, key, now=time.time())
    for bid in left if len(left) <= MOST else ():
        tell(f"{bid.name}: {why_not(turns, bid)}")


def _who_waits(world: World, key: str, *, stays: bool, watched: bool) -> str:
    """How many bids of a submission are not placed yet, and who places them; nothing where there are none."""
    bids = world.journal.bids(key=key)
    waiting = sum(bid.state == WAITING and bid.submission == OPEN for bid in bids)
    if not waiting:
        return ""
    places = who_places(stays=stays, watched=watched, one=waiting == 1)
    if len(bids) == 1:
        return f". It waits until others have ended: {places}"
    return f". {waiting} of {len(bids)} bids wait until others have ended: {places}"


def _who_brings(document: Mapping[str, Any]) -> str:
    """Where nobody has stayed until machines have their key: what they do without it, and who brings it later."""
    deliver = document.get("deliver", ())
    if not deliver or any("key" not in each for each in deliver):
        return ""
    return (
        ". Its machines know each other by their addresses alone until they have a key: `flowc wait`, `list`, `status` "
        "and `watch` bring it when they find them running"
    )


def _resume(words: Words, standing: Standing) -> int:
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
    answer = ""
    try:
        answer = sys.stdin.readline()
    finally:
        if not answer.endswith("\n"):  # nobody has ended the line
            terminal.write(sys.stderr, "\n")
    return answer.strip().lower() in ("y", "yes")
